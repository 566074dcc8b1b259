//! Packets that come before their phase (RFC 1661 section 3).

use crate::analysis::ppp::notice::{At, Notices, PppNotice};
use crate::analysis::ppp::protocol::{LCP, is_ncp};

/// Where a session stands when a packet comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    /// Both ends asked in LCP.
    pub started: bool,
    /// LCP was open once.
    pub ever_opened: bool,
    /// LCP is open.
    pub opened: bool,
    /// An authentication that LCP agreed on has not succeeded.
    pub authenticating: bool,
}

impl Phase {
    /// Notes a packet of this protocol if its phase has not come.
    pub(super) fn check(self, protocol: u16, end: u8, at: At, notices: &mut Notices) {
        if protocol != LCP && self.started && !self.opened {
            let late = self.ever_opened;
            notices.note(
                if late { PppNotice::DuringRenegotiation } else { PppNotice::BeforeOpened },
                end,
                at,
            );
        }
        if is_ncp(protocol) && self.opened && self.authenticating {
            notices.note(PppNotice::BeforeAuthentication, end, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ppp::protocol::{CHAP, IPCP};
    use crate::util::Timestamp;

    #[test]
    fn phases_of_section_3() {
        let down = Phase { started: true, ever_opened: false, opened: false, authenticating: true };
        let open = Phase { ever_opened: true, opened: true, ..down };
        let noticed = |phase: Phase, protocol: u16| {
            let mut notices = Notices::default();
            phase.check(protocol, 0, (1, Timestamp(0)), &mut notices);
            notices.all().map(|(what, _)| what).collect::<Vec<_>>()
        };
        assert_eq!(noticed(down, CHAP), [PppNotice::BeforeOpened]);
        assert_eq!(noticed(down, 0x0021), [PppNotice::BeforeOpened]);
        assert_eq!(noticed(Phase { opened: false, ..open }, IPCP), [PppNotice::DuringRenegotiation]);
        assert_eq!(noticed(open, IPCP), [PppNotice::BeforeAuthentication]);
        // Nearly: LCP itself, authentication in its phase, NCPs after it, a capture that began later.
        assert_eq!(noticed(down, LCP), []);
        assert_eq!(noticed(open, CHAP), []);
        assert_eq!(noticed(Phase { authenticating: false, ..open }, IPCP), []);
        assert_eq!(noticed(Phase { started: false, ..down }, IPCP), []);
    }
}
