//! What differs between the SoCs that run this image (hardware fact sheet 1).

/// A Broadcom SoC with a VideoCore that speaks VCHIQ and 64-bit Arm cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug, defmt::Format)]
pub(crate) enum Soc {
    /// Pi 3 family and Zero 2 W: four Cortex-A53.
    Bcm2837,
    /// Pi 4, 400, CM4: four Cortex-A72. Its addresses are known; its interrupt controller is not driven yet.
    Bcm2711,
}

/// `MIDR_EL1` part number of the Cortex-A72.
const PART_CORTEX_A72: u64 = 0xd08;

impl Soc {
    /// By the part number of the cores; any part but the A72's is taken for the Pi 3 family.
    pub(crate) const fn from_core_part(part: u64) -> Self {
        if part == PART_CORTEX_A72 { Self::Bcm2711 } else { Self::Bcm2837 }
    }

    /// Physical address of the main peripherals (bus 0x7E00_0000).
    pub(crate) const fn peripherals(self) -> usize {
        match self {
            Self::Bcm2837 => 0x3f00_0000,
            Self::Bcm2711 => 0xfe00_0000,
        }
    }

    /// Physical address of the block private to the Arm cores.
    pub(crate) const fn local_block(self) -> usize {
        match self {
            Self::Bcm2837 => 0x4000_0000,
            Self::Bcm2711 => 0xff80_0000,
        }
    }

    /// The crystal, in Hz: rate of CNTPCT.
    pub(crate) const fn crystal_hz(self) -> u64 {
        match self {
            Self::Bcm2837 => 19_200_000,
            Self::Bcm2711 => 54_000_000,
        }
    }
}
