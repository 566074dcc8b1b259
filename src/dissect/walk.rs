//! The way of one frame down its protocols.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use crate::field::{Bound, Cursor, Short, Sink};
use crate::ipsec::{Hints, Sad};
use crate::util::{Frame, LinkType};

use super::defrag::Defrag;
use super::ike::{IkeState, Opener};
use super::layers::{Fragment, Layers, Stop};
use super::streams::Streams;
use super::{
    Learned, Next, Protocol, ah, arp, bandwidth, bridging, cbcp, ccp, chap, chdlc, cooked, eap, esp,
    ethernet, gre, icmp, icmpv6, igmp, inner, ipcomp, ipcp, ipv4, ipv6, ipv6cp, ipx, l2tp, l2tpv3, lcp, lqr,
    mpls, multilink, nat_traversal, ncps, nflog, pap, ppp, ppp_link, ppp_mux, pppoe, raw, tcp, udp, vjc,
};

/// More protocols inside each other than any honest frame has.
const MOST_LAYERS: usize = 32;
/// More decrypted or reassembled buffers inside each other than any honest frame has.
const MOST_SOURCES: usize = 16;

/// What one worker needs to dissect.
#[derive(Debug)]
pub struct Context<'a> {
    /// The keys.
    pub sad: &'a Sad,
    /// Which of several keys fitted last.
    pub hints: &'a mut Hints,
    /// Buffers for plaintext, reused from frame to frame.
    pub scratch: &'a mut Scratch,
    /// Fragments that wait for each other; without it, a fragment is the end.
    pub defrag: Option<&'a mut Defrag>,
    /// What earlier IKE messages taught; without it, messages that need it stay closed.
    pub ike: Option<&'a mut IkeState>,
    /// What earlier packets taught.
    pub learned: &'a Learned,
}

/// How a buffer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Made {
    /// Decrypted from ESP.
    #[default]
    Decrypted,
    /// Put together from IP fragments.
    Reassembled,
    /// Freed of IP payload compression (RFC 3173).
    Inflated,
    /// Read from hidden AVPs (RFC 2661 section 4.3, RFC 3931 section 5.3).
    Unhidden,
    /// Decrypted from an IKE message.
    DecryptedIke,
    /// Put together from fragments of an IKE message.
    ReassembledIke,
    /// Freed of the escapes of HDLC-like framing (RFC 1662 section 4.2).
    Unescaped,
    /// With the IP header that header compression left out (RFC 1144 section 3.2).
    Restored,
}

/// Decrypted and reassembled buffers of one frame.
#[derive(Debug, Default)]
pub struct Scratch {
    buffers: Vec<Vec<u8>>,
    made_by: Vec<Made>,
    digest: hashbrown::DefaultHashBuilder,
    streams: Streams,
}

impl Scratch {
    /// The octets of a range of a frame that was dissected with this scratch last.
    pub fn octets<'a>(&'a self, frame: &'a [u8], range: crate::field::Range) -> &'a [u8] {
        self.source(frame, range.source).get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// How byte source `source` was made; `None` for the frame.
    pub fn made(&self, source: u8) -> Option<Made> {
        self.made_by.get(usize::from(source).checked_sub(1)?).copied()
    }

    /// A whole byte source of it: 0 is the frame.
    pub fn source<'a>(&'a self, frame: &'a [u8], source: u8) -> &'a [u8] {
        match usize::from(source).checked_sub(1) {
            None => frame,
            Some(index) => self.buffers.get(index).map_or(&[], Vec::as_slice),
        }
    }
}

/// Where the walk stands: a protocol and its octets.
struct At {
    protocol: Protocol,
    source: usize,
    octets: Range<usize>,
    cut: bool,
}

/// Dissects one frame into `layers` (which must be new) and tells `sink` its fields.
pub fn dissect<S: Sink>(frame: &Frame<'_>, context: &mut Context<'_>, sink: &mut S, layers: &mut Layers) {
    // What an inner packet holds is shown, but the layers of the frame end where it begins.
    let mut inside: Option<Layers> = None;
    descend(frame, context, sink, layers, &mut inside);
    if S::FULL {
        // A quotation ends where it will.
        let fault = inside.and_then(|inside| inside.fault()).filter(|fault| !fault.what.cut);
        layers.inside = fault.map(Box::new);
        mark(layers, sink);
    }
}

/// Says where the fields end that the packet is not whole.
fn mark<S: Sink>(layers: &Layers, sink: &mut S) {
    let (field, place, title) = match (layers.fault(), layers.stop) {
        (Some(fault), _) => {
            let field = if fault.cut { &super::frame::SHORT } else { &super::frame::MALFORMED };
            (field, (fault.what.source, fault.what.offset), fault.layer.label())
        }
        (None, Stop::TooDeep) => (&super::frame::MALFORMED, (0, 0), "too many protocols inside each other"),
        _ => return,
    };
    let (source, start) = place;
    sink.enter(field, crate::field::Range { source, start, end: start });
    sink.title(title);
    sink.leave();
}

fn descend<S: Sink>(
    frame: &Frame<'_>,
    context: &mut Context<'_>,
    sink: &mut S,
    layers: &mut Layers,
    inside: &mut Option<Layers>,
) {
    let truncated = (frame.original_len as usize) > frame.data.len();
    let Some(protocol) = link_protocol(frame.link, frame.data.first().copied()) else {
        layers.stop = Stop::NotOurs;
        return;
    };
    let mut at = At { protocol, source: 0, octets: 0..frame.data.len(), cut: truncated };
    for _ in 0..MOST_LAYERS {
        if S::FULL && at.protocol == Protocol::Inner {
            match name_inner(frame, context, inside.as_mut().unwrap_or(layers), &at) {
                Some(protocol) => {
                    at.protocol = protocol;
                    inside.get_or_insert_with(|| Layers { digest: layers.digest, ..Layers::default() });
                }
                None => return,
            }
        }
        let current = inside.as_mut().unwrap_or(layers);
        match step(frame, context, sink, current, &at) {
            Ok(Next::Inside { protocol, start, end }) if S::FULL => {
                let base = at.octets.start;
                at = At {
                    protocol,
                    octets: base.saturating_add(start)..base.saturating_add(end),
                    cut: true,
                    ..at
                };
                inside.get_or_insert_with(|| Layers { digest: layers.digest, ..Layers::default() });
            }
            Ok(next) => match advance(frame, context, current, at, next) {
                Some(further) => at = further,
                None => return,
            },
            Err(what) => {
                let layer = at.protocol;
                current.stop = if what.cut && truncated && what.source == 0 {
                    Stop::Cut { layer, what }
                } else {
                    Stop::Malformed { layer, what }
                };
                return;
            }
        }
    }
    inside.as_mut().unwrap_or(layers).stop = Stop::TooDeep;
}

/// Reads of an inner packet what the analysis needs, and says as what it is to be shown.
#[inline(never)]
fn name_inner(
    frame: &Frame<'_>,
    context: &mut Context<'_>,
    layers: &mut Layers,
    at: &At,
) -> Option<Protocol> {
    let mut nothing = crate::field::Nothing;
    match step(frame, context, &mut nothing, layers, at) {
        Ok(_) => layers.stop = Stop::Complete,
        Err(what) => layers.stop = Stop::Malformed { layer: at.protocol, what },
    }
    Some(ip_version(frame, context, at))
}

/// As which version of IP a packet is to be shown.
fn ip_version(frame: &Frame<'_>, context: &Context<'_>, at: &At) -> Protocol {
    let octets = octets(frame, context.scratch, at.source).get(at.octets.clone()).unwrap_or_default();
    if octets.first().is_some_and(|first| first >> 4 == 6) { Protocol::Ipv6 } else { Protocol::Ipv4 }
}

/// Whether frames of this link type are dissected.
pub fn reads(link: LinkType) -> bool {
    link_protocol(link, None).is_some()
}

fn link_protocol(link: LinkType, first: Option<u8>) -> Option<Protocol> {
    Some(match link.0 {
        0 | 108 => Protocol::Null,
        1 => Protocol::Ethernet,
        9 | 50 => ppp_link::of(first),
        51 => Protocol::Pppoes,
        104 if first == Some(0xff) => Protocol::Ppp,
        104 => Protocol::Chdlc,
        109 => Protocol::Enc,
        166 | 204 => Protocol::PppDirection,
        239 => Protocol::Nflog,
        12 | 14 | 101 | 228 | 229 => Protocol::RawIp,
        113 => Protocol::LinuxSll,
        276 => Protocol::LinuxSll2,
        _ => return None,
    })
}

/// Whether the dissector makes a new byte source of what it reads.
fn makes_plain(protocol: Protocol, learned: &Learned) -> bool {
    match protocol {
        Protocol::Esp | Protocol::Ipcomp | Protocol::Ike | Protocol::PppHdlc | Protocol::VjUncompressed => {
            true
        }
        Protocol::L2tp | Protocol::L2tpOverIp => !learned.secrets().is_empty(),
        _ => false,
    }
}

fn octets<'a>(frame: &Frame<'a>, scratch: &'a Scratch, source: usize) -> &'a [u8] {
    match source.checked_sub(1) {
        None => frame.data,
        Some(index) => scratch.buffers.get(index).map_or(&[], Vec::as_slice),
    }
}

// Into the loop: a call for each layer costs a tenth of all that a packet takes besides its cryptography.
#[inline(always)]
fn step<S: Sink>(
    frame: &Frame<'_>,
    context: &mut Context<'_>,
    sink: &mut S,
    layers: &mut Layers,
    at: &At,
) -> super::Step {
    // Some write into the buffer after the one they read: it is taken out for the time.
    let mut plain = Vec::new();
    let mut streams = None;
    let makes_plain = makes_plain(at.protocol, context.learned);
    if makes_plain {
        if context.scratch.buffers.len() <= at.source {
            context.scratch.buffers.resize_with(at.source.saturating_add(1), Vec::new);
            context.scratch.made_by.resize(at.source.saturating_add(1), Made::default());
        }
        if let Some(made) = context.scratch.made_by.get_mut(at.source) {
            *made = match at.protocol {
                Protocol::L2tp | Protocol::L2tpOverIp => Made::Unhidden,
                Protocol::Ipcomp => Made::Inflated,
                Protocol::PppHdlc => Made::Unescaped,
                Protocol::VjUncompressed => Made::Restored,
                Protocol::Ike => Made::DecryptedIke,
                _ => Made::Decrypted,
            };
        }
        if let Some(buffer) = context.scratch.buffers.get_mut(at.source) {
            plain = std::mem::take(buffer);
            plain.clear();
        }
    }
    let bytes = octets(frame, context.scratch, at.source).get(at.octets.clone()).unwrap_or_default();
    let base = u32::try_from(at.octets.start).unwrap_or(u32::MAX);
    let source = u8::try_from(at.source).unwrap_or(u8::MAX);
    let bound = if at.source == 0 { Bound::Capture } else { Bound::Buffer };
    if layers.digest.is_none() && at.source == 0 {
        layers.digest = digest(&context.scratch.digest, at.protocol, bytes);
    }
    if S::FULL
        && let Some(row) = at.protocol.row()
    {
        let end = base.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        sink.enter(&row.field, crate::field::Range { source, start: base, end });
    }
    let transport = S::FULL && matches!(at.protocol, Protocol::Udp | Protocol::Tcp);
    if transport {
        streams = Some(std::mem::take(&mut context.scratch.streams));
    }
    let bytes = octets(frame, context.scratch, at.source).get(at.octets.clone()).unwrap_or_default();
    let mut c = Cursor::new(bytes, source, base, bound, at.cut, &mut *sink);
    if let Some(streams) = &mut streams {
        let port = |at: usize| Some(u16::from_be_bytes([c.peek(at)?, c.peek(at.saturating_add(1))?]));
        let ports = port(0).zip(port(2));
        streams.describe(&mut c, layers.addresses, ports, at.protocol == Protocol::Udp);
    }
    let result = match at.protocol {
        Protocol::Ethernet => ethernet::dissect(&mut c, layers),
        Protocol::ServiceVlan => ethernet::service_vlan(&mut c, layers),
        Protocol::Vlan => ethernet::vlan(&mut c, layers),
        Protocol::LinuxSll => cooked::dissect(&mut c, layers),
        Protocol::LinuxSll2 => cooked::version2(&mut c, layers),
        Protocol::Null => raw::null(&mut c, layers),
        Protocol::RawIp => raw::dissect(&mut c, layers),
        Protocol::Ipv4 => ipv4::dissect(&mut c, layers),
        Protocol::Ipv6 => ipv6::dissect(&mut c, layers),
        Protocol::Arp => arp::dissect(&mut c, layers),
        Protocol::Igmp => igmp::dissect(&mut c, layers),
        Protocol::Tcp => tcp::dissect(&mut c, layers),
        Protocol::Udp => udp::dissect(&mut c, layers, context.learned),
        Protocol::NatTraversal => nat_traversal::dissect(&mut c, layers),
        Protocol::Esp => esp::dissect(&mut c, layers, context.sad, context.hints, &mut plain),
        Protocol::Ah => ah::dissect(&mut c, layers),
        Protocol::Ipcomp => ipcomp::dissect(&mut c, layers, &mut plain),
        Protocol::Gre => gre::dissect(&mut c, layers),
        Protocol::Ike => {
            let (keys, state) = (context.sad.ike(), context.ike.as_deref_mut());
            super::ike::dissect(&mut c, layers, Opener { keys, state, plain: &mut plain })
        }
        Protocol::L2tp => l2tp::dissect(&mut c, layers, context.learned, &mut plain),
        Protocol::L2tpOverIp => l2tpv3::over_ip(&mut c, layers, context.learned, &mut plain),
        Protocol::Ppp => ppp::dissect(&mut c, layers),
        Protocol::Multilink => multilink::dissect(&mut c, layers),
        Protocol::Lcp => lcp::dissect(&mut c, layers),
        Protocol::Pap => pap::dissect(&mut c, layers),
        Protocol::Chap => chap::dissect(&mut c, layers),
        Protocol::Eap => eap::dissect(&mut c, layers),
        Protocol::Ipcp => ipcp::dissect(&mut c, layers),
        Protocol::Ipv6cp => ipv6cp::dissect(&mut c, layers),
        Protocol::Ccp => ccp::dissect(&mut c, layers),
        Protocol::Inner => inner::dissect(&mut c, layers),
        Protocol::Enc => raw::enc(&mut c, layers),
        Protocol::Nflog => nflog::dissect(&mut c, layers),
        Protocol::Chdlc => chdlc::dissect(&mut c, layers),
        Protocol::Slarp => chdlc::slarp(&mut c, layers),
        Protocol::Mpls => mpls::dissect(&mut c, layers),
        Protocol::Pppoed => pppoe::discovery(&mut c, layers),
        Protocol::Pppoes => pppoe::session(&mut c, layers),
        Protocol::PppDirection => ppp_link::direction(&mut c, layers),
        Protocol::PppHdlc => ppp_link::unframe(&mut c, layers, &mut plain),
        Protocol::Bcp => bridging::control(&mut c, layers),
        Protocol::Bridged => bridging::frame(&mut c, layers),
        Protocol::Bacp => bandwidth::control(&mut c, layers),
        Protocol::Bap => bandwidth::dissect(&mut c, layers),
        Protocol::Cbcp => cbcp::dissect(&mut c, layers),
        Protocol::Lqr => lqr::dissect(&mut c, layers),
        Protocol::Spap => lqr::spap(&mut c, layers),
        Protocol::VjCompressed => vjc::compressed(&mut c, layers),
        Protocol::VjUncompressed => vjc::uncompressed(&mut c, layers, &mut plain),
        Protocol::Ipx => ipx::dissect(&mut c, layers),
        Protocol::Nbf => ipx::nbf(&mut c, layers),
        Protocol::PppMux => ppp_mux::dissect(&mut c, layers),
        Protocol::CompressedData => ppp_mux::compressed(&mut c, layers),
        Protocol::Atcp
        | Protocol::Cdpcp
        | Protocol::Ecp
        | Protocol::Ipxcp
        | Protocol::Mplscp
        | Protocol::Nbfcp
        | Protocol::Osinlcp
        | Protocol::PppMuxcp
        | Protocol::Ncp => ncps::dissect(&mut c, layers, at.protocol),
        Protocol::Icmp | Protocol::Icmpv6 => match layers.addresses {
            Some(addresses) if at.protocol == Protocol::Icmp => icmp::dissect(&mut c, layers, addresses),
            Some(addresses) => icmpv6::dissect(&mut c, layers, addresses),
            None => Ok(Next::NotOurs),
        },
        Protocol::Frame => Ok(Next::NotOurs),
    };
    drop(c);
    if let Some(streams) = streams {
        context.scratch.streams = streams;
    }
    if S::FULL {
        if let Ok(Next::Payload { start, .. } | Next::Inside { start, .. }) = &result {
            sink.ends(base.saturating_add(u32::try_from(*start).unwrap_or(u32::MAX)));
        }
        sink.leave();
    }
    if makes_plain && let Some(buffer) = context.scratch.buffers.get_mut(at.source) {
        *buffer = plain;
    }
    if makes_plain
        && let Ok(Next::Plain { protocol: Protocol::Ike, .. }) = &result
        && let Some(made) = context.scratch.made_by.get_mut(at.source)
    {
        *made = Made::ReassembledIke;
    }
    result
}

#[inline(always)]
fn advance(
    frame: &Frame<'_>,
    context: &mut Context<'_>,
    layers: &mut Layers,
    at: At,
    next: Next,
) -> Option<At> {
    match next {
        Next::Payload { protocol, start, end, cut } => {
            let base = at.octets.start;
            let octets = base.saturating_add(start)..base.saturating_add(end);
            return Some(At { protocol, source: at.source, octets, cut });
        }
        Next::Plain { protocol, payload } => {
            let source = at.source.saturating_add(1);
            if source <= MOST_SOURCES {
                return Some(At { protocol, source, octets: payload, cut: false });
            }
            layers.stop = Stop::TooDeep;
        }
        Next::Fragment { key, piece } => return reassemble(frame, context, layers, &at, key, piece),
        Next::End | Next::Inside { .. } => layers.stop = Stop::Complete,
        Next::Sealed => layers.stop = Stop::Sealed,
        Next::NotOurs => layers.stop = Stop::NotOurs,
        Next::UnknownPort => layers.stop = Stop::UnknownPort,
    }
    None
}

/// A fragment that no datagram can have: it ends behind the largest, or others follow it and it does not end where an
/// offset can say (RFC 791 section 3.1: in units of 8 octets).
fn bad_piece(at: &At, piece: &super::Piece, length: usize) -> Option<Short> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let end = piece.offset.saturating_add(length);
    let largest = 65_535;
    let (field, needed, available, bound) = if end > largest {
        (&ipv4::FRAGMENT_OFFSET, end, largest, Bound::Header("the largest IP packet"))
    } else if piece.more && !piece.cut && !length.is_multiple_of(8) {
        let whole = length.next_multiple_of(8);
        (&ipv4::FRAGMENT, whole, length, Bound::Header("a fragment that is not the last"))
    } else {
        return None;
    };
    let offset = u32::try_from(at.octets.start).unwrap_or(u32::MAX);
    let source = u8::try_from(at.source).unwrap_or(u8::MAX);
    Some(Short { field, needed, available, offset, source, bound, cut: false })
}

fn reassemble(
    frame: &Frame<'_>,
    context: &mut Context<'_>,
    layers: &mut Layers,
    at: &At,
    key: super::Key,
    piece: super::Piece,
) -> Option<At> {
    layers.fragment = Some(Fragment::Waiting);
    layers.stop = Stop::Fragment;
    let defrag = context.defrag.as_mut()?;
    let whole = octets(frame, context.scratch, at.source).get(at.octets.clone())?;
    let payload = whole.get(piece.start..piece.end)?;
    if let Some(what) = bad_piece(at, &piece, payload.len()) {
        layers.stop = Stop::Malformed { layer: at.protocol, what };
        return None;
    }
    let mut out = Vec::new();
    let complete = defrag.push(key, piece, payload, frame.time, &mut out)?;
    let octets = 0..out.len();
    layers.fragment =
        Some(Fragment::Completed { fragments: complete.fragments, octets: u32::try_from(out.len()).ok()? });
    let protocol = super::ip_protocol(key.protocol);
    let source = at.source.saturating_add(1);
    if source > MOST_SOURCES {
        layers.stop = Stop::TooDeep;
        return None;
    }
    if context.scratch.buffers.len() < source {
        context.scratch.buffers.resize_with(source, Vec::new);
        context.scratch.made_by.resize(source, Made::default());
    }
    if let Some(made) = context.scratch.made_by.get_mut(at.source) {
        *made = Made::Reassembled;
    }
    *context.scratch.buffers.get_mut(at.source)? = out;
    layers.stop = Stop::NotOurs;
    protocol.map(|protocol| At { protocol, source, octets, cut: false })
}

/// A hash of an IP packet less what a router changes: TTL and checksum, or hop limit.
fn digest(state: &hashbrown::DefaultHashBuilder, protocol: Protocol, bytes: &[u8]) -> Option<u64> {
    let mut hasher = state.build_hasher();
    let (changed, length) = match protocol {
        Protocol::Ipv4 => {
            let length = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
            hasher.write(bytes.get(..8)?);
            hasher.write(bytes.get(9..10)?);
            (12, if length == 0 { bytes.len() } else { usize::from(length) })
        }
        Protocol::Ipv6 => {
            let length = u16::from_be_bytes([*bytes.get(4)?, *bytes.get(5)?]);
            hasher.write(bytes.get(..7)?);
            (8, usize::from(length).saturating_add(40))
        }
        _ => return None,
    };
    hasher.write(bytes.get(changed..length.min(bytes.len()))?);
    Some(hasher.finish())
}
