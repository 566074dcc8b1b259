//! Arithmetic of sequence numbers that wrap (RFC 2661 section 5.8).

use std::fmt;

/// A 16-bit L2TP sequence number (Ns or Nr), counted modulo 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Seq16(pub u16);

impl Seq16 {
    /// The number that follows.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// How many steps lead from `earlier` to `self`, modulo 65536.
    pub fn steps_from(self, earlier: Self) -> u16 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Whether `self` is newer than `other`: RFC 2661 section 5.8 calls a number old if it is one of the last
    /// received and the 32767 before it.
    pub fn is_newer_than(self, other: Self) -> bool {
        other.steps_from(self) > 32767
    }
}

impl fmt::Display for Seq16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of RFC 2661 section 5.8: after 15, the values 0 to 15 and 32784 to 65535 are old.
    #[test]
    fn the_example_of_the_rfc() {
        let last = Seq16(15);
        for old in (0..=15).chain(32784..=65535) {
            assert!(!Seq16(old).is_newer_than(last), "{old}");
        }
        for new in 16..=32783 {
            assert!(Seq16(new).is_newer_than(last), "{new}");
        }
    }

    proptest! {
        #[test]
        fn steps_lead_there(a: u16, steps: u16) {
            let b = Seq16(a.wrapping_add(steps));
            prop_assert_eq!(b.steps_from(Seq16(a)), steps);
        }

        #[test]
        fn of_two_numbers_at_most_one_is_newer(a: u16, b: u16) {
            let (a, b) = (Seq16(a), Seq16(b));
            prop_assert!(!(a.is_newer_than(b) && b.is_newer_than(a)));
            prop_assert!(a.next().is_newer_than(a));
        }
    }
}
