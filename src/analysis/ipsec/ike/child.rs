//! Child SAs: what was agreed on, which one took the place of which, and which were deleted (RFC 2409 section 5.5, RFC 7296
//! sections 1.3 and 1.4.1).

use crate::analysis::meta::At;
use crate::dissect::ike::contents::{ESP_PROTOCOL, Selector};
use crate::ipsec::Spi;

use super::message::Captured;

/// Child SAs of one IKE SA that are kept.
const MOST_CHILDREN: usize = 64;
/// SPIs deleted by one IKE SA that are kept.
const MOST_DELETED: usize = 128;

/// A child SA.
#[derive(Debug, Clone)]
pub struct Child {
    /// The packet that proposed it, or, once it was answered, the one that completed it.
    pub made: At,
    /// The SPIs with which initiator and responder of the IKE SA receive.
    pub spis: [Option<Spi>; 2],
    /// The traffic it is to protect: as the initiator of the exchange names it first, then the responder.
    pub selectors: Vec<Selector>,
    /// Its algorithms, as chosen.
    pub suite: String,
    /// Encapsulation Mode (IKEv1).
    pub encapsulation: Option<u64>,
    /// Lifetime in seconds (IKEv1), as chosen. In IKEv2 none is agreed on (RFC 7296 section 2.8).
    pub lifetime: Option<u64>,
    /// Lifetime in seconds (IKEv1), as initiator and responder of the IKE SA wrote it.
    pub lifetimes: [Option<u64>; 2],
    /// The place of the child SA that it replaced.
    pub replaces: Option<usize>,
    /// The place of the child SA that replaced it.
    pub replaced_by: Option<usize>,
    /// When each end deleted the SA with which it receives.
    pub deleted: [Option<At>; 2],
    /// Which end began the exchange.
    pub from: usize,
    message_id: u32,
    /// The SPI of the SA that it is to replace, with which the end that began receives (IKEv2).
    rekeys: Option<Spi>,
}

/// SAs that one message deleted.
#[derive(Debug, Clone)]
pub struct Deletion {
    /// The packet and its time.
    pub at: At,
    /// Which end, whose own SPIs these are.
    pub by: usize,
    /// The SPI.
    pub spi: Spi,
}

impl Child {
    fn new(captured: &Captured<'_>) -> Self {
        Self {
            made: captured.at,
            spis: [None, None],
            selectors: Vec::new(),
            suite: String::new(),
            encapsulation: None,
            lifetime: None,
            lifetimes: [None, None],
            replaces: None,
            replaced_by: None,
            deleted: [None, None],
            from: captured.begun_by(),
            message_id: captured.ike.message_id,
            rekeys: None,
        }
    }

    /// Both ends named their SPI.
    pub fn is_complete(&self) -> bool {
        self.spis.iter().all(Option::is_some)
    }

    /// Whether both protect the same traffic: either end may have begun.
    fn is_for_the_same(&self, other: &Self) -> bool {
        if self.from == other.from {
            return self.selectors == other.selectors;
        }
        self.selectors.iter().eq(other.selectors.iter().rev())
    }
}

/// Takes what a message says of a child SA.
pub(super) fn note(children: &mut Vec<Child>, captured: &Captured<'_>) {
    let Captured { ike, from, at } = *captured;
    let contents = &ike.contents;
    let Some(offer) = contents.offers.iter().find(|offer| offer.protocol == ESP_PROTOCOL) else { return };
    let known = |child: &Child| {
        child.message_id == ike.message_id && (ike.version == 1 || child.from == captured.begun_by())
    };
    let place = match children.iter().position(known) {
        Some(place) => place,
        None if children.len() >= MOST_CHILDREN => return,
        None => {
            children.push(Child::new(captured));
            children.len().saturating_sub(1)
        }
    };
    let Some(child) = children.get_mut(place) else { return };
    let was_complete = child.is_complete();
    if let Some(own) = child.spis.get_mut(from) {
        *own = own.or(offer.spi);
    }
    child.made = at;
    if child.selectors.is_empty() || !contents.selectors.is_empty() {
        // The answer may narrow what was asked for.
        child.selectors.clone_from(&contents.selectors);
    }
    child.suite = offer.words().into_iter().next().unwrap_or_default();
    let transform = offer.transforms.first();
    child.encapsulation = transform.and_then(|transform| transform.encapsulation());
    child.lifetime = transform.and_then(|transform| transform.lifetime(ESP_PROTOCOL));
    if let Some(own) = child.lifetimes.get_mut(from) {
        *own = child.lifetime;
    }
    child.rekeys = child.rekeys.or(contents.rekeys);
    if child.is_complete() && !was_complete {
        replace(children, place, ike.version);
    }
}

/// Ties a child SA to the one that it replaces: of IKEv2 the one it names (RFC 7296 section 1.3.3), of IKEv1 the newest
/// that protects the same traffic.
fn replace(children: &mut [Child], place: usize, version: u8) {
    let Some((new, older)) = children.get(..=place).and_then(<[Child]>::split_last) else { return };
    let old = older.iter().rposition(|old| {
        if version == 2 {
            return new.rekeys.is_some() && old.spis.get(new.from).copied().flatten() == new.rekeys;
        }
        let lives = old.deleted == [None, None] && old.replaced_by.is_none();
        lives && old.is_complete() && new.is_for_the_same(old)
    });
    let Some(old) = old else { return };
    if let Some(child) = children.get_mut(old) {
        child.replaced_by = Some(place);
    }
    if let Some(child) = children.get_mut(place) {
        child.replaces = Some(old);
    }
}

/// Takes what a message deletes of child SAs.
pub(super) fn delete(children: &mut [Child], deleted: &mut Vec<Deletion>, captured: &Captured<'_>) {
    let Captured { ike, from, at } = *captured;
    let of_esp = ike.contents.deletes.iter().filter(|deletes| deletes.protocol == ESP_PROTOCOL);
    for spi in of_esp.flat_map(|deletes| &deletes.spis) {
        if deleted.len() < MOST_DELETED {
            deleted.push(Deletion { at, by: from, spi: *spi });
        }
        let own = |child: &&mut Child| child.spis.get(from).copied().flatten() == Some(*spi);
        if let Some(place) = children.iter_mut().find(own).and_then(|child| child.deleted.get_mut(from)) {
            place.get_or_insert(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ipsec::ike::testing::{
        CREATE_CHILD, INFORMATIONAL, QUICK, at, deletes, offers, sa, v1, v2,
    };
    use crate::dissect::layers::Ike;

    const UDP_1701: Selector = Selector { protocol: 17, ports: (1701, 1701) };
    const UDP_ANY: Selector = Selector { protocol: 17, ports: (0, u16::MAX) };

    /// Messages 1 and 2 of a quick mode that `from` begins: the SPIs of initiator and responder of the IKE SA, and what
    /// they protect.
    fn quick(from: usize, id: u32, spis: [u32; 2], selectors: [Selector; 2]) -> [(usize, Ike); 2] {
        [from, 1 - from].map(|end| {
            let mut ike = offers(v1(QUICK, id, u64::from(id) + end as u64), spis[end]);
            ike.contents.selectors = selectors.to_vec();
            (end, ike)
        })
    }

    #[test]
    fn a_rekey_replaces_what_protects_the_same() {
        let first = quick(0, 1, [0x10, 0x20], [UDP_ANY, UDP_1701]);
        let other = quick(0, 2, [0x11, 0x21], [UDP_1701, UDP_1701]);
        // The other end begins, and so names its own selector first.
        let rekey = quick(1, 3, [0x12, 0x22], [UDP_1701, UDP_ANY]);
        let sa = sa(&[first, other, rekey].concat());
        let ties: Vec<_> = sa.children.iter().map(|child| (child.replaces, child.replaced_by)).collect();
        assert_eq!(ties, [(None, Some(2)), (None, None), (Some(0), None)]);
        assert_eq!(sa.children[0].lifetimes, [Some(3600), Some(3600)]);
        assert_eq!(sa.children[0].made, at(2));
    }

    #[test]
    fn version_2_names_what_it_replaces() {
        let child = |from: usize, spis: [u32; 2], rekeys: Option<u32>| {
            [from, 1 - from].map(|end| {
                let mut ike = offers(v2(end, end != from, CREATE_CHILD, 4, u64::from(spis[end])), spis[end]);
                ike.contents.rekeys = rekeys.map(Spi).filter(|_| end == from);
                (end, ike)
            })
        };
        // Both ends with the same Message ID.
        let messages = [child(0, [0x10, 0x20], None), child(1, [0x11, 0x21], Some(0x20))].concat();
        let sa = sa(&messages);
        assert_eq!(sa.children.len(), 2);
        assert_eq!((sa.children[1].replaces, sa.children[0].replaced_by), (Some(0), Some(1)));
        // Without REKEY_SA it is one more.
        let more = [child(0, [0x10, 0x20], None), child(1, [0x11, 0x21], None)].concat();
        assert_eq!(super::super::testing::sa(&more).children[1].replaces, None);
    }

    #[test]
    fn deleted_and_made_again_is_no_rekey() {
        let mut messages = quick(0, 1, [0x10, 0x20], [UDP_1701, UDP_1701]).to_vec();
        messages.push((1, deletes(v1(INFORMATIONAL, 9, 9), ESP_PROTOCOL, &[0x20])));
        messages.extend(quick(0, 2, [0x11, 0x21], [UDP_1701, UDP_1701]));
        let sa = sa(&messages);
        assert_eq!(sa.children[0].deleted, [None, Some(at(3))]);
        assert_eq!(sa.children[1].replaces, None);
        assert_eq!(sa.deleted.iter().map(|one| (one.by, one.spi)).collect::<Vec<_>>(), [(1, Spi(0x20))]);
    }

    #[test]
    fn a_proposal_without_an_answer_is_not_complete() {
        let [ask, _] = quick(0, 1, [0x10, 0x20], [UDP_1701, UDP_1701]);
        let sa = sa(&[ask.clone(), ask]);
        assert!(!sa.children[0].is_complete());
        assert_eq!(sa.children[0].spis, [Some(Spi(0x10)), None]);
    }
}
