//! What the faults have in common.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::messages::{Avp, Message, hello};
use super::super::scenario::Run;
use super::super::wire::Numbers;
use super::super::world::World;
use super::bug::{EVIDENCE, Outgoing};

/// The control connection and the call of every fault.
pub const CONN: usize = 0;
pub const CALL: usize = 0;
/// The call and the control connection are closed at these times, unless the fault has other plans.
pub const CLOSE_CALL: i64 = 60_000;
pub const CLOSE_TUNNEL: i64 = 64_000;
/// Both ends are up, and nothing is under way.
pub const CALM: i64 = 20_000;

/// Changes the messages of this kind that an end sends, and marks them as evidence.
pub fn tamper(run: &mut Run, end: usize, kind: u16, change: impl Fn(&mut World, &mut Outgoing) + 'static) {
    tamper_more(run, end, kind, move |world, outgoing| {
        change(world, outgoing);
        Vec::new()
    });
}

/// The same, and more messages after them.
pub fn tamper_more(
    run: &mut Run,
    end: usize,
    kind: u16,
    change: impl Fn(&mut World, &mut Outgoing) -> Vec<(i64, Outgoing)> + 'static,
) {
    let before = run.world.bug.tamper.take();
    run.world.bug.tamper = Some(Rc::new(move |world, outgoing| {
        let mut more = before.as_ref().map(|before| before(world, outgoing)).unwrap_or_default();
        if outgoing.end == end && outgoing.message.kind == kind {
            outgoing.tag = EVIDENCE;
            more.extend(change(world, outgoing));
        }
        more
    }));
}

/// Only marks messages as evidence.
pub fn mark(run: &mut Run, end: usize, kind: u16) {
    tamper(run, end, kind, |_, _| ());
}

pub fn set(message: &mut Message, attribute: u16, value: &[u8]) {
    for avp in message.avps.iter_mut().filter(|avp| avp.attribute == attribute) {
        avp.value = value.to_vec();
    }
}

pub fn remove(message: &mut Message, attribute: u16) {
    message.avps.retain(|avp: &Avp| avp.attribute != attribute);
}

/// Does something when nothing is under way.
pub fn calm(run: &mut Run, at: i64, then: impl FnOnce(&mut World) + 'static) {
    let then = Rc::new(RefCell::new(Some(then)));
    run.world.at(at, move |world| when_calm(world, then));
}

fn when_calm<F: FnOnce(&mut World) + 'static>(world: &mut World, then: Rc<RefCell<Option<F>>>) {
    let quiet = world.conns[CONN].ends.iter().all(|end| end.transport.is_quiet());
    if quiet && world.flying[CONN] == [0, 0] {
        if let Some(then) = then.borrow_mut().take() {
            then(world);
        }
    } else {
        world.at(world.now + 100, move |world| when_calm(world, then));
    }
}

/// A message of an end with its present numbers, beside its queue.
pub fn loose(world: &World, end: usize, message: Message) -> Outgoing {
    let (own, peer) = (&world.conns[CONN].ends[end], &world.conns[CONN].ends[1 - end]);
    let numbers =
        Numbers { tunnel: peer.introduction.id, session: 0, ns: own.transport.ns, nr: own.transport.nr };
    Outgoing { conn: CONN, end, message, numbers, reserved: 0, copy: 1, tag: EVIDENCE }
}

/// Hellos of an end, so many, so far from each other.
pub fn hellos(run: &mut Run, end: usize, from: i64, count: i64, every: i64) {
    for number in 0..count {
        calm(run, from + number * every, move |world| world.push(CONN, end, hello()));
    }
}

/// The peer of an end loses its memory; then the end sends a Hello that nobody answers.
pub fn in_vain(run: &mut Run, end: usize) {
    calm(run, CALM, move |world| {
        world.crash(CONN, 1 - end);
        world.push(CONN, end, hello());
    });
}

/// User packets that an end sends itself.
pub const USER: &[u8] = crate::common::IP;

/// The end of every run: the LAC closes the call and the control connection, unless they are closed by then.
pub fn close(run: &mut Run) {
    let by = run.closer;
    if run.closes_call {
        run.world.at(CLOSE_CALL, move |world| world.close_call(CALL, by, 3));
    }
    run.world.at(CLOSE_TUNNEL, move |world| world.close_tunnel(CONN, by, 1));
}
