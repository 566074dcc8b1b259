//! The characters of an Async-Control-Character-Map (RFC 1662 section 7.1).

use crate::field::{FieldDef, Kind};

crate::fields! {
    section "RFC 1662 7.1";
    NUL = "lcp.opt.asyncmap.nul", "NUL", Kind::Flag;
    SOH = "lcp.opt.asyncmap.soh", "SOH", Kind::Flag;
    STX = "lcp.opt.asyncmap.stx", "STX", Kind::Flag;
    ETX = "lcp.opt.asyncmap.etx", "ETX", Kind::Flag;
    EOT = "lcp.opt.asyncmap.eot", "EOT", Kind::Flag;
    ENQ = "lcp.opt.asyncmap.enq", "ENQ", Kind::Flag;
    ACK = "lcp.opt.asyncmap.ack", "ACK", Kind::Flag;
    BEL = "lcp.opt.asyncmap.bel", "BEL", Kind::Flag;
    BS = "lcp.opt.asyncmap.bs", "BS", Kind::Flag;
    HT = "lcp.opt.asyncmap.ht", "HT", Kind::Flag;
    LF = "lcp.opt.asyncmap.lf", "LF", Kind::Flag;
    VT = "lcp.opt.asyncmap.vt", "VT", Kind::Flag;
    FF = "lcp.opt.asyncmap.ff", "FF", Kind::Flag;
    CR = "lcp.opt.asyncmap.cr", "CR", Kind::Flag;
    SO = "lcp.opt.asyncmap.so", "SO", Kind::Flag;
    SI = "lcp.opt.asyncmap.si", "SI", Kind::Flag;
    DLE = "lcp.opt.asyncmap.dle", "DLE", Kind::Flag;
    DC1 = "lcp.opt.asyncmap.dc1", "DC1 (XON)", Kind::Flag;
    DC2 = "lcp.opt.asyncmap.dc2", "DC2", Kind::Flag;
    DC3 = "lcp.opt.asyncmap.dc3", "DC3 (XOFF)", Kind::Flag;
    DC4 = "lcp.opt.asyncmap.dc4", "DC4", Kind::Flag;
    NAK = "lcp.opt.asyncmap.nak", "NAK", Kind::Flag;
    SYN = "lcp.opt.asyncmap.syn", "SYN", Kind::Flag;
    ETB = "lcp.opt.asyncmap.etb", "ETB", Kind::Flag;
    CAN = "lcp.opt.asyncmap.can", "CAN", Kind::Flag;
    EM = "lcp.opt.asyncmap.em", "EM", Kind::Flag;
    SUB = "lcp.opt.asyncmap.sub", "SUB", Kind::Flag;
    ESC = "lcp.opt.asyncmap.esc", "ESC", Kind::Flag;
    FS = "lcp.opt.asyncmap.fs", "FS", Kind::Flag;
    GS = "lcp.opt.asyncmap.gs", "GS", Kind::Flag;
    RS = "lcp.opt.asyncmap.rs", "RS", Kind::Flag;
    US = "lcp.opt.asyncmap.us", "US", Kind::Flag;
}

/// The control characters of an ACCM: bit n is octet n.
pub(crate) static BITS: &[(&FieldDef, u64)] = &[
    (&US, 0x8000_0000),
    (&RS, 0x4000_0000),
    (&GS, 0x2000_0000),
    (&FS, 0x1000_0000),
    (&ESC, 0x0800_0000),
    (&SUB, 0x0400_0000),
    (&EM, 0x0200_0000),
    (&CAN, 0x0100_0000),
    (&ETB, 0x0080_0000),
    (&SYN, 0x0040_0000),
    (&NAK, 0x0020_0000),
    (&DC4, 0x0010_0000),
    (&DC3, 0x0008_0000),
    (&DC2, 0x0004_0000),
    (&DC1, 0x0002_0000),
    (&DLE, 0x0001_0000),
    (&SI, 0x8000),
    (&SO, 0x4000),
    (&CR, 0x2000),
    (&FF, 0x1000),
    (&VT, 0x800),
    (&LF, 0x400),
    (&HT, 0x200),
    (&BS, 0x100),
    (&BEL, 0x80),
    (&ACK, 0x40),
    (&ENQ, 0x20),
    (&EOT, 0x10),
    (&ETX, 0x8),
    (&STX, 0x4),
    (&SOH, 0x2),
    (&NUL, 0x1),
];
