//! The image's serial line: bytes in, log lines out.

use anyhow::{Context, Result, bail};
use defmt_decoder::{DecodeError, Encoding, StreamDecoder, Table};

/// The format strings of one image, from its ELF file.
pub struct Strings {
    table: Table,
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

    /// A decoder for a line that begins now.
    pub fn decoder(&self) -> Decoder<'_> {
        Decoder { stream: self.table.new_stream_decoder(), pending: Vec::new() }
    }
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

/// Puts bytes together to frames, and decodes those.
pub struct Decoder<'t> {
    stream: Box<dyn StreamDecoder + Send + Sync + 't>,
    pending: Vec<u8>,
}

/// Longer than any frame: what grows beyond it is noise.
const LONGEST_FRAME: usize = 16 * 1024;

impl Decoder<'_> {
    /// Takes a byte; returns a line when the byte completed one. What is no frame but readable (the register dump
    /// of an image too broken for frames) comes back as plain text.
    pub fn byte(&mut self, byte: u8) -> Option<LogLine> {
        if byte != 0 && self.pending.len() < LONGEST_FRAME {
            self.pending.push(byte);
            return None;
        }
        if self.pending.is_empty() {
            return None;
        }
        let mut bytes = std::mem::take(&mut self.pending);
        bytes.push(0);
        self.stream.received(&bytes);
        match self.stream.decode() {
            Ok(frame) => Some(LogLine {
                level: frame.level().map_or(String::new(), |level| level.as_str().to_uppercase()),
                message: frame.display_message().to_string(),
            }),
            Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => Some(not_a_frame(&bytes)),
        }
    }

    /// What has arrived and makes no whole line, at the end of a run.
    pub fn rest(&self) -> Option<LogLine> {
        (!self.pending.is_empty()).then(|| not_a_frame(&self.pending))
    }
}

fn not_a_frame(bytes: &[u8]) -> LogLine {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if bytes.iter().all(is_text) {
        LogLine::plain(String::from_utf8_lossy(bytes).trim_end().to_owned())
    } else {
        LogLine::plain(format!("({} bytes that are neither a log frame nor text)", bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_frame_is_shown_if_it_is_text_and_counted_if_not() {
        assert_eq!(not_a_frame(b"x0 = 0000\r\nx1 = 1\r\n\0").message, "x0 = 0000\r\nx1 = 1");
        assert_eq!(not_a_frame(b"\x01\xff\0").message, "(2 bytes that are neither a log frame nor text)");
    }
}
