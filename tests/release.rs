//! A capture that goes on for hours lets go of what ended: what lives is followed as if nothing had gone.

mod common;

use common::*;
use l2tp_inspect::analysis::Analysis;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::analysis::log::Effect;
use l2tp_inspect::analysis::log::fresh::{Entity, News};
use l2tp_inspect::dissect::layers::TunnelId;
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::Sad;
use l2tp_inspect::util::{Frame, LinkType, Timestamp};

const MILLISECOND: i64 = 1_000_000;

/// One control connection that lives on, with a call and a Hello a minute, beside `others` that come and go.
fn churn(others: u16) -> Vec<(i64, Vec<u8>)> {
    let mut lives = Talk { tunnels: [7, 9], ..Talk::default() };
    lives.tunnel().call();
    let mut frames = Vec::new();
    for other in 0..others {
        let at = i64::from(other) * 2000;
        let mut talk = Talk {
            now: at,
            addresses: [[192, 0, 2, 77], [198, 51, 100, 1]],
            tunnels: [1000 + other, 2000 + other],
            sessions: [3000 + other, 4000 + other],
            ..Talk::default()
        };
        talk.tunnel().call().chat(2).close();
        frames.append(&mut talk.frames);
        if other % 30 == 29 {
            lives.now = at + 1000;
            lives.send(LAC, HELLO).zlb(LNS).chat(2);
        }
    }
    frames.append(&mut lives.frames);
    frames.sort_by_key(|(time, _)| *time);
    frames
}

/// Follows all frames, and lets go of what ended as a live capture does.
fn follow(frames: &[(i64, Vec<u8>)], lets_go: bool) -> (Analysis, usize) {
    let sad = Sad::default();
    let mut inspector = Inspector::new(&sad, Limits::default());
    let mut most = 0;
    for (number, (millis, data)) in (1..).zip(frames) {
        let time = Timestamp(millis * MILLISECOND);
        inspector.push(&frame(number, time, data));
        if lets_go && number % 100 == 0 && inspector.is_full(time) {
            inspector.let_go();
        }
        most = most.max(inspector.so_far().connections.len());
    }
    (inspector.finish(), most)
}

#[test]
fn what_lives_is_followed_on() {
    let frames = churn(3000);
    let (all, _) = follow(&frames, false);
    let (some, most) = follow(&frames, true);
    assert_eq!(all.connections.len(), 3001);
    assert!(most < 1000, "{most} control connections at once");
    assert_eq!(some.let_go.connections + some.connections.len() as u64, 3001);
    assert_eq!(some.let_go.calls + some.calls.len() as u64, 3001);
    assert!(some.let_go.connections > 2000, "{:?}", some.let_go);
    for (id, connection) in some.in_order() {
        let (_, same) = all.numbered(connection.number).unwrap();
        assert_eq!(format!("{:?}", connection.ends), format!("{:?}", same.ends));
        assert_eq!(connection.calls, same.calls);
        for call in &connection.calls {
            let (here, there) = (some.call(*call).unwrap(), all.call(*call).unwrap());
            assert_eq!(here.connection, id);
            assert_eq!(format!("{:?}", here.data), format!("{:?}", there.data));
        }
    }
    let lives =
        some.in_order().into_iter().find(|(_, one)| one.ends[LAC].tunnel_id == Some(TunnelId(7))).unwrap().1;
    assert_eq!(lives.ends[LAC].hello.sent, 100);
    assert_eq!(
        some.call(lives.calls[0]).unwrap().data[LAC].packets,
        all.call(lives.calls[0]).unwrap().data[LAC].packets
    );
}

#[test]
fn what_comes_after_is_found_under_ids_that_were_used_before() {
    let mut frames = churn(3000);
    let end = frames.last().unwrap().0;
    // The same endpoints and IDs as a control connection that went.
    let mut again = Talk {
        now: end + 1000,
        addresses: [[192, 0, 2, 77], [198, 51, 100, 1]],
        tunnels: [1000, 2000],
        sessions: [3000, 4000],
        ..Talk::default()
    };
    again.tunnel().call().chat(4).close();
    frames.append(&mut again.frames);
    let (analysis, _) = follow(&frames, true);
    let (_, last) = *analysis.in_order().last().unwrap();
    assert_eq!((last.number, last.calls.len(), last.was_established), (3002, 1, true));
    assert_eq!(analysis.call(last.calls[0]).unwrap().data.each_ref().map(|data| data.packets), [4, 4]);
}

#[test]
fn a_flood_of_requests_leaves_nothing_behind() {
    let mut frames = Vec::new();
    for at in 0..20_000_u32 {
        let [_, b, c, d] = at.to_be_bytes();
        let mut talk = Talk {
            now: i64::from(at) / 10,
            addresses: [[10, b, c, d], [198, 51, 100, 1]],
            ..Talk::default()
        };
        talk.send(LAC, SCCRQ);
        frames.append(&mut talk.frames);
    }
    let mut later = Talk { now: 200_000, ..Talk::default() };
    frames.append(&mut {
        later.tunnel().call().chat(200);
        later.frames
    });
    let (analysis, _) = follow(&frames, true);
    assert!(analysis.connections.len() < 1000, "{}", analysis.connections.len());
    assert_eq!(analysis.let_go.connections + analysis.connections.len() as u64, 20_001);
}

#[test]
fn the_capture_goes_on_after_a_look_at_what_would_be_found() {
    let frames = churn(20);
    let sad = Sad::default();
    let run = |looks: bool| {
        let mut inspector = Inspector::new(&sad, Limits::default());
        for (number, (millis, data)) in (1..).zip(&frames) {
            inspector.push(&frame(number, Timestamp(millis * MILLISECOND), data));
            if looks {
                let (analysis, paused) = inspector.pause();
                assert_eq!(analysis.totals.packets, number);
                inspector.resume(analysis, paused);
            }
        }
        let analysis = inspector.finish();
        let case = l2tp_inspect::rules::Case::of(&analysis, &sad);
        (format!("{:?}", l2tp_inspect::rules::judge(&case)), format!("{:?}", analysis.connections))
    };
    assert_eq!(run(true), run(false));
}

/// An old control connection lives on where the newer one between the same endpoints went: what comes later is its own, and
/// opens no new one.
#[test]
fn the_newest_that_is_left_takes_the_place_of_those_that_went() {
    let mut lives = Talk::default();
    lives.send(LAC, SCCRQ);
    lives.send(LNS, SCCRP).send(LAC, SCCCN).zlb(LNS);
    let hello = {
        lives.send(LAC, HELLO);
        lives.frames.pop().unwrap().1
    };
    let mut frames = std::mem::take(&mut lives.frames);
    for other in 0..2000_u16 {
        let lac = if other == 0 { [192, 0, 2, 10] } else { [192, 0, 2, 77] };
        let mut talk = Talk {
            now: 1000 + i64::from(other) * 2000,
            addresses: [lac, [198, 51, 100, 1]],
            tunnels: [1000 + other, 5000 + other],
            ..Talk::default()
        };
        frames.append(&mut {
            talk.tunnel().call().close();
            talk.frames
        });
    }
    frames.push((frames.last().unwrap().0 + 1000, hello));
    let (analysis, _) = follow(&frames, true);
    assert!(analysis.let_go.connections > 1000, "{:?}", analysis.let_go);
    assert_eq!(analysis.totals.connections, 2001);
}

/// Events are told of what they happened to, though frames wait in a batch when something is let go of.
#[test]
fn events_hold_when_something_is_let_go_of() {
    let sad = Sad::default();
    let mut inspector = Inspector::new(&sad, Limits::default());
    inspector.watch();
    let mut told = 0;
    for (number, (millis, data)) in (1..).zip(&churn(2000)) {
        let time = Timestamp(millis * MILLISECOND);
        inspector.push(&frame(number, time, data));
        if number % 37 == 0 {
            let (events, analysis) = inspector.events();
            for event in events {
                if let (Entity::Connection(id), News::Effect(Effect::Closed(_))) = (event.entity, event.what)
                {
                    assert_eq!(analysis.connection(id).unwrap().closing_packet, Some(event.at.packet));
                    told += 1;
                }
            }
            if inspector.is_full(time) {
                inspector.let_go();
            }
        }
    }
    assert!(told > 1900, "{told}");
}

fn frame(number: u64, time: Timestamp, data: &[u8]) -> Frame<'_> {
    let original_len = u32::try_from(data.len()).unwrap();
    Frame { number, time, link: LinkType::RAW, interface: 0, data, original_len, offset: 0 }
}
