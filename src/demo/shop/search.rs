//! Search: a pattern over titles and descriptions, best matches first.

use super::catalog::{Catalog, Product};
use regex::{Regex, RegexBuilder};

/// What is looked for, in turn.
const QUERIES: [&str; 6] =
    ["copper", "walnut table", "tea(pot|cup)", "gard(en)?", "l(inen|antern).*blanket", "iron pan"];

/// The products that fit query number `turn`, best first.
#[inline(never)]
pub(super) fn find(catalog: &Catalog, turn: u64) -> Vec<&Product> {
    let pattern = compile(QUERIES[(turn % QUERIES.len() as u64) as usize]);
    let mut found = matches(catalog, pattern.as_ref());
    rank(&mut found);
    found.into_iter().take(40).map(|(product, _)| product).collect()
}

/// Compiles the pattern, again for every search: the kind of waste that a flame shows at once.
#[inline(never)]
fn compile(query: &str) -> Option<Regex> {
    RegexBuilder::new(query).case_insensitive(true).build().ok()
}

#[inline(never)]
fn matches<'a>(catalog: &'a Catalog, pattern: Option<&Regex>) -> Vec<(&'a Product, usize)> {
    let Some(pattern) = pattern else { return Vec::new() };
    let score = |product: &Product| {
        pattern.find_iter(&product.title).count() * 5 + pattern.find_iter(&product.description).count()
    };
    catalog.products.iter().map(|product| (product, score(product))).filter(|(_, score)| *score > 0).collect()
}

#[inline(never)]
fn rank(found: &mut [(&Product, usize)]) {
    found.sort_by(|(a, a_score), (b, b_score)| (b_score, &a.title).cmp(&(a_score, &b.title)));
}
