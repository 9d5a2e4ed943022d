//! What the model reaches of the machine at a moment: RAM and registers, as a VPU core would.

use crate::machine::EventKind;
use crate::ram::Ram;
use crate::soc::bcm2837::{Bcm2837, Origin};
use crate::soc::device::Initiator;

/// The VPU's view of mailboxes and doorbells (VCHIQ fact sheet 4.2).
const VPU_VIEW: u32 = 0x7e00_b900;
const BELL_0: u32 = VPU_VIEW + 0x40;
const BELL_2: u32 = VPU_VIEW + 0x48;
const BELL_3: u32 = VPU_VIEW + 0x4c;
const MAILBOX_0_WRITE: u32 = VPU_VIEW + 0x80;
const MAILBOX_0_STATUS: u32 = VPU_VIEW + 0x98;
const MAILBOX_1_READ: u32 = VPU_VIEW + 0xa0;
const MAILBOX_1_STATUS: u32 = VPU_VIEW + 0xb8;
const MAILBOX_1_CONFIG: u32 = VPU_VIEW + 0xbc;

const STATUS_FULL: u32 = 1 << 31;
const STATUS_EMPTY: u32 = 1 << 30;
const CONFIG_DATA_INTERRUPT: u32 = 1;
const BELL_RUNG: u32 = 1 << 2;

/// The machine, for the model. Addresses are bus addresses of any alias.
pub(crate) struct Board<'a> {
    pub(crate) ram: &'a mut Ram,
    pub(crate) soc: &'a mut Bcm2837,
    pub(crate) now_ps: u64,
}

impl Board<'_> {
    /// Virtual time in nanoseconds.
    pub(super) fn now_ns(&self) -> u64 {
        self.now_ps / 1000
    }

    pub(super) fn load(&self, address: u32) -> u32 {
        self.ram.read32(address)
    }

    pub(super) fn store(&mut self, address: u32, word: u32) {
        self.ram.write32(address, word);
    }

    pub(super) fn load_bytes(&self, address: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.ram.read_bytes(address, &mut bytes);
        bytes
    }

    pub(super) fn store_bytes(&mut self, address: u32, bytes: &[u8]) {
        self.ram.write_bytes(address, bytes);
    }

    /// Level of the line by which the Arm interrupts the VPU.
    pub(super) fn is_called(&self) -> bool {
        self.soc.arm_calls_vpu()
    }

    /// Asks for an interrupt when a word arrives in mailbox 1.
    pub(super) fn enable_mailbox_interrupt(&mut self) {
        self.write_register(MAILBOX_1_CONFIG, CONFIG_DATA_INTERRUPT);
    }

    /// The next word the Arm has sent.
    pub(super) fn take_mail(&mut self) -> Option<u32> {
        if self.read_register(MAILBOX_1_STATUS) & STATUS_EMPTY != 0 {
            return None;
        }
        Some(self.read_register(MAILBOX_1_READ))
    }

    /// Sends a word to the Arm; false if its mailbox is full.
    pub(super) fn send_mail(&mut self, word: u32) -> bool {
        let has_room = self.read_register(MAILBOX_0_STATUS) & STATUS_FULL == 0;
        if has_room {
            self.write_register(MAILBOX_0_WRITE, word);
        }
        has_room
    }

    /// True if the Arm has rung since the last call.
    pub(super) fn take_bell(&mut self) -> bool {
        let bells = self.read_register(BELL_2) | self.read_register(BELL_3);
        bells & BELL_RUNG != 0
    }

    /// Rings doorbell 0.
    pub(super) fn ring_arm(&mut self) {
        self.write_register(BELL_0, 0);
    }

    /// A line for the event log.
    pub(super) fn note(&mut self, text: String) {
        self.soc.effects().events.push(EventKind::Model(text));
    }

    fn origin(&self) -> Origin {
        Origin { now_ps: self.now_ps, by: Initiator::Vpu(0), pc: 0 }
    }

    fn read_register(&mut self, address: u32) -> u32 {
        let origin = self.origin();
        self.soc.read(self.ram, address, origin)
    }

    fn write_register(&mut self, address: u32, word: u32) {
        let origin = self.origin();
        self.soc.write(self.ram, address, word, origin);
    }
}
