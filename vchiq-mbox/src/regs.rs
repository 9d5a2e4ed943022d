//! Registers of the mailbox and the doorbells (hardware fact sheet 2 and 3).
//!
//! A read with a side effect needs `&mut`. Base addresses come from the board.
#![allow(unsafe_code)]

use tock_registers::{
    interfaces::{Readable, Writeable},
    register_bitfields, register_structs,
    registers::{ReadOnly, ReadWrite, WriteOnly},
};

use crate::platform::MailboxRegisters;

register_bitfields! {
    u32,
    /// Status of a mailbox.
    STATUS [
        /// Nothing to read.
        EMPTY OFFSET(30) NUMBITS(1) [],
        /// No room to write.
        FULL OFFSET(31) NUMBITS(1) []
    ],
    /// A doorbell, as read by the side it rings.
    BELL [
        /// Rung since the last read.
        RUNG OFFSET(2) NUMBITS(1) []
    ]
}

register_structs! {
    /// Peripheral base + 0xb880.
    MailboxBlock {
        /// 00: mailbox 0, VideoCore to Arm; a read takes the word.
        (0x00 => mailbox0_read: ReadOnly<u32>),
        (0x04 => _reserved04),
        /// 18: status of mailbox 0.
        (0x18 => mailbox0_status: ReadOnly<u32, STATUS::Register>),
        /// 1c: bit 0 enables the data interrupt.
        (0x1c => mailbox0_config: ReadWrite<u32>),
        /// 20: mailbox 1, Arm to VideoCore.
        (0x20 => mailbox1_write: WriteOnly<u32>),
        (0x24 => _reserved24),
        /// 38: status of mailbox 1.
        (0x38 => mailbox1_status: ReadOnly<u32, STATUS::Register>),
        (0x3c => @END),
    },
    /// Peripheral base + 0xb840.
    DoorbellBlock {
        /// 00: rings the Arm; a read acknowledges.
        (0x00 => bell0: ReadOnly<u32, BELL::Register>),
        (0x04 => _bell1),
        /// 08: rings VideoCore.
        (0x08 => bell2: WriteOnly<u32>),
        (0x0c => _bell3),
        (0x10 => @END),
    }
}

/// The register block at `base`.
///
/// # Safety
/// `base` is aligned, and mapped as device memory of at least the block's size for the rest of the program.
unsafe fn block<T>(base: usize) -> &'static T {
    let block = core::ptr::with_exposed_provenance::<T>(base);
    // SAFETY: the caller's promise; registers are read and written through cells only.
    unsafe { &*block }
}

/// The property mailbox of a board.
pub struct MailboxDevice {
    base: usize,
}

impl MailboxDevice {
    /// Offset from the peripheral base.
    pub const OFFSET: usize = 0xb880;

    /// # Safety
    /// `base` is the address of the mailbox block, mapped as device memory for the rest of the program, and no
    /// other handle reads mailbox 0.
    pub const unsafe fn new(base: usize) -> Self {
        Self { base }
    }

    fn registers(&self) -> &MailboxBlock {
        // SAFETY: promised to `new`.
        unsafe { block(self.base) }
    }
}

impl MailboxRegisters for MailboxDevice {
    fn can_read(&self) -> bool {
        !self.registers().mailbox0_status.is_set(STATUS::EMPTY)
    }

    fn read(&mut self) -> u32 {
        self.registers().mailbox0_read.get()
    }

    fn can_write(&self) -> bool {
        !self.registers().mailbox1_status.is_set(STATUS::FULL)
    }

    fn write(&mut self, word: u32) {
        self.registers().mailbox1_write.set(word);
    }
}

/// Rings VideoCore: doorbell 2.
pub struct DoorbellRinger {
    base: usize,
}

impl DoorbellRinger {
    /// Offset of the doorbell block from the peripheral base.
    pub const OFFSET: usize = 0xb840;

    /// # Safety
    /// `base` is the address of the doorbell block, mapped as device memory for the rest of the program.
    pub const unsafe fn new(base: usize) -> Self {
        Self { base }
    }

    /// Rings. The caller has ordered its stores before.
    pub fn ring(&mut self) {
        // SAFETY: promised to `new`.
        let registers: &DoorbellBlock = unsafe { block(self.base) };
        registers.bell2.set(0);
    }
}

/// Hears VideoCore: doorbell 0. For the interrupt handler.
pub struct DoorbellListener {
    base: usize,
}

impl DoorbellListener {
    /// # Safety
    /// `base` is the address of the doorbell block ([`DoorbellRinger::OFFSET`]), mapped as device memory for the
    /// rest of the program, and no other handle reads doorbell 0.
    pub const unsafe fn new(base: usize) -> Self {
        Self { base }
    }

    /// One read: true if the bell was rung, and acknowledges it.
    pub fn acknowledge(&mut self) -> bool {
        // SAFETY: promised to `new`.
        let registers: &DoorbellBlock = unsafe { block(self.base) };
        registers.bell0.is_set(BELL::RUNG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_lie_where_the_hardware_has_them() {
        assert_eq!(core::mem::offset_of!(MailboxBlock, mailbox0_status), 0x18);
        assert_eq!(core::mem::offset_of!(MailboxBlock, mailbox1_write), 0x20);
        assert_eq!(core::mem::offset_of!(MailboxBlock, mailbox1_status), 0x38);
        assert_eq!(core::mem::offset_of!(DoorbellBlock, bell2), 0x08);
    }
}
