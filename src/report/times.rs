//! How the time of a packet is written: tshark's `-t`.

use std::io::Write as _;

use jiff::tz::TimeZone;

use super::packet::Packet;

/// Which time is shown, as tshark names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamp {
    /// Since the first packet.
    #[default]
    Relative,
    /// Since the packet before.
    Delta,
    /// Time of day, local.
    Absolute,
    /// Date and time of day, local.
    AbsoluteDate,
    /// Time of day, UTC.
    Utc,
    /// Date and time of day, UTC.
    UtcDate,
    /// Seconds since 1970.
    Epoch,
}

/// Writes the time of a packet with microseconds, or nanoseconds where the capture has them.
pub fn write(packet: &Packet<'_>, stamp: Stamp, out: &mut Vec<u8>) {
    let time = packet.frame.time;
    let nanoseconds = match stamp {
        Stamp::Relative => packet.clock.since_first.0,
        Stamp::Delta => packet.clock.since_previous.0,
        Stamp::Epoch => time.0,
        Stamp::Absolute | Stamp::AbsoluteDate => return calendar(time.0, &TimeZone::system(), stamp, out),
        Stamp::Utc | Stamp::UtcDate => return calendar(time.0, &TimeZone::UTC, stamp, out),
    };
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let whole = nanoseconds.unsigned_abs();
    let (seconds, fraction) = (whole / 1_000_000_000, whole % 1_000_000_000);
    let _ = if packet.clock.nanoseconds {
        write!(out, "{sign}{seconds}.{fraction:09}")
    } else {
        write!(out, "{sign}{seconds}.{:06}", fraction / 1000)
    };
}

fn calendar(nanoseconds: i64, zone: &TimeZone, stamp: Stamp, out: &mut Vec<u8>) {
    let Ok(time) = jiff::Timestamp::from_nanosecond(nanoseconds.into()) else { return };
    let time = time.to_zoned_datetime(zone.clone());
    let date = matches!(stamp, Stamp::AbsoluteDate | Stamp::UtcDate);
    let form = if date { "%Y-%m-%d %H:%M:%S%.6f" } else { "%H:%M:%S%.6f" };
    let _ = write!(out, "{}", time.strftime(form));
}
