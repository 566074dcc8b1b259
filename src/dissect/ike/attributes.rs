//! Attributes of transforms (RFC 2408 section 3.3, RFC 2409 appendix A, RFC 2407 section 4.5, RFC 7296 section 3.3.5).

use crate::field::{Bound, Cursor, FieldDef, Kind, Short, Sink, Value};
use crate::fields;

use super::algorithms;

/// How the value of an attribute is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A number of any length up to eight octets.
    Number,
    /// A number, by its length: up to four octets, eight octets, any other.
    Lifetime {
        eight: &'static FieldDef,
        other: &'static FieldDef,
    },
    Octets,
    /// Text up to its first NUL, if it has one.
    Text,
    Ipv4,
    Ipv6,
    /// Two IPv4 addresses.
    Ipv4And(&'static FieldDef),
    /// An IPv6 address and one octet.
    Ipv6And(&'static FieldDef),
    /// Eight octets and the rest.
    U64And(&'static FieldDef),
    /// Numbers of two octets.
    Numbers,
    /// Nothing but its value is known.
    Plain,
}

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub number: u16,
    pub name: &'static str,
    pub field: &'static FieldDef,
    pub shape: Shape,
}

pub(super) const fn row(number: u16, name: &'static str, field: &'static FieldDef, shape: Shape) -> Row {
    Row { number, name, field, shape }
}

/// What a class of attributes is called, and the table of its members.
#[derive(Debug)]
pub(super) struct Class {
    pub tree: &'static FieldDef,
    pub format: &'static FieldDef,
    pub kind: &'static FieldDef,
    pub length: &'static FieldDef,
    pub value: &'static FieldDef,
    /// Instead of `value` where the field of the attribute is masked.
    pub secret: &'static FieldDef,
    pub rows: &'static [Row],
}

/// The name of an attribute in its table.
pub(super) fn name_in(rows: &[Row], number: u64) -> Option<&'static str> {
    rows.iter().find(|row| u64::from(row.number) == number).map(|row| row.name)
}

const BOUND: Bound = Bound::Header("the attribute length");

/// The AF bit: the value stands where the length would.
const SHORT_FORM: u16 = 0x8000;

/// Reads attributes up to the end; each has at least four octets, so the walk ends.
pub(super) fn read_all<S: Sink>(c: &mut Cursor<'_, '_, S>, class: &'static Class) -> Result<(), Short> {
    read_each(c, class, &mut |_, _| {})
}

/// The same; tells type and value of those that have at most eight octets.
pub(super) fn read_each<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    class: &'static Class,
    told: &mut dyn FnMut(u16, u64),
) -> Result<(), Short> {
    while !c.is_empty() {
        read(c, class, told)?;
    }
    Ok(())
}

fn read<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    class: &'static Class,
    told: &mut dyn FnMut(u16, u64),
) -> Result<(), Short> {
    let Some(word) = c.peek_u16() else { return Err(c.short(class.kind, 2)) };
    let short_form = word & SHORT_FORM != 0;
    let whole = match (short_form, c.peek(2), c.peek(3)) {
        (true, ..) => 4,
        (false, Some(high), Some(low)) => usize::from(u16::from_be_bytes([high, low])).saturating_add(4),
        (false, ..) => return Err(c.short(class.length, 4)),
    };
    let number = word & !SHORT_FORM;
    let row = class.rows.iter().find(|row| row.number == number);
    let mut c = c.group(class.tree, whole, BOUND)?;
    if let Some(row) = row {
        c.title(row.name);
    }
    c.bits16(class.kind)?;
    c.part(class.format, 2, short_form.into());
    c.part(class.kind, 2, number.into());
    if !short_form {
        c.u16(class.length)?;
    }
    if c.is_empty() {
        return Ok(());
    }
    let octets = c.peek_rest();
    if octets.len() <= 8 {
        told(number, octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)));
    }
    let masked = row.is_some_and(|row| row.field.kind == Kind::Secret);
    let range = c.rest_range();
    c.describe(if masked { class.secret } else { class.value }, range, Value::Octets);
    match row {
        Some(row) => value(&mut c, row.field, row.shape),
        None => Ok(()),
    }
}

fn value<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static FieldDef, shape: Shape) -> Result<(), Short> {
    let octets = c.peek_rest();
    match shape {
        Shape::Plain => {}
        Shape::Number if octets.len() <= 8 => number(c, field)?,
        Shape::Lifetime { .. } if octets.len() <= 4 => number(c, field)?,
        Shape::Lifetime { eight, .. } if octets.len() == 8 => number(c, eight)?,
        Shape::Lifetime { other, .. } => {
            c.rest(other);
        }
        Shape::Octets | Shape::Number => {
            c.rest(field);
        }
        Shape::Text => {
            let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
            c.octets(field, end)?;
        }
        Shape::Ipv4 => {
            c.ipv4(field)?;
        }
        Shape::Ipv6 => {
            c.ipv6(field)?;
        }
        Shape::Ipv4And(second) => {
            c.ipv4(field)?;
            c.ipv4(second)?;
        }
        Shape::Ipv6And(second) => {
            c.ipv6(field)?;
            // A request may hold the address alone.
            if !c.is_empty() {
                c.u8(second)?;
            }
        }
        Shape::U64And(second) => {
            c.u64(field)?;
            c.rest(second);
        }
        Shape::Numbers => {
            while !c.is_empty() {
                c.u16(field)?;
            }
        }
    }
    Ok(())
}

/// Reads all that is left as one number in network order.
fn number<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static FieldDef) -> Result<(), Short> {
    let octets = c.peek_rest();
    let value = octets.iter().fold(0u64, |value, octet| value << 8 | u64::from(*octet));
    c.sub(field, octets.len(), BOUND)?;
    c.part(field, octets.len(), value);
    Ok(())
}

const fn lifetime(eight: &'static FieldDef, other: &'static FieldDef) -> Shape {
    Shape::Lifetime { eight, other }
}

/// Of ISAKMP transforms (RFC 2409 appendix A).
pub(super) static IKE: Class = Class {
    tree: &IKE_TREE,
    format: &IKE_FORMAT,
    kind: &IKE_TYPE,
    length: &IKE_LENGTH,
    value: &IKE_VALUE,
    secret: &IKE_VALUE,
    rows: IKE_ROWS,
};

static IKE_ROWS: &[Row] = &[
    row(1, "Encryption-Algorithm", &IKE_ENCRYPTION, Shape::Number),
    row(2, "Hash-Algorithm", &IKE_HASH, Shape::Number),
    row(3, "Authentication-Method", &IKE_AUTHENTICATION, Shape::Number),
    row(4, "Group-Description", &IKE_GROUP, Shape::Number),
    row(5, "Group-Type", &IKE_GROUP_TYPE, Shape::Number),
    row(6, "Group-Prime", &IKE_PRIME, Shape::Octets),
    row(7, "Group-Generator-One", &IKE_GENERATOR_ONE, Shape::Octets),
    row(8, "Group-Generator-Two", &IKE_GENERATOR_TWO, Shape::Octets),
    row(9, "Group-Curve-A", &IKE_CURVE_A, Shape::Octets),
    row(10, "Group-Curve-B", &IKE_CURVE_B, Shape::Octets),
    row(11, "Life-Type", &IKE_LIFE_TYPE, Shape::Number),
    row(12, "Life-Duration", &IKE_LIFE, lifetime(&IKE_LIFE_64, &IKE_LIFE_OCTETS)),
    row(13, "PRF", &IKE_PRF, Shape::Octets),
    row(14, "Key-Length", &IKE_KEY_LENGTH, Shape::Number),
    row(15, "Field-Size", &IKE_FIELD_SIZE, Shape::Octets),
    row(16, "Group-Order", &IKE_ORDER, Shape::Octets),
    row(17, "Block-Size", &IKE_BLOCK_SIZE, Shape::Octets),
    row(20, "Asymmetric-Cryptographic-Algorithm-Type", &IKE_ASYMMETRIC, Shape::Number),
];

fn ike_name(number: u64) -> Option<&'static str> {
    name_in(IKE_ROWS, number)
}

/// Of AH, ESP and IPComp transforms (RFC 2407 section 4.5).
pub(super) static IPSEC: Class = Class {
    tree: &IPSEC_TREE,
    format: &IPSEC_FORMAT,
    kind: &IPSEC_TYPE,
    length: &IPSEC_LENGTH,
    value: &IPSEC_VALUE,
    secret: &IPSEC_VALUE,
    rows: IPSEC_ROWS,
};

static IPSEC_ROWS: &[Row] = &[
    row(1, "SA-Life-Type", &IPSEC_LIFE_TYPE, Shape::Number),
    row(2, "SA-Life-Duration", &IPSEC_LIFE, lifetime(&IPSEC_LIFE_64, &IPSEC_LIFE_OCTETS)),
    row(3, "Group-Description", &IPSEC_GROUP, Shape::Number),
    row(4, "Encapsulation-Mode", &IPSEC_MODE, Shape::Number),
    row(5, "Authentication-Algorithm", &IPSEC_AUTHENTICATION, Shape::Number),
    row(6, "Key-Length", &IPSEC_KEY_LENGTH, Shape::Number),
    row(7, "Key-Rounds", &IPSEC_KEY_ROUNDS, Shape::Number),
    row(8, "Compress-Dictionary-Size", &IPSEC_DICTIONARY, Shape::Number),
    row(9, "Compress-Private-Algorithm", &IPSEC_COMPRESSION, Shape::Octets),
    row(10, "ECN-Tunnel", &IPSEC_ECN, Shape::Number),
    row(11, "Extended-Sequence-Number", &IPSEC_ESN, Shape::Number),
    row(12, "Authentication-Key-Length", &IPSEC_AUTHENTICATION_KEY, Shape::Number),
    row(13, "Signature-Encoding-Algorithm", &IPSEC_SIGNATURE, Shape::Octets),
    row(14, "Address-Preservation", &IPSEC_PRESERVATION, Shape::Number),
    row(15, "SA-Direction", &IPSEC_DIRECTION, Shape::Number),
];

fn ipsec_name(number: u64) -> Option<&'static str> {
    name_in(IPSEC_ROWS, number)
}

/// Of IKEv2 transforms (RFC 7296 section 3.3.5).
pub(super) static V2: Class = Class {
    tree: &V2_TREE,
    format: &V2_FORMAT,
    kind: &V2_TYPE,
    length: &V2_LENGTH,
    value: &V2_VALUE,
    secret: &V2_VALUE,
    rows: V2_ROWS,
};

static V2_ROWS: &[Row] = &[row(14, "Key Length", &V2_KEY_LENGTH, Shape::Number)];

fn v2_name(number: u64) -> Option<&'static str> {
    name_in(V2_ROWS, number)
}

/// What a RESPONDER-LIFETIME says of an ISAKMP SA (RFC 2407 section 4.6.3.1).
pub(super) static RESPONDER_IKE: Class = Class {
    tree: &RESPONDER_IKE_TREE,
    format: &RESPONDER_IKE_FORMAT,
    kind: &RESPONDER_IKE_TYPE,
    length: &RESPONDER_IKE_LENGTH,
    value: &RESPONDER_IKE_VALUE,
    secret: &RESPONDER_IKE_VALUE,
    rows: &[
        row(11, "Life-Type", &RESPONDER_IKE_LIFE_TYPE, Shape::Number),
        row(
            12,
            "Life-Duration",
            &RESPONDER_IKE_LIFE,
            lifetime(&RESPONDER_IKE_LIFE_64, &RESPONDER_IKE_OCTETS),
        ),
    ],
};

/// What a RESPONDER-LIFETIME says of an IPsec SA (RFC 2407 section 4.6.3.1).
pub(super) static RESPONDER_IPSEC: Class = Class {
    tree: &RESPONDER_IPSEC_TREE,
    format: &RESPONDER_IPSEC_FORMAT,
    kind: &RESPONDER_IPSEC_TYPE,
    length: &RESPONDER_IPSEC_LENGTH,
    value: &RESPONDER_IPSEC_VALUE,
    secret: &RESPONDER_IPSEC_VALUE,
    rows: &[
        row(1, "SA-Life-Type", &RESPONDER_IPSEC_LIFE_TYPE, Shape::Number),
        row(
            2,
            "SA-Life-Duration",
            &RESPONDER_IPSEC_LIFE,
            lifetime(&RESPONDER_IPSEC_LIFE_64, &RESPONDER_IPSEC_OCTETS),
        ),
    ],
};

fields! {
    section "RFC 2409 appendix A";
    IKE_TREE = "isakmp.ike.attr", "IKE Attribute", Kind::Group;
    IKE_TYPE = "isakmp.ike.attr.type", "Type", Kind::Dec(16), names ike_name;
    IKE_FORMAT = "isakmp.ike.attr.format", "Format", Kind::Flag;
    IKE_LENGTH = "isakmp.ike.attr.length", "Length", Kind::Dec(16);
    IKE_VALUE = "isakmp.ike.attr.value", "Value", Kind::Bytes;
    IKE_ENCRYPTION = "isakmp.ike.attr.encryption_algorithm", "Encryption Algorithm", Kind::Dec(16), names algorithms::v1_cipher;
    IKE_HASH = "isakmp.ike.attr.hash_algorithm", "Hash Algorithm", Kind::Dec(16), names algorithms::v1_hash;
    IKE_AUTHENTICATION = "isakmp.ike.attr.authentication_method", "Authentication Method", Kind::Dec(16), names algorithms::v1_authentication;
    IKE_GROUP = "isakmp.ike.attr.group_description", "Group Description", Kind::Dec(16), names algorithms::group;
    IKE_GROUP_TYPE = "isakmp.ike.attr.group_type", "Group Type", Kind::Dec(16), names algorithms::group_type;
    IKE_PRIME = "isakmp.ike.attr.group_prime", "Group Prime", Kind::Bytes;
    IKE_GENERATOR_ONE = "isakmp.ike.attr.group_generator_one", "Group Generator One", Kind::Bytes;
    IKE_GENERATOR_TWO = "isakmp.ike.attr.group_generator_two", "Group Generator Two", Kind::Bytes;
    IKE_CURVE_A = "isakmp.ike.attr.group_curve_a", "Group Curve A", Kind::Bytes;
    IKE_CURVE_B = "isakmp.ike.attr.group_curve_b", "Group Curve B", Kind::Bytes;
    IKE_LIFE_TYPE = "isakmp.ike.attr.life_type", "Life Type", Kind::Dec(16), names algorithms::life_type;
    IKE_LIFE = "isakmp.ike.attr.life_duration", "Life Duration", Kind::Dec(32);
    IKE_LIFE_64 = "isakmp.ike.attr.life_duration64", "Life Duration", Kind::Dec(64);
    IKE_LIFE_OCTETS = "isakmp.ike.attr.life_duration_bytes", "Life Duration", Kind::Bytes;
    IKE_PRF = "isakmp.ike.attr.prf", "PRF", Kind::Bytes;
    IKE_KEY_LENGTH = "isakmp.ike.attr.key_length", "Key Length", Kind::Dec(16);
    IKE_FIELD_SIZE = "isakmp.ike.attr.field_size", "Field Size", Kind::Bytes;
    IKE_ORDER = "isakmp.ike.attr.group_order", "Group Order", Kind::Bytes;
    IKE_BLOCK_SIZE = "isakmp.ike.attr.block_size", "Block Size", Kind::Bytes;
    IKE_ASYMMETRIC = "isakmp.ike.attr.asymmetric_cryptographic_algorithm_type", "Asymmetric Cryptographic Algorithm Type", Kind::Dec(16);
    IPSEC_TREE = "isakmp.ipsec.attr", "IPsec Attribute", Kind::Group;
    IPSEC_TYPE = "isakmp.ipsec.attr.type", "Type", Kind::Dec(16), names ipsec_name;
    IPSEC_FORMAT = "isakmp.ipsec.attr.format", "Format", Kind::Flag;
    IPSEC_LENGTH = "isakmp.ipsec.attr.length", "Length", Kind::Dec(16);
    IPSEC_VALUE = "isakmp.ipsec.attr.value", "Value", Kind::Bytes;
    IPSEC_LIFE_TYPE = "isakmp.ipsec.attr.life_type", "Life Type", Kind::Dec(16), names algorithms::life_type;
    IPSEC_LIFE = "isakmp.ipsec.attr.life_duration", "Life Duration", Kind::Dec(32);
    IPSEC_LIFE_64 = "isakmp.ipsec.attr.life_duration64", "Life Duration", Kind::Dec(64);
    IPSEC_LIFE_OCTETS = "isakmp.ipsec.attr.life_duration_bytes", "Life Duration", Kind::Bytes;
    IPSEC_GROUP = "isakmp.ipsec.attr.group_description", "Group Description", Kind::Dec(16), names algorithms::group;
    IPSEC_MODE = "isakmp.ipsec.attr.encap_mode", "Encapsulation Mode", Kind::Dec(16), names algorithms::encapsulation_mode;
    IPSEC_AUTHENTICATION = "isakmp.ipsec.attr.auth_algorithm", "Authentication Algorithm", Kind::Dec(16), names algorithms::v1_integrity;
    IPSEC_KEY_LENGTH = "isakmp.ipsec.attr.key_length", "Key Length", Kind::Dec(16);
    IPSEC_KEY_ROUNDS = "isakmp.ipsec.attr.key_rounds", "Key Rounds", Kind::Dec(16);
    IPSEC_DICTIONARY = "isakmp.ipsec.attr.cmpr_dict_size", "Compress Dictionary Size", Kind::Dec(16);
    IPSEC_COMPRESSION = "isakmp.ipsec.attr.cmpr_algorithm", "Compress Private Algorithm", Kind::Bytes;
    IPSEC_ECN = "isakmp.ipsec.attr.ecn_tunnel", "ECN Tunnel", Kind::Dec(16);
    IPSEC_ESN = "isakmp.ipsec.attr.ext_seq_nbr", "Extended (64-bit) Sequence Number", Kind::Dec(16);
    IPSEC_AUTHENTICATION_KEY = "isakmp.ipsec.attr.auth_key_length", "Authentication Key Length", Kind::Dec(16);
    IPSEC_SIGNATURE = "isakmp.ipsec.attr.sig_enco_algorithm", "Signature Encoding Algorithm", Kind::Bytes;
    IPSEC_PRESERVATION = "isakmp.ipsec.attr.addr_preservation", "Address Preservation", Kind::Dec(16);
    IPSEC_DIRECTION = "isakmp.ipsec.attr.sa_direction", "SA Direction", Kind::Dec(16);
    V2_TREE = "isakmp.ike2.attr", "Transform Attribute", Kind::Group;
    V2_TYPE = "isakmp.ike2.attr.type", "Type", Kind::Dec(16), names v2_name;
    V2_FORMAT = "isakmp.ike2.attr.format", "Format", Kind::Flag;
    V2_LENGTH = "isakmp.ike2.attr.length", "Length", Kind::Dec(16);
    V2_VALUE = "isakmp.ike2.attr.value", "Value", Kind::Bytes;
    V2_KEY_LENGTH = "isakmp.ike2.attr.key_length", "Key Length", Kind::Dec(16);
    RESPONDER_IKE_TREE = "isakmp.notify.data.resp_lifetime.ike.attr", "IKE Attribute", Kind::Group;
    RESPONDER_IKE_TYPE = "isakmp.notify.data.resp_lifetime.ike.attr.type", "Type", Kind::Dec(16), names ike_name;
    RESPONDER_IKE_FORMAT = "isakmp.notify.data.resp_lifetime.ike.attr.format", "Format", Kind::Flag;
    RESPONDER_IKE_LENGTH = "isakmp.notify.data.resp_lifetime.ike.attr.length", "Length", Kind::Dec(16);
    RESPONDER_IKE_VALUE = "isakmp.notify.data.resp_lifetime.ike.attr.value", "Value", Kind::Bytes;
    RESPONDER_IKE_LIFE_TYPE = "isakmp.notify.data.resp_lifetime.ike.attr.life_type", "Life Type", Kind::Dec(16), names algorithms::life_type;
    RESPONDER_IKE_LIFE = "isakmp.notify.data.resp_lifetime.ike.attr.life_duration", "Life Duration", Kind::Dec(32);
    RESPONDER_IKE_LIFE_64 = "isakmp.notify.data.resp_lifetime.ike.attr.life_duration64", "Life Duration", Kind::Dec(64);
    RESPONDER_IKE_OCTETS = "isakmp.notify.data.resp_lifetime.ike.attr.life_duration_bytes", "Life Duration", Kind::Bytes;
    RESPONDER_IPSEC_TREE = "isakmp.notify.data.resp_lifetime.ipsec.attr", "IPsec Attribute", Kind::Group;
    RESPONDER_IPSEC_TYPE = "isakmp.notify.data.resp_lifetime.ipsec.attr.type", "Type", Kind::Dec(16), names ipsec_name;
    RESPONDER_IPSEC_FORMAT = "isakmp.notify.data.resp_lifetime.ipsec.attr.format", "Format", Kind::Flag;
    RESPONDER_IPSEC_LENGTH = "isakmp.notify.data.resp_lifetime.ipsec.attr.length", "Length", Kind::Dec(16);
    RESPONDER_IPSEC_VALUE = "isakmp.notify.data.resp_lifetime.ipsec.attr.value", "Value", Kind::Bytes;
    RESPONDER_IPSEC_LIFE_TYPE = "isakmp.notify.data.resp_lifetime.ipsec.attr.life_type", "Life Type", Kind::Dec(16), names algorithms::life_type;
    RESPONDER_IPSEC_LIFE = "isakmp.notify.data.resp_lifetime.ipsec.attr.life_duration", "Life Duration", Kind::Dec(32);
    RESPONDER_IPSEC_LIFE_64 = "isakmp.notify.data.resp_lifetime.ipsec.attr.life_duration64", "Life Duration", Kind::Dec(64);
    RESPONDER_IPSEC_OCTETS = "isakmp.notify.data.resp_lifetime.ipsec.attr.life_duration_bytes", "Life Duration", Kind::Bytes;
}
