//! Cut captures: every sample at every byte, every packet of the samples at every byte. Nothing panics, and what came
//! before the cut is kept.
//!
//! All cuts inside one record leave the same whole frames, so the frames are inspected, judged and written once for
//! each record; the file is read, and its damage judged, for every single byte.

mod samples;

use std::io::Cursor;

use l2tp_inspect::analysis::Analysis;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::capture::CaptureFile;
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::Sad;
use l2tp_inspect::report::style::Style;
use l2tp_inspect::report::{Report, json, ladder, summary};
use l2tp_inspect::rules::{self, Case};
use l2tp_inspect::util::{Frame, Printable};

/// A frame that outlives its file.
struct Held {
    frame: Frame<'static>,
    octets: Vec<u8>,
}

impl Held {
    fn cut(&self, length: usize, original: u32) -> Frame<'_> {
        Frame { data: &self.octets[..length], original_len: original, ..self.frame }
    }
}

fn frames(octets: &[u8]) -> Result<(Vec<Held>, Option<String>), String> {
    let reader = Box::new(Cursor::new(octets.to_vec()));
    let mut file = CaptureFile::from_reader(reader).map_err(|error| error.to_string())?;
    let mut held = Vec::new();
    while let Some(frame) = file.next_frame().map_err(|error| error.to_string())? {
        held.push(Held { octets: frame.data.to_vec(), frame: Frame { data: &[], ..frame } });
    }
    Ok((held, file.damage().map(ToString::to_string)))
}

/// Judges an analysis and writes every output of it to nowhere.
fn judge(analysis: &Analysis, sad: &Sad, damage: Option<&str>, write: bool) {
    let case = Case { analysis, sad, damage, drops: 0 };
    let findings = rules::judge(&case);
    let diagnosis = rules::diagnose(&case, &findings);
    assert_eq!(findings.iter().any(|finding| finding.rule.id == "cap-damaged"), damage.is_some());
    if !write {
        return;
    }
    let report = Report {
        file: Printable::from_text("x"),
        format: "pcap",
        nanoseconds: false,
        damage: damage.map(str::to_owned),
        analysis,
        sad,
        findings: &findings,
        diagnosis: &diagnosis,
    };
    for width in [40, 100] {
        let style = Style { width, ascii: width == 40, color: false };
        summary::write(&report, &style, &mut std::io::sink()).expect("written");
        ladder::write_all(&report, &style, &mut std::io::sink()).expect("written");
    }
    json::write(&[report], &mut std::io::sink()).expect("written");
}

/// Runs `check` over the samples in two threads.
fn each(samples: &[samples::Sample], check: impl Fn(&samples::Sample) + Sync) {
    std::thread::scope(|scope| {
        for half in 0..2 {
            let check = &check;
            scope.spawn(move || samples.iter().skip(half).step_by(2).for_each(check));
        }
    });
}

#[test]
fn every_sample_cut_at_every_byte() {
    each(&samples::samples(), |sample| {
        let sad = sample.sad();
        let octets = sample.capture();
        let whole = frames(&octets).expect("sound").0.len();
        let mut last: Option<(usize, Analysis)> = None;
        for length in 0..octets.len() {
            let Ok((held, damage)) = frames(&octets[..length]) else {
                assert!(length < 64, "{} at {length}: no header?", sample.name);
                continue;
            };
            assert!(held.len() <= whole);
            if last.as_ref().is_none_or(|(count, _)| *count != held.len()) {
                let mut inspector = Inspector::new(&sad, Limits::default());
                held.iter()
                    .for_each(|held| inspector.push(&held.cut(held.octets.len(), held.frame.original_len)));
                let analysis = inspector.finish();
                assert_eq!(analysis.totals.packets, held.len() as u64);
                judge(&analysis, &sad, damage.as_deref(), true);
                last = Some((held.len(), analysis));
            } else if let Some((_, analysis)) = &last {
                judge(analysis, &sad, damage.as_deref(), false);
            }
        }
    });
}

#[test]
fn every_packet_cut_at_every_byte() {
    let samples = samples::samples();
    assert!(samples.len() >= 30);
    each(&samples, |sample| {
        let sad = sample.sad();
        let octets = sample.capture();
        for shortened_on_the_wire in [false, true] {
            let mut inspector = Inspector::new(&sad, Limits::default());
            for held in frames(&octets).expect("sound").0 {
                for length in 0..held.octets.len() {
                    let original =
                        if shortened_on_the_wire { length as u32 } else { held.frame.original_len };
                    inspector.push(&held.cut(length, original));
                }
            }
            judge(&inspector.finish(), &sad, None, true);
        }
    });
}

#[test]
fn every_bit_of_every_packet_flipped() {
    let samples: Vec<_> =
        samples::samples().into_iter().filter(|sample| sample.capture().len() < 40_000).collect();
    assert!(samples.len() >= 10);
    each(&samples, |sample| {
        let sad = sample.sad();
        let octets = sample.capture();
        let mut inspector = Inspector::new(&sad, Limits::default());
        for mut held in frames(&octets).expect("sound").0 {
            for bit in 0..held.octets.len() * 8 {
                held.octets[bit / 8] ^= 1 << (bit % 8);
                inspector.push(&held.cut(held.octets.len(), held.frame.original_len));
                held.octets[bit / 8] ^= 1 << (bit % 8);
            }
        }
        judge(&inspector.finish(), &sad, None, true);
    });
}
