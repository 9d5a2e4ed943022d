//! Standard output, which is for results.

use std::ffi::OsString;
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

/// A text that is not ours, as it may be shown: control characters, which could command the terminal, marks that turn
/// the order of writing, and U+FFFE and U+FFFF, which XML forbids, are written as `\x1b` or `\u{202e}`. Line feed and tab stay.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => out.push(letter),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                out.extend(letter.escape_unicode())
            }
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

    /// What standard output is. Colours are left out where NO_COLOR says anything, CLICOLOR says 0, or TERM says `dumb`.
    pub fn of_stdout() -> Self {
        Self::by(io::stdout().is_terminal(), |name| std::env::var_os(name))
    }

    /// The same of standard error.
    pub fn of_stderr() -> Self {
        Self::by(io::stderr().is_terminal(), |name| std::env::var_os(name))
    }

    fn by(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty())
            || variable("CLICOLOR").is_some_and(|value| value == "0")
            || variable("TERM").is_some_and(|value| value == "dumb");
        Self { terminal, colours: terminal && !refused }
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, printable};

    #[test]
    fn colours_are_for_terminals_whose_reader_does_not_refuse_them() {
        let colours = |terminal, variables: &[(&str, &str)]| {
            let look = Look::by(terminal, |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
            });
            look.colours
        };
        assert!(colours(true, &[("TERM", "xterm"), ("NO_COLOR", ""), ("CLICOLOR", "1")]));
        assert!(!colours(false, &[("TERM", "xterm")]));
        for refusal in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            assert!(!colours(true, &[refusal]), "{refusal:?}");
        }
    }

    #[test]
    fn what_commands_a_terminal_is_shown_and_not_sent() {
        assert_eq!(printable("\x1b[31mred\x07\r\u{9b}"), "\\x1b[31mred\\x07\\x0d\\x9b");
        assert_eq!(printable("\u{202e}txt"), "\\u{202e}txt");
        assert_eq!(printable("8.5 µs\n\tend"), "8.5 µs\n\tend");
    }
}
