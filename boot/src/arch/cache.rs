//! Data cache maintenance by address, to the point of coherency: VideoCore does not see our caches.

use core::arch::asm;

use super::barrier;

/// What to do with each line.
#[derive(Clone, Copy)]
enum Operation {
    Invalidate,
    CleanAndInvalidate,
}

/// Bytes in the smallest data cache line (CTR_EL0.DminLine).
pub(crate) fn line_size() -> usize {
    let cache_type: usize;
    // SAFETY: reads an identification register.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) cache_type, options(nomem, nostack, preserves_flags)) }
    4 << (cache_type >> 16 & 0xf)
}

/// Writes dirty lines back and drops all: what the cores stored is in memory, where VideoCore can read it, and the
/// next load comes from memory.
///
/// Preferred to a plain invalidate wherever the range may hold anything of ours; and to a plain clean, which on a
/// Cortex-A53 can be overtaken by an eviction of the same line (erratum 855873) unless the stub has set a bit that
/// only EL3 reaches.
pub(crate) fn clean_and_invalidate(start: usize, length: usize) {
    maintain(Operation::CleanAndInvalidate, start, length);
}

/// Drops lines unread, dirty ones with them. For memory whose cached content is meaningless.
pub(super) fn invalidate(start: usize, length: usize) {
    maintain(Operation::Invalidate, start, length);
}

fn maintain(operation: Operation, start: usize, length: usize) {
    let line = line_size();
    let mut address = start & !(line - 1);
    let end = start + length;
    barrier::complete_all();
    while address < end {
        match operation {
            // SAFETY: callers pass ranges whose cached content they have no use for: see `invalidate`.
            Operation::Invalidate => unsafe {
                asm!("dc ivac, {}", in(reg) address, options(nostack, preserves_flags))
            },
            // SAFETY: DC CIVAC changes no value that this core stored.
            Operation::CleanAndInvalidate => unsafe {
                asm!("dc civac, {}", in(reg) address, options(nostack, preserves_flags))
            },
        }
        address += line;
    }
    barrier::complete_all();
}
