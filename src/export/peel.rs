//! What is left of a packet when the layers around it are taken off.

use crate::dissect::layers::{EspOutcome, Fragment, Layers};
use crate::dissect::{Made, Protocol, Scratch};
use crate::field::Range;
use crate::util::{Frame, LinkType};

use super::ip_header::{correct_checksum, length, rebuild};
use super::trail::{Heading, Trail};

const UDP: u8 = 17;
/// Dummy packets (RFC 4303 section 2.6).
const NO_NEXT_HEADER: u8 = 59;

/// How far to peel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// IP packets without ESP.
    Ip,
    /// The same, of those that carry L2TP.
    L2tp,
    /// The PPP frames that L2TP carries.
    Ppp,
    /// The IP packets that PPP carries.
    Inner,
}

impl Layer {
    /// The link type of what is written.
    pub fn link(self) -> LinkType {
        match self {
            Self::Ip | Self::L2tp | Self::Inner => LinkType::RAW,
            Self::Ppp => LinkType::PPP_WITH_DIR,
        }
    }
}

/// Why nothing is left of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// ESP, and no key for its SPI.
    NoKey,
    /// ESP by an algorithm that cannot be computed.
    Unsupported,
    /// ESP whose ICV does not hold.
    BadIcv,
    /// ESP whose padding or next header is wrong, or that is too short.
    BadFormat,
    /// ESP that the capture cut.
    Cut,
    /// A dummy packet of traffic flow confidentiality.
    Dummy,
    /// A fragment; the last one to come brings the whole datagram.
    Fragment,
    /// No IP packet.
    NotIp,
    /// Its receiver drops it, because the sequence number of its ESP packet came before; or the capture shows it twice.
    Replayed,
    /// It does not carry the layer that was asked for.
    NoSuchLayer,
}

impl Left {
    /// All of them, in the order of the message.
    pub const ALL: [Self; 10] = [
        Self::NoKey,
        Self::Unsupported,
        Self::BadIcv,
        Self::BadFormat,
        Self::Cut,
        Self::Dummy,
        Self::Fragment,
        Self::NotIp,
        Self::Replayed,
        Self::NoSuchLayer,
    ];

    /// In words, behind a number.
    pub fn words(self, layer: Layer) -> &'static str {
        match (self, layer) {
            (Self::NoKey, _) => "without a key",
            (Self::Unsupported, _) => "with an algorithm that is not supported",
            (Self::BadIcv, _) => "with a wrong ICV",
            (Self::BadFormat, _) => "that are no sound ESP",
            (Self::Cut, _) => "cut by the capture",
            (Self::Dummy, _) => "dummies",
            (Self::Fragment, _) => "fragments (a datagram is written when it is whole)",
            (Self::NotIp, _) => "not IP",
            (Self::Replayed, _) => "replayed or captured twice",
            (Self::NoSuchLayer, Layer::Inner) => "without a user's IP packet",
            (Self::NoSuchLayer, Layer::Ppp) => "without a PPP frame",
            (Self::NoSuchLayer, _) => "without L2TP",
        }
    }
}

/// A frame that was dissected with a [`Trail`].
#[derive(Debug, Clone, Copy)]
pub struct Dissected<'a> {
    /// The frame.
    pub frame: &'a Frame<'a>,
    /// Its protocols.
    pub trail: &'a Trail,
    /// Its typed layers.
    pub layers: &'a Layers,
    /// Buffers that were made of it.
    pub scratch: &'a Scratch,
    /// The sequence number of its ESP packet came before.
    pub replayed: bool,
}

impl<'a> Dissected<'a> {
    fn octets(&self, range: Range) -> &'a [u8] {
        self.scratch.octets(self.frame.data, range)
    }

    /// Writes what is left of the packet at `layer` into `out`, for PPP with its direction before it (`sent`: by the
    /// initiator of the control connection), and returns how many octets that had on the wire.
    ///
    /// # Errors
    ///
    /// When nothing is left.
    pub fn peel(&self, layer: Layer, sent: bool, out: &mut Vec<u8>) -> Result<u32, Left> {
        out.clear();
        let all = self.trail.headings();
        let covered = all.iter().position(|one| is_tunnel(one.protocol)).unwrap_or(all.len());
        let outer = all.get(..covered).unwrap_or_default();
        self.sealed(outer)?;
        // What IPsec drops never reaches L2TP.
        if self.replayed && layer != Layer::Ip {
            return Err(Left::Replayed);
        }
        let tunnel = all.get(covered..).unwrap_or_default();
        match layer {
            Layer::Ip => self.packet(outer, out),
            Layer::L2tp => {
                self.whole(outer)?;
                match tunnel.first() {
                    Some(one) if is_l2tp(one.protocol) => self.packet(outer, out),
                    _ => Err(Left::NoSuchLayer),
                }
            }
            Layer::Ppp | Layer::Inner => {
                self.whole(outer)?;
                let frame = tunnel
                    .first()
                    .filter(|one| is_l2tp(one.protocol))
                    .and_then(|_| tunnel.iter().position(|one| one.protocol == Protocol::Ppp))
                    .ok_or(Left::NoSuchLayer)?;
                let carried = tunnel.get(frame..).unwrap_or_default();
                if layer == Layer::Ppp {
                    out.push(u8::from(sent));
                    return carried.first().map(|one| self.rest(one.octets, out)).ok_or(Left::NoSuchLayer);
                }
                let packet = carried.iter().find(|one| is_ip(one.protocol)).ok_or(Left::NoSuchLayer)?;
                Ok(self.trimmed(packet.octets, out))
            }
        }
    }

    /// Whether all ESP of the packet was opened.
    fn sealed(&self, outer: &[Heading]) -> Result<(), Left> {
        let sealed = outer.iter().any(|one| one.protocol == Protocol::Esp && one.contained.is_none());
        if !sealed {
            return match outer.iter().rfind(|one| one.contained.is_some()) {
                Some(esp) if esp.next_header == NO_NEXT_HEADER => Err(Left::Dummy),
                _ => Ok(()),
            };
        }
        let last = self.layers.deeper_esp.last().or(self.layers.esp.as_ref());
        Err(match last.map(|esp| esp.outcome) {
            Some(EspOutcome::NoKey) | None => Left::NoKey,
            Some(EspOutcome::Unsupported { .. }) => Left::Unsupported,
            Some(EspOutcome::BadIcv { .. }) => Left::BadIcv,
            Some(EspOutcome::Cut) => Left::Cut,
            Some(EspOutcome::BadPadding { .. } | EspOutcome::TooShort | EspOutcome::Opened { .. }) => {
                Left::BadFormat
            }
        })
    }

    fn whole(&self, outer: &[Heading]) -> Result<(), Left> {
        let waits = self.layers.fragment == Some(Fragment::Waiting);
        if waits && outer.last().is_some_and(|one| is_ip(one.protocol)) {
            Err(Left::Fragment)
        } else {
            Ok(())
        }
    }

    /// The IP packet without ESP.
    fn packet(&self, outer: &[Heading], out: &mut Vec<u8>) -> Result<u32, Left> {
        self.whole(outer)?;
        let Some(opened) = outer.iter().rposition(|one| one.contained.is_some()) else {
            let first = outer.iter().position(|one| is_ip(one.protocol)).ok_or(Left::NotIp)?;
            return self.clear(outer, first, out);
        };
        let esp = outer.get(opened).ok_or(Left::NotIp)?;
        if matches!(esp.next_header, 4 | 41) {
            let inner =
                outer.iter().skip(opened).position(|one| is_ip(one.protocol)).ok_or(Left::BadFormat)?;
            return self.clear(outer, opened.saturating_add(inner), out);
        }
        let before = outer.get(..opened).unwrap_or_default();
        let header = before.iter().rfind(|one| is_ip(one.protocol)).ok_or(Left::NotIp)?;
        let mut payload = esp.contained.map(|range| self.octets(range)).unwrap_or_default();
        if esp.next_header == UDP {
            payload = without_flow_padding(payload);
        }
        rebuild(self.octets(header.octets), Some(esp.next_header), payload, out).ok_or(Left::BadFormat)?;
        if before.iter().any(|one| one.protocol == Protocol::Udp) {
            correct_checksum(out, esp.next_header, payload.len());
        }
        Ok(u32::try_from(out.len()).unwrap_or(u32::MAX))
    }

    /// The IP packet at `place` as it is, or put together from its fragments.
    fn clear(&self, outer: &[Heading], place: usize, out: &mut Vec<u8>) -> Result<u32, Left> {
        let packet = outer.get(place).ok_or(Left::NotIp)?;
        let made = packet.octets.source.saturating_add(1);
        let next = outer.get(place.saturating_add(1));
        let was_fragment = matches!(self.layers.fragment, Some(Fragment::Completed { .. }))
            && self.scratch.made(made) == Some(Made::Reassembled)
            && next.is_none_or(|next| next.octets.source == made);
        if !was_fragment {
            return Ok(self.trimmed(packet.octets, out));
        }
        let payload = self.scratch.source(self.frame.data, made);
        rebuild(self.octets(packet.octets), None, payload, out).ok_or(Left::Fragment)?;
        Ok(u32::try_from(out.len()).unwrap_or(u32::MAX))
    }

    /// An IP packet as long as it says, and how long it was on the wire.
    fn trimmed(&self, range: Range, out: &mut Vec<u8>) -> u32 {
        let octets = self.octets(range);
        let said = length(octets);
        let here = octets.get(..said.unwrap_or(octets.len())).unwrap_or(octets);
        out.extend_from_slice(here);
        let wire = said.map(|said| u32::try_from(said).unwrap_or(u32::MAX));
        let most = self.on_the_wire(range, octets.len());
        wire.map_or(most, |said| said.min(most)).max(u32::try_from(here.len()).unwrap_or(0))
    }

    fn rest(&self, range: Range, out: &mut Vec<u8>) -> u32 {
        let octets = self.octets(range);
        out.extend_from_slice(octets);
        let before = out.len().saturating_sub(octets.len());
        self.on_the_wire(range, octets.len()).saturating_add(u32::try_from(before).unwrap_or(0))
    }

    /// What the capture cut off is missing at the end.
    fn on_the_wire(&self, range: Range, here: usize) -> u32 {
        let here = u32::try_from(here).unwrap_or(u32::MAX);
        let captured = u32::try_from(self.frame.data.len()).unwrap_or(u32::MAX);
        if range.source == 0 && range.end == captured {
            here.saturating_add(self.frame.original_len.saturating_sub(captured))
        } else {
            here
        }
    }
}

/// What follows the datagram that UDP tells of is padding (RFC 4303 section 2.7).
fn without_flow_padding(datagram: &[u8]) -> &[u8] {
    let Some(&[_, _, _, _, high, low, _, _]) = datagram.first_chunk::<8>() else { return datagram };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length < 8 { datagram } else { datagram.get(..length).unwrap_or(datagram) }
}

fn is_ip(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Ipv4 | Protocol::Ipv6)
}

fn is_l2tp(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::L2tp | Protocol::L2tpOverIp)
}

/// Whether what it carries is another's, and no part of the packet around it.
fn is_tunnel(protocol: Protocol) -> bool {
    is_l2tp(protocol)
        || matches!(
            protocol,
            Protocol::Icmp | Protocol::Icmpv6 | Protocol::Ike | Protocol::Tcp | Protocol::Gre
        )
}
