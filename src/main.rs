//! The `flametop` program: parses, runs, and turns the ending into an exit code.

fn main() {}
