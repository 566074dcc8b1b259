//! One interface.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pcap::{Active, Capture, Precision};

use super::error::{self, LiveError};
use super::{Counts, DEFAULT_BUFFER, Interface, MOST_SNAPLEN, Options, filter, now};
use crate::util::{LinkType, Printable, Timestamp};

/// The one name that stands for all interfaces.
const ANY: &str = "any";

/// An open interface and its next frame.
pub(super) struct Device {
    pub(super) interface: Interface,
    /// `None` when it is gone.
    pub(super) capture: Option<Capture<Active>>,
    pub(super) gathering: Duration,
    /// The frame that comes next; its octets stand beside it.
    pub(super) waiting: Option<Head>,
    pub(super) octets: Vec<u8>,
    /// When it had no frame for the last time.
    pub(super) silent_at: Option<Timestamp>,
    /// The counters of libpcap, which have 32 bits, as they were seen last.
    last: [u32; 3],
    system_name: String,
}

/// What is known of a frame besides its octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) time: Timestamp,
    pub(super) original: u32,
}

impl Device {
    pub(super) fn open(name: &str, options: &Options, gathering: Duration) -> Result<Self, LiveError> {
        let snaplen = options.snaplen.map_or(MOST_SNAPLEN, |octets| octets.clamp(1, MOST_SNAPLEN));
        let nanoseconds = has_nanoseconds(name);
        let open = |promiscuous: bool| {
            let capture = Capture::from_device(name)?
                .promisc(promiscuous)
                .snaplen(i32::try_from(snaplen).unwrap_or(i32::MAX))
                .buffer_size(i32::try_from(options.buffer.unwrap_or(DEFAULT_BUFFER)).unwrap_or(i32::MAX))
                .timeout(i32::try_from(gathering.as_millis()).unwrap_or(i32::MAX));
            let capture = if nanoseconds { capture.precision(Precision::Nano) } else { capture };
            capture.open()
        };
        // All interfaces at once cannot be promiscuous, and some single ones cannot either.
        let promiscuous = options.promiscuous && name != ANY;
        let opened = open(promiscuous).or_else(|error| if promiscuous { open(false) } else { Err(error) });
        let mut capture = opened.map_err(|error| error::opening(name, error))?;
        let link = LinkType(u32::try_from(capture.get_datalink().0).unwrap_or(u32::MAX));
        filter::apply(&mut capture, options.filter.as_deref())?;
        let capture = capture.setnonblock().map_err(|error| error::opening(name, error))?;
        let interface = Interface {
            name: Printable::from_text(name),
            link: in_files(link),
            snaplen,
            nanoseconds,
            counts: Counts::default(),
            gone: None,
        };
        Ok(Self {
            interface,
            capture: Some(capture),
            gathering,
            waiting: None,
            octets: Vec::new(),
            silent_at: None,
            last: [0; 3],
            system_name: name.to_owned(),
        })
    }

    /// Takes the next frame, if none waits and there is one.
    pub(super) fn fetch(&mut self) {
        if self.waiting.is_some() {
            return;
        }
        let Some(capture) = &mut self.capture else { return };
        match capture.next_packet() {
            Ok(packet) => {
                self.octets.clear();
                self.octets.extend_from_slice(packet.data);
                let time = time(packet.header, self.interface.nanoseconds);
                self.waiting = Some(Head { time, original: packet.header.len });
            }
            Err(pcap::Error::TimeoutExpired) => self.silent_at = now(),
            Err(error) => {
                self.count();
                self.capture = None;
                self.interface.gone = Some(error::words(error));
            }
        }
    }

    pub(super) fn counted(&mut self) -> Interface {
        self.count();
        self.interface.clone()
    }

    fn count(&mut self) {
        let Some(Ok(now)) = self.capture.as_mut().map(Capture::stats) else { return };
        let now = [now.received, now.dropped, now.if_dropped];
        let counts = &mut self.interface.counts;
        let sums = [&mut counts.received, &mut counts.dropped, &mut counts.interface_dropped];
        for ((sum, now), last) in sums.into_iter().zip(now).zip(self.last) {
            *sum = sum.saturating_add(u64::from(now.wrapping_sub(last)));
        }
        self.last = now;
    }

    /// Where Linux tells what the interface dropped; libpcap reads it.
    pub(super) fn statistics(&self) -> Option<PathBuf> {
        Path::new("/sys/class/net").join(&self.system_name).join("statistics").canonicalize().ok()
    }
}

#[allow(clippy::useless_conversion, reason = "the widths differ from system to system")]
fn time(header: &pcap::PacketHeader, nanoseconds: bool) -> Timestamp {
    let (seconds, fraction) = (i64::from(header.ts.tv_sec), i64::from(header.ts.tv_usec));
    let unit = if nanoseconds { 1 } else { 1_000 };
    Timestamp(seconds.saturating_mul(1_000_000_000).saturating_add(fraction.saturating_mul(unit)))
}

/// Whether libpcap takes times of this interface in nanoseconds: on Linux, those that are network interfaces and not
/// some other thing that libpcap captures on.
fn has_nanoseconds(name: &str) -> bool {
    let network = || Path::new("/sys/class/net").join(name).exists();
    cfg!(target_os = "linux") && (name == ANY || network())
}

/// The number that files have for this link type: libpcap's own numbers of raw IP differ from system to system.
fn in_files(link: LinkType) -> LinkType {
    match link {
        LinkType::RAW_12 | LinkType::RAW_14 => LinkType::RAW,
        other => other,
    }
}
