//! Captures that end too early, and packets that do. Nothing may panic, every frame before a cut must be reported, and
//! a cut is damage, never an error, unless not even the format can be told.
//!
//! What is covered, for all samples and with their keys, so that cuts reach what ESP hides:
//!
//! * Reading: every sample cut at every byte. The frames are those of the whole capture that end before the cut.
//! * All that follows (inspector, rules, verdict, outputs): every number of frames from none to all, with and without
//!   damage. All cuts inside one record leave the same frames and differ only in the words of the damage.
//! * Packets: every packet of every sample cut at every byte, in three ways, each with the original length kept (a snap
//!   length) and with it shortened (a sender that lies). *Alone*: all cuts of all packets into one inspector, whole
//!   packets never. *Together*: the capture under every snap length, so that each cut is met in its place among others
//!   that are cut alike. *Among whole ones* (of `IN_PLACE` samples): one packet of the capture is cut and the others,
//!   and so the SAs, the connection and the call it belongs to, are whole; every packet at `PLACES` lengths.

mod samples;

use l2tp_inspect::util::Frame;
use samples::{Held, Random};

/// So many of the smallest samples have each packet cut among whole ones.
const IN_PLACE: usize = 20;
/// At so many lengths.
const PLACES: usize = 12;

#[test]
fn every_sample_cut_at_every_byte() {
    samples::on_two_threads(&samples::samples(), |sample| {
        let octets = sample.capture();
        let (all, damage) = samples::frames(&octets).expect("sound");
        assert_eq!(damage, None, "{}", sample.name);
        let mut clean = 0;
        for length in 0..octets.len() {
            let mut count = 0;
            let result = samples::walk(&octets[..length], |frame| {
                let whole = &all[count];
                assert!(frame.data == whole.data && frame.time == whole.time, "{} at {length}", sample.name);
                count += 1;
            });
            match result {
                // Less than the header of a file does not tell what it is.
                Err(error) => assert!(length < 64, "{} at {length}: {error}", sample.name),
                Ok(damage) => {
                    let ended = all.iter().take_while(|frame| frame.end <= length as u64).count();
                    assert_eq!(count, ended, "{} at {length}", sample.name);
                    clean += usize::from(damage.is_none());
                }
            }
        }
        // A cut goes unseen only between records: before each frame and, in pcapng, around blocks without a packet.
        assert!(clean >= all.len() && clean <= all.len() + 8, "{}: {clean} clean ends", sample.name);
    });
}

#[test]
fn every_number_of_frames_gives_a_report() {
    samples::on_two_threads(&samples::samples(), |sample| {
        let sad = sample.sad();
        let (all, _) = samples::frames(&sample.capture()).expect("sound");
        for count in 0..=all.len() {
            for damage in [None, Some("byte 24: the record is cut")] {
                let whole = all[..count].iter().map(Held::frame);
                let outcome = samples::inspect(whole, damage, &sad, damage.is_some());
                assert_eq!(outcome.packets, count as u64, "{}", sample.name);
                assert_eq!(outcome.rules.contains(&"cap-damaged"), damage.is_some(), "{}", sample.name);
            }
        }
    });
}

#[test]
fn the_command_reports_what_precedes_a_cut_and_exits_with_3() {
    for sample in samples::samples() {
        let octets = sample.capture();
        let (all, _) = samples::frames(&octets).expect("sound");
        let mut random = Random(octets.len() as u64);
        for _ in 0..3 {
            let length = 64 + random.below(octets.len() - 64);
            let ended = all.iter().take_while(|frame| frame.end <= length as u64).count();
            let output = samples::run_with_input(&sample.directory, &["-T", "json", "-"], &octets[..length]);
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 3)), "{} at {length}: {code:?}", sample.name);
            let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(document["captures"][0]["packets"], ended, "{} at {length}", sample.name);
            assert_eq!(document["captures"][0]["truncated"], code == Some(3), "{} at {length}", sample.name);
        }
    }
}

#[test]
fn every_packet_cut_at_every_byte() {
    samples::on_two_threads(&samples::samples(), |sample| {
        let sad = sample.sad();
        let (all, _) = samples::frames(&sample.capture()).expect("sound");
        for keep in [true, false] {
            let cuts = all
                .iter()
                .flat_map(|held| {
                    let original = move |length| if keep { held.original_len } else { length as u32 };
                    (0..held.data.len()).map(move |length| Frame {
                        data: &held.data[..length],
                        original_len: original(length),
                        ..held.frame()
                    })
                })
                .collect::<Vec<_>>();
            let outcome = samples::inspect(cuts.iter().copied(), None, &sad, true);
            assert_eq!(outcome.packets, cuts.len() as u64, "{}", sample.name);
        }
    });
}

#[test]
fn every_sample_under_every_snap_length() {
    samples::on_two_threads(&samples::samples(), |sample| {
        let sad = sample.sad();
        let (all, _) = samples::frames(&sample.capture()).expect("sound");
        let longest = all.iter().map(|frame| frame.data.len()).max().unwrap_or(0);
        for keep in [true, false] {
            for length in 0..=longest {
                let cut: Vec<Held> = all.iter().map(|frame| frame.cut(length, keep)).collect();
                let outcome = samples::inspect(cut.iter().map(Held::frame), None, &sad, length % 64 == 0);
                let short = cut.iter().any(|frame| frame.original_len as usize > frame.data.len());
                let said = outcome.rules.contains(&"cap-truncated");
                assert_eq!(said, short, "{} at {length}", sample.name);
            }
        }
    });
}

#[test]
fn every_packet_cut_among_whole_ones() {
    let mut samples = samples::samples();
    samples.sort_by_key(|sample| (sample.keys.is_empty(), sample.capture().len()));
    // Half of them with keys.
    let plain = samples.iter().position(|sample| sample.keys.is_empty()).expect("some");
    let chosen: Vec<_> =
        samples.iter().take(IN_PLACE / 2).chain(samples.iter().skip(plain).take(IN_PLACE / 2)).collect();
    samples::on_two_threads(&chosen, |sample| {
        let sad = sample.sad();
        let (mut all, _) = samples::frames(&sample.capture()).expect("sound");
        let mut random = Random(all.len() as u64);
        for place in 0..all.len() {
            for round in 0..PLACES {
                let cut = all[place].cut(random.below(all[place].data.len()), round % 2 == 0);
                let whole = std::mem::replace(&mut all[place], cut);
                let outcome = samples::inspect(all.iter().map(Held::frame), None, &sad, round == 0);
                assert_eq!(outcome.packets, all.len() as u64, "{} packet {}", sample.name, place + 1);
                all[place] = whole;
            }
        }
    });
}
