//! What a capture of hours needs beside letting go: the allocator is to give the memory back.

use std::time::{Duration, Instant};

/// Has the system give small pages only. One octet that stays would keep 2 MiB of a huge one.
pub(super) fn small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// How long after the last letting go its memory is given back: there may be more.
const PATIENCE: Duration = Duration::from_secs(3);

/// Gives back what was freed.
#[derive(Debug, Default)]
pub(super) struct Freed {
    last: Option<Instant>,
}

impl Freed {
    /// Much was freed just now.
    pub(super) fn note(&mut self) {
        self.last = Some(Instant::now());
    }

    /// To be called now and then.
    pub(super) fn tick(&mut self) {
        if self.last.is_some_and(|last| last.elapsed() > PATIENCE) {
            self.last = None;
            give_back();
        }
    }
}

/// Has the allocator give back all that nobody uses. It does so by itself before it refuses what there cannot be, and
/// otherwise only now and then while it is busy: a capture that has become quiet would keep the memory of a flood.
fn give_back() {
    let refused = Vec::<u8>::new().try_reserve_exact(isize::MAX.unsigned_abs());
    debug_assert!(refused.is_err(), "more than any address space has");
}
