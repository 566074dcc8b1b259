//! Rules on how control connections and calls end (RFC 2661 sections 4.4.2, 5.6 and 5.7).

use crate::analysis::control::connection::{Connection, ConnectionState};
use crate::analysis::control::form::Form;
use crate::dissect::l2tp_names::{cdn_reason, error_name, stop_ccn_reason};
use crate::dissect::layers::{MessageType, ResultCode};
use crate::util::Duration;

use super::words;
use super::{Case, Finding, Rule, Severity, rules};

rules! {
    /// A control connection was closed for a reason that is not an orderly end.
    ///
    /// The StopCCN carries a result code, and for result 2 a general error code and often a text.
    /// An orderly end (result 1) raises nothing.
    END_STOPCCN = "end-stopccn", Error, "RFC 2661 4.4.2",
        "the Result Code AVP of a StopCCN says why the control connection is closed.";

    /// A call was closed for a reason that is not an orderly end.
    ///
    /// The CDN carries a result code, and for result 2 a general error code and often a text.
    /// An orderly end (result 1 or 3) raises nothing.
    END_CDN = "end-cdn", Error, "RFC 2661 4.4.2",
        "the Result Code AVP of a CDN says why the call is closed.";

    /// A Result Code that no document defines.
    ///
    /// The peer cannot know why it was closed. Usual causes: octets in the wrong order (the finding says so where the
    /// swapped code makes sense), a field that was never set.
    END_RESULT_OUT_OF_RANGE = "end-result-out-of-range", Warning, "RFC 2661 4.4.2",
        "the Result Codes of StopCCN and CDN are those that the section lists.";

    /// A general error (result 2), or a wrong protocol version (StopCCN result 5), without its Error Code.
    ///
    /// The code would say what was wrong.
    /// Example: a StopCCN with Result Code 2 and nothing behind it.
    END_ERROR_CODE_MISSING = "end-error-code-missing", Error, "RFC 2661 4.4.2",
        "with result 2 the Error Code indicates the problem, with StopCCN result 5 the highest version supported.";

    /// An error that wants an explanation comes without one.
    ///
    /// Error 6 is vendor-specific and error 8 an unknown AVP with the M bit: without the text nobody knows what or
    /// which.
    /// Example: a StopCCN with Result Code 2, Error Code 6, and no message.
    END_ERROR_6_NO_TEXT = "end-error-6-no-text", Warning, "RFC 2661 4.4.2",
        "with error 6, and with error 8, the Error Message should say more.";

    /// A StopCCN was never acknowledged.
    ///
    /// Its sender resends it for about half a minute. Usual causes: the peer is gone, or forgets the tunnel at once
    /// instead of waiting out the resends.
    /// Example: a StopCCN sent five times, and data of its receiver 5 s later.
    END_STOPCCN_NOT_ACKED = "end-stopccn-not-acked", Error, "RFC 2661 5.7",
        "the receiver of a StopCCN must send a ZLB to acknowledge it.";

    /// A tunnel ends without a StopCCN.
    ///
    /// Its packets stop while the capture goes on. One of its ends keeps it open, and users stay unreachable until a
    /// keepalive fails. Usual causes: a crash, a cut way, a NAT that forgot the mapping.
    /// Example: a tunnel whose last packet is a Hello's ZLB, and 300 s of other traffic.
    END_SILENT = "end-silent", Warning, "RFC 2661 5.7",
        "a control connection is torn down by a StopCCN.";
}

/// The rule of a departure in how something is closed, and what was seen.
pub(super) fn departure(form: &Form) -> Option<(&'static Rule, String)> {
    let (rule, what): (&'static Rule, _) = match *form {
        Form::UnknownResult(message, code) => {
            let known = if message == MessageType::STOP_CCN { stop_ccn_reason } else { cdn_reason };
            let swapped = known(code.swap_bytes()).filter(|_| code.to_be_bytes()[1] == 0);
            let swapped = swapped.map_or_else(String::new, |reason| {
                format!(" (with its octets swapped {}: {reason})", code.swap_bytes())
            });
            (&END_RESULT_OUT_OF_RANGE, format!("{} with result {code}{swapped}", message.name()))
        }
        Form::NoErrorCode(message) => {
            (&END_ERROR_CODE_MISSING, format!("{} without its Error Code", message.name()))
        }
        Form::NoErrorText(message, error) => {
            (&END_ERROR_6_NO_TEXT, format!("{} with error {error} and no Error Message", message.name()))
        }
        _ => return None,
    };
    Some((rule, what))
}

/// An acknowledgement may be under way so long.
const IN_FLIGHT: Duration = Duration::seconds(1);
/// With this many copies a sender has waited 7 s.
const LONG: u32 = 4;
/// Keepalives are sent after 60 s (RFC 2661 section 6.5) and given up 31 s later.
const SILENCE: Duration = Duration::seconds(120);

fn not_acknowledged(case: &Case<'_>, connection: &Connection, end: u8) -> Option<Finding> {
    let mut open = connection.end(end).delivery.outstanding.iter().rev();
    let stop = open.find(|message| message.message.is(MessageType::STOP_CCN))?;
    let peer = 1 - end;
    let heard = connection.end(peer).packets > 0;
    // A peer that was silent before is reported as that.
    let silent =
        connection.end(end).delivery.outstanding.iter().any(|message| stop.ns.is_newer_than(message.ns));
    if !heard || silent || words::one_direction_missing(connection) || case.left_after(stop.last) < IN_FLIGHT
    {
        return None;
    }
    let early = (stop.copies < LONG).then(|| {
        String::from("it was sent a few times only; the acknowledgement may be lost or not in the capture.")
    });
    Some(
        Finding::new(
            &END_STOPCCN_NOT_ACKED,
            format!("{}: StopCCN was never acknowledged", words::tunnel(connection)),
        )
        .severity(if stop.copies < LONG { Severity::Note } else { Severity::Error })
        .packets(stop.packets())
        .connection(connection.number)
        .by(peer)
        .seen(format!("sent {} by {}.", times(stop.copies), words::who(connection, end)))
        .unsure(case.unread_from(connection.end(peer), stop.first).or_else(|| case.capture_loses()).or(early))
        .advice(format!(
            "look whether {} still runs, and if it forgets closed tunnels at once.",
            words::who(connection, peer)
        )),
    )
}

fn times(copies: u32) -> String {
    if copies == 1 { String::from("once") } else { format!("{copies} times") }
}

fn silent(case: &Case<'_>, connection: &Connection) -> Option<Finding> {
    let open = connection.was_established && connection.state == ConnectionState::Established;
    let last = connection.ends.iter().filter_map(|end| end.last).max()?;
    // Without keepalives an idle tunnel may be silent for as long as it likes.
    let keeps_alive = connection.ends.iter().any(|end| end.hello.sent > 0);
    let waits = connection.ends.iter().any(|end| !end.delivery.outstanding.is_empty());
    if !open || case.left_after(last.1) < SILENCE || !(keeps_alive || waits) {
        return None;
    }
    // What nothing explains any more was the last that its peer acknowledged.
    let lacks_last = connection.ends.iter().any(|end| end.delivery.beyond.is_some());
    Some(
        Finding::new(&END_SILENT, format!("{} ends without a StopCCN", words::tunnel(connection)))
            .severity(if lacks_last { Severity::Note } else { Severity::Warning })
            .packets(&[last.0])
            .connection(connection.number)
            .seen(format!(
                "its last packet is {} at {}; the capture goes on for {}.",
                last.0,
                case.at(last.1),
                case.left_after(last.1)
            ))
            .unsure(Some(String::from("its packets may have taken another way, or another SA, since then.")))
            .advice("look in both logs for a crash, a restart or a changed address at that time."),
    )
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
        found.extend((0..2).filter_map(|end| not_acknowledged(case, connection, end)));
        found.extend(silent(case, connection));
        if let (Some(by), Some(result)) = (connection.closed_by, &connection.result) {
            let severity = match result.code {
                1 => None,
                2..=5 | 7 => Some(Severity::Error),
                _ => Some(Severity::Note),
            };
            if let Some(severity) = severity {
                found.push(
                    Finding::new(
                        &END_STOPCCN,
                        format!("{} was closed: {}", words::tunnel(connection), stop_reason(result)),
                    )
                    .severity(severity)
                    .packets(&connection.closing_packet.map_or_else(Vec::new, |packet| vec![packet]))
                    .connection(connection.number)
                    .seen(seen(connection, by, "StopCCN", result))
                    .advice(format!("the reason is in the log of {}.", words::who(connection, by))),
                );
            }
        }
        for id in &connection.calls {
            let Some(call) = case.analysis.call(*id) else { continue };
            let (Some(by), Some(result)) = (call.closed_by, &call.result) else { continue };
            let severity = match result.code {
                1 | 3 => continue,
                2 | 4..=11 => Severity::Error,
                _ => Severity::Note,
            };
            found.push(
                Finding::new(&END_CDN, format!("{} was closed: {}", words::call(*id), cdn_words(result)))
                    .severity(severity)
                    .packets(&call.closing_packet.map_or_else(Vec::new, |packet| vec![packet]))
                    .connection(connection.number)
                    .call(*id)
                    .seen(seen(connection, by, "CDN", result))
                    .advice(format!("the reason is in the log of {}.", words::who(connection, by))),
            );
        }
    }
}

fn seen(connection: &Connection, by: u8, message: &str, result: &ResultCode) -> String {
    let error = result.error.map_or_else(String::new, |error| format!(", error {error}"));
    let text = result.message.as_ref().filter(|text| !text.is_empty());
    let text = text.map_or_else(String::new, |text| format!(" \"{text}\""));
    format!("{message} of {}: result {}{error}{text}.", words::who(connection, by), result.code)
}

/// The reason of a StopCCN in words.
/// Whether the Result Code of a StopCCN is that of an error (RFC 2661 section 4.4.2).
pub(super) fn is_an_error(result: &ResultCode) -> bool {
    matches!(result.code, 2..=5 | 7)
}

pub(crate) fn stop_reason(result: &ResultCode) -> String {
    reason(result, stop_ccn_reason(result.code))
}

/// The reason of a CDN in words.
pub(crate) fn cdn_words(result: &ResultCode) -> String {
    reason(result, cdn_reason(result.code))
}

fn reason(result: &ResultCode, known: Option<&'static str>) -> String {
    let general =
        (result.code == 2).then(|| result.error.and_then(|error| error_name(error.into()))).flatten();
    match general.or(known) {
        Some(words) => String::from(words),
        None => format!("unknown result {}", result.code),
    }
}
