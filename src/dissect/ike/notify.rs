//! Notifications of both versions (RFC 2408 section 3.14, RFC 2407 section 4.6.3, RFC 7296 section 3.10).

use crate::field::{Cursor, Kind, Short, Sink, Value};
use crate::fields;

use super::super::layers::Ike;
use super::contents::four;
use super::{algorithms, attributes, names, nat_detection, notify_names};

/// More notifications than any honest message has; a hostile one repeats itself.
const MOST_NOTIFIES: usize = 16;

const RESPONDER_LIFETIME: u16 = 24576;
const R_U_THERE: u16 = 36136;
const R_U_THERE_ACK: u16 = 36137;
const UNITY_LOAD_BALANCE: u16 = 40501;

const INVALID_KE_PAYLOAD: u16 = 17;
const IPCOMP_SUPPORTED: u16 = 16387;
const NAT_DETECTION_SOURCE_IP: u16 = 16388;
const NAT_DETECTION_DESTINATION_IP: u16 = 16389;
const REKEY_SA: u16 = 16393;
const AUTH_LIFETIME: u16 = 16403;
const REDIRECT: u16 = 16407;
const REDIRECTED_FROM: u16 = 16408;
const TICKET_LT_OPAQUE: u16 = 16409;
const QUICK_CRASH_DETECTION: u16 = 16419;
const SECURE_PASSWORD_METHODS: u16 = 16424;
const SIGNATURE_HASH_ALGORITHMS: u16 = 16431;

/// The ISAKMP SA as the protocol of a notification.
const ISAKMP: u8 = 1;

/// Reads the body of one into `ike`, and its data where a view wants them.
pub(super) fn read<S: Sink>(c: &mut Cursor<'_, '_, S>, ike: &mut Ike) -> Result<(), Short> {
    if ike.version == 1 {
        c.u32(&DOI)?;
    }
    let protocol = c.u8(&PROTOCOL)?;
    let spi = c.u8(&super::proposals::SPI_SIZE)?;
    let kind = c.u16(if ike.version == 1 { &V1_TYPE } else { &V2_TYPE })?;
    if ike.notifies.len() < MOST_NOTIFIES {
        ike.notifies.push(kind);
    }
    let name = if spi > 0 { c.octets(&super::proposals::SPI, spi.into())? } else { &[] };
    match (ike.version, kind) {
        (1, R_U_THERE | R_U_THERE_ACK) if ike.contents.dpd_number.is_none() => {
            ike.contents.dpd_number = c.peek_rest().try_into().ok().map(u32::from_be_bytes);
        }
        (2, REKEY_SA) => ike.contents.rekeys = four(name),
        _ => {}
    }
    if ike.version == 2 && matches!(kind, NAT_DETECTION_SOURCE_IP | NAT_DETECTION_DESTINATION_IP) {
        nat_detection::version_2(ike, kind == NAT_DETECTION_SOURCE_IP, c.peek_rest());
    }
    if !S::FULL {
        return Ok(());
    }
    let range = c.rest_range();
    c.describe(&DATA, range, Value::Octets);
    if ike.version == 1 { v1(c, protocol, kind) } else { v2(c, kind) }
}

fn v1<S: Sink>(c: &mut Cursor<'_, '_, S>, protocol: u8, kind: u16) -> Result<(), Short> {
    match (kind, c.remaining()) {
        (RESPONDER_LIFETIME, _) if protocol == ISAKMP => attributes::read_all(c, &attributes::RESPONDER_IKE)?,
        (RESPONDER_LIFETIME, _) => attributes::read_all(c, &attributes::RESPONDER_IPSEC)?,
        (R_U_THERE, 4) => {
            c.u32(&ARE_YOU_THERE)?;
        }
        (R_U_THERE_ACK, 4) => {
            c.u32(&ARE_YOU_THERE_ACK)?;
        }
        (UNITY_LOAD_BALANCE, 4) => {
            c.ipv4(&LOAD_BALANCE)?;
        }
        _ => {}
    }
    Ok(())
}

fn v2<S: Sink>(c: &mut Cursor<'_, '_, S>, kind: u16) -> Result<(), Short> {
    match (kind, c.remaining()) {
        (_, 0) => {}
        (INVALID_KE_PAYLOAD, 2) => {
            c.u16(&ACCEPTED_GROUP)?;
        }
        (IPCOMP_SUPPORTED, _) => {
            c.u16(&COMPRESSION_CPI)?;
            c.u8(&COMPRESSION_TRANSFORM)?;
        }
        (AUTH_LIFETIME, _) => {
            c.u32(&LIFETIME)?;
        }
        (REDIRECT | REDIRECTED_FROM, _) => gateway(c)?,
        (TICKET_LT_OPAQUE, _) => {
            c.u32(&TICKET_LIFETIME)?;
            c.rest(&TICKET);
        }
        (QUICK_CRASH_DETECTION, _) => {
            c.rest(&TOKEN);
        }
        (SECURE_PASSWORD_METHODS, _) => {
            c.rest(&PASSWORD_METHODS);
        }
        (SIGNATURE_HASH_ALGORITHMS, _) => {
            while !c.is_empty() {
                c.u16(&SIGNATURE_HASH)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Where a responder sends its initiators (RFC 5685 section 7).
fn gateway<S: Sink>(c: &mut Cursor<'_, '_, S>) -> Result<(), Short> {
    let kind = c.u8(&GATEWAY_TYPE)?;
    let length = c.u8(&GATEWAY_LENGTH)?;
    match (kind, length) {
        (1, 4) => {
            c.ipv4(&GATEWAY_IPV4)?;
        }
        (2, 16) => {
            c.ipv6(&GATEWAY_IPV6)?;
        }
        (3, _) => {
            c.octets(&GATEWAY_FQDN, length.into())?;
        }
        _ => {
            c.octets(&GATEWAY_OCTETS, length.into())?;
        }
    }
    if !c.is_empty() {
        c.rest(&REDIRECT_NONCE);
    }
    Ok(())
}

fields! {
    section "RFC 7296 3.10";
    DOI = "isakmp.notify.doi", "Domain of interpretation", Kind::Dec(32), names names::doi;
    PROTOCOL = "isakmp.notify.protoid", "Protocol ID", Kind::Dec(32), names names::protocol;
    V1_TYPE = "isakmp.notify.msgtype", "Notify Message Type", Kind::Dec(16), names notify_names::v1;
    V2_TYPE = "isakmp.notify.msgtype", "Notify Message Type", Kind::Dec(16), names notify_names::v2;
    DATA = "isakmp.notify.data", "Notification DATA", Kind::Bytes;
    ARE_YOU_THERE = "isakmp.notify.data.dpd.are_you_there", "DPD ARE-YOU-THERE sequence", Kind::Dec(32);
    ARE_YOU_THERE_ACK = "isakmp.notify.data.dpd.are_you_there_ack", "DPD ARE-YOU-THERE-ACK sequence", Kind::Dec(32);
    LOAD_BALANCE = "isakmp.notify.data.unity.load_balance", "UNITY LOAD BALANCE", Kind::Ipv4;
    ACCEPTED_GROUP = "isakmp.notify.data.accepted_dh_group", "Accepted DH group number", Kind::Dec(16), names algorithms::group;
    COMPRESSION_CPI = "isakmp.notify.data.ipcomp.cpi", "IPCOMP CPI", Kind::Dec(16);
    COMPRESSION_TRANSFORM = "isakmp.notify.data.ipcomp.transform_id", "IPCOMP Transform ID", Kind::Dec(8), names algorithms::compression;
    LIFETIME = "isakmp.notify.data.auth_lifetime", "Authentication Lifetime", Kind::Dec(32);
    GATEWAY_TYPE = "isakmp.notify.data.redirect.gw_ident.type", "Gateway Identity Type", Kind::Dec(8);
    GATEWAY_LENGTH = "isakmp.notify.data.redirect.gw_ident.len", "Gateway Identity Length", Kind::Dec(8);
    GATEWAY_IPV4 = "isakmp.notify.data.redirect.new_resp_gw_ident.ipv4", "New Responder Gateway Identity (IPv4)", Kind::Ipv4;
    GATEWAY_IPV6 = "isakmp.notify.data.redirect.new_resp_gw_ident.ipv6", "New Responder Gateway Identity (IPv6)", Kind::Ipv6;
    GATEWAY_FQDN = "isakmp.notify.data.redirect.new_resp_gw_ident.fqdn", "New Responder Gateway Identity (FQDN)", Kind::Text;
    GATEWAY_OCTETS = "isakmp.notify.data.redirect.new_resp_gw_ident.data", "New Responder Gateway Identity (DATA)", Kind::Bytes;
    REDIRECT_NONCE = "isakmp.notify.data.redirect.nonce_data", "Redirect Nonce Data", Kind::Bytes;
    TICKET_LIFETIME = "isakmp.notify.data.ticket_opaque.lifetime", "TICKET OPAQUE Lifetime", Kind::Dec(32);
    TICKET = "isakmp.notify.data.ticket_opaque.data", "TICKET OPAQUE Data", Kind::Bytes;
    TOKEN = "isakmp.notify.data.qcd.token_secret_data", "Token Secret Data", Kind::Secret;
    PASSWORD_METHODS = "isakmp.notify.data.secure_password_methods", "Secure Password Methods", Kind::Bytes;
    SIGNATURE_HASH = "isakmp.notify.data.signature_hash_algorithms", "Supported Signature Hash Algorithm", Kind::Dec(16), names algorithms::signature_hash;
}
