//! `--tunnel` and `--call`: packets and reports of one control connection or call.

use crate::analysis::PacketContext;
use crate::analysis::{Analysis, CallId};
use crate::rules::Finding;
use crate::util::Printable;

use super::args::Args;
use super::exit::Failure;

/// Which packets are shown.
pub(super) struct Selection {
    connection: Option<u32>,
    call: Option<CallId>,
}

impl Selection {
    /// What the command line asks for.
    ///
    /// # Errors
    ///
    /// When an id is none.
    pub(super) fn new(args: &Args) -> Result<Self, Failure> {
        let connection = args.tunnel.as_deref().map(|id| ordinal(id, 'T')).transpose()?;
        let call = args.call.as_deref().map(|id| ordinal(id, 'C')).transpose()?;
        Ok(Self { connection, call: call.map(|number| CallId(number - 1)) })
    }

    /// Whether a packet that belongs there is to be shown.
    pub(super) fn has(&self, place: &PacketContext) -> bool {
        self.connection.is_none_or(|wanted| place.connection == Some(wanted))
            && self.call.is_none_or(|wanted| place.call == Some(wanted))
    }

    /// Looks for what was asked for.
    ///
    /// # Errors
    ///
    /// When the capture has no such control connection or call.
    pub(super) fn check(&self, analysis: &Analysis) -> Result<(), Failure> {
        match self.number(analysis)? {
            Some(number) if analysis.numbered(number).is_none() => Err(missing(&format!("T{number}"))),
            _ => Ok(()),
        }
    }

    /// The number of the control connection, if one was asked for.
    fn number(&self, analysis: &Analysis) -> Result<Option<u32>, Failure> {
        let of_call = match self.call {
            None => None,
            Some(id) => {
                let call = analysis.call(id).and_then(|call| analysis.connection(call.connection));
                Some(call.ok_or_else(|| missing(&format!("C{}", u64::from(id.0) + 1)))?.number)
            }
        };
        Ok(self.connection.or(of_call))
    }

    /// Leaves in a report only what was asked for.
    ///
    /// # Errors
    ///
    /// When the capture has no such control connection or call.
    pub(super) fn restrict(
        &self,
        analysis: &mut Analysis,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Failure> {
        let Some(number) = self.number(analysis)? else { return Ok(()) };
        if !analysis.restrict(number) {
            return Err(missing(&format!("T{number}")));
        }
        let call =
            |finding: &Finding| self.call.is_none() || finding.call.is_none() || finding.call == self.call;
        findings.retain(|finding| finding.connection == Some(number) && call(finding));
        Ok(())
    }
}

fn missing(id: &str) -> Failure {
    Failure::new(format!("{id}: the capture has none with this name"))
}

/// The number in `T1` or `1`.
fn ordinal(id: &str, letter: char) -> Result<u32, Failure> {
    let digits = id.strip_prefix([letter, letter.to_ascii_lowercase()]).unwrap_or(id);
    digits.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        Failure::new(format!(
            "{}: expected {letter} and a number, such as {letter}1",
            Printable::from_text(id)
        ))
    })
}
