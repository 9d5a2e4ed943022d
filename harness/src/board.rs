//! What the harness needs of the machine it runs on.
//!
//! `boot` implements [`Board`] with hardware, the native tests with an emulated machine in the same process.

use vchiq_mbox::platform::{Clock, MailboxRegisters, Platform, Window};

use crate::{banner::BuildId, histogram::Samples, record::Core};

/// A machine the suite can run on.
///
/// The parts are separate types so that a driver may hold one of them while the harness goes on using the
/// others; where one object stands behind several of them, the implementation shares it inside.
pub trait Board {
    /// Both counters, readable at any time, also while a driver holds the platform.
    type Clock: Clock;
    /// What VCHIQ needs.
    type Platform: Platform;
    /// The property mailbox's registers.
    type Mailbox: MailboxRegisters;
    /// Slots and property buffer: memory that neither side caches.
    type Window: Window;
    /// Memory to lend to VideoCore.
    type Lendable: Lendable;
    /// The rest: records out, watchdog, interrupt count.
    type Host: Host;

    /// Everything at once, borrowed apart.
    fn parts(&mut self) -> Parts<'_, Self>;
}

/// A board, taken apart.
pub struct Parts<'a, B: Board + ?Sized> {
    /// Which machine this is, as far as it is known before anybody asks the firmware.
    pub identity: Identity,
    /// Both counters.
    pub clock: &'a B::Clock,
    /// What VCHIQ needs.
    pub platform: &'a mut B::Platform,
    /// The property mailbox's registers.
    pub mailbox: &'a mut B::Mailbox,
    /// Memory for VCHIQ's slots and fragments: page-aligned, at least [`SLOT_WINDOW_BYTES`]. It holds what the last
    /// run left there; the harness looks at it after a reset, and clears it.
    pub slots: &'a B::Window,
    /// Memory for property messages: 16-byte-aligned, at least [`PROPERTY_WINDOW_BYTES`].
    pub property: &'a B::Window,
    /// Memory to lend: page-aligned, at least [`LENDABLE_BYTES`], physically contiguous, below 1 GiB.
    pub lendable: &'a mut B::Lendable,
    /// Records out, watchdog, interrupt count.
    pub host: &'a mut B::Host,
    /// Memory that survives a reset, at least [`BLACK_BOX_BYTES`]; `None` on a board that cannot be reset from here.
    pub black_box: Option<&'a B::Window>,
    /// Why the board started.
    pub last_reset: LastReset,
    /// Room for the histograms, preallocated so that recording a sample costs the same each time.
    pub samples: &'a mut Samples,
}

/// 64 data slots, slot zero and the sync slots, then 64 fragments of two cache lines: 66 pages and 8 KiB.
pub const SLOT_WINDOW_BYTES: usize = 512 * 1024;
/// The longest property message is the one that fetches the command line (up to 2 KiB of text).
pub const PROPERTY_WINDOW_BYTES: usize = 4096;
/// Room for [`Parts::black_box`].
pub const BLACK_BOX_BYTES: usize = 1024;
/// The largest block that a scenario lends.
pub const LARGEST_BLOCK_BYTES: usize = 4 * 1024 * 1024;
/// Twice the largest block, so that one that VideoCore keeps does not end the run; 128 blocks of 32 KiB with their
/// guards fit as well.
pub const LENDABLE_BYTES: usize = 2 * LARGEST_BLOCK_BYTES;

/// Why the board started, as far as it can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastReset {
    /// Power was applied: whatever memory holds is not from a run of ours.
    PowerOn,
    /// The watchdog.
    Watchdog,
    /// Nothing is told: the reset status has been read, and cleared, before.
    Unknown,
}

/// Which machine this is, as far as it is known before anybody asks the firmware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Git hash the image was built from, `-dirty` appended if the tree had changes; `unknown` without git.
    pub git: &'static str,
    /// Cargo profile of the image.
    pub profile: &'static str,
    /// Which build of the image.
    pub build: BuildId,
    /// What the core says it is, by [`EMULATED_AIDR`].
    pub core: Core,
    /// `BCM2837` or `BCM2711`.
    pub soc: &'static str,
    /// MIDR_EL1 of core 0.
    pub midr: u64,
    /// Exception level at which the firmware's stub entered the image.
    pub entry_el: u8,
}

/// AIDR_EL1 of the emulated Arm, `emul` in ASCII. Every core that the image knows has 0 there (Cortex-A53 and Cortex-A72
/// manuals, auxiliary ID register), so a report need not take the times of an emulated board for measured ones.
pub const EMULATED_AIDR: u64 = 0x656d_756c;

/// Memory that can be lent to VideoCore: cached on the Arm side, so that ownership changes need maintenance.
pub trait Lendable: Window {
    /// Writes dirty lines of `offset..offset + length` back to SDRAM, so that VideoCore reads what we stored.
    /// Offset and length are multiples of 64.
    fn clean(&self, offset: usize, length: usize);
    /// Drops lines of `offset..offset + length`, so that we load what VideoCore stored. Lines are cleaned
    /// first: a line that both sides wrote is a fault to be seen, not to be lost. Same multiples.
    fn invalidate(&self, offset: usize, length: usize);
}

/// Records out, watchdog, interrupt count.
pub trait Host {
    /// Sends one framed record to the PC (`defmt::println!("@record {=[u8]}", frame)` in the image). Never
    /// called inside a measurement.
    fn emit(&mut self, frame: &[u8]);
    /// Says once more, in plain text, which build of the image runs ([`crate::banner`]). Never called inside a
    /// measurement.
    fn announce(&mut self);
    /// The run got further: kicks the watchdog.
    fn progress(&mut self);
    /// Doorbell-0 interrupts taken since boot.
    fn doorbell_interrupts(&self) -> u32;
}
