//! Barriers and hints, by the names of what they are for.

use cortex_a::asm;
use cortex_a::asm::barrier::{self, OSHLD, OSHST, SY};

/// Stores before it are seen by VideoCore before stores after it.
pub(crate) fn order_stores() {
    barrier::dmb(OSHST);
}

/// Loads after it are not satisfied before loads before it.
pub(crate) fn order_loads() {
    barrier::dmb(OSHLD);
}

/// Every access before it has completed.
pub(crate) fn complete_all() {
    barrier::dsb(SY);
}

/// Later instructions see the system registers as written before it.
pub(crate) fn instruction_synchronise() {
    barrier::isb(SY);
}

/// Body of every polling loop of the image.
///
/// YIELD is a no-op on a Cortex-A53, so a measured wait loses nothing; an emulator takes it as a sign that this
/// core has nothing to do for now.
pub(crate) fn relax() {
    // SAFETY: a hint instruction; it changes no register and no memory.
    unsafe { core::arch::asm!("yield", options(nomem, nostack, preserves_flags)) }
}

/// Stops this core for good, masked and asleep.
pub(crate) fn park() -> ! {
    loop {
        asm::wfi();
    }
}
