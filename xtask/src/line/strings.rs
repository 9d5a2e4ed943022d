//! The image's format strings: frames in, log lines out.

use anyhow::{Context, Result, bail};
use defmt_decoder::{DecodeError, Encoding, Table};

use super::framer::Piece;

/// Longer than any frame of the image's: a record's has 1344 bytes, and some for the encoding. The decoder goes a call
/// deeper for each part within a part, so what is longer could cost it its stack.
const LONGEST_FRAME: usize = 4096;
/// Elements of the longest list that a log line shows.
const LONGEST_LIST: usize = 64;
/// Stands in a format string for a longer list: DEL, which no string of the image's has.
const HIDDEN: u8 = 0x7f;

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
        let table = Table::parse(&bounded(elf)).context("reading the image's log strings")?;
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
        if bytes.len() > LONGEST_FRAME {
            return None;
        }
        let mut stream = self.table.new_stream_decoder();
        stream.received(bytes);
        stream.received(&[0]);
        match stream.decode() {
            Ok(frame) => Some(LogLine {
                level: frame.level().map_or(String::new(), |level| level.as_str().to_uppercase()),
                message: up_to_hidden(frame.display_message().to_string()),
                at_us: frame.display_timestamp().and_then(|stamp| microseconds(&stamp.to_string())),
                is_sound: true,
            }),
            Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => None,
        }
    }
}

/// The same ELF file, in whose format strings no list is longer than [`LONGEST_LIST`].
///
/// `core`'s arrays of a billion elements are among the strings of every image, and the decoder reserves memory for as many
/// elements as a frame says it has, before it reads the first: a few bytes of noise would end the program. Longer lists and
/// those that could be of any length are [`HIDDEN`]. The strings keep their length, since they are names in the file's
/// table of symbols.
fn bounded(elf: &[u8]) -> Vec<u8> {
    const LIST: &[u8] = b"{=[?";
    let mut elf = elf.to_vec();
    let mut from = 0;
    while let Some(place) = elf[from..].windows(LIST.len()).position(|window| window == LIST) {
        let start = from + place;
        from = start + LIST.len();
        let rest = &elf[from..];
        let Some(close) = rest.iter().position(|byte| *byte == b'}') else { break };
        let is_long = match rest[..close].split_first() {
            // Its length is in the frame only.
            Some((b']', _)) => true,
            Some((b';', length)) => !is_short(length),
            _ => false,
        };
        if is_long {
            elf[start..=from + close].fill(HIDDEN);
        }
    }
    elf
}

/// What a frame has behind a hidden list would be read from the list's own bytes.
fn up_to_hidden(message: String) -> String {
    match message.split_once(char::from(HIDDEN)) {
        Some((before, _)) => format!("{before}(a list; neither it nor what follows is shown)"),
        None => message,
    }
}

/// A length with what stands behind it: `6]`, `6]:?`.
fn is_short(length: &[u8]) -> bool {
    let digits =
        length.split(|byte| *byte == b']').next().and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.trim().parse().ok()).is_some_and(|length: usize| length <= LONGEST_LIST)
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
    use crate::line::Framer;
    use crate::line::fake::{self, Line};

    fn shown(line: &Line) -> Vec<LogLine> {
        let strings = Strings::read(&fake::elf()).unwrap();
        let mut framer = Framer::default();
        line.bytes.iter().filter_map(|byte| framer.byte(*byte)).map(|piece| strings.line(piece)).collect()
    }

    #[test]
    fn a_frame_that_asks_for_four_billion_elements_gets_no_memory() {
        for (list, count) in [("{=[?]}", Some(u32::MAX)), ("{=[?;1000000000]}", None)] {
            let mut arguments = fake::place_of(list).to_le_bytes().to_vec();
            arguments.extend(count.into_iter().flat_map(u32::to_le_bytes));
            arguments.extend(fake::place_of("Dead").to_le_bytes());
            let mut line = Line::default();
            line.log("no answer: {=?}", &arguments);
            let message = &shown(&line)[0].message;
            assert_eq!(message, "no answer: (a list; neither it nor what follows is shown)");
        }
    }

    #[test]
    fn a_frame_of_a_thousand_parts_within_parts_is_none() {
        let part =
            [&fake::place_of("Link({=?})|Timeout {{ ms: {=u32:?} }}|Dead").to_le_bytes()[..], &[0]].concat();
        let mut line = Line::default();
        line.log("no answer: {=?}", &part.repeat(5000));
        assert!(!shown(&line)[0].is_sound);
    }

    #[test]
    fn a_list_that_the_image_may_well_log_is_still_shown() {
        let strings = bounded(b"\"data\":\"{=[?;6]} {=[?;65]:?} {=[?]:?}\"");
        let (longer, any) = ("\x7f".repeat(11), "\x7f".repeat(8));
        assert_eq!(strings, format!("\"data\":\"{{=[?;6]}} {longer} {any}\"").into_bytes());
    }

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
