//! L2TPv3 (RFC 3931): what differs from version 2 before the same state machines take it.

use crate::dissect::Learned;
use crate::dissect::avp_table::attribute;
use crate::dissect::layers::{DigestCheck, L2tp, L2tpV3, Layers, SessionId, TunnelId, Udp};
use crate::util::seq::Seq16;

use super::arrive;
use super::message::{number32, other};
use crate::analysis::data;
use crate::analysis::log::Observation;
use crate::analysis::meta::Meta;
use crate::analysis::tracker::Tracker;

/// Whether a packet wants to be dissected once more: control messages said how its data is laid out, and its dissection did
/// not know that; or its digest could not be checked by what was known then.
pub(in crate::analysis) fn wants_again(learned: &Learned, layers: &Layers, v3: &L2tpV3) -> bool {
    let knows_session = || {
        let (Some(session), Some(addresses)) = (v3.session, layers.addresses) else { return false };
        v3.carried.is_none_or(|carried| carried.inferred)
            && learned.session(addresses.destination, session).is_some()
    };
    v3.digest == Some(DigestCheck::Unseen) || knows_session()
}

/// Octets of the Default L2-Specific Sublayer, and of that for ATM (RFC 3931 section 4.6, RFC 4454 section 3).
const SUBLAYER: u8 = 4;

/// Takes a packet of L2TPv3. Its control connections and calls are followed by the same engine: the Control Connection ID
/// is the tunnel ID, Local and Remote Session ID stand in AVPs, and data names its session alone.
pub(in crate::analysis) fn packet(tracker: &mut Tracker, layers: &Layers, v3: &L2tpV3, meta: &Meta) {
    let (Some(addresses), Some([source, destination])) = (layers.addresses, layers.ends()) else {
        return;
    };
    let udp = layers.udp.unwrap_or(Udp { source, destination, checksum: 0 });
    let protected = layers.esp.is_some();
    let header = L2tp {
        flags: v3.flags | 3,
        tunnel_id: TunnelId(v3.connection.unwrap_or(0)),
        ns: v3.ns,
        nr: v3.nr,
        payload: v3.payload,
        ..L2tp::default()
    };
    if let Some(control) = &v3.control {
        tracker.learned.learn_session(addresses, control);
        let remote = number32(control, attribute::REMOTE_SESSION_ID).unwrap_or(0);
        let header = L2tp { session_id: SessionId(remote), ..header };
        tracker.learned.learn_nonce([udp.source, udp.destination], header.tunnel_id.0, control);
        arrive::control(tracker, meta, &udp, &header, control, protected);
        if let Some(digest) = v3.digest
            && let (Some(number), Some(end)) = (tracker.context.connection, tracker.context.from)
            && let Some(id) = tracker.context.connection_id
        {
            let _ = number;
            tracker.of_connection(id, end, Observation::Digest(digest), meta.at(), 1);
        }
    } else if let Some(session) = v3.session {
        let session_id = SessionId(session);
        // The sequence number of a sublayer has 24 bits; 16 of them tell loss as well.
        let sequence = v3.carried.and_then(|carried| carried.sequence);
        let ns = sequence.map(|number| Seq16((number & 0xffff) as u16));
        let header = L2tp { session_id, ns, ..header };
        let known = tracker.identity.routes.addressed(addresses.destination, session_id);
        let owner = known
            .map(|(id, end, _)| (id, other(end)))
            .or_else(|| tracker.identity.newest_between(&tracker.found, &udp, 3, |_, _| true))
            .or_else(|| Some((tracker.open(meta, &udp, 3, None)?, 0)));
        if let Some(owner) = owner {
            data::carry(tracker, meta, owner, &udp, &header, None, protected);
            let call = tracker.context.call.and_then(|call| tracker.found.calls.get_mut(call));
            let data = call.and_then(|call| call.data.get_mut(usize::from(owner.1)));
            if let (Some(data), Some(carried)) = (data, v3.carried) {
                data.sublayer = Some(if carried.sublayer == 0 { 0 } else { SUBLAYER });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::limits::Limits;
    use crate::analysis::{Foreseen, Meta, Tracker};
    use crate::dissect::layers::{
        Addresses, Avp, AvpValue, Carried, Control, L2tpV3, Layers, MessageType, Stop,
    };
    use crate::util::{LinkType, Timestamp};

    fn avp(attribute: u16, value: AvpValue) -> Avp {
        Avp { vendor: 0, attribute, mandatory: true, hidden: false, reserved: 0, length: 10, value }
    }

    fn layers(from: u8, v3: L2tpV3) -> Layers {
        let address = |last| std::net::Ipv4Addr::new(192, 0, 2, last).into();
        let addresses = Addresses { source: address(from), destination: address(3 - from) };
        let stop = Stop::NotOurs;
        Layers { addresses: Some(addresses), v3: Some(Box::new(v3)), stop, ..Layers::default() }
    }

    /// Data that came before its control messages were known in the batch is dissected once more, and only that.
    #[test]
    fn data_is_wanted_again_once_its_session_is_known() {
        let mut tracker = Tracker::new(Limits::default());
        let data = L2tpV3 { session: Some(7), ..L2tpV3::default() };
        assert!(!tracker.wants_again(&layers(1, data.clone())));
        let control = Control {
            message: Some(MessageType::ICRQ),
            zlb: false,
            avps: vec![avp(63, AvpValue::Number(7)), avp(68, AvpValue::Number(5))],
            body: 0,
            cut: false,
            fault: None,
        };
        let message = L2tpV3 { control: Some(Box::new(control)), ..L2tpV3::default() };
        let (captured, original) = (64, 64);
        let meta = Meta { packet: 1, time: Timestamp(0), link: LinkType::RAW, captured, original };
        tracker.push(&meta, &layers(2, message), Foreseen::default());
        assert!(tracker.wants_again(&layers(1, data.clone())), "the sender of the message receives it");
        assert!(!tracker.wants_again(&layers(2, data.clone())), "the other end calls nothing so");
        let carried =
            |inferred| Some(Carried { pseudowire: 5, cookie: 0, sublayer: 0, sequence: None, inferred });
        assert!(tracker.wants_again(&layers(1, L2tpV3 { carried: carried(true), ..data.clone() })));
        assert!(!tracker.wants_again(&layers(1, L2tpV3 { carried: carried(false), ..data })));
        assert!(!tracker.wants_again(&Layers::default()));
    }
}
