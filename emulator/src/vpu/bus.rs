//! What a VPU core needs of the machine around it.

use crate::ram::Ram;

/// Size of a load or store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Half,
    /// 32 bits.
    Word,
}

/// Which VPU core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CoreId {
    /// Core 0, the one that boots.
    Core0,
    /// Core 1, started by firmware through IC1_WAKEUP.
    Core1,
}

/// Who asks, and when: handed to every device access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Address of the instruction.
    pub pc: u32,
    /// Which core.
    pub core: CoreId,
    /// Instructions this core has retired since the current `run` call began: lets the machine place the access
    /// within the slice.
    pub elapsed: u32,
}

/// An interrupt that the controller hands over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interrupt {
    /// Source 0..64; the vector is `0x40 + number`.
    pub number: u8,
}

/// The machine, as seen from one VPU core.
///
/// RAM is reached directly; an address whose top six bits are `0x1f` (0x7c000000 to 0x7fffffff), and the boot
/// ROM's at 0x6000_0000, go through the device calls. Device addresses are word-aligned by the callee; `width`
/// tells what was asked.
pub trait Bus {
    /// The shared SDRAM.
    fn ram(&mut self) -> &mut Ram;
    /// A load from a register.
    fn device_read(&mut self, access: Access, address: u32, width: Width) -> u32;
    /// A store to a register.
    fn device_write(&mut self, access: Access, address: u32, width: Width, value: u32);
    /// Highest-priority pending and enabled interrupt of the core, which becomes the one in its S register.
    /// Called only while the core has interrupts enabled.
    fn acknowledge_interrupt(&mut self, core: CoreId) -> Option<Interrupt>;
    /// True if an enabled interrupt is pending: wakes a sleeping core whether or not it will be taken.
    fn interrupt_pending(&self, core: CoreId) -> bool;
    /// True once after an access that may have changed interrupt lines: the core then re-checks.
    fn take_attention(&mut self) -> bool;
    /// True once if the core should end its slice now, so that others see what it did (a doorbell was rung).
    fn take_yield(&mut self) -> bool;
    /// Base of the exception vector table (IC_VADDR).
    fn vector_base(&self, core: CoreId) -> u32;
    /// Reads p16..p31, the test-and-set locks that both cores share: old value out, now set. `index` is 16..32.
    fn lock_read(&mut self, index: u8) -> u32;
    /// Writes p16..p31: releases. `index` is 16..32.
    fn lock_release(&mut self, index: u8);
}
