//! Clock rates in Hz.

use super::{MAX_WORDS, Tag, word};

/// A clock of the SoC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
#[expect(missing_docs, reason = "the names of the hardware")]
pub enum ClockId {
    Emmc = 1,
    Uart = 2,
    Arm = 3,
    Core = 4,
    V3d = 5,
    H264 = 6,
    Isp = 7,
    Sdram = 8,
    Pixel = 9,
    Pwm = 10,
    Emmc2 = 12,
}

impl ClockId {
    /// Every clock.
    pub const ALL: [Self; 11] = [
        Self::Emmc,
        Self::Uart,
        Self::Arm,
        Self::Core,
        Self::V3d,
        Self::H264,
        Self::Isp,
        Self::Sdram,
        Self::Pixel,
        Self::Pwm,
        Self::Emmc2,
    ];

    /// As the command `measure_clock` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emmc => "emmc",
            Self::Uart => "uart",
            Self::Arm => "arm",
            Self::Core => "core",
            Self::V3d => "v3d",
            Self::H264 => "h264",
            Self::Isp => "isp",
            Self::Sdram => "sdram",
            Self::Pixel => "pixel",
            Self::Pwm => "pwm",
            Self::Emmc2 => "emmc2",
        }
    }
}

/// Defines tags that take a clock and answer its rate in Hz.
macro_rules! rate_tags {
    ($($(#[$doc:meta])* $name:ident = $id:literal),+ $(,)?) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Tag for $name {
                const ID: u32 = $id;
                const VALUE_WORDS: usize = 2;
                type Request = ClockId;
                type Response = u32;

                fn encode(clock: ClockId, words: &mut [u32; MAX_WORDS]) {
                    words[0] = clock as u32;
                }

                fn decode(words: &[u32]) -> Result<u32, u32> {
                    Ok(word(words, 1))
                }
            }
        )+
    };
}

rate_tags! {
    /// The rate a clock is set to.
    ClockRate = 0x0003_0002,
    /// The highest rate a clock may be set to.
    MaxClockRate = 0x0003_0004,
    /// The lowest rate a clock may be set to.
    MinClockRate = 0x0003_0007,
    /// The rate a clock really has.
    MeasuredClockRate = 0x0003_0047,
}
