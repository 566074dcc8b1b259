//! When a capture on interfaces ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

use crate::util::{Frame, Timestamp};

use super::args::Args;
use super::conditions::Conditions;
use super::exit::Failure;
use super::ring::Ring;

/// How long after the end frames may still come that were captured before it: the kernel hands them over in blocks.
const LAST_FRAMES: Duration = Duration::from_millis(300);
/// How a shell sees that a signal ended a command.
const KILLED_BY: i32 = 128;

/// When the capture ends.
pub(super) struct End {
    count: u64,
    conditions: Conditions,
    began: Instant,
    pub(super) frames: u64,
    signalled: Arc<AtomicBool>,
    /// A signal asked for a report.
    pub(super) asked: Arc<AtomicBool>,
    /// The end, once it has come.
    over: Option<Over>,
}

/// The end of a capture: until then the kernel may still hand over frames that were captured before it.
struct Over {
    at: Timestamp,
    until: Instant,
}

impl End {
    /// The first Ctrl-C or SIGTERM ends the capture; another one, whatever goes on then, ends the process at once.
    pub(super) fn new(args: &Args) -> Result<Self, Failure> {
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, KILLED_BY + signal, Arc::clone(&signalled))
                .and_then(|_| flag::register(signal, Arc::clone(&signalled)))
                .map_err(|error| Failure::new("cannot wait for signals").cause(error))?;
        }
        let asked = Arc::new(AtomicBool::new(false));
        flag::register(SIGUSR1, Arc::clone(&asked))
            .map_err(|error| Failure::new("cannot wait for signals").cause(error))?;
        Ok(Self {
            count: args.count.unwrap_or(u64::MAX),
            conditions: Conditions::new("-a", &args.autostop)?,
            began: Instant::now(),
            frames: 0,
            signalled,
            asked,
            over: None,
        })
    }

    /// Whether no frame is to be taken any more.
    pub(super) fn reached(&mut self, ring: Option<&Ring>) -> bool {
        let (files, octets) = ring.map_or((0, 0), Ring::sizes);
        if self.frames >= self.count || self.conditions.reached(Duration::ZERO, octets, self.frames) {
            return true;
        }
        // The last file of the ring is complete when the next one has been begun.
        if self.conditions.files.is_some_and(|most| files > most) {
            return true;
        }
        if self.over.is_some() {
            return false;
        }
        let late = || self.conditions.duration.is_some_and(|most| self.began.elapsed() >= most);
        if self.signalled.load(Ordering::Relaxed) || late() {
            let at = Timestamp::now();
            self.over = Some(Over { at, until: Instant::now() + LAST_FRAMES });
        }
        false
    }

    /// Ends the capture if the terminal that it was started from is gone.
    pub(super) fn hang_up(&self, gone: bool) {
        self.signalled.fetch_or(gone, Ordering::Relaxed);
    }

    /// Whether the capture is over, and all that was captured before has had time to come.
    pub(super) fn is_past_waiting(&self) -> bool {
        self.over.as_ref().is_some_and(|over| Instant::now() >= over.until)
    }

    /// Whether the capture was over when this frame came.
    pub(super) fn is_past(&self, frame: &Frame<'_>) -> bool {
        self.over.as_ref().is_some_and(|over| frame.time > over.at)
    }
}
