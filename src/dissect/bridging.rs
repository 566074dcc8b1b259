//! Bridging over PPP: its control protocol BCP and the frames that are bridged (RFC 3518 sections 4 and 5).

use crate::field::{Bound, Cursor, Kind, Sink};

use super::layers::Layers;
use super::negotiation::{Negotiation, OptionRow, Piece};
use super::{Next, Protocol, Step};

crate::fields! {
    section "RFC 3518 5";
    TYPE = "bcp_ncp.lcp.opt.type", "Type", Kind::Dec(8), names type_name;
    LENGTH = "bcp_ncp.lcp.opt.length", "Length", Kind::Dec(8);
    DATA = "bcp_ncp.opt.data", "Data", Kind::Bytes;
    UNKNOWN = "bcp_ncp.opt.unknown", "Unknown option", Kind::Group;
    BRIDGE = "bcp_ncp.opt.bridge_id", "Bridge-Identification", Kind::Group;
    LINE = "bcp_ncp.opt.line_id", "Line-Identification", Kind::Group;
    NUMBERS = "bcp_ncp.numbers", "LAN Segment and Bridge Number", Kind::Hex(16);
    SEGMENT = "bcp_ncp.lcp.lan_seg_no", "LAN Segment Number", Kind::Dec(12);
    NUMBER = "bcp_ncp.lcp.bridge_no", "Bridge Number", Kind::Dec(4);
    MAC_SUPPORT = "bcp_ncp.opt.mac_sup", "MAC-Support", Kind::Group;
    TINYGRAM_OPTION = "bcp_ncp.opt.tinygram_comp", "Tinygram-Compression", Kind::Group;
    TINYGRAM = "bcp_ncp.lcp.tinygram_comp", "Tinygram-Compression", Kind::Dec(8), names enabled_name;
    LAN = "bcp_ncp.opt.lan_id", "LAN-Identification (obsoleted)", Kind::Group;
    LAN_ENABLED = "bcp_ncp.opt.lan_id.enabled", "LAN-Identification", Kind::Dec(8), names enabled_name;
    MAC_OPTION = "bcp_ncp.opt.mac_addr", "MAC-Address", Kind::Group;
    MAC = "bcp_ncp.lcp.mac_addres", "MAC Address", Kind::Mac;
    SPANNING_OPTION = "bcp_ncp.opt.stp", "Spanning-Tree-Protocol", Kind::Group;
    SPANNING = "bcp_ncp.lcp.stp_protocol", "Protocol", Kind::Dec(8), names spanning_name;
    TAGGED_OPTION = "bcp_ncp.opt.ieee_802_tagged_frame", "IEEE-802-Tagged-Frame", Kind::Group;
    TAGGED = "bcp_ncp.ieee_802_tagged_frame", "IEEE-802-Tagged-Frame", Kind::Dec(8), names enabled_name;
    MANAGEMENT = "bcp_ncp.opt.management_inline", "Management-Inline", Kind::Group;
    INDICATOR = "bcp_ncp.opt.bcp_ind", "Bridge-Control-Packet-Indicator", Kind::Group;
    FLAGS = "bcp_bpdu.flags", "Flags", Kind::Hex(8);
    HAS_FCS = "bcp_bpdu.flags.fcs_present", "LAN FCS present", Kind::Flag;
    ZERO_PAD = "bcp_bpdu.flags.zeropad", "802.3 pad zero-filled", Kind::Flag;
    IS_CONTROL = "bcp_bpdu.flags.bcontrol", "Bridge control", Kind::Flag;
    PADS = "bcp_bpdu.pads", "Pads", Kind::Dec(4);
    MAC_TYPE = "bcp_bpdu.mac_type", "MAC Type", Kind::Dec(8), names mac_type_name;
    LAN_ID = "bcp_bpdu.lan_id", "LAN ID", Kind::Hex(32);
    FCS = "bcp_bpdu.fcs", "LAN FCS", Kind::Hex(32);
    PAD = "bcp_bpdu.pad", "Pad", Kind::Bytes;
}

const FCS_BIT: u8 = 0x80;
const LAN_ID_BIT: u8 = 0x40;
const ZERO_PAD_BIT: u8 = 0x20;
const CONTROL_BIT: u8 = 0x10;
const FCS_LEN: usize = 4;
const ETHERNET: u8 = 1;

/// The options of BCP.
pub(crate) static TABLE: Negotiation = Negotiation {
    protocol: 0x8031,
    kind: &TYPE,
    length: &LENGTH,
    data: &DATA,
    unknown: &UNKNOWN,
    options: &[
        OptionRow::new(
            1,
            "Bridge-Identification",
            &BRIDGE,
            &[Piece::u16(&NUMBERS).bits(&[(&SEGMENT, 0xfff0), (&NUMBER, 0x0f)])],
        ),
        OptionRow::new(
            2,
            "Line-Identification",
            &LINE,
            &[Piece::u16(&NUMBERS).bits(&[(&SEGMENT, 0xfff0), (&NUMBER, 0x0f)])],
        ),
        OptionRow::new(3, "MAC-Support", &MAC_SUPPORT, &[Piece::u8(&MAC_TYPE)]),
        OptionRow::new(4, "Tinygram-Compression", &TINYGRAM_OPTION, &[Piece::u8(&TINYGRAM)]),
        OptionRow::new(5, "LAN-Identification", &LAN, &[Piece::u8(&LAN_ENABLED)]),
        OptionRow::new(6, "MAC-Address", &MAC_OPTION, &[Piece::octets(&MAC, 6)]),
        OptionRow::new(7, "Spanning-Tree-Protocol", &SPANNING_OPTION, &[Piece::u8(&SPANNING).open()]),
        OptionRow::new(8, "IEEE-802-Tagged-Frame", &TAGGED_OPTION, &[Piece::u8(&TAGGED)]),
        OptionRow::new(9, "Management-Inline", &MANAGEMENT, &[]),
        OptionRow::new(10, "Bridge-Control-Packet-Indicator", &INDICATOR, &[]),
    ],
};

fn type_name(kind: u64) -> Option<&'static str> {
    TABLE.name(kind)
}

fn enabled_name(value: u64) -> Option<&'static str> {
    match value {
        1 => Some("Enabled"),
        2 => Some("Disabled"),
        _ => None,
    }
}

fn spanning_name(protocol: u64) -> Option<&'static str> {
    const NAMES: [&str; 5] = ["none", "IEEE 802.1D", "IEEE 802.1G", "IBM source route", "DEC LANbridge 100"];
    NAMES.get(usize::try_from(protocol).ok()?).copied()
}

fn mac_type_name(kind: u64) -> Option<&'static str> {
    Some(match kind {
        1 => "IEEE 802.3/Ethernet",
        2 => "IEEE 802.4",
        3 => "IEEE 802.5 non-canonical",
        4 => "FDDI non-canonical",
        11 => "IEEE 802.5 canonical",
        12 => "FDDI canonical",
        _ => return None,
    })
}

/// Reads a BCP packet.
pub(crate) fn control<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    TABLE.dissect(c, layers)
}

/// Reads what stands before a bridged frame, and behind it.
pub(crate) fn frame<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let flags = c.u8(&FLAGS)?;
    for (field, bit) in [(&HAS_FCS, FCS_BIT), (&ZERO_PAD, ZERO_PAD_BIT), (&IS_CONTROL, CONTROL_BIT)] {
        c.part(field, 1, u64::from(flags & bit != 0));
    }
    c.part(&PADS, 1, u64::from(flags & 0x0f));
    if flags & CONTROL_BIT != 0 {
        return Ok(Next::NotOurs);
    }
    let kind = c.u8(&MAC_TYPE)?;
    if flags & LAN_ID_BIT != 0 {
        c.u32(&LAN_ID)?;
    }
    if kind != ETHERNET {
        return Ok(Next::NotOurs);
    }
    let start = c.consumed();
    let cut = c.is_cut();
    let fcs = if flags & FCS_BIT == 0 { 0 } else { FCS_LEN };
    let behind = usize::from(flags & 0x0f).saturating_add(fcs);
    let len = if cut { c.remaining() } else { c.remaining().saturating_sub(behind) };
    c.sub(&PAD, len, Bound::Header("the bridged frame"))?;
    if !cut && fcs != 0 {
        c.u32(&FCS)?;
    }
    super::ppp::text(c, &PAD);
    Ok(Next::Payload { protocol: Protocol::Ethernet, start, end: start.saturating_add(len), cut })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::ppp::testing::{described, octets, sound};
    use crate::dissect::testing::{layers_of, step};

    #[test]
    fn options() {
        let hex = "80310101 0026 01040012 02040034 030301 040302 0608010203040506 0702 070301 080301 0902 0a02 050301";
        assert!(sound(hex).control.is_some());
        let seen = described(hex);
        for field in [
            "bcp_ncp.lcp.lan_seg_no=1",
            "bcp_ncp.lcp.bridge_no=4",
            "bcp_bpdu.mac_type=1",
            "bcp_ncp.lcp.tinygram_comp=2",
            "bcp_ncp.lcp.mac_addres=010203040506",
            "bcp_ncp.lcp.stp_protocol=1",
        ] {
            assert!(seen.contains(&field.to_owned()), "{field}: {seen:?}");
        }
    }

    #[test]
    fn a_bridged_frame_goes_on_as_ethernet() {
        let plain = octets("00 01 010203040506 010203040507 0800 45");
        layers_of(&plain, frame);
        assert_eq!(step(&plain, frame), "Payload Ethernet 2..17");
        // With a LAN ID, FCS and two octets of padding.
        let full = octets("c2 01 00000001 010203040506 010203040507 0800 45 deadbeef 0000");
        layers_of(&full, frame);
        assert_eq!(step(&full, frame), "Payload Ethernet 6..21");
        assert_eq!(step(&octets("00 04 00"), frame), "NotOurs");
        assert_eq!(step(&octets("10 00"), frame), "NotOurs");
        assert_eq!(step(&octets("81 01 00"), frame), "Short bcp_bpdu.fcs needs 4, has 1 at 2");
    }
}
