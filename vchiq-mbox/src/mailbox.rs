//! The property mailbox: one buffer, one call at a time (hardware fact sheet 2, gencmd fact sheet 3).

use crate::{
    deadline::Deadline,
    error::Owner,
    gencmd::{Answer, MAX_MAILBOX_TEXT},
    platform::{BusAddress, MailboxRegisters, Platform, Window},
    property::{MAX_WORDS, Tag},
};

/// Channel for property requests of the Arm.
const CHANNEL: u32 = 8;
/// The channel number lies in the low bits of the address.
const ALIGNMENT: u32 = 16;

/// Word offsets of a buffer with one tag.
mod at {
    pub(super) const TOTAL: usize = 0;
    pub(super) const CODE: usize = 1;
    pub(super) const TAG: usize = 2;
    pub(super) const VALUE_SIZE: usize = 3;
    pub(super) const STATUS: usize = 4;
    pub(super) const VALUE: usize = 5;
}
/// Words around the value: the five before it and the end tag.
const FRAME_WORDS: usize = at::VALUE + 1;

const CODE_REQUEST: u32 = 0;
const CODE_SUCCESS: u32 = 0x8000_0000;
const TAG_ANSWERED: u32 = 1 << 31;
/// Fills values that the request leaves open, so that an answer that was claimed but not written is noticed.
const SENTINEL: u32 = 0xa5c3_5a3c;
/// Stale words are drained before a call; a mailbox that yields more than this is broken.
const MAX_STALE: u32 = 64;

/// Why a property call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MailboxError {
    /// The buffer must be 16-byte aligned in VideoCore's eyes.
    #[error("property buffer at {:#010x} is not aligned to 16 bytes", .bus.0)]
    Unaligned {
        /// Where the buffer starts.
        bus: BusAddress,
    },
    /// The buffer cannot hold the request.
    #[error("property buffer of {have} bytes, {need} needed")]
    BufferTooSmall {
        /// Bytes of the buffer.
        have: usize,
        /// Bytes needed.
        need: usize,
    },
    /// Mailbox 1 stayed full.
    #[error("mailbox full until the deadline")]
    Full,
    /// No reply; the buffer stays VideoCore's until one arrives.
    #[error("no reply to tag {tag:#010x} until the deadline")]
    NoReply {
        /// Tag asked for.
        tag: u32,
    },
    /// Mailbox 0 keeps yielding words that nobody asked for.
    #[error("mailbox yields stale words without end, last {word:#010x}")]
    Flooded {
        /// The last word.
        word: u32,
    },
    /// A reply for another channel or another buffer.
    #[error("reply {word:#010x}, expected {expected:#010x}")]
    WrongReply {
        /// Word read.
        word: u32,
        /// Our buffer and channel.
        expected: u32,
    },
    /// The buffer came back with a code other than success.
    #[error("response code {code:#010x} to tag {tag:#010x}")]
    Rejected {
        /// Tag asked for.
        tag: u32,
        /// The buffer's second word.
        code: u32,
    },
    /// Firmware does not know the tag, or left its value as it was.
    #[error("tag {tag:#010x} not answered (status {status:#010x})")]
    NotAnswered {
        /// Tag asked for.
        tag: u32,
        /// The tag's third word.
        status: u32,
    },
    /// The answer is longer than the buffer.
    #[error("answer of {size} bytes to tag {tag:#010x}, room for {room}")]
    Truncated {
        /// Tag asked for.
        tag: u32,
        /// Bytes firmware has.
        size: usize,
        /// Bytes there was room for.
        room: usize,
    },
    /// The answer names another tag, or has an impossible value.
    #[error("tag {tag:#010x} answered by {found:#010x}")]
    Malformed {
        /// Tag asked for.
        tag: u32,
        /// The word that is wrong.
        found: u32,
    },
}

impl MailboxError {
    /// Who answers for it.
    pub const fn owner(&self) -> Owner {
        match self {
            Self::Unaligned { .. } | Self::BufferTooSmall { .. } => Owner::Harness,
            Self::Full | Self::Flooded { .. } | Self::WrongReply { .. } => Owner::Link,
            Self::NoReply { .. }
            | Self::Rejected { .. }
            | Self::NotAnswered { .. }
            | Self::Truncated { .. }
            | Self::Malformed { .. } => Owner::Firmware,
        }
    }
}

/// A request in words.
struct Question<'a> {
    tag: u32,
    words: &'a [u32],
    response_words: usize,
    claimed_words: usize,
}

/// The mailbox with its one property buffer.
///
/// The buffer is a non-cached window. While a call is under way it belongs to VideoCore; after a timeout it stays
/// so until the late reply has been taken, which the next call does first. That also holds for the next `Mailbox` on
/// the same buffer: a request without an answer is known by its code word.
pub struct Mailbox<R, B> {
    registers: R,
    buffer: B,
    late_reply_due: bool,
    drained: u32,
}

impl<R: MailboxRegisters, B: Window> Mailbox<R, B> {
    /// Bytes a buffer needs for any typed tag; a command line needs its length and 24 more.
    pub const MIN_BUFFER: usize = (FRAME_WORDS + MAX_WORDS) * 4;

    /// # Errors
    /// [`MailboxError::Unaligned`], or [`MailboxError::BufferTooSmall`] below [`Self::MIN_BUFFER`].
    pub fn new(registers: R, buffer: B) -> Result<Self, MailboxError> {
        let (bus, have) = (buffer.bus_address(), buffer.len());
        if !bus.0.is_multiple_of(ALIGNMENT) {
            return Err(MailboxError::Unaligned { bus });
        }
        if have < Self::MIN_BUFFER {
            return Err(MailboxError::BufferTooSmall { have, need: Self::MIN_BUFFER });
        }
        let late_reply_due = is_under_way(&buffer);
        Ok(Self { registers, buffer, late_reply_due, drained: 0 })
    }

    /// Words found in the mailbox that no call of ours was waiting for.
    pub fn drained(&self) -> u32 {
        self.drained
    }

    /// Asks one tag and waits for the answer; normally well under a millisecond.
    ///
    /// # Errors
    /// Any [`MailboxError`]; [`MailboxError::NotAnswered`] if firmware does not know the tag.
    pub fn call<T: Tag>(
        &mut self,
        board: &impl Platform,
        request: T::Request,
        deadline: Deadline,
    ) -> Result<T::Response, MailboxError> {
        let mut words = [SENTINEL; MAX_WORDS];
        T::encode(request, &mut words);
        let question = Question {
            tag: T::ID,
            words: &words[..T::VALUE_WORDS.min(MAX_WORDS)],
            response_words: T::RESPONSE_WORDS.min(MAX_WORDS),
            claimed_words: T::CLAIMED_WORDS,
        };
        let response = self.ask(board, &question, deadline)?;
        T::decode(&response[..question.response_words])
            .map_err(|found| MailboxError::Malformed { tag: T::ID, found })
    }

    /// [`Self::call`] without the tag's type, so that the image holds it once and not for every tag.
    fn ask(
        &mut self,
        board: &impl Platform,
        question: &Question<'_>,
        deadline: Deadline,
    ) -> Result<[u32; MAX_WORDS], MailboxError> {
        let Question { tag, words, response_words, claimed_words } = *question;
        self.await_late_reply(board, tag, deadline)?;
        self.store_request(tag, words.len());
        for (index, word) in words.iter().enumerate() {
            self.store_word(at::VALUE + index, *word);
        }
        self.exchange(board, tag, deadline)?;

        let (status, answered) = self.load_status(tag)?;
        if answered != response_words * 4 && answered != claimed_words * 4 {
            return Err(MailboxError::NotAnswered { tag, status });
        }
        let mut response = [0; MAX_WORDS];
        for (index, word) in response.iter_mut().enumerate().take(response_words) {
            *word = self.load_word(at::VALUE + index);
        }
        // A word the request left open must have been written.
        let open = response.iter().take(response_words).zip(words).filter(|(_, asked)| **asked == SENTINEL);
        let (mut open_words, mut untouched) = (0, 0);
        for (answer, _) in open {
            open_words += 1;
            untouched += usize::from(*answer == SENTINEL);
        }
        if open_words != 0 && untouched == open_words {
            return Err(MailboxError::NotAnswered { tag, status });
        }
        Ok(response)
    }

    /// The kernel command line (tag 0x00050001), without trailing NULs, at the start of `out`.
    ///
    /// # Errors
    /// As [`Self::call`]; [`MailboxError::Truncated`] if it is longer than `out` or the property buffer.
    pub fn command_line<'a>(
        &mut self,
        board: &impl Platform,
        out: &'a mut [u8],
        deadline: Deadline,
    ) -> Result<&'a [u8], MailboxError> {
        const TAG: u32 = 0x0005_0001;
        let room = (self.buffer.len() / 4 - FRAME_WORDS).min(out.len() / 4);
        let (_, size) = self.text_call(board, TAG, &[], room, deadline)?;
        let truncated = MailboxError::Truncated { tag: TAG, size, room: room * 4 };
        let text = self.load_bytes(out.get_mut(..size).filter(|_| size <= room * 4).ok_or(truncated)?);
        let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Ok(&text[..end])
    }

    /// Asks the firmware by text (tag 0x00030080); the answer is read into `out`, of at least 1024 bytes. It works
    /// while VCHIQ is stuck. A text of [`MAX_MAILBOX_TEXT`] bytes has no NUL: the firmware may have cut it.
    ///
    /// # Errors
    /// As [`Self::call`]; [`MailboxError::NotAnswered`] by firmware that does not know the tag, or leaves the command
    /// where its answer belongs.
    pub fn gencmd<'a>(
        &mut self,
        board: &impl Platform,
        command: &str,
        out: &'a mut [u8],
        deadline: Deadline,
    ) -> Result<Answer<'a>, MailboxError> {
        const TAG: u32 = 0x0003_0080;
        // One word of code, then text.
        const ROOM: usize = 1 + MAX_MAILBOX_TEXT / 4;
        let (need, have) = ((FRAME_WORDS + ROOM) * 4, self.buffer.len());
        if have < need || out.len() < ROOM * 4 || command.len() >= MAX_MAILBOX_TEXT {
            return Err(MailboxError::BufferTooSmall { have: have.min(out.len()), need });
        }
        let status = self.text_call(board, TAG, command.as_bytes(), ROOM, deadline)?.0;
        // Firmware of 2022 says that it has answered 4 bytes, the code alone, and writes the text all the same.
        let bytes = self.load_bytes(&mut out[..ROOM * 4]);
        let answer = Answer::read(bytes).ok().filter(|answer| answer.bytes != command.as_bytes());
        answer.ok_or(MailboxError::NotAnswered { tag: TAG, status })
    }

    /// A call with `room` words of value: zeros, with `text` from the second word on. Gives the tag's status word and
    /// the length it tells.
    fn text_call(
        &mut self,
        board: &impl Platform,
        tag: u32,
        text: &[u8],
        room: usize,
        deadline: Deadline,
    ) -> Result<(u32, usize), MailboxError> {
        self.await_late_reply(board, tag, deadline)?;
        self.store_request(tag, room);
        for index in 0..room {
            self.store_word(at::VALUE + index, 0);
        }
        for (index, chunk) in text.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.store_word(at::VALUE + 1 + index, u32::from_le_bytes(word));
        }
        self.exchange(board, tag, deadline)?;
        self.load_status(tag)
    }

    /// Fills `out` with the value's first bytes.
    fn load_bytes<'a>(&self, out: &'a mut [u8]) -> &'a [u8] {
        for (index, chunk) in out.chunks_mut(4).enumerate() {
            let word = self.load_word(at::VALUE + index).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        out
    }

    fn store_word(&self, index: usize, value: u32) {
        self.buffer.store(index * 4, value);
    }

    fn load_word(&self, index: usize) -> u32 {
        self.buffer.load(index * 4)
    }

    /// Everything but the value.
    fn store_request(&self, tag: u32, value_words: usize) {
        self.store_word(at::TOTAL, ((FRAME_WORDS + value_words) * 4) as u32);
        self.store_word(at::CODE, CODE_REQUEST);
        self.store_word(at::TAG, tag);
        self.store_word(at::VALUE_SIZE, (value_words * 4) as u32);
        self.store_word(at::STATUS, 0);
        self.store_word(at::VALUE + value_words, 0);
    }

    /// The tag's status word and the length it tells, once the frame around it has been checked.
    fn load_status(&self, tag: u32) -> Result<(u32, usize), MailboxError> {
        let code = self.load_word(at::CODE);
        if code != CODE_SUCCESS {
            return Err(MailboxError::Rejected { tag, code });
        }
        let found = self.load_word(at::TAG);
        if found != tag {
            return Err(MailboxError::Malformed { tag, found });
        }
        let status = self.load_word(at::STATUS);
        let length = (status & !TAG_ANSWERED) as usize;
        if status & TAG_ANSWERED == 0 || length == 0 {
            return Err(MailboxError::NotAnswered { tag, status });
        }
        Ok((status, length))
    }

    /// The buffer's address as it stands in the mailbox.
    fn mail(&self) -> u32 {
        self.buffer.bus_address().0 | CHANNEL
    }

    /// After a timed-out call: the buffer is ours again only when its reply has come.
    fn await_late_reply(
        &mut self,
        board: &impl Platform,
        tag: u32,
        deadline: Deadline,
    ) -> Result<(), MailboxError> {
        while self.late_reply_due {
            let word = self.read_word(board, tag, deadline)?;
            self.drained = self.drained.saturating_add(1);
            if word == self.mail() {
                self.late_reply_due = false;
            }
        }
        Ok(())
    }

    /// Sends the buffer and waits until it comes back.
    fn exchange(&mut self, board: &impl Platform, tag: u32, deadline: Deadline) -> Result<(), MailboxError> {
        if let Err(error) = self.send(board, deadline) {
            // Not VideoCore's after all.
            self.store_word(at::TOTAL, 0);
            return Err(error);
        }
        let (word, expected) = (self.read_word(board, tag, deadline)?, self.mail());
        if word != expected {
            return Err(MailboxError::WrongReply { word, expected });
        }
        self.late_reply_due = false;
        // The answer is read after the mailbox word that announced it.
        board.full_barrier();
        Ok(())
    }

    /// Gives the buffer to VideoCore.
    fn send(&mut self, board: &impl Platform, deadline: Deadline) -> Result<(), MailboxError> {
        self.drain()?;
        // The request is in memory before the mailbox word tells of it.
        board.full_barrier();
        while !self.registers.can_write() {
            if deadline.has_passed(board) {
                return Err(MailboxError::Full);
            }
        }
        let mail = self.mail();
        self.registers.write(mail);
        self.late_reply_due = true;
        Ok(())
    }

    fn read_word(
        &mut self,
        board: &impl Platform,
        tag: u32,
        deadline: Deadline,
    ) -> Result<u32, MailboxError> {
        while !self.registers.can_read() {
            if deadline.has_passed(board) {
                return Err(MailboxError::NoReply { tag });
            }
        }
        Ok(self.registers.read())
    }

    /// Throws away what earlier software has left.
    fn drain(&mut self) -> Result<(), MailboxError> {
        let mut last = 0;
        for _ in 0..MAX_STALE {
            if !self.registers.can_read() {
                return Ok(());
            }
            last = self.registers.read();
            self.drained = self.drained.saturating_add(1);
        }
        Err(MailboxError::Flooded { word: last })
    }
}

/// True if the buffer holds a request that has not been answered: an earlier `Mailbox` gave up waiting for it. Firmware
/// replaces the code word of whatever it answers.
fn is_under_way(buffer: &impl Window) -> bool {
    let total = buffer.load(at::TOTAL * 4) as usize;
    buffer.load(at::CODE * 4) == CODE_REQUEST && (FRAME_WORDS * 4..=buffer.len()).contains(&total)
}
