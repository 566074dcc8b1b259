//! Ends that keep to RFC 2661 and RFC 3931, a network that loses, doubles, delays and reorders, and a capture beside the
//! LAC, in the middle or beside the LNS: whatever the network does, nobody who keeps to the RFC is accused. And one fault
//! of one end is named by its rule, with the end that has it.
//!
//! `cargo test --test simulation` runs 10,000 seeds, of which none accuses anybody, and prints failures by cause; of the seeds
//! from `SIM_FIRST` on, which nobody has looked at yet, about one in 1000 may. One seed alone:
//!
//! ```sh
//! SIM_SEED=17 SIM_PCAP=17.pcap cargo test --test simulation one_seed -- --nocapture
//! SIM_FAULT=seq-nr-backwards SIM_SEED=4 SIM_PCAP=4.pcap cargo test --test simulation one_seed -- --nocapture
//! ```
//!
//! writes its capture, and prints what really happened and what the judgement says.
//!
//! Who is what: `scenario` and `life` say what happens in a run; `conn`, `transport`, `peer` and `hearing` are the ends,
//! `ppp`, `automaton`, `options` and `traffic` what their calls carry; `world` is clock, path and tap; `truth` writes down
//! what happened; `audit` and `oracle` hold the simulation itself to the RFC; `judge` and `allowed` compare.

#[path = "../common/mod.rs"]
mod common;

mod allowed;
mod audit;
mod automaton;
mod conn;
mod faults;
mod hearing;
mod judge;
mod life;
mod line;
mod messages;
mod options;
mod oracle;
mod peer;
mod ppp;
mod random;
mod scenario;
mod table;
mod traffic;
mod transport;
mod truth;
mod wire;
mod world;

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn conforming_peers_are_never_accused() {
    let first = variable("SIM_FIRST").unwrap_or(0);
    let table = table::over(first..first + variable("SIM_SEEDS").unwrap_or(10_000), |seed| {
        let run = scenario::run(seed);
        let judged = judge::judge(&run);
        (run.world.path.tap, seed, judge::compare(&run, &judged))
    });
    assert!(table.is_empty(), "{}", table.text());
}

/// The exam examines itself: where the ends send, they keep to section 5.8; and all that it is about does happen.
#[test]
fn simulated_peers_keep_to_the_rfc() {
    let happened = std::sync::Mutex::new(std::collections::BTreeMap::<String, u32>::new());
    let table = table::over(0..variable("SIM_SEEDS").unwrap_or(3000), |seed| {
        let run = scenario::run(seed);
        let mut wrong = run.world.audit.wrong.clone();
        let there = |conn: usize, end: usize| {
            matches!(run.world.conns[conn].ends[end].phase, conn::Phase::Up | conn::Phase::Closing)
        };
        if run.world.audit.owed(run.until, 200, there) > 0 {
            wrong.push(String::from("an acknowledgement never came"));
        }
        let read = oracle::reads(&run);
        if read {
            wrong.extend(oracle::differences(&run));
        }
        let mut happened = happened.lock().expect("no panic");
        let mut count = |what: String| *happened.entry(what).or_default() += 1;
        count(format!("{:?}", run.theme));
        count(format!("{:?}", run.version));
        for (yes, what) in [(run.mid_stream, "mid-stream"), (read, "read twice")] {
            if yes {
                count(String::from(what));
            }
        }
        run.world.truth.happened.iter().for_each(|(.., what)| count(what.name()));
        (run.world.path.tap, seed, wrong)
    });
    assert!(table.is_empty(), "{}", table.text());
    let happened = happened.into_inner().expect("no panic");
    println!("{happened:#?}");
    for what in [
        "GaveUp",
        "Unanswered",
        "Stopped",
        "HeardStop",
        "Crashed",
        "LostTie",
        "Replaced",
        "Established",
        "CallEstablished",
        "Cleared",
        "Refused",
        "V3Udp",
        "V3Ip",
        "mid-stream",
        "read twice",
    ] {
        assert!(happened.keys().any(|known| known.starts_with(what)), "{what} never happened: {happened:?}");
    }
}

/// Each fault is named by its rule and with its end, wherever the capture is made, with loss and without.
#[test]
fn one_fault_is_named_with_its_end() {
    assert!(faults::all().count() >= 32);
    let seeds = variable("SIM_SEEDS").map_or(36, |seeds: u64| seeds.min(36));
    let mut table = table::Table::default();
    for fault in faults::all() {
        table.merge(table::over(0..seeds, |seed| faults::check(fault, seed)));
    }
    assert!(table.is_empty(), "{}", table.text());
}

/// Prints one seed, if `SIM_SEED` names one.
#[test]
fn one_seed() {
    let Some(seed) = variable("SIM_SEED") else { return };
    let fault: Option<String> = variable("SIM_FAULT");
    let run = match fault.as_deref().and_then(faults::named) {
        Some(fault) => faults::run(fault, seed),
        None => scenario::run(seed),
    };
    let judged = judge::judge(&run);
    if let Some(path) = variable::<String>("SIM_PCAP") {
        std::fs::write(path, common::pcap(&judge::frames(&run))).expect("the capture can be written");
    }
    println!("{:?} {:?}, until {} ms, mid-stream {}", run.theme, run.world.path, run.until, run.mid_stream);
    for conn in &run.world.conns {
        for end in &conn.ends {
            println!("{:?} {} {:?} {:?}", conn.version, end.introduction.id, end.address, end.habits);
        }
    }
    for (at, conn, end, what) in &run.world.truth.happened {
        println!("{at:8} ms  connection {conn} end {end}: {what:?}");
    }
    for (number, packet) in (1..).zip(&run.world.truth.captured) {
        let note = &packet.note;
        let (name, call) = (messages::name(note.kind), note.call);
        println!(
            "{number:5} {:8} ms  connection {} end {} {name} {call:?} {}",
            packet.at, note.conn, note.end, note.tag
        );
    }
    for finding in &judged.findings {
        println!(
            "{} {} {:?} {:?}: {}",
            finding.rule.id,
            finding.severity.name(),
            finding.end,
            finding.packets,
            finding.title
        );
    }
    let wrong = match fault.as_deref().and_then(faults::named) {
        Some(fault) => faults::wrong(fault, seed, &run, &judged),
        None => judge::compare(&run, &judged),
    };
    println!("departures of the ends themselves: {:#?}", run.world.audit.wrong);
    println!("wrong: {wrong:#?}");
}
