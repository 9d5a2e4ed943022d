//! The cache of translations for the exception level in use: direct-mapped by page, loads and stores apart.
//!
//! RAM pages and device pages are held apart, so a hit among the first is also the promise that the access is a
//! plain one.

/// log2 of the page size.
pub(crate) const PAGE_SHIFT: u32 = 12;
/// Offset within a page.
pub(crate) const PAGE_OFFSET: u64 = (1 << PAGE_SHIFT) - 1;

const ENTRIES: usize = 256;
/// No page: a tag is page-aligned.
const NO_TAG: u64 = 1;

/// One page.
#[derive(Clone, Copy)]
struct Entry {
    /// Virtual page that may be read.
    read: u64,
    /// Virtual page that may be written.
    write: u64,
    /// Physical page.
    page: u32,
    /// Normal memory, where an access may be unaligned.
    is_normal: bool,
}

const EMPTY: Entry = Entry { read: NO_TAG, write: NO_TAG, page: 0, is_normal: false };

/// Device pages kept.
const DEVICE_ENTRIES: usize = 16;

/// A page outside RAM.
#[derive(Clone, Copy)]
struct DeviceEntry {
    read: u64,
    write: u64,
    page: u64,
}

const NO_DEVICE: DeviceEntry = DeviceEntry { read: NO_TAG, write: NO_TAG, page: 0 };

/// The cache.
pub(crate) struct Tlb {
    entries: Box<[Entry; ENTRIES]>,
    devices: [DeviceEntry; DEVICE_ENTRIES],
}

impl Tlb {
    pub(crate) fn new() -> Self {
        Self { entries: Box::new([EMPTY; ENTRIES]), devices: [NO_DEVICE; DEVICE_ENTRIES] }
    }

    #[inline(always)]
    fn index(address: u64) -> usize {
        (address >> PAGE_SHIFT) as usize % ENTRIES
    }

    /// Physical address of a readable, aligned `bytes`-wide location in RAM; none on a miss.
    #[inline(always)]
    pub(crate) fn readable(&self, address: u64, bytes: u64) -> Option<u32> {
        let entry = &self.entries[Self::index(address)];
        // An unaligned address never equals a tag.
        (entry.read == address & !(PAGE_OFFSET & !(bytes - 1)))
            .then_some(entry.page | (address & PAGE_OFFSET) as u32)
    }

    /// The same for a store.
    #[inline(always)]
    pub(crate) fn writable(&self, address: u64, bytes: u64) -> Option<u32> {
        let entry = &self.entries[Self::index(address)];
        (entry.write == address & !(PAGE_OFFSET & !(bytes - 1)))
            .then_some(entry.page | (address & PAGE_OFFSET) as u32)
    }

    /// Physical address of a location in Normal memory that may be unaligned but stays within its page.
    pub(crate) fn unaligned(&self, address: u64, bytes: u64, is_write: bool) -> Option<u32> {
        let entry = &self.entries[Self::index(address)];
        let tag = if is_write { entry.write } else { entry.read };
        let is_in_page = (address & PAGE_OFFSET) + bytes <= PAGE_OFFSET + 1;
        let is_hit = entry.is_normal && is_in_page && tag == address & !PAGE_OFFSET;
        is_hit.then_some(entry.page | (address & PAGE_OFFSET) as u32)
    }

    /// Notes a page of RAM that has just been translated for a load or for a store.
    pub(crate) fn insert(&mut self, address: u64, physical: u32, is_write: bool, is_normal: bool) {
        let tag = address & !PAGE_OFFSET;
        let page = physical & !(PAGE_OFFSET as u32);
        let entry = &mut self.entries[Self::index(address)];
        let same_page = (entry.read == tag || entry.write == tag) && entry.page == page;
        if !same_page {
            *entry = Entry { page, is_normal, ..EMPTY };
        }
        if is_write {
            entry.write = tag;
        } else {
            entry.read = tag;
        }
    }

    /// Physical address of a location outside RAM.
    pub(crate) fn device(&self, address: u64, is_write: bool) -> Option<u64> {
        let entry = &self.devices[(address >> PAGE_SHIFT) as usize % DEVICE_ENTRIES];
        let tag = if is_write { entry.write } else { entry.read };
        (tag == address & !PAGE_OFFSET).then_some(entry.page | (address & PAGE_OFFSET))
    }

    /// Notes a page outside RAM that has just been translated for a load or for a store.
    pub(crate) fn insert_device(&mut self, address: u64, physical: u64, is_write: bool) {
        let tag = address & !PAGE_OFFSET;
        let page = physical & !PAGE_OFFSET;
        let entry = &mut self.devices[(address >> PAGE_SHIFT) as usize % DEVICE_ENTRIES];
        let same_page = (entry.read == tag || entry.write == tag) && entry.page == page;
        if !same_page {
            *entry = DeviceEntry { page, ..NO_DEVICE };
        }
        if is_write {
            entry.write = tag;
        } else {
            entry.read = tag;
        }
    }

    /// Forgets everything.
    pub(crate) fn flush(&mut self) {
        self.entries.fill(EMPTY);
        self.devices.fill(NO_DEVICE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readable_page_is_not_writable_until_a_store_was_translated() {
        let mut tlb = Tlb::new();
        tlb.insert(0xffff_0000_1234_5678, 0x8_1000, false, true);
        assert_eq!(tlb.readable(0xffff_0000_1234_5678, 8), Some(0x8_1678));
        assert_eq!(tlb.writable(0xffff_0000_1234_5678, 8), None);
        tlb.insert(0xffff_0000_1234_5000, 0x8_1000, true, true);
        assert_eq!(tlb.writable(0xffff_0000_1234_5678, 8), Some(0x8_1678));
        assert_eq!(tlb.readable(0xffff_0000_1234_5678, 8), Some(0x8_1678));
    }

    #[test]
    fn unaligned_access_misses() {
        let mut tlb = Tlb::new();
        tlb.insert(0x1000, 0x2000, false, false);
        assert_eq!(tlb.readable(0x1001, 1), Some(0x2001));
        assert_eq!(tlb.readable(0x1001, 2), None);
        assert_eq!(tlb.readable(0x1004, 8), None);
    }

    #[test]
    fn unaligned_access_is_found_only_in_normal_memory_and_within_a_page() {
        let mut tlb = Tlb::new();
        tlb.insert(0x1000, 0x2000, false, false);
        tlb.insert(0x5000, 0x6000, false, true);
        assert_eq!(tlb.unaligned(0x1001, 4, false), None);
        assert_eq!(tlb.unaligned(0x5001, 4, false), Some(0x6001));
        assert_eq!(tlb.unaligned(0x5001, 4, true), None);
        assert_eq!(tlb.unaligned(0x5ffc, 4, false), Some(0x6ffc));
        assert_eq!(tlb.unaligned(0x5ffd, 4, false), None);
    }

    #[test]
    fn device_page_is_kept_for_loads_and_stores_apart() {
        let mut tlb = Tlb::new();
        tlb.insert_device(0xffff_0000_3f20_1018, 0x3f20_1018, false);
        assert_eq!(tlb.device(0xffff_0000_3f20_1000, false), Some(0x3f20_1000));
        assert_eq!(tlb.device(0xffff_0000_3f20_1000, true), None);
        assert_eq!(tlb.readable(0xffff_0000_3f20_1000, 4), None);
        tlb.flush();
        assert_eq!(tlb.device(0xffff_0000_3f20_1000, false), None);
    }

    #[test]
    fn flush_and_conflict_forget() {
        let mut tlb = Tlb::new();
        tlb.insert(0x1000, 0x2000, false, false);
        tlb.insert(0x10_1000, 0x3000, false, false);
        assert_eq!(tlb.readable(0x1000, 4), None);
        assert_eq!(tlb.readable(0x10_1000, 4), Some(0x3000));
        tlb.flush();
        assert_eq!(tlb.readable(0x10_1000, 4), None);
    }
}
