//! What the secrets that were given say of the ends of a control connection: of L2TPv2 by the Challenge Response (RFC 2661
//! section 5.1.1), of L2TPv3 by the Message Digest of every message (RFC 3931 section 4.3).

use crate::dissect::layers::DigestCheck;

use super::connection::Connection;
use crate::analysis::found::Analysis;
use crate::analysis::log::{Observation, Tally};

/// What an end proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelProof {
    /// That it has the secret.
    Proved,
    /// That it has another secret; or another was given.
    WrongSecret,
    /// That its messages were not changed: they have digests without a secret.
    Intact,
    /// Some of its messages hold, others do not.
    SomeWrong,
}

impl TunnelProof {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::WrongSecret => "wrong-secret",
            Self::Intact => "intact",
            Self::SomeWrong => "some-wrong",
        }
    }
}

impl Analysis {
    /// The messages of an end whose digest shows this.
    pub fn digests<'a>(&self, connection: &'a Connection, end: u8, check: DigestCheck) -> Option<&'a Tally> {
        connection.log.get(Observation::Digest(check), Some(end))
    }

    /// What an end proved; `None` if nothing can be said.
    pub fn tunnel_proof(&self, connection: &Connection, end: u8) -> Option<TunnelProof> {
        if connection.version != 3 {
            let right = connection.end(end).secret_proved?;
            return Some(if right { TunnelProof::Proved } else { TunnelProof::WrongSecret });
        }
        let shows = |check| self.digests(connection, end, check).is_some();
        let bad = shows(DigestCheck::Wrong) || shows(DigestCheck::Damaged);
        match (shows(DigestCheck::Proved), shows(DigestCheck::Intact), bad) {
            (false, false, false) => None,
            (false, false, true) => shows(DigestCheck::Wrong).then_some(TunnelProof::WrongSecret),
            (_, _, true) => Some(TunnelProof::SomeWrong),
            (true, _, false) => Some(TunnelProof::Proved),
            (false, true, false) => Some(TunnelProof::Intact),
        }
    }
}
