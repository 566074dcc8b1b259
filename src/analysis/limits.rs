//! Every table that a sender could fill, and how far.

/// The limits of one analysis.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Control connections that are followed at once.
    pub tunnels: usize,
    /// Calls that are followed.
    pub calls: usize,
    /// ESP flows (SPI and addresses) that are followed.
    pub flows: usize,
    /// IKE SAs that are followed.
    pub ike: usize,
    /// Different observations that are kept, of control connections and calls, and as many of SAs.
    pub observations: usize,
    /// Events of all logs together.
    pub events: usize,
    /// Control messages of all connections that wait for a number before theirs.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tunnels: 65_536,
            calls: 131_072,
            flows: 131_072,
            ike: 16_384,
            observations: 65_536,
            events: 262_144,
            waiting: 16_384,
        }
    }
}

/// Octets that are kept of a text of a peer (a name, a reason), for each connection or call.
pub const TEXT: usize = 128;

/// Kinds of control messages that are counted, of each end: more than all RFCs define.
pub(super) const KINDS: usize = 64;

/// A limit that an analysis can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Limit {
    Tunnels,
    Calls,
    Flows,
    Ike,
    Observations,
    Events,
    Fragments,
    IkeStates,
    IkeFragments,
    Learned,
    Said,
    Traffic,
    Waiting,
}

/// One row a limit: what is counted, and the option that raises it.
static ROWS: &[(Limit, &str, Option<&str>)] = &[
    (Limit::Tunnels, "control connections", Some("--max-tunnels")),
    (Limit::Calls, "calls", Some("--max-calls")),
    (Limit::Flows, "ESP flows", None),
    (Limit::Ike, "IKE SAs", None),
    (Limit::Observations, "different observations", None),
    (Limit::Events, "ladder lines", None),
    (Limit::IkeStates, "IKEv1 SAs that are decrypted", None),
    (Limit::IkeFragments, "IKE messages waiting for fragments", None),
    (Limit::Learned, "L2TP ports and L2TPv3 sessions learned from control messages", None),
    (Limit::Said, "messages that are compared", None),
    (Limit::Traffic, "TCP connections, echoes and questions of users", None),
    (Limit::Waiting, "control messages waiting for a number before theirs", None),
    (Limit::Fragments, "IP datagrams waiting for fragments", None),
];

impl Limit {
    /// What is counted.
    pub fn what(self) -> &'static str {
        ROWS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The option that raises it.
    pub fn option(self) -> Option<&'static str> {
        ROWS.iter().find(|row| row.0 == self).and_then(|row| row.2)
    }
}
