//! One property call (chapter 1).

use std::time::Duration;

use vchiq_mbox::{
    Deadline,
    platform::{MailboxRegisters, Platform, Window},
};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_millis(500);
/// In words that the request leaves open.
const OPEN: u32 = 0x5a5a_5a5a;

/// What a tag was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The length that the firmware gives, in bytes.
    pub length: u32,
    /// The whole value area.
    pub words: Vec<u32>,
}

/// The mailbox with its buffer.
pub struct Property<'a, M, W> {
    registers: &'a mut M,
    buffer: &'a W,
}

impl<'a, M: MailboxRegisters, W: Window> Property<'a, M, W> {
    /// With a buffer of any content.
    pub fn new(registers: &'a mut M, buffer: &'a W) -> Self {
        Self { registers, buffer }
    }

    /// Asks one tag with a value area of `area` words. `None` if the firmware does not know the tag.
    ///
    /// # Panics
    /// If the answer does not come, or is not one.
    pub fn ask(&mut self, board: &impl Platform, tag: u32, request: &[u32], area: usize) -> Option<Answer> {
        while self.registers.can_read() {
            self.registers.read();
        }
        let value = request.iter().copied().chain(std::iter::repeat(OPEN)).take(area);
        let head = [4 * (6 + area as u32), 0, tag, 4 * area as u32, 0];
        for (index, word) in head.into_iter().chain(value).chain([0]).enumerate() {
            self.buffer.store(4 * index, word);
        }
        board.full_barrier();
        let deadline = Deadline::after(board, TIMEOUT);
        let wait = |ready: bool, what: &str| {
            assert!(ready || !deadline.has_passed(board), "{what} at tag {tag:#010x}");
            ready
        };
        while !wait(self.registers.can_write(), "mailbox full") {}
        let mail = self.buffer.bus_address().0 | 8;
        self.registers.write(mail);
        while !wait(self.registers.can_read(), "no answer") {}
        assert_eq!(self.registers.read(), mail, "the word that comes back");
        board.full_barrier();

        let load = |index: usize| self.buffer.load(4 * index);
        assert_eq!((load(1), load(2)), (0x8000_0000, tag), "code and tag");
        let (answered, length) = (load(4) >> 31 == 1, load(4) & 0x7fff_ffff);
        let words: Vec<u32> = (0..area).map(|index| load(5 + index)).collect();
        let open_words = &words[request.len().min(area)..];
        assert!(
            !answered || open_words.is_empty() || open_words.iter().any(|word| *word != OPEN),
            "no answer"
        );
        answered.then_some(Answer { length, words })
    }
}
