//! Takes the typed layers of one frame after the other, and keeps what they show.

use crate::dissect::layers::{Fragment, Layers, Stop};
use crate::util::Duration;

use super::context::PacketContext;
use super::control::{arrive, header_faults, version3};
use super::data;
use super::foresee::{self, Foreseen};
use super::icmp;
use super::ids::bump;
use super::ipsec::{esp, fragments, ike_messages, nat, shown_again};
use super::log::Observation;
use super::meta::Meta;
use super::said;
use super::tracker::Tracker;

/// Interfaces that are captured together differ by less.
const STEP_BACK: Duration = Duration::seconds(1);
/// Where something is up, it is not silent for so long.
const STEP_AHEAD: Duration = Duration::seconds(3600);

impl Tracker {
    /// Whether this frame wants to be dissected once more, now that others before it are known: a fragment, or a
    /// datagram on ports of which nothing was known when a batch was dissected.
    pub fn wants_again(&self, layers: &Layers) -> bool {
        match layers.stop {
            Stop::Fragment => true,
            Stop::UnknownPort => layers.udp.is_some_and(|udp| self.learned.knows(&udp)),
            _ => {
                layers.ike.as_ref().is_some_and(|ike| ike.in_order)
                    || layers.v3.as_ref().is_some_and(|v3| version3::wants_again(&self.learned, layers, v3))
            }
        }
    }

    /// Counts a frame. Says whether it is a double of the capture, which is looked at no further.
    pub fn count(&mut self, meta: &Meta, digest: Option<u64>) -> bool {
        let totals = &mut self.found.totals;
        bump(&mut totals.packets);
        totals.bytes = totals.bytes.saturating_add(u64::from(meta.captured));
        totals.first = Some(totals.first.map_or(meta.time, |first| first.min(meta.time)));
        totals.last = Some(totals.last.map_or(meta.time, |last| last.max(meta.time)));
        if !totals.link_types.contains(&meta.link) && totals.link_types.len() < 64 {
            totals.link_types.push(meta.link);
        }
        let passed = meta.time.since(self.clock.unwrap_or(meta.time));
        self.clock = Some(meta.time);
        if passed > STEP_AHEAD {
            self.jumped = Some(passed);
        }
        if passed < Duration(-STEP_BACK.0) {
            self.clock_went_back(meta, passed);
        }
        let double = digest.is_some_and(|digest| self.doubles.seen(digest, meta.time));
        if double {
            bump(&mut self.found.totals.doubles);
            self.of_capture(Observation::Double, meta.at(), 1);
        } else if meta.captured < meta.original {
            self.of_capture(Observation::Truncated, meta.at(), 1);
        }
        double
    }

    /// Guard against clocks that are set while they run: times across a step say nothing.
    #[cold]
    fn clock_went_back(&mut self, meta: &Meta, passed: Duration) {
        self.stepped = Some(meta.time);
        let millis = passed.0.unsigned_abs().checked_div(1_000_000).unwrap_or(0);
        self.of_capture(Observation::ClockBack, meta.at(), millis);
    }

    /// Takes the layers of a frame that [`Tracker::count`] did not call a double.
    pub(crate) fn push(&mut self, meta: &Meta, layers: &Layers, foreseen: Foreseen) {
        self.context = PacketContext::default();
        if let Some(Fragment::Completed { .. }) = layers.fragment {
            bump(&mut self.found.totals.reassembled);
            fragments::count(&mut self.found.fragmented, layers, meta);
        }
        if layers.nat_keepalive
            && let Some(addresses) = layers.addresses
        {
            nat::keepalive(&mut self.found.keepalives, addresses, meta);
        }
        if matches!(layers.stop, Stop::Malformed { .. }) {
            bump(&mut self.found.totals.malformed);
        }
        if let Some(ike) = &layers.ike
            && let Some(addresses) = layers.addresses
        {
            ike_messages::take(self, ike, addresses, meta);
        }
        if let Some(error) = &layers.icmp {
            icmp::error(self, error, meta);
        }
        if layers.esp.is_some() && !esp::packets(self, layers, meta, foreseen) {
            if let (Some(udp), Some(header), None) = (&layers.udp, &layers.l2tp, &layers.control) {
                data::replayed(self, meta, udp, header);
            }
            return;
        }
        if let Some(version) = layers.other_version.filter(|_| layers.v3.is_none()) {
            header_faults::other_version(self, version, layers, meta);
        }
        let protected = layers.esp.is_some();
        if let Some(v3) = &layers.v3 {
            version3::packet(self, layers, v3, meta);
        }
        let (Some(udp), Some(header)) = (&layers.udp, &layers.l2tp) else {
            if layers.overrun.is_some() || matches!(layers.stop, Stop::Malformed { .. }) {
                header_faults::header(self, layers, meta);
            }
            return;
        };
        bump(&mut self.found.totals.l2tp);
        if shown_again::is_copy(self, meta, udp, header, layers.control.as_deref(), protected) {
            return;
        }
        match &layers.control {
            Some(control) => arrive::control(self, meta, udp, header, control, protected),
            None => {
                let route = foreseen.route.filter(|route| route.version == self.identity.routes.version());
                data::packet(self, meta, udp, header, layers.ppp.as_ref(), protected, route);
            }
        }
        if layers.overrun.is_some() {
            header_faults::header(self, layers, meta);
        }
    }

    /// Takes a frame and says where it belongs.
    pub(crate) fn place(&mut self, meta: &Meta, layers: &Layers) -> PacketContext {
        if self.count(meta, layers.digest) {
            return PacketContext { double: true, ..PacketContext::default() };
        }
        self.push(meta, layers, Foreseen::default());
        self.context
    }

    /// Keeps what the frame that was pushed last says beside control messages, where that is asked for.
    pub(crate) fn take_down(&mut self, meta: &Meta, layers: &Layers) {
        said::take_down(self, meta, layers);
    }

    /// Looks up flows, connections and calls of some frames, and has their memory come nearer.
    pub(crate) fn foresee(&self, layers: &[Layers], foreseen: &mut Vec<Foreseen>) {
        foresee::look_ahead(self, layers, foreseen);
    }
}
