//! flametop
pub mod app;
pub mod demo;
pub mod feed;
pub mod files;
pub mod format;
pub mod gauges;
pub mod profile;
pub mod record;
pub mod session;
pub mod sink;
pub mod source;
pub mod theme;
pub mod view;
