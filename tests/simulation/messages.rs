//! Control messages with the AVPs that RFC 2661 section 6 and RFC 3931 section 6 ask for.

use super::wire::Version;
use crate::common::{CDN, HELLO, ICCN, ICRP, ICRQ, OCCN, OCRP, OCRQ, SCCCN, SCCRP, SCCRQ, STOPCCN};

pub const WEN: u16 = 15;
pub const SLI: u16 = 16;
/// Explicit Acknowledgement (RFC 3931 section 6.15).
pub const ACK: u16 = 20;
/// An acknowledgement without any AVP.
pub const ZLB: u16 = 0;
/// What a captured data message is listed as.
pub const DATA: u16 = 999;

/// One AVP of vendor 0, not hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avp {
    pub attribute: u16,
    pub mandatory: bool,
    pub value: Vec<u8>,
}

pub fn must(attribute: u16, value: impl Into<Vec<u8>>) -> Avp {
    Avp { attribute, mandatory: true, value: value.into() }
}

pub fn may(attribute: u16, value: impl Into<Vec<u8>>) -> Avp {
    Avp { mandatory: false, ..must(attribute, value) }
}

/// A message with what its sending does to its sender.
#[derive(Debug, Clone)]
pub struct Message {
    pub kind: u16,
    pub avps: Vec<Avp>,
    /// Which call it is about.
    pub call: Option<usize>,
    /// The state that its sender enters when it is sent for the first time (RFC 2661 sections 7.2, 7.4 and 7.5).
    pub enters: Option<&'static str>,
}

impl Message {
    pub fn new(kind: u16, avps: Vec<Avp>) -> Self {
        Self { kind, avps, call: None, enters: None }
    }

    pub fn about(self, call: usize) -> Self {
        Self { call: Some(call), ..self }
    }

    pub fn enters(self, state: &'static str) -> Self {
        Self { enters: Some(state), ..self }
    }

    pub fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.kind == ZLB {
            return out;
        }
        for avp in std::iter::once(&must(0, self.kind.to_be_bytes())).chain(&self.avps) {
            let flags = if avp.mandatory { 0x8000 } else { 0 };
            out.extend((flags | (6 + avp.value.len() as u16)).to_be_bytes());
            out.extend([0, 0]);
            out.extend(avp.attribute.to_be_bytes());
            out.extend(&avp.value);
        }
        out
    }
}

/// What an end says of itself when a control connection is set up.
#[derive(Debug, Clone)]
pub struct Introduction {
    pub name: &'static str,
    pub id: u32,
    pub window: Option<u16>,
    /// Bearer Capabilities: only who names them can be asked for outgoing calls (section 6.9).
    pub bearer: bool,
    pub tie: Option<u64>,
}

/// An SCCRQ or SCCRP.
pub fn introduce(version: Version, kind: u16, who: &Introduction) -> Message {
    let mut avps = Vec::new();
    if version.is_3() {
        avps.push(must(7, who.name));
        avps.push(must(60, who.id.to_be_bytes()));
        avps.push(must(61, who.id.to_be_bytes()));
        avps.push(must(62, [0, 5]));
    } else {
        avps.push(must(2, [1, 0]));
        avps.push(must(7, who.name));
        avps.push(must(3, [0, 0, 0, 3]));
        avps.push(must(9, (who.id as u16).to_be_bytes()));
        avps.extend(who.bearer.then(|| must(4, [0, 0, 0, 3])));
    }
    avps.extend(who.window.map(|window| must(10, window.to_be_bytes())));
    if kind == SCCRQ {
        avps.extend(who.tie.map(|tie| may(5, tie.to_be_bytes())));
    }
    Message::new(kind, avps)
}

pub fn connected() -> Message {
    Message::new(SCCCN, Vec::new())
}

pub fn hello() -> Message {
    Message::new(HELLO, Vec::new())
}

/// A result code, with the error code and text that belong to it.
pub fn result(code: u16) -> Vec<u8> {
    let mut out = code.to_be_bytes().to_vec();
    if code == 2 {
        out.extend([0, 4]);
        out.extend(b"no resources");
    }
    out
}

pub fn stop(version: Version, id: u32, code: u16) -> Message {
    let id = if version.is_3() { must(61, id.to_be_bytes()) } else { must(9, (id as u16).to_be_bytes()) };
    Message::new(STOPCCN, vec![id, must(1, result(code))])
}

/// A message about a call: what only its kind has, and the session IDs that each version wants in it.
pub fn of_call(
    version: Version,
    kind: u16,
    ids: [u32; 2],
    serial: u32,
    code: u16,
    required: bool,
) -> Message {
    let [own, peer] = ids;
    let mut avps = Vec::new();
    if version.is_3() {
        if kind == CDN {
            avps.push(must(1, result(code)));
        }
        avps.push(must(63, own.to_be_bytes()));
        avps.push(must(64, peer.to_be_bytes()));
        match kind {
            ICRQ => {
                avps.push(must(15, serial.to_be_bytes()));
                avps.push(must(68, [0, 5]));
                avps.push(must(66, *b"circuit"));
                avps.push(must(71, [0, 3]));
            }
            ICRP => avps.push(must(71, [0, 3])),
            _ => {}
        }
        return Message::new(kind, avps);
    }
    let assigned = must(14, (own as u16).to_be_bytes());
    match kind {
        ICRQ | OCRQ => {
            avps.push(assigned);
            avps.push(must(15, serial.to_be_bytes()));
            if kind == OCRQ {
                avps.push(must(16, 9600u32.to_be_bytes()));
                avps.push(must(17, 64_000u32.to_be_bytes()));
                avps.push(must(18, [0, 0, 0, 1]));
                avps.push(must(19, [0, 0, 0, 1]));
                avps.push(must(21, *b"5551234"));
            }
        }
        ICRP | OCRP => avps.push(assigned),
        CDN => {
            avps.push(must(1, result(code)));
            avps.push(assigned);
        }
        ICCN | OCCN => {
            avps.push(must(24, 64_000u32.to_be_bytes()));
            avps.push(must(19, [0, 0, 0, 1]));
            avps.extend(required.then(|| must(39, [])));
        }
        WEN => avps.push(must(34, [0; 26])),
        SLI => avps.push(must(35, [0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        _ => {}
    }
    Message::new(kind, avps)
}

pub fn name(kind: u16) -> &'static str {
    match kind {
        SCCRQ => "SCCRQ",
        SCCRP => "SCCRP",
        SCCCN => "SCCCN",
        STOPCCN => "StopCCN",
        HELLO => "Hello",
        ICRQ => "ICRQ",
        ICRP => "ICRP",
        ICCN => "ICCN",
        OCRQ => "OCRQ",
        OCRP => "OCRP",
        OCCN => "OCCN",
        CDN => "CDN",
        WEN => "WEN",
        SLI => "SLI",
        ACK => "ACK",
        ZLB => "ZLB",
        _ => "data",
    }
}
