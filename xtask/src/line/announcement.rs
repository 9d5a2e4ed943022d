//! The line by which an emulated board says that it is one.
//!
//! The image cannot tell: nothing of what it asks a board differs. So whoever offers an emulated board's line puts this
//! before the board's first byte, as a line of text between zero bytes, and whoever listens does not take its times for
//! measured ones.

use std::fmt;

/// What the line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announcement;

/// The line, without its end.
const TEXT: &str = "machine: emulated, times are modelled";

impl Announcement {
    /// True if the line is one.
    pub fn is(line: &str) -> bool {
        line == TEXT
    }

    /// As it stands on the line.
    pub fn bytes(self) -> Vec<u8> {
        format!("\0{self}\r\n\0").into_bytes()
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TEXT)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Framer, Piece};
    use super::*;

    #[test]
    fn the_announcement_is_a_line_of_text_of_its_own() {
        let mut framer = Framer::default();
        let bytes = Announcement.bytes();
        let pieces: Vec<Piece> = bytes.into_iter().filter_map(|byte| framer.byte(byte)).collect();
        assert_eq!(pieces, [Piece::Text(Announcement.to_string())]);
        assert!(Announcement::is(TEXT) && !Announcement::is("machine: emulated"));
    }
}
