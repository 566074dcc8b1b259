//! The judgement compared with the truth.

use l2tp_inspect::analysis::CallId;
use l2tp_inspect::analysis::control::call::Call;
use l2tp_inspect::analysis::control::connection::Connection;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::ipsec::Sad;
use l2tp_inspect::rules::{Certainty, Finding, Profile, Severity, Verdict};

use super::allowed::allowed;
use super::messages::DATA;
use super::scenario::{Run, Theme};
use super::truth::What;
use crate::common::{
    CDN, ICCN, ICRP, ICRQ, Judged, OCCN, OCRP, OCRQ, SCCCN, SCCRP, SCCRQ, STOPCCN, judge_frames,
};

/// The state of one end of a control connection by its name in RFC 2661 section 7.2, once the analysis has one per end.
pub fn control_state(connection: &Connection, end: usize) -> Option<&'static str> {
    let machine = connection.ends[end].machine;
    (connection.from_start && !machine.uncertain).then(|| machine.state.name())
}

/// The state of one end of a call by its name in RFC 2661 sections 7.4 and 7.5, once the analysis has one per end.
pub fn call_state(call: &Call, end: usize) -> Option<&'static str> {
    let machine = call.machines[end];
    (call.requester.is_some() && !machine.uncertain).then(|| machine.state.name())
}

pub fn frames(run: &Run) -> Vec<(i64, Vec<u8>)> {
    run.world.truth.captured.iter().map(|packet| (packet.at, packet.octets.clone())).collect()
}

pub fn judge(run: &Run) -> Judged {
    let judged = judge_frames(&frames(run), &Sad::default(), Limits::default(), None, Profile::Interop);
    let certain =
        |finding: &&Finding| finding.severity == Severity::Error && finding.certainty() == Certainty::Certain;
    let error = judged.findings.iter().find(certain).filter(|_| judged.diagnosis.verdict == Verdict::Healthy);
    assert!(error.is_none(), "healthy beside {error:?}");
    judged
}

/// Which control connection of the truth one of the analysis is, and which of its ends the analysis calls 0.
pub fn known_as(run: &Run, connection: &Connection) -> Option<(usize, usize)> {
    let at = usize::try_from(connection.first_packet).ok()?.checked_sub(1)?;
    let conn = run.world.truth.captured.get(at)?.note.conn;
    let ip = std::net::IpAddr::from(run.world.conns[conn].ends[0].address.ip);
    Some((conn, usize::from(connection.ends[0].endpoint.address != ip)))
}

/// The control connection of the truth that a finding is about.
pub fn about(run: &Run, judged: &Judged, finding: &Finding) -> Option<usize> {
    let (_, connection) = judged.analysis.numbered(finding.connection?)?;
    known_as(run, connection).map(|(conn, _)| conn)
}

/// What is wrong with the judgement of a run: the cause, by which it is counted.
pub fn compare(run: &Run, judged: &Judged) -> Vec<String> {
    let mut wrong: Vec<String> = Vec::new();
    for finding in judged.findings.iter().filter(|finding| finding.severity > Severity::Note) {
        if !allowed(run, judged, finding) {
            wrong.push(format!("accused: {} ({})", finding.rule.id, finding.severity.name()));
        }
    }
    if counts(run, judged, &mut wrong) {
        each(run, judged, &mut wrong);
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

fn each(run: &Run, judged: &Judged, wrong: &mut Vec<String>) {
    for connection in judged.analysis.connections.iter() {
        let Some((conn, first)) = known_as(run, connection) else { continue };
        of_connection(run, connection, conn, first, wrong);
        for id in &connection.calls {
            of_call(run, judged, *id, conn, first, wrong);
        }
    }
}

/// Whether the counts could be compared, and agree: only then can each be compared with its truth.
fn counts(run: &Run, judged: &Judged, wrong: &mut Vec<String>) -> bool {
    let truth = &run.world.truth;
    let seen = |conn: usize| truth.captured.iter().any(|packet| packet.note.conn == conn);
    let conns: Vec<usize> = (0..run.world.conns.len()).filter(|conn| seen(*conn)).collect();
    let hosts =
        |conn: usize| run.world.conns[conn].ends[0].address.ip.min(run.world.conns[conn].ends[1].address.ip);
    let alone = |conn: usize| conns.iter().filter(|other| hosts(**other) == hosts(conn)).count() == 1;
    let named = |conn: usize| {
        let asked_only = !truth
            .captured
            .iter()
            .any(|packet| packet.note.conn == conn && !(packet.note.end == 0 && packet.note.kind == SCCRQ));
        truth.saw(conn, 1, SCCRP)
            || asked_only
            || run.world.conns[conn].refuse.is_some() && truth.saw(conn, 1, STOPCCN)
    };
    let heard = |conn: usize| {
        truth.captured.iter().any(|packet| packet.note.conn == conn && packet.note.kind != DATA)
    };
    if !conns.iter().all(|conn| named(*conn) || (alone(*conn) && heard(*conn) && run.theme != Theme::Tie)) {
        return false;
    }
    let found = judged.analysis.connections.len();
    if found != conns.len() {
        wrong.push(format!(
            "connections: {} instead of the truth",
            if found < conns.len() { "fewer" } else { "more" }
        ));
        return false;
    }
    let calls: Vec<usize> = (0..run.world.calls.len())
        .filter(|call| truth.captured.iter().any(|packet| packet.note.call == Some(*call)))
        .collect();
    let named = |call: usize| {
        let (requester, other) = (run.world.calls[call].requester, 1 - run.world.calls[call].requester);
        let both = [ICRP, OCRP].iter().any(|kind| truth.saw_of_call(call, other, *kind));
        let refused = truth.captured.iter().any(|packet| {
            packet.note.call == Some(call) && packet.note.kind == CDN && packet.note.to_session
        });
        let asked = truth.saw_of_call(call, requester, ICRQ) || truth.saw_of_call(call, requester, OCRQ);
        let mut packets = truth.captured.iter().filter(|packet| packet.note.call == Some(call));
        let only =
            packets.all(|packet| packet.note.end == requester && matches!(packet.note.kind, ICRQ | OCRQ));
        both || (refused && asked) || (asked && only)
    };
    if calls.iter().all(|call| named(*call)) && judged.analysis.calls.len() != calls.len() {
        let more = judged.analysis.calls.len() > calls.len();
        wrong.push(format!("calls: {} instead of the truth", if more { "more" } else { "fewer" }));
        return false;
    }
    calls.iter().all(|call| named(*call))
}

fn of_connection(run: &Run, connection: &Connection, conn: usize, first: usize, wrong: &mut Vec<String>) {
    let truth = &run.world.truth;
    let up = [0, 1].map(|end| truth.did(conn, end, What::Established));
    let shown = !run.mid_stream && truth.saw(conn, 0, SCCCN);
    if up[1] && shown && !connection.was_established {
        wrong.push(String::from("connection: was established, and the analysis says no"));
    }
    if !up[0] && connection.was_established {
        wrong.push(String::from("connection: never established, and the analysis says yes"));
    }
    let stopped = [0, 1].map(|end| truth.any(conn, |by, what| by == end && matches!(what, What::Stopped(_))));
    let closed = connection.closed_by.map(|end| usize::from(end) ^ first);
    match (stopped, closed) {
        ([false, false], Some(_)) => wrong.push(String::from("connection: closed by nobody")),
        ([true, false], _) if truth.saw(conn, 0, STOPCCN) && closed != Some(0) => {
            wrong.push(String::from("connection: closed by the initiator"));
        }
        ([false, true], _) if truth.saw(conn, 1, STOPCCN) && closed != Some(1) => {
            wrong.push(String::from("connection: closed by the responder"));
        }
        _ => {}
    }
    let shown = truth.shown(conn, None);
    for end in 0..2 {
        let (known, real) = (control_state(connection, end ^ first), truth.states_at_last(conn, end, None));
        if let (Some(known), Some(real)) = (known, real)
            && !run.mid_stream
            && shown
            && !real.contains(&known)
        {
            wrong.push(format!("state of a control connection: {known}, in truth {}", real[0]));
        }
    }
}

fn of_call(run: &Run, judged: &Judged, id: CallId, conn: usize, first: usize, wrong: &mut Vec<String>) {
    let truth = &run.world.truth;
    let Some(found) = judged.analysis.call(id) else { return };
    let at = usize::try_from(found.first_packet).unwrap_or(1).saturating_sub(1);
    let Some(call) = truth.captured.get(at).and_then(|packet| packet.note.call) else {
        return wrong.push(String::from("call: begins with a packet of no call"));
    };
    let it = &run.world.calls[call];
    if it.conn != conn {
        return wrong.push(String::from("call: in another control connection"));
    }
    let up = [0, 1].map(|end| truth.did(conn, end, What::CallEstablished(call)));
    let connector = if it.outgoing { 1 - it.requester } else { it.requester };
    let shown = [ICCN, OCCN].iter().any(|kind| truth.saw_of_call(call, connector, *kind));
    if up[0] && up[1] && shown && !run.mid_stream && !found.was_established {
        wrong.push(String::from("call: was established, and the analysis says no"));
    }
    if !up[connector] && found.was_established {
        wrong.push(String::from("call: never established, and the analysis says yes"));
    }
    let cleared = [0, 1].map(|end| {
        truth.any(conn, |by, what| by == end && matches!(what, What::Cleared(of, _) if of == call))
    });
    let stopped = truth.any(conn, |_, what| matches!(what, What::Stopped(_)));
    let closed = found.closed_by.map(|end| usize::from(end) ^ first);
    match (cleared, closed) {
        ([false, false], Some(_)) if !stopped => wrong.push(String::from("call: closed by nobody")),
        ([true, false], _) if !stopped && truth.saw_of_call(call, 0, CDN) && closed != Some(0) => {
            wrong.push(String::from("call: closed by the initiator"));
        }
        ([false, true], _) if !stopped && truth.saw_of_call(call, 1, CDN) && closed != Some(1) => {
            wrong.push(String::from("call: closed by the responder"));
        }
        _ => {}
    }
    let shown = truth.shown(conn, Some(call));
    for end in 0..2 {
        let (known, real) = (call_state(found, end ^ first), truth.states_at_last(conn, end, Some(call)));
        if let (Some(known), Some(real)) = (known, real)
            && !run.mid_stream
            && shown
            && !real.contains(&known)
        {
            wrong.push(format!("state of a call: {known}, in truth {}", real[0]));
        }
    }
}
