//! What data messages of a call carry: PPP, or Ethernet frames in L2TPv3.

use super::ppp::Ppp;
use super::traffic::echo;

#[derive(Debug)]
pub enum Line {
    Ppp(Box<Ppp>),
    Ethernet(Ethernet),
}

/// Two stations that ping each other over an Ethernet pseudowire (RFC 4719).
#[derive(Debug)]
pub struct Ethernet {
    pub asks: bool,
    pub every: Option<i64>,
    pub next: Option<i64>,
    pub sequence: u16,
    pub out: Vec<Vec<u8>>,
}

const STATIONS: [[u8; 4]; 2] = [[10, 8, 0, 1], [10, 8, 0, 2]];

impl Ethernet {
    fn frame(&mut self, kind: u8, sequence: u16) {
        let from = usize::from(!self.asks);
        let mut frame = vec![2, 0, 0, 0, 0, 2 - from as u8, 2, 0, 0, 0, 0, 1 + from as u8, 8, 0];
        frame.extend(echo(STATIONS[from], STATIONS[1 - from], sequence, kind, sequence));
        self.out.push(frame);
    }
}

impl Line {
    pub fn start(&mut self, now: i64) {
        match self {
            Self::Ppp(ppp) => ppp.start(now),
            Self::Ethernet(line) => line.next = line.every.filter(|_| line.asks).map(|every| now + every / 2),
        }
    }

    pub fn due(&self) -> Option<i64> {
        match self {
            Self::Ppp(ppp) => ppp.due(),
            Self::Ethernet(line) => line.next,
        }
    }

    /// What is to be sent now.
    pub fn poll(&mut self, now: i64) -> Vec<Vec<u8>> {
        match self {
            Self::Ppp(ppp) => {
                ppp.poll(now);
                ppp.taken()
            }
            Self::Ethernet(line) => {
                if line.next.is_some_and(|at| at <= now) {
                    line.sequence += 1;
                    line.frame(8, line.sequence);
                    line.next = line.every.map(|every| now + every);
                }
                std::mem::take(&mut line.out)
            }
        }
    }

    pub fn receive(&mut self, payload: &[u8], now: i64) {
        match self {
            Self::Ppp(ppp) => ppp.receive(payload, now),
            Self::Ethernet(line) => {
                if payload.get(34) == Some(&8) {
                    line.frame(0, u16::from_be_bytes([payload[40], payload[41]]));
                }
            }
        }
    }
}
