//! A machine with the link up and both services open, for tests that drive them without the harness.

use std::time::Duration;

use emulator::board::Board as BoardModel;
use mmal::{HandleNumber, Mmal};
use vchiq_mbox::{
    Deadline, Mailbox, Vchiq,
    property::{VchiqInit, VchiqReply},
};
use vcsm::{Imported, Smem};

use super::{
    Firmware, NativeBoard, NativeClock, NativeLendable, NativePlatform, NativeWindow, Parts, Piece, Witness,
    firmware_dir,
};

/// Virtual time the firmware may take to release the Arm.
const BOOT_LIMIT_NS: u64 = 20_000_000_000;

/// The services, and what is needed to use them.
pub struct Bench<'a> {
    clock: &'a NativeClock,
    /// The link.
    pub link: Vchiq<&'a mut NativePlatform, &'a NativeWindow>,
    /// The shared-memory service.
    pub smem: Smem<Piece<'a>, 8>,
    /// The MMAL service.
    pub mmal: Mmal<HandleNumber, 8>,
    /// Memory to lend.
    pub lendable: &'a NativeLendable,
    /// The machine.
    pub witness: Witness,
}

/// Boots a variant of the firmware on a Pi 3B and gives both services to `test`. Passed over without firmware.
///
/// # Panics
/// If the firmware does not get as far as that.
pub fn on_firmware(variant: &str, test: impl FnOnce(&mut Bench<'_>)) {
    let Some(folder) = firmware_dir() else { return };
    let (start, fixup) = (format!("start{variant}.elf"), format!("fixup{variant}.dat"));
    let card = Firmware { folder: &folder, start: &start, fixup: &fixup }.card("");
    let mut board = NativeBoard::start(BoardModel::PI_3B, card, BOOT_LIMIT_NS).expect("the firmware boots");
    let Parts { clock, platform, mailbox, slots, property, lendable, witness } = board.taken_apart();
    let mut mailbox = Mailbox::new(mailbox, property).expect("a property buffer");
    let mut link = Vchiq::prepare(platform, slots).expect("room for the slots");
    let deadline = Deadline::after(clock, Duration::from_secs(5));
    let answer = mailbox.call::<VchiqInit>(link.platform(), link.bus_address(), deadline);
    assert!(matches!(answer, Ok(VchiqReply::Accepted)), "VCHIQ_INIT: {answer:?}");
    link.connect(deadline).expect("CONNECT");
    let smem = Smem::open(&mut link, &vcsm::Options::default(), deadline).expect("SMEM");
    let mmal = Mmal::open(&mut link, &mmal::Options::default(), deadline).expect("mmal");
    test(&mut Bench { clock, link, smem, mmal, lendable, witness });
}

impl<'a> Bench<'a> {
    /// The end of a wait for something that must come.
    pub fn soon(&self) -> Deadline {
        Deadline::after(self.clock, Duration::from_secs(3))
    }

    /// The end of a wait for something that must not.
    pub fn brief(&self) -> Deadline {
        Deadline::after(self.clock, Duration::from_millis(50))
    }

    /// Lends a stretch from the start of a page.
    ///
    /// # Panics
    /// If the firmware refuses.
    pub fn import(&mut self, page: usize, size: usize) -> Imported {
        let (piece, deadline) = (Piece::new(self.lendable, page, size), self.soon());
        let imported = self.smem.import(&mut self.link, piece, deadline);
        imported.unwrap_or_else(|failure| panic!("IMPORT: {}", failure.error))
    }

    /// The stretch behind an import.
    ///
    /// # Panics
    /// If it has been given back.
    pub fn piece(&self, imported: &Imported) -> &Piece<'a> {
        self.smem.buffer(imported).expect("an import that stands")
    }

    /// The handle of an import, for a buffer.
    pub fn payload(&self, imported: &Imported) -> HandleNumber {
        let size = vcsm::Lend::size(self.piece(imported));
        HandleNumber { handle: imported.handle().number(), size }
    }
}
