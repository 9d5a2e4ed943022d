//! Which processor this is.

use cortex_a::registers::{MIDR_EL1, Readable};
use harness::board::EMULATED_AIDR;
use harness::record::Core;

use crate::soc::Soc;

/// The SoC, by the part number of its cores (hardware fact sheet 1). Needs no memory and no register of the SoC.
pub(crate) fn soc() -> Soc {
    Soc::from_core_part(MIDR_EL1.read(MIDR_EL1::PartNum))
}

/// Main ID register of this core.
pub(crate) fn midr() -> u64 {
    MIDR_EL1.get()
}

/// What this core says it is.
pub(crate) fn core() -> Core {
    if aidr() == EMULATED_AIDR { Core::Emulated } else { Core::Silicon }
}

/// Auxiliary ID register of this core, which `cortex-a` does not name.
fn aidr() -> u64 {
    let value: u64;
    // SAFETY: reading an identification register has no effect on memory; EL2 does not trap it (`arch::level` leaves
    // HCR_EL2.TID1 clear).
    unsafe { core::arch::asm!("mrs {}, aidr_el1", out(reg) value, options(nomem, nostack, preserves_flags)) }
    value
}
