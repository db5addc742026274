//! flametop
pub mod app;
pub mod demo;
pub mod feed;
pub mod files;
pub mod format;
pub mod gauges;
pub mod profile;
pub mod session;
pub mod source;
