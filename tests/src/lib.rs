//! Boards for the suites that cross crates.
//!
//! ```text
//! fake     a board whose VideoCore is a few hundred lines that can misbehave on command
//! image    the image as built, and copies of it with a fault
//! native   an emulated machine that executes the real firmware, driven from the PC
//! examples the byte blocks of docs/protocol
//! slave    a peer of the firmware written from docs/protocol alone
//! ```
//!
//! The suites themselves are in the `tests` folder beside this one.
#![forbid(unsafe_code)]

pub mod examples;
pub mod fake;
pub mod image;
pub mod native;
pub mod slave;
