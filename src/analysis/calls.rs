//! The calls of all control connections: each keeps its number when others are let go.

use super::CallId;
use super::call::Call;

/// Calls of one page: it goes when the last of them goes.
const PAGE: usize = 16;

type Page = Box<[Option<Call>; PAGE]>;

/// A table of calls, in the order in which they came.
#[derive(Debug, Default)]
pub struct Calls {
    pages: Vec<Option<Page>>,
    opened: u32,
    live: usize,
}

impl Calls {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// How many there ever were.
    pub fn opened(&self) -> u32 {
        self.opened
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// A call.
    #[inline]
    pub fn get(&self, id: CallId) -> Option<&Call> {
        let (page, place) = split(id);
        self.pages.get(page)?.as_ref()?.get(place)?.as_ref()
    }

    /// A call, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        let (page, place) = split(id);
        self.pages.get_mut(page)?.as_mut()?.get_mut(place)?.as_mut()
    }

    /// All calls in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Call> {
        self.pages.iter().flatten().flat_map(|page| page.iter().flatten())
    }

    /// All calls, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.pages.iter_mut().flatten().flat_map(|page| page.iter_mut().flatten())
    }

    /// Adds a call. `None` when every number was given.
    pub(crate) fn push(&mut self, call: Call) -> Option<CallId> {
        let id = CallId(self.opened);
        let (page, place) = split(id);
        self.opened = self.opened.checked_add(1)?;
        if self.pages.len() <= page {
            self.pages.resize_with(page.saturating_add(1), || None);
        }
        let page = self.pages.get_mut(page)?.get_or_insert_with(|| Box::new([const { None }; PAGE]));
        *page.get_mut(place)? = Some(call);
        self.live = self.live.saturating_add(1);
        Some(id)
    }

    /// Lets go of a call. Its number is not given again.
    pub(crate) fn remove(&mut self, id: CallId) {
        let (at, place) = split(id);
        let Some(slot) = self.pages.get_mut(at) else { return };
        let Some(page) = slot else { return };
        if page.get_mut(place).and_then(Option::take).is_some() {
            self.live = self.live.saturating_sub(1);
            if page.iter().all(Option::is_none) {
                *slot = None;
            }
        }
    }
}

/// Page and place of a call.
fn split(id: CallId) -> (usize, usize) {
    let at = id.0 as usize;
    (at / PAGE, at % PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ConnectionId;

    fn call(packet: u64) -> Call {
        Call::new(ConnectionId(0), packet)
    }

    #[test]
    fn numbers_stay_and_are_not_given_again() {
        let mut calls = Calls::default();
        let ids: Vec<CallId> = (0..40).map(|packet| calls.push(call(packet)).unwrap()).collect();
        for id in &ids[..33] {
            calls.remove(*id);
            calls.remove(*id);
        }
        assert_eq!(calls.len(), 7);
        assert!(calls.get(ids[32]).is_none());
        assert_eq!(calls.get(ids[33]).unwrap().first_packet, 33);
        assert_eq!(
            calls.iter().map(|call| call.first_packet).collect::<Vec<_>>(),
            (33..40).collect::<Vec<_>>()
        );
        assert_eq!(calls.push(call(40)), Some(CallId(40)));
    }

    #[test]
    fn a_page_without_calls_takes_no_room() {
        let mut calls = Calls::default();
        let ids: Vec<CallId> = (0..64).map(|packet| calls.push(call(packet)).unwrap()).collect();
        ids.iter().for_each(|id| calls.remove(*id));
        assert!(calls.is_empty() && calls.pages.iter().all(Option::is_none));
    }
}
