//! Prices: discounts by quantity, shipping by weight, tax by region, the cheapest way to pack.

use super::catalog::Product;

/// What a basket costs, and how it is packed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quote {
    pub(super) total_cents: u64,
    pub(super) parcels: u32,
}

/// A quote for some of each product.
#[inline(never)]
pub(super) fn quote(products: &[&Product], turn: u64) -> Quote {
    let goods: f64 =
        products.iter().enumerate().map(|(at, product)| line_total(product, at as u64 + turn)).sum();
    let parcels = pack(products);
    Quote { total_cents: tax(goods + f64::from(parcels) * 490.0, turn).round() as u64, parcels }
}

/// The price of a line: each further piece a little cheaper.
#[inline(never)]
fn line_total(product: &Product, quantity: u64) -> f64 {
    let price = product.price_cents as f64;
    (0..=quantity % 50).map(|piece| price * (1.0 - 0.2 * (1.0 - (-(piece as f64) / 20.0).exp()))).sum()
}

#[inline(never)]
fn tax(amount: f64, region: u64) -> f64 {
    amount * (1.0 + [0.07, 0.19, 0.2, 0.25][(region % 4) as usize])
}

/// Parcels needed when the parcel is filled as well as can be (the knapsack problem, by table).
#[inline(never)]
fn pack(products: &[&Product]) -> u32 {
    const SPACE: usize = 1500;
    let mut best = [0u32; SPACE + 1];
    for product in products {
        let size = 20 + (product.price_cents as usize / 40) % 300;
        for space in (size..=SPACE).rev() {
            best[space] = best[space].max(best[space - size] + size as u32);
        }
    }
    let needed: usize = products.iter().map(|product| 20 + (product.price_cents as usize / 40) % 300).sum();
    needed.div_ceil(best[SPACE].max(1) as usize) as u32
}

#[cfg(test)]
mod tests {
    use super::super::{catalog, search};
    use super::*;

    #[test]
    fn the_same_basket_costs_the_same() {
        let stock = catalog::load(&catalog::delivery(0));
        let found = search::find(&stock, 0);
        assert!(!found.is_empty());
        let first = quote(&found, 3);
        assert_eq!(first, quote(&found, 3));
        assert!(first.total_cents > 0 && first.parcels > 0);
    }
}
