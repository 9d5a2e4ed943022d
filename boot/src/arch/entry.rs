//! From the first instruction to [`crate::run`] on the main stack at EL1.

use core::arch::global_asm;

use cortex_a::registers::{CurrentEL, Readable};

use super::{counters, exceptions, identity, level, mmu};
use crate::platform;

global_asm!(include_str!("entry.s"));

unsafe extern "C" {
    /// Switches to the stacks of EL1 and calls [`kernel_main`] (`entry.s`).
    fn enter_main_stack() -> !;
}

/// Called on core 0 with BSS zeroed, at whatever exception level the loader chose; called again after each drop.
///
/// Nothing here may use an exclusive access or an unaligned one: the MMU is off.
// SAFETY: the name is called by `entry.s` only, and no other item of the image has it.
#[unsafe(no_mangle)]
extern "C" fn entered() -> ! {
    let level = CurrentEL.read(CurrentEL::EL);
    platform::note_entry_level(level as u8);
    match level {
        3 => level::drop_to_el2(entered as *const () as u64),
        2 => level::drop_to_el1(enter_main_stack as *const () as u64),
        // A loader that keeps EL2 to itself: go on here. Its settings decide whether the counters can be read.
        // SAFETY: we are on core 0 at EL1 with interrupts masked, which is all `enter_main_stack` asks for.
        _ => unsafe { enter_main_stack() },
    }
}

/// First Rust code at EL1: vectors, MMU, caches and counters, then the image proper.
// SAFETY: the name is called by `entry.s` only, and no other item of the image has it.
#[unsafe(no_mangle)]
extern "C" fn kernel_main() -> ! {
    exceptions::install_vectors();
    mmu::enable(identity::soc());
    counters::enable_cycle_counter();
    crate::run()
}
