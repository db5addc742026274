//! The report: one HTML file that needs nothing else, with every chart, every flame and all windows in it.
//!
//! [`ReportBuilder`] hears the same [`Event`]s as the session and holds them in a session of its own, so
//! it has its bounds: old windows are rolled up and then dropped, and the page tells what was. Called by
//! `flametop report`; opens no files and asks no clock.
//!
//! # The page
//!
//! One `<script>` and one `<style>`, named by their hashes in a Content Security Policy that allows
//! nothing else: no network, no code from strings, no images. The data is a gzip stream in base64, in a
//! `<script>` of a type that browsers do not run; the viewer inflates it with `DecompressionStream`.
//!
//! # The data
//!
//! | part | what it is |
//! |---|---|
//! | length | 4 bytes, little-endian: bytes of the header |
//! | header | JSON: targets, kinds, threads, tracks, windows, notes, gauges, strings (`header.rs`) |
//! | body | LEB128 integers, signed ones zigzag: frames, nodes, lanes, gauges, stalls (`data.rs`) |
//!
//! Times are nanoseconds from the report's first moment, which the header gives in milliseconds since
//! 1970. Frames are sorted by name and place and nodes stand in preorder with siblings in the order of
//! their frames, so the viewer draws any selection without sorting. A column's values are divided by
//! their greatest common divisor, which stands before them. JavaScript's numbers are exact to 2^53.

mod builder;
mod data;
mod gauges;
mod header;
mod order;
mod packing;
mod page;
mod stalls;
#[cfg(test)]
mod tests;

pub use builder::{ReportBuilder, ReportOptions};
pub use page::ReportError;

#[cfg(doc)]
use crate::feed::Event;
