//! Control connections and calls of a run: how they are set up, what happens in them, how they end.

use super::conn::*;
use super::messages::{Introduction, SLI, WEN};
use super::options::PppPlan;
use super::random::Random;
use super::scenario::{Opening, Run, SERVER, Theme};
use super::transport::Habits;
use super::truth::What;
use super::wire::{Address, Version};
use super::world::{Path, World};
use crate::common::ppp::{CHAP, PAP};

impl Run {
    pub fn id(&mut self) -> u32 {
        self.next_id += self.random.between(1, 9) as u32;
        if self.version.is_3() { self.next_id << 12 | 5 } else { self.next_id }
    }

    pub fn opening(&mut self) -> Opening {
        Opening {
            client: [192, 0, 2, 10],
            port: if self.random.chance(80) { 1701 } else { self.random.between(30_000, 60_000) as u16 },
            id: self.id(),
            by_server: self.random.chance(8) && self.theme != Theme::Restart,
            tie: None,
            refuse: None,
        }
    }

    pub fn conn(&mut self, opening: Opening) -> usize {
        let port = if opening.by_server { 1701 } else { opening.port };
        let addresses = [Address { ip: opening.client, port }, Address { ip: SERVER, port: 1701 }];
        let ids = [opening.id, self.id()];
        let floats = opening.refuse.is_none() && self.version == Version::V2 && self.random.chance(4);
        let names = ["lac.example", "lns.example"];
        let order = if opening.by_server { [1, 0] } else { [0, 1] };
        let ends = order.map(|host| {
            let introduction = Introduction {
                name: names[host],
                id: ids[host],
                window: self.habits[host].window,
                bearer: host == 0,
                tie: opening.tie,
            };
            End::new(addresses[host], self.habits[host].clone(), introduction, self.habits[1 - host].window)
        });
        self.world.conns.push(Conn {
            version: self.version,
            ends,
            lac: order[0],
            rival: None,
            replaces: None,
            follows: None,
            refuse: opening.refuse,
            floats_to: floats.then_some(40_000 + opening.port % 1000),
            calls: Vec::new(),
        });
        self.world.flying.push([0, 0]);
        self.world.conns.len() - 1
    }

    pub fn call(&mut self, conn: usize, outgoing: bool, refuse: Option<u16>) -> usize {
        let random = &mut self.random;
        let mut ids = [0; 2];
        for id in &mut ids {
            self.next_session += random.between(1, 5) as u32;
            *id = if self.version.is_3() { self.next_session << 13 | 3 } else { self.next_session };
        }
        let call = self.world.calls.len();
        let demand = random.pick(&[None, None, Some(PAP), Some(CHAP), Some(CHAP)]);
        let echo = [None, None, Some(4000), Some(10_000), Some(20_000)];
        let ppp = PppPlan {
            demand,
            prefers_pap: demand == Some(CHAP) && random.chance(15),
            wrong_password: demand.is_some() && random.chance(4),
            odd_option: random.chance(25),
            large_mru: random.chance(25),
            dns: random.chance(40),
            echo: [random.pick(&echo), random.pick(&echo)],
            ping: random.pick(&[None, Some(1000), Some(3000), Some(7000)]),
            tcp: random.chance(30),
            place: call as u8,
            ..PppPlan::default()
        };
        let required = self.version == Version::V2 && random.chance(15);
        let lac = self.world.conns[conn].lac;
        let mut ends = ids.map(CallEnd::new);
        // The LNS decides on sequence numbers if the set-up does not (section 5.4).
        ends[1 - lac].numbers = self.version == Version::V2 && random.chance(20);
        self.world.calls.push(Call {
            conn,
            requester: if outgoing { 1 - lac } else { lac },
            outgoing,
            serial: call as u32 + 1,
            ends,
            refuse,
            required,
            dials: random.between(300, 5000),
            ping: ppp.ping,
            ppp,
        });
        self.world.conns[conn].calls.push(call);
        call
    }

    /// A control connection from its SCCRQ to its end; returns when that is. `ending`: 1 any, 2 an orderly end, 3 ends
    /// that cross.
    pub fn life(&mut self, conn: usize, start: i64, calls: i64, ending: u8) -> i64 {
        self.world.at(start, move |world| begin(world, conn));
        let end = start + self.random.between(30_000, 110_000);
        let can_dial = self.version == Version::V2;
        for _ in 0..calls {
            let outgoing = can_dial && self.random.chance(12);
            let call = self.call(conn, outgoing, None);
            let asked = start + self.random.between(0, 12_000);
            self.world.at(asked, move |world| world.request(call));
            self.during(conn, call, asked, end, ending == 3);
        }
        self.finish(conn, end, ending);
        self.last = self.last.max(end);
        end
    }

    /// What happens in a call.
    fn during(&mut self, conn: usize, call: usize, asked: i64, end: i64, crossing: bool) {
        let lac = self.world.conns[conn].lac;
        let middle = self.random.between(asked + 10_000, end.max(asked + 10_001));
        if self.version == Version::V2 {
            if self.random.chance(15) {
                let by = self.random.between(0, 1) as usize;
                self.world.at(middle, move |world| world.renegotiate(call, by));
            }
            for (kind, by) in [(SLI, 1 - lac), (WEN, lac)] {
                if self.random.chance(15) {
                    self.world.at(middle + 700, move |world| report(world, call, by, kind));
                }
            }
            if self.random.chance(10) {
                let switch = self.random.chance(50);
                self.world.at(middle + 300, move |world| {
                    let call = &mut world.calls[call];
                    if !call.required {
                        call.ends[1 - lac].numbers = switch;
                    }
                });
            }
        }
        if crossing || self.random.chance(50) {
            let by = self.random.between(0, 1) as usize;
            let closed = self.random.between(asked + 1000, end.max(asked + 1001));
            if self.random.chance(50) {
                self.world.at(closed - 800, move |world| world.terminate(call, by));
            }
            let code = self.random.pick(&[1, 3, 3]);
            self.world.at(closed, move |world| world.close_call(call, by, code));
            if crossing {
                let later = closed + self.random.between(0, self.world.path.delay[0]);
                self.world.at(later, move |world| world.close_call(call, 1 - by, 3));
            }
        }
    }

    pub fn finish(&mut self, conn: usize, end: i64, ending: u8) {
        if ending == 1 && self.random.chance(20) {
            // It lives until the capture ends.
            return;
        }
        let by = self.random.between(0, 1) as usize;
        // Result 6: the requester is being shut down.
        let code = if ending == 1 && self.random.chance(10) { 6 } else { 1 };
        self.world.at(end, move |world| world.close_tunnel(conn, by, code));
        if ending == 3 {
            let later = end + self.random.between(0, self.world.path.delay[1]);
            self.world.at(later, move |world| world.close_tunnel(conn, 1 - by, 1));
        }
    }
}

/// The state of a closed control connection is kept for a full cycle of resends, 31 s (RFC 2661 section 5.7), and a little.
const KEPT: i64 = 36_000;

/// Opens a control connection; where its ID was in use, not before the state of that is gone at both ends.
fn begin(world: &mut World, conn: usize) {
    let held = world.conns[conn].follows.is_some_and(|old| {
        let ended = |what: &What| matches!(what, What::Stopped(_) | What::HeardStop | What::GaveUp(_));
        let mut ends = world.truth.happened.iter().filter(|(_, of, _, what)| *of == old && ended(what));
        let mut old_ends = world.conns[old].ends.iter();
        let closing = old_ends.any(|end| end.phase == Phase::Closing && !end.transport.is_quiet());
        closing || ends.any(|(at, ..)| *at + KEPT > world.now)
    });
    if held {
        world.at(world.now + 500, move |world| begin(world, conn));
    } else {
        world.open(conn);
    }
}

/// What RFC 2661 section 5.8 leaves to an end.
pub fn habits(random: &mut Random, path: &Path, version: Version) -> Habits {
    let adaptive = random.chance(50);
    let first_wait = if adaptive { (path.round_trip() * 3 / 2).max(1000) } else { 1000 };
    let window = random.between(0, 8) as u16;
    Habits {
        window: (window > 0).then_some(window),
        queues: random.chance(50),
        answers_gaps: random.chance(50),
        ack_delay: random.pick(&[0, 0, 50, 200]),
        first_wait,
        cap: random.pick(&[8000, 16_000]),
        resends: random.between(5, 8) as u32,
        slow_start: random.chance(40),
        stops_when_dead: random.chance(50),
        hello: random.pick(&[None, Some(5000), Some(10_000), Some(30_000)]),
        explicit_ack: version.is_3() && random.chance(50),
        length: random.chance(20),
    }
}

/// A WEN or SLI, if the call is up.
fn report(world: &mut World, call: usize, end: usize, kind: u16) {
    let conn = world.calls[call].conn;
    let up = world.calls[call].ends[end].state == ESTABLISHED && !world.calls[call].ends[end].close_queued;
    if up && world.conns[conn].ends[end].is_up() {
        let message = world.about(call, end, kind, 0);
        world.push(conn, end, message);
    }
}

/// As if many messages had gone before: both ends count on from there. Only while nothing is under way.
pub fn jump(world: &mut World, conn: usize, by: [u16; 2], until: i64) {
    let it = &mut world.conns[conn];
    let quiet = it.ends.iter().all(|end| end.transport.is_quiet() && end.state == ESTABLISHED);
    if quiet && world.flying[conn] == [0, 0] {
        world.audit.forget(conn);
        for (end, by) in by.into_iter().enumerate() {
            it.ends[end].transport.ns = it.ends[end].transport.ns.wrapping_add(by);
            let other = &mut it.ends[1 - end].transport;
            other.nr = other.nr.wrapping_add(by);
        }
    } else if world.now + 100 < until {
        world.at(world.now + 100, move |world| jump(world, conn, by, until));
    }
}

/// The client is back; it begins while the LNS says nothing in the old control connection, whose ID is the new one's.
pub fn come_back(world: &mut World, old: usize, new: usize, call: usize) {
    let it = &world.conns[old].ends[1];
    let soon = world.now + world.path.round_trip() + 2000;
    let hello = it.habits.hello.filter(|_| it.state == ESTABLISHED).map(|every| it.last_heard + every);
    let speaks = it.phase != Phase::Gone
        && it.transport.next_due().into_iter().chain(hello.filter(|at| *at > world.now)).any(|at| at < soon);
    if speaks || world.flying[old][1] > 0 {
        world.at(world.now + 500, move |world| come_back(world, old, new, call));
    } else {
        world.open(new);
        world.request(call);
    }
}
