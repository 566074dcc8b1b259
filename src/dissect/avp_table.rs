//! The one table of AVPs: vendor, number, name, field, how the value is laid out, and which M and H bits its document
//! allows. One file below for each document or vendor that defines some.

pub(crate) mod broadband;
pub(crate) mod cablelabs;
pub(crate) mod cisco;
pub(crate) mod ericsson;
mod presence;
pub(crate) mod rfc2661;
pub(crate) mod rfc3145;
pub(crate) mod rfc3931;

pub use presence::{Presence, presence, required3};

use crate::field::FieldDef;

/// How the value of an AVP is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Empty,
    U16,
    U32,
    U64,
    /// Four octets whose two lowest bits have names (bit 1, bit 0).
    Bits(&'static FieldDef, &'static FieldDef),
    Text,
    Octets,
    Version(&'static FieldDef),
    Result {
        /// The field where the message is a StopCCN: its codes have other names than those of a CDN.
        stop_ccn: &'static FieldDef,
        cdn: &'static FieldDef,
        error: &'static FieldDef,
        message: &'static FieldDef,
    },
    Cause {
        message: &'static FieldDef,
        advisory: &'static FieldDef,
    },
    Disconnect {
        protocol: &'static FieldDef,
        direction: &'static FieldDef,
        message: &'static FieldDef,
    },
    CallErrors {
        reserved: &'static FieldDef,
        counters: [&'static FieldDef; 6],
    },
    Accm {
        reserved: &'static FieldDef,
        receive: &'static FieldDef,
    },
    /// A digest behind an octet that says which.
    Digest {
        kind: &'static FieldDef,
    },
    /// Connect Speed Update: RFC 5515 gives it another layout in each version, and so another length.
    SpeedUpdate {
        v2: &'static [Part],
        v3: &'static [Part],
    },
    /// These parts.
    Parts(&'static [Part]),
    /// The first parts, then the others again and again to the end.
    List(&'static [Part], &'static [Part]),
}

impl Shape {
    /// How many octets a value of this shape has, if it is always as many.
    pub(crate) fn octets(&self) -> Option<usize> {
        match self {
            Self::Empty => Some(0),
            Self::U16 | Self::Version(_) => Some(2),
            Self::U32 | Self::Bits(..) => Some(4),
            Self::U64 => Some(8),
            Self::Accm { .. } => Some(10),
            Self::CallErrors { .. } => Some(26),
            _ => None,
        }
    }
}

/// A part of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    U8(&'static FieldDef),
    U16(&'static FieldDef),
    U32(&'static FieldDef),
    U64(&'static FieldDef),
    /// Two octets, if they are there.
    MaybeU16(&'static FieldDef),
    /// Four octets, if they are there.
    MaybeU32(&'static FieldDef),
    Ipv4(&'static FieldDef),
    /// All that is left.
    Octets(&'static FieldDef),
    /// Two octets and bits of them.
    Word(&'static FieldDef, &'static [Bits]),
    /// An octet that counts the octets which follow.
    Counted(&'static FieldDef, &'static FieldDef),
    /// An octet that is zero or not.
    Flag(&'static FieldDef),
    /// Nothing but a mark that the parts behind it are there.
    Mark(&'static FieldDef),
}

/// Some bits of a word: their field, how far to the right they must be shifted, their mask after that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits(pub &'static FieldDef, pub u8, pub u16);

/// The M bit that the document of an AVP asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum M {
    /// It must be 1.
    One,
    /// It must be 0.
    Zero,
    /// Either.
    Any,
}

/// One AVP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub attribute: u16,
    pub name: &'static str,
    pub field: &'static FieldDef,
    pub shape: Shape,
    pub mandatory: M,
    pub may_hide: bool,
}

/// The number of each AVP that other modules ask for.
pub mod attribute {
    #![allow(missing_docs)]
    pub const MESSAGE_TYPE: u16 = 0;
    pub const RESULT_CODE: u16 = 1;
    pub const PROTOCOL_VERSION: u16 = 2;
    pub const TIE_BREAKER: u16 = 5;
    pub const HOST_NAME: u16 = 7;
    pub const VENDOR_NAME: u16 = 8;
    pub const ASSIGNED_TUNNEL_ID: u16 = 9;
    pub const RECEIVE_WINDOW_SIZE: u16 = 10;
    pub const CHALLENGE: u16 = 11;
    pub const CHALLENGE_RESPONSE: u16 = 13;
    pub const ASSIGNED_SESSION_ID: u16 = 14;
    pub const CALL_SERIAL_NUMBER: u16 = 15;
    pub const PROXY_AUTHEN_TYPE: u16 = 29;
    pub const PROXY_AUTHEN_NAME: u16 = 30;
    pub const PROXY_AUTHEN_CHALLENGE: u16 = 31;
    pub const PROXY_AUTHEN_ID: u16 = 32;
    pub const PROXY_AUTHEN_RESPONSE: u16 = 33;
    pub const RANDOM_VECTOR: u16 = 36;
    pub const SEQUENCING_REQUIRED: u16 = 39;
    /// RFC 2661 defines none above.
    pub const LAST_OF_RFC2661: u16 = 39;
    pub const DISCONNECT_CAUSE: u16 = 46;
    pub const MESSAGE_DIGEST: u16 = 59;
    pub const ASSIGNED_CONNECTION_ID: u16 = 61;
    pub const LOCAL_SESSION_ID: u16 = 63;
    pub const REMOTE_SESSION_ID: u16 = 64;
    pub const ASSIGNED_COOKIE: u16 = 65;
    pub const PSEUDOWIRE_TYPE: u16 = 68;
    pub const L2_SPECIFIC_SUBLAYER: u16 = 69;
    pub const DATA_SEQUENCING: u16 = 70;
    pub const AUTHENTICATION_NONCE: u16 = 73;
}

/// The vendors whose AVPs are known by number.
pub mod vendor {
    #![allow(missing_docs)]
    pub const IETF: u16 = 0;
    pub const CISCO: u16 = 9;
    pub const THREE_COM: u16 = 43;
    pub const ERICSSON: u16 = 193;
    pub const BROADBAND_FORUM: u16 = 3561;
    pub const CABLELABS: u16 = 4491;
}

const fn row(
    attribute: u16,
    name: &'static str,
    field: &'static FieldDef,
    shape: Shape,
    mandatory: M,
    may_hide: bool,
) -> Row {
    Row { attribute, name, field, shape, mandatory, may_hide }
}

/// The row of an AVP.
pub(crate) fn find(vendor: u16, attribute: u16) -> Option<&'static Row> {
    let rows = match (vendor, attribute) {
        (vendor::IETF, 0..40) => rfc2661::ROWS,
        // The draft of RFC 3145 used a number of 3Com (RFC 3145 section 4).
        (vendor::IETF, 40..58) | (vendor::THREE_COM, 46) => rfc3145::ROWS,
        (vendor::IETF, _) => rfc3931::ROWS,
        (vendor::CISCO, _) => cisco::ROWS,
        (vendor::ERICSSON, _) => ericsson::ROWS,
        (vendor::BROADBAND_FORUM, _) => broadband::ROWS,
        (vendor::CABLELABS, _) => cablelabs::ROWS,
        _ => return None,
    };
    let at = rows.binary_search_by_key(&attribute, |row| row.attribute).ok()?;
    rows.get(at)
}

/// What the document of an AVP says of its M bit, and whether it may be hidden.
pub fn bits(vendor: u16, attribute: u16) -> Option<(M, bool)> {
    find(vendor, attribute).map(|row| (row.mandatory, row.may_hide))
}

/// The name of an AVP.
pub fn avp_name(vendor: u16, attribute: u16) -> Option<&'static str> {
    find(vendor, attribute).map(|row| row.name)
}

fn named(vendor: u16, attribute: u64) -> Option<&'static str> {
    avp_name(vendor, u16::try_from(attribute).ok()?)
}

/// The name of an IETF AVP.
pub fn attribute_name(attribute: u64) -> Option<&'static str> {
    named(vendor::IETF, attribute)
}

/// The name of an AVP of Cisco.
pub(crate) fn cisco_name(attribute: u64) -> Option<&'static str> {
    named(vendor::CISCO, attribute)
}

/// The name of an AVP of Ericsson.
pub(crate) fn ericsson_name(attribute: u64) -> Option<&'static str> {
    named(vendor::ERICSSON, attribute)
}

/// The name of an AVP of the Broadband Forum.
pub(crate) fn broadband_name(attribute: u64) -> Option<&'static str> {
    named(vendor::BROADBAND_FORUM, attribute)
}

/// The name of an AVP of CableLabs.
pub(crate) fn cablelabs_name(attribute: u64) -> Option<&'static str> {
    named(vendor::CABLELABS, attribute)
}

/// The Pseudowire Type field, which data repeats as what is known of its session.
pub(crate) use rfc3931::PSEUDOWIRE_TYPE;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every AVP of `testdata/avp-registry.toml` (facts of the IANA's registry and of the vendors) is in the table under
    /// that name, and the table has no other.
    #[test]
    fn the_table_and_the_registry_have_the_same_avps() {
        let facts: toml::Table =
            toml::from_str(include_str!("../../testdata/avp-registry.toml")).expect("a table");
        let facts = facts["avp"].as_array().expect("AVPs");
        let number = |row: &toml::Value, key| u16::try_from(row[key].as_integer().unwrap()).unwrap();
        for fact in facts {
            let (vendor, attribute) = (number(fact, "vendor"), number(fact, "type"));
            let row = find(vendor, attribute).unwrap_or_else(|| panic!("{vendor}/{attribute} is missing"));
            assert_eq!(Some(row.name), fact["name"].as_str(), "{vendor}/{attribute}");
            if let Some(m) = fact.get("m").and_then(toml::Value::as_str) {
                let wanted = [("1", M::One), ("0", M::Zero), ("any", M::Any)].into_iter().find(|w| w.0 == m);
                let hide = fact["h"].as_bool().expect("a flag");
                assert_eq!(bits(vendor, attribute), Some((wanted.unwrap().1, hide)), "{vendor}/{attribute}");
            }
        }
        let mut known = 0;
        for vendor in 0..=u16::MAX {
            known += (0..512).filter(|attribute| find(vendor, *attribute).is_some()).count();
        }
        assert_eq!(known, facts.len(), "an AVP that the registry has not");
        assert_eq!(attribute_name(46), Some("PPP Disconnect Cause Code"));
        assert!(find(0, 67).is_none() && find(0, 103).is_none() && find(311, 0).is_none());
    }
}
