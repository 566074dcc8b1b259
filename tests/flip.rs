//! Single bits that flipped on the way. Nothing may panic, and what fails its ICV must not be read.
//!
//! What is covered:
//!
//! * `PLAIN` samples without IPsec: every bit of every packet, one at a time. The packets before and after stay whole,
//!   so the change meets a connection that is known; to be quick, each run flips one bit in every `APART`-th packet.
//! * `SEALED` samples under ESP, with their keys: every bit of every packet in the same way. A bit inside of ESP is
//!   caught by the ICV, so what is behind it is covered by the samples without IPsec.
//! * All samples below `SMALL` octets: every bit of every packet, all changed packets into one inspector, never a whole
//!   one.

mod samples;

use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::inspector::Inspector;
use samples::{Held, Sample};

const PLAIN: &[&str] = &[
    "l2tp-plain/outgoing-call",
    "l2tp-plain/badpw-pap",
    "l2tp-plain/badpw-mschapv2",
    "l2tp-plain/hidden-avps",
    "l2tp-plain/mschapv2",
    "l2tpns/chap",
    "accelppp/pair-outgoing-call",
    "l2tpv3/udp-cookie8",
];
const SEALED: &[&str] =
    &["l2tp-ipsec/lns-refuses-host", "l2tp-ipsec/wrong-tunnel-secret", "l2tp-ipsec/lns-port-closed"];
/// In one run, packets this far apart have a bit flipped.
const APART: usize = 8;

/// Samples below this have their changed packets inspected without the whole ones.
const SMALL: usize = 40_000;

/// Flips each bit of each packet once and hands every changed capture with the bit's place to `check`.
fn flip_all(sample: &Sample, check: impl Fn(&[Held], usize)) {
    let (mut frames, _) = samples::frames(&sample.capture()).unwrap();
    let longest = frames.iter().map(|frame| frame.data.len()).max().unwrap_or(0);
    for first in 0..APART {
        for bit in 0..longest * 8 {
            let flip = |frames: &mut [Held]| {
                let mut flipped = 0;
                for frame in frames.iter_mut().skip(first).step_by(APART) {
                    if let Some(octet) = frame.data.get_mut(bit / 8) {
                        *octet ^= 0x80 >> (bit % 8);
                        flipped += 1;
                    }
                }
                flipped
            };
            if flip(&mut frames) > 0 {
                check(&frames, bit);
                flip(&mut frames);
            }
        }
    }
}

#[test]
fn every_bit_of_every_packet_in_clear() {
    samples::on_two_threads(PLAIN, |name| {
        let sample = samples::sample(name);
        let sad = sample.sad();
        flip_all(&sample, |frames, bit| {
            let outcome = samples::inspect(frames.iter().map(Held::frame), None, &sad, bit % 97 == 0);
            assert_eq!(outcome.packets, frames.len() as u64, "{name} bit {bit}");
        });
    });
}

#[test]
fn every_bit_of_every_packet_under_esp() {
    samples::on_two_threads(SEALED, |name| {
        let sample = samples::sample(name);
        let sad = sample.sad();
        let (whole, _) = samples::frames(&sample.capture()).unwrap();
        let untouched = samples::inspect(whole.iter().map(Held::frame), None, &sad, false).decrypted;
        flip_all(&sample, |frames, bit| {
            let outcome = samples::inspect(frames.iter().map(Held::frame), None, &sad, bit % 97 == 0);
            assert!(outcome.decrypted <= untouched, "{name} bit {bit}");
            // Ethernet and IPv4 without options: from here on is what ESP protects.
            if bit / 8 >= 34 + 8 && bit / 8 < 34 + 40 {
                let in_esp = |frame: &&Held| frame.data.get(23) == Some(&50);
                let intact = |held: &&Held| whole[held.number as usize - 1].data == held.data;
                let passes = frames.iter().filter(in_esp).filter(intact).count() as u64;
                assert_eq!(outcome.decrypted, passes, "{name} bit {bit}: what fails its ICV was read");
            }
        });
    });
}

#[test]
fn every_bit_of_every_packet_alone() {
    let samples: Vec<_> =
        samples::samples().into_iter().filter(|sample| sample.capture().len() < SMALL).collect();
    assert!(samples.len() >= 40);
    samples::on_two_threads(&samples, |sample| {
        let sad = sample.sad();
        let (all, _) = samples::frames(&sample.capture()).unwrap();
        let mut inspector = Inspector::new(&sad, Limits::default());
        for mut held in all {
            for bit in 0..held.data.len() * 8 {
                held.data[bit / 8] ^= 0x80 >> (bit % 8);
                inspector.push(&held.frame());
                held.data[bit / 8] ^= 0x80 >> (bit % 8);
            }
        }
        samples::report(&inspector.finish(), None, &sad, true);
    });
}
