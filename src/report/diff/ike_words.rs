//! What an IKE message says, as far as it is in the clear or was opened.

use crate::analysis::ipsec::ike::refuses;
use crate::dissect::ike::contents::{ESP_PROTOCOL, IKE_PROTOCOL, Offer};
use crate::dissect::ike::{encapsulation_name, exchange_name, notify_name, payload_name};
use crate::dissect::layers::Ike;

use super::words::{Field, Utterance, named};

fn notification(ike: &Ike, kind: u16) -> String {
    notify_name(ike.version, kind).map_or_else(|| kind.to_string(), str::to_owned)
}

const R_U_THERE: u16 = 36136;
const R_U_THERE_ACK: u16 = 36137;
const INFORMATIONAL: u16 = 1;

/// A message in words; `None` if it only shows that its sender is there, or renews what is there.
pub(super) fn utterance(ike: &Ike) -> Option<Utterance> {
    let exchange = exchange_name(ike.version, ike.exchange);
    let quiet = |kind: &u16| [R_U_THERE, R_U_THERE_ACK].contains(kind);
    let notifies: Vec<u16> = ike.notifies.iter().copied().filter(|kind| !quiet(kind)).collect();
    let informational = exchange.eq_ignore_ascii_case("informational");
    let refusal = notifies.iter().find(|kind| refuses(ike.version, **kind));
    let ends = ike.contents.deletes.iter().any(|deleted| deleted.protocol == IKE_PROTOCOL);
    // When SAs are renewed and the old ones deleted is a matter of time. A message that cannot be read may be anything:
    // most ask whether the peer is there.
    let renews = informational && notifies.is_empty() || exchange == "CREATE_CHILD_SA";
    if renews && refusal.is_none() && !ends {
        return None;
    }
    let name = match ike.version {
        2 if ike.flags & 0x20 == 0 => format!("{exchange} request"),
        2 => format!("{exchange} response"),
        _ if informational => format!("IKEv1 {exchange}"),
        _ => format!("IKEv1 {exchange}, {}", payload_name(ike.next_payload).unwrap_or("unknown payload")),
    };
    let name = refusal.map_or(name.clone(), |kind| format!("{name} with {}", notification(ike, *kind)));
    let mut fields = Vec::new();
    for (protocol, name) in [(IKE_PROTOCOL, "IKE proposals"), (ESP_PROTOCOL, "ESP proposals")] {
        let offers = ike.contents.offers.iter().filter(|offer| offer.protocol == protocol);
        let words: Vec<String> = offers.clone().flat_map(Offer::words).collect();
        if !words.is_empty() {
            fields.push(Field::new(name, words.join("; ")));
        }
        let transforms = offers.filter_map(|offer| offer.transforms.first());
        if protocol == ESP_PROTOCOL
            && let Some(mode) = transforms.filter_map(|first| first.encapsulation()).next()
        {
            fields.push(Field::new("Encapsulation Mode", named(mode, encapsulation_name(mode))));
        }
    }
    if !ike.contents.selectors.is_empty() {
        let each = ike.contents.selectors.iter().map(|selector| {
            let (first, last) = selector.ports;
            let ports = if first == last { first.to_string() } else { format!("{first}-{last}") };
            format!("protocol {} port {ports}", selector.protocol)
        });
        fields.push(Field::new("traffic selectors", each.collect::<Vec<_>>().join(", ")));
    }
    for kind in notifies.iter().filter(|kind| !refuses(ike.version, **kind)) {
        fields.push(Field::new("notification", notification(ike, *kind)));
    }
    let nat = ike.contents.nat;
    let fits = |fits: bool| if fits { "fits" } else { "does not fit (a NAT is on the way)" };
    if let Some(source) = nat.source {
        fields.push(Field::new("NAT detection of its own address", fits(source)));
    }
    if let Some(destination) = nat.destination {
        fields.push(Field::new("NAT detection of the peer's address", fits(destination)));
    }
    if ends {
        fields.push(Field::new("deletes", "the IKE SA"));
    }
    let lane = if informational { INFORMATIONAL } else { 0 };
    Some(Utterance { name, lane, fields, closes: false, ends, partial: ike.contents.sealed })
}
