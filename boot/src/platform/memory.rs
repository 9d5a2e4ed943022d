//! Memory that VideoCore reads and writes as well.

use core::ptr::{self, NonNull};

use harness::Lendable;
use harness::board::{PROPERTY_WINDOW_BYTES, SLOT_WINDOW_BYTES};
use vchiq_mbox::platform::{BusAddress, Window};
use vchiq_mbox::slot::RawWindow;

use super::{Region, black_box, lendable, window};
use crate::arch::cache;

/// Memory for property messages: the first page of the non-cacheable window.
pub(crate) fn property_window() -> RawWindow {
    let Region { start, .. } = window();
    cleared(Region { start, end: start + PROPERTY_WINDOW_BYTES })
}

/// Memory for VCHIQ's slots and fragments: behind the property page, as much as the harness asks for. As the last run
/// left it: the harness wants to see that after a reset.
pub(crate) fn slot_window() -> RawWindow {
    let start = window().start + PROPERTY_WINDOW_BYTES;
    raw_window(Region { start, end: black_box().start.min(start + SLOT_WINDOW_BYTES) })
}

/// Memory that survives a reset, as it is.
pub(crate) fn black_box_window() -> RawWindow {
    raw_window(black_box())
}

/// The run ends without its last record: no later one is to go on with it.
pub(crate) fn forget_run() {
    cleared(black_box());
}

/// The region, zeroed: after a reset it holds what the last run left there.
fn cleared(region: Region) -> RawWindow {
    let window = raw_window(region);
    for offset in (0..window.len()).step_by(4) {
        window.store(offset, 0);
    }
    window
}

fn raw_window(region: Region) -> RawWindow {
    // VideoCore's address: below 1 GiB by linker.ld, so the alias always exists.
    let bus = BusAddress(region.start as u32 | BusAddress::UNCACHED_ALIAS);
    let start = ptr::with_exposed_provenance_mut(region.start);
    // SAFETY: linker.ld has no region at address 0.
    let start = unsafe { NonNull::new_unchecked(start) };
    // SAFETY: linker.ld aligns the region to a page and keeps it clear of everything Rust knows. `arch::mmu` maps it
    // for good: the shared window non-cacheable, the lendable memory cached, with maintenance by `Lendable`.
    unsafe { RawWindow::new(start, region.length(), bus) }
}

/// Cached RAM whose ownership changes by cache maintenance.
pub(crate) struct LendableMemory {
    region: Region,
    window: RawWindow,
}

impl LendableMemory {
    /// All of it.
    pub(crate) fn new() -> Self {
        Self { region: lendable(), window: raw_window(lendable()) }
    }
}

impl Window for LendableMemory {
    fn len(&self) -> usize {
        self.window.len()
    }

    fn bus_address(&self) -> BusAddress {
        self.window.bus_address()
    }

    #[inline(always)]
    fn load(&self, offset: usize) -> u32 {
        self.window.load(offset)
    }

    #[inline(always)]
    fn store(&self, offset: usize, value: u32) {
        self.window.store(offset, value);
    }
}

impl Lendable for LendableMemory {
    fn clean(&self, offset: usize, length: usize) {
        self.invalidate(offset, length);
    }

    fn invalidate(&self, offset: usize, length: usize) {
        if let Some((start, length)) = self.region.part(offset, length) {
            cache::clean_and_invalidate(start, length);
        }
    }
}

impl Region {
    fn length(self) -> usize {
        self.end - self.start
    }

    /// Start and length of a part, cut to the region; `None` if it begins outside.
    fn part(self, offset: usize, length: usize) -> Option<(usize, usize)> {
        debug_assert!(offset + length <= self.length(), "range outside the lendable memory");
        (offset < self.length()).then(|| (self.start + offset, length.min(self.length() - offset)))
    }
}
