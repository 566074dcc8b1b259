//! The causes that a verdict may name: each is declared once, in the file of its stage.

mod authentication;
mod call;
mod child_sa;
mod control_connection;
mod end;
mod esp;
mod general;
mod ike;
mod keepalive;
mod lcp;
mod network;
mod path;
mod traffic;

use super::stage::Stage;

/// What stops an attempt to connect, or troubles it.
#[derive(Debug)]
pub struct Cause {
    /// Its stable id, such as `no-sccrp`.
    pub id: &'static str,
    /// Where it stops the attempt.
    pub stage: Stage,
    /// What it means, how it is found, its usual causes.
    pub doc: &'static str,
    /// It is found by what is not there: packets that were left out may have it.
    pub absence: bool,
}

/// Declares the causes of one stage. The doc comment of a cause is what `--explain` prints; `absent` marks those that are
/// found by what is not there.
macro_rules! declare {
    ($stage:ident: $($(#[doc = $doc:literal])+ $name:ident = $id:literal $(, $absent:ident)?;)+) => {
        $(
            $(#[doc = $doc])+
            pub(in crate::rules::diagnosis) static $name: $crate::rules::diagnosis::Cause = $crate::rules::diagnosis::Cause {
                id: $id,
                stage: $crate::rules::diagnosis::Stage::$stage,
                doc: concat!($($doc, "\n"),+),
                absence: declare!(@ $($absent)?),
            };
        )+
        pub(super) static CAUSES: &[&$crate::rules::diagnosis::Cause] = &[$(&$name),+];
    };
    (@ absent) => { true };
    (@) => { false };
}
pub(super) use declare;

pub(super) use authentication::{
    ACCOUNT_REFUSED, AUTH_NO_ANSWER, AUTH_NOT_GIVEN, AUTH_PROTOCOL_DISAGREED, BOTH_SIDES_AUTHENTICATE,
    MSCHAPV2_FAILURE, PPP_AUTH_FAILED, SUCCESS_MALFORMED,
};
pub(super) use call::{CALL_NO_REPLY, CALL_NOT_CONNECTED, CALL_REFUSED, HIDDEN_AVP_FAILED};
pub(super) use child_sa::{PHASE_TWO_FAILED, SELECTOR_REFUSED};
pub(super) use control_connection::{
    ACKS_DELAYED, ANSWER_FROM_OTHER_ADDRESS, AVP_REFUSED, CONTROL_LOSS_RECOVERED, MESSAGE_NOT_UNDERSTOOD,
    TUNNEL_AUTH_FAILED, TUNNEL_REFUSED,
};
pub(super) use end::{CLEARED_WITH_ERROR, CLOSED_BY_LNS, TEARDOWN_UNACKNOWLEDGED};
pub(super) use esp::{
    DPD_KILL, ESP_BLOCKED, ESP_REPLAY_DROPS, ESP_STOPPED, KEYS_DIFFER, PATH_DUPLICATES, PLAINTEXT_LEAK,
    REKEY_FAILURE, STALE_SA, TWO_CLIENTS_ONE_NAT,
};
pub(super) use general::{CAPTURE_TRUNCATED, HEALTHY, UNDETERMINED};
pub(super) use ike::{
    ID_MISMATCH, IKE_FRAGMENTS_LOST, IKE_NOT_ESTABLISHED, IKE_SA_DELETED, NATT_PORT_BLOCKED,
    NO_PROPOSAL_CHOSEN, PSK_MISMATCH, XAUTH_FAILED,
};
pub(super) use keepalive::{
    HELLO_TIMEOUT, LCP_ECHO_FAILURE, NAT_MAPPING_EXPIRED, OUTAGE_RECOVERED, PEER_DAEMON_DIED, PEER_RESTARTED,
    RETRANSMISSION_STORM, STALE_TUNNEL,
};
pub(super) use lcp::{KERNEL_DATA_PATH, LCP_LOOPBACK, LCP_NEVER_CONVERGES, LCP_NOT_OPENED, PPP_NOT_STARTED};
pub(super) use network::{IPCP_TROUBLE, MPPE_REFUSED, MULTILINK_MISMATCH, PPP_FRAMING_MISMATCH};
pub(super) use path::{IKE_NO_ANSWER, LNS_PORT_UNREACHABLE, NO_SCCRP};
pub(super) use traffic::{
    COMPRESSION_DESYNC, DATA_LOSS, DATA_ONE_WAY, DNS_NO_ANSWER, INNER_ICMP_REFUSED, INNER_TCP_BLOCKED,
    LAYOUT_MISMATCH, LNS_NOT_FORWARDING, MTU_BLACK_HOLE, OUTER_FRAGMENTATION, ROUTE_LOOP,
};

static ALL: &[&[&Cause]] = &[
    path::CAUSES,
    ike::CAUSES,
    child_sa::CAUSES,
    esp::CAUSES,
    control_connection::CAUSES,
    call::CAUSES,
    lcp::CAUSES,
    authentication::CAUSES,
    network::CAUSES,
    traffic::CAUSES,
    keepalive::CAUSES,
    end::CAUSES,
    general::CAUSES,
];

/// All causes, from the lowest stage up.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    ALL.iter().flat_map(|causes| causes.iter().copied())
}

/// Whether a cause is found by what is not there.
pub(super) fn is_absence(id: &str) -> bool {
    all().any(|cause| cause.id == id && cause.absence)
}
