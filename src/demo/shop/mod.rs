//! A small shop in memory: the work that the demo does while it is being watched.
//!
//! It does what servers do - parse, search, calculate, render, compress, cache - with the mistakes
//! that servers make: a pattern compiled for every search, a page cache that grows until it is
//! trimmed, and a report that holds up the workers every ten seconds. Functions are kept apart by
//! `inline(never)`, since a flame shows what the compiler left standing.

mod cache;
mod catalog;
mod pages;
mod pricing;
mod report;
mod search;
mod visitors;

pub use visitors::Pace;
pub(super) use visitors::open_doors;

use catalog::Catalog;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// What all visitors share.
struct Shop {
    catalog: RwLock<Arc<Catalog>>,
    pages: Mutex<cache::PageCache>,
}

impl Shop {
    fn open() -> Self {
        let catalog = Arc::new(catalog::load(&catalog::delivery(0)));
        Self { catalog: RwLock::new(catalog), pages: Mutex::default() }
    }

    fn catalog(&self) -> Arc<Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn restock(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }

    fn pages(&self) -> MutexGuard<'_, cache::PageCache> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
