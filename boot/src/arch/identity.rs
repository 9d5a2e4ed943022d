//! Which processor this is.

use cortex_a::registers::{MIDR_EL1, Readable};

use crate::soc::Soc;

/// The SoC, by the part number of its cores (hardware fact sheet 1). Needs no memory and no register of the SoC.
pub(crate) fn soc() -> Soc {
    Soc::from_core_part(MIDR_EL1.read(MIDR_EL1::PartNum))
}

/// Main ID register of this core.
pub(crate) fn midr() -> u64 {
    MIDR_EL1.get()
}
