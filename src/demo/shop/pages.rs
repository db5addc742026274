//! Pages: a result as HTML with its data as JSON beside it, compressed for the wire.

use super::catalog::Product;
use super::pricing::Quote;
use flate2::{Compression, write::GzEncoder};
use std::fmt::Write as _;
use std::io::Write as _;

/// The page of a search, ready to be sent.
#[inline(never)]
pub(super) fn page(products: &[&Product], quote: Quote) -> Vec<u8> {
    let mut html = render(products, quote);
    html.push_str(&embed(products));
    compress(&html)
}

#[inline(never)]
fn render(products: &[&Product], quote: Quote) -> String {
    let mut html = String::from("<!doctype html><ul>");
    for product in products {
        let title = escape(&product.title);
        let text = escape(&product.description);
        let _ = write!(
            html,
            "<li id={}><b>{title}</b> {:.2} <p>{text}</p>",
            product.id,
            product.price_cents as f64 / 100.0
        );
    }
    let _ = write!(html, "</ul><p>{} cents in {} parcels</p>", quote.total_cents, quote.parcels);
    html
}

#[inline(never)]
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The data again, for the page's script.
#[inline(never)]
fn embed(products: &[&Product]) -> String {
    serde_json::to_string(products).unwrap_or_default()
}

#[inline(never)]
fn compress(html: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    // Writing to memory can't fail.
    let _ = encoder.write_all(html.as_bytes());
    encoder.finish().unwrap_or_default()
}
