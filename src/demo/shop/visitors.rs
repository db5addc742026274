//! Visitors: tasks that use the shop all day, and rest in proportion to what they used.

use super::{Shop, catalog, pages, pricing, report, search};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How busy the shop is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Visitors at a time.
    pub visitors: u32,
    /// Share of one core that all of them use together, about.
    pub load: f64,
    /// Time from one slow report to the next.
    pub report_every: Duration,
    /// How long the report holds up the workers.
    pub report_length: Duration,
    /// Time from one delivery of the catalogue to the next.
    pub delivery_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            visitors: 4,
            load: 0.52,
            report_every: Duration::from_secs(10),
            report_length: Duration::from_millis(280),
            delivery_every: Duration::from_millis(700),
        }
    }
}

/// Opens the shop on the current runtime; it stays open as long as the runtime lives.
pub fn open_doors(pace: Pace, workers: usize) {
    let shop = Arc::new(Shop::open());
    let visits = Arc::new(AtomicU64::new(1));
    for _ in 0..pace.visitors {
        tokio::spawn(visitor(shop.clone(), visits.clone(), pace.load / f64::from(pace.visitors.max(1))));
    }
    tokio::spawn(supplier(shop.clone(), pace.delivery_every));
    tokio::spawn(accountant(shop, pace, workers));
}

/// Visits the shop again and again, busy for `share` of its time.
async fn visitor(shop: Arc<Shop>, visits: Arc<AtomicU64>, share: f64) {
    loop {
        let begun = Instant::now();
        let visit = visits.fetch_add(1, Ordering::Relaxed);
        serve_visit(&shop, visit);
        // Bounded, so that a machine that was held up for a while goes on soon.
        let rest = begun.elapsed().mul_f64(1.0 / share - 1.0);
        sleep(rest.clamp(Duration::from_millis(2), Duration::from_millis(500))).await;
    }
}

#[inline(never)]
fn serve_visit(shop: &Shop, visit: u64) {
    let catalog = shop.catalog();
    let found = search::find(&catalog, visit);
    let quote = pricing::quote(&found, visit);
    let page = pages::page(&found, quote);
    let mut cache = shop.pages();
    // One in eight comes back to a page seen before.
    if visit.is_multiple_of(8) && cache.recall(visit / 2).is_some() {
        return;
    }
    cache.remember(visit, page);
}

/// Brings a new catalogue now and then.
async fn supplier(shop: Arc<Shop>, every: Duration) {
    for number in 1.. {
        sleep(every).await;
        take_delivery(&shop, number);
    }
}

#[inline(never)]
fn take_delivery(shop: &Shop, number: u64) {
    shop.restock(catalog::load(&catalog::delivery(number)));
}

/// Asks for the yearly report now and then: on every worker at once, or the others would help out.
async fn accountant(shop: Arc<Shop>, pace: Pace, workers: usize) {
    loop {
        sleep(pace.report_every).await;
        let parts: Vec<_> = (0..workers)
            .map(|_| {
                let catalog = shop.catalog();
                tokio::spawn(async move {
                    std::hint::black_box(report::yearly_report(&catalog, pace.report_length))
                })
            })
            .collect();
        for part in parts {
            // A part that panicked is a report that is missing a page.
            let _ = part.await;
        }
    }
}
