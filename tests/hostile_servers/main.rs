//! Servers that misbehave in every way we know, asked by the real program: each is named and left in
//! time, with its exit code, without a panic and within 512 MiB.

mod blocked;
mod broken_profiles;
mod figures;
mod impostor;
mod servers;
mod sockets;
#[path = "../support/mod.rs"]
mod support;
