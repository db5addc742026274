//! The yearly report: the slow request. It compares every product with every other, on the workers
//! themselves, so that everybody else waits: the stall that the loop's delay line shows.

use super::catalog::{Catalog, Product};
use std::time::{Duration, Instant};

/// Compares products until `length` has passed; the sum of their likeness.
#[inline(never)]
pub(super) fn yearly_report(catalog: &Catalog, length: Duration) -> f64 {
    let end = Instant::now() + length;
    let mut sum = 0.0;
    for product in catalog.products.iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        sum += compare_with_all(product, catalog);
    }
    sum
}

#[inline(never)]
fn compare_with_all(product: &Product, catalog: &Catalog) -> f64 {
    catalog.products.iter().take(64).map(|other| likeness(&product.description, &other.description)).sum()
}

/// Share of the words that two texts have in common.
#[inline(never)]
fn likeness(a: &str, b: &str) -> f64 {
    let common = a.split(' ').filter(|word| b.split(' ').any(|other| other == *word)).count();
    common as f64 / a.split(' ').count().max(1) as f64
}
