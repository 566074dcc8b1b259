//! Headers that break RFC 2661 section 3.1 before there is a message: lengths that lie, and versions.

use crate::dissect::Protocol;
use crate::dissect::layers::{L2tpFault, Layers, Stop, Udp};

use crate::analysis::facts::{Fact, Scope};
use crate::analysis::{Meta, Tracker};

impl Tracker {
    /// Notes what is wrong with an L2TP header, whether the packet could be read or not.
    #[cold]
    pub(in crate::analysis) fn header_faults(&mut self, layers: &Layers, meta: &Meta) {
        let beyond = layers.overrun.as_deref().filter(|fault| fault.layer == Protocol::L2tp);
        let (fact, amount) = match (beyond, layers.l2tp_fault()) {
            (Some(fault), _) => (Fact::LengthTooBig, fault.what.needed.saturating_sub(fault.what.available)),
            (None, Some(L2tpFault::LengthShort)) => (Fact::LengthTooSmall, 1),
            (None, Some(L2tpFault::OffsetLong)) => (Fact::OffsetTooBig, 1),
            (None, None) => return,
        };
        let read = Scope { connection: self.place.connection, end: self.place.from, ..Scope::default() };
        let scope = match &layers.udp {
            Some(udp) if read.connection.is_none() => self.between(udp),
            _ => read,
        };
        self.note(fact, scope, meta, amount.into());
    }

    /// Notes a packet of another version than 2 and 3.
    #[cold]
    pub(in crate::analysis) fn other_version(&mut self, version: u8, layers: &Layers, meta: &Meta) {
        crate::analysis::bump(&mut self.state.totals.other_version);
        self.note(Fact::OtherVersion, Scope::default(), meta, u64::from(version));
        let Some(udp) = &layers.udp else { return };
        let scope = self.between(udp);
        let whole = !matches!(layers.stop, Stop::Malformed { .. });
        if version == 1 && whole {
            self.note(Fact::L2f, scope, meta, 1);
        } else if !matches!(version, 1..=3) && scope.connection.is_some() {
            self.note(Fact::UnknownVersion(version), scope, meta, 1);
        }
    }

    /// The newest control connection between these ends, and which of them sends.
    pub(in crate::analysis) fn between(&self, udp: &Udp) -> Scope {
        let found =
            self.newest_between(udp, 2, |_, _| true).or_else(|| self.newest_between(udp, 3, |_, _| true));
        let Some((id, end)) = found else { return Scope::default() };
        let connection = self.state.connection(id).map(|connection| connection.number);
        Scope { connection, end: Some(end), ..Scope::default() }
    }
}
