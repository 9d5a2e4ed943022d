//! The one command people type.
#![forbid(unsafe_code)]

fn main() {}
