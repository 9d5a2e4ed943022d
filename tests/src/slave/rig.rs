//! A slave on a native board.

use emulator::board::Board as Model;
use harness::{Board, Parts};

use super::{Property, Slave, lay_out};
use crate::native::{
    Firmware, NativeBoard, NativeHost, NativeLendable, NativeMailbox, NativePlatform, NativeWindow,
    described_firmware_dir,
};
use vchiq_mbox::platform::Window;

/// Virtual time the firmware may take to release the Arm.
const BOOT_LIMIT_NS: u64 = 20_000_000_000;
/// The tag that hands slot zero over.
pub const VCHIQ_INIT: u32 = 0x0004_8010;

/// Everything a test works with.
pub struct Rig<'a> {
    /// The link. VCHIQ_INIT has been accepted, CONNECT not been sent.
    pub slave: Slave<'a, NativeWindow, NativePlatform>,
    /// The property mailbox.
    pub property: Property<'a, NativeMailbox, NativeWindow>,
    /// Its buffer.
    pub buffer: &'a NativeWindow,
    /// Memory to lend.
    pub lendable: &'a NativeLendable,
    /// The firmware's log, and the interrupts.
    pub host: &'a NativeHost,
}

/// A board with a variant of the release that the docs describe; `None` if it is not at hand.
///
/// # Panics
/// If it does not boot.
pub fn boot(variant: &str) -> Option<NativeBoard> {
    boot_with(variant, |firmware| firmware.card(""))
}

/// The same with another card.
///
/// # Panics
/// If it does not boot.
pub fn boot_with(variant: &str, card: impl FnOnce(&Firmware<'_>) -> Vec<u8>) -> Option<NativeBoard> {
    let folder = described_firmware_dir()?;
    let (start, fixup) = (format!("start{variant}.elf"), format!("fixup{variant}.dat"));
    let firmware = Firmware { folder: &folder, start: &start, fixup: &fixup };
    Some(NativeBoard::start(Model::PI_3B, card(&firmware), BOOT_LIMIT_NS).expect("the firmware boots"))
}

impl<'a> Rig<'a> {
    /// Lays slot zero out and hands it over.
    ///
    /// # Panics
    /// If the firmware refuses it.
    pub fn new(board: &'a mut NativeBoard) -> Self {
        let Parts { platform, mailbox, slots, property: buffer, lendable, host, .. } = board.parts();
        lay_out(slots);
        let mut property = Property::new(mailbox, buffer);
        let answer = property.ask(platform, VCHIQ_INIT, &[slots.bus_address().0], 1);
        assert_eq!(answer.expect("the tag is known").words, [0], "VCHIQ_INIT");
        Self { slave: Slave::new(slots, platform), property, buffer, lendable, host }
    }
}

/// Bytes of a window.
pub fn read(window: &impl Window, offset: usize, length: usize) -> Vec<u8> {
    let byte = |at: usize| window.load(at & !3).to_le_bytes()[at & 3];
    (offset..offset + length).map(byte).collect()
}
