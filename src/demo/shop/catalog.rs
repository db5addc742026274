//! The catalogue: it comes as JSON from a supplier, is parsed and checked, and replaces the old one.

use serde::{Deserialize, Serialize};

const PRODUCTS: u64 = 600;
const WORDS: [&str; 16] = [
    "copper", "kettle", "lantern", "garden", "folding", "chair", "walnut", "table", "linen", "blanket",
    "cast", "iron", "pan", "glass", "teapot", "basket",
];

/// All that is on sale.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Catalog {
    pub(super) products: Vec<Product>,
}

/// One thing on sale.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Product {
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) price_cents: u64,
    pub(super) stock: u32,
    pub(super) tags: Vec<String>,
}

/// What the supplier sends: the same every time for the same number.
#[inline(never)]
pub(super) fn delivery(number: u64) -> String {
    let products = (0..PRODUCTS).map(|id| product(id, number)).collect();
    serde_json::to_string(&Catalog { products }).unwrap_or_default()
}

fn product(id: u64, delivery: u64) -> Product {
    let word = |at: u64| WORDS[((id * 7 + at * 13 + id / 5 * at) % WORDS.len() as u64) as usize];
    let sentence: Vec<&str> = (0..24).map(word).collect();
    Product {
        id,
        title: format!("{} {} no. {id}", word(1), word(2)),
        description: sentence.join(" "),
        price_cents: 250 + id * 37 % 19_000 + delivery % 100,
        stock: ((id * 31 + delivery) % 90) as u32,
        tags: (3..7).map(|at| word(at).to_owned()).collect(),
    }
}

/// A catalogue from what a supplier sent; empty when it makes no sense.
#[inline(never)]
pub(super) fn load(delivery: &str) -> Catalog {
    let mut catalog = parse(delivery);
    check(&mut catalog);
    catalog
}

#[inline(never)]
fn parse(delivery: &str) -> Catalog {
    serde_json::from_str(delivery).unwrap_or_default()
}

/// Drops what can't be sold and sorts the tags of the rest.
#[inline(never)]
fn check(catalog: &mut Catalog) {
    catalog.products.retain(|product| product.price_cents > 0 && !product.title.is_empty());
    for product in &mut catalog.products {
        product.tags.sort_unstable();
        product.tags.dedup();
    }
}
