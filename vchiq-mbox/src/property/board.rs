//! The board: model, revision, memory split, temperature, throttling.

use super::{MAX_WORDS, Tag, word, word_tags};

word_tags! {
    /// Board model: 0 on every board seen.
    BoardModel = 0x0001_0001,
    /// Board revision code (hardware fact sheet 1).
    BoardRevision = 0x0001_0002,
    /// Mask of the DMA channels that the Arm may use.
    DmaChannels = 0x0006_0001,
}

/// Serial number; leave it out of reports.
pub struct BoardSerial;

impl Tag for BoardSerial {
    const ID: u32 = 0x0001_0004;
    const VALUE_WORDS: usize = 2;
    type Request = ();
    type Response = u64;

    fn encode((): (), _: &mut [u32; MAX_WORDS]) {}

    fn decode(words: &[u32]) -> Result<u64, u32> {
        Ok(u64::from(word(words, 1)) << 32 | u64::from(word(words, 0)))
    }
}

/// A stretch of SDRAM, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MemoryRegion {
    /// Physical address of its start.
    pub base: u32,
    /// Its length.
    pub size: u32,
}

/// Defines tags that take nothing and answer a region.
macro_rules! region_tags {
    ($($(#[$doc:meta])* $name:ident = $id:literal),+ $(,)?) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Tag for $name {
                const ID: u32 = $id;
                const VALUE_WORDS: usize = 2;
                type Request = ();
                type Response = MemoryRegion;

                fn encode((): (), _: &mut [u32; MAX_WORDS]) {}

                fn decode(words: &[u32]) -> Result<MemoryRegion, u32> {
                    Ok(MemoryRegion { base: word(words, 0), size: word(words, 1) })
                }
            }
        )+
    };
}

region_tags! {
    /// The Arm's share of the low SDRAM; it ends where VideoCore's begins.
    ArmMemory = 0x0001_0005,
    /// VideoCore's share. 16 MiB means the cut-down firmware, which has no SMEM.
    VideoCoreMemory = 0x0001_0006,
}

/// Defines tags that take sensor 0 and answer thousandths of a degree Celsius.
macro_rules! temperature_tags {
    ($($(#[$doc:meta])* $name:ident = $id:literal),+ $(,)?) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Tag for $name {
                const ID: u32 = $id;
                const VALUE_WORDS: usize = 2;
                type Request = ();
                type Response = u32;

                fn encode((): (), words: &mut [u32; MAX_WORDS]) {
                    words[0] = 0;
                }

                fn decode(words: &[u32]) -> Result<u32, u32> {
                    Ok(word(words, 1))
                }
            }
        )+
    };
}

temperature_tags! {
    /// Temperature of the SoC.
    Temperature = 0x0003_0006,
    /// Temperature above which the SoC is slowed down.
    MaxTemperature = 0x0003_000a,
}

bitflags::bitflags! {
    /// What has held the SoC back (gencmd fact sheet 1).
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct ThrottledFlags: u32 {
        /// Supply voltage too low, now.
        const UNDER_VOLTAGE = 1 << 0;
        /// Arm frequency capped, now.
        const FREQUENCY_CAPPED = 1 << 1;
        /// Throttled, now.
        const THROTTLED = 1 << 2;
        /// Soft temperature limit active, now.
        const SOFT_LIMIT = 1 << 3;
        /// Supply voltage has been too low since boot.
        const UNDER_VOLTAGE_OCCURRED = 1 << 16;
        /// Arm frequency has been capped since boot.
        const FREQUENCY_CAPPED_OCCURRED = 1 << 17;
        /// Has been throttled since boot.
        const THROTTLED_OCCURRED = 1 << 18;
        /// Soft temperature limit has been active since boot.
        const SOFT_LIMIT_OCCURRED = 1 << 19;
        /// Bits without a name are kept.
        const _ = !0;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for ThrottledFlags {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u32:#x}", self.bits());
    }
}

/// The throttle bits; clears none.
pub struct Throttled;

impl Tag for Throttled {
    const ID: u32 = 0x0003_0046;
    const VALUE_WORDS: usize = 1;
    type Request = ();
    type Response = ThrottledFlags;

    fn encode((): (), words: &mut [u32; MAX_WORDS]) {
        words[0] = 0;
    }

    fn decode(words: &[u32]) -> Result<ThrottledFlags, u32> {
        Ok(ThrottledFlags::from_bits_retain(word(words, 0)))
    }
}
