//! Rules on the authentication of tunnels (RFC 2661 section 5.1.1).

use crate::analysis::control::connection::{Connection, End};
use crate::dissect::layers::MessageType;

use super::words;
use super::{Case, Finding, rules};

rules! {
    /// A Challenge was not answered.
    ///
    /// The side that sent it clears the tunnel. Usual cause: one side demands authentication and the other has no
    /// secret for this peer.
    /// Example: an SCCRQ with a Challenge, and an SCCRP without a Challenge Response.
    TUN_CHALLENGE_UNANSWERED = "tun-challenge-unanswered", Error, "RFC 2661 5.1.1",
        "if a Challenge is received in an SCCRQ or SCCRP, a Challenge Response must be sent in the next SCCRP or SCCCN.";

    /// A Challenge Response came although nobody sent a Challenge.
    ///
    /// Harmless, but its sender mixes something up.
    /// Example: an SCCRQ without a Challenge, and an SCCRP with a Challenge Response.
    TUN_RESPONSE_WITHOUT_CHALLENGE = "tun-response-without-challenge", Warning, "RFC 2661 4.4.3",
        "the Challenge Response AVP provides a response to a challenge received.";

    /// A Challenge is used twice.
    ///
    /// Whoever has heard the response to the first can answer the second without the secret: an end that repeats its
    /// Challenges, or sends back that of its peer, proves nothing. Usual causes: a random number generator without a
    /// seed, a constant. Example: an SCCRQ and an SCCRP with the same Challenge.
    TUN_SAME_CHALLENGE = "tun-same-challenge", Warning, "RFC 1994 2.3",
        "each challenge value should be unique.";

    /// A Challenge Response is wrong, measured with the secret that was given.
    ///
    /// The two sides have different secrets. Needs `--secrets`.
    /// Example: a Challenge in the SCCRP, and a Challenge Response in the SCCCN made with another secret.
    TUN_AUTH_FAILED = "tun-auth-failed", Error, "RFC 2661 5.1.1",
        "if the expected response and the response received do not match, the tunnel must be disallowed.";

    /// A tunnel was established although its authentication failed.
    ///
    /// Measured with the secret that was given. Whoever can send packets to that peer can set up tunnels.
    /// Example: a wrong Challenge Response in the SCCCN, and a call that comes up.
    TUN_AUTH_FAILED_ACCEPTED = "tun-auth-failed-accepted", Error, "RFC 2661 5.1.1",
        "if the expected response and the response received do not match, the tunnel must be disallowed.";
}

/// The message in which an end answers a Challenge.
const ANSWERS: [(MessageType, &str); 2] = [(MessageType::SCCCN, "SCCCN"), (MessageType::SCCRP, "SCCRP")];

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    repeated(case, found);
    for (_, connection) in case.analysis.in_order() {
        if !connection.from_start || connection.version != 2 {
            continue;
        }
        for end in 0..2u8 {
            let (own, peer) = (connection.end(end), connection.end(1 - end));
            let (answer, name) = ANSWERS[usize::from(end)];
            let answered = own.sent(answer) > 0 && !own.setup_cut && !peer.setup_cut;
            if peer.challenged && answered && !own.responded {
                found.push(unanswered(connection, end, name));
            }
            if own.responded && answered && !peer.challenged && peer_known(peer, end) {
                found.push(unasked(connection, end, name));
            }
            if own.secret_proved == Some(false) {
                found.push(failed(connection, end, name));
                if connection.was_established {
                    found.push(accepted(connection, end));
                }
            }
        }
    }
}

/// Tunnels whose Challenges one is compared with.
const MOST_COMPARED: usize = 256;

/// An end that uses the Challenge of its peer, or its own of another tunnel.
fn repeated(case: &Case<'_>, found: &mut Vec<Finding>) {
    let mut before: Vec<(&Connection, u8)> = Vec::new();
    for (_, connection) in case.analysis.in_order() {
        for end in 0..2u8 {
            let own = connection.end(end);
            let Some(challenge) = own.challenge.as_ref() else { continue };
            // A request that was sent again for the same tunnel is the same request.
            let again = before.iter().rev().take(MOST_COMPARED).find(|(other, other_end)| {
                let known = other.end(*other_end);
                let same_host = known.endpoint.address == own.endpoint.address;
                known.challenge.as_ref() == Some(challenge)
                    && (other.number == connection.number || same_host && known.tunnel_id != own.tunnel_id)
            });
            if let Some((other, _)) = again {
                let which = if other.number == connection.number {
                    String::from("its peer sent in the same set-up")
                } else {
                    format!("it sent in {}", words::tunnel(other))
                };
                let who = words::who(connection, end);
                let packets = [other.first_packet, connection.first_packet];
                found.push(
                    finding(connection, end, &TUN_SAME_CHALLENGE, "a Challenge is used twice")
                        .packets(if packets[0] == packets[1] { &packets[..1] } else { &packets[..] })
                        .seen(format!("{who} sends the Challenge that {which}."))
                        .advice(format!("update {who}: its Challenges protect against nothing.")),
                );
            }
            before.push((connection, end));
        }
    }
}

/// Whether the message that might hold the Challenge is in the capture.
fn peer_known(peer: &End, end: u8) -> bool {
    peer.sent(if end == 0 { MessageType::SCCRP } else { MessageType::SCCRQ }) > 0
}

fn finding(connection: &Connection, end: u8, rule: &'static super::Rule, title: &str) -> Finding {
    Finding::new(rule, format!("{}: {title}", words::tunnel(connection)))
        .packets(&[connection.first_packet])
        .connection(connection.number)
        .by(end)
}

fn unanswered(connection: &Connection, end: u8, name: &str) -> Finding {
    let (who, peer) = (words::who(connection, end), words::who(connection, 1 - end));
    finding(connection, end, &TUN_CHALLENGE_UNANSWERED, "a Challenge was not answered")
        .seen(format!("{peer} sent a Challenge, and the {name} of {who} has no Challenge Response."))
        .advice(format!("give {who} the secret of {peer}, or do not demand authentication there."))
}

fn unasked(connection: &Connection, end: u8, name: &str) -> Finding {
    let who = words::who(connection, end);
    finding(connection, end, &TUN_RESPONSE_WITHOUT_CHALLENGE, "a Challenge Response without a Challenge")
        .seen(format!("in the {name} of {who}."))
        .advice("harmless; if it repeats, report it to the maker of that side.")
}

fn failed(connection: &Connection, end: u8, name: &str) -> Finding {
    let (who, peer) = (words::who(connection, end), words::who(connection, 1 - end));
    finding(connection, end, &TUN_AUTH_FAILED, "the tunnel secrets differ")
        .seen(format!(
            "the Challenge Response in the {name} of {who} is not that of the secret that was given."
        ))
        .unsure(Some(String::from("the secret that was given may be neither side's.")))
        .advice(format!("set the same secret on {who} and {peer}."))
}

fn accepted(connection: &Connection, end: u8) -> Finding {
    let peer = words::who(connection, 1 - end);
    finding(connection, 1 - end, &TUN_AUTH_FAILED_ACCEPTED, "established although the response is wrong")
        .seen(format!(
            "{peer} went on after a Challenge Response that does not fit the secret that was given."
        ))
        .unsure(Some(String::from("the secret that was given may not be that of this tunnel.")))
        .advice(format!("check the secret first; if it is right, {peer} does not check responses."))
}
