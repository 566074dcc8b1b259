//! Capture on interfaces, through libpcap.
//!
//! [`Live`] lends frames as a [`CaptureFile`](super::CaptureFile) does, but comes back when there was none for a while.
//! Of several interfaces the frames are lent in the order of time: an interface that is silent may still hand over
//! older frames for a moment (the kernel passes them on in blocks), so frames of others wait for that long.

use std::os::fd::AsFd as _;
use std::time::{Duration, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Frame, LinkType};
use crate::util::{Printable, Timestamp};

mod device;
mod error;
mod filter;

use device::Device;
pub use error::LiveError;
pub use filter::DEFAULT_FILTER;

/// Interfaces that are captured on at once.
pub const MOST_DEVICES: usize = 64;

/// How long the kernel gathers frames of one interface before it hands them over. More gathers more at once.
const GATHERING: Duration = Duration::from_millis(100);
/// The same where several interfaces are to be put in order, or somebody watches each packet.
const GATHERING_SHORTLY: Duration = Duration::from_millis(10);
/// What was captured on a silent interface has surely come after so many times of that.
const SURELY: u32 = 4;
/// A frame so far in the future comes from a clock that was set back since; nothing waits for it.
const CLOCK_SET: i64 = 1_000_000_000;

/// What is to be captured, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Octets of each frame that are kept; `None`: all.
    pub snaplen: Option<u32>,
    /// Also frames for other stations.
    pub promiscuous: bool,
    /// The kernel's buffer for each interface in octets; `None`: [`DEFAULT_BUFFER`].
    pub buffer: Option<u32>,
    /// A filter of libpcap; `None`: [`DEFAULT_FILTER`].
    pub filter: Option<String>,
    /// Somebody watches: hand over frames sooner, at the price of more wake-ups.
    pub promptly: bool,
}

/// Octets of the kernel's buffer for each interface, if nothing else is asked for.
pub const DEFAULT_BUFFER: u32 = 16 << 20;
/// Octets of a frame that are kept at the most, which is libpcap's own limit.
pub const MOST_SNAPLEN: u32 = 262_144;

/// An interface that is captured on, and what it counted.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Its name.
    pub name: Printable,
    /// The type of its link-layer header.
    pub link: LinkType,
    /// Octets of each frame that are kept.
    pub snaplen: u32,
    /// Its times are in nanoseconds.
    pub nanoseconds: bool,
    /// What it counted.
    pub counts: Counts,
    /// Why nothing comes from it any more.
    pub gone: Option<Printable>,
}

/// What an interface counted since the capture began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that passed the filter.
    pub received: u64,
    /// Those that the kernel's buffer had no room for.
    pub dropped: u64,
    /// Those that the interface itself dropped.
    pub interface_dropped: u64,
}

/// What came of waiting for a frame.
#[derive(Debug)]
pub enum Next<'a> {
    /// A frame, valid until the next one is asked for.
    Frame(Frame<'a>),
    /// None in this time.
    Quiet,
    /// None will ever come: all interfaces are gone.
    Ended,
}

/// A running capture on one or several interfaces.
pub struct Live {
    devices: Vec<Device>,
    frames: u64,
    /// The device whose frame is lent.
    lent: Option<usize>,
}

impl Live {
    /// Opens interfaces by name; `any` is all of them at once (Linux).
    ///
    /// # Errors
    ///
    /// When there is none of that name, it is not up, the caller may not capture on it, or the filter is wrong.
    pub fn open(names: &[String], options: &Options) -> Result<Self, LiveError> {
        if names.len() > MOST_DEVICES {
            return Err(LiveError::TooMany);
        }
        let shortly = names.len() > 1 || options.promptly;
        let gathering = if shortly { GATHERING_SHORTLY } else { GATHERING };
        let devices = names.iter().map(|name| Device::open(name, options, gathering));
        Ok(Self { devices: devices.collect::<Result<_, _>>()?, frames: 0, lent: None })
    }

    /// The next frame, or that there was none in `patience`. Interrupted by a signal it comes back at once.
    pub fn next(&mut self, patience: Duration) -> Next<'_> {
        if let Some(device) = self.lent.take().and_then(|lent| self.devices.get_mut(lent)) {
            device.waiting = None;
        }
        let mut chosen = self.choose();
        if chosen.is_none() {
            if self.devices.iter().all(|device| device.interface.gone.is_some()) {
                return Next::Ended;
            }
            self.sleep(patience);
            chosen = self.choose();
        }
        let Some((at, device)) = chosen.and_then(|at| Some((at, self.devices.get(at)?))) else {
            return Next::Quiet;
        };
        let Some(head) = device.waiting else { return Next::Quiet };
        self.lent = Some(at);
        self.frames = self.frames.saturating_add(1);
        Next::Frame(Frame {
            number: self.frames,
            time: head.time,
            link: device.interface.link,
            interface: u32::try_from(at).unwrap_or(u32::MAX),
            data: &device.octets,
            original_len: head.original,
            offset: 0,
        })
    }

    /// The interfaces, with what they counted by now.
    pub fn interfaces(&mut self) -> Vec<Interface> {
        self.devices.iter_mut().map(Device::counted).collect()
    }

    /// Packets that the kernel or the interfaces dropped by now.
    pub fn drops(&mut self) -> u64 {
        let counts = self.interfaces().into_iter().map(|interface| interface.counts);
        counts.fold(0, |sum: u64, counts| {
            sum.saturating_add(counts.dropped).saturating_add(counts.interface_dropped)
        })
    }

    /// Files that are read while the capture runs: a process that locks itself in must leave them open.
    pub fn reads(&self) -> Vec<std::path::PathBuf> {
        self.devices.iter().filter_map(Device::statistics).collect()
    }

    /// The device with the earliest frame, unless a silent one may still come with an earlier.
    fn choose(&mut self) -> Option<usize> {
        for device in &mut self.devices {
            device.fetch();
        }
        let waiting = |(at, device): (usize, &Device)| Some((device.waiting?.time, at));
        let (time, at) = self.devices.iter().enumerate().filter_map(waiting).min()?;
        let settled = |device: &Device| device.waiting.is_some() || device.interface.gone.is_some();
        let late = |device: &Device| !settled(device) && !passed(device, time);
        if self.devices.iter().any(late) { None } else { Some(at) }
    }

    fn sleep(&self, patience: Duration) {
        // A frame that waits for others is looked at again soon.
        let waits = self.devices.iter().any(|device| device.waiting.is_some());
        let time = if waits { patience.min(GATHERING_SHORTLY) } else { patience };
        let open = self.devices.iter().filter(|device| device.interface.gone.is_none());
        let mut watched: Vec<PollFd<'_>> = open
            .filter(|device| device.waiting.is_none())
            .filter_map(|device| device.capture.as_ref())
            .map(|capture| PollFd::from_borrowed_fd(capture.as_fd(), PollFlags::IN))
            .collect();
        let time = Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        };
        // Whatever ends the wait, the devices are asked next.
        let _ = poll(&mut watched, Some(&time));
    }
}

/// Whether all that a silent device captured before `time` has come.
fn passed(device: &Device, time: Timestamp) -> bool {
    let Some(seen) = device.silent_at else { return false };
    let wait = i64::try_from(device.gathering.saturating_mul(SURELY).as_nanos()).unwrap_or(i64::MAX);
    let ahead = time.since(seen).0;
    ahead <= wait.saturating_neg() || ahead > CLOCK_SET
}

/// The clock that the kernel stamps frames with.
fn now() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)))
}

/// The interfaces of this machine: name, whether it is up, addresses, description; with tabs, for programs.
///
/// # Errors
///
/// When the system does not tell.
pub fn list() -> Result<Vec<[Printable; 4]>, LiveError> {
    let devices = pcap::Device::list().map_err(|error| LiveError::List(error::words(error)))?;
    let text = |text: &str| Printable::from_text(text);
    let row = |device: &pcap::Device| {
        let state = match device.flags {
            ref flags if !flags.is_up() => "down",
            ref flags if flags.is_loopback() => "up, loopback",
            _ => "up",
        };
        let addresses: Vec<String> =
            device.addresses.iter().map(|address| address.addr.to_string()).collect();
        let words = device.desc.as_deref().unwrap_or_default();
        [text(&device.name), text(state), text(&addresses.join(", ")), text(words)]
    };
    Ok(devices.iter().map(row).collect())
}
