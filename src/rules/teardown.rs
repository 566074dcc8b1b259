//! Rules on how control connections and calls end (RFC 2661 sections 4.4.2, 5.6 and 5.7).

use crate::analysis::connection::Connection;
use crate::dissect::l2tp_names::{cdn_reason, error_name, stop_ccn_reason};
use crate::dissect::layers::ResultCode;

use super::words;
use super::{Case, Finding, Severity, rules};

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
}

pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Finding>) {
    for (_, connection) in case.analysis.in_order() {
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
