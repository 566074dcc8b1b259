//! Failures by cause and place of the tap, so that a run over thousands of seeds tells all at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::world::Tap;

#[derive(Default)]
pub struct Table {
    rows: BTreeMap<(String, Tap), (u32, Vec<u64>)>,
    pub runs: u32,
    pub failed: u32,
}

impl Table {
    pub fn add(&mut self, tap: Tap, seed: u64, causes: Vec<String>) {
        self.runs += 1;
        self.failed += u32::from(!causes.is_empty());
        for cause in causes {
            let row = self.rows.entry((cause, tap)).or_default();
            row.0 += 1;
            if row.1.len() < 3 {
                row.1.push(seed);
            }
        }
    }

    pub fn merge(&mut self, other: Self) {
        (self.runs, self.failed) = (self.runs + other.runs, self.failed + other.failed);
        for (key, (count, seeds)) in other.rows {
            let row = self.rows.entry(key).or_default();
            row.0 += count;
            row.1.extend(seeds);
            row.1.sort_unstable();
            row.1.truncate(3);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn text(&self) -> String {
        let mut out = format!("{} of {} runs fail\n", self.failed, self.runs);
        for ((cause, tap), (count, seeds)) in &self.rows {
            let _ = writeln!(out, "{count:6}  {:8}  {cause}  e.g. {seeds:?}", format!("{tap:?}"));
        }
        out
    }
}

/// Runs seeds on all cores.
pub fn over(seeds: std::ops::Range<u64>, one: impl Fn(u64) -> (Tap, u64, Vec<String>) + Sync) -> Table {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) as u64;
    let mut all = Table::default();
    std::thread::scope(|scope| {
        let (seeds, one) = (&seeds, &one);
        let parts: Vec<_> = (0..threads)
            .map(|part| {
                scope.spawn(move || {
                    let mut table = Table::default();
                    for seed in seeds.clone().skip(part as usize).step_by(threads as usize) {
                        let (tap, seed, causes) = one(seed);
                        table.add(tap, seed, causes);
                    }
                    table
                })
            })
            .collect();
        for part in parts {
            all.merge(part.join().expect("no panic"));
        }
    });
    all
}
