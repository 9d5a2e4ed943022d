//! Decoded pages, keyed by physical page.
//!
//! A page is decoded word by word, as the core reaches it. A store into a page with decoded instructions, whoever
//! stores, makes `Ram` drop the core's flag on it; the core looks at the flags where the architecture makes new
//! code visible (a context synchronisation, another page, a new slice) and forgets what is gone.

use std::collections::HashMap;

use super::decode::{Op, decode};
use super::tlb::{PAGE_OFFSET, PAGE_SHIFT};
use crate::ram::{CodeOwner, Ram};

/// Instructions in a page.
const OPS: usize = 1 << (PAGE_SHIFT - 2);
/// Entries of the virtual front.
const FRONT: usize = 64;
/// Most pages kept: 16 MiB of decoded form.
const MOST_PAGES: usize = 1024;
/// Instructions decoded at a time.
const STRETCH: usize = 8;

/// Index of a decoded page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PageIndex(usize);

struct Page {
    physical: u32,
    is_decoded: bool,
    ops: Box<[Op; OPS]>,
}

/// A virtual page and what it was bound to.
#[derive(Clone, Copy)]
struct Binding {
    address: u64,
    page: PageIndex,
}

/// The decoded pages of one core.
pub(crate) struct PageCache {
    owner: CodeOwner,
    pages: Vec<Page>,
    by_physical: HashMap<u32, PageIndex>,
    /// Direct-mapped by virtual page, for the translation regime in use.
    front: [Option<Binding>; FRONT],
    generation: u32,
}

impl PageCache {
    /// Nothing decoded.
    pub(crate) fn new(core: u8) -> Self {
        Self {
            owner: CodeOwner::arm(core),
            pages: Vec::new(),
            by_physical: HashMap::new(),
            front: [None; FRONT],
            generation: 0,
        }
    }

    /// Virtual bindings are void: the translation regime has changed.
    pub(crate) fn forget_bindings(&mut self) {
        self.front.fill(None);
    }

    /// Forgets the pages that somebody has stored into; true if anything was forgotten.
    #[inline]
    pub(crate) fn refresh(&mut self, ram: &Ram) -> bool {
        if self.generation == ram.code_generation() {
            return false;
        }
        self.generation = ram.code_generation();
        let mut is_changed = false;
        for page in &mut self.pages {
            if page.is_decoded && !ram.is_code(page.physical, self.owner) {
                page.ops.fill(Op::Undecoded);
                page.is_decoded = false;
                is_changed = true;
            }
        }
        is_changed
    }

    /// The decoded page bound to a virtual page.
    #[inline]
    pub(crate) fn bound(&self, address: u64) -> Option<PageIndex> {
        let page = address & !PAGE_OFFSET;
        let binding = self.front[(address >> PAGE_SHIFT) as usize % FRONT]?;
        (binding.address == page).then_some(binding.page)
    }

    /// Binds the virtual page of `address` to the physical page of `physical`.
    pub(crate) fn bind(&mut self, address: u64, physical: u32) -> PageIndex {
        let physical = physical & !(PAGE_OFFSET as u32);
        let page = match self.by_physical.get(&physical) {
            Some(page) => *page,
            None => self.add(physical),
        };
        let slot = (address >> PAGE_SHIFT) as usize % FRONT;
        self.front[slot] = Some(Binding { address: address & !PAGE_OFFSET, page });
        page
    }

    fn add(&mut self, physical: u32) -> PageIndex {
        if self.pages.len() == MOST_PAGES {
            self.pages.clear();
            self.by_physical.clear();
            self.forget_bindings();
        }
        let page = PageIndex(self.pages.len());
        self.pages.push(Page { physical, is_decoded: false, ops: Box::new([Op::Undecoded; OPS]) });
        self.by_physical.insert(physical, page);
        page
    }

    /// The instructions of a page.
    #[inline(always)]
    pub(crate) fn ops(&self, page: PageIndex) -> &[Op; OPS] {
        &self.pages[page.0].ops
    }

    /// Decodes from the instruction at byte `offset` on.
    pub(crate) fn decode_from(&mut self, page: PageIndex, offset: u64, ram: &mut Ram) {
        // A store since the last look must not be hidden by setting the flag again.
        self.refresh(ram);
        let page = &mut self.pages[page.0];
        page.is_decoded = true;
        ram.mark_code(page.physical, self.owner);
        let first = (offset & PAGE_OFFSET) as usize / 4;
        for (index, op) in page.ops.iter_mut().enumerate().skip(first).take(STRETCH) {
            *op = decode(ram.read32(page.physical + index as u32 * 4));
        }
    }
}
