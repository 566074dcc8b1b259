//! Rules on PPP inside calls: each is raised by one session that breaks it, and not by one that nearly does.

use crate::common::ppp::*;
use crate::common::*;
use l2tp_inspect::rules::Certainty::{Certain, Possible};
use l2tp_inspect::rules::Severity::{Error, Note, Warning};

#[test]
fn echoes_without_a_reply() {
    let echoes = |answered: bool| {
        let mut talk = opened(MRU);
        // The last one may be under way.
        for identifier in 0..6 {
            talk.wait(10_000).data(LNS, &packet(LCP, 9, identifier, &[0; 4]));
            if answered {
                talk.data(LAC, &packet(LCP, 10, identifier, &[0; 4]));
            }
        }
        talk.judge()
    };
    echoes(false).assert_raises("ppp-echo-unanswered", Error, Certain);
    echoes(true).assert_quiet("ppp-echo-unanswered");
    // The peer's data goes on: a path that loses one in five each way may lose a few replies, but not ten in a row.
    let beside_data = |echoes: u8| {
        let mut talk = opened(MRU);
        for identifier in 0..echoes {
            talk.wait(10_000).data(LNS, &packet(LCP, 9, identifier, &[0; 4])).data(LAC, IP);
        }
        talk.judge()
    };
    beside_data(6).assert_raises("ppp-echo-unanswered", Note, Possible);
    beside_data(12).assert_raises("ppp-echo-unanswered", Error, Certain);
    // Near miss: a new negotiation of LCP is between them.
    let mut talk = opened(MRU);
    for identifier in 0..8 {
        if identifier % 3 == 0 {
            talk.data(LAC, &packet(LCP, REQUEST, 10 + identifier, MRU));
        }
        talk.wait(10_000).data(LNS, &packet(LCP, 9, identifier, &[0; 4]));
    }
    talk.judge().assert_quiet("ppp-echo-unanswered");
    // Near miss: two are no proof.
    let mut talk = opened(MRU);
    talk.data(LNS, &packet(LCP, 9, 1, &[0; 4])).data(LNS, &packet(LCP, 9, 2, &[0; 4]));
    talk.judge().assert_quiet("ppp-echo-unanswered");
}

#[test]
fn what_a_peer_refuses() {
    let mut talk = opened(MRU);
    talk.data(LNS, &packet(LCP, 8, 1, &[0x80, 0xfd, 1, 1, 0, 4]));
    talk.judge().assert_raises("ppp-protocol-reject", Note, Certain);
    let mut talk = opened(MRU);
    talk.data(LNS, &packet(LCP, 8, 1, &[0x80, 0x21, 1, 1, 0, 4]));
    talk.judge().assert_raises("ppp-protocol-reject", Warning, Certain);
    let mut talk = opened(MRU);
    talk.data(LNS, &packet(LCP, 7, 1, &[2, 1, 0, 4])).judge().assert_raises(
        "ppp-code-reject",
        Error,
        Certain,
    );
    // Near misses: an extension is rejected, nothing is.
    let mut talk = opened(MRU);
    talk.data(LNS, &packet(LCP, 7, 1, &[12, 1, 0, 4])).judge().assert_quiet("ppp-code-reject");
    opened(MRU).judge().assert_quiet("ppp-protocol-reject");
}

#[test]
fn ends_with_a_reason() {
    let ended = |reason: &[u8]| {
        let mut talk = opened(MRU);
        talk.data(LNS, &packet(LCP, 5, 2, reason)).judge()
    };
    ended(b"out of memory").assert_raises("ppp-terminated", Note, Certain);
    ended(b"User request").assert_quiet("ppp-terminated");
    ended(b"").assert_quiet("ppp-terminated");
}

#[test]
fn phases_out_of_order() {
    let early = |pause: i64, again: u8| {
        let mut talk = call();
        talk.data(LAC, &packet(LCP, REQUEST, 1, MRU)).data(LNS, &packet(LCP, REQUEST, 1, MRU));
        for identifier in 0..4 {
            talk.wait(pause).data(LAC, &packet(IPCP, REQUEST, identifier, &[]));
        }
        talk.wait(pause).data(LAC, &packet(LCP, REQUEST, again, MRU)).judge()
    };
    // It asks once more, so it had no answer; if it asks for something else, the capture may lack one.
    early(1100, 1).assert_raises("ppp-data-before-opened", Error, Certain);
    early(1100, 2).assert_raises("ppp-data-before-opened", Note, Possible);
    early(50, 1).assert_quiet("ppp-data-before-opened");
    let challenged = |outcome: bool| {
        let mut talk = opened(MS_CHAP);
        for identifier in 0..3 {
            talk.data(LNS, &packet(CHAP, 1, identifier, &[[16].as_slice(), &[7; 16]].concat()));
            if outcome {
                talk.data(LNS, &packet(CHAP, 3, identifier, b"welcome"));
            }
            talk.wait(1500).data(LAC, &packet(IPCP, REQUEST, identifier, &[])).wait(1500);
        }
        talk.judge()
    };
    challenged(false).assert_raises("ppp-ncp-before-auth", Error, Certain);
    challenged(true).assert_quiet("ppp-ncp-before-auth");
    let before = |authenticated: bool| {
        let mut talk = opened(MS_CHAP);
        if authenticated {
            talk.data(LNS, &packet(CHAP, 1, 1, &[16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
            talk.data(LAC, &packet(CHAP, 2, 1, &[&[49][..], &[0; 49], b"alice"].concat()));
            talk.data(LNS, &packet(CHAP, 3, 1, b"welcome"));
        }
        for identifier in 0..4 {
            talk.wait(1000).data(LAC, &packet(IPCP, REQUEST, identifier, &[]));
        }
        talk.judge()
    };
    // The capture may lack all of the authentication.
    before(false).assert_raises("ppp-ncp-before-auth", Note, Possible);
    before(true).assert_quiet("ppp-ncp-before-auth");
}

#[test]
fn negotiations_and_challenges_that_lead_nowhere() {
    let refused = |naks: u8| {
        let mut talk = call();
        for identifier in 0..naks {
            talk.wait(100).data(LAC, &packet(LCP, REQUEST, identifier, MRU));
            talk.data(LNS, &packet(LCP, NAK, identifier, &[1, 4, 5, 0xdc]));
        }
        talk.judge()
    };
    refused(12).assert_raises("ppp-lcp-loop", Error, Certain);
    refused(9).assert_quiet("ppp-lcp-loop");
    let challenged = |times: u8| {
        let mut talk = opened(MS_CHAP);
        for identifier in 0..times {
            talk.wait(3000).data(LNS, &packet(CHAP, 1, identifier, &[[16].as_slice(), &[7; 16]].concat()));
        }
        talk.judge()
    };
    challenged(6).assert_raises("ppp-auth-no-answer", Error, Certain);
    // Four are explained by a path that loses one in five each way.
    challenged(4).assert_raises("ppp-auth-no-answer", Note, Possible);
    challenged(2).assert_quiet("ppp-auth-no-answer");
}

#[test]
fn users_who_are_let_in_and_get_no_network() {
    let session = |requests: u8, network: bool| {
        let mut talk = opened(MS_CHAP);
        talk.data(LNS, &packet(CHAP, 1, 1, &[[16].as_slice(), &[7; 16]].concat()));
        talk.data(LAC, &packet(CHAP, 2, 1, &[&[49][..], &[0; 49], b"alice"].concat()));
        talk.data(LNS, &packet(CHAP, 3, 1, b"welcome"));
        for _ in 0..requests {
            talk.data(LAC, &packet(IPCP, REQUEST, 1, &[])).wait(3000);
        }
        if network {
            talk.data(LNS, &packet(IPCP, REQUEST, 1, &[]));
            talk.data(LAC, &packet(IPCP, ACK, 1, &[])).data(LNS, &packet(IPCP, ACK, 1, &[]));
        }
        talk.close().judge()
    };
    session(6, false).assert_raises("ppp-no-ncp", Error, Certain);
    // It was closed before there was time for it.
    session(1, false).assert_raises("ppp-no-ncp", Note, Possible);
    session(6, true).assert_quiet("ppp-no-ncp");
}

#[test]
fn weak_and_refused_authentication() {
    let weak = |password: bool| {
        let mut talk = opened(if password { PAP_DEMAND } else { MS_CHAP });
        if password {
            pap(&mut talk, "alice", "wonderland", 2);
        } else {
            talk.data(LNS, &packet(CHAP, 1, 1, &[[16].as_slice(), &[7; 16]].concat()));
            talk.data(LAC, &packet(CHAP, 2, 1, &[&[49][..], &[0; 49], b"alice"].concat()));
            talk.data(LNS, &packet(CHAP, 3, 1, b"welcome"));
        }
        talk.judge()
    };
    weak(true).assert_raises("ppp-auth-weak", Warning, Certain);
    weak(false).assert_quiet("ppp-auth-weak");
    // The LNS demands MS-CHAPv2, the LAC rejects it, and the LNS ends the call.
    let refused = |code: u8, reason: &[u8], agreed: bool| {
        let mut talk = call();
        let named = if code == NAK { PAP_DEMAND } else { MS_CHAP };
        talk.data(LNS, &packet(LCP, REQUEST, 1, MS_CHAP)).data(LAC, &packet(LCP, code, 1, named));
        if agreed {
            talk.data(LNS, &packet(LCP, REQUEST, 2, PAP_DEMAND)).data(LAC, &packet(LCP, ACK, 2, PAP_DEMAND));
            talk.data(LAC, &packet(LCP, REQUEST, 1, MRU)).data(LNS, &packet(LCP, ACK, 1, MRU));
            pap(&mut talk, "alice", "wonderland", 2);
        }
        talk.data(LNS, &packet(LCP, 5, 3, reason)).close().judge()
    };
    refused(REJECT, b"", false).assert_raises("ppp-auth-protocol-disagreed", Error, Certain);
    refused(NAK, b"no way to authenticate", false).assert_raises(
        "ppp-auth-protocol-disagreed",
        Error,
        Certain,
    );
    // It names another protocol, and the call ends at the user's wish, perhaps.
    refused(NAK, b"", false).assert_raises("ppp-auth-protocol-disagreed", Note, Possible);
    refused(REJECT, b"", true).assert_quiet("ppp-auth-protocol-disagreed");
}
