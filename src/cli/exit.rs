//! Exit codes and error messages.

use std::fmt;
use std::process::ExitCode;

use crate::util::Printable;

/// How a run ended. Of several files the worst counts, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, nothing at or above `--fail-on`.
    Done,
    /// Findings at or above `--fail-on`.
    Findings,
    /// The capture is damaged or cut short; everything before that was reported.
    Damaged,
    /// Could not run.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Findings => 1,
            Exit::Failed => 2,
            Exit::Damaged => 3,
        })
    }
}

/// What stopped a run: what, why, and what to type next. Printed to standard error.
#[derive(Debug)]
pub struct Failure {
    what: String,
    cause: Option<String>,
    hint: Option<String>,
}

impl Failure {
    /// A failure; every text must have gone through [`Printable`] where it is not ours.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cause: None, hint: None }
    }

    /// Why.
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(Printable::from_text(&cause.to_string()).to_string());
        self
    }

    /// What to type next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Writes the message to standard error.
    pub fn print(&self) {
        use std::io::Write as _;
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "l2tp-inspect: error: {}", self.what);
        if let Some(cause) = &self.cause {
            let _ = writeln!(err, "  cause: {cause}");
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(err, "  hint: {hint}");
        }
    }
}
