//! An SA whose lines are being read, for the dialects that spread one over several.

use std::net::IpAddr;

use super::super::sa::{AddressPattern, Mode, Spi, SpiPattern};
use super::super::suite::{
    Encryption, Integrity, IntegrityRow, Vocabulary, find_integrity, integrity_row, is_combined,
};
use super::{Fault, Reason, SaRecord, Secret, Sink, text};

pub(super) struct Draft {
    vocabulary: Vocabulary,
    /// Where it began.
    pub(super) line: u32,
    spi: u32,
    pub(super) source: Option<IpAddr>,
    pub(super) destination: Option<IpAddr>,
    pub(super) mode: Option<Mode>,
    pub(super) extended_sequence: Option<bool>,
    encryption: Option<(Encryption, Secret)>,
    integrity: Option<(Integrity, Secret)>,
    /// Of encryption and integrity, until their names are known.
    pub(super) keys: (Secret, Secret),
}

impl Draft {
    pub(super) fn new(vocabulary: Vocabulary, line: u32, spi: u32) -> Self {
        Self {
            vocabulary,
            line,
            spi,
            source: None,
            destination: None,
            mode: None,
            extended_sequence: None,
            encryption: None,
            integrity: None,
            keys: Default::default(),
        }
    }

    /// The encryption algorithm; a combined mode is its own integrity algorithm.
    pub(super) fn encryption(&mut self, name: &str, column: usize, key: Secret) -> Result<(), Reason> {
        let found = text::encryption(self.vocabulary, name, column, &key, None)?;
        if is_combined(self.vocabulary, name) {
            self.integrity = text::own_integrity(&found).map(|own| (own, Secret::default()));
        }
        self.encryption = Some((found, key));
        Ok(())
    }

    /// The integrity algorithm. Beside a combined mode it is a line that says there is none.
    pub(super) fn integrity(&mut self, name: &str, column: usize, key: Secret) -> Result<(), Reason> {
        let found = find_integrity(self.vocabulary, name, None)
            .map_err(|_| Reason::UnknownAlgorithm { what: "integrity", column })?;
        if self.integrity.is_none() {
            self.integrity = Some((text::keyed(found, &key)?, key));
        }
        Ok(())
    }

    /// The record, with `otherwise` if no integrity algorithm was named.
    pub(super) fn record(self, sink: &Sink, otherwise: &'static IntegrityRow) -> Result<SaRecord, Fault> {
        let missing = Fault { line: self.line, reason: Reason::Missing { what: "the encryption algorithm" } };
        let (encryption, encryption_key) = self.encryption.ok_or(missing)?;
        let (integrity, integrity_key) =
            self.integrity.unwrap_or((Integrity::Known(otherwise), Secret::default()));
        let pattern = |address: Option<IpAddr>| address.map_or(AddressPattern::ANY, AddressPattern::exactly);
        Ok(SaRecord {
            spi: SpiPattern::exactly(Spi(self.spi)),
            source: pattern(self.source),
            destination: pattern(self.destination),
            encryption,
            encryption_key,
            integrity,
            integrity_key,
            extended_sequence: self.extended_sequence,
            sequence_high: 0,
            replay_window: None,
            mode: self.mode,
            udp_ports: None,
            origin: sink.origin(self.line),
        })
    }

    /// Hands the finished SA over. One without any algorithm is one that IKE has only reserved.
    pub(super) fn finish(draft: Option<Self>, sink: &mut Sink) -> Result<(), Fault> {
        let Some(draft) = draft else { return Ok(()) };
        if draft.encryption.is_none() && draft.integrity.is_none() {
            sink.keyless = sink.keyless.saturating_add(1);
            return Ok(());
        }
        let fault = Fault { line: draft.line, reason: Reason::Missing { what: "the integrity algorithm" } };
        let record = draft.record(sink, integrity_row("none").ok_or(fault)?)?;
        sink.push(record)
    }
}
