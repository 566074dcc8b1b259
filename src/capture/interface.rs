//! What a pcapng section says about one interface (draft-ietf-opsawg-pcapng sections 4.2 and 4.6).

use pcap_parser::{Block, OptionCode, PcapNGOption, parse_block_be, parse_block_le};

use super::LinkType;
use super::record::{Order, link_type};
use crate::util::Timestamp;

/// How a unit of an interface's clock becomes nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolution {
    /// A unit is so many nanoseconds.
    Multiply(u64),
    /// So many units are a nanosecond.
    Divide(u64),
    /// A unit is a second divided by 2 to this power.
    Shift(u32),
    /// A unit is so small that 64 bits of them are less than a nanosecond.
    Nothing,
}

impl Resolution {
    /// The meaning of an if_tsresol option: a negative power of 10 or, with the highest bit set, of 2.
    fn new(tsresol: u8) -> Self {
        let exponent = u32::from(tsresol & 0x7f);
        if tsresol & 0x80 != 0 {
            return Self::Shift(exponent);
        }
        match 9_u32.checked_sub(exponent) {
            Some(up) => 10_u64.checked_pow(up).map_or(Self::Nothing, Self::Multiply),
            None => 10_u64.checked_pow(exponent.saturating_sub(9)).map_or(Self::Nothing, Self::Divide),
        }
    }

    fn nanoseconds(self, units: u64) -> i64 {
        let nanos = match self {
            Self::Multiply(factor) => units.checked_mul(factor),
            Self::Divide(divisor) => units.checked_div(divisor),
            Self::Shift(bits) => u128::from(units)
                .checked_mul(1_000_000_000)
                .and_then(|scaled| scaled.checked_shr(bits))
                .and_then(|nanos| u64::try_from(nanos).ok()),
            Self::Nothing => Some(0),
        };
        nanos.and_then(|nanos| i64::try_from(nanos).ok()).unwrap_or(i64::MAX)
    }

    /// Whether it is finer than microseconds.
    fn is_finer_than_micro(self) -> bool {
        match self {
            Self::Multiply(factor) => factor < 1_000,
            Self::Shift(bits) => bits > 19,
            Self::Divide(_) | Self::Nothing => true,
        }
    }
}

/// An interface of the current section.
#[derive(Debug, Clone)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// 0 if there is no limit.
    pub(super) snaplen: u32,
    resolution: Resolution,
    /// Nanoseconds to add to each time.
    offset: i64,
    /// Packets dropped, by the latest statistics.
    pub(super) drops: u64,
}

impl Interface {
    /// Reads a whole Interface Description Block.
    pub(super) fn read(block: &[u8], order: Order) -> Option<Self> {
        let Block::InterfaceDescription(description) = parse(block, order)? else { return None };
        // The crate's own values are not used: it reads if_tsoffset in little-endian order only, and takes no power of 2.
        let resolution = option(&description.options, OptionCode::IfTsresol)
            .and_then(|value| value.first())
            .map_or(Resolution::Multiply(1_000), |&tsresol| Resolution::new(tsresol));
        let offset = option(&description.options, OptionCode::IfTsoffset)
            .and_then(|value| order.u64(value, 0))
            .map_or(0, |seconds| seconds.cast_signed().saturating_mul(1_000_000_000));
        Some(Self {
            link: link_type(description.linktype),
            snaplen: description.snaplen,
            resolution,
            offset,
            drops: 0,
        })
    }

    /// The time of a packet of this interface, from its two halves; the ends of the clock are not overstepped.
    pub(super) fn time(&self, high: u32, low: u32) -> Timestamp {
        let units = (u64::from(high) << 32) | u64::from(low);
        Timestamp(self.resolution.nanoseconds(units).saturating_add(self.offset))
    }

    /// Whether its times are finer than microseconds.
    pub(super) fn is_finer_than_micro(&self) -> bool {
        self.resolution.is_finer_than_micro()
    }
}

/// Reads a whole Interface Statistics Block: the interface, and what it and the system dropped.
pub(super) fn statistics(block: &[u8], order: Order) -> Option<(u32, u64)> {
    let Block::InterfaceStatistics(statistics) = parse(block, order)? else { return None };
    let count = |code| option(&statistics.options, code).and_then(|value| order.u64(value, 0)).unwrap_or(0);
    let drops = count(OptionCode::IsbIfDrop).saturating_add(count(OptionCode::IsbOsDrop));
    Some((statistics.if_id, drops))
}

fn parse(block: &[u8], order: Order) -> Option<Block<'_>> {
    let parsed = match order {
        Order::Little => parse_block_le(block),
        Order::Big => parse_block_be(block),
    };
    parsed.ok().map(|(_, block)| block)
}

/// The value of the first option with this code, before the end of the options.
fn option<'a>(options: &'a [PcapNGOption<'_>], code: OptionCode) -> Option<&'a [u8]> {
    options
        .iter()
        .take_while(|option| option.code != OptionCode::EndOfOpt)
        .find(|option| option.code == code)
        .and_then(|option| option.as_bytes().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_becomes_nanoseconds() {
        let nanos = |tsresol, units| Resolution::new(tsresol).nanoseconds(units);
        assert_eq!(nanos(0, 7), 7_000_000_000);
        assert_eq!(nanos(3, 7), 7_000_000);
        assert_eq!(nanos(6, 1_700_000_000_123_456), 1_700_000_000_123_456_000);
        assert_eq!(nanos(9, 42), 42);
        assert_eq!(nanos(12, 42_999), 42);
        assert_eq!(nanos(0x80, 3), 3_000_000_000);
        assert_eq!(nanos(0x80 | 10, 512), 500_000_000);
        assert_eq!(nanos(0x80 | 32, (5 << 32) | (1 << 31)), 5_500_000_000);
        assert_eq!(nanos(0xff, u64::MAX), 0);
        assert_eq!(nanos(127, u64::MAX), 0);
        assert_eq!(nanos(0, u64::MAX), i64::MAX);
        assert_eq!(nanos(0x80, u64::MAX), i64::MAX);
    }

    #[test]
    fn no_resolution_overflows() {
        for tsresol in 0..=u8::MAX {
            for units in [0, 1, u64::MAX / 2, u64::MAX] {
                assert!(Resolution::new(tsresol).nanoseconds(units) >= 0);
            }
        }
    }

    #[test]
    fn microseconds_are_told_from_finer_units() {
        let finer: Vec<u8> = [0, 6, 7, 9, 12, 0x80 | 19, 0x80 | 20]
            .into_iter()
            .filter(|&tsresol| Resolution::new(tsresol).is_finer_than_micro())
            .collect();
        assert_eq!(finer, [7, 9, 12, 0x80 | 20]);
    }
}
