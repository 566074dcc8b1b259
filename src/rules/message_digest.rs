//! Rules on the Message Digest of L2TPv3 control messages (RFC 3931 sections 4.3 and 5.4.1).

use crate::analysis::control::connection::Connection;
use crate::analysis::log::Tally;
use crate::dissect::layers::DigestCheck;
use crate::util::Timestamp;

use super::words::{self, count};
use super::{Case, Finding, Severity, rules};

rules! {
    /// A control message has a Message Digest that does not hold, and others of its sender hold.
    ///
    /// So the secret is the right one, and it is the message: its receiver has to drop it. It was changed on the way, or
    /// somebody else sent it, or its sender computes the digest of such messages in another way. Digests of messages
    /// whose nonces were not seen are not judged. Where no end sends a nonce, digests check integrity alone and need no
    /// secret; in all other control connections they need `--secrets`.
    /// Example: a Hello whose Message Digest is changed, between messages whose digests hold.
    TUN_DIGEST_WRONG = "tun-digest-wrong", Error, "RFC 3931 5.4.1",
        "if the calculation of the Message Digest fails, the message must be dropped.";

    /// No control message of an end has a Message Digest of the secret that was given.
    ///
    /// The two sides have different secrets, or the one of `--secrets` is neither side's. If the control connection comes
    /// up all the same, it is rather the file that is wrong, and the finding is a note.
    /// Example: an SCCRQ, SCCRP and SCCCN with Message Digests of another secret than that of `--secrets`.
    TUN_DIGEST_SECRET = "tun-digest-secret", Error, "RFC 3931 5.4.1",
        "the contents of the Message Digest are compared against the expected value; if that fails, the message must be dropped.";
}

/// What the digests of one end showed.
struct Shown<'a> {
    connection: &'a Connection,
    end: u8,
    proved: u64,
    /// How many hold, and when the last of them was sent.
    good: u64,
    last_good: Option<Timestamp>,
    wrong: Option<&'a Tally>,
    damaged: Option<&'a Tally>,
}

impl<'a> Shown<'a> {
    fn new(case: &Case<'a>, connection: &'a Connection, end: u8) -> Self {
        let of = |check| case.analysis.digests(connection, end, check);
        let (proved, intact) = (of(DigestCheck::Proved), of(DigestCheck::Intact));
        let holding = proved.into_iter().chain(intact);
        Self {
            connection,
            end,
            proved: proved.map_or(0, |tally| tally.count),
            good: holding.clone().fold(0, |sum, tally| sum.saturating_add(tally.count)),
            last_good: holding.map(|tally| tally.last).max(),
            wrong: of(DigestCheck::Wrong),
            damaged: of(DigestCheck::Damaged),
        }
    }

    fn who(&self) -> String {
        words::who(self.connection, self.end)
    }

    fn peer(&self) -> String {
        words::who(self.connection, 1 - self.end)
    }

    fn finding(&self, rule: &'static super::Rule, title: &str, tally: &Tally) -> Finding {
        Finding::new(rule, format!("{}: {title}", words::tunnel(self.connection)))
            .tally(tally)
            .connection(self.connection.number)
            .by(self.end)
    }

    /// What else than the message could explain that it does not hold.
    fn doubt(&self, tally: &Tally) -> Option<String> {
        // What a receiver drops it does not live with.
        if self.connection.was_established && tally.count >= self.good {
            return Some(format!(
                "the control connection came up with them: {} may have a second secret, or both ends may compute digests in a way of their own.",
                self.peer()
            ));
        }
        self.last_good.is_none_or(|last| last < tally.last).then(|| {
            String::from(
                "none of its later messages holds: another control connection with the same IDs may have begun, whose nonces are not in the capture.",
            )
        })
    }

    /// A message that does not hold, though others of its sender do.
    fn message(&self, tally: &Tally) -> Finding {
        let good = self.good;
        self.finding(&TUN_DIGEST_WRONG, "a Message Digest does not hold", tally)
            .seen(format!(
                "{} of {} ({}); {} of it {}.",
                count(tally.count, "digest"),
                self.who(),
                words::packets(&tally.packets, tally.count),
                count(good, "other"),
                if good == 1 { "holds" } else { "hold" },
            ))
            .unsure(self.doubt(tally))
            .advice(format!(
                "capture at {} as well: if the message is the same there, {} computes its digest wrongly; if not, it is changed on the way or forged.",
                self.who(),
                self.who()
            ))
    }

    /// No message holds, and no end sent a nonce.
    fn integrity(&self, tally: &Tally) -> Finding {
        self.finding(&TUN_DIGEST_WRONG, "no Message Digest holds", tally)
            .severity(Severity::Warning)
            .seen(format!(
                "{} of {} ({}); no nonce was sent, so each should be that of the message alone.",
                count(tally.count, "digest"),
                self.who(),
                words::packets(&tally.packets, tally.count),
            ))
            .unsure(Some(format!("{} may use a secret although it sends no nonce.", self.who())))
            .advice(format!("give the secret with --secrets, or let {} send a nonce.", self.who()))
    }

    /// No message holds, and there is a secret.
    fn secret(&self, tally: &Tally, peer: &Self) -> Finding {
        let up = self.connection.was_established;
        let unsure = if up {
            String::from("the control connection came up: the secret that was given is probably not its own.")
        } else if peer.proved > 0 {
            format!("{} may have a second secret, which was not given.", self.peer())
        } else {
            String::from("the secret that was given may be neither side's.")
        };
        let given = if peer.proved > 0 {
            format!("the secret that was given, which is that of {}", self.peer())
        } else {
            String::from("the secret that was given")
        };
        self.finding(&TUN_DIGEST_SECRET, "the Message Digests are made with another secret", tally)
            .severity(if up { Severity::Note } else { Severity::Error })
            .seen(format!(
                "{} of {} ({}), and none of them is made with {given}.",
                count(tally.count, "digest"),
                self.who(),
                words::packets(&tally.packets, tally.count),
            ))
            .unsure(Some(unsure))
            .advice(format!(
                "check the file first; if it is right, set the same secret on {} and {}.",
                self.who(),
                self.peer()
            ))
    }
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        if connection.version != 3 {
            continue;
        }
        let ends = [0, 1].map(|end| Shown::new(case, connection, end));
        let [first, second] = &ends;
        for (own, peer) in [(first, second), (second, first)] {
            let bad = [(own.wrong, true), (own.damaged, false)];
            for (tally, with_secret) in bad.into_iter().filter_map(|(tally, secret)| Some((tally?, secret))) {
                found.push(match (own.good, with_secret) {
                    (0, true) => own.secret(tally, peer),
                    (0, false) => own.integrity(tally),
                    _ => own.message(tally),
                });
            }
        }
    }
}
