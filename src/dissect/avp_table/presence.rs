//! Which AVPs of the IETF a control message must and may carry (RFC 2661 section 6, RFC 3931 section 5.4, and what
//! extends them).

use crate::dissect::layers::MessageType;

/// The AVPs of one control message.
#[derive(Debug, Clone, Copy)]
pub struct Presence {
    /// The message.
    pub message: MessageType,
    /// Those that it must carry in L2TPv2.
    pub must: &'static [u16],
    /// Those that it may carry in L2TPv2 besides.
    pub may: &'static [u16],
    /// Those that RFC 3931 and its extensions place in it.
    pub version3: &'static [u16],
}

/// What a message of L2TPv3 must carry besides its Message Type, by number of the message (RFC 3931 section 6).
static REQUIRED3: &[(u16, &[u16])] = &[
    (1, &[7, 60, 61, 62]),
    (2, &[7, 60, 61, 62]),
    (4, &[1]),
    (7, &[15, 63, 64, 66, 68, 71]),
    (8, &[63, 64, 71]),
    (9, &[63, 64]),
    (10, &[15, 63, 64, 66, 68, 71]),
    (11, &[63, 64, 71]),
    (12, &[63, 64]),
    (14, &[1, 63, 64]),
    (15, &[34, 63, 64]),
    (16, &[63, 64]),
];

/// The AVPs that a message of L2TPv3 must carry besides its Message Type.
pub fn required3(message: MessageType) -> &'static [u16] {
    REQUIRED3.iter().find(|(number, _)| *number == message.0).map_or(&[], |(_, required)| required)
}

/// By number of the message.
static PRESENCE: &[Presence] = &[
    // SCCRQ
    row(
        1,
        &[0, 2, 3, 7, 9],
        &[4, 5, 6, 8, 10, 11, 36, 47, 53, 56, 57, 76, 77, 80],
        &[0, 5, 7, 8, 10, 36, 58, 59, 60, 61, 62, 72, 73, 76, 77],
    ),
    // SCCRP
    row(
        2,
        &[0, 2, 3, 7, 9],
        &[4, 6, 8, 10, 11, 13, 36, 47, 53, 56, 57, 76, 78, 80],
        &[0, 7, 8, 10, 36, 58, 59, 60, 61, 62, 72, 73, 76, 78],
    ),
    // SCCCN
    row(3, &[0], &[13, 36], &[0, 36, 58, 59]),
    // StopCCN
    row(4, &[0, 1, 9], &[36], &[0, 1, 36, 58, 59, 61]),
    // HELLO
    row(6, &[0], &[36], &[0, 36, 58, 59]),
    // OCRQ
    row(
        7,
        &[0, 14, 15, 16, 17, 18, 19, 21],
        &[23, 36, 40, 41, 42, 43, 48, 93],
        &[
            0, 5, 15, 36, 58, 59, 63, 64, 65, 66, 68, 69, 70, 71, 74, 75, 85, 86, 87, 89, 90, 91, 92, 94, 95,
            96, 99, 100, 101, 102,
        ],
    ),
    // OCRP
    row(
        8,
        &[0, 14],
        &[25, 36, 45, 48],
        &[0, 25, 36, 58, 59, 63, 64, 65, 69, 70, 71, 74, 75, 85, 86, 87, 91, 92, 94, 95, 96, 101, 102],
    ),
    // OCCN
    row(
        9,
        &[0, 19, 24],
        &[36, 38, 39, 49, 50],
        &[0, 36, 58, 59, 63, 64, 69, 70, 71, 74, 75, 85, 86, 91, 92, 94, 95, 96, 99, 100],
    ),
    // ICRQ
    row(
        10,
        &[0, 14, 15],
        &[18, 21, 22, 23, 25, 36, 42, 43, 44, 45, 48, 80, 93, 98],
        &[
            0, 5, 15, 25, 36, 58, 59, 63, 64, 65, 66, 68, 69, 70, 71, 74, 75, 85, 86, 87, 89, 90, 91, 92, 94,
            95, 96, 98, 99, 100, 101, 102,
        ],
    ),
    // ICRP
    row(
        11,
        &[0, 14],
        &[36, 48, 80],
        &[0, 25, 36, 58, 59, 63, 64, 65, 69, 70, 71, 74, 75, 85, 86, 87, 91, 92, 94, 95, 96, 101, 102],
    ),
    // ICCN
    row(
        12,
        &[0, 19, 24],
        &[26, 27, 28, 29, 30, 31, 32, 33, 36, 37, 38, 39, 49, 50],
        &[0, 36, 58, 59, 63, 64, 69, 70, 71, 74, 75, 85, 86, 91, 92, 94, 95, 96, 99, 100],
    ),
    // CDN
    row(14, &[0, 1, 14], &[12, 36, 46], &[0, 1, 36, 58, 59, 63, 64]),
    // WEN
    row(15, &[0, 34], &[36], &[0, 34, 36, 58, 59, 63, 64]),
    // SLI
    row(16, &[0, 35], &[36, 51, 52], &[0, 36, 58, 59, 63, 64, 71, 88]),
    // MDMST
    row(17, &[0], &[36, 54], &[]),
    // SRRQ
    row(18, &[0], &[36, 55], &[0, 36, 58, 59]),
    // SRRP
    row(19, &[0], &[36, 55], &[0, 36, 58, 59]),
    // ACK
    row(20, &[], &[], &[0, 36, 58, 59]),
    // FSQ
    row(21, &[0], &[36, 79], &[0, 36, 58, 59, 79]),
    // FSR
    row(22, &[0], &[36, 79], &[0, 36, 58, 59, 79]),
    // MSRQ
    row(23, &[0], &[36], &[0, 36, 58, 59]),
    // MSRP
    row(24, &[0], &[36, 84], &[0, 36, 58, 59]),
    // MSE
    row(25, &[0], &[36], &[0, 36, 58, 59]),
    // MSI
    row(26, &[0], &[36, 81, 82, 83, 84], &[0, 36, 58, 59]),
    // MSEN
    row(27, &[0], &[36], &[0, 36, 58, 59]),
    // CSUN
    row(28, &[0], &[36, 97], &[0, 36, 58, 59, 97]),
    // CSURQ
    row(29, &[0], &[36, 97], &[0, 36, 58, 59, 97]),
];

const fn row(message: u16, must: &'static [u16], may: &'static [u16], version3: &'static [u16]) -> Presence {
    Presence { message: MessageType(message), must, may, version3 }
}

/// Which AVPs a control message must and may carry; `None` if the message is not known.
pub fn presence(message: MessageType) -> Option<&'static Presence> {
    PRESENCE.iter().find(|row| row.message == message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::avp_table::find;

    #[test]
    fn the_table_and_the_registry_place_the_same_avps() {
        let facts: toml::Table =
            toml::from_str(include_str!("../../../testdata/avp-registry.toml")).expect("a table");
        let facts = facts["message"].as_array().expect("messages");
        assert_eq!(facts.len(), PRESENCE.len());
        for fact in facts {
            let number = fact["type"].as_integer().expect("a number");
            let row = presence(MessageType(u16::try_from(number).expect("a number"))).expect("a message");
            assert_ne!(row.message.name(), "unknown");
            for (key, list) in [("must", row.must), ("may", row.may), ("version3", row.version3)] {
                let wanted: Vec<i64> =
                    fact[key].as_array().unwrap().iter().filter_map(toml::Value::as_integer).collect();
                let ours: Vec<i64> = list.iter().copied().map(i64::from).collect();
                assert_eq!(ours, wanted, "{number} {key}");
                assert!(list.iter().all(|attribute| find(0, *attribute).is_some()));
            }
            assert!(row.must.iter().all(|attribute| !row.may.contains(attribute)), "{number}");
        }
        assert!(presence(MessageType(5)).is_none());
    }
}
