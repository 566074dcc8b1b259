//! Security Association payloads: proposals, transforms (RFC 2408 sections 3.4 to 3.6, RFC 7296 section 3.3).

use crate::field::{Cursor, FieldDef, Kind, Short, Sink};
use crate::fields;

use super::contents::Contents;
use super::{PROPOSAL, TRANSFORM, algorithms, attributes, chain, names};

/// Protocols whose transforms are not those of IPsec (RFC 2407 section 4.4.1).
const ISAKMP: u8 = 1;
/// The DOI of group keys (RFC 6407), whose situations and proposals are its own.
const GDOI: u32 = 2;

/// Reads the body of one.
pub(super) fn read<S: Sink>(
    c: &mut Cursor<'_, '_, S>,
    version: u8,
    contents: &mut Contents,
) -> Result<(), Short> {
    if version == 1 {
        let doi = c.u32(&DOI)?;
        if doi == GDOI {
            c.rest(&SITUATION);
            return Ok(());
        }
        let Some(situation) = c.octets(&SITUATION, 4)?.first_chunk().copied().map(u32::from_be_bytes) else {
            return Ok(());
        };
        for (field, bit) in [(&IDENTITY_ONLY, 1), (&SECRECY, 2), (&INTEGRITY, 4)] {
            c.part(field, 4, u64::from(situation & bit != 0));
        }
    }
    chain(c, false, PROPOSAL, &mut |c, _| proposal(c, version, contents))
}

fn proposal<S: Sink>(c: &mut Cursor<'_, '_, S>, version: u8, contents: &mut Contents) -> Result<(), Short> {
    c.u8(&NUMBER)?;
    let protocol = c.u8(&PROTOCOL)?;
    let spi = c.u8(&SPI_SIZE)?;
    let transforms = c.u8(&TRANSFORMS)?;
    let name = if spi > 0 { c.octets(&SPI, spi.into())? } else { &[] };
    contents.offer(protocol, name);
    if transforms == 0 {
        return Ok(());
    }
    chain(c, false, TRANSFORM, &mut |c, _| {
        if version == 1 { v1(c, protocol, contents) } else { v2(c, contents) }
    })
}

fn v1<S: Sink>(c: &mut Cursor<'_, '_, S>, protocol: u8, contents: &mut Contents) -> Result<(), Short> {
    c.u8(&TRANSFORM_NUMBER)?;
    let (id, class): (&'static FieldDef, _) = match protocol {
        ISAKMP => (&ID_ISAKMP, &attributes::IKE),
        2 => (&ID_AH, &attributes::IPSEC),
        3 => (&ID_ESP, &attributes::IPSEC),
        _ => (&ID_COMPRESSION, &attributes::IPSEC),
    };
    let id = c.u8(id)?;
    contents.transform(0, id.into());
    c.octets(&super::RESERVED, 2)?;
    attributes::read_each(c, class, &mut |number, value| contents.attribute(number, value))
}

fn v2<S: Sink>(c: &mut Cursor<'_, '_, S>, contents: &mut Contents) -> Result<(), Short> {
    let kind = c.u8(&TYPE)?;
    c.octets(&super::RESERVED, 1)?;
    let id = c.u16(match kind {
        1 => &CIPHER,
        2 => &PRF,
        3 => &INTEGRITY_ALGORITHM,
        4 => &GROUP,
        5 => &ESN,
        _ => &OTHER,
    })?;
    contents.transform(kind, id);
    attributes::read_each(c, &attributes::V2, &mut |number, value| contents.attribute(number, value))
}

fields! {
    section "RFC 7296 3.3";
    DOI = "isakmp.sa.doi", "Domain of interpretation", Kind::Dec(32), names names::doi;
    SITUATION = "isakmp.sa.situation", "Situation", Kind::Bytes;
    IDENTITY_ONLY = "isakmp.sa.situation.identity_only", "Identity Only", Kind::Flag;
    SECRECY = "isakmp.sa.situation.secrecy", "Secrecy", Kind::Flag;
    INTEGRITY = "isakmp.sa.situation.integrity", "Integrity", Kind::Flag;
    NUMBER = "isakmp.prop.number", "Proposal number", Kind::Dec(8);
    PROTOCOL = "isakmp.prop.protoid", "Protocol ID", Kind::Dec(32), names names::protocol;
    SPI_SIZE = "isakmp.spisize", "SPI Size", Kind::Dec(8);
    TRANSFORMS = "isakmp.prop.transforms", "Proposal transforms", Kind::Dec(8);
    SPI = "isakmp.spi", "SPI", Kind::Bytes;
    TRANSFORM_NUMBER = "isakmp.trans.number", "Transform number", Kind::Dec(8);
    ID_ISAKMP = "isakmp.trans.id", "Transform ID", Kind::Dec(8), names algorithms::v1_key_exchange;
    ID_AH = "isakmp.trans.id", "Transform ID", Kind::Dec(8), names algorithms::v1_ah;
    ID_ESP = "isakmp.trans.id", "Transform ID", Kind::Dec(8), names algorithms::v1_esp;
    ID_COMPRESSION = "isakmp.trans.id", "Transform ID", Kind::Dec(8), names algorithms::compression;
    TYPE = "isakmp.tf.type", "Transform Type", Kind::Dec(8), names algorithms::transform_type;
    CIPHER = "isakmp.tf.id.encr", "Transform ID (ENCR)", Kind::Dec(16), names algorithms::v2_cipher;
    PRF = "isakmp.tf.id.prf", "Transform ID (PRF)", Kind::Dec(16), names algorithms::prf;
    INTEGRITY_ALGORITHM = "isakmp.tf.id.integ", "Transform ID (INTEG)", Kind::Dec(16), names algorithms::integrity;
    GROUP = "isakmp.tf.id.dh", "Transform ID (D-H)", Kind::Dec(16), names algorithms::group;
    ESN = "isakmp.tf.id.esn", "Transform ID (ESN)", Kind::Dec(16), names algorithms::esn;
    OTHER = "isakmp.tf.id", "Transform ID", Kind::Dec(16);
}
