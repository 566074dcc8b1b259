//! What messages that close something say of themselves, and what came before them.

use crate::analysis::control::call::Call;
use crate::analysis::control::connection::Connection;
use crate::analysis::control::form::Form;
use crate::analysis::log::{Observation, What};
use crate::dissect::layers::{MessageType, ResultCode};
use crate::util::Duration;

use super::super::avp::name as avp_name;
use super::attempt::Attempt;

/// StopCCN and CDN: a general error, which its Error Code explains (RFC 2661 section 4.4.2).
const GENERAL_ERROR: u16 = 2;
/// Error Codes that are about an AVP: length, value, unknown and mandatory.
const OF_AN_AVP: [u16; 3] = [2, 3, 8];
/// CDN results that are no refusal: lost carrier, general request, administrative (RFC 2661 section 4.4.2).
const ORDINARY: [u16; 2] = [1, 3];

/// What a result says of itself: the peer's own words, else those of the RFC.
pub(super) fn reason(result: &ResultCode, words: fn(&ResultCode) -> String) -> String {
    let said = words(result);
    match result.message.as_ref().filter(|text| !text.is_empty()) {
        Some(text) => format!("\"{text}\" ({said})"),
        None => said,
    }
}

/// Whether a result blames an AVP.
pub(super) fn blames_an_avp(result: &ResultCode) -> bool {
    let names_one = result.message.as_ref().is_some_and(|text| {
        let text = text.as_str().to_ascii_lowercase();
        text.contains("avp") || text.contains("expected at least") || text.contains("attribute")
    });
    result.code == GENERAL_ERROR
        && (result.error.is_some_and(|error| OF_AN_AVP.contains(&error)) || names_one)
}

/// AVPs of vendors, and unknown ones, in messages from an end: what a receiver stumbles over.
pub(super) fn strange_avps(connection: &Connection, end: u8) -> Option<(String, u64)> {
    let mut found = Vec::new();
    let mut packet = None;
    for known in connection.log.observations() {
        if let (Observation::Form(Form::UnknownAvp(avp, mandatory)), Some(by)) = (known.what, known.end)
            && by == end
        {
            let bit = if mandatory { "mandatory" } else { "not mandatory" };
            found.push(format!("AVP {} ({bit})", avp_name(avp)));
            packet = packet.or(known.tally.packets.first().copied());
        }
    }
    Some((found.first()?.clone(), packet?))
}

/// The last message about this call that reached an end before it closed the call.
pub(super) fn last_received(
    connection: &Connection,
    attempt: &Attempt<'_>,
    closer: u8,
    before: u64,
) -> Option<(MessageType, u64)> {
    let id = attempt.call.map(|(id, _)| id);
    connection.log.events().iter().rev().find_map(|event| match &event.what {
        What::Message(message)
            if event.end != closer
                && event.at.packet < before
                && (message.call.is_none() || message.call == id) =>
        {
            Some((message.kind.message_type()?, event.at.packet))
        }
        _ => None,
    })
}

/// Whether a CDN names an error.
pub(super) fn is_an_error(result: &ResultCode) -> bool {
    !ORDINARY.contains(&result.code) && (result.code == 2 || (4..=12).contains(&result.code))
}

/// How long a call carried data or was open.
pub(super) fn up_for(call: &Call) -> Option<Duration> {
    let seen = call.data.iter().filter_map(|data| data.last).max();
    let since = call.established.or_else(|| call.data.iter().filter_map(|data| data.first).min())?;
    Some(call.closed.or(seen)?.since(since))
}
