//! Packets of the control and authentication protocols of PPP.

use super::{LAC, LNS, Talk};

pub const LCP: u16 = 0xc021;
pub const PAP: u16 = 0xc023;
pub const CHAP: u16 = 0xc223;
pub const EAP: u16 = 0xc227;
pub const IPCP: u16 = 0x8021;
pub const CCP: u16 = 0x80fd;

pub const REQUEST: u8 = 1;
pub const ACK: u8 = 2;
pub const NAK: u8 = 3;
pub const REJECT: u8 = 4;

/// Options of LCP.
pub const MRU: &[u8] = &[1, 4, 5, 0x78];
pub const MS_CHAP: &[u8] = &[3, 5, 0xc2, 0x23, 0x81];
pub const PAP_DEMAND: &[u8] = &[3, 4, 0xc0, 0x23];

/// A packet of such a protocol: code, identifier, and what follows the length.
pub fn packet(protocol: u16, code: u8, identifier: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff, 3];
    out.extend(protocol.to_be_bytes());
    out.extend([code, identifier]);
    out.extend((4 + rest.len() as u16).to_be_bytes());
    out.extend(rest);
    out
}

/// A value behind its length, and a name.
pub fn value(value: &[u8], name: &str) -> Vec<u8> {
    [&[value.len() as u8], value, name.as_bytes()].concat()
}

/// A call that is established.
pub fn call() -> Talk {
    let mut talk = Talk::default();
    talk.tunnel().call();
    talk
}

/// A call on which LCP is open; the LNS demands authentication if `demand` is its option.
pub fn opened(demand: &[u8]) -> Talk {
    let mut talk = call();
    talk.data(LAC, &packet(LCP, REQUEST, 1, MRU)).data(LNS, &packet(LCP, REQUEST, 1, demand));
    talk.data(LNS, &packet(LCP, ACK, 1, MRU)).data(LAC, &packet(LCP, ACK, 1, demand));
    talk
}

/// The LAC names itself and its password by PAP; the LNS answers with this code.
pub fn pap(talk: &mut Talk, name: &str, password: &str, code: u8) {
    let body = [value(name.as_bytes(), ""), value(password.as_bytes(), "")].concat();
    talk.data(LAC, &packet(PAP, 1, 5, &body)).data(LNS, &packet(PAP, code, 5, &[0]));
}
