//! Configuration: the Attributes payload of Mode Config and XAUTH (draft-dukes-ike-mode-cfg, draft-beaulieu-ike-xauth),
//! and the Configuration payload of IKEv2 (RFC 7296 section 3.15).

use crate::field::{Cursor, Kind, Short, Sink};
use crate::fields;

use super::attributes::{self, Class, Row, Shape, name_in, row};

/// Reads the body of one: both versions number their attributes alike.
pub(super) fn read<S: Sink>(c: &mut Cursor<'_, '_, S>, version: u8) -> Result<(), Short> {
    c.u8(&TYPE)?;
    if version == 1 {
        c.octets(&super::RESERVED, 1)?;
        c.u16(&IDENTIFIER)?;
    } else {
        c.octets(&super::RESERVED, 3)?;
    }
    attributes::read_all(c, &ATTRIBUTES)
}

static ATTRIBUTES: Class = Class {
    tree: &TREE,
    format: &FORMAT,
    kind: &ATTRIBUTE,
    length: &LENGTH,
    value: &VALUE,
    secret: &SECRET_VALUE,
    rows: ROWS,
};

static ROWS: &[Row] = &[
    row(1, "INTERNAL_IP4_ADDRESS", &IP4_ADDRESS, Shape::Ipv4),
    row(2, "INTERNAL_IP4_NETMASK", &IP4_NETMASK, Shape::Ipv4),
    row(3, "INTERNAL_IP4_DNS", &IP4_DNS, Shape::Ipv4),
    row(4, "INTERNAL_IP4_NBNS", &IP4_NBNS, Shape::Ipv4),
    row(5, "INTERNAL_ADDRESS_EXPIRY", &EXPIRY, Shape::Number),
    row(6, "INTERNAL_IP4_DHCP", &IP4_DHCP, Shape::Ipv4),
    row(7, "APPLICATION_VERSION", &APPLICATION_VERSION, Shape::Text),
    row(8, "INTERNAL_IP6_ADDRESS", &IP6_ADDRESS, Shape::Ipv6And(&IP6_ADDRESS_PREFIX)),
    row(9, "INTERNAL_IP6_NETMASK", &IP6_NETMASK, Shape::Ipv6),
    row(10, "INTERNAL_IP6_DNS", &IP6_DNS, Shape::Ipv6),
    row(11, "INTERNAL_IP6_NBNS", &IP6_NBNS, Shape::Ipv6),
    row(12, "INTERNAL_IP6_DHCP", &IP6_DHCP, Shape::Ipv6),
    row(13, "INTERNAL_IP4_SUBNET", &IP4_SUBNET, Shape::Ipv4And(&IP4_SUBNET_MASK)),
    row(14, "SUPPORTED_ATTRIBUTES", &SUPPORTED, Shape::Numbers),
    row(15, "INTERNAL_IP6_SUBNET", &IP6_SUBNET, Shape::Ipv6And(&IP6_SUBNET_PREFIX)),
    row(16, "MIP6_HOME_PREFIX", &VALUE, Shape::Plain),
    row(17, "INTERNAL_IP6_LINK", &IP6_LINK, Shape::U64And(&IP6_LINK_ID)),
    row(18, "INTERNAL_IP6_PREFIX", &IP6_PREFIX, Shape::Ipv6And(&IP6_PREFIX_LENGTH)),
    row(19, "HOME_AGENT_ADDRESS", &VALUE, Shape::Plain),
    row(20, "P_CSCF_IP4_ADDRESS", &P_CSCF_IP4, Shape::Ipv4),
    row(21, "P_CSCF_IP6_ADDRESS", &P_CSCF_IP6, Shape::Ipv6),
    row(25, "INTERNAL_DNS_DOMAIN", &VALUE, Shape::Plain),
    row(26, "INTERNAL_DNSSEC_TA", &VALUE, Shape::Plain),
    row(16520, "XAUTH_TYPE", &XAUTH_TYPE, Shape::Number),
    row(16521, "XAUTH_USER_NAME", &XAUTH_USER_NAME, Shape::Text),
    row(16522, "XAUTH_USER_PASSWORD", &XAUTH_PASSWORD, Shape::Text),
    row(16523, "XAUTH_PASSCODE", &XAUTH_PASSCODE, Shape::Text),
    row(16524, "XAUTH_MESSAGE", &XAUTH_MESSAGE, Shape::Text),
    row(16525, "XAUTH_CHALLENGE", &XAUTH_CHALLENGE, Shape::Text),
    row(16526, "XAUTH_DOMAIN", &XAUTH_DOMAIN, Shape::Text),
    row(16527, "XAUTH_STATUS", &XAUTH_STATUS, Shape::Number),
    row(16528, "XAUTH_NEXT_PIN", &XAUTH_NEXT_PIN, Shape::Text),
    row(16529, "XAUTH_ANSWER", &XAUTH_ANSWER, Shape::Text),
    row(28672, "UNITY_BANNER", &UNITY_BANNER, Shape::Text),
    row(28673, "UNITY_SAVE_PASSWD", &VALUE, Shape::Plain),
    row(28674, "UNITY_DEF_DOMAIN", &UNITY_DOMAIN, Shape::Text),
    row(28675, "UNITY_SPLIT_DOMAIN", &VALUE, Shape::Plain),
    row(28676, "UNITY_SPLIT_INCLUDE", &VALUE, Shape::Plain),
    row(28677, "UNITY_NATT_PORT", &VALUE, Shape::Plain),
    row(28678, "UNITY_SPLIT_EXCLUDE", &VALUE, Shape::Plain),
    row(28679, "UNITY_PFS", &VALUE, Shape::Plain),
    row(28680, "UNITY_FW_TYPE", &VALUE, Shape::Plain),
    row(28681, "UNITY_BACKUP_SERVERS", &VALUE, Shape::Plain),
    row(28682, "UNITY_DDNS_HOSTNAME", &VALUE, Shape::Plain),
];

fn attribute_name(number: u64) -> Option<&'static str> {
    name_in(ROWS, number)
}

fn type_name(number: u64) -> Option<&'static str> {
    Some(match number {
        1 => "CFG_REQUEST",
        2 => "CFG_REPLY",
        3 => "CFG_SET",
        4 => "CFG_ACK",
        _ => return None,
    })
}

fields! {
    section "RFC 7296 3.15";
    TYPE = "isakmp.cfg.type", "Type", Kind::Dec(8), names type_name;
    IDENTIFIER = "isakmp.cfg.identifier", "Identifier", Kind::Dec(16);
    TREE = "isakmp.cfg.attr", "Config Attribute", Kind::Group;
    ATTRIBUTE = "isakmp.cfg.attr.type", "Type", Kind::Dec(16), names attribute_name;
    FORMAT = "isakmp.cfg.attr.format", "Format", Kind::Flag;
    LENGTH = "isakmp.cfg.attr.length", "Length", Kind::Dec(16);
    VALUE = "isakmp.cfg.attr.value", "Value", Kind::Bytes;
    SECRET_VALUE = "isakmp.cfg.attr.value", "Value", Kind::Secret;
    IP4_ADDRESS = "isakmp.cfg.attr.internal_ip4_address", "INTERNAL IP4 ADDRESS", Kind::Ipv4;
    IP4_NETMASK = "isakmp.cfg.attr.internal_ip4_netmask", "INTERNAL IP4 NETMASK", Kind::Ipv4;
    IP4_DNS = "isakmp.cfg.attr.internal_ip4_dns", "INTERNAL IP4 DNS", Kind::Ipv4;
    IP4_NBNS = "isakmp.cfg.attr.internal_ip4_nbns", "INTERNAL IP4 NBNS", Kind::Ipv4;
    EXPIRY = "isakmp.cfg.attr.internal_address_expiry", "INTERNAL ADDRESS EXPIRY (Secs)", Kind::Dec(32);
    IP4_DHCP = "isakmp.cfg.attr.internal_ip4_dhcp", "INTERNAL IP4 DHCP", Kind::Ipv4;
    APPLICATION_VERSION = "isakmp.cfg.attr.application_version", "APPLICATION VERSION", Kind::Text;
    IP6_ADDRESS = "isakmp.cfg.attr.internal_ip6_address", "INTERNAL IP6 ADDRESS", Kind::Ipv6;
    IP6_ADDRESS_PREFIX = "isakmp.cfg.attr.internal_ip6_address.prefix", "INTERNAL IP6 ADDRESS (PREFIX)", Kind::Dec(8);
    IP6_NETMASK = "isakmp.cfg.attr.internal_ip6_netmask", "INTERNAL IP6 NETMASK", Kind::Ipv6;
    IP6_DNS = "isakmp.cfg.attr.internal_ip6_dns", "INTERNAL IP6 DNS", Kind::Ipv6;
    IP6_NBNS = "isakmp.cfg.attr.internal_ip6_nbns", "INTERNAL IP6 NBNS", Kind::Ipv6;
    IP6_DHCP = "isakmp.cfg.attr.internal_ip6_dhcp", "INTERNAL IP6 DHCP", Kind::Ipv6;
    IP4_SUBNET = "isakmp.cfg.attr.internal_ip4_subnet_ip", "INTERNAL IP4 SUBNET (IP)", Kind::Ipv4;
    IP4_SUBNET_MASK = "isakmp.cfg.attr.internal_ip4_subnet_netmask", "INTERNAL IP4 SUBNET (NETMASK)", Kind::Ipv4;
    SUPPORTED = "isakmp.cfg.attr.supported_attributes", "SUPPORTED ATTRIBUTES", Kind::Dec(16), names attribute_name;
    IP6_SUBNET = "isakmp.cfg.attr.internal_ip6_subnet_ip", "INTERNAL_IP6_SUBNET (IP)", Kind::Ipv6;
    IP6_SUBNET_PREFIX = "isakmp.cfg.attr.internal_ip6_subnet_prefix", "INTERNAL_IP6_SUBNET (PREFIX)", Kind::Dec(8);
    IP6_LINK = "isakmp.cfg.attr.internal_ip6_link_interface", "INTERNAL_IP6_LINK (Link-Local Interface ID)", Kind::Dec(64);
    IP6_LINK_ID = "isakmp.cfg.attr.internal_ip6_link_id", "INTERNAL_IP6_LINK (IKEv2 Link ID)", Kind::Bytes;
    IP6_PREFIX = "isakmp.cfg.attr.internal_ip6_prefix_ip", "INTERNAL_IP6_PREFIX (IP)", Kind::Ipv6;
    IP6_PREFIX_LENGTH = "isakmp.cfg.attr.internal_ip6_prefix_length", "INTERNAL_IP6_PREFIX (Length)", Kind::Dec(8);
    P_CSCF_IP4 = "isakmp.cfg.attr.p_cscf_ip4_address", "P_CSCF_IP4_ADDRESS (IP)", Kind::Ipv4;
    P_CSCF_IP6 = "isakmp.cfg.attr.p_cscf_ip6_address", "P_CSCF_IP6_ADDRESS (IP)", Kind::Ipv6;
    XAUTH_TYPE = "isakmp.cfg.attr.xauth.type", "XAUTH TYPE", Kind::Dec(16);
    XAUTH_USER_NAME = "isakmp.cfg.attr.xauth.user_name", "XAUTH USER NAME", Kind::Text;
    XAUTH_PASSWORD = "isakmp.cfg.attr.xauth.user_password", "XAUTH USER PASSWORD", Kind::Secret;
    XAUTH_PASSCODE = "isakmp.cfg.attr.xauth.passcode", "XAUTH PASSCODE", Kind::Secret;
    XAUTH_MESSAGE = "isakmp.cfg.attr.xauth.message", "XAUTH MESSAGE", Kind::Text;
    XAUTH_CHALLENGE = "isakmp.cfg.attr.xauth.challenge", "XAUTH CHALLENGE", Kind::Text;
    XAUTH_DOMAIN = "isakmp.cfg.attr.xauth.domain", "XAUTH DOMAIN", Kind::Text;
    XAUTH_STATUS = "isakmp.cfg.attr.xauth.status", "XAUTH STATUS", Kind::Dec(16);
    XAUTH_NEXT_PIN = "isakmp.cfg.attr.xauth.next_pin", "XAUTH NEXT PIN", Kind::Secret;
    XAUTH_ANSWER = "isakmp.cfg.attr.xauth.answer", "XAUTH ANSWER", Kind::Secret;
    UNITY_BANNER = "isakmp.cfg.attr.unity.banner", "UNITY BANNER", Kind::Text;
    UNITY_DOMAIN = "isakmp.cfg.attr.unity.def_domain", "UNITY DEF DOMAIN", Kind::Text;
}
