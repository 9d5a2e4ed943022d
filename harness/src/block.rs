//! A block of the memory that is lent, between two guards.
//!
//! ```text
//! page           page            + size       + 64
//! │ … │ guard 64 │ block         │ guard │ … │
//! ```
//!
//! Blocks up to 16 KiB are filled and checked word by word. In larger ones it is all words of the first and the last
//! KiB and one word of each KiB between: filling 4 MiB for every handshake would take longer than the handshakes. A block
//! that is lent a million times over is stamped: its first and its last cache line and the guards, and nothing between.

use core::ops::Range;

use vchiq_mbox::BusAddress;
use vcsm::Lend;

use crate::{board::Lendable, damage::Damage, pattern::Pattern};

/// Bytes of a guard: a cache line on either side.
const GUARD: usize = 64;
/// Blocks up to this size are checked word by word.
const DENSE_BYTES: usize = 16 * 1024;
/// What is checked densely at both ends of a larger block, and how far apart the words between are.
const SPARSE_BYTES: usize = 1024;
/// What is stamped at both ends: a cache line.
const STAMP_BYTES: usize = 64;

/// A stretch of the memory to lend; whoever has it is the only one to touch that memory.
///
/// It comes from a [`crate::lending::Lending`] and goes back there. One that is dropped instead stays reserved: nobody
/// knows what VideoCore still does with it.
pub(crate) struct Block<'a, L: Lendable> {
    memory: &'a L,
    /// Byte offset in the memory, a multiple of 64, with a guard's room before it.
    start: usize,
    size: usize,
    pattern: Pattern,
    /// Bits 31:30 of the address that VideoCore is told; the memory's own unless asked for.
    alias: Option<u32>,
    /// Only its ends and its guards are filled and checked.
    is_stamped: bool,
}

impl<'a, L: Lendable> Block<'a, L> {
    /// The block of `size` bytes at `start`, multiples of 64. The caller sees to it that there is no other.
    pub(crate) fn new(memory: &'a L, start: usize, size: usize, pattern: Pattern) -> Self {
        Self { memory, start, size, pattern, alias: None, is_stamped: false }
    }

    /// A part of it, told in another alias. Whoever uses the part must not use the whole meanwhile.
    pub(crate) fn part(&self, offset: usize, size: usize, alias: u32) -> Self {
        let Self { memory, start, pattern, is_stamped, .. } = *self;
        Self { memory, start: start + offset, size, pattern, alias: Some(alias), is_stamped }
    }

    /// The same block, stamped: filling and checking it costs the same whatever its size. What damages the middle goes
    /// unseen.
    pub(crate) fn stamped(self) -> Self {
        Self { is_stamped: true, ..self }
    }

    /// Makes it ready to be lent once more, with `size` bytes of those it was taken with.
    pub(crate) fn renew(&mut self, size: usize, pattern: Pattern) {
        self.size = size;
        self.pattern = pattern;
    }

    /// Byte offset in the memory to lend.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Fills block and guards, and makes VideoCore see it.
    pub(crate) fn fill(&self) {
        for offset in self.offsets() {
            self.memory.store(offset, self.pattern.word(offset));
        }
        for span in self.spans() {
            self.memory.clean(span.start, span.len());
        }
    }

    /// Looks at block and guards as VideoCore left them.
    pub(crate) fn check(&self) -> Result<(), Damage> {
        for span in self.spans() {
            self.memory.invalidate(span.start, span.len());
        }
        for offset in self.offsets() {
            let (expected, found) = (self.pattern.word(offset), self.memory.load(offset));
            if found != expected {
                return Err(Damage { offset: offset as i32 - self.start as i32, expected, found });
            }
        }
        Ok(())
    }

    /// Looks whether VideoCore has copied `source` into this block, every word of it, and nothing around.
    pub(crate) fn check_copy_of(&self, source: &Self) -> Result<(), Damage> {
        self.memory.invalidate(self.start - GUARD, self.size + 2 * GUARD);
        for place in (0..self.size + 2 * GUARD).step_by(4) {
            let (here, there) = (self.start - GUARD + place, source.start - GUARD + place);
            let is_guard = !(GUARD..GUARD + self.size).contains(&place);
            let expected = if is_guard { self.pattern.word(here) } else { source.pattern.word(there) };
            let found = self.memory.load(here);
            if found != expected {
                return Err(Damage { offset: place as i32 - GUARD as i32, expected, found });
            }
        }
        Ok(())
    }

    /// Byte offsets of the words that count.
    fn offsets(&self) -> impl Iterator<Item = usize> {
        let [head, between, tail] = self.parts();
        let between = if self.is_stamped { between.end..between.end } else { between };
        let dense = head.chain(tail).step_by(4);
        dense.chain(between.step_by(SPARSE_BYTES))
    }

    /// The cache lines in which those words are. Of a stamped block nobody stores into the others.
    fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        let [head, between, tail] = self.parts();
        let spans =
            if self.is_stamped { [head, tail] } else { [head.start..tail.end, between.end..between.end] };
        spans.into_iter().filter(|span| !span.is_empty())
    }

    /// Beginning and end, where every word counts, with the guards; and what is between.
    fn parts(&self) -> [Range<usize>; 3] {
        let (start, end) = (self.start - GUARD, self.start + self.size + GUARD);
        let (least, dense) =
            if self.is_stamped { (2 * STAMP_BYTES, STAMP_BYTES) } else { (DENSE_BYTES, SPARSE_BYTES) };
        if self.size <= least {
            return [start..end, end..end, end..end];
        }
        let (head, tail) = (start + GUARD + dense, end - GUARD - dense);
        [start..head, head..tail, tail..end]
    }
}

impl<L: Lendable> Lend for Block<'_, L> {
    fn bus_address(&self) -> BusAddress {
        let address = BusAddress(self.memory.bus_address().0.wrapping_add(self.start as u32));
        self.alias.map_or(address, |alias| BusAddress(alias | address.physical()))
    }

    fn size(&self) -> u32 {
        self.size as u32
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::BTreeSet};

    use vchiq_mbox::Window;

    use super::*;

    const START: usize = 4096;

    struct FakeMemory(Vec<Cell<u32>>);

    impl FakeMemory {
        fn new(bytes: usize) -> Self {
            Self(vec![Cell::new(0); bytes / 4])
        }
    }

    impl Window for FakeMemory {
        fn len(&self) -> usize {
            self.0.len() * 4
        }
        fn bus_address(&self) -> BusAddress {
            BusAddress(0xc010_0000)
        }
        fn load(&self, offset: usize) -> u32 {
            self.0[offset / 4].get()
        }
        fn store(&self, offset: usize, value: u32) {
            self.0[offset / 4].set(value);
        }
    }

    impl Lendable for FakeMemory {
        fn clean(&self, _: usize, _: usize) {}
        fn invalidate(&self, _: usize, _: usize) {}
    }

    #[test]
    fn a_small_block_and_its_guards_are_checked_word_by_word() {
        let memory = FakeMemory::new(START + DENSE_BYTES + START);
        let block = Block::new(&memory, START, DENSE_BYTES, Pattern::new(3));
        block.fill();
        assert_eq!(block.check(), Ok(()));
        for offset in (START - GUARD..START + DENSE_BYTES + GUARD).step_by(4) {
            let word = memory.load(offset);
            memory.store(offset, !word);
            let damage = block.check().expect_err("a damaged word");
            assert_eq!((damage.offset, damage.found), (offset as i32 - START as i32, !word));
            memory.store(offset, word);
        }
    }

    #[test]
    fn a_large_block_is_checked_at_its_ends_and_in_every_kib() {
        let size = 256 * 1024;
        let memory = FakeMemory::new(START + size + START);
        let block = Block::new(&memory, START, size, Pattern::new(3));
        let offsets: BTreeSet<usize> = block.offsets().collect();
        assert_eq!(offsets.len(), block.offsets().count(), "no word twice");
        let inside = |from: usize, to: usize| (from..to).step_by(4).all(|offset| offsets.contains(&offset));
        assert!(inside(START - GUARD, START + SPARSE_BYTES));
        assert!(inside(START + size - SPARSE_BYTES, START + size + GUARD));
        for kib in (START..START + size).step_by(SPARSE_BYTES) {
            assert!(offsets.range(kib..kib + SPARSE_BYTES).next().is_some(), "nothing in {kib:#x}");
        }
        block.fill();
        assert_eq!(block.check(), Ok(()));
    }

    #[test]
    fn a_copy_has_every_word_of_its_source_and_guards_of_its_own() {
        let memory = FakeMemory::new(6 * START);
        let source = Block::new(&memory, START, 256, Pattern::new(3));
        let target = Block::new(&memory, 3 * START, 256, Pattern::new(4));
        source.fill();
        target.fill();
        assert!(target.check_copy_of(&source).is_err(), "nothing was copied");
        for offset in (0..256).step_by(4) {
            memory.store(3 * START + offset, memory.load(START + offset));
        }
        assert_eq!(target.check_copy_of(&source), Ok(()));
        for offset in [-4, 0, 252, 256] {
            let place = (3 * START).wrapping_add_signed(offset);
            let word = memory.load(place);
            memory.store(place, !word);
            let damage = target.check_copy_of(&source).expect_err("a damaged word");
            assert_eq!(damage.offset, offset as i32);
            memory.store(place, word);
        }
    }

    #[test]
    fn a_stamped_block_is_checked_at_its_ends_and_in_its_guards_only() {
        for size in [64, 128, 192, 32 * 1024] {
            let memory = FakeMemory::new(START + size + START);
            let block = Block::new(&memory, START, size, Pattern::new(3)).stamped();
            let offsets: BTreeSet<usize> = block.offsets().collect();
            assert_eq!(offsets.len(), block.offsets().count(), "no word twice");
            let (head, tail) = (START + size.min(STAMP_BYTES), START + size - size.min(STAMP_BYTES));
            let ends = (START - GUARD..head).chain(tail..START + size + GUARD).step_by(4);
            assert_eq!(offsets, ends.collect(), "{size}");
            let kept: BTreeSet<usize> = block.spans().flatten().step_by(4).collect();
            assert_eq!(offsets, kept, "every word is in a line that is cleaned, {size}");
            block.fill();
            assert_eq!(block.check(), Ok(()));
            memory.store(START + size, 0);
            assert!(block.check().is_err(), "{size}");
        }
    }

    #[test]
    fn a_block_that_is_renewed_takes_nothing_of_its_former_life() {
        let memory = FakeMemory::new(START + 4096 + START);
        let mut block = Block::new(&memory, START, 4096, Pattern::new(3)).stamped();
        block.fill();
        block.renew(2048, Pattern::new(4));
        assert!(block.check().is_err(), "the former pattern");
        block.fill();
        assert_eq!((block.check(), block.size()), (Ok(()), 2048));
    }

    #[test]
    fn the_block_is_page_aligned_for_videocore() {
        let memory = FakeMemory::new(3 * START);
        let block = Block::new(&memory, START, START, Pattern::new(3));
        assert_eq!((block.bus_address(), block.size()), (BusAddress(0xc010_1000), 4096));
    }
}
