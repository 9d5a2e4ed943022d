//! Boards for the suites that cross crates.
//!
//! ```text
//! fake     a board whose VideoCore is a few hundred lines that can misbehave on command
//! ```
//!
//! The suites themselves are in the `tests` folder beside this one.
#![forbid(unsafe_code)]

pub mod fake;
