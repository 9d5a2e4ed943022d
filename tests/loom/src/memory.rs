//! Shared words.

use std::{collections::BTreeMap, ops::Range, sync::Mutex};

use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::offset::{MASTER, SLAVE, SLOT_QUEUE};

/// Memory of both sides.
///
/// Words that the scenario is about are loom's: a load gives whatever a weakly ordered memory could give. The rest is
/// plain and only for setting up; once the scenario runs, touching it is an error of the scenario.
pub struct Memory {
    watched: BTreeMap<usize, AtomicU32>,
    plain: Mutex<Plain>,
}

struct Plain {
    words: Vec<u32>,
    sealed: bool,
}

/// Queue entries that a scenario may use.
const ENTRIES: usize = 4;

impl Memory {
    /// `bytes` of memory; watched are the events, positions and queues of both sides, and these `messages`.
    pub fn new(bytes: usize, messages: &[Range<usize>]) -> Self {
        let halves = [MASTER, SLAVE].map(|half| half + 0x10..half + SLOT_QUEUE + 4 * ENTRIES);
        let ranges = halves.iter().chain(messages).cloned();
        let watched =
            ranges.flat_map(|range| range.step_by(4)).map(|offset| (offset, AtomicU32::new(0))).collect();
        Self { watched, plain: Mutex::new(Plain { words: vec![0; bytes / 4], sealed: false }) }
    }

    /// The scenario begins.
    pub fn seal(&self) {
        self.plain().sealed = true;
    }

    fn plain(&self) -> std::sync::MutexGuard<'_, Plain> {
        self.plain.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.plain().words.len() * 4
    }

    /// True for no memory at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Loads a word, unordered.
    ///
    /// # Panics
    /// If the scenario has begun and does not watch the word.
    pub fn load(&self, offset: usize) -> u32 {
        if let Some(word) = self.watched.get(&offset) {
            return word.load(Relaxed);
        }
        let plain = self.plain();
        assert!(!plain.sealed, "load of unwatched word {offset:#x}");
        plain.words[offset / 4]
    }

    /// Stores a word, unordered.
    ///
    /// # Panics
    /// As [`Self::load`].
    pub fn store(&self, offset: usize, value: u32) {
        if let Some(word) = self.watched.get(&offset) {
            word.store(value, Relaxed);
            return;
        }
        let mut plain = self.plain();
        assert!(!plain.sealed, "store to unwatched word {offset:#x}");
        plain.words[offset / 4] = value;
    }
}
