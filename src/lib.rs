//! flametop
pub mod profile;
