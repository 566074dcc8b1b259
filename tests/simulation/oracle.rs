//! Holds the truth about states against a second reading of it: the tables of RFC 2661 section 7, driven by Ns and Nr of a
//! capture that lacks nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::conn::*;
use super::messages::{ACK, DATA, ZLB};
use super::scenario::Run;
use super::truth::Captured;
use super::wire::Version;
use crate::common::{CDN, ICCN, ICRP, ICRQ, OCCN, OCRP, OCRQ, SCCCN, SCCRP, SCCRQ, STOPCCN};

type States = BTreeMap<Option<usize>, &'static str>;

/// What sending a message makes of its sender.
fn sends(states: &mut States, kind: u16, call: Option<usize>) {
    let state = match kind {
        SCCRQ => WAIT_CTL_REPLY,
        SCCRP => WAIT_CTL_CONN,
        ICRQ | OCRQ => WAIT_REPLY,
        ICRP => WAIT_CONNECT,
        OCRP => WAIT_CS_ANSWER,
        SCCCN | ICCN | OCCN => ESTABLISHED,
        CDN => IDLE,
        STOPCCN => return states.values_mut().for_each(|state| *state = IDLE),
        _ => return,
    };
    states.insert(call, state);
}

/// What hearing a message makes of its receiver, beside what it then sends.
fn hears(states: &mut States, kind: u16, call: Option<usize>) {
    let now = states.get(&call).copied();
    let state = match (kind, now) {
        (SCCCN, Some(WAIT_CTL_CONN)) | (ICCN | OCCN, Some(WAIT_CONNECT)) => ESTABLISHED,
        (OCRP, Some(WAIT_REPLY)) => WAIT_CONNECT,
        (CDN, _) => IDLE,
        (STOPCCN, _) => return states.values_mut().for_each(|state| *state = IDLE),
        _ => return,
    };
    states.insert(call, state);
}

/// Ns and Nr of a captured control message of version 2.
fn numbers(packet: &Captured) -> (u16, u16) {
    let word = |at: usize| u16::from_be_bytes([packet.octets[at], packet.octets[at + 1]]);
    (word(28 + 8), word(28 + 10))
}

/// Whether every packet of the run is in the capture, once and in order.
pub fn reads(run: &Run) -> bool {
    let path = &run.world.path;
    let whole =
        (path.loss, path.copies, path.capture_loss, path.jitter) == (0, 0, 0, 0) && path.outage.is_none();
    whole && !run.mid_stream && run.world.conns.iter().all(|conn| conn.version == Version::V2)
}

/// Where the two readings differ.
pub fn differences(run: &Run) -> Vec<String> {
    let truth = &run.world.truth;
    let mut wrong = Vec::new();
    for (conn, end) in (0..run.world.conns.len()).flat_map(|conn| [(conn, 0), (conn, 1)]) {
        let control = |by: usize| {
            let packets = truth.captured.iter();
            packets.filter(move |packet| {
                packet.note.conn == conn && packet.note.end == by && packet.note.kind != DATA
            })
        };
        let plain = |packet: &&Captured| !matches!(packet.note.kind, ZLB | ACK);
        let peer: BTreeMap<u16, &Captured> =
            control(1 - end).filter(plain).map(|packet| (numbers(packet).0, packet)).collect();
        let (mut states, mut sent, mut heard) = (States::new(), BTreeSet::new(), 0);
        for packet in control(end) {
            let (ns, nr) = numbers(packet);
            for heard in heard..nr {
                if let Some(message) = peer.get(&heard) {
                    hears(&mut states, message.note.kind, message.note.call);
                }
            }
            heard = heard.max(nr);
            if plain(&packet) && sent.insert(ns) {
                sends(&mut states, packet.note.kind, packet.note.call);
            }
        }
        for (call, state) in states {
            let real = truth.states_at_last(conn, end, call).map(|states| states[0]);
            if real != Some(state) {
                wrong.push(format!("truth says {real:?}, the tables say {state}"));
            }
        }
    }
    wrong
}
