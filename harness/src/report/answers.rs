//! The firmware's answers to commands: parts put together, bytes made text.

use std::fmt::Write;

use vchiq_mbox::gencmd::MAX_MAILBOX_TEXT;

use super::firmware::Answer;
use crate::record::{self, When};

/// Takes the parts of answers one by one.
#[derive(Default)]
pub(super) struct Answers {
    list: Vec<Parts>,
}

/// An answer whose parts are still coming in.
struct Parts {
    when: When,
    command: String,
    code: i32,
    size: usize,
    bytes: Vec<u8>,
}

impl Answers {
    /// Takes a part. One behind a part that was lost is dropped: the answer ends where the gap begins.
    pub(super) fn add(&mut self, text: &record::Text) {
        let command = text.command.as_str();
        if text.offset == 0 {
            self.list.push(Parts {
                when: text.when,
                command: command.to_owned(),
                code: text.code,
                size: text.size.into(),
                bytes: text.bytes.to_vec(),
            });
            return;
        }
        let begun = self.list.last_mut().filter(|parts| parts.when == text.when && parts.command == command);
        if let Some(parts) = begun.filter(|parts| parts.bytes.len() == usize::from(text.offset)) {
            parts.bytes.extend(text.bytes.iter().copied());
        }
    }

    /// Forgets all: the board started again.
    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    /// All of them in the order asked.
    pub(super) fn list(&self) -> Vec<Answer> {
        let answer = |parts: &Parts| Answer {
            command: parts.command.clone(),
            when: parts.when,
            code: parts.code,
            text: shown(&parts.bytes),
            cut: parts.bytes.len() < parts.size || parts.size >= MAX_MAILBOX_TEXT,
        };
        self.list.iter().map(answer).collect()
    }
}

/// Bytes as text: what is no text, and what a terminal would obey, as `\x1b`; a backslash as `\\`.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => out.push('\n'),
                '\\' => out.push_str("\\\\"),
                control if control.is_control() => {
                    let _ = write!(out, "\\x{:02x}", u32::from(control));
                }
                character => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(command: &str, bytes: &[u8], offset: u16, size: u16) -> record::Text {
        record::Text {
            when: When::Before,
            command: record::clipped(command),
            code: 0,
            size,
            offset,
            bytes: bytes.iter().copied().collect(),
        }
    }

    fn of(parts: &[record::Text]) -> Vec<Answer> {
        let mut answers = Answers::default();
        parts.iter().for_each(|part| answers.add(part));
        answers.list()
    }

    #[test]
    fn parts_come_together_and_a_lost_one_is_told() {
        let parts = [part("version", b"ab", 0, 5), part("version", b"cd", 2, 5), part("version", b"e", 4, 5)];
        let [whole] = &of(&parts)[..] else { panic!() };
        assert_eq!((whole.text.as_str(), whole.cut), ("abcde", false));
        let [gap] = &of(&[parts[0].clone(), parts[2].clone()])[..] else { panic!() };
        assert_eq!((gap.text.as_str(), gap.cut), ("ab", true));
        assert_eq!(of(&parts[1..]), []);
        let [other, _] = &of(&[parts[0].clone(), part("fly", b"", 0, 0), parts[1].clone()])[..] else {
            panic!()
        };
        assert!(other.cut, "a part is nobody's but the last answer's");
    }

    #[test]
    fn bytes_that_are_no_text_or_that_a_terminal_obeys_are_escaped() {
        let bytes = b"a\xff\xfe\x1b[2J\0\r\n\\\xc3\xa9\xc3";
        assert_eq!(shown(bytes), "a\\xff\\xfe\\x1b[2J\\x00\\x0d\n\\\\é\\xc3");
        assert_eq!(shown(&[]), "");
    }

    #[test]
    fn a_text_without_an_end_is_marked_as_cut() {
        let long = vec![b'x'; 510];
        let parts = [part("version", &long, 0, 1020), part("version", &long, 510, 1020)];
        let [answer] = &of(&parts)[..] else { panic!() };
        assert_eq!((answer.text.len(), answer.cut), (1020, true));
    }
}
