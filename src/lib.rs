//! flametop
pub mod feed;
pub mod gauges;
pub mod profile;
pub mod source;
