//! What the authentication of a PPP session proves, held against the passwords that were given (RFC 1334 section 2.2,
//! RFC 1994 section 4, RFC 2433, RFC 2759, RFC 3748 section 5.4).

use std::sync::Arc;

use crate::dissect::layers::{PppBody, PppControl};
use crate::ipsec::{Attempt, Authenticator, Proof, Scheme, Secret, Users, Verdict, next_challenge};
use crate::util::Printable;

use crate::analysis::limits::TEXT;
use crate::analysis::ppp::authentication::{Authentication, Outcome};
use crate::analysis::ppp::protocol::{self, other};

/// What an end sent to prove its password, and what came of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What the passwords say of it.
    pub verdict: Verdict,
    /// The name that the end gave.
    pub name: Printable,
    /// The packet of the Response or Authenticate-Request, the first of its copies.
    pub packet: u64,
    /// What the authenticator said to it, and in which packet.
    pub outcome: Option<(Outcome, u64)>,
    /// What the Success says of the authenticator, if that is MS-CHAPv2 and the response is right.
    pub server: Option<Server>,
    protocol: u16,
    identifier: u8,
    authenticator: Option<Authenticator>,
}

/// Whether the authenticator shows that it knows the password (RFC 2759 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// It does.
    Right,
    /// Its authenticator response is that of another password.
    Wrong,
    /// It sent none.
    Missing,
}

impl Answer {
    /// The name in reports.
    pub fn proof_name(&self) -> &'static str {
        match (&self.verdict, self.server) {
            (Verdict::Right, Some(Server::Right)) => "mutual",
            (Verdict::Right, None) => "proved",
            (Verdict::Right, Some(Server::Wrong | Server::Missing)) => "wrong-server",
            (Verdict::WrongPassword, _) => "wrong-password",
            (Verdict::OtherUser { .. }, _) => "other-user",
            (Verdict::OtherName(_), _) => "other-name",
        }
    }

    /// Whether the password itself was sent.
    pub fn in_clear(&self) -> bool {
        self.protocol == protocol::PAP
    }
}

/// A Challenge that may be answered yet.
#[derive(Debug, Clone)]
struct Challenge {
    end: u8,
    protocol: u16,
    identifier: u8,
    value: Arc<Secret>,
}

/// What one session proved.
#[derive(Debug, Clone, Default)]
pub struct Proofs {
    /// Of each end, the last that it sent.
    answers: [Option<Answer>; 2],
    challenges: Vec<Challenge>,
}

/// Challenges that are kept for a Response, the latest.
const MOST_CHALLENGES: usize = 4;
/// The MD5-Challenge of EAP (RFC 3748 section 5.4).
const MD5_CHALLENGE: u8 = 4;
/// Code, Identifier and Length.
const HEADER: usize = 4;

impl Proofs {
    /// What an end proved.
    pub fn answer(&self, end: u8) -> Option<&Answer> {
        self.answers.get(usize::from(end))?.as_ref()
    }

    /// Looks for proofs in a packet of PAP, CHAP or EAP that already moved the authentication.
    pub(super) fn push(
        &mut self,
        control: &PppControl,
        end: u8,
        packet: u64,
        users: &Users,
        known: &Authentication,
    ) {
        let direction = known.by(other(end));
        let agreed = direction.method().filter(|method| method.is_chap());
        let identifier = control.identifier;
        let answer = |name: &Printable, proof: Proof| Answer {
            verdict: proof.verdict,
            name: name.clipped(TEXT),
            packet,
            outcome: None,
            server: None,
            protocol: control.protocol,
            identifier,
            authenticator: proof.authenticator,
        };
        match (control.protocol, control.code, &control.body) {
            (protocol::PAP, 1, PppBody::PapRequest { name, password: Some(response) }) => {
                let challenge = &Secret::default();
                let attempt =
                    Attempt { scheme: Scheme::Pap, identifier, challenge, response, name: name.as_str() };
                self.answered(end, users.prove(&attempt).map(|proof| answer(name, proof)));
            }
            (protocol::CHAP, 1, PppBody::Chap { value, .. })
            | (protocol::EAP, 1, PppBody::Eap { kind: MD5_CHALLENGE, value: Some(value), .. }) => {
                self.challenged(Challenge {
                    end,
                    protocol: control.protocol,
                    identifier,
                    value: Arc::clone(value),
                });
            }
            (protocol::CHAP, 2, PppBody::Chap { name, value }) => {
                // A name that the capture cut is another name.
                let whole = HEADER.saturating_add(1).saturating_add(value.len());
                if whole.saturating_add(name.as_str().len()) < usize::from(control.length) {
                    return;
                }
                let allowed = |scheme: Scheme| {
                    let algorithm = agreed.and_then(|method| method.algorithm());
                    algorithm.is_none_or(|algorithm| scheme.algorithm() == Some(algorithm))
                };
                self.respond(control, end, (name, value), users, allowed, answer);
            }
            (protocol::EAP, 2, PppBody::Eap { kind: MD5_CHALLENGE, value: Some(value), .. }) => {
                let Some(name) = &direction.name else { return };
                self.respond(control, end, (name, value), users, |scheme| scheme == Scheme::Md5, answer);
            }
            (protocol::PAP, 2, _) | (protocol::CHAP | protocol::EAP, 3, _) => {
                self.concluded(control, end, (Outcome::Success, packet));
            }
            (protocol::PAP, 3, _) | (protocol::CHAP | protocol::EAP, 4, _) => {
                self.concluded(control, end, (Outcome::Failure, packet));
            }
            _ => {}
        }
    }

    fn challenged(&mut self, challenge: Challenge) {
        let same = |known: &Challenge| known.is_as(&challenge) && known.value.same(&challenge.value);
        if self.challenges.iter().any(same) {
            return;
        }
        if self.challenges.len() >= MOST_CHALLENGES {
            self.challenges.remove(0);
        }
        self.challenges.push(challenge);
    }

    fn respond(
        &mut self,
        control: &PppControl,
        end: u8,
        (name, response): (&Printable, &Secret),
        users: &Users,
        allowed: impl Fn(Scheme) -> bool,
        answer: impl Fn(&Printable, Proof) -> Answer,
    ) {
        let (identifier, protocol) = (control.identifier, control.protocol);
        let mut candidates = self
            .challenges
            .iter()
            .filter(|known| known.end != end && known.protocol == protocol && known.identifier == identifier);
        let proofs: Vec<Option<Proof>> = candidates
            .by_ref()
            .map(|challenge| {
                let scheme = Scheme::of(challenge.value.len(), response.len()).filter(|s| allowed(*s))?;
                let challenge = &challenge.value;
                users.prove(&Attempt { scheme, identifier, challenge, response, name: name.as_str() })
            })
            .collect();
        let several = match proofs.len() {
            // The capture began later, or it answers anew what was decided.
            0 => {
                let slot = self.answers.get_mut(usize::from(end));
                if let Some(slot) = slot
                    && slot.as_ref().is_some_and(|known| known.identifier != identifier)
                {
                    *slot = None;
                }
                return;
            }
            1 => false,
            _ => true,
        };
        let wrong = |proof: &Proof| proof.verdict == Verdict::WrongPassword;
        // Which of several it answers is known only if it fits one.
        let proof = proofs
            .into_iter()
            .flatten()
            .filter(|proof| !several || !wrong(proof))
            .min_by_key(|proof| proof.verdict != Verdict::Right);
        self.answered(end, proof.map(|proof| answer(name, proof)));
    }

    fn answered(&mut self, end: u8, answer: Option<Answer>) {
        let Some(slot) = self.answers.get_mut(usize::from(end)) else { return };
        let again = slot.as_ref().zip(answer.as_ref()).is_some_and(|(known, new)| {
            (known.protocol, known.identifier, &known.verdict, &known.name)
                == (new.protocol, new.identifier, &new.verdict, &new.name)
        });
        if !again {
            *slot = answer;
        }
    }

    /// An authenticator said yes or no.
    fn concluded(&mut self, control: &PppControl, end: u8, outcome: (Outcome, u64)) {
        let peer = other(end);
        let (identifier, protocol) = (control.identifier, control.protocol);
        let message = match &control.body {
            PppBody::Message(text) => {
                // What the capture cut says nothing of what it lacks.
                let whole = HEADER.saturating_add(text.as_str().len()) >= usize::from(control.length);
                whole.then_some(text.as_str())
            }
            _ => None,
        };
        if let Some(answer) = self.answers.get_mut(usize::from(peer)).and_then(Option::as_mut)
            && (answer.protocol, answer.identifier) == (protocol, identifier)
        {
            answer.outcome = Some(outcome);
            if let (Outcome::Success, Some(expected), Some(message)) =
                (outcome.0, &answer.authenticator, message)
            {
                answer.server = Some(match expected.is_in(message) {
                    Some(true) => Server::Right,
                    Some(false) => Server::Wrong,
                    None => Server::Missing,
                });
            }
        }
        let asked =
            |known: &Challenge| (known.end, known.protocol, known.identifier) == (end, protocol, identifier);
        let at = self.challenges.iter().rposition(asked);
        let before = at.and_then(|at| self.challenges.get(at)).map(|known| Arc::clone(&known.value));
        self.challenges.retain(|known| !asked(known));
        if outcome.0 == Outcome::Failure
            && protocol == protocol::CHAP
            && let Some(value) = message.and_then(|message| next_challenge(message, before.as_deref()))
        {
            let value = Arc::new(value);
            self.challenged(Challenge { end, protocol, identifier: identifier.wrapping_add(1), value });
        }
    }
}

impl Challenge {
    fn is_as(&self, other: &Self) -> bool {
        (self.end, self.protocol, self.identifier) == (other.end, other.protocol, other.identifier)
    }
}
