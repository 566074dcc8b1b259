//! Packets of ESP, IKE and UDP between two hosts, built octet by octet.

use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::ipsec::{Sad, keys};
use l2tp_inspect::rules::Profile;
use l2tp_inspect::util::Printable;

use super::{Judged, judge_frames};

pub const A: [u8; 4] = [192, 0, 2, 10];

pub const B: [u8; 4] = [198, 51, 100, 1];

/// Packets between two hosts, without a key unless one is given.
#[derive(Default)]
pub struct Wire {
    pub frames: Vec<(i64, Vec<u8>)>,
    pub now: i64,
    pub keys: String,
}

impl Wire {
    pub fn wait(&mut self, millis: i64) -> &mut Self {
        self.now += millis;
        self
    }

    pub fn ip(&mut self, from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) -> &mut Self {
        let mut out = vec![0x45, 0];
        out.extend((20 + payload.len() as u16).to_be_bytes());
        out.extend((self.frames.len() as u16).to_be_bytes());
        out.extend([0, 0, 64, protocol, 0, 0]);
        out.extend(from);
        out.extend(to);
        out.extend(payload);
        self.frames.push((self.now, out));
        self.now += 10;
        self
    }

    pub fn udp(&mut self, from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> &mut Self {
        self.ip(from.0, to.0, 17, &udp(from.1, to.1, payload))
    }

    /// ESP of sealed octets.
    pub fn esp(&mut self, from: [u8; 4], to: [u8; 4], spi: u32, sequence: u32) -> &mut Self {
        let payload = esp(spi, sequence, &sequence.to_be_bytes().repeat(12));
        self.ip(from, to, 50, &payload)
    }

    pub fn natt(&mut self, from: ([u8; 4], u16), to: ([u8; 4], u16), spi: u32, sequence: u32) -> &mut Self {
        let payload = esp(spi, sequence, &sequence.to_be_bytes().repeat(12));
        self.udp(from, to, &payload)
    }

    /// NULL encryption without an ICV: what stands in it can be chosen.
    pub fn null(
        &mut self,
        spi: u32,
        sequence: u32,
        next_header: u8,
        inside: &[u8],
        padding: &[u8],
    ) -> &mut Self {
        let trailer = [padding, &[padding.len() as u8, next_header]].concat();
        self.ip(A, B, 50, &esp(spi, sequence, &[inside, &trailer].concat()))
    }

    pub fn null_keys(&mut self, spi: u32) -> &mut Self {
        self.keys += &format!(
            "\"IPv4\",\"192.0.2.10\",\"198.51.100.1\",\"{spi:#010x}\",\"NULL\",\"\",\"NULL\",\"\"\n"
        );
        self
    }

    pub fn ike(&mut self, from: usize, message: &[u8]) -> &mut Self {
        let ends = [(A, 500), (B, 500)];
        self.udp(ends[from], ends[1 - from], message)
    }

    pub fn judge(&self) -> Judged {
        let sad = if self.keys.is_empty() {
            Sad::default()
        } else {
            Sad::build([keys::parse(&Printable::from_text("keys"), self.keys.as_bytes()).unwrap()]).unwrap()
        };
        judge_frames(&self.frames, &sad, Limits::default(), None, Profile::Interop)
    }
}

pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    out.extend((8 + payload.len() as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

pub fn esp(spi: u32, sequence: u32, payload: &[u8]) -> Vec<u8> {
    [&spi.to_be_bytes(), &sequence.to_be_bytes(), payload].concat()
}

/// An IKE message with these payloads: type and body.
pub fn ike(
    version: u8,
    spis: (u64, u64),
    exchange: u8,
    flags: u8,
    id: u32,
    payloads: &[(u8, Vec<u8>)],
) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, (_, octets)) in payloads.iter().enumerate() {
        let next = payloads.get(at + 1).map_or(0, |(kind, _)| *kind);
        body.extend([next, 0]);
        body.extend((4 + octets.len() as u16).to_be_bytes());
        body.extend(octets);
    }
    let first = payloads.first().map_or(0, |(kind, _)| *kind);
    let mut out = [spis.0.to_be_bytes(), spis.1.to_be_bytes()].concat();
    out.extend([first, version << 4, exchange, flags]);
    out.extend(id.to_be_bytes());
    out.extend((28 + body.len() as u32).to_be_bytes());
    out.extend(body);
    out
}

pub const MAIN: u8 = 2;

pub const QUICK: u8 = 32;

/// The Security Association payload of main mode with one transform: 3DES, SHA, this group.
pub fn phase_1(group: u8) -> (u8, Vec<u8>) {
    let attributes = [0x80, 1, 0, 5, 0x80, 2, 0, 2, 0x80, 4, 0, group, 0x80, 3, 0, 1];
    let transform = [&[0, 0, 0, 8 + attributes.len() as u8, 1, 1, 0, 0][..], &attributes].concat();
    let proposal = [&[0, 0, 0, 8 + transform.len() as u8, 1, 1, 0, 1][..], &transform].concat();
    (1, [&[0, 0, 0, 1, 0, 0, 0, 1][..], &proposal].concat())
}

pub fn refusal(kind: u16) -> (u8, Vec<u8>) {
    (11, [&[0, 0, 0, 1, 1, 0][..], &kind.to_be_bytes()].concat())
}

/// Main mode up to message 4, then these encrypted messages of main mode.
pub fn main_mode(wire: &mut Wire, group: u8) -> &mut Wire {
    wire.ike(0, &ike(1, (7, 0), MAIN, 0, 0, &[phase_1(group)]))
        .ike(1, &ike(1, (7, 9), MAIN, 0, 0, &[phase_1(group)]))
        .ike(0, &ike(1, (7, 9), MAIN, 0, 0, &[(4, vec![1; 128])]))
        .ike(1, &ike(1, (7, 9), MAIN, 0, 0, &[(4, vec![2; 128])]))
}

pub fn sealed(exchange: u8, id: u32, octets: u8) -> Vec<u8> {
    ike(1, (7, 9), exchange, 1, id, &[(5, vec![octets; 36])])
}

pub fn agreed(wire: &mut Wire) -> &mut Wire {
    main_mode(wire, 14).ike(0, &sealed(MAIN, 0, 3)).ike(1, &sealed(MAIN, 0, 4));
    wire.ike(0, &sealed(QUICK, 77, 5)).ike(1, &sealed(QUICK, 77, 6)).ike(0, &sealed(QUICK, 77, 7))
}

pub const NAT: [u8; 4] = [203, 0, 113, 1];

/// Two hosts whose ESP has NULL encryption and HMAC-SHA1-96, so that packets with a good ICV can be made here.
pub mod proven {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    const KEY: [u8; 20] = [0x0f; 20];

    pub fn keys() -> String {
        let key = "0f".repeat(20);
        let line = |from: &str, to: &str, spi: u32| {
            format!(
                "\"IPv4\",\"{from}\",\"{to}\",\"{spi:#010x}\",\"NULL\",\"\",\"HMAC-SHA-1-96 [RFC2404]\",\"0x{key}\"\n"
            )
        };
        line("192.0.2.10", "198.51.100.1", 0x1000) + &line("198.51.100.1", "192.0.2.10", 0x2000)
    }

    pub fn send(wire: &mut Wire, from: usize, sequence: u32, inside: &[u8], padding: &[u8]) {
        let trailer = [padding, &[padding.len() as u8, 17]].concat();
        let (ends, spis) = ([A, B], [0x1000, 0x2000]);
        let packet = esp(spis[from], sequence, &[inside, &trailer].concat());
        let mut mac = Hmac::<Sha1>::new_from_slice(&KEY).unwrap();
        mac.update(&packet);
        let icv = mac.finalize().into_bytes();
        wire.ip(ends[from], ends[1 - from], 50, &[&packet[..], &icv[..12]].concat());
    }
}
