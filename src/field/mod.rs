//! One description of each field: what it is called, what it holds, where it is defined.
//!
//! A dissector reads through a [`Cursor`], and each read names its [`FieldDef`]. The cursor checks the bound and hands
//! definition, byte range and value to a [`Sink`]. Parsing is describing: the value that is judged and the value that
//! is shown cannot differ. With the sink [`Nothing`] the description compiles away.

mod cursor;
mod sink;

pub use cursor::{Bound, Cursor, Short};
pub use sink::{Node, Nothing, Sink, Tree, Wanted};

/// The definition of one field.
#[derive(Debug)]
pub struct FieldDef {
    /// Its name in filters and in `-e`: tshark's where tshark has the field.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The names of its values, if they have names.
    pub names: Option<Names>,
    /// Where it is defined, such as `RFC 2661 3.1`.
    pub section: &'static str,
}

/// From a number on the wire to its name.
pub type Names = fn(u64) -> Option<&'static str>;

/// What a field holds, and so how it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An unsigned number of so many bits, shown in decimal.
    Dec(u8),
    /// An unsigned number of so many bits, shown in hexadecimal.
    Hex(u8),
    /// One bit.
    Flag,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IEEE 802 address.
    Mac,
    /// Octets.
    Bytes,
    /// Text, made printable before it is shown.
    Text,
    /// Octets that outputs mask unless the user asks: a password, or what proves one.
    Secret,
    /// A heading with fields below it.
    Group,
    /// A protocol: the heading of all it reads.
    Protocol,
    /// Nanoseconds (as `i64`), shown in seconds.
    Time,
    /// Nanoseconds since 1970 (as `i64`), shown as date and time of day.
    Moment,
    /// The names of all protocols of the frame.
    Protocols,
}

/// A value as it was read. Octets are found through the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A number or a flag.
    Number(u64),
    /// The octets of the range.
    Octets,
    /// A number that stands nowhere in the packet: computed, or known from elsewhere. Shown in brackets.
    Derived(u64),
}

/// Octets `start..end` of one byte source of a frame: 0 is the frame, others are decrypted or reassembled buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// Which byte source.
    pub source: u8,
    /// The first octet.
    pub start: u32,
    /// One past the last octet.
    pub end: u32,
}

impl Range {
    /// How many octets.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether there is no octet.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// Declares the fields of one protocol and their list `FIELDS`.
///
/// ```text
/// fields! {
///     section "RFC 2661 3.1";
///     TUNNEL = "l2tp.tunnel", "Tunnel ID", Kind::Dec(16);
///     TYPE = "l2tp.avp.message_type", "Message Type", Kind::Dec(16), names message_name, section "RFC 2661 4.4.1";
/// }
/// ```
#[macro_export]
macro_rules! fields {
    (section $section:literal;
     $($id:ident = $name:literal, $label:literal, $kind:expr $(, names $names:path)? $(, section $own:literal)?;)*) => {
        $(pub(crate) static $id: $crate::field::FieldDef = $crate::field::FieldDef {
            name: $name,
            label: $label,
            kind: $kind,
            names: $crate::fields!(@names $($names)?),
            section: $crate::fields!(@section $section $(, $own)?),
        };)*
        /// Every field of this protocol.
        pub static FIELDS: &[&$crate::field::FieldDef] = &[$(&$id),*];
    };
    (@names) => { None };
    (@names $names:path) => { Some($names) };
    (@section $section:literal) => { $section };
    (@section $section:literal, $own:literal) => { $own };
}
