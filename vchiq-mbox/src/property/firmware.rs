//! Which firmware this is.

use core::fmt;

use super::{MAX_WORDS, Tag, word, word_tags};

word_tags! {
    /// Build time in Unix seconds. QEMU answers [`FirmwareRevision::QEMU`], the model [`FirmwareRevision::MODEL`].
    FirmwareRevision = 0x0000_0001,
}

impl FirmwareRevision {
    /// What QEMU's model of the mailbox answers; no firmware has it.
    pub const QEMU: u32 = 0x0005_48e1;
    /// What the emulator's model of VideoCore answers: 2001-09-09 01:46:40, before there was a Raspberry Pi.
    pub const MODEL: u32 = 1_000_000_000;
}

/// The variant of the firmware file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Variant {
    /// Firmware does not say.
    Unknown,
    /// start.elf
    Start,
    /// start_x.elf: with camera and codecs.
    StartX,
    /// start_db.elf: with assertions.
    StartDb,
    /// start_cd.elf: cut down; no SMEM, no MMAL.
    StartCd,
    /// A number that is not documented.
    Other(u32),
}

/// Asks for the [`Variant`].
pub struct FirmwareVariant;

impl Tag for FirmwareVariant {
    const ID: u32 = 0x0000_0002;
    const VALUE_WORDS: usize = 1;
    type Request = ();
    type Response = Variant;

    fn encode((): (), _: &mut [u32; MAX_WORDS]) {}

    fn decode(words: &[u32]) -> Result<Variant, u32> {
        Ok(match word(words, 0) {
            0 => Variant::Unknown,
            1 => Variant::Start,
            2 => Variant::StartX,
            3 => Variant::StartDb,
            4 => Variant::StartCd,
            other => Variant::Other(other),
        })
    }
}

/// Hash of the firmware's own source, as the command `version` prints it: 40 hexadecimal digits. Not a commit of
/// any public repository.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Hash(pub [u32; 5]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:08x}"))
    }
}

/// Asks for the [`struct@Hash`].
pub struct FirmwareHash;

impl Tag for FirmwareHash {
    const ID: u32 = 0x0000_0003;
    const VALUE_WORDS: usize = 5;
    /// Firmware of 2022 writes all five words, but says that it has answered two.
    const CLAIMED_WORDS: usize = 2;
    type Request = ();
    type Response = Hash;

    fn encode((): (), _: &mut [u32; MAX_WORDS]) {}

    fn decode(words: &[u32]) -> Result<Hash, u32> {
        Ok(Hash(core::array::from_fn(|index| word(words, index))))
    }
}
