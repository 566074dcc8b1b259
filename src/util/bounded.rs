//! A map that stays under a limit and counts what it had to refuse.

use std::hash::Hash;

use hashbrown::HashMap;

/// A hash map with an upper bound on its entries.
///
/// An entry past the bound is refused, and counted; what was there before is kept.
#[derive(Debug, Clone)]
pub struct BoundedMap<K, V> {
    map: HashMap<K, V>,
    limit: usize,
    refused: u64,
}

impl<K: Eq + Hash, V> BoundedMap<K, V> {
    /// A map of at most `limit` entries.
    pub fn new(limit: usize) -> Self {
        Self { map: HashMap::new(), limit, refused: 0 }
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    /// The value of `key`, to change.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    /// The value of `key`, made by `make` if there is none; `None` if the map is full.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> Option<&mut V> {
        if self.map.len() >= self.limit && !self.map.contains_key(&key) {
            self.refused = self.refused.saturating_add(1);
            return None;
        }
        Some(self.map.entry(key).or_insert_with(make))
    }

    /// Sets the value of `key`; says whether there was room.
    pub fn insert(&mut self, key: K, value: V) -> bool {
        if self.map.len() >= self.limit && !self.map.contains_key(&key) {
            self.refused = self.refused.saturating_add(1);
            return false;
        }
        self.map.insert(key, value);
        true
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.map.remove(key)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many entries were refused because the map was full.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_past_the_limit_and_counts() {
        let mut map = BoundedMap::new(2);
        assert!(map.insert(1, 'a'));
        assert!(map.insert(2, 'b'));
        assert!(!map.insert(3, 'c'));
        assert!(map.get_or_insert_with(4, || 'd').is_none());
        assert!(map.insert(2, 'e'));
        assert_eq!((map.len(), map.refused(), map.get(&2)), (2, 2, Some(&'e')));
    }
}
