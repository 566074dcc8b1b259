//! Builds conversations of two L2TP ends, packet by packet, and judges them.
#![allow(dead_code, missing_docs)]

pub mod ppp;
pub mod wire;

use l2tp_inspect::analysis::Analysis;
use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::dissect::Told;
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::{Sad, SecretsFile};
use l2tp_inspect::rules::{self, Case, Certainty, Diagnosis, Finding, Severity};
use l2tp_inspect::util::{Frame, LinkType, Printable, Timestamp};

pub const SCCRQ: u16 = 1;
pub const SCCRP: u16 = 2;
pub const SCCCN: u16 = 3;
pub const STOPCCN: u16 = 4;
pub const HELLO: u16 = 6;
pub const OCRQ: u16 = 7;
pub const OCRP: u16 = 8;
pub const OCCN: u16 = 9;
pub const ICRQ: u16 = 10;
pub const ICRP: u16 = 11;
pub const ICCN: u16 = 12;
pub const CDN: u16 = 14;

pub const LAC: usize = 0;
pub const LNS: usize = 1;

/// One AVP, not hidden, M set.
pub fn avp(attribute: u16, value: &[u8]) -> Vec<u8> {
    let mut out = (0x8000 | (6 + value.len() as u16)).to_be_bytes().to_vec();
    out.extend([0, 0]);
    out.extend(attribute.to_be_bytes());
    out.extend(value);
    out
}

/// Two ends that count Ns and Nr as RFC 2661 section 5.8 says, and a capture of what they send.
pub struct Talk {
    pub frames: Vec<(i64, Vec<u8>)>,
    pub now: i64,
    pub addresses: [[u8; 4]; 2],
    pub ports: [u16; 2],
    pub tunnels: [u16; 2],
    pub sessions: [u16; 2],
    pub ns: [u16; 2],
    pub nr: [u16; 2],
    pub ident: u16,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            frames: Vec::new(),
            now: 0,
            addresses: [[192, 0, 2, 10], [198, 51, 100, 1]],
            ports: [1701, 1701],
            tunnels: [7, 9],
            sessions: [21, 22],
            ns: [0, 0],
            nr: [0, 0],
            ident: 0,
        }
    }
}

impl Talk {
    /// Lets so many milliseconds pass.
    pub fn wait(&mut self, millis: i64) -> &mut Self {
        self.now += millis;
        self
    }

    pub fn datagram(&mut self, from: usize, payload: &[u8]) {
        self.ident += 1;
        let to = 1 - from;
        let length = 28 + payload.len() as u16;
        let mut out = vec![0x45, 0];
        out.extend(length.to_be_bytes());
        out.extend(self.ident.to_be_bytes());
        out.extend([0, 0, 64, 17, 0, 0]);
        out.extend(self.addresses[from]);
        out.extend(self.addresses[to]);
        out.extend(self.ports[from].to_be_bytes());
        out.extend(self.ports[to].to_be_bytes());
        out.extend((length - 20).to_be_bytes());
        out.extend([0, 0]);
        out.extend(payload);
        self.frames.push((self.now, out));
        self.now += 5;
    }

    /// A control message with these numbers and octets behind its header.
    pub fn raw(&mut self, from: usize, tunnel: u16, session: u16, ns: u16, nr: u16, body: &[u8]) {
        let mut out = vec![0xc8, 2];
        out.extend((12 + body.len() as u16).to_be_bytes());
        for word in [tunnel, session, ns, nr] {
            out.extend(word.to_be_bytes());
        }
        out.extend(body);
        self.datagram(from, &out);
    }

    fn body(&self, from: usize, message: u16) -> (Vec<u8>, u16) {
        let mut body = avp(0, &message.to_be_bytes());
        let mut session = 0;
        match message {
            SCCRQ | SCCRP => {
                body.extend(avp(2, &[1, 0]));
                body.extend(avp(3, &[0, 0, 0, 3]));
                body.extend(avp(7, if from == LAC { b"lac" } else { b"lns" }));
                body.extend(avp(9, &self.tunnels[from].to_be_bytes()));
            }
            STOPCCN => {
                body.extend(avp(9, &self.tunnels[from].to_be_bytes()));
                body.extend(avp(1, &[0, 1, 0, 0]));
            }
            ICRQ | OCRQ => {
                body.extend(avp(14, &self.sessions[from].to_be_bytes()));
                body.extend(avp(15, &[0, 0, 0, 1]));
                if message == OCRQ {
                    body.extend([16, 17, 18, 19].into_iter().flat_map(|number| avp(number, &[0, 0, 0, 1])));
                    body.extend(avp(21, b"5551234"));
                }
            }
            ICRP | OCRP => {
                body.extend(avp(14, &self.sessions[from].to_be_bytes()));
                session = self.sessions[1 - from];
            }
            CDN => {
                body.extend(avp(1, &[0, 3, 0, 0]));
                body.extend(avp(14, &self.sessions[from].to_be_bytes()));
                session = self.sessions[1 - from];
            }
            ICCN | OCCN => {
                body.extend(avp(19, &[0, 0, 0, 1]));
                body.extend(avp(24, &[0, 0, 0xfa, 0]));
                session = self.sessions[1 - from];
            }
            _ => {}
        }
        (body, session)
    }

    /// A message of this kind with these numbers; 0 is a ZLB.
    pub fn message(&mut self, from: usize, kind: u16, ns: u16, nr: u16) {
        let (body, session) = if kind == 0 { (Vec::new(), 0) } else { self.body(from, kind) };
        let tunnel = if kind == SCCRQ { 0 } else { self.tunnels[1 - from] };
        self.raw(from, tunnel, session, ns, nr, &body);
    }

    /// Sends a new message; the other end gets it.
    pub fn send(&mut self, from: usize, message: u16) -> &mut Self {
        let (body, session) = self.body(from, message);
        self.send_with(from, message, session, &body)
    }

    pub fn send_with(&mut self, from: usize, message: u16, session: u16, body: &[u8]) -> &mut Self {
        let tunnel = if message == SCCRQ { 0 } else { self.tunnels[1 - from] };
        let (ns, nr) = (self.ns[from], self.nr[from]);
        self.raw(from, tunnel, session, ns, nr, body);
        self.ns[from] = ns.wrapping_add(1);
        self.nr[1 - from] = self.ns[from];
        self
    }

    /// Sends a message that the capture lacks; the other end gets it.
    pub fn unseen(&mut self, from: usize, message: u16) -> &mut Self {
        self.send(from, message);
        self.frames.pop();
        self
    }

    /// Sends a message that nobody gets, after these pauses again.
    pub fn in_vain(&mut self, from: usize, message: u16, pauses: &[i64]) -> &mut Self {
        let (body, session) = self.body(from, message);
        let tunnel = if message == SCCRQ { 0 } else { self.tunnels[1 - from] };
        let (ns, nr) = (self.ns[from], self.nr[from]);
        self.raw(from, tunnel, session, ns, nr, &body);
        for pause in pauses {
            self.now += pause - 5;
            self.raw(from, tunnel, session, ns, nr, &body);
        }
        self.ns[from] = ns.wrapping_add(1);
        self
    }

    /// An acknowledgement alone.
    pub fn zlb(&mut self, from: usize) -> &mut Self {
        let (tunnel, ns, nr) = (self.tunnels[1 - from], self.ns[from], self.nr[from]);
        self.raw(from, tunnel, 0, ns, nr, &[]);
        self
    }

    /// A data message.
    pub fn data(&mut self, from: usize, ppp: &[u8]) -> &mut Self {
        let session = self.sessions[1 - from];
        self.data_to(from, session, None, ppp)
    }

    pub fn data_to(&mut self, from: usize, session: u16, ns: Option<u16>, ppp: &[u8]) -> &mut Self {
        let mut out = if ns.is_some() { vec![0x08, 2] } else { vec![0, 2] };
        out.extend(self.tunnels[1 - from].to_be_bytes());
        out.extend(session.to_be_bytes());
        if let Some(ns) = ns {
            out.extend(ns.to_be_bytes());
            out.extend([0, 0]);
        }
        out.extend(ppp);
        self.datagram(from, &out);
        self
    }

    /// The control connection comes up.
    pub fn tunnel(&mut self) -> &mut Self {
        self.send(LAC, SCCRQ).send(LNS, SCCRP).send(LAC, SCCCN).zlb(LNS)
    }

    /// A call comes up.
    pub fn call(&mut self) -> &mut Self {
        self.send(LAC, ICRQ).send(LNS, ICRP).send(LAC, ICCN).zlb(LNS)
    }

    /// User data in both directions.
    pub fn chat(&mut self, rounds: usize) -> &mut Self {
        for _ in 0..rounds {
            self.data(LAC, IP).data(LNS, IP);
        }
        self
    }

    /// All ends in good order.
    pub fn close(&mut self) -> &mut Self {
        self.send(LAC, CDN).zlb(LNS).send(LAC, STOPCCN).zlb(LNS)
    }

    pub fn judge(&self) -> Judged {
        self.judge_within(Limits::default())
    }

    pub fn judge_within(&self, limits: Limits) -> Judged {
        self.judge_with(limits, None, rules::Profile::Interop)
    }

    pub fn judge_strictly(&self) -> Judged {
        self.judge_with(Limits::default(), None, rules::Profile::Strict)
    }

    /// As if every packet had been so long on the wire.
    pub fn judge_cut(&self, original: u32) -> Judged {
        self.judge_with(Limits::default(), Some(original), rules::Profile::Interop)
    }

    /// With the secrets of such a file.
    pub fn judge_told(&self, secrets: &str) -> Judged {
        self.judge_told_cut(secrets, None)
    }

    /// As if every packet had been so long on the wire.
    pub fn judge_told_cut(&self, secrets: &str, original: Option<u32>) -> Judged {
        let secrets = SecretsFile::parse(&Printable::from_text("secrets.toml"), secrets).expect("secrets");
        let sad = Sad::default();
        let mut inspector = Inspector::new(&sad, Limits::default());
        let told = Told { secrets: secrets.tunnels.into(), users: secrets.users.into(), ..Told::default() };
        inspector.tell(&told);
        judge_inspected(inspector, &self.frames, &sad, original, rules::Profile::Interop)
    }

    fn judge_with(&self, limits: Limits, original: Option<u32>, profile: rules::Profile) -> Judged {
        judge_frames(&self.frames, &Sad::default(), limits, original, profile)
    }
}

/// Judges raw IP packets with their times in milliseconds; `original` is how long each was on the wire, if not as long.
pub fn judge_frames(
    frames: &[(i64, Vec<u8>)],
    sad: &Sad,
    limits: Limits,
    original: Option<u32>,
    profile: rules::Profile,
) -> Judged {
    judge_inspected(Inspector::new(sad, limits), frames, sad, original, profile)
}

/// Judges frames as they are.
pub fn judge_all(frames: &[Frame<'_>], sad: &Sad) -> Judged {
    let mut inspector = Inspector::new(sad, Limits::default());
    frames.iter().for_each(|frame| inspector.push(frame));
    judged(inspector.finish(), sad, rules::Profile::Interop)
}

fn judge_inspected(
    mut inspector: Inspector<'_>,
    frames: &[(i64, Vec<u8>)],
    sad: &Sad,
    original: Option<u32>,
    profile: rules::Profile,
) -> Judged {
    for (number, (millis, octets)) in (1..).zip(frames) {
        inspector.push(&Frame {
            number,
            time: Timestamp(millis * 1_000_000),
            link: LinkType::RAW,
            interface: 0,
            data: octets,
            original_len: original.unwrap_or(octets.len() as u32),
            offset: 0,
        });
    }
    judged(inspector.finish(), sad, profile)
}

fn judged(analysis: Analysis, sad: &Sad, profile: rules::Profile) -> Judged {
    let case = Case { profile, ..Case::of(&analysis, sad) };
    let findings = rules::judge(&case);
    let diagnosis = rules::diagnose(&case, &findings);
    Judged { analysis, findings, diagnosis }
}

/// An IPv4 packet in PPP.
pub const IP: &[u8] = &[0xff, 3, 0, 0x21, 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 5, 10, 0, 0, 1];

pub struct Judged {
    pub analysis: Analysis,
    pub findings: Vec<Finding>,
    pub diagnosis: Diagnosis,
}

impl Judged {
    /// The same capture, out of a file that is damaged, or of which the interface dropped packets.
    pub fn again(self, damage: Option<&str>, drops: u64) -> Self {
        let sad = Sad::default();
        let case = Case { damage, drops, ..Case::of(&self.analysis, &sad) };
        let findings = rules::judge(&case);
        Self { findings, ..self }
    }

    pub fn finding(&self, rule: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.rule.id == rule)
    }

    /// What was raised, except that nothing here runs under ESP.
    pub fn raised(&self) -> Vec<&'static str> {
        let ids = self.findings.iter().map(|finding| finding.rule.id);
        ids.filter(|id| *id != "sec-l2tp-in-clear").collect()
    }

    pub fn assert_raises(&self, rule: &str, severity: Severity, certainty: Certainty) -> &Finding {
        let found =
            self.finding(rule).unwrap_or_else(|| panic!("{rule} was not raised: {:#?}", self.findings));
        assert_eq!((found.severity, found.certainty()), (severity, certainty), "{found:#?}");
        assert!(!found.seen.is_empty() && !found.advice.is_empty() && !found.title.is_empty(), "{found:#?}");
        found
    }

    pub fn assert_quiet(&self, rule: &str) {
        assert!(self.finding(rule).is_none(), "{:#?}", self.finding(rule));
    }

    pub fn assert_all_quiet(&self, rules: &[&str]) {
        rules.iter().for_each(|rule| self.assert_quiet(rule));
    }
}

/// A pcap file of raw IP packets.
pub fn pcap(frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 101] {
        out.extend(word.to_le_bytes());
    }
    for (millis, octets) in frames {
        let (seconds, micros) = (1_700_000_000 + millis / 1000, millis % 1000 * 1000);
        for word in [seconds as u32, micros as u32, octets.len() as u32, octets.len() as u32] {
            out.extend(word.to_le_bytes());
        }
        out.extend(octets);
    }
    out
}

/// Runs the command.
pub fn tool(arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_l2tp-inspect"));
    command
        .args(arguments)
        .env_remove("NO_COLOR")
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null());
    command.output().expect("runs")
}
