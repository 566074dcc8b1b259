//! What the payloads of an IKE message say that the analysis follows: values, never octets.

use crate::ipsec::Spi;

use super::algorithms;

/// Proposals of one message that are kept.
const MOST_OFFERS: usize = 16;
/// Transforms of one proposal that are kept.
const MOST_TRANSFORMS: usize = 32;
/// Attributes of one transform that are kept.
const MOST_ATTRIBUTES: usize = 16;
/// Selectors of one message that are kept.
const MOST_SELECTORS: usize = 16;
/// SPIs of one Delete payload that are kept.
const MOST_DELETED: usize = 64;

/// The protocol of a proposal that is the IKE SA itself.
pub const IKE_PROTOCOL: u8 = 1;
/// The protocol of a proposal that is ESP.
pub const ESP_PROTOCOL: u8 = 3;

/// What the payloads of one message say, as far as they are in the clear or were opened.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// Payloads are encrypted that no key opened.
    pub sealed: bool,
    /// What it proposes or chooses (Security Association payloads).
    pub offers: Vec<Offer>,
    /// The traffic that is to be protected: identities of quick mode (RFC 2409 section 5.5), traffic selectors of
    /// IKEv2 (RFC 7296 section 3.13). Those of the initiator come first.
    pub selectors: Vec<Selector>,
    /// SAs that it deletes.
    pub deletes: Vec<Deleted>,
    /// What its NAT detection payloads say.
    pub nat: NatDetection,
    /// The sequence number of its R-U-THERE or R-U-THERE-ACK (RFC 3706 section 5.3).
    pub dpd_number: Option<u32>,
    /// The SPI of the SA that is to be replaced, with which its sender receives (REKEY_SA, RFC 7296 section 1.3.3).
    pub rekeys: Option<Spi>,
}

/// Whether the hashes of NAT detection fit the addresses and ports on the wire (RFC 3947 section 3.2, RFC 7296
/// section 2.23). `None`: there is no such hash, or it cannot be computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NatDetection {
    /// Those of its sender do.
    pub source: Option<bool>,
    /// That of its receiver does.
    pub destination: Option<bool>,
}

/// One proposal.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// Protocol ID: IKE, AH, ESP, IPComp.
    pub protocol: u8,
    /// The SPI, if it has four octets.
    pub spi: Option<Spi>,
    /// The SPI of the new IKE SA where one is rekeyed: eight octets (RFC 7296 section 1.3.2).
    pub ike_spi: Option<u64>,
    /// Its transforms: of IKEv1 alternatives, of IKEv2 one or more of each type.
    pub transforms: Vec<Transform>,
}

/// One transform.
#[derive(Debug, Clone, Default)]
pub struct Transform {
    /// Transform Type of IKEv2; 0 in IKEv1.
    pub kind: u8,
    /// Transform ID.
    pub id: u16,
    /// Attribute types and values of at most eight octets.
    pub attributes: Vec<(u16, u64)>,
}

/// Traffic that is to be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selector {
    /// IP protocol; 0 is any.
    pub protocol: u8,
    /// First and last port.
    pub ports: (u16, u16),
}

/// SAs that a Delete payload names.
#[derive(Debug, Clone, Default)]
pub struct Deleted {
    /// Protocol ID.
    pub protocol: u8,
    /// SPIs of four octets: those that the sender of the message receives with.
    pub spis: Vec<Spi>,
}

impl Contents {
    pub(super) fn offer(&mut self, protocol: u8, spi: &[u8]) {
        if self.offers.len() < MOST_OFFERS {
            let ike_spi = spi.try_into().ok().map(u64::from_be_bytes);
            self.offers.push(Offer { protocol, spi: four(spi), ike_spi, transforms: Vec::new() });
        }
    }

    pub(super) fn transform(&mut self, kind: u8, id: u16) {
        if let Some(offer) = self.offers.last_mut()
            && offer.transforms.len() < MOST_TRANSFORMS
        {
            offer.transforms.push(Transform { kind, id, attributes: Vec::new() });
        }
    }

    pub(super) fn attribute(&mut self, number: u16, value: u64) {
        let transform = self.offers.last_mut().and_then(|offer| offer.transforms.last_mut());
        if let Some(transform) = transform
            && transform.attributes.len() < MOST_ATTRIBUTES
        {
            transform.attributes.push((number, value));
        }
    }

    pub(super) fn selector(&mut self, protocol: u8, ports: (u16, u16)) {
        if self.selectors.len() < MOST_SELECTORS {
            self.selectors.push(Selector { protocol, ports });
        }
    }

    pub(super) fn delete(&mut self, protocol: u8) {
        if self.deletes.len() < MOST_OFFERS {
            self.deletes.push(Deleted { protocol, spis: Vec::new() });
        }
    }

    pub(super) fn deleted(&mut self, spi: &[u8]) {
        if let (Some(last), Some(spi)) = (self.deletes.last_mut(), four(spi))
            && last.spis.len() < MOST_DELETED
        {
            last.spis.push(spi);
        }
    }
}

pub(super) fn four(spi: &[u8]) -> Option<Spi> {
    spi.try_into().ok().map(|octets| Spi(u32::from_be_bytes(octets)))
}

/// Attributes of phase 1 (RFC 2409 appendix A) and of IPsec (RFC 2407 section 4.5).
mod attribute {
    pub(super) const ENCRYPTION: u16 = 1;
    pub(super) const HASH: u16 = 2;
    pub(super) const GROUP: u16 = 4;
    pub(super) const KEY_LENGTH: u16 = 14;
    pub(super) const LIFE_TYPE: u16 = 1;
    pub(super) const LIFE_DURATION: u16 = 2;
    pub(super) const ENCAPSULATION: u16 = 4;
    pub(super) const INTEGRITY: u16 = 5;
    pub(super) const IPSEC_KEY_LENGTH: u16 = 6;
    pub(super) const PHASE_1_LIFE_TYPE: u16 = 11;
    pub(super) const PHASE_1_LIFE_DURATION: u16 = 12;
}

const SECONDS: u64 = 1;

impl Transform {
    fn value(&self, number: u16) -> Option<u64> {
        self.attributes.iter().find(|(known, _)| *known == number).map(|(_, value)| *value)
    }

    /// The Encapsulation Mode of a transform of IKEv1 (RFC 2407 section 4.5, RFC 3947 section 5.1).
    pub fn encapsulation(&self) -> Option<u64> {
        self.value(attribute::ENCAPSULATION)
    }

    /// The lifetime of a transform of IKEv1, in seconds.
    pub fn lifetime(&self, protocol: u8) -> Option<u64> {
        let (kind, duration) = if protocol == IKE_PROTOCOL {
            (attribute::PHASE_1_LIFE_TYPE, attribute::PHASE_1_LIFE_DURATION)
        } else {
            (attribute::LIFE_TYPE, attribute::LIFE_DURATION)
        };
        let at = self
            .attributes
            .windows(2)
            .find(|pair| matches!(pair, [a, b] if *a == (kind, SECONDS) && b.0 == duration))?;
        at.last().map(|(_, seconds)| *seconds)
    }

    /// The Diffie-Hellman group, if it names one.
    pub fn group(&self, protocol: u8) -> Option<u64> {
        match (self.kind, protocol) {
            (0, IKE_PROTOCOL) => self.value(attribute::GROUP),
            (4, _) => Some(self.id.into()),
            _ => None,
        }
    }

    /// Its algorithms in words.
    fn words(&self, protocol: u8) -> Vec<String> {
        let named = |name: Option<&'static str>, length: Option<u64>| {
            let name = name.map(|name| name.trim_start_matches("ESP_"))?;
            Some(length.map_or_else(|| name.to_owned(), |length| format!("{name}-{length}")))
        };
        let id = u64::from(self.id);
        let ask = |number, name: fn(u64) -> Option<&'static str>| self.value(number).and_then(name);
        let found = match (self.kind, protocol) {
            (0, IKE_PROTOCOL) => vec![
                named(ask(attribute::ENCRYPTION, algorithms::v1_cipher), self.value(attribute::KEY_LENGTH)),
                named(ask(attribute::HASH, algorithms::v1_hash), None),
                named(ask(attribute::GROUP, algorithms::group), None),
            ],
            (0, _) => vec![
                named(algorithms::v1_esp(id), self.value(attribute::IPSEC_KEY_LENGTH)),
                named(ask(attribute::INTEGRITY, algorithms::v1_integrity), None),
            ],
            (1, _) => vec![named(algorithms::v2_cipher(id), self.value(attribute::KEY_LENGTH))],
            (2, _) => vec![named(algorithms::prf(id), None)],
            (3, _) => vec![named(algorithms::integrity(id), None)],
            (4, _) => vec![named(algorithms::group(id), None)],
            _ => Vec::new(),
        };
        found.into_iter().flatten().collect()
    }
}

impl Offer {
    /// What it offers in words: one text for each alternative of IKEv1, one in all for IKEv2.
    pub fn words(&self) -> Vec<String> {
        let v1 = self.transforms.iter().any(|transform| transform.kind == 0);
        let each = self.transforms.iter().map(|transform| transform.words(self.protocol).join(" "));
        let each: Vec<String> = each.filter(|words| !words.is_empty()).collect();
        if v1 { each } else { vec![each.join(" ")] }
    }
}
