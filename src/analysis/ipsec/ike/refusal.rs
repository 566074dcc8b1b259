//! Notifications that refuse something: which end sent them, and what they refuse (RFC 2408 section 3.14.1, RFC 7296
//! section 3.10.1).

use crate::analysis::meta::At;

use super::message::Captured;
use super::phase::Phase;

/// Different refusals of one IKE SA that are kept.
const MOST_REFUSALS: usize = 16;

/// IKEv2: the Diffie-Hellman group of the request is not the one that is wanted.
pub const INVALID_KE_PAYLOAD: u16 = 17;
/// An authentication failed: the same number in IKEv1 and IKEv2.
pub const AUTHENTICATION_FAILED: u16 = 24;

/// Refusals in IKE_AUTH that leave the IKE SA as it is, and make no child SA (RFC 7296 section 1.2): NO_PROPOSAL_CHOSEN,
/// SINGLE_PAIR_REQUIRED, NO_ADDITIONAL_SAS, INTERNAL_ADDRESS_FAILURE, FAILED_CP_REQUIRED, TS_UNACCEPTABLE.
const OF_THE_CHILD_SA: [u16; 6] = [14, 34, 35, 36, 37, 38];

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Notify message type.
    pub kind: u16,
    /// Which end sent it: 0 is the initiator of the IKE SA.
    pub from: usize,
    /// What it refuses: [`Phase::One`] the IKE SA, [`Phase::Authentication`] who the ends are, [`Phase::Two`] a child SA
    /// or the rekey of the IKE SA.
    pub phase: Phase,
    /// The first packet with it.
    pub first: At,
    /// The last packet with it.
    pub last: At,
    /// How often it was sent.
    pub count: u64,
}

/// Whether a notification is an error (RFC 2408 section 3.14.1: 1 to 8191; RFC 7296 section 3.10.1: below 16384).
pub fn refuses(version: u8, kind: u16) -> bool {
    let limit = if version == 1 { 8192 } else { 16384 };
    kind > 0 && kind < limit
}

/// What a refusal in this message refuses; `begun` is the highest phase that was begun so far.
fn refused(captured: &Captured<'_>, kind: u16, begun: Phase) -> Phase {
    let ike = captured.ike;
    match Phase::of(ike.version, ike.exchange) {
        Phase::Authentication if OF_THE_CHILD_SA.contains(&kind) => Phase::Two,
        // In IKEv1 a refusal is an exchange of its own (RFC 2409 section 5.7): it means what was begun last.
        Phase::Informational if ike.version == 1 => begun,
        phase => phase,
    }
}

/// Keeps what a message refuses.
pub(super) fn note(refusals: &mut Vec<Refusal>, captured: &Captured<'_>, begun: Phase) {
    let Captured { ike, from, at } = *captured;
    for kind in ike.notifies.iter().copied().filter(|kind| refuses(ike.version, *kind)) {
        let phase = refused(captured, kind, begun);
        let known = |one: &&mut Refusal| (one.kind, one.from, one.phase) == (kind, from, phase);
        if let Some(known) = refusals.iter_mut().find(known) {
            known.last = at;
            known.count = known.count.saturating_add(1);
        } else if refusals.len() < MOST_REFUSALS {
            refusals.push(Refusal { kind, from, phase, first: at, last: at, count: 1 });
        }
    }
}
