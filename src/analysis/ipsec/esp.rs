//! ESP packets: to which flow they belong, and what about them is worth noting (RFC 4303).

use crate::dissect::layers::{Esp, EspOutcome, Layers};

use crate::analysis::facts::{Fact, Scope};
use crate::analysis::ipsec::flow::{self, Arrival, Flow};
use crate::analysis::limits::Limit;
use crate::analysis::{FlowId, Foreseen, Meta, Tracker, bump};

impl Tracker {
    /// Counts ESP packets; says whether their receiver would look into the outermost.
    pub(in crate::analysis) fn esp(&mut self, layers: &Layers, meta: &Meta, foreseen: Foreseen) -> bool {
        let mut look = true;
        bump(&mut self.state.totals.esp_frames);
        for esp in layers.esp.iter().chain(&layers.deeper_esp) {
            if esp.outcome == EspOutcome::Cut {
                bump(&mut self.state.totals.esp_cut);
            }
            let Some(id) = self.flow_of(esp, meta, foreseen) else { continue };
            let Some(flow) = self.state.flows.get_mut(id.0 as usize) else { continue };
            let moved = flow.moves(esp.ports.unwrap_or_default());
            let arrival = flow.push(esp, meta.time, meta.packet);
            let (first, sealed) = (flow.is_first(), flow.is_first_sealed(&esp.outcome));
            // Asked of the packet and not of the flow, whose counts of what is rare are in lines of their own.
            let odd = flow::oddities(&esp.outcome);
            let scope = Scope { flow: Some(id), ..Scope::default() };
            if first || sealed {
                self.esp_happened(meta, id, first, sealed);
            }
            if moved {
                self.note(Fact::EspPorts, scope, meta, 1);
            }
            if odd.0 {
                self.note(Fact::EspPadding, scope, meta, 1);
            }
            if odd.1 {
                self.note(Fact::EspNextHeader, scope, meta, 1);
            }
            if esp.sequence == 0 {
                self.note(Fact::EspZero, scope, meta, 1);
            }
            match arrival {
                Some(Arrival::Again) => {
                    self.place.replayed = true;
                    self.note(Fact::EspReplay, scope, meta, 1);
                    look = false;
                }
                Some(Arrival::TooOld) => look = false,
                Some(Arrival::After(skipped)) => {
                    self.place.esp_skipped = skipped;
                    self.note(Fact::EspGap, scope, meta, u64::from(skipped));
                }
                _ => {}
            }
            match esp.outcome {
                EspOutcome::BadIcv { .. } | EspOutcome::BadPadding { .. } | EspOutcome::TooShort => {
                    self.note(Fact::BadIcv, scope, meta, 1);
                }
                EspOutcome::NoKey | EspOutcome::Unsupported { .. } => {
                    self.decrypted.sealed(esp.addresses, meta.time);
                    self.note(Fact::NoKey, scope, meta, 1);
                }
                _ => {}
            }
        }
        look
    }

    /// The flow of an ESP packet, a new one if it must be.
    fn flow_of(&mut self, esp: &Esp, meta: &Meta, foreseen: Foreseen) -> Option<FlowId> {
        let same = |flow: &Flow| flow.spi == esp.spi && flow.addresses == esp.addresses;
        if let Some(id) = foreseen.flow.filter(|id| self.state.flow(*id).is_some_and(same)) {
            return Some(id);
        }
        let key = (esp.spi.0, esp.addresses);
        let id = match self.flow_index.get(&key) {
            Some(id) => *id,
            None if self.state.flows.len() >= self.limits.flows => {
                self.state.reach(Limit::Flows);
                return None;
            }
            None => {
                let id = FlowId(u32::try_from(self.state.flows.len()).unwrap_or(u32::MAX));
                self.state.flows.push(Flow::new(esp, meta.time, meta.packet));
                self.flow_index.insert(key, id);
                id
            }
        };
        if let EspOutcome::Opened { sa, .. } = esp.outcome {
            if self.flow_of_sa.len() <= sa.index() {
                self.flow_of_sa.resize(sa.index().saturating_add(1), None);
            }
            if let Some(newest) = self.flow_of_sa.get_mut(sa.index()) {
                *newest = Some(id);
            }
        }
        Some(id)
    }
}
