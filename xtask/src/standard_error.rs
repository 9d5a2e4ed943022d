//! Standard error, which is for everything but results.
//!
//! The macros of the standard library panic when nobody reads on: an emulated board would lose its power because `| head` has
//! seen enough. These take their place in all modules that `main.rs` names after this one.

use std::fmt;
use std::io::{self, Write};

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::standard_error::print(format_args!("{}\n", format_args!($($text)*))) };
}
macro_rules! eprint {
    ($($text:tt)*) => { $crate::standard_error::print(format_args!($($text)*)) };
}

/// Says something. What cannot be said is lost, and nothing else is.
pub fn print(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}
