//! The bounded reader that names what it reads.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{FieldDef, Range, Sink, Value};

/// What set the end of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The captured bytes.
    Capture,
    /// A decrypted or reassembled buffer.
    Buffer,
    /// The length that the named header gives.
    Header(&'static str),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture => f.write_str("the captured bytes"),
            Self::Buffer => f.write_str("the decrypted bytes"),
            Self::Header(name) => f.write_str(name),
        }
    }
}

/// A read that did not fit.
#[derive(Debug, Clone, Copy)]
pub struct Short {
    /// What should have been read.
    pub field: &'static FieldDef,
    /// How many octets it needs.
    pub needed: u32,
    /// How many octets there were.
    pub available: u32,
    /// Where it should have begun.
    pub offset: u32,
    /// In which byte source.
    pub source: u8,
    /// What set the end.
    pub bound: Bound,
    /// What a header promised is not there: the capture cut the packet, or that header lies.
    pub cut: bool,
}

/// A reader over octets of one byte source that cannot leave them, and tells its sink what it reads.
#[derive(Debug)]
pub struct Cursor<'a, 's, S: Sink> {
    bytes: &'a [u8],
    at: usize,
    base: u32,
    source: u8,
    bound: Bound,
    cut: bool,
    grouped: bool,
    sink: &'s mut S,
}

impl<'a, 's, S: Sink> Cursor<'a, 's, S> {
    /// A cursor over `bytes`, which are `base..` of byte source `source`; `cut` says that their end is not there.
    pub fn new(bytes: &'a [u8], source: u8, base: u32, bound: Bound, cut: bool, sink: &'s mut S) -> Self {
        Self { bytes, at: 0, base, source, bound, cut, grouped: false, sink }
    }

    /// How many octets are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Whether the end of what this cursor should cover is not there: the capture cut it, or a length lies.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// How many octets were read or skipped.
    pub fn consumed(&self) -> usize {
        self.at
    }

    /// The octets that are left, not described and not consumed.
    pub fn peek_rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The octet `ahead` octets from here, not described and not consumed.
    pub fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at.saturating_add(ahead)).copied()
    }

    /// Two octets from here in network order, not described and not consumed.
    pub fn peek_u16(&self) -> Option<u16> {
        Some(u16::from_be_bytes([self.peek(0)?, self.peek(1)?]))
    }

    /// The range of the last `back` octets.
    pub fn last(&self, back: usize) -> Range {
        Range {
            source: self.source,
            start: self.absolute(self.at.saturating_sub(back)),
            end: self.absolute(self.at),
        }
    }

    /// The range of the octets that are left.
    pub fn rest_range(&self) -> Range {
        Range { source: self.source, start: self.absolute(self.at), end: self.absolute(self.bytes.len()) }
    }

    fn absolute(&self, at: usize) -> u32 {
        self.base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The fault of a read of `field` that needs `needed` octets.
    pub fn short(&self, field: &'static FieldDef, needed: usize) -> Short {
        Short {
            field,
            needed: u32::try_from(needed).unwrap_or(u32::MAX),
            available: u32::try_from(self.remaining()).unwrap_or(u32::MAX),
            offset: self.absolute(self.at),
            source: self.source,
            bound: self.bound,
            cut: self.cut,
        }
    }

    /// The fault of a Length field that promises `needed` more octets, of which the capture cut none.
    pub fn overrun(&self, field: &'static FieldDef, needed: usize) -> Option<Short> {
        (!self.cut && needed > self.remaining()).then(|| self.short(field, needed))
    }

    /// The fault of a field whose value breaks its own format: `needed` is the least it may be, `found` what it is.
    pub fn invalid(&self, field: &'static FieldDef, needed: u32, found: u32) -> Short {
        Short {
            needed,
            available: found,
            bound: Bound::Header("its own value"),
            cut: false,
            ..self.short(field, 0)
        }
    }

    #[inline(always)]
    fn take(&mut self, field: &'static FieldDef, len: usize) -> Result<&'a [u8], Short> {
        let end = self.at.checked_add(len);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(taken) => {
                self.at = self.at.saturating_add(len);
                Ok(taken)
            }
            None => Err(self.short(field, len)),
        }
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self, field: &'static FieldDef) -> Result<[u8; N], Short> {
        let taken = self.take(field, N)?;
        taken.first_chunk().copied().ok_or_else(|| self.short(field, N))
    }

    #[inline(always)]
    fn tell(&mut self, field: &'static FieldDef, len: usize, value: Value) {
        let range = self.last(len);
        self.sink.field(field, range, value);
    }

    /// Reads an octet.
    #[inline(always)]
    pub fn u8(&mut self, field: &'static FieldDef) -> Result<u8, Short> {
        let [value] = self.array(field)?;
        self.tell(field, 1, Value::Number(value.into()));
        Ok(value)
    }

    /// Reads two octets in network order.
    #[inline(always)]
    pub fn u16(&mut self, field: &'static FieldDef) -> Result<u16, Short> {
        let value = u16::from_be_bytes(self.array(field)?);
        self.tell(field, 2, Value::Number(value.into()));
        Ok(value)
    }

    /// Reads an octet whose parts the caller describes with [`Cursor::part`].
    #[inline(always)]
    pub fn bits8(&mut self, field: &'static FieldDef) -> Result<u8, Short> {
        let [value] = self.array(field)?;
        Ok(value)
    }

    /// Reads two octets in network order whose parts the caller describes with [`Cursor::part`].
    #[inline(always)]
    pub fn bits16(&mut self, field: &'static FieldDef) -> Result<u16, Short> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// Reads four octets in network order.
    #[inline(always)]
    pub fn u32(&mut self, field: &'static FieldDef) -> Result<u32, Short> {
        let value = u32::from_be_bytes(self.array(field)?);
        self.tell(field, 4, Value::Number(value.into()));
        Ok(value)
    }

    /// Reads eight octets in network order.
    #[inline(always)]
    pub fn u64(&mut self, field: &'static FieldDef) -> Result<u64, Short> {
        let value = u64::from_be_bytes(self.array(field)?);
        self.tell(field, 8, Value::Number(value));
        Ok(value)
    }

    /// Reads an IPv4 address.
    #[inline(always)]
    pub fn ipv4(&mut self, field: &'static FieldDef) -> Result<Ipv4Addr, Short> {
        let octets: [u8; 4] = self.array(field)?;
        self.tell(field, 4, Value::Octets);
        Ok(octets.into())
    }

    /// Reads an IPv6 address.
    #[inline(always)]
    pub fn ipv6(&mut self, field: &'static FieldDef) -> Result<Ipv6Addr, Short> {
        let octets: [u8; 16] = self.array(field)?;
        self.tell(field, 16, Value::Octets);
        Ok(octets.into())
    }

    /// Reads `len` octets.
    #[inline(always)]
    pub fn octets(&mut self, field: &'static FieldDef, len: usize) -> Result<&'a [u8], Short> {
        let taken = self.take(field, len)?;
        self.tell(field, len, Value::Octets);
        Ok(taken)
    }

    /// Reads all that is left.
    #[inline(always)]
    pub fn rest(&mut self, field: &'static FieldDef) -> &'a [u8] {
        let taken = self.peek_rest();
        self.at = self.bytes.len();
        self.tell(field, taken.len(), Value::Octets);
        taken
    }

    /// A cursor over the octets that are left, which stay unread here and of which the sink is not told.
    pub fn unheard<'n>(
        &self,
        bound: Bound,
        nobody: &'n mut super::Nothing,
    ) -> Cursor<'a, 'n, super::Nothing> {
        Cursor::new(self.peek_rest(), self.source, self.absolute(self.at), bound, false, nobody)
    }

    /// Describes a part (such as some bits) of the last `back` octets, whose value is `value`.
    #[inline(always)]
    pub fn part(&mut self, field: &'static FieldDef, back: usize, value: u64) {
        self.tell(field, back, Value::Number(value));
    }

    /// Describes a part of `len` octets that began `back` octets ago, where bits do not fill all that was read.
    #[inline(always)]
    pub fn part_of(&mut self, field: &'static FieldDef, back: usize, len: usize, value: u64) {
        let start = self.absolute(self.at.saturating_sub(back));
        let end = self.absolute(self.at.saturating_sub(back).saturating_add(len));
        self.sink.field(field, Range { source: self.source, start, end }, Value::Number(value));
    }

    /// Describes octets `range` of the buffer that was made of what this cursor reads.
    #[inline(always)]
    pub fn made(&mut self, field: &'static FieldDef, range: std::ops::Range<usize>, value: Value) {
        let octets = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let source = self.source.saturating_add(1);
        self.sink.field(field, Range { source, start: octets(range.start), end: octets(range.end) }, value);
    }

    /// A cursor over `octets`, which begin at `base` of the buffer that was made of what this cursor reads.
    pub fn over<'b, 'c>(&'c mut self, octets: &'b [u8], base: usize, bound: Bound) -> Cursor<'b, 'c, S> {
        let base = u32::try_from(base).unwrap_or(u32::MAX);
        Cursor::new(octets, self.source.saturating_add(1), base, bound, false, self.sink)
    }

    /// The range of octets `range` of what this cursor covers.
    pub fn range(&self, range: std::ops::Range<usize>) -> Range {
        Range { source: self.source, start: self.absolute(range.start), end: self.absolute(range.end) }
    }

    /// Describes octets that were read before.
    #[inline(always)]
    pub fn describe(&mut self, field: &'static FieldDef, range: Range, value: Value) {
        self.sink.field(field, range, value);
    }

    /// Describes a value that stands nowhere in the packet, here.
    #[inline(always)]
    pub fn derived(&mut self, field: &'static FieldDef, value: u64) {
        self.tell(field, 0, Value::Derived(value));
    }

    /// Says what the heading that is open is about.
    #[inline(always)]
    pub fn title(&mut self, text: &'static str) {
        self.sink.title(text);
    }

    /// A cursor over the next `len` octets, which this one passes over.
    #[inline(always)]
    pub fn sub<'c>(
        &'c mut self,
        field: &'static FieldDef,
        len: usize,
        bound: Bound,
    ) -> Result<Cursor<'a, 'c, S>, Short> {
        let base = self.absolute(self.at);
        let bytes = self.take(field, len)?;
        Ok(Cursor {
            bytes,
            at: 0,
            base,
            source: self.source,
            bound,
            cut: false,
            grouped: false,
            sink: self.sink,
        })
    }

    /// A cursor over the next `len` octets under a heading.
    #[inline(always)]
    pub fn group<'c>(
        &'c mut self,
        field: &'static FieldDef,
        len: usize,
        bound: Bound,
    ) -> Result<Cursor<'a, 'c, S>, Short> {
        let mut sub = self.sub(field, len, bound)?;
        sub.grouped = true;
        let range = sub.rest_range();
        sub.sink.enter(field, range);
        Ok(sub)
    }

    /// Ends this cursor `len` octets from here. If it ends before that, the rest is not there: the cursor is cut, and
    /// the answer is `true`.
    #[inline(always)]
    pub fn limit(&mut self, len: usize, bound: Bound) -> bool {
        let end = self.at.saturating_add(len);
        match self.bytes.get(..end) {
            Some(bytes) => {
                self.bytes = bytes;
                self.bound = bound;
                self.cut = false;
                false
            }
            None => {
                self.cut = true;
                true
            }
        }
    }
}

impl<S: Sink> Drop for Cursor<'_, '_, S> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.grouped {
            self.sink.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Kind, Nothing, Tree};

    crate::fields! {
        section "test";
        NUMBER = "t.number", "Number", Kind::Dec(16);
        BOX = "t.box", "Box", Kind::Group;
        REST = "t.rest", "Rest", Kind::Bytes;
    }

    #[test]
    fn reads_describe_what_they_read() -> Result<(), Short> {
        assert_eq!(FIELDS.len(), 3);
        let mut tree = Tree::default();
        let mut c = Cursor::new(&[0, 7, 1, 2, 3, 4], 0, 100, Bound::Capture, false, &mut tree);
        assert_eq!(c.u16(&NUMBER)?, 7);
        {
            let mut inner = c.group(&BOX, 3, Bound::Header("the box length"))?;
            assert_eq!(inner.u16(&NUMBER)?, 0x0102);
            let fault = inner.u16(&NUMBER).unwrap_err();
            assert_eq!((fault.needed, fault.available, fault.offset), (2, 1, 104));
        }
        assert_eq!(c.rest(&REST), &[4]);
        drop(c);
        let seen: Vec<_> =
            tree.nodes().iter().map(|n| (n.field.name, n.depth, n.range.start, n.range.end)).collect();
        assert_eq!(
            seen,
            [
                ("t.number", 0, 100, 102),
                ("t.box", 0, 102, 105),
                ("t.number", 1, 102, 104),
                ("t.rest", 0, 105, 106)
            ]
        );
        Ok(())
    }

    #[test]
    fn a_sub_cursor_cannot_leave_its_parent() {
        let mut nothing = Nothing;
        let mut c = Cursor::new(&[1, 2, 3], 0, 0, Bound::Capture, true, &mut nothing);
        let fault = c.sub(&BOX, 4, Bound::Buffer).unwrap_err();
        assert!(fault.cut && fault.needed == 4 && fault.available == 3);
        c.limit(4, Bound::Buffer);
        assert!(c.is_cut());
        c.limit(2, Bound::Buffer);
        assert_eq!((c.remaining(), c.is_cut()), (2, false));
    }
}
