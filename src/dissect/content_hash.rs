//! A hash by which the same octets are known again: resends of a message, which must not change (RFC 7296 section 2.1).

use std::hash::{BuildHasher, Hasher as _};

/// The same for the same octets within one run; another in another run, so that nobody can choose collisions.
pub(super) fn hash(octets: &[u8]) -> u64 {
    static STATE: std::sync::LazyLock<hashbrown::DefaultHashBuilder> =
        std::sync::LazyLock::new(Default::default);
    let mut hasher = STATE.build_hasher();
    hasher.write(octets);
    hasher.finish()
}
