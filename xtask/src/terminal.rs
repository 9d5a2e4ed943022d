//! Standard output, which is for results.

use std::fmt;
use std::io::{self, Write};

/// Prints a line of a result. Unlike `println!` it does not panic when nobody reads on (`| head`): then the program
/// ends, as other programs do.
macro_rules! say {
    ($($text:tt)*) => { $crate::terminal::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Exit code when standard output is gone: what a shell reports of a program that SIGPIPE ended.
const OUTPUT_CLOSED: i32 = 128 + 13;

/// What [`say!`] does.
pub fn line(text: fmt::Arguments<'_>) {
    if writeln!(io::stdout().lock(), "{text}").is_err() {
        std::process::exit(OUTPUT_CLOSED);
    }
}
