//! The L2TPv2 header (RFC 2661 section 3.1), and the other versions that share its port.

use crate::field::{Bound, Cursor, Kind, Short, Sink};
use crate::fields;
use crate::ipsec::HidingVersion;
use crate::util::seq::Seq16;

use super::layers::{L2tp, L2tpFault, Layers, SessionId, TunnelId};
use super::{Learned, Next, Protocol, Step, avp, l2f, l2tpv3};

fields! {
    section "RFC 2661 3.1";
    FLAGS = "l2tp.flags", "Flags", Kind::Hex(16);
    TYPE = "l2tp.type", "Type", Kind::Dec(16), names type_name;
    LENGTH_BIT = "l2tp.length_bit", "Length Bit", Kind::Flag;
    SEQUENCE_BIT = "l2tp.seq_bit", "Sequence Bit", Kind::Flag;
    OFFSET_BIT = "l2tp.offset_bit", "Offset bit", Kind::Flag;
    PRIORITY_BIT = "l2tp.priority", "Priority", Kind::Flag;
    VERSION = "l2tp.version", "Version", Kind::Dec(16), names super::avp_names::version_name;
    LENGTH = "l2tp.length", "Length", Kind::Dec(16);
    TUNNEL = "l2tp.tunnel", "Tunnel ID", Kind::Dec(16);
    SESSION = "l2tp.session", "Session ID", Kind::Dec(16);
    NS = "l2tp.Ns", "Ns", Kind::Dec(16);
    NR = "l2tp.Nr", "Nr", Kind::Dec(16);
    OFFSET = "l2tp.offset", "Offset", Kind::Dec(16);
    OFFSET_PADDING = "l2tp.offset_padding", "Offset Padding", Kind::Bytes;
}

fn type_name(value: u64) -> Option<&'static str> {
    ["Data Message", "Control Message"].get(usize::try_from(value).ok()?).copied()
}

const BOUND: Bound = Bound::Header("the L2TP Length");

/// Octets of the flags and the version.
pub(crate) const FLAG_OCTETS: usize = 2;

/// Reads the first two octets as far as L2TPv2 and L2TPv3 share them.
pub(crate) fn flags<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<u16, Short> {
    let flags = c.u16(&FLAGS)?;
    c.part(&TYPE, 2, u64::from(flags >> 15));
    c.part(&LENGTH_BIT, 2, u64::from(flags & L2tp::L != 0));
    c.part(&SEQUENCE_BIT, 2, u64::from(flags & L2tp::S != 0));
    c.part(&VERSION, 2, u64::from(flags & 0xf));
    Ok(flags)
}

/// Reads Ns and Nr.
pub(crate) fn numbers<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(Seq16, Seq16), Short> {
    Ok((Seq16(c.u16(&NS)?), Seq16(c.u16(&NR)?)))
}

/// What a read of the header that did not fit says of the header itself.
pub(crate) fn fault(what: &Short) -> Option<L2tpFault> {
    if std::ptr::eq(what.field, &OFFSET_PADDING) {
        Some(L2tpFault::OffsetLong)
    } else if std::ptr::eq(what.field, &LENGTH) && what.bound != Bound::Capture || what.bound == BOUND {
        Some(L2tpFault::LengthShort)
    } else {
        None
    }
}

/// Reads a packet of the L2TP port whose version is not 2, `octet` being its second.
#[cold]
fn other_version<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    layers: &mut Layers,
    learned: &Learned,
    plain: &mut Vec<u8>,
    octet: u8,
) -> Step {
    if l2f::is_version(octet) {
        return l2f::dissect(c, layers);
    }
    layers.other_version = Some(octet & 0xf);
    if octet & 0xf == 3 {
        return l2tpv3::over_udp(c, layers, learned, plain);
    }
    c.title("Not L2TP: a version that nobody defined");
    flags(c)?;
    Ok(Next::NotOurs)
}

/// Reads a packet; what hidden AVPs hold goes into `plain`, a new byte source.
pub(crate) fn dissect<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    layers: &mut Layers,
    learned: &Learned,
    plain: &mut Vec<u8>,
) -> Step {
    if let Some(octet) = c.peek(1)
        && octet & 0xf != 2
    {
        return other_version(c, layers, learned, plain, octet);
    }
    let flags = c.u16(&FLAGS)?;
    let bit = |mask: u16| u64::from(flags & mask != 0);
    c.part(&TYPE, 2, bit(L2tp::T));
    c.part(&LENGTH_BIT, 2, bit(L2tp::L));
    c.part(&SEQUENCE_BIT, 2, bit(L2tp::S));
    c.part(&OFFSET_BIT, 2, bit(L2tp::O));
    c.part(&PRIORITY_BIT, 2, bit(L2tp::P));
    c.part(&VERSION, 2, u64::from(flags & 0xf));
    let length = if bit(L2tp::L) == 1 { Some(c.u16(&LENGTH)?) } else { None };
    if let Some(length) = length {
        match usize::from(length).checked_sub(c.consumed()) {
            Some(rest) => {
                layers.overruns(Protocol::L2tp, c.overrun(&LENGTH, rest));
                c.limit(rest, BOUND);
            }
            None => return Err(c.invalid(&LENGTH, 8, length.into())),
        }
    }
    let tunnel_id = TunnelId(c.u16(&TUNNEL)?.into());
    let session_id = SessionId(c.u16(&SESSION)?.into());
    let (mut ns, mut nr, mut offset) = (None, None, None);
    if bit(L2tp::S) == 1 {
        ns = Some(Seq16(c.u16(&NS)?));
        nr = Some(Seq16(c.u16(&NR)?));
    }
    if bit(L2tp::O) == 1 {
        let size = c.u16(&OFFSET)?;
        if size > 0 {
            c.octets(&OFFSET_PADDING, size.into())?;
        }
        offset = Some(size);
    }
    let payload = u32::try_from(c.remaining()).unwrap_or(u32::MAX);
    let header = L2tp { flags, length, tunnel_id, session_id, ns, nr, offset, payload };
    layers.l2tp = Some(header);
    if header.is_control() {
        let secrets = learned.secrets();
        let unhide = layers.udp.filter(|_| !secrets.is_empty()).map(|udp| avp::Unhide {
            secrets,
            version: HidingVersion::V2,
            ends: [udp.source.address, udp.destination.address],
            plain,
            vector: Vec::new(),
        });
        layers.control = Some(Box::new(avp::dissect(c, unhide)));
        return Ok(Next::End);
    }
    Ok(Next::rest(c, Protocol::Ppp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{layers_of, step};
    use crate::field::Nothing;

    fn read(c: &mut Cursor<'_, '_, Nothing>, layers: &mut Layers) -> Step {
        dissect(c, layers, &Learned::default(), &mut Vec::new())
    }

    /// Every combination of the L, S, O and P bits on a data message leads to the same payload.
    #[test]
    fn all_bit_combinations_of_data_find_the_payload() {
        for bits in 0..16u16 {
            let flags =
                (bits & 1) << 14 | (bits >> 1 & 1) << 11 | (bits >> 2 & 1) << 9 | (bits >> 3 & 1) << 8 | 2;
            let mut bytes = flags.to_be_bytes().to_vec();
            if flags & L2tp::L != 0 {
                bytes.extend([0, 0]);
            }
            bytes.extend([0, 7, 0, 9]);
            if flags & L2tp::S != 0 {
                bytes.extend([0, 3, 0, 4]);
            }
            if flags & L2tp::O != 0 {
                bytes.extend([0, 2, 0xaa, 0xaa]);
            }
            let start = bytes.len();
            bytes.extend([0xff, 3, 0xc0, 0x21]);
            if flags & L2tp::L != 0 {
                bytes[3] = bytes.len() as u8;
                bytes.push(0xee);
            }
            let end = start + 4;
            assert_eq!(step(&bytes, read), format!("Payload Ppp {start}..{end}"), "{flags:#06x}");
            let header = layers_of(&bytes, read).l2tp.expect("a header");
            assert_eq!((header.tunnel_id, header.session_id, header.payload), (TunnelId(7), SessionId(9), 4));
            assert_eq!(header.ns, (flags & L2tp::S != 0).then_some(Seq16(3)));
        }
    }

    #[test]
    fn lengths_that_lie_are_faults_or_cuts() {
        let short = [0xc8, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(step(&short, read), "Short l2tp.length needs 8, has 3 at 4");
        let long = [0x40, 2, 0, 99, 0, 7, 0, 9, 0xff, 3];
        assert_eq!(step(&long, read), "Payload Ppp 8..10 cut");
        assert_eq!(step(&[0xc8, 3, 0, 12], read), "Short l2tp.ccid needs 4, has 0 at 4");
    }

    #[test]
    fn what_is_not_version_2_is_named() {
        for (octet, version) in [(0, 0), (1, 1), (3, 3), (4, 4), (0x25, 5), (15, 15)] {
            let bytes = [0, octet, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0];
            assert_eq!(layers_of(&bytes, read).other_version, Some(version));
        }
        assert_eq!(step(&[0, 0, 1, 2, 3], read), "NotOurs");
        assert_eq!(step(&[0x80], read), "Short l2tp.flags needs 2, has 1 at 0");
    }
}
