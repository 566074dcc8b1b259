//! Vendor IDs: what an implementation says of itself (RFC 2408 section 3.16, RFC 7296 section 3.12).
//!
//! Many are the MD5 of a sentence; the tests compute those. Most name an extension rather than a product.

use crate::field::{Bound, Cursor, Kind, Short, Sink, Value};
use crate::fields;

/// One well-known Vendor ID: what begins with these octets.
#[derive(Debug)]
struct Row {
    octets: &'static [u8],
    name: &'static str,
    details: Details,
}

/// What stands behind the octets of the table.
#[derive(Debug, Clone, Copy)]
enum Details {
    None,
    Unity,
    Windows,
    CheckPoint,
    FortiGate,
}

const fn row(octets: &'static [u8], name: &'static str) -> Row {
    Row { octets, name, details: Details::None }
}

static ROWS: &[Row] = &[
    row(
        b"\x4a\x13\x1c\x81\x07\x03\x58\x45\x5c\x57\x28\xf2\x0e\x95\x45\x2f",
        "RFC 3947 Negotiation of NAT-Traversal in the IKE",
    ),
    row(b"\x4d\xf3\x79\x28\xe9\xfc\x4f\xd1\xb3\x26\x21\x70\xd5\x15\xc6\x62", "draft-ietf-ipsec-nat-t-ike"),
    row(b"\x44\x85\x15\x2d\x18\xb6\xbb\xcd\x0b\xe8\xa8\x46\x95\x79\xdd\xcc", "draft-ietf-ipsec-nat-t-ike-00"),
    row(b"\x16\xf6\xca\x16\xe4\xa4\x06\x6d\x83\x82\x1a\x0f\x0a\xea\xa8\x62", "draft-ietf-ipsec-nat-t-ike-01"),
    row(b"\xcd\x60\x46\x43\x35\xdf\x21\xf8\x7c\xfd\xb2\xfc\x68\xb6\xa4\x48", "draft-ietf-ipsec-nat-t-ike-02"),
    // Some hashed the name with the end of its line; the two differ on the wire, so they do here.
    row(
        b"\x90\xcb\x80\x91\x3e\xbb\x69\x6e\x08\x63\x81\xb5\xec\x42\x7b\x1f",
        r"draft-ietf-ipsec-nat-t-ike-02\n",
    ),
    row(b"\x7d\x94\x19\xa6\x53\x10\xca\x6f\x2c\x17\x9d\x92\x15\x52\x9d\x56", "draft-ietf-ipsec-nat-t-ike-03"),
    row(b"\x99\x09\xb6\x4e\xed\x93\x7c\x65\x73\xde\x52\xac\xe9\x52\xfa\x6b", "draft-ietf-ipsec-nat-t-ike-04"),
    row(b"\x80\xd0\xbb\x3d\xef\x54\x56\x5e\xe8\x46\x45\xd4\xc8\x5c\xe3\xee", "draft-ietf-ipsec-nat-t-ike-05"),
    row(b"\x4d\x1e\x0e\x13\x6d\xea\xfa\x34\xc4\xf3\xea\x9f\x02\xec\x72\x85", "draft-ietf-ipsec-nat-t-ike-06"),
    row(b"\x43\x9b\x59\xf8\xba\x67\x6c\x4c\x77\x37\xae\x22\xea\xb8\xf5\x82", "draft-ietf-ipsec-nat-t-ike-07"),
    row(b"\x8f\x8d\x83\x82\x6d\x24\x6b\x6f\xc7\xa8\xa6\xa4\x28\xc1\x1d\xe8", "draft-ietf-ipsec-nat-t-ike-08"),
    row(
        b"\x27\xba\xb5\xdc\x01\xea\x07\x60\xea\x4e\x31\x90\xac\x27\xc0\xd0",
        "draft-stenberg-ipsec-nat-traversal-01",
    ),
    row(
        b"\x61\x05\xc4\x22\xe7\x68\x47\xe4\x3f\x96\x84\x80\x12\x92\xae\xcd",
        "draft-stenberg-ipsec-nat-traversal-02",
    ),
    row(
        b"\x6a\x74\x34\xc1\x9d\x7e\x36\x34\x80\x90\xa0\x23\x34\xc9\xc8\x05",
        "draft-huttunen-ipsec-esp-in-udp-00.txt",
    ),
    row(
        b"\x50\x76\x0f\x62\x4c\x63\xe5\xc5\x3e\xea\x38\x6c\x68\x5c\xa0\x83",
        "draft-huttunen-ipsec-esp-in-udp-01.txt (ESPThruNAT)",
    ),
    row(
        b"\xaf\xca\xd7\x13\x68\xa1\xf1\xc9\x6b\x86\x96\xfc\x77\x57\x01\x00",
        "RFC 3706 DPD (Dead Peer Detection)",
    ),
    row(b"\x09\x00\x26\x89\xdf\xd6\xb7\x12", "XAUTH"),
    // Its features follow.
    row(b"\x40\x48\xb7\xd5\x6e\xbc\xe8\x85\x25\xe7\xde\x7f\x00\xd6\xc2\xd3", "Cisco Fragmentation"),
    Row {
        octets: b"\x12\xf5\xf2\x8c\x45\x71\x68\xa9\x70\x2d\x9f\xe2\x74\xcc",
        name: "CISCO-UNITY",
        details: Details::Unity,
    },
    row(b"\x1f\x07\xf7\x0e\xaa\x65\x14\xd3\xb0\xfa\x96\x54\x2a\x50", "CISCO-CONCENTRATOR"),
    row(b"OE-Libreswan-", "Libreswan"),
    row(b"CISCO(COPYRIGHT)", "Cisco Copyright"),
    row(b"CISCO-DELETE-REASON", "Cisco Delete Reason Supported"),
    row(b"CISCO-DYNAMIC-ROUTE", "Cisco Dynamic Route Supported"),
    row(b"CISCO-GRE-MODE", "Cisco GRE Mode Supported"),
    row(b"CISCOVPN-REV-02", "Cisco VPN Revision 2"),
    row(b"FLEXVPN-SUPPORTED", "Cisco FlexVPN Supported"),
    Row {
        octets: b"\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61",
        name: "MS NT5 ISAKMPOAKLEY",
        details: Details::Windows,
    },
    row(b"\x26\x24\x4d\x38\xed\xdb\x61\xb3\x17\x2a\x36\xe3\xd0\xcf\xb8\x19", "Microsoft Vid-Initial-Contact"),
    row(
        b"\xfb\x1d\xe3\xcd\xf3\x41\xb7\xea\x16\xb7\xe5\xbe\x08\x55\xf1\x20",
        "MS-Negotiation Discovery Capable",
    ),
    row(b"\xe3\xa5\x96\x6a\x76\x37\x9f\xe7\x07\x22\x82\x31\xe5\xce\x86\x52", "IKE CGA Version 1"),
    row(b"\x21\x4c\xa4\xfa\xff\xa7\xf3\x2d\x67\x48\xe5\x30\x33\x95\xae\x83", "MS-MamieExists"),
    row(b"\x62\x1b\x04\xbb\x09\x88\x2a\xc1\xe1\x59\x35\xfe\xfa\x24\xae\xee", "GSSAPI"),
    row(b"\x70\x03\xcb\xc1\x09\x7d\xbe\x9c\x26\x00\xba\x69\x83\xbc\x8b\x35", "KAME/racoon"),
    row(b"\x88\x2f\xe5\x6d\x6f\xd2\x0d\xbc\x22\x51\x61\x3b\x2e\xbe\x5b\xeb", "strongSwan"),
    row(
        b"\xba\x29\x04\x99\xc2\x4e\x84\xe5\x3a\x1d\x83\xa0\x5e\x5f\x00\xc9",
        "IKE Challenge/Response for Authenticated Cryptographic Keys",
    ),
    row(b"\x48\x65\x61\x72\x74\x42\x65\x61\x74\x5f\x4e\x6f\x74\x69\x66\x79", "Heartbeat Notify"),
    row(b"\x16\x6f\x93\x2d\x55\xeb\x64\xd8\xe4\xdf\x4f\xd3\x7e\x23\x13\xf0\xd0\xfd\x84\x51", "Netscreen-15"),
    row(b"\x69\x93\x69\x22\x87\x41\xc6\xd4\xca\x09\x4c\x93\xe2\x42\xc9\xde\x19\xe7\xb7\xc6", "Netscreen-6"),
    Row {
        octets: b"\xf4\xed\x19\xe0\xc1\x14\xeb\x51\x6f\xaa\xac\x0e\xe3\x7d\xaf\x28\x07\xb4\x38\x1f",
        name: "CryptoPro/GOST 0.1 / Check Point R65",
        details: Details::CheckPoint,
    },
    Row {
        octets: b"\x82\x99\x03\x17\x57\xa3\x60\x82\xc6\xa6\x21\xde",
        name: "Fortigate (Fortinet)",
        details: Details::FortiGate,
    },
];

/// What Openswan and Libreswan call themselves: these two letters and ten more that hash their version.
const SWAN: (&[u8], usize) = (b"OE", 12);

fn find(octets: &[u8]) -> Option<&'static Row> {
    ROWS.iter().filter(|row| octets.starts_with(row.octets)).max_by_key(|row| row.octets.len())
}

/// Reads a Vendor ID.
pub(super) fn read<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    let octets = c.peek_rest();
    let row = find(octets);
    let swan = octets.starts_with(SWAN.0) && octets.len() == SWAN.1 && octets.is_ascii();
    let range = c.rest_range();
    c.describe(&OCTETS, range, Value::Octets);
    let mut c = c.group(&NAME, octets.len(), Bound::Header("the IKE Payload Length"))?;
    c.title(match row {
        Some(row) => row.name,
        None if swan => "Openswan or Libreswan",
        None => "Unknown Vendor ID",
    });
    let Some(row) = row else { return Ok(()) };
    c.sub(&OCTETS, row.octets.len(), Bound::Header("the IKE Payload Length"))?;
    // Older versions end before any of these.
    match row.details {
        Details::Unity if c.remaining() >= 2 => {
            c.u8(&UNITY_MAJOR)?;
            c.u8(&UNITY_MINOR)?;
        }
        Details::Windows if c.remaining() >= 4 => {
            c.u32(&WINDOWS)?;
        }
        Details::CheckPoint if c.remaining() >= 20 => {
            for field in [&CHECK_POINT_PRODUCT, &CHECK_POINT_VERSION, &CHECK_POINT_TIME] {
                c.u32(field)?;
            }
            c.u32(&CHECK_POINT_RESERVED)?;
            c.u32(&CHECK_POINT_FEATURES)?;
        }
        Details::FortiGate if c.remaining() >= 4 => {
            c.u16(&FORTIGATE_RELEASE)?;
            c.u16(&FORTIGATE_BUILD)?;
        }
        _ => {}
    }
    Ok(())
}

fields! {
    section "RFC 7296 3.12";
    OCTETS = "isakmp.vid_bytes", "Vendor ID", Kind::Bytes;
    NAME = "isakmp.vid_string", "Vendor ID", Kind::Group;
    UNITY_MAJOR = "isakmp.vid.cisco_unity.major", "CISCO-UNITY Major version", Kind::Dec(8);
    UNITY_MINOR = "isakmp.vid.cisco_unity.minor", "CISCO-UNITY Minor version", Kind::Dec(8);
    WINDOWS = "isakmp.vid.ms_nt5_isakmpoakley", "MS NT5 ISAKMPOAKLEY", Kind::Dec(32), names windows_name;
    CHECK_POINT_PRODUCT = "isakmp.vid.cp.product", "Checkpoint Product", Kind::Dec(32);
    CHECK_POINT_VERSION = "isakmp.vid.cp.version", "Checkpoint Version", Kind::Dec(32);
    CHECK_POINT_TIME = "isakmp.vid.cp.timestamp", "Checkpoint Timestamp", Kind::Dec(32);
    CHECK_POINT_RESERVED = "isakmp.vid.cp.reserved", "Checkpoint Reserved", Kind::Hex(32);
    CHECK_POINT_FEATURES = "isakmp.vid.cp.features", "Checkpoint Features", Kind::Hex(32);
    FORTIGATE_RELEASE = "isakmp.vid.fortinet.fortigate.release", "Release", Kind::Dec(16);
    FORTIGATE_BUILD = "isakmp.vid.fortinet.fortigate.build", "Build", Kind::Dec(16);
}

fn windows_name(version: u64) -> Option<&'static str> {
    Some(match version {
        2 => "Windows 2000",
        3 => "Windows XP SP1",
        4 => "Windows 2003 and Windows XP SP2",
        5 => "Windows Vista",
        6 => "Windows Server 2008",
        7 => "Windows 7",
        8 => "Windows 8",
        9 => "Windows 10",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(octets: &[u8]) -> Option<&'static str> {
        find(octets).map(|row| row.name)
    }

    #[test]
    fn hashes_of_sentences_are_in_the_table() {
        use md5::{Digest, Md5};
        for row in ROWS.iter().filter(|row| row.name.starts_with("draft-") && row.octets.len() == 16) {
            let sentence = match row.name {
                r"draft-ietf-ipsec-nat-t-ike-02\n" => "draft-ietf-ipsec-nat-t-ike-02\n",
                "draft-huttunen-ipsec-esp-in-udp-01.txt (ESPThruNAT)" => "ESPThruNAT",
                other => other,
            };
            assert_eq!(row.octets, &Md5::digest(sentence)[..], "{sentence}");
        }
        for (sentence, expected) in [
            ("RFC 3947", "RFC 3947 Negotiation of NAT-Traversal in the IKE"),
            ("FRAGMENTATION", "Cisco Fragmentation"),
            ("MS NT5 ISAKMPOAKLEY", "MS NT5 ISAKMPOAKLEY"),
            ("Vid-Initial-Contact", "Microsoft Vid-Initial-Contact"),
            ("KAME/racoon", "KAME/racoon"),
            ("strongSwan", "strongSwan"),
        ] {
            assert_eq!(name(&Md5::digest(sentence)), Some(expected));
        }
    }

    #[test]
    fn the_longest_beginning_names_it() {
        assert_eq!(name(&[0x09, 0, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12, 1, 2]), Some("XAUTH"));
        assert_eq!(name(b"CISCO-GRE-MODE\x02"), Some("Cisco GRE Mode Supported"));
        assert_eq!(name(b"nobody"), None);
        assert_eq!(name(b""), None);
    }
}
