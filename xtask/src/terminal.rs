//! Standard output, which is for results.

use std::fmt;
use std::io::{self, IsTerminal, Write};

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

/// A text that is not ours, as it may be shown: control characters, which could command the terminal, and marks that turn
/// the order of writing are written as `\x1b`. Line feed and tab stay.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => out.push(letter),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.extend(letter.escape_unicode()),
            _ if letter.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(letter))),
            _ => out.push(letter),
        }
    }
    out
}

/// How a result may look where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// A person sees it: tables are made as wide as the terminal.
    pub terminal: bool,
    /// Verdicts may have colours.
    pub colours: bool,
}

impl Look {
    /// For a file, a pipe, a test.
    #[cfg(test)]
    pub const PLAIN: Self = Self { terminal: false, colours: false };

    /// What standard output is. Colours are left out where the variable NO_COLOR says anything.
    pub fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { terminal, colours }
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_commands_a_terminal_is_shown_and_not_sent() {
        assert_eq!(printable("\x1b[31mred\x07\r\u{9b}"), "\\x1b[31mred\\x07\\x0d\\x9b");
        assert_eq!(printable("\u{202e}txt"), "\\u{202e}txt");
        assert_eq!(printable("8.5 µs\n\tend"), "8.5 µs\n\tend");
    }
}
