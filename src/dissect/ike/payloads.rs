//! Bodies of the payloads that are short to read (RFC 2408 section 3, RFC 3947, RFC 7296 section 3).

use crate::field::{Bound, Cursor, Kind, Short, Sink, Value};
use crate::fields;

use super::super::layers::Ike;
use super::contents::Contents;
use super::{RESERVED, algorithms, config, names, nat_detection, proposals, vendor_ids};

const HASH_AND_URL: [u8; 2] = [12, 13];
/// What SHA-1 makes: hashes of certificates and of their issuers.
const SHA1: usize = 20;
/// RFC 7427: the signature names its algorithm.
const DIGITAL_SIGNATURE: u8 = 14;

/// Reads the body of a payload of type `kind`; what is not known is shown as octets.
pub(super) fn read<S: Sink>(c: &mut Cursor<'_, '_, S>, ike: &mut Ike, kind: u8) -> Result<(), Short> {
    let version = ike.version;
    match (version, kind) {
        (1, 1) | (2, 33) => proposals::read(c, version, &mut ike.contents)?,
        (1, 4) | (2, 34) => key_exchange(c, version)?,
        (1, 5) | (2, 35 | 36) => identification(c, ike)?,
        (1, 6) | (2, 37) => certificate(c)?,
        (1, 7) | (2, 38) => request(c, version)?,
        (1, 8) => {
            c.rest(&HASH);
        }
        (1, 9) => {
            c.rest(&SIGNATURE);
        }
        (1, 10) | (2, 40) => {
            c.rest(&NONCE);
        }
        (1, 12) | (2, 42) => delete(c, ike)?,
        (1, 13) | (2, 43) => vendor_ids::read(c)?,
        (1, 14) | (2, 47) => config::read(c, version)?,
        // 130 and 131 are the numbers of the drafts.
        (1, 20 | 130) => {
            let hash = c.peek_rest();
            c.rest(&NAT_HASH);
            nat_detection::version_1(ike, hash);
        }
        (1, 21 | 131) => original_address(c)?,
        (1, 132) => fragment(c)?,
        (2, 39) => authentication(c)?,
        (2, 44 | 45) => selectors(c, &mut ike.contents)?,
        (2, 48) => {
            c.rest(&EAP);
        }
        (2, 49) => {
            c.rest(&PASSWORD_METHOD);
        }
        _ => {}
    }
    if !c.is_empty() {
        c.rest(&super::BODY);
    }
    Ok(())
}

fn key_exchange<S: Sink>(c: &mut Cursor<'_, '_, S>, version: u8) -> Result<(), Short> {
    if version == 2 {
        c.u16(&GROUP)?;
        c.octets(&RESERVED, 2)?;
    }
    c.rest(&KEY_EXCHANGE);
    Ok(())
}

/// Quick mode (RFC 2409 section 5.5), whose identities are the traffic that is to be protected.
const QUICK: u8 = 32;

fn identification<S: Sink>(c: &mut Cursor<'_, '_, S>, ike: &mut Ike) -> Result<(), Short> {
    let kind = c.u8(&ID_TYPE)?;
    if ike.version == 1 {
        let protocol = c.u8(&ID_PROTOCOL)?;
        let port = c.u16(&ID_PORT)?;
        if ike.exchange == QUICK {
            // RFC 2407 section 4.6.2: port 0 is any.
            let last = if port == 0 { u16::MAX } else { port };
            ike.contents.selector(protocol, (port, last));
        }
    } else {
        c.octets(&RESERVED, 3)?;
    }
    let len = c.remaining();
    let mut c = c.group(&ID_DATA, len, super::PAYLOAD_BOUND)?;
    match kind {
        1 => {
            c.ipv4(&ID_IPV4)?;
        }
        2 => text(&mut c, &ID_FQDN)?,
        3 => text(&mut c, &ID_USER_FQDN)?,
        4 => {
            c.ipv4(&ID_IPV4)?;
            c.ipv4(&ID_IPV4_SUBNET)?;
        }
        5 => {
            c.ipv6(&ID_IPV6)?;
        }
        6 => {
            c.ipv6(&ID_IPV6)?;
            c.ipv6(&ID_IPV6_SUBNET)?;
        }
        7 => {
            c.ipv4(&ID_IPV4_START)?;
            c.ipv4(&ID_IPV4_END)?;
        }
        8 => {
            c.ipv6(&ID_IPV6_START)?;
            c.ipv6(&ID_IPV6_END)?;
        }
        9 => {
            c.rest(&ID_NAME);
        }
        11 => {
            c.rest(&ID_KEY);
        }
        _ => {}
    }
    Ok(())
}

/// Text up to its first NUL, which some senders add; octets behind it are passed over.
fn text<S: Sink>(c: &mut Cursor<'_, '_, S>, field: &'static crate::field::FieldDef) -> Result<(), Short> {
    let octets = c.peek_rest();
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    c.octets(field, end)?;
    Ok(())
}

fn certificate<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    let encoding = c.u8(&CERTIFICATE_ENCODING)?;
    if HASH_AND_URL.contains(&encoding) {
        c.octets(&CERTIFICATE_HASH, SHA1)?;
        c.rest(&CERTIFICATE_URL);
    } else {
        c.rest(&CERTIFICATE);
    }
    Ok(())
}

fn request<S: Sink>(c: &mut Cursor<'_, '_, S>, version: u8) -> Result<(), Short> {
    c.u8(&REQUEST_TYPE)?;
    if version == 1 {
        // A name of an issuer in ASN.1, or nothing: any will do.
        if !c.is_empty() {
            c.rest(&AUTHORITY);
        }
        return Ok(());
    }
    while !c.is_empty() {
        c.octets(&AUTHORITY, SHA1.min(c.remaining()))?;
    }
    Ok(())
}

fn delete<S: Sink>(c: &mut Cursor<'_, '_, S>, ike: &mut Ike) -> Result<(), Short> {
    if ike.version == 1 {
        c.u32(&DELETE_DOI)?;
    }
    let protocol = c.u8(&DELETE_PROTOCOL)?;
    ike.contents.delete(protocol);
    let size = c.u8(&proposals::SPI_SIZE)?;
    let count = c.u16(&DELETE_COUNT)?;
    // SPIs without octets would cost time and show nothing.
    for _ in 0..if size == 0 { 0 } else { count } {
        let spi = c.octets(&DELETE_SPI, size.into())?;
        ike.contents.deleted(spi);
    }
    Ok(())
}

fn original_address<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    let kind = c.u8(&ID_TYPE)?;
    c.octets(&RESERVED, 3)?;
    match kind {
        1 => {
            c.ipv4(&NAT_IPV4)?;
        }
        5 => {
            c.ipv6(&NAT_IPV6)?;
        }
        _ => {}
    }
    Ok(())
}

/// A part of a message too long for its path: what Cisco and Microsoft agreed on.
fn fragment<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    c.u16(&FRAGMENT_ID)?;
    c.u8(&FRAGMENT_SEQUENCE)?;
    c.u8(&FRAGMENT_LAST)?;
    Ok(())
}

fn authentication<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    let method = c.u8(&AUTHENTICATION_METHOD)?;
    c.octets(&RESERVED, 3)?;
    let range = c.rest_range();
    c.describe(&AUTHENTICATION, range, Value::Octets);
    if method == DIGITAL_SIGNATURE {
        let length = c.u8(&ALGORITHM_LENGTH)?;
        c.octets(&ALGORITHM, length.into())?;
        c.rest(&SIGNATURE_VALUE);
        return Ok(());
    }
    let len = c.remaining();
    c.sub(&AUTHENTICATION, len, super::PAYLOAD_BOUND)?;
    Ok(())
}

const SELECTOR_BOUND: Bound = Bound::Header("the Selector Length");

/// Octets of a selector before what its type defines.
const SELECTOR_HEADER: u16 = 4;

fn selectors<S: Sink>(c: &mut Cursor<'_, '_, S>, contents: &mut Contents) -> Result<(), Short> {
    c.u8(&SELECTORS)?;
    c.octets(&RESERVED, 3)?;
    // Each has at least four octets, so the walk ends.
    while !c.is_empty() {
        let (Some(high), Some(low)) = (c.peek(2), c.peek(3)) else {
            return Err(c.short(&SELECTOR_LENGTH, 4));
        };
        let length = u16::from_be_bytes([high, low]);
        if length < SELECTOR_HEADER {
            return Err(c.invalid(&SELECTOR_LENGTH, SELECTOR_HEADER.into(), length.into()));
        }
        let mut c = c.group(&SELECTOR, length.into(), SELECTOR_BOUND)?;
        selector(&mut c, contents)?;
    }
    Ok(())
}

fn selector<S: Sink>(c: &mut Cursor<'_, '_, S>, contents: &mut Contents) -> Result<(), Short> {
    let kind = c.u8(&SELECTOR_TYPE)?;
    if !matches!(kind, 7 | 8) {
        c.octets(&RESERVED, 1)?;
        c.u16(&SELECTOR_LENGTH)?;
        c.rest(&super::BODY);
        return Ok(());
    }
    let protocol = c.u8(&SELECTOR_PROTOCOL)?;
    c.u16(&SELECTOR_LENGTH)?;
    let first = c.u16(&START_PORT)?;
    let last = c.u16(&END_PORT)?;
    contents.selector(protocol, (first, last));
    if kind == 7 {
        c.ipv4(&START_IPV4)?;
        c.ipv4(&END_IPV4)?;
    } else {
        c.ipv6(&START_IPV6)?;
        c.ipv6(&END_IPV6)?;
    }
    Ok(())
}

fields! {
    section "RFC 7296 3";
    GROUP = "isakmp.key_exchange.dh_group", "DH Group #", Kind::Dec(16), names algorithms::group;
    KEY_EXCHANGE = "isakmp.key_exchange.data", "Key Exchange Data", Kind::Bytes;
    ID_TYPE = "isakmp.id.type", "ID type", Kind::Dec(8), names names::identification;
    ID_PROTOCOL = "isakmp.id.protoid", "Protocol ID", Kind::Dec(8), names super::super::ip_protocol_name;
    ID_PORT = "isakmp.id.port", "Port", Kind::Dec(16);
    ID_DATA = "isakmp.id.data", "Identification Data", Kind::Group;
    ID_IPV4 = "isakmp.id.data.ipv4_addr", "ID_IPV4_ADDR", Kind::Ipv4;
    ID_FQDN = "isakmp.id.data.fqdn", "ID_FQDN", Kind::Text;
    ID_USER_FQDN = "isakmp.id.data.user_fqdn", "ID_USER_FQDN", Kind::Text;
    ID_IPV4_SUBNET = "isakmp.id.data.ipv4_subnet", "ID_IPV4_SUBNET", Kind::Ipv4;
    ID_IPV4_START = "isakmp.id.data.ipv4_range_start", "ID_IPV4_RANGE (Start)", Kind::Ipv4;
    ID_IPV4_END = "isakmp.id.data.ipv4_range_end", "ID_IPV4_RANGE (End)", Kind::Ipv4;
    ID_IPV6 = "isakmp.id.data.ipv6_addr", "ID_IPV6_ADDR", Kind::Ipv6;
    ID_IPV6_SUBNET = "isakmp.id.data.ipv6_subnet", "ID_IPV6_ADDR_SUBNET", Kind::Ipv6;
    ID_IPV6_START = "isakmp.id.data.ipv6_range_start", "ID_IPV6_ADDR_RANGE (Start)", Kind::Ipv6;
    ID_IPV6_END = "isakmp.id.data.ipv6_range_end", "ID_IPV6_ADDR_RANGE (End)", Kind::Ipv6;
    ID_NAME = "isakmp.id.data.der_asn1_dn", "ID_DER_ASN1_DN", Kind::Bytes;
    ID_KEY = "isakmp.id.data.key_id", "ID_KEY_ID", Kind::Bytes;
    CERTIFICATE_ENCODING = "isakmp.cert.encoding", "Certificate Encoding", Kind::Dec(8), names names::certificate;
    CERTIFICATE = "isakmp.cert.data", "Certificate Data", Kind::Bytes;
    CERTIFICATE_HASH = "isakmp.cert.x509.hash", "Hash", Kind::Bytes;
    CERTIFICATE_URL = "isakmp.cert.x509.url", "URL", Kind::Text;
    REQUEST_TYPE = "isakmp.certreq.type", "Certificate Type", Kind::Dec(8), names names::certificate;
    AUTHORITY = "isakmp.ike.certreq.authority", "Certificate Authority Data", Kind::Bytes;
    HASH = "isakmp.hash", "Hash DATA", Kind::Bytes;
    SIGNATURE = "isakmp.sig", "Signature DATA", Kind::Bytes;
    NONCE = "isakmp.nonce", "Nonce DATA", Kind::Bytes;
    DELETE_DOI = "isakmp.delete.doi", "Domain of interpretation", Kind::Dec(32), names names::doi;
    DELETE_PROTOCOL = "isakmp.delete.protoid", "Protocol ID", Kind::Dec(32), names names::protocol;
    DELETE_COUNT = "isakmp.spinum", "Number of SPIs", Kind::Dec(16);
    DELETE_SPI = "isakmp.delete.spi", "Delete SPI", Kind::Bytes;
    NAT_HASH = "isakmp.ike.nat_hash", "HASH of the address and port", Kind::Bytes;
    NAT_IPV4 = "isakmp.ike.nat_original_address_ipv4", "NAT Original IPv4 Address", Kind::Ipv4;
    NAT_IPV6 = "isakmp.ike.nat_original_address_ipv6", "NAT Original IPv6 Address", Kind::Ipv6;
    FRAGMENT_ID = "isakmp.frag.packetid", "Frag ID", Kind::Hex(16);
    FRAGMENT_SEQUENCE = "isakmp.frag.seq", "Frag seq", Kind::Dec(8);
    FRAGMENT_LAST = "isakmp.frag.last", "Frag last", Kind::Dec(8);
    AUTHENTICATION_METHOD = "isakmp.auth.method", "Authentication Method", Kind::Dec(8), names names::authentication;
    AUTHENTICATION = "isakmp.auth.data", "Authentication Data", Kind::Bytes;
    ALGORITHM_LENGTH = "isakmp.auth.data.sig.asn1.len", "ASN.1 Length", Kind::Dec(8);
    ALGORITHM = "isakmp.auth.data.sig.asn1.data", "ASN.1 Data", Kind::Bytes;
    SIGNATURE_VALUE = "isakmp.auth.data.sig.value", "Signature Value", Kind::Bytes;
    SELECTORS = "isakmp.ts.number", "Number of Traffic Selectors", Kind::Dec(8);
    SELECTOR = "isakmp.ts.data", "Traffic Selector", Kind::Group;
    SELECTOR_TYPE = "isakmp.ts.type", "Traffic Selector Type", Kind::Dec(8), names names::selector;
    SELECTOR_PROTOCOL = "isakmp.ts.protoid", "Protocol ID", Kind::Dec(8), names super::super::ip_protocol_name;
    SELECTOR_LENGTH = "isakmp.ts.selector_length", "Selector Length", Kind::Dec(16);
    START_PORT = "isakmp.ts.start_port", "Start Port", Kind::Dec(16);
    END_PORT = "isakmp.ts.end_port", "End Port", Kind::Dec(16);
    START_IPV4 = "isakmp.ts.start_ipv4", "Starting Addr", Kind::Ipv4;
    END_IPV4 = "isakmp.ts.end_ipv4", "Ending Addr", Kind::Ipv4;
    START_IPV6 = "isakmp.ts.start_ipv6", "Starting Addr", Kind::Ipv6;
    END_IPV6 = "isakmp.ts.end_ipv6", "Ending Addr", Kind::Ipv6;
    EAP = "isakmp.eap.data", "EAP Message", Kind::Bytes;
    PASSWORD_METHOD = "isakmp.gspm.data", "GSPM", Kind::Bytes;
}
