//! flametop
