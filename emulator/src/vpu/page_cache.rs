//! Decoded instructions, a page of RAM at a time.
//!
//! A page is decoded lazily, instruction by instruction. It keeps a copy of the bytes it was decoded from: when
//! somebody stores into a page that holds decoded code, only instructions whose bytes really changed are forgotten, so
//! that data living in the same page as code costs a comparison and no more.

use super::bus::CoreId;
use super::decode::{Decoded, MAX_HALFWORDS, decode, length_of};
use super::hot::specialise;
use super::op::Op;
use super::vector::VectorInstruction;
use crate::ram::{CodeOwner, PAGE_SHIFT, RAM_SIZE, Ram};

const PAGE_SIZE: usize = 1 << PAGE_SHIFT;
/// Halfwords, that is possible instructions, in a page.
const SLOTS: usize = PAGE_SIZE / 2;
/// Halfwords an instruction that begins in a page can reach into the next one.
const OVERHANG: usize = MAX_HALFWORDS - 1;
const NOT_CACHED: u32 = u32::MAX;

/// An instruction ready to execute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) op: Op,
    /// Bytes.
    pub(super) length: u8,
}

const EMPTY: Slot = Slot { op: Op::Undecoded, length: 0 };

/// The decoded form of one page.
pub(super) struct Page {
    slots: Box<[Slot; SLOTS]>,
    /// What the slots were decoded from, and the first halfwords of the next page.
    source: Box<[u16; SLOTS + OVERHANG]>,
    /// Vector instructions are too long for a slot.
    vectors: Vec<VectorInstruction>,
    /// Physical address.
    address: u32,
}

impl Page {
    fn new(address: u32, ram: &Ram) -> Self {
        let mut page = Self {
            slots: Box::new([EMPTY; SLOTS]),
            source: Box::new([0; SLOTS + OVERHANG]),
            vectors: Vec::new(),
            address,
        };
        page.copy_source(ram);
        page
    }

    /// A slot for each halfword of the page.
    #[inline(always)]
    pub(super) fn slots(&self) -> &[Slot; SLOTS] {
        &self.slots
    }

    pub(super) fn vector(&self, index: u16) -> &VectorInstruction {
        &self.vectors[index as usize]
    }

    /// The halfwords at `offset` bytes into the page, as they were when decoded.
    fn halfwords(&self, offset: u32) -> [u16; MAX_HALFWORDS] {
        let index = (offset >> 1) as usize;
        let mut halfwords = [0; MAX_HALFWORDS];
        halfwords.copy_from_slice(&self.source[index..index + MAX_HALFWORDS]);
        halfwords
    }

    /// Decodes the instruction at `offset` bytes into the page.
    pub(super) fn fill(&mut self, offset: u32) {
        let halfwords = self.halfwords(offset);
        let length = length_of(halfwords[0]) as u8;
        let op = match decode(&halfwords) {
            Decoded::Scalar(op) => specialise(op),
            Decoded::Vector(instruction) => {
                let index = self.vectors.len() as u16;
                self.vectors.push(instruction);
                Op::Vector { index }
            }
        };
        self.slots[(offset >> 1) as usize] = Slot { op, length };
    }

    fn copy_source(&mut self, ram: &Ram) {
        for (index, halfword) in self.source.iter_mut().enumerate() {
            *halfword = ram.read16(self.address + 2 * index as u32);
        }
    }

    /// Forgets the instructions whose bytes are no longer what they were.
    fn refresh(&mut self, ram: &Ram) {
        for index in 0..self.source.len() {
            let now = ram.read16(self.address + 2 * index as u32);
            if now != self.source[index] {
                self.source[index] = now;
                let first = index.saturating_sub(OVERHANG);
                self.slots[first..SLOTS.min(index + 1)].fill(EMPTY);
            }
        }
        // Vector instructions of forgotten slots would pile up under code that rewrites itself for ever.
        if self.vectors.len() > SLOTS {
            self.slots.fill(EMPTY);
            self.vectors.clear();
        }
    }
}

/// All pages one core has decoded.
pub(super) struct PageCache {
    /// Position in `pages`, for each page of RAM.
    index: Box<[u32]>,
    pages: Vec<Page>,
    owner: CodeOwner,
    generation: u32,
}

impl PageCache {
    pub(super) fn new(core: CoreId) -> Self {
        let owner = match core {
            CoreId::Core0 => CodeOwner::VpuCore0,
            CoreId::Core1 => CodeOwner::VpuCore1,
        };
        Self {
            index: vec![NOT_CACHED; RAM_SIZE >> PAGE_SHIFT].into_boxed_slice(),
            pages: Vec::new(),
            owner,
            generation: 0,
        }
    }

    /// The page that holds `pc`, whatever bus alias `pc` has.
    #[inline]
    pub(super) fn page(&mut self, pc: u32, ram: &mut Ram) -> &mut Page {
        if ram.code_generation() != self.generation {
            self.refresh(ram);
        }
        let number = (pc as usize & (RAM_SIZE - 1)) >> PAGE_SHIFT;
        let mut position = self.index[number];
        if position == NOT_CACHED {
            position = self.add(number, ram);
        }
        &mut self.pages[position as usize]
    }

    #[cold]
    fn add(&mut self, number: usize, ram: &mut Ram) -> u32 {
        let address = (number << PAGE_SHIFT) as u32;
        let page = Page::new(address, ram);
        self.watch(address, ram);
        let position = self.pages.len() as u32;
        self.pages.push(page);
        self.index[number] = position;
        position
    }

    /// Asks to be told of stores into a page and into the first bytes of the next one.
    fn watch(&self, address: u32, ram: &mut Ram) {
        ram.mark_code(address, self.owner);
        ram.mark_code(address + PAGE_SIZE as u32, self.owner);
    }

    #[cold]
    fn refresh(&mut self, ram: &mut Ram) {
        self.generation = ram.code_generation();
        let is_current = |address: u32| {
            ram.is_code(address, self.owner) && ram.is_code(address + PAGE_SIZE as u32, self.owner)
        };
        let stale: Vec<usize> =
            (0..self.pages.len()).filter(|&position| !is_current(self.pages[position].address)).collect();
        for position in stale {
            self.pages[position].refresh(ram);
            self.watch(self.pages[position].address, ram);
        }
    }
}
