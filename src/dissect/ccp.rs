//! The Compression Control Protocol (RFC 1962; MPPE RFC 3078, MPPC RFC 2118, BSD RFC 1977, Deflate RFC 1979).

use super::Step;
use super::layers::Layers;
use super::negotiation::{Negotiation, OptionRow, Piece};
use super::ppp_names::CCP;
use crate::field::{Cursor, Kind, Sink};

crate::fields! {
    section "RFC 1962 3";
    TYPE = "ccp.opt.type", "Type", Kind::Dec(8), names type_name;
    LENGTH = "ccp.opt.length", "Length", Kind::Dec(8);
    DATA = "ccp.opt.data", "Data", Kind::Bytes;
    UNKNOWN = "ccp.opt.unknown", "Unknown option", Kind::Group;
    OUI_OPTION = "ccp.opt_oui", "OUI", Kind::Group;
    OUI = "ccp.opt.oui", "OUI", Kind::Hex(24);
    SUBTYPE = "ccp.opt.subtype", "Subtype", Kind::Dec(8);
    PREDICTOR1 = "ccp.opt.predict1", "Predictor type 1", Kind::Group;
    PREDICTOR2 = "ccp.opt.predict2", "Predictor type 2", Kind::Group;
    PUDDLE_JUMPER = "ccp.opt.puddle", "Puddle Jumper", Kind::Group;
    HP_PPC = "ccp.opt.hpppc", "Hewlett-Packard PPC", Kind::Group;
    STAC = "ccp.opt.stac", "Stac Electronics LZS", Kind::Group;
    HISTORY_COUNT = "ccp.opt.history_count", "History Count", Kind::Dec(16);
    CHECK_MODE = "ccp.opt.cm", "Check Mode Field", Kind::Dec(8);
    CHECK_MODE_RESERVED = "ccp.opt.cm.reserved", "Reserved", Kind::Dec(8);
    CHECK_MODE_VALUE = "ccp.opt.cm.check_mode", "Check Mode", Kind::Dec(8);
    MPPE = "ccp.opt.mppe", "Microsoft PPE/PPC", Kind::Group;
    MPPE_BITS = "ccp.opt.supported_bits", "Supported Bits", Kind::Hex(32);
    MPPE_STATELESS = "ccp.opt.supported_bits.h", "H", Kind::Flag;
    MPPE_56 = "ccp.opt.supported_bits.m", "M", Kind::Flag;
    MPPE_128 = "ccp.opt.supported_bits.s", "S", Kind::Flag;
    MPPE_40 = "ccp.opt.supported_bits.l", "L", Kind::Flag;
    MPPE_OBSOLETE = "ccp.opt.supported_bits.d", "D", Kind::Flag;
    MPPC = "ccp.opt.supported_bits.c", "C", Kind::Flag;
    GANDALF = "ccp.opt.gfza", "Gandalf FZA", Kind::Group;
    HISTORY = "ccp.opt.history", "History", Kind::Dec(8);
    VERSION = "ccp.opt.version", "Version", Kind::Bytes;
    V42BIS = "ccp.opt.v42bis", "V.42bis compression", Kind::Group;
    BSD = "ccp.opt.bsdcomp", "BSD LZW Compress", Kind::Group;
    BSD_VALUE = "ccp.opt.vd", "Vers/Dict", Kind::Hex(8);
    BSD_VERSION = "ccp.opt.vd.vers", "Vers", Kind::Dec(8);
    BSD_DICT = "ccp.opt.vd.dict", "Dict", Kind::Dec(8);
    LZS_DCP = "ccp.opt.lzsdcp", "LZS-DCP", Kind::Group;
    LZS_CHECK_MODE = "ccp.opt.check_mode", "Check Mode", Kind::Dec(8);
    PROCESS_MODE = "ccp.opt.process_mode", "Process Mode", Kind::Dec(8);
    MVRCA = "ccp.opt.mvrca", "MVRCA (Magnalink)", Kind::Group;
    MVRCA_FLAGS = "ccp.opt.mvrca.flags", "Flags", Kind::Hex(8);
    FEATURES = "ccp.opt.fe", "Features", Kind::Dec(8);
    BY_PACKET = "ccp.opt.p", "Packet by Packet flag", Kind::Flag;
    MVRCA_HISTORY = "ccp.opt.History", "History", Kind::Dec(8);
    CONTEXTS = "ccp.opt.contexts", "# Contexts", Kind::Dec(8);
    DCE = "ccp.opt.dce", "PPP for Data Compression in Data Circuit-Terminating Equipment (DCE)", Kind::Group;
    MODE = "ccp.opt.mode", "Mode", Kind::Dec(8);
    DEFLATE = "ccp.opt.deflate", "Deflate", Kind::Group;
    WINDOW_METHOD = "ccp.opt.window_method", "Window and Method", Kind::Hex(8);
    WINDOW = "ccp.opt.window", "Window", Kind::Dec(8), names window_name;
    METHOD = "ccp.opt.method", "Method", Kind::Dec(8);
    DEFLATE_CHECK = "ccp.opt.deflate_check", "Check", Kind::Hex(8);
    MBZ = "ccp.opt.mbz", "MBZ", Kind::Dec(8);
    CHECK = "ccp.opt.chk", "Chk", Kind::Dec(8);
    DICTIONARIES = "ccp.opt.mode_dictcount", "Mode/Dictionary Count", Kind::Dec(16);
    DICTIONARY_SIZE = "ccp.opt.dict_size", "Dictionary Size", Kind::Dec(16);
    HISTORY_LENGTH = "ccp.opt.history_length", "History Length", Kind::Dec(16);
    V44 = "ccp.opt.v44lzjh", "V.44/LZJH compression", Kind::Group;
}

/// The options of CCP.
pub(crate) static TABLE: Negotiation = Negotiation {
    protocol: CCP,
    kind: &TYPE,
    length: &LENGTH,
    data: &DATA,
    unknown: &UNKNOWN,
    options: &[
        OptionRow::new(0, "OUI", &OUI_OPTION, &[Piece::u24(&OUI), Piece::u8(&SUBTYPE), Piece::rest(&DATA)]),
        OptionRow::new(1, "Predictor-1", &PREDICTOR1, &[]),
        OptionRow::new(2, "Predictor-2", &PREDICTOR2, &[]),
        OptionRow::new(3, "Puddle-Jumper", &PUDDLE_JUMPER, &[]),
        OptionRow::new(16, "HP-PPC", &HP_PPC, &[Piece::rest(&DATA)]),
        OptionRow::new(
            17,
            "Stac-LZS",
            &STAC,
            &[
                Piece::u16(&HISTORY_COUNT),
                Piece::u8(&CHECK_MODE).bits(&[(&CHECK_MODE_RESERVED, 0xf8), (&CHECK_MODE_VALUE, 0x07)]),
            ],
        ),
        OptionRow::new(
            18,
            "MPPE/MPPC",
            &MPPE,
            &[Piece::u32(&MPPE_BITS).bits(&[
                (&MPPE_STATELESS, 0x0100_0000),
                (&MPPE_56, 0x80),
                (&MPPE_128, 0x40),
                (&MPPE_40, 0x20),
                (&MPPE_OBSOLETE, 0x10),
                (&MPPC, 0x01),
            ])],
        ),
        OptionRow::new(19, "Gandalf-FZA", &GANDALF, &[Piece::u8(&HISTORY), Piece::rest(&VERSION)]),
        OptionRow::new(20, "V.42bis", &V42BIS, &[Piece::rest(&DATA)]),
        OptionRow::new(
            21,
            "BSD-Compress",
            &BSD,
            &[Piece::u8(&BSD_VALUE).bits(&[(&BSD_VERSION, 0xe0), (&BSD_DICT, 0x1f)])],
        ),
        OptionRow::new(
            23,
            "LZS-DCP",
            &LZS_DCP,
            &[Piece::u16(&HISTORY_COUNT), Piece::u8(&LZS_CHECK_MODE), Piece::u8(&PROCESS_MODE)],
        ),
        OptionRow::new(
            24,
            "MVRCA",
            &MVRCA,
            &[
                Piece::u8(&MVRCA_FLAGS).bits(&[
                    (&FEATURES, 0xc0),
                    (&BY_PACKET, 0x20),
                    (&MVRCA_HISTORY, 0x1f),
                ]),
                Piece::u8(&CONTEXTS),
            ],
        ),
        OptionRow::new(25, "DCE", &DCE, &[Piece::u8(&MODE)]),
        OptionRow::new(
            26,
            "Deflate",
            &DEFLATE,
            &[
                Piece::u8(&WINDOW_METHOD).bits(&[(&WINDOW, 0xf0), (&METHOD, 0x0f)]),
                Piece::u8(&DEFLATE_CHECK).bits(&[(&MBZ, 0xfc), (&CHECK, 0x03)]),
            ],
        ),
        OptionRow::new(
            27,
            "V.44",
            &V44,
            &[Piece::u16(&DICTIONARIES), Piece::u16(&DICTIONARY_SIZE), Piece::u16(&HISTORY_LENGTH).open()],
        ),
    ],
};

/// The exponent is that of the size less eight (RFC 1979 section 3).
fn window_name(exponent: u64) -> Option<&'static str> {
    const SIZES: [&str; 8] = ["256", "512", "1024", "2048", "4096", "8192", "16384", "32768"];
    SIZES.get(usize::try_from(exponent).ok()?).copied()
}

fn type_name(kind: u64) -> Option<&'static str> {
    TABLE.name(kind)
}

/// Reads a CCP packet.
pub(crate) fn dissect<S: Sink>(c: &mut Cursor<'_, '_, S>, layers: &mut Layers) -> Step {
    TABLE.dissect(c, layers)
}

#[cfg(test)]
mod tests {
    use crate::dissect::layers::{PppBody, PppOptionValue::Number};
    use crate::dissect::ppp::testing::{described, sound};

    fn kinds(hex: &str) -> Vec<(u8, u64)> {
        let control = sound(hex).control.expect("CCP");
        let PppBody::Options(options) = control.body else { panic!("{hex}: {:?}", control.body) };
        let number = |value| if let Number(number) = value { number } else { u64::MAX };
        options.iter().map(|option| (option.kind, number(option.value))).collect()
    }

    #[test]
    fn mppe_with_its_bits() {
        // pppd with MPPE of 128 bits, stateless.
        let hex = "ff0380fd0101000a120601000040";
        assert_eq!(kinds(hex), [(18, 0x0100_0040)]);
        assert_eq!(
            described(hex)[8..],
            [
                "ccp.opt.supported_bits=16777280",
                "ccp.opt.supported_bits.h=1",
                "ccp.opt.supported_bits.m=0",
                "ccp.opt.supported_bits.s=1",
                "ccp.opt.supported_bits.l=0",
                "ccp.opt.supported_bits.d=0",
                "ccp.opt.supported_bits.c=0"
            ]
        );
    }

    #[test]
    fn deflate_bsd_and_what_looks_like_mvrca() {
        // pppd offers Deflate under its number and under that of the draft, 24, which is MVRCA's; and BSD-Compress.
        let hex = "80fd0101000f1a0478001804780015032f";
        assert_eq!(kinds(hex), [(26, 0x78), (24, 0x78), (21, 0x2f)]);
        let seen = described(hex);
        for field in ["ccp.opt.window=7", "ccp.opt.method=8", "ccp.opt.chk=0", "ccp.opt.vd.vers=1"] {
            assert!(seen.contains(&field.to_owned()), "{field}");
        }
        assert!(seen.contains(&"ccp.opt.vd.dict=15".to_owned()));
    }

    #[test]
    fn other_algorithms() {
        let hex =
            "80fd01010025 0102 1105000104 1706 0001 0302 0007 00aabb 0512 13040a01 1006 01020304 1403 01";
        assert_eq!(kinds(hex).len(), 7);
        let seen = described(hex);
        for field in ["ccp.opt.history_count=1", "ccp.opt.cm.check_mode=4", "ccp.opt.process_mode=2"] {
            assert!(seen.contains(&field.to_owned()), "{field}");
        }
    }

    #[test]
    fn resets_and_ends() {
        assert!(matches!(sound("80fd0e010004").control.expect("CCP").body, PppBody::Other));
        assert!(matches!(sound("80fd0f0100061234").control.expect("CCP").body, PppBody::Other));
        // pppd gives up on compression.
        let end = sound("ff0380fd050200194c6f737420636f6d7072657373696f6e2073796e63").control.expect("CCP");
        assert!(matches!(end.body, PppBody::Message(text) if text.as_str() == "Lost compression sync"));
    }
}
