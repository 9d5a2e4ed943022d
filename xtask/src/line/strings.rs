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
    /// When, by the image's own clock, in µs; text has no time.
    pub at_us: Option<u64>,
    /// False for what is neither text nor a frame of these strings.
    pub is_sound: bool,
}

impl LogLine {
    /// A line of text.
    pub fn text(message: String) -> Self {
        Self { level: String::new(), message, at_us: None, is_sound: true }
    }

    fn not_a_frame(bytes: &[u8]) -> Self {
        let text = bytes.escape_ascii();
        let message = format!("({} bytes that are neither a log frame nor text: {text})", bytes.len());
        Self { is_sound: false, ..Self::text(message) }
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
            Piece::Text(text) => LogLine::text(text),
            Piece::Frame(bytes) => self.decode(&bytes).unwrap_or_else(|| LogLine::not_a_frame(&bytes)),
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
                at_us: frame.display_timestamp().and_then(|stamp| microseconds(&stamp.to_string())),
                is_sound: true,
            }),
            Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => None,
        }
    }
}

/// A time as the decoder prints it: seconds and six digits.
fn microseconds(stamp: &str) -> Option<u64> {
    let (seconds, fraction) = stamp.split_once('.')?;
    let fraction = fraction.parse::<u64>().ok().filter(|_| fraction.len() == 6)?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_frame_is_counted_and_shown() {
        let noise = LogLine::not_a_frame(b"\x01\xff");
        assert_eq!(noise.message, "(2 bytes that are neither a log frame nor text: \\x01\\xff)");
        assert!(!noise.is_sound);
    }

    #[test]
    fn the_images_time_is_read_in_microseconds() {
        assert_eq!(microseconds("2.119282"), Some(2_119_282));
        assert_eq!(["", "2", "2.1", "x.119282", "18446744073709551615.000000"].map(microseconds), [None; 5]);
    }
}
