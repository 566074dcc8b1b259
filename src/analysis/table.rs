//! Tables of control connections and of calls: what is in one keeps its place when others are let go, and places that
//! nothing is in take no room.

use std::collections::VecDeque;
use std::marker::PhantomData;

use super::{CallId, ConnectionId};

/// What names a place in a table.
pub trait Place: Copy {
    /// The place with this number, counted from 0.
    fn at(number: u32) -> Self;
    /// Its number.
    fn number(self) -> u32;
}

impl Place for ConnectionId {
    fn at(number: u32) -> Self {
        Self(number)
    }

    fn number(self) -> u32 {
        self.0
    }
}

impl Place for CallId {
    fn at(number: u32) -> Self {
        Self(number)
    }

    fn number(self) -> u32 {
        self.0
    }
}

/// A table with places that are named by `I`, in pages of `PAGE`: each goes when what is in the last place of it goes.
#[derive(Debug)]
pub struct Table<I, T, const PAGE: usize = 16> {
    pages: VecDeque<Option<Box<[Option<T>; PAGE]>>>,
    /// Pages before the first one: nothing comes there any more.
    passed: usize,
    opened: u32,
    live: usize,
    /// No page before this one has room.
    roomy: usize,
    places: PhantomData<I>,
}

impl<I, T, const PAGE: usize> Default for Table<I, T, PAGE> {
    fn default() -> Self {
        Self { pages: VecDeque::new(), passed: 0, opened: 0, live: 0, roomy: 0, places: PhantomData }
    }
}

impl<I: Place, T, const PAGE: usize> Table<I, T, PAGE> {
    /// How many are in it.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many places there ever were.
    pub fn opened(&self) -> u32 {
        self.opened
    }

    /// What is at a place.
    #[inline]
    pub fn get(&self, id: I) -> Option<&T> {
        let (page, place) = self.split(id)?;
        self.pages.get(page)?.as_ref()?.get(place)?.as_ref()
    }

    /// The same, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut T> {
        let (page, place) = self.split(id)?;
        self.pages.get_mut(page)?.as_mut()?.get_mut(place)?.as_mut()
    }

    /// All in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten().flat_map(|page| page.iter().flatten())
    }

    /// All with their places.
    pub fn places(&self) -> impl Iterator<Item = (I, &T)> {
        (self.passed.saturating_mul(PAGE)..self.opened as usize).filter_map(|number| {
            let id = I::at(u32::try_from(number).ok()?);
            Some((id, self.get(id)?))
        })
    }

    /// Adds one at a new place. `None` when there is none left.
    pub(crate) fn push(&mut self, value: T) -> Option<I> {
        let id = I::at(self.opened);
        self.opened = self.opened.checked_add(1)?;
        let page = self.split(id)?.0;
        if self.pages.len() <= page {
            self.pages.resize_with(page.saturating_add(1), || None);
        }
        self.put(id, value)?;
        Some(id)
    }

    /// Adds one at the first place that nothing is in any more, or else at a new one.
    pub(crate) fn fill(&mut self, value: T) -> Option<I> {
        let has_room = |page: &Option<Box<[Option<T>; PAGE]>>| match page {
            Some(page) => page.iter().any(Option::is_none),
            None => true,
        };
        while self.pages.get(self.roomy).is_some_and(|page| !has_room(page)) {
            self.roomy = self.roomy.saturating_add(1);
        }
        let page = self.pages.get(self.roomy).and_then(Option::as_ref);
        let place = page.map_or(Some(0), |page| page.iter().position(Option::is_none)).unwrap_or(0);
        let number = self.passed.saturating_add(self.roomy).saturating_mul(PAGE).saturating_add(place);
        let number = u32::try_from(number).ok()?;
        if number >= self.opened {
            return self.push(value);
        }
        self.put(I::at(number), value)?;
        Some(I::at(number))
    }

    /// Adds one at a place that was there before, instead of what is there.
    pub(crate) fn put(&mut self, id: I, value: T) -> Option<()> {
        let (page, place) = self.split(id)?;
        let page = self.pages.get_mut(page)?.get_or_insert_with(|| Box::new([const { None }; PAGE]));
        let before = page.get_mut(place)?.replace(value);
        self.live = self.live.saturating_add(usize::from(before.is_none()));
        Some(())
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, id: I) -> Option<T> {
        let (at, place) = self.split(id)?;
        let slot = self.pages.get_mut(at)?;
        let page = slot.as_mut()?;
        let taken = page.get_mut(place)?.take()?;
        self.live = self.live.saturating_sub(1);
        if page.iter().all(Option::is_none) {
            *slot = None;
        }
        self.roomy = self.roomy.min(at);
        Some(taken)
    }

    /// Copies all to new memory, next to each other: the few that are left of many lie far apart, and each of them holds
    /// memory of the allocator that is empty otherwise.
    pub(crate) fn gather(&mut self)
    where
        T: Clone,
    {
        for page in self.pages.iter_mut().flatten() {
            *page = page.clone();
        }
    }

    /// Gives up the places before the first that something is in: nothing [comes](Self::fill) there any more.
    pub(crate) fn pass(&mut self) {
        let opened = (self.opened as usize).checked_div(PAGE).unwrap_or(0);
        while self.passed < opened && matches!(self.pages.front(), Some(None)) {
            self.pages.pop_front();
            self.passed = self.passed.saturating_add(1);
            self.roomy = self.roomy.saturating_sub(1);
        }
        self.pages.shrink_to(self.pages.len().saturating_mul(2));
    }

    /// Page and place.
    #[inline]
    fn split(&self, id: I) -> Option<(usize, usize)> {
        let at = id.number() as usize;
        Some((at.checked_div(PAGE)?.checked_sub(self.passed)?, at.checked_rem(PAGE)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Numbers = Table<CallId, usize>;

    fn filled(count: usize) -> (Numbers, Vec<CallId>) {
        let mut table = Numbers::default();
        let ids = (0..count).map(|number| table.push(number).unwrap()).collect();
        (table, ids)
    }

    #[test]
    fn places_stay_and_are_not_given_again() {
        let (mut table, ids) = filled(40);
        for id in &ids[..33] {
            assert!(table.remove(*id).is_some());
            assert!(table.remove(*id).is_none());
        }
        table.pass();
        assert_eq!((table.len(), table.passed), (7, 2));
        assert_eq!((table.get(ids[32]), table.get(ids[0])), (None, None));
        assert_eq!(table.get(ids[33]), Some(&33));
        assert!(table.iter().copied().eq(33..40));
        assert_eq!(table.push(40), Some(CallId(40)));
        assert!(table.remove(ids[39]).is_some() && ids[33..39].iter().all(|id| table.remove(*id).is_some()));
        table.pass();
        assert_eq!(
            (table.push(41), table.passed),
            (Some(CallId(41)), 2),
            "the last page is not passed while it has room"
        );
        assert!(table.places().map(|(id, number)| (id.0 as usize, *number)).eq((40..42).map(|at| (at, at))));
    }

    #[test]
    fn a_place_is_used_again_by_who_says_so() {
        let (mut table, ids) = filled(20);
        assert_eq!(table.put(ids[3], 103), Some(()));
        assert!(ids[..16].iter().all(|id| table.remove(*id).is_some()));
        assert_eq!((table.len(), table.put(ids[5], 105)), (4, Some(())));
        assert_eq!((table.len(), table.get(ids[5]), table.get(ids[3])), (5, Some(&105), None));
        assert_eq!(table.put(CallId(400), 1), None, "no place that was ever given");
        let filled: Vec<u32> = (0..16).map(|number| table.fill(number).unwrap().0).collect();
        assert_eq!(filled, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20]);
    }

    #[test]
    fn a_page_that_nothing_is_in_takes_no_room() {
        let (mut table, ids) = filled(64);
        assert!(ids.iter().all(|id| table.remove(*id).is_some()));
        assert!(table.is_empty() && table.pages.iter().all(Option::is_none));
        table.pass();
        assert!(table.pages.is_empty());
    }

    proptest! {
        /// Against a map, whatever is added, removed and passed.
        #[test]
        fn is_what_a_map_is(steps in proptest::collection::vec((0u8..5, 0u32..80), 1..200)) {
            let (mut table, mut map) = (Numbers::default(), std::collections::BTreeMap::new());
            for (at, (step, number)) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => { map.insert(table.push(at).unwrap().0, at); }
                    2 => { map.insert(table.fill(at).unwrap().0, at); }
                    3 => prop_assert_eq!(table.remove(CallId(number)), map.remove(&number)),
                    _ => table.pass(),
                }
                prop_assert_eq!(table.len(), map.len());
                prop_assert!(table.iter().eq(map.values()));
                prop_assert_eq!(table.get(CallId(number)), map.get(&number));
            }
        }
    }
}
