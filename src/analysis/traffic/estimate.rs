//! How much may have been lost where no sequence numbers count it.

use super::tcp::TcpTotals;
use super::waiting::Asked;

/// So few segments or echoes show nothing: one of them would be a large share.
const FEW_SEGMENTS: u64 = 100;
const FEW_ECHOES: u64 = 10;

/// What an estimate rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EstimatedBy {
    /// Segments that were sent again: some of them because of an acknowledgement that was late or lost.
    Tcp,
    /// Echo requests without a reply: either may have been lost.
    Echo,
}

impl EstimatedBy {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Echo => "echo",
        }
    }
}

/// About how many packets were lost of so many. Where sequence numbers count, they say it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Lost.
    pub lost: u64,
    /// Of so many that were sent.
    pub of: u64,
    /// What this rests on.
    pub by: EstimatedBy,
}

/// The estimate that rests on more: TCP, of which every segment counts, before echoes. Echoes that nobody ever answered
/// show a host that does not answer, not loss.
pub(super) fn of(tcp: Option<&TcpTotals>, echo: Option<Asked>) -> Option<Estimate> {
    if let Some(tcp) = tcp.filter(|tcp| tcp.segments >= FEW_SEGMENTS) {
        return Some(Estimate { lost: tcp.resent, of: tcp.segments, by: EstimatedBy::Tcp });
    }
    let echo = echo.filter(|echo| echo.answered > 0)?;
    let of = echo.answered.saturating_add(echo.unanswered);
    (of >= FEW_ECHOES).then_some(Estimate { lost: echo.unanswered, of, by: EstimatedBy::Echo })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_before_echoes_and_nothing_of_few() {
        let tcp = |segments, resent| {
            let mut totals = TcpTotals::default();
            (totals.segments, totals.resent) = (segments, resent);
            totals
        };
        let echo = |answered, unanswered| {
            Some(Asked { asked: answered + unanswered, answered, unanswered, open: 0 })
        };
        let by = |estimate: Option<Estimate>| estimate.map(|found| (found.lost, found.of, found.by.name()));
        assert_eq!(by(of(Some(&tcp(200, 3)), echo(5, 5))), Some((3, 200, "tcp")));
        assert_eq!(by(of(Some(&tcp(20, 3)), echo(5, 5))), Some((5, 10, "echo")));
        assert_eq!(by(of(None, echo(9, 1))), Some((1, 10, "echo")));
        for nothing in [echo(0, 50), echo(3, 1), None] {
            assert_eq!(by(of(Some(&tcp(99, 9)), nothing)), None);
        }
    }
}
