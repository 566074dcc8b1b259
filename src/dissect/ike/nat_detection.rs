//! The hashes of NAT detection against the addresses and ports on the wire (RFC 3947 section 3.2, RFC 7296 section 2.23).

use std::net::IpAddr;

use super::super::layers::{Endpoint, Ike};
use crate::ipsec::ike_keys::address_hash;

/// Compares a NAT-D payload of IKEv1: the first is of the receiver, the others are of the sender, which may have more
/// addresses than one.
pub(super) fn version_1(ike: &mut Ike, hash: &[u8]) {
    let Some((source, destination)) = ike.endpoints else { return };
    if ike.contents.nat.destination.is_none() {
        ike.contents.nat.destination = fits(ike, destination, hash);
    } else if let Some(fits) = fits(ike, source, hash) {
        ike.contents.nat.source = Some(fits || ike.contents.nat.source == Some(true));
    }
}

/// Compares a notification of IKEv2, NAT_DETECTION_SOURCE_IP or NAT_DETECTION_DESTINATION_IP.
pub(super) fn version_2(ike: &mut Ike, of_sender: bool, hash: &[u8]) {
    let Some((source, destination)) = ike.endpoints else { return };
    if of_sender {
        if let Some(fits) = fits(ike, source, hash) {
            ike.contents.nat.source = Some(fits || ike.contents.nat.source == Some(true));
        }
    } else {
        ike.contents.nat.destination = fits(ike, destination, hash);
    }
}

/// Whether this is the hash of the SPIs, the address and the port.
fn fits(ike: &Ike, end: Endpoint, hash: &[u8]) -> Option<bool> {
    let (v4, v6);
    let address: &[u8] = match end.address {
        IpAddr::V4(address) => {
            v4 = address.octets();
            &v4
        }
        IpAddr::V6(address) => {
            v6 = address.octets();
            &v6
        }
    };
    let (initiator, responder) = (ike.initiator_spi.to_be_bytes(), ike.responder_spi.to_be_bytes());
    let own = address_hash(hash.len(), &[&initiator, &responder, address, &end.port.to_be_bytes()])?;
    Some(own == hash)
}
