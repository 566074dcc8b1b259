//! What happens in a run, by its seed: hosts, control connections, calls, how they end, and what the path does.

use super::conn::{ESTABLISHED, Phase};
use super::life::{come_back, habits, jump};
use super::random::Random;
use super::transport::Habits;
use super::wire::Version;
use super::world::{Path, Tap, World};

pub const SERVER: [u8; 4] = [198, 51, 100, 1];
pub const TAPS: [Tap; 3] = [Tap::AtLac, Tap::Middle, Tap::AtLns];

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    One,
    ManyCalls,
    ManyTunnels,
    ManyHosts,
    Restart,
    Tie,
    Reuse,
    RefusedTunnel,
    RefusedCall,
    Crossing,
}

pub struct Run {
    pub theme: Theme,
    pub world: World,
    pub until: i64,
    pub mid_stream: bool,
    /// Which end closes, and whether it closes the call by itself, in runs with a fault.
    pub closer: usize,
    pub closes_call: bool,
    pub random: Random,
    pub version: Version,
    pub habits: [Habits; 2],
    pub next_id: u32,
    pub next_session: u32,
    /// When the last control connection ends.
    pub last: i64,
}

/// How one control connection is set up.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    pub client: [u8; 4],
    pub port: u16,
    /// The ID of the client.
    pub id: u32,
    /// The LNS asks for it.
    pub by_server: bool,
    pub tie: Option<u64>,
    pub refuse: Option<u16>,
}

pub fn run(seed: u64) -> Run {
    let mut run = Run::new(seed);
    run.plan();
    run.world.run(run.until);
    run.world.unanswered();
    run
}

impl Run {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let themes = [
            (26, Theme::One),
            (14, Theme::ManyCalls),
            (11, Theme::ManyTunnels),
            (8, Theme::ManyHosts),
            (8, Theme::Restart),
            (7, Theme::Tie),
            (7, Theme::Reuse),
            (5, Theme::RefusedTunnel),
            (6, Theme::RefusedCall),
            (8, Theme::Crossing),
        ];
        let mut at = random.between(0, 99);
        let mut theme = Theme::One;
        for (weight, one) in themes {
            theme = one;
            at -= weight;
            if at < 0 {
                break;
            }
        }
        let version = match random.between(0, 19) {
            0 if theme != Theme::Tie => Version::V3Udp,
            1 if theme != Theme::Tie => Version::V3Ip,
            _ => Version::V2,
        };
        let base = random.pick(&[(1, 20), (1, 20), (20, 150), (20, 150), (200, 650)]);
        let delay = [random.between(base.0, base.1), random.between(base.0, base.1)];
        let jitter = random.pick(&[0, 2, 10, 50]);
        let path = Path {
            tap: TAPS[(seed % 3) as usize],
            delay,
            jitter,
            loss: random.pick(&[0, 0, 0, 10, 50, 50, 100, 200]),
            copies: random.pick(&[0, 0, 0, 20, 100]),
            capture_loss: random.pick(&[0, 0, 0, 0, 10, 50]),
            capture_from: 0,
            outage: None,
            deaf_after_tap: None,
        };
        let habits = [habits(&mut random, &path, version), habits(&mut random, &path, version)];
        let small = random.chance(30);
        let (next_id, next_session) =
            if small { (1, 1) } else { (random.between(1, 60_000) as u32, random.between(1, 60_000) as u32) };
        Self {
            theme,
            world: World::new(seed, path),
            until: 0,
            mid_stream: false,
            closer: 0,
            closes_call: true,
            random,
            version,
            habits,
            next_id,
            next_session,
            last: 0,
        }
    }

    fn plan(&mut self) {
        let first = self.opening();
        match self.theme {
            Theme::One => {
                let conn = self.conn(first);
                self.life(conn, 0, 1, 1);
            }
            Theme::ManyCalls => {
                let conn = self.conn(first);
                let calls = self.random.between(2, 5);
                self.life(conn, 0, calls, 1);
            }
            Theme::ManyTunnels => {
                for place in 0..self.random.between(2, 4) {
                    let opening = Opening { id: self.id(), ..first };
                    let conn = self.conn(opening);
                    let start = place * self.random.between(0, 8000);
                    self.life(conn, start, 1, 1);
                }
            }
            Theme::ManyHosts => {
                let same_id = self.random.chance(50);
                for place in 0..self.random.between(2, 4) {
                    let id = if same_id { first.id } else { self.id() };
                    let client = [192, 0, 2, 10 + place as u8];
                    let conn = self.conn(Opening { id, client, ..first });
                    let start = place * self.random.between(0, 8000);
                    self.life(conn, start, 1, 1);
                }
            }
            Theme::Restart => self.restart(first),
            Theme::Tie => self.tie(first),
            Theme::Reuse => {
                let old = self.conn(first);
                let end = self.life(old, 0, 1, 2);
                let new = self.conn(first);
                self.world.conns[new].follows = Some(old);
                let pause = self.random.between(36_000, 60_000);
                self.life(new, end + pause, 1, 1);
            }
            Theme::RefusedTunnel => {
                let refuse = Some(self.random.pick(&[2, 4, 4]));
                let conn = self.conn(Opening { refuse, ..first });
                self.world.at(0, move |world| world.open(conn));
                if self.random.chance(50) {
                    let opening = Opening { id: self.id(), ..first };
                    let conn = self.conn(opening);
                    let start = self.random.between(5000, 20_000);
                    self.life(conn, start, 1, 1);
                } else {
                    self.last = 40_000;
                }
            }
            Theme::RefusedCall => {
                let conn = self.conn(first);
                let code = self.random.pick(&[2, 4, 4, 5]);
                let call = self.call(conn, false, Some(code));
                let asked = self.random.between(100, 4000);
                self.world.at(asked, move |world| world.request(call));
                self.life(conn, 0, 1, 1);
            }
            Theme::Crossing => {
                let conn = self.conn(first);
                self.life(conn, 0, 2, 3);
            }
        }
        self.overlays();
    }

    /// What any run may have: the capture begins late, numbers near their wrap, an outage.
    fn overlays(&mut self) {
        let rest = self.random.pick(&[200, 3000, 30_000, 70_000]);
        self.until = self.last + rest;
        if self.random.chance(3) {
            let from = self.random.between(0, self.last.max(1));
            self.world.path.outage = Some((from, from + self.random.between(5000, 60_000)));
        }
        if matches!(self.theme, Theme::One | Theme::ManyCalls | Theme::ManyHosts | Theme::Crossing)
            && self.random.chance(20)
        {
            self.mid_stream = true;
            let from = self.random.between(10_000, 25_000);
            self.world.path.capture_from = from;
            let jumps = [self.random.between(65_500, 65_535) as u16, self.random.between(0, 65_535) as u16];
            for conn in 0..self.world.conns.len() {
                self.world.at(from - 9000, move |world| jump(world, conn, jumps, from));
            }
        }
    }

    /// A client that loses its memory and begins again with the same IDs.
    fn restart(&mut self, opening: Opening) {
        let old = self.conn(opening);
        let old_call = self.call(old, false, None);
        self.world.at(0, move |world| world.open(old));
        self.world.at(300, move |world| world.request(old_call));
        let crash = self.random.between(8000, 40_000);
        self.world.at(crash, move |world| world.crash(old, 0));
        let new = self.conn(opening);
        self.world.conns[new].replaces = Some(old);
        let call = self.call(new, false, None);
        for end in 0..2 {
            self.world.calls[call].ends[end].id = self.world.calls[old_call].ends[end].id;
        }
        let pause = self.random.between(15_000, 60_000);
        self.world.at(crash + pause, move |world| come_back(world, old, new, call));
        let end = crash + pause + self.random.between(30_000, 90_000);
        self.finish(new, end, 1);
        self.last = end;
    }

    /// Both hosts ask at about the same time.
    fn tie(&mut self, first: Opening) {
        let values = self.random.pick(&[
            (Some(7), Some(9)),
            (Some(9), Some(7)),
            (None, Some(9)),
            (Some(9), None),
            (None, None),
        ]);
        let spread = |tie: Option<u64>, random: &mut Random| tie.map(|tie| tie << 40 | random.next() >> 30);
        let ties = (spread(values.0, &mut self.random), spread(values.1, &mut self.random));
        let a = self.conn(Opening { by_server: false, tie: ties.0, ..first });
        let id = self.id();
        let b = self.conn(Opening { by_server: true, tie: ties.1, id, ..first });
        (self.world.conns[a].rival, self.world.conns[b].rival) = (Some(b), Some(a));
        for (own, other) in [(a, b), (b, a)] {
            let start = self.random.between(0, self.world.path.delay[0]);
            self.world.at(start, move |world| {
                if world.conns[other].ends[1].phase == Phase::New {
                    world.open(own);
                }
            });
        }
        let calls = [self.call(a, false, None), self.call(b, false, None)];
        let at = self.random.between(8000, 15_000);
        self.world.at(at, move |world| {
            let up = calls.into_iter().find(|call| {
                let (conn, end) = (world.calls[*call].conn, world.calls[*call].requester);
                world.conns[conn].ends[end].state == ESTABLISHED
            });
            if let Some(call) = up {
                world.request(call);
            }
        });
        let end = at + self.random.between(20_000, 60_000);
        self.finish(a, end, 1);
        self.finish(b, end, 1);
        self.last = end;
    }
}
