//! Bytes that must not be seen.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Key material: overwritten when dropped, never printed, readable only within [`crate::ipsec`].
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes over `bytes`. The vector should have been made with its final capacity: what it left behind when
    /// it grew is not overwritten.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// How many octets there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no octets.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The octets themselves.
    pub(super) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether two secrets are the same, in a time that depends on their length only.
    pub fn same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_length_only() {
        assert_eq!(format!("{:?}", Secret::new(vec![0x42; 16])), "Secret(16 bytes)");
    }

    #[test]
    fn sameness() {
        let secret = Secret::new(vec![1, 2]);
        assert!(secret.same(&Secret::new(vec![1, 2])));
        assert!(!secret.same(&Secret::new(vec![1, 3])));
        assert!(!secret.same(&Secret::new(vec![1])));
    }
}
