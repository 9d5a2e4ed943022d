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
        if let Some(text) = line_of_text(&bytes) {
            return Some(LogLine::plain(text));
        }
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

    /// The image begins again, perhaps in the middle of a line.
    pub fn restart(&mut self) {
        self.pending.clear();
    }

    /// What has arrived and makes no whole line, at the end of a run.
    pub fn rest(&self) -> Option<LogLine> {
        (!self.pending.is_empty()).then(|| not_a_frame(&self.pending))
    }
}

/// What the image writes in plain text, because it must be readable without its ELF file, ends with CR and LF.
fn line_of_text(bytes: &[u8]) -> Option<String> {
    let text = bytes.strip_suffix(b"\r\n")?;
    let is_text = text.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    is_text.then(|| String::from_utf8_lossy(text).into_owned())
}

fn not_a_frame(bytes: &[u8]) -> LogLine {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let message = line_of_text(bytes);
    LogLine::plain(message.unwrap_or_else(|| {
        format!("({} bytes that are neither a log frame nor text: {})", bytes.len(), bytes.escape_ascii())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_frame_is_shown_if_it_is_text_and_counted_if_not() {
        assert_eq!(not_a_frame(b"x0 = 0000\r\nx1 = 1\r\n\0").message, "x0 = 0000\r\nx1 = 1");
        let noise = not_a_frame(b"\x01\xff\0").message;
        assert_eq!(noise, "(2 bytes that are neither a log frame nor text: \\x01\\xff)");
    }
}
