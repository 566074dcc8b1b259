//! What is expected of a capture, as a TOML file says it.

use serde::Deserialize;

use crate::rules::{self, Severity, Verdict};
use crate::util::{Duration, Printable};

use super::amount::{self, Count, Limit, Share};

/// The version of the format.
pub const SCHEMA: u32 = 1;

/// The largest file of expectations, in octets: 1 MiB.
pub const MAX_FILE: u64 = 1 << 20;

/// What is expected of a capture.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expectations {
    /// The version of the format: 1.
    pub schema: u32,
    /// Findings from this level on fail the check, unless they are allowed.
    #[serde(default)]
    pub fail_on: Option<Level>,
    /// The capture itself.
    #[serde(default)]
    pub capture: CaptureExpect,
    /// Control connections, each for one that is not taken yet.
    #[serde(default)]
    pub control_connection: Vec<ConnectionExpect>,
    /// Findings that are known.
    #[serde(default)]
    pub allow: Vec<Allow>,
}

/// The level of findings that fail a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Level {
    Note,
    Warning,
    Error,
    Undecided,
    Degraded,
    Broken,
    Never,
}

impl Level {
    /// The severity from which on a finding fails; `None` if none does.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
            Self::Undecided | Self::Degraded | Self::Broken | Self::Never => None,
        }
    }

    /// Whether a verdict fails: degraded means broken as well.
    pub fn fails(self, verdict: Verdict) -> bool {
        match self {
            Self::Broken => verdict == Verdict::Broken,
            Self::Degraded => matches!(verdict, Verdict::Broken | Verdict::Degraded),
            Self::Undecided => verdict == Verdict::Undecided,
            Self::Note | Self::Warning | Self::Error | Self::Never => false,
        }
    }
}

/// What is expected of the capture itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CaptureExpect {
    /// Packets.
    #[serde(default, deserialize_with = "amount::count")]
    pub packets: Option<Count>,
    /// ESP packets that are decrypted.
    #[serde(default)]
    pub decrypted: Option<Share>,
    /// The id of the verdict, such as `healthy`.
    #[serde(default)]
    pub verdict: Option<String>,
}

/// What is expected of one control connection.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectionExpect {
    /// The address of the LAC; any if it is not said.
    #[serde(default)]
    pub lac: Option<std::net::IpAddr>,
    /// The address of the LNS.
    #[serde(default)]
    pub lns: Option<std::net::IpAddr>,
    /// The state at the end, such as `established`.
    #[serde(default)]
    pub state: Option<String>,
    /// How it ended: `StopCCN` and its result code, such as `StopCCN 1`, or `open`.
    #[serde(default)]
    pub ended: Option<String>,
    /// From SCCRQ to SCCCN.
    #[serde(default, deserialize_with = "amount::time")]
    pub setup: Option<Limit<Duration>>,
    /// Control messages that were resent.
    #[serde(default, deserialize_with = "amount::count")]
    pub resent: Option<Count>,
    /// Its Hellos.
    #[serde(default)]
    pub hello: Option<HelloExpect>,
    /// Its calls, each for one that is not taken yet.
    #[serde(default)]
    pub call: Vec<CallExpect>,
}

/// What is expected of the Hellos of a control connection.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HelloExpect {
    /// The mean time between two of one side.
    #[serde(default, deserialize_with = "amount::plain_time")]
    pub interval: Option<Duration>,
    /// How far it may be off.
    #[serde(default, deserialize_with = "amount::plain_time")]
    pub tolerance: Option<Duration>,
    /// Hellos without an answer.
    #[serde(default, deserialize_with = "amount::count")]
    pub unanswered: Option<Count>,
}

/// What is expected of one call.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallExpect {
    /// `incoming` or `outgoing`.
    #[serde(default)]
    pub kind: Option<String>,
    /// How far it came: `established`, `lcp-opened`, `authenticated`, `ipcp-opened` or `ipv6cp-opened`.
    #[serde(default)]
    pub reached: Option<String>,
    /// How it ended: `CDN` and its result code, such as `CDN 3`, `StopCCN`, or `open`.
    #[serde(default)]
    pub ended: Option<String>,
    /// From the request to the message that connects it.
    #[serde(default, deserialize_with = "amount::time")]
    pub setup: Option<Limit<Duration>>,
    /// Data packets that are missing, of those with sequence numbers.
    #[serde(default, deserialize_with = "amount::most")]
    pub lost: Option<Share>,
}

/// A finding that is known, and why.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Allow {
    /// The rule.
    pub rule: String,
    /// Only in this control connection, such as `T1`.
    #[serde(default)]
    pub connection: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Until the end of this day.
    #[serde(default)]
    pub until: Option<toml::value::Datetime>,
}

/// What is wrong with a file of expectations.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectError {
    /// It is no TOML, or has keys or values that there are not.
    #[error("{file}: {what}")]
    Format {
        /// The file.
        file: Printable,
        /// What, and in which line.
        what: Printable,
    },
    /// A version of the format that is not known.
    #[error("{file}: schema {found} is not known, this version reads schema {SCHEMA}")]
    Schema {
        /// The file.
        file: Printable,
        /// Its version.
        found: u32,
    },
    /// A rule that there is not.
    #[error("{file}: {rule}: no such rule")]
    Rule {
        /// The file.
        file: Printable,
        /// What it says.
        rule: Printable,
    },
    /// A word that has no meaning at its place.
    #[error("{file}: {key} = \"{word}\": expected {expected}")]
    Word {
        /// The file.
        file: Printable,
        /// The key.
        key: &'static str,
        /// What it says.
        word: Printable,
        /// What it may say.
        expected: &'static str,
    },
}

/// How far a call may be expected to come.
pub(super) const STEPS: [&str; 5] =
    ["established", "lcp-opened", "authenticated", "ipcp-opened", "ipv6cp-opened"];

impl Expectations {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub fn parse(file: &Printable, text: &str) -> Result<Self, ExpectError> {
        let read: Self = toml::from_str(text).map_err(|error| ExpectError::Format {
            file: file.clone(),
            what: Printable::from_text(error.to_string().trim_end()),
        })?;
        if read.schema != SCHEMA {
            return Err(ExpectError::Schema { file: file.clone(), found: read.schema });
        }
        let word = |key, word: &str, expected| ExpectError::Word {
            file: file.clone(),
            key,
            word: Printable::from_text(word),
            expected,
        };
        for allow in &read.allow {
            if !rules::all().any(|rule| rule.id == allow.rule) {
                return Err(ExpectError::Rule {
                    file: file.clone(),
                    rule: Printable::from_text(&allow.rule),
                });
            }
        }
        for connection in &read.control_connection {
            if let Some(ended) = connection.ended.as_deref().filter(|ended| !is_end(ended, "StopCCN")) {
                return Err(word(
                    "ended",
                    ended,
                    "\"open\" or StopCCN and a result code, such as \"StopCCN 1\"",
                ));
            }
            for call in &connection.call {
                if let Some(reached) = call.reached.as_deref().filter(|reached| !STEPS.contains(reached)) {
                    return Err(word(
                        "reached",
                        reached,
                        "established, lcp-opened, authenticated, ipcp-opened or ipv6cp-opened",
                    ));
                }
                if let Some(ended) =
                    call.ended.as_deref().filter(|ended| !is_end(ended, "CDN") && *ended != "StopCCN")
                {
                    return Err(word(
                        "ended",
                        ended,
                        "\"open\", \"StopCCN\", or CDN and a result code, such as \"CDN 3\"",
                    ));
                }
                if let Some(kind) =
                    call.kind.as_deref().filter(|kind| !["incoming", "outgoing"].contains(kind))
                {
                    return Err(word("kind", kind, "incoming or outgoing"));
                }
            }
        }
        Ok(read)
    }
}

fn is_end(text: &str, message: &str) -> bool {
    text == "open"
        || text == message
        || text.strip_prefix(message).is_some_and(|code| code.trim().parse::<u16>().is_ok())
}
