//! What both ends of PPP are set to, and options of LCP and IPCP as octets (RFC 1661 section 6, RFC 1332 section 3).

use super::automaton::Options;
use crate::common::ppp::CHAP;

/// What both ends of a call are set to.
#[derive(Debug, Clone, Default)]
pub struct PppPlan {
    /// What the server demands: nothing, PAP or CHAP.
    pub demand: Option<u16>,
    /// The client declines CHAP with a Configure-Nak that names PAP.
    pub prefers_pap: bool,
    pub wrong_password: bool,
    /// The client asks for an option that the server rejects.
    pub odd_option: bool,
    /// The server asks for a large MRU, which the client declines.
    pub large_mru: bool,
    /// The client asks for DNS servers.
    pub dns: bool,
    /// LCP echoes of each end.
    pub echo: [Option<i64>; 2],
    /// Pings of the client.
    pub ping: Option<i64>,
    pub tcp: bool,
    /// Its place among the calls: it decides the client's address.
    pub place: u8,
    /// Faults: an end that never answers.
    pub mute: [bool; 2],
    pub no_echo_reply: [bool; 2],
    pub no_response: bool,
}

pub fn demand_option(protocol: u16) -> Vec<u8> {
    let mut out = protocol.to_be_bytes().to_vec();
    if protocol == CHAP {
        out.push(5);
    }
    out
}

pub fn parse(mut octets: &[u8]) -> Options {
    let mut out = Options::new();
    while let [option, length, ..] = octets {
        out.push((*option, octets[2..usize::from(*length)].to_vec()));
        octets = &octets[usize::from(*length)..];
    }
    out
}

pub fn unparse(options: &Options) -> Vec<u8> {
    let one = |(option, value): &(u8, Vec<u8>)| [&[*option, 2 + value.len() as u8], &value[..]].concat();
    options.iter().flat_map(one).collect()
}
