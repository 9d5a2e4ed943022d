//! A mailbox whose firmware knows one tag, or misbehaves.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use super::Memory;
use crate::platform::{BusAddress, MailboxRegisters, Window};

/// What the firmware does with the buffer.
#[derive(Clone, Debug)]
pub enum MailboxBehaviour {
    /// Answers every tag by these words, and claims so many bytes.
    Answer {
        /// Words of the value.
        words: Vec<u32>,
        /// Bytes claimed.
        bytes: u32,
    },
    /// Sets the response code and leaves the tag alone.
    UnknownTag,
    /// As QEMU: claims an answer of so many bytes without writing one.
    ClaimOnly {
        /// Bytes claimed.
        bytes: u32,
    },
    /// Says parse error.
    Reject,
    /// Never answers.
    Silent,
    /// Overwrites the buffer's first words.
    Buffer(Vec<u32>),
    /// Answers by another word.
    WrongWord(u32),
}

struct Inner {
    memory: Memory,
    mail: VecDeque<u32>,
    behaviour: MailboxBehaviour,
    /// Words written to the mailbox.
    written: Vec<u32>,
    /// The buffer as it was when the last request came, if it is noted.
    request: Option<Vec<u8>>,
    full: bool,
}

/// Registers and buffer of a mailbox; clones share both.
#[derive(Clone)]
pub struct FakeMailbox {
    inner: Rc<RefCell<Inner>>,
}

impl FakeMailbox {
    /// Where the buffer lies.
    pub const BUS: BusAddress = BusAddress(0xc010_0000);

    /// With a buffer of `bytes`.
    pub fn new(bytes: usize, behaviour: MailboxBehaviour) -> Self {
        let memory = Memory::full_of_rubbish(bytes);
        let inner = Inner {
            memory,
            mail: VecDeque::new(),
            behaviour,
            written: Vec::new(),
            request: None,
            full: false,
        };
        Self { inner: Rc::new(RefCell::new(inner)) }
    }

    /// Changes what the firmware does.
    pub fn behave(&self, behaviour: MailboxBehaviour) {
        self.inner.borrow_mut().behaviour = behaviour;
    }

    /// Puts a word into mailbox 0.
    pub fn deliver(&self, word: u32) {
        self.inner.borrow_mut().mail.push_back(word);
    }

    /// Lets mailbox 1 look full.
    pub fn set_full(&self, full: bool) {
        self.inner.borrow_mut().full = full;
    }

    /// Notes each request from now on.
    pub fn note_requests(&self) {
        self.inner.borrow_mut().request = Some(Vec::new());
    }

    /// The buffer as it was when the last request came; empty if nothing was noted.
    pub fn request(&self) -> Vec<u8> {
        self.inner.borrow().request.clone().unwrap_or_default()
    }

    /// Words written to mailbox 1 so far.
    pub fn written(&self) -> Vec<u32> {
        self.inner.borrow().written.clone()
    }

    /// The first words of the buffer.
    pub fn buffer_words(&self, count: usize) -> Vec<u32> {
        let inner = self.inner.borrow();
        (0..count).map(|index| inner.memory.load(index * 4)).collect()
    }
}

impl MailboxRegisters for FakeMailbox {
    fn can_read(&self) -> bool {
        !self.inner.borrow().mail.is_empty()
    }

    fn read(&mut self) -> u32 {
        self.inner.borrow_mut().mail.pop_front().unwrap_or(0)
    }

    fn can_write(&self) -> bool {
        !self.inner.borrow().full
    }

    fn write(&mut self, word: u32) {
        let mut inner = self.inner.borrow_mut();
        inner.written.push(word);
        if inner.request.is_some() {
            let bytes = inner.memory.len();
            inner.request = Some(inner.memory.bytes(0, bytes));
        }
        let mut reply = word;
        match inner.behaviour.clone() {
            MailboxBehaviour::Silent => return,
            MailboxBehaviour::WrongWord(other) => reply = other,
            MailboxBehaviour::Reject => inner.memory.store(4, 0x8000_0001),
            MailboxBehaviour::Buffer(words) => {
                for (index, word) in words.iter().enumerate() {
                    inner.memory.store(index * 4, *word);
                }
            }
            MailboxBehaviour::UnknownTag => inner.memory.store(4, 0x8000_0000),
            MailboxBehaviour::ClaimOnly { bytes } => {
                inner.memory.store(4, 0x8000_0000);
                inner.memory.store(16, 0x8000_0000 | bytes);
            }
            MailboxBehaviour::Answer { words, bytes } => {
                inner.memory.store(4, 0x8000_0000);
                inner.memory.store(16, 0x8000_0000 | bytes);
                for (index, answer) in words.iter().enumerate() {
                    inner.memory.store(20 + index * 4, *answer);
                }
            }
        }
        inner.mail.push_back(reply);
    }
}

impl Window for FakeMailbox {
    fn len(&self) -> usize {
        self.inner.borrow().memory.len()
    }

    fn bus_address(&self) -> BusAddress {
        Self::BUS
    }

    fn load(&self, offset: usize) -> u32 {
        self.inner.borrow().memory.load(offset)
    }

    fn store(&self, offset: usize, value: u32) {
        self.inner.borrow_mut().memory.store(offset, value);
    }
}
