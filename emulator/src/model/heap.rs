//! Memory by handle: blocks of VideoCore's own, and foreign memory that was imported (VCSM fact sheet 7, 12, 13).

use std::collections::BTreeMap;

/// Handles of imported memory begin here.
const WRAPPED: u32 = 0xc000_0000;
const FIRST_WRAPPED: u32 = 0x20;
/// Handles of our own blocks begin here.
const FIRST_OWN: u32 = 1;
/// How the Arm and the model see our own memory.
const DIRECT_ALIAS: u32 = 0xc000_0000;
const PAGE: u32 = 4096;

/// What was imported: the words that RELEASED gives back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Import {
    pub(super) address: u32,
    pub(super) size: u32,
    pub(super) kernel_id: u32,
}

/// Memory behind a handle.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Block {
    address: u32,
    size: u32,
    references: u32,
    locks: u32,
    import: Option<Import>,
}

/// An import whose last reference is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Terminated {
    pub(super) handle: u32,
    pub(super) import: Import,
}

/// The handles, and the memory that our own blocks come from.
pub(super) struct Heap {
    blocks: BTreeMap<u32, Block>,
    space: Space,
    handles: u32,
}

/// What has not been given out yet. Memory is not given out twice.
struct Space {
    next: u32,
    end: u32,
}

impl Space {
    /// Whole pages of it, as the Arm and the model see them.
    fn reserve(&mut self, size: u32, alignment: u32) -> Option<u32> {
        let alignment = alignment.max(PAGE).checked_next_power_of_two()?;
        let address = self.next.checked_next_multiple_of(alignment)?;
        let bytes = size.max(1).checked_next_multiple_of(PAGE)?;
        self.next = address.checked_add(bytes).filter(|end| *end <= self.end)?;
        Some(address | DIRECT_ALIAS)
    }
}

impl Heap {
    /// Over physical memory from `start` to `end`.
    pub(super) fn new(start: u32, end: u32) -> Self {
        let space = Space { next: start.next_multiple_of(PAGE), end };
        Self { blocks: BTreeMap::new(), space, handles: 0 }
    }

    /// A block of our own; `None` if there is no room.
    pub(super) fn allocate(&mut self, size: u32, alignment: u32) -> Option<u32> {
        let address = self.space.reserve(size, alignment)?;
        Some(self.insert(FIRST_OWN, Block { address, size, references: 1, locks: 0, import: None }))
    }

    /// A handle over foreign memory.
    pub(super) fn wrap(&mut self, import: Import) -> u32 {
        let Import { address, size, .. } = import;
        let block = Block { address, size, references: 1, locks: 0, import: Some(import) };
        self.insert(WRAPPED | FIRST_WRAPPED, block)
    }

    fn insert(&mut self, first: u32, block: Block) -> u32 {
        let handle = first + self.handles % 0x1_0000;
        self.handles += 1;
        self.blocks.insert(handle, block);
        handle
    }

    /// Address and size.
    pub(super) fn block(&self, handle: u32) -> Option<(u32, u32)> {
        self.blocks.get(&handle).map(|block| (block.address, block.size))
    }

    /// The address, pinned.
    pub(super) fn lock(&mut self, handle: u32) -> Option<u32> {
        let block = self.blocks.get_mut(&handle)?;
        block.locks += 1;
        Some(block.address)
    }

    /// Undoes a lock. An import without references ends with its last lock. `Err` without a lock.
    pub(super) fn unlock(&mut self, handle: u32) -> Result<Option<Terminated>, ()> {
        let block = self.blocks.get_mut(&handle).filter(|block| block.locks > 0).ok_or(())?;
        block.locks -= 1;
        Ok(self.end_if_unused(handle))
    }

    /// Drops a reference. `Err` for a handle that nobody has.
    pub(super) fn release(&mut self, handle: u32) -> Result<Option<Terminated>, ()> {
        let block = self.blocks.get_mut(&handle).filter(|block| block.references > 0).ok_or(())?;
        block.references -= 1;
        Ok(self.end_if_unused(handle))
    }

    /// Changes the size of one of our own unlocked blocks; one that outgrows its space moves.
    pub(super) fn resize(&mut self, handle: u32, size: u32) -> bool {
        let unlocked = |block: &&mut Block| block.locks == 0 && block.import.is_none();
        let Some(block) = self.blocks.get_mut(&handle).filter(unlocked) else { return false };
        if size > block.size.next_multiple_of(PAGE) {
            let Some(address) = self.space.reserve(size, PAGE) else { return false };
            block.address = address;
        }
        block.size = size;
        true
    }

    fn end_if_unused(&mut self, handle: u32) -> Option<Terminated> {
        let block = self.blocks.get(&handle)?;
        if block.references > 0 || block.locks > 0 {
            return None;
        }
        let import = self.blocks.remove(&handle)?.import?;
        Some(Terminated { handle, import })
    }

    /// One line a block, for the log.
    pub(super) fn walk(&self) -> Vec<String> {
        let line = |(handle, block): (&u32, &Block)| {
            let Block { address, size, references, locks, .. } = block;
            format!("{handle:#010x}: {size} bytes at {address:#010x}, references {references}, locks {locks}")
        };
        self.blocks.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPORT: Import = Import { address: 0xc010_0000, size: 4096, kernel_id: 7 };

    #[test]
    fn an_import_ends_with_its_last_reference_and_lock() {
        let mut heap = Heap::new(0x1000_0000, 0x1100_0000);
        let handle = heap.wrap(IMPORT);
        assert_eq!(heap.lock(handle), Some(IMPORT.address));
        assert_eq!(heap.release(handle), Ok(None));
        assert_eq!(heap.unlock(handle), Ok(Some(Terminated { handle, import: IMPORT })));
        assert_eq!((heap.release(handle), heap.unlock(handle), heap.lock(handle)), (Err(()), Err(()), None));
    }

    #[test]
    fn our_own_blocks_are_direct_and_do_not_overlap() {
        let mut heap = Heap::new(0x1000_0000, 0x1000_4000);
        let (first, second) = (heap.allocate(5000, 4).unwrap(), heap.allocate(4096, 8192).unwrap());
        assert_eq!(heap.block(first), Some((0xd000_0000, 5000)));
        assert_eq!(heap.block(second), Some((0xd000_2000, 4096)));
        assert_eq!(heap.allocate(8192, 4), None);
        assert!(heap.resize(first, 8192) && heap.block(first) == Some((0xd000_0000, 8192)));
        assert!(!heap.resize(first, 8193), "there is no room to move to");
        assert_eq!(heap.release(first), Ok(None));
        assert_eq!(heap.lock(first), None);
    }

    #[test]
    fn a_block_that_outgrows_its_space_moves_unless_it_is_locked() {
        let mut heap = Heap::new(0x1000_0000, 0x1001_0000);
        let (first, second) = (heap.allocate(4096, 4).unwrap(), heap.allocate(4096, 4).unwrap());
        heap.lock(first);
        assert!(!heap.resize(first, 8192));
        assert_eq!(heap.unlock(first), Ok(None));
        assert!(heap.resize(first, 8192));
        assert_eq!(heap.block(first), Some((0xd000_2000, 8192)));
        assert_eq!(heap.block(second), Some((0xd000_1000, 4096)));
    }
}
