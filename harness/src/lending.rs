//! Which parts of the memory to lend are free.
//!
//! A part that VideoCore was given and did not give back stays taken for the rest of the run: a later scenario that
//! used it again would find damage that is not its own.

use core::ops::Range;

use crate::{
    block::Block,
    board::{LENDABLE_BYTES, Lendable},
    failure::Failure,
    pattern::Pattern,
    stretch::Stretch,
    verdict::Owner,
};

/// Bytes of a page: what blocks are counted in. Each has one of its own before it and one behind it for the guards.
pub(crate) const PAGE: usize = 4096;
/// Pages there are.
const PAGES: usize = LENDABLE_BYTES / PAGE;
/// Bits of a word of the map.
const BITS: usize = u64::BITS as usize;

/// The memory to lend, page by page.
pub(crate) struct Lending<'a, L: Lendable> {
    memory: &'a L,
    /// A bit for each page that is taken.
    taken: [u64; PAGES.div_ceil(BITS)],
}

impl<'a, L: Lendable> Lending<'a, L> {
    /// All of it free.
    pub(crate) fn new(memory: &'a L) -> Self {
        Self { memory, taken: [0; PAGES.div_ceil(BITS)] }
    }

    /// The memory itself, for what looks at it before anything is lent.
    pub(crate) fn memory(&self) -> &'a L {
        self.memory
    }

    /// A block of `size` bytes, a multiple of 64, page-aligned.
    ///
    /// # Errors
    /// If there is no room: with the number of bytes that are out.
    pub(crate) fn take(&mut self, size: usize, pattern: Pattern) -> Result<Block<'a, L>, Failure> {
        Ok(Block::new(self.memory, self.reserve(size)?, size, pattern))
    }

    /// A stretch of `size` bytes that begins `offset` bytes into a page.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_stretch(&mut self, offset: usize, size: usize) -> Result<Stretch<'a, L>, Failure> {
        let start = self.reserve(offset + size)? + offset;
        Ok(Stretch::new(self.memory, start, size))
    }

    /// Byte offset of so many bytes that were free, from a page on.
    fn reserve(&mut self, size: usize) -> Result<usize, Failure> {
        let pages = pages_around(size);
        let Some(first) = self.find(pages) else {
            let out = self.taken.iter().map(|word| word.count_ones() as usize).sum::<usize>() * PAGE;
            let reason =
                format_args!("no room for {size} bytes more: {out} of {LENDABLE_BYTES} bytes are lent");
            return Err(Failure::fail(Owner::Harness, reason));
        };
        self.mark(first..first + pages, true);
        Ok((first + 1) * PAGE)
    }

    /// Takes a block back that VideoCore has let go of.
    pub(crate) fn put_back(&mut self, block: &Block<'a, L>) {
        let first = block.start() / PAGE - 1;
        self.mark(first..first + pages_around(vcsm::Lend::size(block) as usize), false);
    }

    /// Takes a stretch back that VideoCore has let go of.
    pub(crate) fn put_back_stretch(&mut self, stretch: &Stretch<'a, L>) {
        let first = stretch.start() / PAGE - 1;
        self.mark(first..first + pages_around(stretch.start() % PAGE + stretch.len()), false);
    }

    /// First page of the first free run of so many.
    fn find(&self, pages: usize) -> Option<usize> {
        let mut first = 0;
        while first + pages <= PAGES {
            match (first..first + pages).rev().find(|page| self.is_taken(*page)) {
                None => return Some(first),
                Some(taken) => first = taken + 1,
            }
        }
        None
    }

    fn is_taken(&self, page: usize) -> bool {
        self.taken[page / BITS] >> (page % BITS) & 1 == 1
    }

    fn mark(&mut self, pages: Range<usize>, taken: bool) {
        for page in pages {
            let bit = 1 << (page % BITS);
            if taken {
                self.taken[page / BITS] |= bit;
            } else {
                self.taken[page / BITS] &= !bit;
            }
        }
    }
}

/// Pages of a block with those of its guards.
const fn pages_around(size: usize) -> usize {
    size.div_ceil(PAGE) + 2
}

#[cfg(test)]
mod tests {
    use vchiq_mbox::{BusAddress, Window};

    use super::*;
    use crate::board::LARGEST_BLOCK_BYTES;

    struct Nothing;

    impl Window for Nothing {
        fn len(&self) -> usize {
            LENDABLE_BYTES
        }
        fn bus_address(&self) -> BusAddress {
            BusAddress(0xc100_0000)
        }
        fn load(&self, _: usize) -> u32 {
            0
        }
        fn store(&self, _: usize, _: u32) {}
    }

    impl Lendable for Nothing {
        fn clean(&self, _: usize, _: usize) {}
        fn invalidate(&self, _: usize, _: usize) {}
    }

    fn starts(blocks: &[Block<'_, Nothing>]) -> Vec<usize> {
        blocks.iter().map(Block::start).collect()
    }

    #[test]
    fn blocks_and_their_guards_do_not_touch() {
        let mut lending = Lending::new(&Nothing);
        let blocks: Vec<_> =
            [64, PAGE, PAGE + 64].map(|size| lending.take(size, Pattern::new(1)).expect("room")).into();
        assert_eq!(starts(&blocks), [PAGE, 4 * PAGE, 7 * PAGE]);
    }

    #[test]
    fn a_stretch_has_the_pages_that_its_offset_makes_it_reach() {
        let mut lending = Lending::new(&Nothing);
        let stretch = lending.take_stretch(PAGE - 1, 2).expect("room");
        let block = lending.take(PAGE, Pattern::new(1)).expect("room");
        assert_eq!((stretch.start(), block.start()), (2 * PAGE - 1, 5 * PAGE));
        lending.put_back_stretch(&stretch);
        assert_eq!(lending.take(2 * PAGE, Pattern::new(1)).expect("room").start(), PAGE);
    }

    #[test]
    fn a_block_that_does_not_come_back_is_not_lent_again() {
        let mut lending = Lending::new(&Nothing);
        let kept = lending.take(PAGE, Pattern::new(1)).expect("room");
        let _lost = kept;
        let back = lending.take(PAGE, Pattern::new(1)).expect("room");
        let start = back.start();
        assert_ne!(start, PAGE);
        lending.put_back(&back);
        assert_eq!(lending.take(PAGE, Pattern::new(1)).expect("room").start(), start);
    }

    #[test]
    fn the_largest_block_fits_beside_one_that_was_lost_and_128_small_ones_fit_together() {
        let mut lending = Lending::new(&Nothing);
        let _lost = lending.take(1 << 20, Pattern::new(1)).expect("room");
        let large = lending.take(LARGEST_BLOCK_BYTES, Pattern::new(1)).expect("room");
        lending.put_back(&large);
        let mut lending = Lending::new(&Nothing);
        for _ in 0..128 {
            let _lost = lending.take(32 * 1024, Pattern::new(1)).expect("room");
        }
    }

    #[test]
    fn a_full_memory_is_our_own_fault_and_says_how_much_is_out() {
        let mut lending = Lending::new(&Nothing);
        let _lost = lending.take(LARGEST_BLOCK_BYTES, Pattern::new(1)).expect("room");
        let failure = lending.take(LARGEST_BLOCK_BYTES, Pattern::new(1)).map(|_| ()).expect_err("no room");
        assert_eq!(failure.owner, Some(Owner::Harness));
        assert!(failure.reason.contains("4202496"), "{}", failure.reason);
    }
}
