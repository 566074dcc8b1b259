//! A window on the bytes of a file that moves forward and only grows when a record does not fit.

use std::io::{self, Read};

use super::Damage;
use super::decompress::Corrupt;
use super::record::fatal;

/// The size of the window at the start, in bytes: 1 MiB.
const WINDOW: usize = 1 << 20;

/// The bytes of a source, the next ones first.
pub(super) struct Input {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The unread bytes are those from `start` to `end`.
    start: usize,
    end: usize,
    /// Where `start` is in the source.
    offset: u64,
    ended: bool,
    /// Why the source ended before its end.
    corrupt: Option<Corrupt>,
}

impl Input {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, buffer: vec![0; WINDOW], start: 0, end: 0, offset: 0, ended: false, corrupt: None }
    }

    /// Sees to it that `needed` bytes are there, and says how many there are: fewer only at the end.
    ///
    /// The window grows to `needed`: the caller has checked it against a limit. What the system reports is an error;
    /// damaged compressed data end the source, and [`Input::cut`] has the reason.
    #[inline]
    pub(super) fn fill(&mut self, needed: usize) -> io::Result<usize> {
        let available = self.end.saturating_sub(self.start);
        if available >= needed || self.ended { Ok(available) } else { self.refill(needed) }
    }

    #[cold]
    fn refill(&mut self, needed: usize) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        if self.buffer.len() < needed {
            self.buffer.reserve_exact(needed.saturating_sub(self.buffer.len()));
            self.buffer.resize(needed, 0);
        }
        while self.end < needed && !self.ended {
            let space = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(space) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end = self.end.saturating_add(read).min(self.buffer.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.corrupt = Some(error.downcast::<Corrupt>()?);
                }
            }
        }
        Ok(self.end)
    }

    /// The bytes that are there.
    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the next byte is in the source.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes past `count` bytes of those that are there.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        let count = count.min(self.end.saturating_sub(self.start));
        self.start = self.start.saturating_add(count);
        self.offset = self.offset.saturating_add(count as u64);
    }

    /// Goes past `count` bytes without keeping them, and says how many there were.
    pub(super) fn skip(&mut self, count: usize) -> io::Result<usize> {
        let mut left = count;
        while left > 0 {
            let here = self.fill(left.min(WINDOW))?.min(left);
            if here == 0 {
                break;
            }
            self.advance(here);
            left = left.saturating_sub(here);
        }
        Ok(count.saturating_sub(left))
    }

    /// Why the data ended early, if the reason is the compression.
    pub(super) fn corrupt(&self) -> Option<&Corrupt> {
        self.corrupt.as_ref()
    }

    /// The damage of something at `offset` that needs `needed` bytes and has `available`.
    pub(super) fn cut(&self, offset: u64, thing: &str, needed: usize, available: usize) -> Damage {
        match &self.corrupt {
            Some(corrupt) => fatal(offset, format!("{corrupt}, in the middle of {thing}")),
            None => {
                fatal(offset, format!("{thing} is cut short: {needed} bytes needed, {available} available"))
            }
        }
    }

    /// The damage of data that end at a place where they may end, if the compression is the reason.
    pub(super) fn ended_early(&self) -> Option<Damage> {
        self.corrupt.as_ref().map(|corrupt| fatal(self.offset, corrupt.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, with interruptions.
    struct Trickle(u8, bool);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.0 == 100 {
                return Ok(0);
            }
            buffer[0] = self.0;
            self.0 += 1;
            Ok(1)
        }
    }

    #[test]
    fn a_slow_source_is_waited_for_and_its_end_is_seen() {
        let mut input = Input::new(Box::new(Trickle(0, false)));
        assert_eq!(input.fill(3).unwrap(), 3);
        assert_eq!(input.data(), [0, 1, 2]);
        input.advance(2);
        assert_eq!((input.fill(2).unwrap(), input.offset()), (2, 2));
        assert_eq!(input.skip(90).unwrap(), 90);
        assert_eq!(input.fill(50).unwrap(), 8);
        assert_eq!(input.data().last(), Some(&99));
        assert_eq!(input.skip(50).unwrap(), 8);
        assert_eq!((input.fill(1).unwrap(), input.offset()), (0, 100));
    }

    #[test]
    fn the_window_grows_for_one_record_and_not_for_skipping() {
        let mut input = Input::new(Box::new(io::repeat(7)));
        assert_eq!(input.skip(10 * WINDOW + 1).unwrap(), 10 * WINDOW + 1);
        assert_eq!(input.buffer.len(), WINDOW);
        assert!(input.fill(WINDOW + 5).unwrap() >= WINDOW + 5);
        assert_eq!(input.buffer.len(), WINDOW + 5);
    }

    #[test]
    fn an_error_of_the_system_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let mut input = Input::new(Box::new(Broken));
        assert_eq!(input.fill(1).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(input.fill(1).unwrap(), 0);
    }
}
