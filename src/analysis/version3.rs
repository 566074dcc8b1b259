//! L2TPv3: its data is counted and its control messages teach how data is laid out. Its state machines (RFC 3931
//! section 7) are not followed.

use crate::dissect::layers::{L2tpV3, Layers};

use super::Tracker;

impl Tracker {
    /// Whether control messages said how this data of L2TPv3 is laid out, and its dissection did not know that.
    pub(super) fn knows_session(&self, layers: &Layers, v3: &L2tpV3) -> bool {
        let (Some(session), Some(addresses)) = (v3.session, layers.addresses) else { return false };
        v3.carried.is_none_or(|carried| carried.inferred)
            && self.learned.session(addresses.destination, session).is_some()
    }

    /// Remembers what a control message of L2TPv3 says of later packets. Its state machines are not followed.
    pub(super) fn learn_v3(&mut self, layers: &Layers, v3: &L2tpV3) {
        let (Some(control), Some(addresses)) = (&v3.control, layers.addresses) else { return };
        self.learned.learn_session(addresses, control);
        if let Some(udp) = &layers.udp {
            self.learned.learn(udp);
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
