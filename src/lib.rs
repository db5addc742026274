//! flametop
pub mod app;
pub mod feed;
pub mod gauges;
pub mod profile;
pub mod session;
pub mod source;
pub mod theme;
pub mod view;
