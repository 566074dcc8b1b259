//! Whether the Message Digest of a control message of L2TPv3 holds (RFC 3931 sections 4.3 and 5.4.1).

use crate::field::{Cursor, Kind, Sink};
use crate::fields;
use crate::ipsec::{DigestHash, DigestPlace, Digested};

use super::Learned;
use super::avp_table::{attribute, vendor};
use super::layers::{Avp, AvpValue, Control, DigestCheck, Endpoint};
use super::nonces::Nonce;

fields! {
    section "RFC 3931 4.3";
    CORRECT = "l2tp.correct_digest", "Message Digest that holds", Kind::Flag;
    INCORRECT = "l2tp.incorrect_digest", "Message Digest that does not hold", Kind::Flag;
}

/// Digests of one message that count.
const MOST: usize = 2;
/// Length and flags of an AVP, Vendor ID and Attribute Type.
const AVP_HEADER: usize = 6;
/// The Digest Type.
const TYPE: usize = 1;

/// A control message, and from whom to whom it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter<'a> {
    /// From the first octet of its control header to the end that its Length gives.
    pub(super) octets: &'a [u8],
    /// Where its AVPs begin.
    pub(super) body: usize,
    /// Who sent it, and who is to have it.
    pub(super) ends: [Endpoint; 2],
    /// The Control Connection ID of its header.
    pub(super) connection: u32,
}

/// Says whether the digests of a message hold; `None` if it has none.
pub(super) fn check<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    letter: &Letter<'_>,
    control: &Control,
    learned: &Learned,
) -> Option<DigestCheck> {
    let mut digests = Vec::new();
    let mut at = letter.body;
    for avp in &control.avps {
        if let Some((first, len)) = digest(avp).filter(|_| digests.len() < MOST) {
            let start = at.saturating_add(AVP_HEADER.saturating_add(TYPE));
            digests.push(DigestPlace { start, len, hash: first.and_then(|kind| hash(kind, len)) });
        }
        at = at.saturating_add(avp.length.into());
    }
    let found = match digests.as_slice() {
        [] => return None,
        _ if control.cut => DigestCheck::Cut,
        digests => judge(letter, control, learned, digests),
    };
    match found {
        DigestCheck::Proved | DigestCheck::Intact => c.derived(&CORRECT, 1),
        DigestCheck::Wrong | DigestCheck::Damaged => c.derived(&INCORRECT, 1),
        _ => {}
    }
    Some(found)
}

/// The Digest Type of a Message Digest AVP, and how many octets follow it. It must not be hidden.
fn digest(avp: &Avp) -> Option<(Option<u8>, usize)> {
    match &avp.value {
        AvpValue::Octets(octets)
            if (avp.vendor, avp.attribute) == (vendor::IETF, attribute::MESSAGE_DIGEST) && !avp.hidden =>
        {
            Some((octets.first().copied(), octets.len().saturating_sub(TYPE)))
        }
        _ => None,
    }
}

/// The types are 0 and 1 where they are defined, and 1 and 2 where the RFC gives the length of the AVP: the length of the
/// digest tells what is meant.
fn hash(kind: u8, len: usize) -> Option<DigestHash> {
    match (kind, len) {
        (0 | 1, 16) => Some(DigestHash::Md5),
        (1 | 2, 20) => Some(DigestHash::Sha1),
        _ => None,
    }
}

fn judge(letter: &Letter<'_>, control: &Control, learned: &Learned, digests: &[DigestPlace]) -> DigestCheck {
    let known = learned.nonces(letter.ends, letter.connection, control);
    let digested = Digested { message: letter.octets, digests, nonces: known.octets() };
    let addresses = letter.ends.map(|end| end.address);
    let authentic = learned.secrets().authenticates(addresses, &digested);
    if authentic == Some(true) {
        return DigestCheck::Proved;
    }
    let authenticates = known.both.iter().any(|nonce| matches!(nonce, Nonce::Sent(_)));
    if !authenticates && digested.is_intact() {
        return DigestCheck::Intact;
    }
    let unknown = digests.iter().any(|place| place.hash.is_none());
    let unseen = !known.sure || known.both.iter().any(|nonce| matches!(nonce, Nonce::Unseen));
    match authentic {
        _ if unknown => DigestCheck::UnknownType,
        None if authenticates => DigestCheck::NoSecret,
        _ if unseen => DigestCheck::Unseen,
        _ if authenticates => DigestCheck::Wrong,
        _ => DigestCheck::Damaged,
    }
}
