//! Packets of users: pings of the client, and a connection of TCP that resends until it is answered.

use super::wire::{checksum, ip};

const SERVER: [u8; 4] = [10, 9, 0, 1];

#[derive(Debug)]
pub struct Traffic {
    server: bool,
    ping: Option<i64>,
    next_ping: Option<i64>,
    sequence: u16,
    ident: u16,
    tcp: bool,
    /// The next SYN, and the wait after it.
    syn: Option<(i64, i64)>,
    client: [u8; 4],
}

impl Traffic {
    pub fn new(server: bool, ping: Option<i64>, tcp: bool) -> Self {
        Self { server, ping, next_ping: None, sequence: 0, ident: 0, tcp, syn: None, client: [0; 4] }
    }

    pub fn start(&mut self, now: i64) {
        if !self.server {
            self.next_ping = self.ping.map(|every| now + every / 2);
            self.syn = self.tcp.then_some((now + 50, 1000));
        }
    }

    pub fn due(&self) -> Option<i64> {
        self.next_ping.into_iter().chain(self.syn.map(|(at, _)| at)).min()
    }

    pub fn poll(&mut self, now: i64, client: [u8; 4]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        self.client = client;
        if self.next_ping.is_some_and(|at| at <= now) {
            self.sequence += 1;
            self.ident += 1;
            out.push(echo(client, SERVER, self.ident, 8, self.sequence));
            self.next_ping = self.ping.map(|every| now + every);
        }
        if let Some((at, wait)) = self.syn.filter(|(at, _)| *at <= now) {
            self.ident += 1;
            out.push(tcp(client, SERVER, self.ident, 2, [1000, 0]));
            // Five SYNs, then the user gives up.
            self.syn = (wait < 32_000).then_some((at + wait, wait * 2));
        }
        out
    }

    /// The answers to a packet.
    pub fn receive(&mut self, packet: &[u8], _now: i64) -> Vec<Vec<u8>> {
        if packet.len() < 28 {
            return Vec::new();
        }
        let (source, protocol) = ([packet[12], packet[13], packet[14], packet[15]], packet[9]);
        self.ident += 1;
        match (protocol, packet[20]) {
            (1, 8) => {
                let sequence = u16::from_be_bytes([packet[26], packet[27]]);
                vec![echo(SERVER, source, self.ident, 0, sequence)]
            }
            (6, _) if packet[33] == 2 => vec![tcp(SERVER, source, self.ident, 0x12, [5000, 1001])],
            (6, _) if packet[33] == 0x12 => {
                self.syn = None;
                vec![tcp(self.client, SERVER, self.ident, 0x10, [1001, 5001])]
            }
            _ => Vec::new(),
        }
    }
}

pub fn echo(source: [u8; 4], destination: [u8; 4], ident: u16, kind: u8, sequence: u16) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, 0, 77];
    message.extend(sequence.to_be_bytes());
    message.extend(*b"abcdefghijklmnopqrstuvwxyz012345");
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ip(source, destination, ident, 1, &message)
}

fn tcp(source: [u8; 4], destination: [u8; 4], ident: u16, flags: u8, numbers: [u32; 2]) -> Vec<u8> {
    let ports: [u16; 2] = if source == SERVER { [80, 40_000] } else { [40_000, 80] };
    let mut segment = [ports[0].to_be_bytes(), ports[1].to_be_bytes()].concat();
    segment.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    segment.extend([0x50, flags, 0x40, 0, 0, 0, 0, 0]);
    let mut whole = [&source[..], &destination, &[0, 6, 0, 20]].concat();
    whole.extend(&segment);
    let sum = checksum(&whole);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    ip(source, destination, ident, 6, &segment)
}
