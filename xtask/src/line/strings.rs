//! The image's format strings: frames in, log lines out.

use anyhow::{Context, Result, bail};
use defmt_decoder::{DecodeError, Encoding, Table};

use super::framer::Piece;

/// The format strings of one image, from its ELF file.
pub struct Strings {
    table: Table,
}

/// A line of the image's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// `INFO`, `WARN` …; empty for a line without level.
    pub level: String,
    /// The text.
    pub message: String,
}

impl LogLine {
    fn plain(message: String) -> Self {
        Self { level: String::new(), message }
    }
}

impl Strings {
    /// Reads the strings.
    ///
    /// # Errors
    /// If the file is no ELF file with defmt strings, or they are encoded so that a lost byte could not be
    /// recovered from.
    pub fn read(elf: &[u8]) -> Result<Self> {
        let table = Table::parse(elf).context("reading the image's log strings")?;
        let table = table.context("the image's ELF file has no defmt section")?;
        if table.encoding() != Encoding::Rzcobs {
            bail!("the image's log is not encoded as rzcobs, so its frames cannot be told apart");
        }
        Ok(Self { table })
    }

    /// What a piece of the line says. A frame that these strings do not explain is shown as it is.
    pub fn line(&self, piece: Piece) -> LogLine {
        match piece {
            Piece::Text(text) => LogLine::plain(text),
            Piece::Frame(bytes) => self.decode(&bytes).unwrap_or_else(|| not_a_frame(&bytes)),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Option<LogLine> {
        let mut stream = self.table.new_stream_decoder();
        stream.received(bytes);
        stream.received(&[0]);
        match stream.decode() {
            Ok(frame) => Some(LogLine {
                level: frame.level().map_or(String::new(), |level| level.as_str().to_uppercase()),
                message: frame.display_message().to_string(),
            }),
            Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => None,
        }
    }
}

fn not_a_frame(bytes: &[u8]) -> LogLine {
    LogLine::plain(format!(
        "({} bytes that are neither a log frame nor text: {})",
        bytes.len(),
        bytes.escape_ascii()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_frame_is_counted_and_shown() {
        let noise = not_a_frame(b"\x01\xff").message;
        assert_eq!(noise, "(2 bytes that are neither a log frame nor text: \\x01\\xff)");
    }
}
