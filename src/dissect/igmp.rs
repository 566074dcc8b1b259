//! The Internet Group Management Protocol (RFC 2236; version 3 RFC 3376): its type and group.

use crate::field::{Cursor, Kind, Sink};
use crate::fields;

use super::layers::Layers;
use super::ppp::text;
use super::{Next, Step};

fields! {
    section "RFC 2236 2";
    TYPE = "igmp.type", "Type", Kind::Hex(8), names type_name;
    MAX_RESPONSE = "igmp.max_resp", "Max Resp Time", Kind::Dec(8);
    CHECKSUM = "igmp.checksum", "Checksum", Kind::Hex(16);
    GROUP = "igmp.maddr", "Group Address", Kind::Ipv4;
    RECORDS = "igmp.records", "Records", Kind::Bytes, section "RFC 3376 4";
}

const VERSION_3_REPORT: u8 = 0x22;

fn type_name(number: u64) -> Option<&'static str> {
    Some(match number {
        0x11 => "Membership Query",
        0x12 => "Membership Report v1",
        0x16 => "Membership Report v2",
        0x17 => "Leave Group",
        0x22 => "Membership Report v3",
        _ => return None,
    })
}

/// Reads a message.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, _: &mut Layers) -> Step {
    let kind = c.u8(&TYPE)?;
    c.u8(&MAX_RESPONSE)?;
    c.u16(&CHECKSUM)?;
    if kind != VERSION_3_REPORT {
        c.ipv4(&GROUP)?;
    }
    text(c, &RECORDS);
    Ok(Next::NotOurs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::step;

    #[test]
    fn versions_2_and_3() {
        assert_eq!(step(&[0x16, 0, 0, 0, 224, 0, 0, 251], dissect), "NotOurs");
        assert_eq!(step(&[0x22, 0, 0, 0, 0, 0, 0, 1], dissect), "NotOurs");
        assert_eq!(step(&[0x16, 0, 0, 0, 224], dissect), "Short igmp.maddr needs 4, has 1 at 4");
    }
}
