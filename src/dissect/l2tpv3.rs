//! L2TPv3 over UDP and over IP protocol 115: control header and data (RFC 3931 sections 3.2 and 4.1).

use crate::field::{Bound, Cursor, Kind, Sink};
use crate::fields;
use crate::ipsec::HidingVersion;
use crate::util::seq::Seq16;

use super::avp_table::PSEUDOWIRE_TYPE;
use super::layers::{Carried, L2tp, L2tpV3, Layers};
use super::learned::{Learned, Session};
use super::message_digest::{self, Letter};
use super::{Next, Protocol, Step, avp, l2tp, pseudowire};

fields! {
    section "RFC 3931 4.1";
    SESSION = "l2tp.sid", "Session ID", Kind::Hex(32);
    CONNECTION = "l2tp.ccid", "Control Connection ID", Kind::Hex(32), section "RFC 3931 3.2.1";
    RESERVED = "l2tp.res", "Reserved", Kind::Hex(16), section "RFC 3931 4.1.2.1";
    COOKIE = "l2tp.cookie", "Cookie", Kind::Bytes;
    WRONG_COOKIE = "l2tp.wrong_cookie", "Not the cookie that the receiver assigned", Kind::Flag;
    PREFIX = "l2tp.cookie_or_sublayer", "Cookie or L2-Specific Sublayer", Kind::Bytes;
    PAYLOAD = "l2tp.payload", "Payload", Kind::Bytes;
    INFERRED = "l2tp.inferred", "Layout inferred from the inner headers", Kind::Flag;
    INFERRED_TYPE = "l2tp.inferred_pseudowire_type", "Inferred Pseudowire Type", Kind::Dec(16), names super::avp_names::pseudowire_name;
    DEFAULT_SUBLAYER = "l2tp.l2_spec_def", "Default L2-Specific Sublayer", Kind::Flag, section "RFC 3931 4.6";
    ATM_SUBLAYER = "l2tp.l2_spec_atm", "ATM-Specific Sublayer", Kind::Flag, section "RFC 4454 7.1";
    DOCSIS_SUBLAYER = "l2tp.l2_spec_docsis_dmpt", "DOCSIS DMPT - Specific Sublayer", Kind::Flag, section "DOCSIS DEPI";
    V_BIT = "l2tp.l2_spec_v", "V-bit", Kind::Flag, section "RFC 5085 6";
    S_BIT = "l2tp.l2_spec_s", "S-bit", Kind::Flag, section "RFC 3931 4.6";
    H_BITS = "l2tp.l2_spec_h", "H-bits", Kind::Hex(8), section "DOCSIS DEPI";
    T_BIT = "l2tp.l2_spec_t", "T-bit", Kind::Flag, section "RFC 4454 7.1";
    G_BIT = "l2tp.l2_spec_g", "G-bit", Kind::Flag, section "RFC 4454 7.1";
    C_BIT = "l2tp.l2_spec_c", "C-bit", Kind::Flag, section "RFC 4454 7.1";
    U_BIT = "l2tp.l2_spec_u", "U-bit", Kind::Flag, section "RFC 4454 7.1";
    FLOW_ID = "l2tp.l2_spec_flow_id", "Flow ID", Kind::Hex(8), section "DOCSIS DEPI";
    SEQUENCE = "l2tp.l2_spec_sequence", "Sequence Number", Kind::Dec(24), section "RFC 3931 4.6";
    LAPD = "l2tp.lapd_info", "LAPD info", Kind::Bytes, section "Ericsson A-bis over L2TP";
}

const TITLE: &str = "Layer 2 Tunneling Protocol version 3";
const BOUND: Bound = Bound::Header("the L2TP Length");

/// A packet of UDP port 1701 whose version is 3, from its first octet on; what hidden AVPs hold goes into `plain`.
pub(crate) fn over_udp<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    layers: &mut Layers,
    learned: &Learned,
    plain: &mut Vec<u8>,
) -> Step {
    c.title(TITLE);
    let message = c.peek_rest();
    let flags = l2tp::flags(c)?;
    if flags & L2tp::T != 0 {
        return control(c, layers, learned, plain, message, flags);
    }
    c.u16(&RESERVED)?;
    let session = c.u32(&SESSION)?;
    data(c, layers, learned, session)
}

/// A packet of IP protocol 115: a Session ID first, and it is 0 in control messages.
pub(crate) fn over_ip<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    layers: &mut Layers,
    learned: &Learned,
    plain: &mut Vec<u8>,
) -> Step {
    c.title(TITLE);
    layers.other_version = Some(3);
    let session = c.u32(&SESSION)?;
    if session != 0 {
        return data(c, layers, learned, session);
    }
    let message = c.peek_rest();
    let flags = l2tp::flags(c)?;
    if flags & 0xf != 3 || flags & L2tp::T == 0 {
        return Ok(Next::NotOurs);
    }
    control(c, layers, learned, plain, message, flags)
}

/// The control header behind its flags (RFC 3931 section 3.2.1), and the AVPs. `message` begins with the flags, as does
/// what its Length counts and its Message Digest covers: over IP too, where a Session ID stands before them.
fn control<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    layers: &mut Layers,
    learned: &Learned,
    plain: &mut Vec<u8>,
    message: &[u8],
    flags: u16,
) -> Step {
    let start = c.consumed().saturating_sub(l2tp::FLAG_OCTETS);
    if flags & L2tp::L != 0 {
        let length = c.u16(&l2tp::LENGTH)?;
        let read = c.consumed().saturating_sub(start);
        match usize::from(length).checked_sub(read) {
            Some(rest) => {
                layers.overruns(Protocol::L2tp, c.overrun(&l2tp::LENGTH, rest));
                c.limit(rest, BOUND);
            }
            None => return Err(c.invalid(&l2tp::LENGTH, 12, length.into())),
        }
    }
    let connection = c.u32(&CONNECTION)?;
    let numbers = if flags & L2tp::S != 0 { Some(l2tp::numbers(c)?) } else { None };
    let (ns, nr): (Option<Seq16>, Option<Seq16>) = numbers.unzip();
    let body = c.consumed().saturating_sub(start);
    let secrets = learned.secrets();
    let ends = layers.ends();
    let unhide = ends.filter(|_| !secrets.is_empty()).map(|ends| avp::Unhide {
        secrets,
        version: HidingVersion::V3,
        ends: ends.map(|end| end.address),
        plain,
        vector: Vec::new(),
    });
    let octets = message.get(..body.saturating_add(c.remaining())).unwrap_or_default();
    let control = Box::new(avp::dissect(c, unhide));
    let digest = ends.and_then(|ends| {
        message_digest::check(c, &Letter { octets, body, ends, connection }, &control, learned)
    });
    let control = Some(control);
    layers.v3 = Some(Box::new(L2tpV3 {
        flags,
        connection: Some(connection),
        ns,
        nr,
        control,
        digest,
        ..L2tpV3::default()
    }));
    Ok(Next::End)
}

/// What follows a Session ID: cookie, L2-Specific Sublayer, and the frame of the pseudowire.
fn data<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers, learned: &Learned, session: u32) -> Step {
    let known = layers
        .addresses
        .and_then(|addresses| learned.session(addresses.destination, session))
        .copied()
        .unwrap_or_default();
    let payload = u32::try_from(c.remaining()).unwrap_or(u32::MAX);
    let v3 = layers.v3.insert(Box::new(L2tpV3 { session: Some(session), payload, ..L2tpV3::default() }));
    c.derived(&PSEUDOWIRE_TYPE, known.pseudowire.unwrap_or(0).into());
    let Some(layout) = layout(c, &known) else {
        c.rest(&PAYLOAD);
        return Ok(Next::NotOurs);
    };
    if layout.inferred {
        c.derived(&INFERRED, 1);
        c.derived(&INFERRED_TYPE, layout.pseudowire.into());
    }
    if layout.unsplit > 0 {
        c.octets(&PREFIX, layout.unsplit.into())?;
    }
    if layout.cookie > 0 {
        c.octets(&COOKIE, layout.cookie.into())?;
    }
    let sequence = sublayer(c, layout.sublayer)?;
    v3.payload = u32::try_from(c.remaining()).unwrap_or(u32::MAX);
    v3.carried = Some(Carried {
        pseudowire: layout.pseudowire,
        cookie: layout.cookie,
        sublayer: layout.sublayer,
        sequence,
        inferred: layout.inferred,
    });
    Ok(pseudowire::follow(c, layout.pseudowire))
}

/// What stands before the frame of a pseudowire, and what the frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Octets of cookie.
    pub cookie: u8,
    /// The L2-Specific Sublayer Type.
    pub sublayer: u16,
    /// Octets that are a cookie, a sublayer, or both: nothing tells.
    pub unsplit: u8,
    /// The Pseudowire Type.
    pub pseudowire: u16,
    /// The inner headers prove it; no control message said so.
    pub inferred: bool,
}

fn layout<S: Sink>(c: &mut Cursor<'_, '_, S>, known: &Session) -> Option<Layout> {
    let (octets, cut) = (c.peek_rest(), c.is_cut());
    let Session { cookie: Some(cookie), sublayer: Some(sublayer), pseudowire: Some(pseudowire) } = *known
    else {
        return pseudowire::infer(octets, cut, known);
    };
    let told = Layout { cookie: cookie.len(), sublayer, unsplit: 0, pseudowire, inferred: false };
    if cookie.begins(octets) {
        return Some(told);
    }
    // Its receiver would drop it (RFC 3931 section 4.1). Some senders ignore the cookie that they were told: what they
    // sent instead is shown where the inner headers prove it.
    c.derived(&WRONG_COOKIE, 1);
    let but_cookie = Session { cookie: None, sublayer: None, pseudowire: Some(pseudowire) };
    pseudowire::infer(octets, cut, &but_cookie).or(Some(told))
}

/// Reads the L2-Specific Sublayer; returns its sequence number, if it says that it has one.
fn sublayer<S: Sink>(c: &mut Cursor<'_, '_, S>, kind: u16) -> Result<Option<u32>, crate::field::Short> {
    let heading = match kind {
        1 => &DEFAULT_SUBLAYER,
        2 => &ATM_SUBLAYER,
        3 | 4 => &DOCSIS_SUBLAYER,
        _ => return Ok(None),
    };
    c.derived(heading, 1);
    let bits = c.bits8(&S_BIT)?;
    c.part(&V_BIT, 1, u64::from(bits >> 7));
    c.part(&S_BIT, 1, u64::from(bits >> 6 & 1));
    let sequence = if matches!(kind, 3 | 4) {
        c.part(&H_BITS, 1, u64::from(bits >> 4 & 3));
        c.part(&FLOW_ID, 1, u64::from(bits >> 1 & 7));
        c.bits8(&SEQUENCE)?;
        u32::from(c.u16(&SEQUENCE)?)
    } else {
        if kind == 2 {
            for (field, shift) in [(&T_BIT, 3), (&G_BIT, 2), (&C_BIT, 1), (&U_BIT, 0)] {
                c.part(field, 1, u64::from(bits.checked_shr(shift).unwrap_or(0) & 1));
            }
        }
        let high = c.bits8(&SEQUENCE)?;
        let low = c.bits16(&SEQUENCE)?;
        let number = u32::from(high) << 16 | u32::from(low);
        c.part(&SEQUENCE, 3, number.into());
        number
    };
    Ok((bits & 0x40 != 0).then_some(sequence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::layers::{Addresses, Stop};
    use crate::dissect::testing::{control_of, layers_of, step};
    use crate::field::Nothing;

    const LAC: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 0, 2));
    const LNS: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 2));

    /// The frame of an Ethernet pseudowire: an MLD report over IPv6 to 33:33:00:00:00:16, made by Linux.
    const FRAME: [u8; 90] = [
        0x33, 0x33, 0, 0, 0, 0x16, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0x24, 0, 1, 0xfe, 0x80, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16,
        0x3a, 0, 5, 2, 0, 0, 1, 0, 0x8f, 0, 0x72, 7, 0, 0, 0, 1, 4, 0, 0, 0, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0,
    ];

    fn udp_with(learned: &Learned) -> impl Fn(&mut Cursor<'_, '_, Nothing>, &mut Layers) -> Step {
        |c, layers| {
            layers.addresses = Some(Addresses { source: LAC, destination: LNS });
            over_udp(c, layers, learned, &mut Vec::new())
        }
    }

    fn ip(c: &mut Cursor<'_, '_, Nothing>, layers: &mut Layers) -> Step {
        over_ip(c, layers, &Learned::default(), &mut Vec::new())
    }

    fn carried(layers: &Layers) -> Option<Carried> {
        layers.v3.as_ref().and_then(|v3| v3.carried)
    }

    /// The first SCCRQ of SoftEther's client in the lab, without its names.
    #[test]
    fn a_control_message_is_read_over_udp_and_over_ip() {
        let mut message = vec![0xc8, 3, 0, 0, 0x11, 0xaa, 0x22, 0xbb, 0, 5, 0, 6];
        message.extend([0x80, 8, 0, 0, 0, 0, 0, 1]);
        message.extend([0x80, 10, 0, 0, 0, 61, 0, 0, 0, 1, 0x80, 10, 0, 0, 0, 62, 0, 5, 0, 4]);
        message[3] = message.len() as u8;
        let unknown = Learned::default();
        for over_ip in [false, true] {
            let layers = if over_ip {
                layers_of(&[&[0; 4][..], &message].concat(), ip)
            } else {
                layers_of(&message, udp_with(&unknown))
            };
            let v3 = layers.v3.expect("version 3");
            assert_eq!((v3.connection, v3.ns, v3.nr), (Some(0x11aa_22bb), Some(Seq16(5)), Some(Seq16(6))));
            assert_eq!((v3.session, v3.flags), (None, 0xc803));
            let control = v3.control.expect("a control message");
            assert_eq!((control.avps.len(), control.fault), (3, None));
            assert!(layers.l2tp.is_none() && layers.control.is_none(), "the layers of version 2");
        }
        message[3] = 3;
        let said = step(&message, udp_with(&unknown));
        assert_eq!(said, "Short l2tp.length needs 12, has 3 at 4");
        let zlb = layers_of(&[0xc8, 3, 0, 12, 0, 0, 0, 7, 0, 1, 0, 1, 9, 9], udp_with(&unknown));
        assert!(zlb.v3.and_then(|v3| v3.control).is_some_and(|control| control.zlb));
        assert_eq!(step(&[0, 0, 0, 0, 0xc8, 2, 0, 12], ip), "NotOurs");
    }

    /// Without control messages: each cookie and sublayer is found from the Ethernet frame behind it.
    #[test]
    fn a_layout_is_inferred_only_from_a_frame_that_proves_it() {
        let cases: [(&[u8], u8, u16, u8); 7] = [
            (&[], 0, 0, 0),
            (&[0; 4], 0, 1, 0),
            (&[0x11, 0x22, 0x33, 0x44], 4, 0, 0),
            (&[0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0], 4, 1, 0),
            (&[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88], 8, 0, 0),
            (&[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x40, 0, 0, 9], 8, 1, 0),
            (&[0x40, 0x22, 0x33, 0x44], 0, 0, 4),
        ];
        for (prefix, cookie, sublayer, unsplit) in cases {
            let bytes = [&[0, 0, 0x07, 0xd2], prefix, &FRAME].concat();
            let said =
                format!("Inside {{ protocol: Ethernet, start: {}, end: {} }}", 4 + prefix.len(), bytes.len());
            assert_eq!(step(&bytes, ip), said);
            let layers = layers_of(&bytes, ip);
            assert_eq!(layers.other_version, Some(3));
            let carried = carried(&layers).expect("a layout");
            assert_eq!((carried.cookie, carried.sublayer, carried.pseudowire), (cookie, sublayer, 5));
            assert!(carried.inferred);
            let known = Session { sublayer: (unsplit > 0).then_some(1), ..Session::default() };
            let found = pseudowire::infer(&bytes[4..], false, &known).expect("a layout");
            assert_eq!((found.unsplit, found.sublayer), (0, if unsplit > 0 { 1 } else { sublayer }));
        }
        // One octet too many, and nothing fits.
        let odd = [&[0, 0, 0x07, 0xd2, 0][..], &FRAME].concat();
        assert_eq!(step(&odd, ip), "NotOurs");
        assert!(carried(&layers_of(&odd, ip)).is_none());
    }

    fn learned(cookie: &[u8], sublayer: u8, pseudowire: u8) -> Learned {
        let mut avps = vec![0x80, 8, 0, 0, 0, 0, 0, 10, 0x80, 10, 0, 0, 0, 63, 0, 0, 0x07, 0xd2];
        avps.extend([0x80, 6 + cookie.len() as u8, 0, 0, 0, 65]);
        avps.extend(cookie);
        avps.extend([0x80, 8, 0, 0, 0, 68, 0, pseudowire, 0x80, 8, 0, 0, 0, 69, 0, sublayer]);
        let mut learned = Learned::default();
        learned.learn_session(Addresses { source: LNS, destination: LAC }, &control_of(&avps));
        learned
    }

    /// What the receiver said in its control messages goes before what the octets look like.
    #[test]
    fn a_session_is_read_as_its_receiver_said() {
        let head = [0, 3, 0, 0, 0, 0, 0x07, 0xd2];
        let known = learned(&[1, 2, 3, 4], 1, 7);
        let bytes = [&head[..], &[1, 2, 3, 4, 0x40, 0, 0, 5, 0xff, 3, 0, 0x21, 0x45]].concat();
        assert_eq!(step(&bytes, udp_with(&known)), "Inside { protocol: Ppp, start: 16, end: 21 }");
        let carried = carried(&layers_of(&bytes, udp_with(&known))).expect("a layout");
        assert_eq!((carried.cookie, carried.sequence, carried.inferred), (4, Some(5), false));
        assert_eq!(step(&bytes[..14], udp_with(&known)), "Short l2tp.l2_spec_sequence needs 2, has 0 at 14");
        assert_eq!(step(&bytes, udp_with(&Learned::default())), "NotOurs");
        let atm = learned(&[], 2, 2);
        assert_eq!(step(&bytes, udp_with(&atm)), "NotOurs");
        assert!(matches!(layers_of(&bytes, udp_with(&atm)).stop, Stop::Complete));
    }

    /// A sender that ignores the cookie: the frame is shown where it is, and not taken for a cookie.
    #[test]
    fn a_cookie_that_is_not_there_is_not_read() {
        let known = learned(&[1, 2, 3, 4, 5, 6, 7, 8], 0, 5);
        let bytes = [&[0, 3, 0, 0, 0, 0, 0x07, 0xd2][..], &FRAME].concat();
        let carried = carried(&layers_of(&bytes, udp_with(&known))).expect("a layout");
        assert_eq!((carried.cookie, carried.inferred), (0, true));
    }
}
