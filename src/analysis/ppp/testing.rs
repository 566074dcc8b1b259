//! Packets of PPP for tests, as the dissector hands them over.

use std::sync::Arc;

use crate::analysis::ppp::protocol::{CHAP, IPCP, LCP};
use crate::analysis::ppp::session::PppOfCall;
use crate::dissect::layers::{Ppp, PppBody, PppControl, PppOption, PppOptionValue};
use crate::ipsec::Secret;
use crate::util::{Printable, Timestamp};

/// The codes that tests use most.
pub(super) const REQUEST: u8 = 1;
pub(super) const ACK: u8 = 2;
pub(super) const NAK: u8 = 3;
pub(super) const REJECT: u8 = 4;

/// A packet of a control protocol.
pub(super) fn control(protocol: u16, code: u8, identifier: u8, body: PppBody) -> Ppp {
    let length = if let PppBody::Options(options) = &body {
        options.iter().map(|option| u16::from(option.length)).sum::<u16>() + 4
    } else {
        4
    };
    frame(protocol, Some(Box::new(PppControl { protocol, code, identifier, length, body })))
}

/// A frame of any protocol.
pub(super) fn frame(protocol: u16, control: Option<Box<PppControl>>) -> Ppp {
    Ppp {
        protocol,
        address_control: true,
        protocol_len: 2,
        multilink: false,
        payload: 40,
        control,
        inner: None,
    }
}

/// An option with a number.
pub(super) fn number(kind: u8, value: u64) -> PppOption {
    PppOption { kind, length: 6, value: PppOptionValue::Number(value) }
}

/// A Magic-Number.
pub(super) fn magic(value: u64) -> PppOption {
    number(5, value)
}

/// A demand for MS-CHAPv2.
pub(super) fn ms_chap() -> PppOption {
    PppOption { kind: 3, length: 5, value: PppOptionValue::Authentication(CHAP, Some(0x81)) }
}

/// A packet with options.
pub(super) fn options(protocol: u16, code: u8, identifier: u8, options: &[PppOption]) -> Ppp {
    control(protocol, code, identifier, PppBody::Options(options.to_vec()))
}

/// A session, packet by packet: one each 10 ms.
#[derive(Default)]
pub(super) struct Session {
    pub(super) call: PppOfCall,
    pub(super) packet: u64,
}

impl Session {
    pub(super) fn send(&mut self, from: u8, ppp: Ppp) -> &mut Self {
        self.packet += 1;
        let time = Timestamp(i64::try_from(self.packet).unwrap() * 10_000_000);
        self.call.push(&ppp, from.into(), self.packet, time);
        self
    }

    /// A packet of LCP with options.
    pub(super) fn lcp(&mut self, from: u8, code: u8, identifier: u8, list: &[PppOption]) -> &mut Self {
        self.send(from, options(LCP, code, identifier, list))
    }

    /// A packet of IPCP with options.
    pub(super) fn ipcp(&mut self, from: u8, code: u8, identifier: u8, list: &[PppOption]) -> &mut Self {
        self.send(from, options(IPCP, code, identifier, list))
    }

    /// A packet of CHAP.
    pub(super) fn chap(&mut self, from: u8, code: u8, identifier: u8) -> &mut Self {
        let body = match code {
            1 | 2 => PppBody::Chap {
                name: Printable::from_text(if code == 1 { "lns" } else { "alice" }),
                value: Arc::new(Secret::new(vec![0; if code == 1 { 16 } else { 49 }])),
            },
            _ => PppBody::Message(Printable::from_text("E=691 R=0")),
        };
        self.send(from, control(CHAP, code, identifier, body))
    }

    /// A user's packet.
    pub(super) fn data(&mut self, from: u8) -> &mut Self {
        self.send(from, frame(0x0021, None))
    }

    /// LCP opens: each end asks and acknowledges.
    pub(super) fn open(&mut self) -> &mut Self {
        let (first, second) = ([magic(1)], [magic(2), ms_chap()]);
        self.lcp(0, REQUEST, 1, &first).lcp(1, REQUEST, 1, &second);
        self.lcp(1, ACK, 1, &first).lcp(0, ACK, 1, &second)
    }
}
