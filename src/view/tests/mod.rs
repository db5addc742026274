//! Pictures of whole screens, of a made-up world at a made-up time.

mod laws;
mod screens;
mod world;
