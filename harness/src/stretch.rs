//! A stretch of the memory to lend that a bulk transfer reads or fills: of any offset and size, between two guards.

use vchiq_mbox::bulk::BulkMemory;

use crate::{board::Lendable, damage::Damage, lending::PAGE, pattern::Pattern};

/// Bytes looked at on either side: more than a cache line, whatever the offset.
const GUARD: usize = 128;
/// Bytes of the Arm's cache lines, which its maintenance works on.
const LINE: usize = 64;

/// Memory that VideoCore moves; whoever has it is the only one to touch it and the guards around it.
///
/// It comes from a [`crate::lending::Lending`] and goes back there. One that is dropped instead stays reserved.
pub(crate) struct Stretch<'a, L: Lendable> {
    memory: &'a L,
    /// Byte offset in the memory to lend, with a guard's room before it.
    start: usize,
    size: usize,
}

impl<'a, L: Lendable> Stretch<'a, L> {
    /// The stretch of `size` bytes at `start`. The caller sees to it that there is no other.
    pub(crate) fn new(memory: &'a L, start: usize, size: usize) -> Self {
        Self { memory, start, size }
    }

    /// Byte offset in the memory to lend.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Bytes.
    pub(crate) fn len(&self) -> usize {
        self.size
    }

    /// Fills stretch and guards with one pattern, and makes VideoCore see it.
    pub(crate) fn fill(&self, pattern: Pattern) {
        self.fill_words(|offset| pattern.word(self.place(offset)));
    }

    /// Fills the stretch byte by byte, the guards with a pattern, and makes VideoCore see it.
    pub(crate) fn fill_bytes(&self, inside: impl Fn(usize) -> u8, around: Pattern) {
        self.fill_words(|offset| self.word_of_bytes(offset, &inside, around));
    }

    fn fill_words(&self, word: impl Fn(usize) -> u32) {
        for offset in self.words() {
            self.memory.store(offset, word(offset));
        }
        let (start, length) = lines(self.start - GUARD, self.start + self.size + GUARD);
        self.memory.clean(start, length);
    }

    /// Looks whether the stretch holds `inside` and its guards still hold `around`, byte for byte. Two stretches whose
    /// starts differ by a multiple of 4 have the same pattern in the same place.
    pub(crate) fn check(&self, inside: Pattern, around: Pattern) -> Result<(), Damage> {
        self.check_words(|offset| {
            let (place, mask) = (self.place(offset), self.mask(offset));
            inside.word(place) & mask | around.word(place) & !mask
        })
    }

    /// Looks whether the stretch holds these bytes and its guards still hold `around`.
    pub(crate) fn check_bytes(&self, inside: impl Fn(usize) -> u8, around: Pattern) -> Result<(), Damage> {
        self.check_words(|offset| self.word_of_bytes(offset, &inside, around))
    }

    fn check_words(&self, word: impl Fn(usize) -> u32) -> Result<(), Damage> {
        let (start, length) = lines(self.start - GUARD, self.start + self.size + GUARD);
        self.memory.invalidate(start, length);
        for offset in self.words() {
            let expected = word(offset);
            let found = self.memory.load(offset);
            if found != expected {
                let byte = (expected ^ found).trailing_zeros() as usize / 8;
                return Err(Damage { offset: (offset + byte) as i32 - self.start as i32, expected, found });
            }
        }
        Ok(())
    }

    /// The word at `offset`: bytes of the stretch by their place in it, the others of the pattern.
    fn word_of_bytes(&self, offset: usize, inside: &impl Fn(usize) -> u8, around: Pattern) -> u32 {
        let stretch = self.start..self.start + self.size;
        let mut bytes = around.word(self.place(offset)).to_le_bytes();
        for (at, byte) in (offset..).zip(&mut bytes) {
            if stretch.contains(&at) {
                *byte = inside(at - self.start);
            }
        }
        u32::from_le_bytes(bytes)
    }

    /// Of the word at `offset`, the bits that belong to the stretch.
    fn mask(&self, offset: usize) -> u32 {
        let end = self.start + self.size;
        if offset >= self.start && offset + 4 <= end {
            return u32::MAX;
        }
        let inside = |byte: &u32| (self.start..end).contains(&(offset + *byte as usize));
        (0..4).filter(inside).fold(0, |mask, byte| mask | 0xff << (8 * byte))
    }

    /// Place of a word in the pattern.
    fn place(&self, offset: usize) -> usize {
        offset - self.first_word()
    }

    fn first_word(&self) -> usize {
        (self.start - GUARD) & !3
    }

    /// Byte offsets of all its words in the memory to lend, guards included.
    fn words(&self) -> impl Iterator<Item = usize> + use<L> {
        (self.first_word()..self.start + self.size + GUARD).step_by(4)
    }
}

/// The cache lines of `start..end`: where they begin, and their bytes.
const fn lines(start: usize, end: usize) -> (usize, usize) {
    let first = start & !(LINE - 1);
    (first, end.next_multiple_of(LINE) - first)
}

impl<L: Lendable> BulkMemory for Stretch<'_, L> {
    fn size(&self) -> u32 {
        self.size as u32
    }

    fn offset(&self) -> u16 {
        (self.start % PAGE) as u16
    }

    fn page(&self, number: u32) -> u64 {
        let first = u64::from(self.memory.bus_address().physical()) + (self.start - self.start % PAGE) as u64;
        first + u64::from(number) * PAGE as u64
    }

    fn clean(&mut self) {
        let (start, length) = lines(self.start, self.start + self.size);
        self.memory.clean(start, length);
    }

    // VideoCore may reckon with shorter lines than the Arm has. The rest of an outer line is a guard, which nobody
    // stores to meanwhile: it is clean, and can be dropped too.
    fn invalidate(&mut self, start: u32, end: u32) {
        if start < end {
            let (start, length) = lines(self.start + start as usize, self.start + end as usize);
            self.memory.invalidate(start, length);
        }
    }

    fn store(&mut self, at: u32, bytes: &[u8]) {
        for (place, byte) in (self.start + at as usize..).zip(bytes) {
            let shift = 8 * (place % 4);
            let rest = self.memory.load(place & !3) & !(0xff << shift);
            self.memory.store(place & !3, rest | u32::from(*byte) << shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use vchiq_mbox::{BusAddress, Window};

    use super::*;

    struct FakeMemory(Vec<Cell<u32>>);

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
        fn clean(&self, offset: usize, length: usize) {
            assert!(offset.is_multiple_of(LINE) && length.is_multiple_of(LINE));
        }
        fn invalidate(&self, offset: usize, length: usize) {
            self.clean(offset, length);
        }
    }

    const INSIDE: Pattern = Pattern::new(1);
    const AROUND: Pattern = Pattern::new(2);

    fn memory() -> FakeMemory {
        FakeMemory((0..4 * PAGE / 4).map(|_| Cell::new(0)).collect())
    }

    /// What the bytes of `from` are after a transfer into `to`.
    fn copy(from: &Stretch<'_, FakeMemory>, to: &mut Stretch<'_, FakeMemory>) {
        for at in 0..from.size {
            let place = from.start + at;
            let byte = from.memory.load(place & !3).to_le_bytes()[place % 4];
            to.store(at as u32, &[byte]);
        }
    }

    #[test]
    fn a_copy_is_whole_and_every_changed_byte_in_it_or_around_it_is_found() {
        let memory = memory();
        for (start, size) in [(PAGE, 64), (PAGE + 21, 70), (PAGE + 3, 1)] {
            let sent = Stretch::new(&memory, start, size);
            let mut got = Stretch::new(&memory, start + PAGE + 32, size);
            sent.fill(INSIDE);
            got.fill(AROUND);
            copy(&sent, &mut got);
            assert_eq!(got.check(INSIDE, AROUND), Ok(()), "{size} bytes at {start:#x}");
            for place in got.start - GUARD..got.start + size + GUARD {
                let word = memory.load(place & !3);
                memory.store(place & !3, word ^ 1 << (8 * (place % 4)));
                let damage = got.check(INSIDE, AROUND).expect_err("a changed byte");
                let offset = place as i32 - got.start as i32;
                assert_eq!((damage.offset, damage.expected), (offset, word), "byte {place:#x}");
                memory.store(place & !3, word);
            }
        }
    }

    #[test]
    fn bytes_of_a_rule_are_put_where_they_belong_and_the_guards_keep_their_pattern() {
        let memory = memory();
        let stretch = Stretch::new(&memory, PAGE + 29, 7);
        let rule = |at: usize| 0x40 + at as u8;
        stretch.fill_bytes(rule, AROUND);
        assert_eq!(memory.load(PAGE + 28) >> 8, 0x42_4140);
        assert_eq!(memory.load(PAGE + 32), 0x4645_4443);
        assert_eq!(stretch.check_bytes(rule, AROUND), Ok(()));
        for (place, offset) in [(PAGE + 28, -1), (PAGE + 29, 0), (PAGE + 35, 6), (PAGE + 36, 7)] {
            let word = memory.load(place & !3);
            memory.store(place & !3, word ^ 1 << (8 * (place % 4)));
            let damage = stretch.check_bytes(rule, AROUND).expect_err("a changed byte");
            assert_eq!((damage.offset, damage.expected), (offset, word));
            memory.store(place & !3, word);
        }
    }

    #[test]
    fn pages_are_those_that_the_bytes_lie_in() {
        let memory = memory();
        let stretch = Stretch::new(&memory, PAGE + 21, PAGE);
        assert_eq!((stretch.offset(), stretch.size()), (21, 4096));
        assert_eq!((stretch.page(0), stretch.page(1)), (0x10_1000, 0x10_2000));
    }
}
