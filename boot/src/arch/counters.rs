//! The two clocks: CNTPCT (constant rate) and PMCCNTR (core cycles). Hardware fact sheet 8.

use core::arch::asm;

use cortex_a::registers::{CNTFRQ_EL0, CNTPCT_EL0, Readable};

use super::barrier;

/// PMCR_EL0: enable, reset the cycle counter, count in 64 bits.
const PMCR_ENABLE: u64 = 1 << 0;
const PMCR_RESET_CYCLES: u64 = 1 << 2;
const PMCR_LONG: u64 = 1 << 6;
/// PMCNTENSET_EL0: the cycle counter's bit.
const CYCLE_COUNTER: u64 = 1 << 31;

/// Event counters of this core (PMCR_EL0.N); 6 on Cortex-A53 and A72.
pub(super) fn event_counters() -> u64 {
    let control: u64;
    // SAFETY: reads a register that every exception level above EL0 may read.
    unsafe { asm!("mrs {}, pmcr_el0", out(reg) control, options(nomem, nostack, preserves_flags)) }
    control >> 11 & 0x1f
}

/// Starts PMCCNTR_EL0 from zero, undivided, counting at EL1.
pub(super) fn enable_cycle_counter() {
    // SAFETY: no filter bit: cycles count at EL1. Affects the cycle counter only.
    unsafe { asm!("msr pmccfiltr_el0, xzr", options(nomem, nostack, preserves_flags)) }
    // SAFETY: enables the cycle counter and no event counter.
    unsafe { asm!("msr pmcntenset_el0, {}", in(reg) CYCLE_COUNTER, options(nomem, nostack, preserves_flags)) }
    let control = PMCR_ENABLE | PMCR_RESET_CYCLES | PMCR_LONG;
    // SAFETY: starts the counters; nothing in this image uses their overflow interrupts.
    unsafe { asm!("msr pmcr_el0, {}", in(reg) control, options(nomem, nostack, preserves_flags)) }
    barrier::instruction_synchronise();
}

/// Core cycles, with no instruction moved across the reading in either direction.
#[inline(always)]
pub(crate) fn cycles() -> u64 {
    let value: u64;
    // SAFETY: reads a counter. Not `nomem`, so that no memory access is moved across it by the compiler.
    unsafe { asm!("isb", "mrs {}, pmccntr_el0", "isb", out(reg) value, options(nostack, preserves_flags)) }
    value
}

/// Ticks of the constant-rate counter.
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    barrier::instruction_synchronise();
    CNTPCT_EL0.get()
}

/// Rate of [`ticks`] in Hz, as the firmware's stub left it in CNTFRQ; never zero.
pub(crate) fn tick_rate() -> u32 {
    (CNTFRQ_EL0.get() as u32).max(1)
}

/// Microseconds since the counter started (power-on, or the stub).
pub(crate) fn microseconds() -> u64 {
    let rate = u64::from(tick_rate());
    let ticks = CNTPCT_EL0.get();
    // Whole seconds apart from the rest: the product cannot overflow.
    ticks / rate * 1_000_000 + ticks % rate * 1_000_000 / rate
}

/// The tick `microseconds` from now.
pub(crate) fn deadline(microseconds: u64) -> u64 {
    ticks() + u64::from(tick_rate()) * microseconds / 1_000_000
}

/// Cost in cycles of reading [`cycles`] twice with nothing between: the smallest of many tries.
pub(crate) fn empty_bracket() -> u64 {
    let mut smallest = u64::MAX;
    for _ in 0..64 {
        let start = cycles();
        smallest = smallest.min(cycles() - start);
    }
    smallest
}
