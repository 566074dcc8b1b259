//! What every message said, in order: control messages, negotiation inside PPP, IKE. Kept only when it is asked for, so
//! that two captures can be compared message by message.

use crate::dissect::layers::{Addresses, AvpValue, Control, Ike, Layers, MessageType, PppBody, PppControl};
use crate::util::Timestamp;

use super::limits::Limit;
use super::{CallId, Meta, Tracker, bump};

/// Messages that are kept.
const MOST_MESSAGES: usize = 65_536;
/// Octets of memory that they may take, about.
const MOST_OCTETS: usize = 64 << 20;
/// What an AVP, option or transform takes beside its octets, about.
const PART: usize = 96;

/// Pseudowire Capabilities List (RFC 3931 section 5.4.3): octets that are an offer, not a proof.
const CAPABILITIES: u16 = 62;

/// What was said, in the order of the capture.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The messages. Resends of control messages are not among them.
    pub messages: Vec<Said>,
    /// Messages that were not kept.
    pub omitted: u64,
    octets: usize,
}

/// Where something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// In the IKE SA with this index.
    Ike(usize),
    /// In the control connection with this number.
    Connection(u32),
    /// In this call: messages about it, and PPP inside it.
    Call(CallId),
}

/// One message.
#[derive(Debug)]
pub struct Said {
    /// The packet.
    pub packet: u64,
    /// When.
    pub time: Timestamp,
    /// Where.
    pub stream: Stream,
    /// Which end said it: 0 is the initiator.
    pub from: u8,
    /// The capture cut the packet.
    pub cut: bool,
    /// What it said.
    pub what: What,
}

/// What a message says. No proofs, challenges, random vectors and hidden values: they are emptied.
#[derive(Debug)]
pub enum What {
    /// A control message.
    Control(Box<Control>),
    /// A packet of a PPP control or authentication protocol.
    Ppp(Box<PppControl>),
    /// An IKE message.
    Ike(Box<Ike>),
}

impl Transcript {
    fn push(&mut self, said: Said, octets: usize) -> bool {
        let octets = self.octets.saturating_add(octets);
        if self.messages.len() >= MOST_MESSAGES || octets > MOST_OCTETS {
            bump(&mut self.omitted);
            return false;
        }
        self.octets = octets;
        self.messages.push(said);
        true
    }
}

impl Tracker {
    /// Keeps from now on what is said.
    pub(crate) fn transcribe(&mut self) {
        self.state.transcript = Some(Transcript::default());
    }

    /// Takes down what the frame that was pushed last says.
    pub(crate) fn take_down(&mut self, meta: &Meta, layers: &Layers) {
        if self.state.transcript.is_none() {
            return;
        }
        let Some((stream, from, what, octets)) = self.said(layers) else { return };
        let said = Said {
            packet: meta.packet,
            time: meta.time,
            stream,
            from,
            cut: meta.captured < meta.original,
            what,
        };
        if let Some(transcript) = &mut self.state.transcript
            && !transcript.push(said, octets)
        {
            self.state.reach(Limit::Transcript);
        }
    }

    fn said(&self, layers: &Layers) -> Option<(Stream, u8, What, usize)> {
        if let (Some(ike), Some(addresses)) = (&layers.ike, layers.addresses) {
            return self.said_in_ike(ike, addresses);
        }
        let number = self.place.connection?;
        let from = self.place.from?;
        let control = layers.control.as_ref().or_else(|| layers.v3.as_ref()?.control.as_ref());
        if let Some(control) = control {
            if self.place.resent || !counts(control) {
                return None;
            }
            let stream = self.place.call.map_or(Stream::Connection(number), Stream::Call);
            let octets = control.avps.iter().map(|avp| usize::from(avp.length).saturating_add(PART)).sum();
            return Some((stream, from, What::Control(Box::new(without_secrets(control))), octets));
        }
        let ppp = layers.ppp.as_ref()?.control.as_ref()?;
        if keeps_alive(ppp) {
            return None;
        }
        let parts = if let PppBody::Options(options) = &ppp.body { options.len() } else { 1 };
        let octets = usize::from(ppp.length).saturating_add(parts.saturating_mul(PART));
        Some((Stream::Call(self.place.call?), from, What::Ppp(Box::new(ppp.without_secrets())), octets))
    }

    fn said_in_ike(&self, ike: &Ike, addresses: Addresses) -> Option<(Stream, u8, What, usize)> {
        let at = *self.ike_index.get(&ike.initiator_spi)?;
        let from = u8::try_from(self.state.ike.get(at)?.sender(ike, addresses)).ok()?;
        let parts: usize = ike.contents.offers.iter().map(|offer| offer.transforms.len()).sum();
        let octets = (ike.length as usize).min(1 << 16).saturating_add(parts.saturating_mul(PART));
        Some((Stream::Ike(at), from, What::Ike(Box::new(ike.clone())), octets))
    }
}

/// Whether a control message says more than that another one came, or that its sender is there.
fn counts(control: &Control) -> bool {
    let quiet = [MessageType::HELLO, MessageType::ACK];
    !control.zlb && !control.message.is_some_and(|message| quiet.contains(&message))
}

/// LCP Echo, Discard, Identification and Time-Remaining, and Reset of CCP: how many depends on time and loss.
fn keeps_alive(ppp: &PppControl) -> bool {
    const LQR: u16 = 0xc025;
    matches!(ppp.body, PppBody::Magic(_)) || matches!(ppp.code, 9..=15) || ppp.protocol == LQR
}

fn without_secrets(control: &Control) -> Control {
    let mut kept = control.clone();
    for avp in &mut kept.avps {
        match &avp.value {
            _ if avp.hidden => avp.value = AvpValue::Hidden,
            AvpValue::Octets(_) if (avp.vendor, avp.attribute) != (0, CAPABILITIES) => {
                avp.value = AvpValue::Octets(Box::default());
            }
            _ => {}
        }
    }
    kept
}
