//! Capture filters of libpcap, applied to frames from files.

#[cfg(feature = "live")]
use std::collections::{BTreeMap, btree_map::Entry};

#[cfg(feature = "live")]
use pcap::{BpfProgram, Capture, Linktype};

use super::{CaptureError, Frame, LinkType};
use crate::util::Printable;

/// A filter expression in libpcap's language (pcap-filter(7)), compiled for each link type that comes along.
///
/// The expression sees the captured bytes: `len`, `greater` and `less` go by them, not by the length on the wire.
pub struct PacketFilter {
    expression: String,
    /// At most one program for each link type that occurs; their number is bounded by that of the interfaces.
    #[cfg(feature = "live")]
    programs: BTreeMap<u32, BpfProgram>,
}

impl PacketFilter {
    /// A filter that is compiled when the first frame comes, or by [`PacketFilter::check`].
    pub fn new(expression: &str) -> Self {
        Self {
            expression: expression.to_owned(),
            #[cfg(feature = "live")]
            programs: BTreeMap::new(),
        }
    }

    /// Compiles the expression for `link`, so that a bad one is found before the first frame.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Filter`] with libpcap's words if the expression is wrong, or cannot be used on this link type.
    pub fn check(&mut self, link: LinkType) -> Result<(), CaptureError> {
        self.program(link).map(|_| ())
    }

    /// Whether the filter lets `frame` pass.
    ///
    /// # Errors
    ///
    /// As [`PacketFilter::check`].
    pub fn matches(&mut self, frame: &Frame<'_>) -> Result<bool, CaptureError> {
        Ok(self.program(frame.link)?.filter(frame.data))
    }

    #[cfg(feature = "live")]
    fn program(&mut self, link: LinkType) -> Result<&BpfProgram, CaptureError> {
        match self.programs.entry(link.0) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let program = Capture::dead(Linktype(dlt(link)))
                    .and_then(|dead| dead.compile(&self.expression, true))
                    .map_err(|error| CaptureError::Filter {
                        expression: Printable::from_text(&self.expression),
                        reason: Printable::from_text(&reason(error)),
                    })?;
                Ok(entry.insert(program))
            }
        }
    }
}

/// Stands in for libpcap where this was built without it.
#[cfg(not(feature = "live"))]
impl PacketFilter {
    fn program(&mut self, _: LinkType) -> Result<Refused, CaptureError> {
        Err(CaptureError::Filter {
            expression: Printable::from_text(&self.expression),
            reason: Printable::from_text("this command was built without libpcap, which compiles filters"),
        })
    }
}

/// No program: there is none without libpcap.
#[cfg(not(feature = "live"))]
enum Refused {}

#[cfg(not(feature = "live"))]
impl Refused {
    fn filter(&self, _: &[u8]) -> bool {
        match *self {}
    }
}

/// libpcap's words alone.
#[cfg(feature = "live")]
fn reason(error: pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(words) => words,
        other => other.to_string(),
    }
}

/// The number that libpcap's functions take for a link type: its own, which for raw IP is not the one in files.
#[cfg(feature = "live")]
fn dlt(link: LinkType) -> i32 {
    const DLT_RAW: i32 = if cfg!(target_os = "openbsd") { 14 } else { 12 };
    match link {
        LinkType::RAW | LinkType::RAW_12 | LinkType::RAW_14 => DLT_RAW,
        LinkType(other) => i32::try_from(other).unwrap_or(i32::MAX),
    }
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::*;
    use crate::util::Timestamp;

    /// An IPv4 header with UDP ports 1701 and 1701.
    const L2TP: [u8; 28] = [
        0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x06, 0xa5, 0x06, 0xa5, 0, 8,
        0, 0,
    ];

    fn frame(link: LinkType, data: &[u8]) -> Frame<'_> {
        Frame { number: 1, time: Timestamp(0), link, interface: 0, data, original_len: 0, offset: 0 }
    }

    #[test]
    fn one_expression_serves_several_link_types() {
        let mut filter = PacketFilter::new("udp port 1701");
        let mut ethernet = vec![0; 14];
        ethernet[12] = 8;
        ethernet.extend(L2TP);
        let mut cooked = vec![0; 16];
        cooked[14] = 8;
        cooked.extend(L2TP);
        for link in [LinkType::RAW, LinkType::RAW_12, LinkType::IPV4] {
            assert!(filter.matches(&frame(link, &L2TP)).unwrap(), "{link}");
        }
        assert!(filter.matches(&frame(LinkType::ETHERNET, &ethernet)).unwrap());
        assert!(filter.matches(&frame(LinkType::LINUX_SLL, &cooked)).unwrap());
        assert!(!filter.matches(&frame(LinkType::ETHERNET, &L2TP)).unwrap());
        assert!(!filter.matches(&frame(LinkType::ETHERNET, &[])).unwrap());
        for cut in 0..ethernet.len() {
            filter.matches(&frame(LinkType::ETHERNET, &ethernet[..cut])).unwrap();
        }
    }

    #[test]
    fn an_empty_expression_lets_everything_pass() {
        assert!(PacketFilter::new("").matches(&frame(LinkType::ETHERNET, &[0])).unwrap());
    }

    #[test]
    fn a_bad_expression_is_named_with_the_words_of_libpcap() {
        for bad in ["udp prot 1701", "udp\0port", "host \x1b[31m"] {
            let error = PacketFilter::new(bad).check(LinkType::ETHERNET).unwrap_err();
            assert!(matches!(error, CaptureError::Filter { .. }));
            assert!(!error.to_string().chars().any(crate::util::printable::is_dangerous), "{error}");
        }
        let error = PacketFilter::new("udp prot 1701").check(LinkType::ETHERNET).unwrap_err().to_string();
        assert!(error.starts_with("capture filter \"udp prot 1701\": "), "{error}");
    }

    #[test]
    fn a_link_type_without_ports_is_refused_not_a_panic() {
        assert!(PacketFilter::new("udp port 1701").check(LinkType(4711)).is_err());
    }
}
