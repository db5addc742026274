//! Hostile names through the real program and every sink there is: names that would drive a terminal,
//! hide what is said, break a format or leave a directory.

mod live;
mod made_up;
mod names;
mod screen;
#[path = "../support/mod.rs"]
mod support;
