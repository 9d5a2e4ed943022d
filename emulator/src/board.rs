//! The boards we can be, as data.

/// What differs between boards of one SoC, as far as software can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Board {
    /// Short name, as on the command line.
    pub name: &'static str,
    /// Name on the box.
    pub model: &'static str,
    /// Revision code, OTP row 30.
    pub revision: u32,
    /// Sections of `config.txt` that count for it, beside `[all]`.
    pub config_filters: &'static [&'static str],
    /// SDRAM fitted, bytes.
    pub ram_bytes: u32,
    /// What the VPU's `version` instruction answers, less the core number (bit 16).
    pub cpuid: u32,
    /// VPU cycles a second: one instruction is one cycle.
    pub vpu_hz: u64,
    /// Arm cycles a second: one instruction is one cycle.
    pub arm_hz: u64,
    /// Ticks of the Arm's system counter (CNTPCT) a second.
    pub counter_hz: u64,
}

impl Board {
    /// Raspberry Pi 3 Model B.
    pub const PI_3B: Self = Self {
        name: "3b",
        model: "Raspberry Pi 3 Model B",
        revision: 0x00a0_2082,
        config_filters: &["pi3"],
        ram_bytes: 1 << 30,
        cpuid: 0x0400_0140,
        vpu_hz: 250_000_000,
        arm_hz: 1_200_000_000,
        counter_hz: 19_200_000,
    };
    /// Raspberry Pi Zero 2 W.
    pub const ZERO_2_W: Self = Self {
        name: "zero2w",
        model: "Raspberry Pi Zero 2 W",
        revision: 0x0090_2120,
        config_filters: &["pi02"],
        ram_bytes: 512 << 20,
        cpuid: 0x0400_0140,
        vpu_hz: 250_000_000,
        arm_hz: 1_000_000_000,
        counter_hz: 19_200_000,
    };
    /// All of them.
    pub const ALL: [Self; 2] = [Self::PI_3B, Self::ZERO_2_W];

    /// Finds a board by its short name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|board| board.name == name)
    }
}
