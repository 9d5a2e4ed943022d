//! The `critical-section` of this image, sound with more than one core: interrupts masked, then a lock.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_a::registers::{DAIF, MPIDR_EL1, Readable, SCTLR_EL1};
use critical_section::{Impl, RawRestoreState, set_impl};

use super::{barrier, exceptions};

/// Bit of the restore state: this section is inside another one of the same core.
const NESTED: u64 = 1;
/// Nobody holds the lock.
const FREE: u32 = 0;

/// Number of the core that holds the lock, plus one.
static OWNER: AtomicU32 = AtomicU32::new(FREE);

struct MaskAndLock;
set_impl!(MaskAndLock);

// SAFETY: while a section is open, interrupts of its core are masked and every other core waits in `acquire`;
// `release` undoes exactly what its `acquire` did, told by the restore state.
unsafe impl Impl for MaskAndLock {
    unsafe fn acquire() -> RawRestoreState {
        let mask = DAIF.get();
        exceptions::mask_interrupts();
        // Exclusive accesses need cached memory. Before translation is on there is one core and no handler.
        if !translation_is_on() {
            return mask | NESTED;
        }
        let this_core = this_core();
        if OWNER.load(Ordering::Relaxed) == this_core {
            return mask | NESTED;
        }
        // Bounded by the other core's section: the waits inside one (for room in the UART) have deadlines.
        while OWNER.compare_exchange_weak(FREE, this_core, Ordering::Acquire, Ordering::Relaxed).is_err() {
            barrier::relax();
        }
        mask
    }

    unsafe fn release(state: RawRestoreState) {
        if state & NESTED == 0 {
            OWNER.store(FREE, Ordering::Release);
        }
        exceptions::restore_mask(state & !NESTED);
    }
}

fn this_core() -> u32 {
    MPIDR_EL1.read(MPIDR_EL1::Aff0) as u32 + 1
}

fn translation_is_on() -> bool {
    SCTLR_EL1.matches_all(SCTLR_EL1::M::Enable)
}
