//! What a capture says of a frame beside its octets.

use crate::field::{FieldDef, Kind, Range, Sink, Value};
use crate::fields;
use crate::util::{Frame, Timestamp};

use super::Protocol;

fields! {
    section "capture file";
    NUMBER = "frame.number", "Frame Number", Kind::Dec(32);
    MOMENT = "frame.time", "Arrival Time", Kind::Moment;
    TIME = "frame.time_epoch", "Epoch Time", Kind::Time;
    RELATIVE = "frame.time_relative", "Time since first frame", Kind::Time;
    DELTA = "frame.time_delta", "Time since previous frame", Kind::Time;
    LENGTH = "frame.len", "Frame Length", Kind::Dec(32);
    CAPTURED = "frame.cap_len", "Capture Length", Kind::Dec(32);
    PROTOCOLS = "frame.protocols", "Protocols in frame", Kind::Protocols;
    INTERFACE = "frame.interface_id", "Interface id", Kind::Dec(32);
    MALFORMED = "_ws.malformed", "Malformed Packet", Kind::Group;
    SHORT = "_ws.short", "Packet size limited during capture", Kind::Group;
    COLUMN_PROTOCOL = "_ws.col.protocol", "Protocol of the line", Kind::Text;
    COLUMN_INFO = "_ws.col.info", "Words of the line", Kind::Text;
}

/// Times that a frame is compared with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    first: Option<Timestamp>,
    previous: Option<Timestamp>,
}

impl Clock {
    /// Tells `sink` what the capture says of the next frame.
    pub(crate) fn describe<S: Sink>(&mut self, frame: &Frame<'_>, sink: &mut S) {
        let first = *self.first.get_or_insert(frame.time);
        let previous = self.previous.replace(frame.time).unwrap_or(frame.time);
        let Some(row) = Protocol::Frame.row() else { return };
        let captured = u32::try_from(frame.data.len()).unwrap_or(u32::MAX);
        let whole = Range { source: 0, start: 0, end: captured };
        sink.enter(&row.field, whole);
        let mut tell = |field: &'static FieldDef, value: u64| {
            sink.field(field, Range::default(), Value::Derived(value));
        };
        tell(&NUMBER, frame.number);
        tell(&INTERFACE, frame.interface.into());
        tell(&MOMENT, frame.time.0.cast_unsigned());
        tell(&TIME, frame.time.0.cast_unsigned());
        tell(&RELATIVE, frame.time.since(first).0.cast_unsigned());
        tell(&DELTA, frame.time.since(previous).0.cast_unsigned());
        tell(&LENGTH, frame.original_len.into());
        tell(&CAPTURED, captured.into());
        tell(&PROTOCOLS, 0);
        sink.leave();
    }
}
