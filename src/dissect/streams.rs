//! Numbers for the conversations of a transport protocol, in the order in which a capture shows them: tshark's
//! `udp.stream` and `tcp.stream`.

use hashbrown::HashMap;

use crate::field::{Cursor, FieldDef, Kind, Sink};
use crate::fields;

use super::layers::{Addresses, Endpoint};

fields! {
    section "RFC 768, RFC 9293";
    UDP_STREAM = "udp.stream", "Stream index", Kind::Dec(32);
    TCP_STREAM = "tcp.stream", "Stream index", Kind::Dec(32);
}

/// Conversations of one protocol that are numbered; later ones have no number.
const MOST: usize = 65_536;

/// The two ends, the smaller first.
type Ends = (Endpoint, Endpoint);

/// The conversations of a capture.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    known: [HashMap<Ends, u32>; 2],
}

impl Streams {
    /// Tells the number of the conversation whose header the cursor is behind.
    pub(crate) fn describe<S: Sink>(
        &mut self,
        c: &mut Cursor<'_, '_, S>,
        addresses: Option<Addresses>,
        ports: Option<(u16, u16)>,
        udp: bool,
    ) {
        let (Some(addresses), Some((source, destination))) = (addresses, ports) else { return };
        let one = Endpoint { address: addresses.source, port: source };
        let other = Endpoint { address: addresses.destination, port: destination };
        let (field, known): (&'static FieldDef, _) = match (&mut self.known, udp) {
            ([known, _], true) => (&UDP_STREAM, known),
            ([_, known], false) => (&TCP_STREAM, known),
        };
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let ends = (one.min(other), one.max(other));
        let number = match known.get(&ends) {
            Some(number) => *number,
            None if known.len() >= MOST => return,
            None => {
                known.insert(ends, next);
                next
            }
        };
        c.derived(field, number.into());
    }
}
