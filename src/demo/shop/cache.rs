//! The page cache: it keeps what visitors saw until it holds too much, then drops the older half.

use std::collections::VecDeque;

/// Bytes at which it is trimmed.
const FULL: usize = 48 * 1024 * 1024;
/// Room a remembered visit takes beside its page: what the visitor saw, kept "for later".
const HISTORY: usize = 24 * 1024;

/// Pages by visit, oldest first.
#[derive(Default)]
pub(super) struct PageCache {
    pages: VecDeque<Remembered>,
    bytes: usize,
}

struct Remembered {
    visit: u64,
    page: Vec<u8>,
    history: Vec<u8>,
}

impl PageCache {
    /// Keeps a page.
    #[inline(never)]
    pub(super) fn remember(&mut self, visit: u64, page: Vec<u8>) {
        let history = history_of(&page);
        self.bytes += page.len() + history.len();
        self.pages.push_back(Remembered { visit, page, history });
        if self.bytes > FULL {
            self.trim();
        }
    }

    /// The page of a visit, if it is still kept.
    #[inline(never)]
    pub(super) fn recall(&self, visit: u64) -> Option<&[u8]> {
        let at = self.pages.binary_search_by_key(&visit, |kept| kept.visit).ok()?;
        self.pages.get(at).map(|kept| kept.page.as_slice())
    }

    #[inline(never)]
    fn trim(&mut self) {
        while self.bytes > FULL / 2 {
            let Some(oldest) = self.pages.pop_front() else { break };
            self.bytes -= oldest.page.len() + oldest.history.len();
        }
    }
}

/// What is kept of a visit beside its page.
#[inline(never)]
fn history_of(page: &[u8]) -> Vec<u8> {
    let mut history = Vec::with_capacity(HISTORY);
    history.extend(page.iter().cycle().take(HISTORY.min(page.len() * 64)));
    history
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_full_and_forgets_the_oldest_first() {
        let mut cache = PageCache::default();
        for visit in 0..4000 {
            cache.remember(visit, vec![7; 1024]);
            assert!(cache.bytes <= FULL);
        }
        assert!(cache.recall(0).is_none());
        assert!(cache.recall(3999).is_some());
    }
}
