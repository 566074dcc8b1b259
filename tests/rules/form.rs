//! Rules on the form of one message: each is raised by one SCCRQ (or other message) that breaks it, and by no orderly one.

use crate::common::*;
use l2tp_inspect::rules::Certainty::Certain;
use l2tp_inspect::rules::Severity;
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

/// The AVPs of one message.
type Avps = Vec<Vec<u8>>;

/// An AVP with these flags, vendor and value.
fn flagged(flags: u16, vendor: u16, attribute: u16, value: &[u8]) -> Vec<u8> {
    let mut out = (flags | (6 + value.len() as u16)).to_be_bytes().to_vec();
    out.extend(vendor.to_be_bytes());
    out.extend(attribute.to_be_bytes());
    out.extend(value);
    out
}

const M: u16 = 0x8000;
const H: u16 = 0x4000;

/// The AVPs of an orderly SCCRQ.
fn request() -> Vec<Vec<u8>> {
    vec![
        avp(0, &SCCRQ.to_be_bytes()),
        avp(2, &[1, 0]),
        avp(3, &[0, 0, 0, 3]),
        avp(7, b"lac"),
        avp(9, &7u16.to_be_bytes()),
        avp(10, &[0, 4]),
    ]
}

/// What a capture of one message raises.
fn sent(flags: u16, tunnel: u16, session: u16, avps: &[Vec<u8>]) -> Judged {
    let mut talk = Talk::default();
    let body = avps.concat();
    let mut out = flags.to_be_bytes().to_vec();
    if flags & 0x4000 != 0 {
        out.extend((12 + body.len() as u16).to_be_bytes());
    }
    for word in [tunnel, session] {
        out.extend(word.to_be_bytes());
    }
    if flags & 0x0800 != 0 {
        out.extend([0; 4]);
    }
    if flags & 0x0200 != 0 {
        out.extend([0; 2]);
    }
    out.extend(body);
    talk.datagram(LAC, &out);
    talk.judge()
}

fn raises(rule: &str, severity: Severity, judged: &Judged) {
    let found = judged.assert_raises(rule, severity, Certain);
    assert_eq!((found.end, found.packets.as_slice()), (Some(0), &[1][..]), "{found:#?}");
}

#[test]
fn an_orderly_request_raises_nothing() {
    assert_eq!(sent(0xc802, 0, 0, &request()).raised(), Vec::<&str>::new());
    // Every message of an orderly conversation, a hidden AVP behind a Random Vector, an extension of a later RFC.
    let mut all = request();
    all.extend([
        avp(36, &[7; 16]),
        flagged(H, 0, 8, &[9; 16]),
        flagged(0, 0, 47, &[0, 1]),
        flagged(0, 9, 1, &[1]),
    ]);
    let raised = sent(0xc802, 0, 0, &all).raised();
    assert!(raised.iter().all(|rule| *rule == "avp-value-length"), "{raised:?}");
}

#[test]
fn headers() {
    raises("hdr-control-length-bit", Error, &sent(0x8802, 0, 0, &request()));
    raises("hdr-control-offset-bit", Error, &sent(0xca02, 0, 0, &request()));
    raises("hdr-control-priority-bit", Error, &sent(0xc902, 0, 0, &request()));
    raises("hdr-reserved-bits", Warning, &sent(0xc812, 0, 0, &request()));
    raises("hdr-control-sequence-bit", Error, &sent(0xc002, 0, 0, &request()));
    raises("hdr-tunnel-id-not-zero", Error, &sent(0xc802, 5, 0, &request()));
    raises("hdr-session-id-on-tunnel-message", Error, &sent(0xc802, 0, 5, &request()));
    raises("hdr-control-tunnel-id-zero", Error, &sent(0xc802, 0, 0, &[avp(0, &HELLO.to_be_bytes())]));
    raises("hello-session-id", Error, &sent(0xc802, 7, 5, &[avp(0, &HELLO.to_be_bytes())]));
    let call = [avp(0, &ICRQ.to_be_bytes()), avp(14, &[0, 9]), avp(15, &[0; 4])];
    raises("call-request-session-id-not-zero", Error, &sent(0xc802, 7, 5, &call));
    // Near misses: an orderly request has none of these bits and IDs, and neither have a Hello and a request for a call.
    sent(0xc802, 0, 0, &request()).assert_all_quiet(&[
        "hdr-control-length-bit",
        "hdr-control-offset-bit",
        "hdr-control-priority-bit",
        "hdr-reserved-bits",
        "hdr-control-sequence-bit",
        "hdr-tunnel-id-not-zero",
        "hdr-session-id-on-tunnel-message",
    ]);
    sent(0xc802, 7, 0, &[avp(0, &HELLO.to_be_bytes())])
        .assert_all_quiet(&["hello-session-id", "hdr-control-tunnel-id-zero"]);
    sent(0xc802, 7, 0, &call).assert_quiet("call-request-session-id-not-zero");
    // A StopCCN that refuses a request may have no Tunnel ID, other messages about calls have a session.
    let refusal = [avp(0, &STOPCCN.to_be_bytes()), avp(9, &[0, 9]), avp(1, &[0, 4])];
    sent(0xc802, 0, 0, &refusal).assert_quiet("hdr-control-tunnel-id-zero");
    assert!(
        sent(0xc802, 7, 5, &[avp(0, &ICCN.to_be_bytes())])
            .finding("hdr-session-id-on-tunnel-message")
            .is_none()
    );
}

/// Each row: the rule, how bad, messages that break it, and messages that nearly do.
#[test]
fn avps_of_a_request() {
    let with = |extra: Vec<u8>| [request(), vec![extra]].concat();
    let instead = |number: usize, other: Vec<u8>| {
        let mut all = request();
        all[number] = other;
        all
    };
    let without = |number: usize| {
        let mut all = request();
        all.remove(number);
        all
    };
    let mut swapped = request();
    swapped.swap(0, 1);
    let mut behind = request();
    behind.swap(1, 2);
    let vector = || avp(36, &[7; 16]);
    let hello = || avp(0, &HELLO.to_be_bytes());
    let rows: Vec<(&str, Severity, Avps, Avps)> = vec![
        ("avp-length-short", Error, with(vec![0x80, 5, 0, 0, 0, 8]), with(flagged(0, 0, 8, b""))),
        (
            "avp-overruns-message",
            Error,
            with(vec![0x80, 40, 0, 0, 0, 8, 1]),
            with(vec![0, 7, 0, 0, 0, 8, b'v']),
        ),
        ("avp-reserved-bits", Warning, with(flagged(0x2000, 0, 8, b"v")), with(flagged(0, 0, 8, b"v"))),
        ("avp-message-type-not-first", Error, swapped, behind),
        ("avp-message-type-twice", Error, with(avp(0, &SCCRQ.to_be_bytes())), request()),
        // From type 17 on it may be clear.
        (
            "avp-message-type-m-bit",
            Warning,
            instead(0, flagged(0, 0, 0, &SCCRQ.to_be_bytes())),
            vec![flagged(0, 0, 0, &[0, 18])],
        ),
        ("avp-message-type-hidden", Error, vec![flagged(M | H, 0, 0, &[0; 8])], request()),
        ("msg-type-unknown-mandatory", Error, vec![avp(0, &[0, 99])], vec![flagged(0, 0, 0, &[0, 99])]),
        ("msg-type-unknown-optional", Note, vec![flagged(0, 0, 0, &[0, 99])], vec![avp(0, &[0, 99])]),
        ("msg-type-reserved", Error, vec![avp(0, &[0, 5])], vec![hello()]),
        ("avp-missing-required", Error, without(3), without(5)),
        ("avp-not-allowed", Warning, with(avp(14, &[0, 9])), with(flagged(0, 0, 47, &[0, 1]))),
        ("avp-duplicate", Warning, with(avp(7, b"again")), [request(), vec![vector(), vector()]].concat()),
        (
            "avp-mandatory-bit-wrong",
            Warning,
            instead(5, flagged(0, 0, 10, &[0, 4])),
            with(flagged(0, 0, 8, b"v")),
        ),
        (
            "avp-hidden-not-allowed",
            Error,
            instead(3, [vector(), flagged(M | H, 0, 7, &[1; 8])].concat()),
            instead(4, [vector(), flagged(M | H, 0, 9, &[1; 8])].concat()),
        ),
        ("avp-value-length", Error, instead(2, avp(3, &[0, 3])), instead(2, avp(3, &[0, 0, 0, 1]))),
        ("avp-unknown-mandatory", Error, with(flagged(M, 4711, 1, &[1])), with(flagged(0, 4711, 1, &[1]))),
        ("avp-unknown-optional", Note, with(flagged(0, 4711, 1, &[1])), with(flagged(0, 9, 1, &[1]))),
        (
            "avp-random-vector-missing",
            Error,
            with(flagged(H, 0, 8, &[1; 8])),
            [request(), vec![vector(), flagged(H, 0, 8, &[1; 8])]].concat(),
        ),
        ("avp-random-vector-short", Note, with(avp(36, &[7; 15])), with(vector())),
        ("avp-assigned-id-zero", Error, instead(4, avp(9, &[0, 0])), instead(4, avp(9, &[0, 1]))),
        ("avp-window-zero", Error, instead(5, avp(10, &[0, 0])), instead(5, avp(10, &[0, 1]))),
        ("avp-protocol-version", Error, instead(1, avp(2, &[2, 0])), request()),
        ("avp-host-name-empty", Error, instead(3, avp(7, b"")), instead(3, avp(7, b"l"))),
        ("hello-extra-avps", Note, vec![hello(), avp(7, b"lac")], vec![hello(), vector()]),
    ];
    for (rule, severity, breaks, nearly) in rows {
        let tunnel = if rule == "hello-extra-avps" { 9 } else { 0 };
        raises(rule, severity, &sent(0xc802, tunnel, 0, &breaks));
        sent(0xc802, tunnel, 0, &nearly).assert_quiet(rule);
    }
}

#[test]
fn what_the_capture_cut_is_not_missing() {
    let mut talk = Talk::default();
    talk.send(LAC, SCCRQ);
    let whole = talk.frames[0].1.len();
    for cut in 41..whole {
        let mut talk = Talk::default();
        talk.send(LAC, SCCRQ);
        talk.frames[0].1.truncate(cut);
        let judged = talk.judge_cut(whole as u32);
        let avp = judged.raised().into_iter().filter(|rule| rule.starts_with("avp-")).collect::<Vec<_>>();
        assert_eq!(avp, Vec::<&str>::new(), "cut at {cut}");
    }
}

#[test]
fn proxy_authentication() {
    let connect = |avps: Vec<Vec<u8>>| {
        let mut talk = Talk::default();
        talk.tunnel().send(LAC, ICRQ).send(LNS, ICRP);
        let body = [vec![avp(0, &ICCN.to_be_bytes()), avp(19, &[0, 0, 0, 1]), avp(24, &[0; 4])], avps]
            .concat()
            .concat();
        talk.send_with(LAC, ICCN, 22, &body).judge()
    };
    let all = vec![
        flagged(0, 0, 29, &[0, 3]),
        flagged(0, 0, 30, b"alice"),
        flagged(0, 0, 32, &[0, 1]),
        flagged(0, 0, 33, b"pw"),
    ];
    let judged = connect(all.clone());
    judged.assert_quiet("avp-proxy-authen-incomplete");
    judged.assert_raises("avp-cleartext-proxy-password", Warning, Certain);
    // Near miss: type 2 sends no password.
    let chap = [vec![flagged(0, 0, 29, &[0, 2])], all[1..].to_vec()].concat();
    connect(chap).assert_quiet("avp-cleartext-proxy-password");
    connect(all[..2].to_vec()).assert_raises("avp-proxy-authen-incomplete", Warning, Certain);
    // Near miss: type 4 needs none.
    connect(vec![flagged(0, 0, 29, &[0, 4])]).assert_quiet("avp-proxy-authen-incomplete");
}

#[test]
fn results() {
    let stop = |result: &[u8]| {
        let mut talk = Talk::default();
        let body = [avp(0, &STOPCCN.to_be_bytes()), avp(9, &[0, 7]), avp(1, result)].concat();
        talk.tunnel().send_with(LAC, STOPCCN, 0, &body).zlb(LNS).judge()
    };
    stop(&[0, 99]).assert_raises("end-result-out-of-range", Warning, Certain);
    let swapped = stop(&[1, 0, 0, 0]);
    assert!(
        swapped.finding("end-result-out-of-range").is_some_and(|found| found.title.contains("swapped 1"))
    );
    stop(&[0, 2]).assert_raises("end-error-code-missing", Error, Certain);
    stop(&[0, 5]).assert_raises("end-error-code-missing", Error, Certain);
    stop(&[0, 2, 0, 6]).assert_raises("end-error-6-no-text", Warning, Certain);
    let orderly = stop(&[0, 2, 0, 6, b'x']);
    for orderly in [orderly, stop(&[0, 1, 0, 0])] {
        orderly.assert_all_quiet(&[
            "end-result-out-of-range",
            "end-error-code-missing",
            "end-error-6-no-text",
        ]);
    }
}

#[test]
fn habits_of_known_stacks_are_notes_under_interop() {
    let judge = |vendor: &[u8], strict: bool| {
        let mut talk = Talk::default();
        let mut all = request();
        all[5] = flagged(0, 0, 10, &[0, 4]);
        all.push(flagged(0, 0, 8, vendor));
        talk.send_with(LAC, SCCRQ, 0, &all.concat());
        if strict { talk.judge_strictly() } else { talk.judge() }
    };
    judge(b"L2TP", false).assert_raises("avp-mandatory-bit-wrong", Note, Certain);
    judge(b"L2TP", true).assert_raises("avp-mandatory-bit-wrong", Warning, Certain);
    judge(b"nobody", false).assert_raises("avp-mandatory-bit-wrong", Warning, Certain);
}
