//! What an Arm core needs of the machine around it.

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
    /// 64 bits.
    Double,
}

/// Who asks, and when: handed to every device access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Virtual address of the instruction.
    pub pc: u64,
    /// Core 0 to 3.
    pub core: u8,
    /// Instructions this core has retired since the current `run` call began.
    pub elapsed: u32,
}

/// No device answers: becomes a synchronous external abort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoAnswer;

/// The two interrupt lines into a core.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lines {
    /// IRQ is asserted.
    pub irq: bool,
    /// FIQ is asserted.
    pub fiq: bool,
}

/// Outputs of the core's own generic timers, which the machine routes to its interrupt controller.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TimerLines {
    /// CNTPS.
    pub secure_physical: bool,
    /// CNTP.
    pub physical: bool,
    /// CNTHP.
    pub hypervisor: bool,
    /// CNTV.
    pub virtual_: bool,
}

/// The machine, as seen from one Arm core. Addresses are physical.
pub trait Bus {
    /// The shared SDRAM.
    fn ram(&mut self) -> &mut Ram;
    /// True if `address` is RAM (else it goes through the device calls). RAM is a single run from 0.
    fn is_ram(&self, address: u64) -> bool;
    /// A load from a register.
    fn device_read(&mut self, access: Access, address: u64, width: Width) -> Result<u64, NoAnswer>;
    /// A store to a register.
    fn device_write(
        &mut self,
        access: Access,
        address: u64,
        width: Width,
        value: u64,
    ) -> Result<(), NoAnswer>;
    /// Interrupt lines of the core now.
    fn lines(&self, core: u8) -> Lines;
    /// The core's timer outputs changed (a compare was written or passed).
    fn set_timer_lines(&mut self, core: u8, lines: TimerLines);
    /// CNTPCT: the system counter at `elapsed` instructions into the slice.
    fn counter(&self, core: u8, elapsed: u32) -> u64;
    /// PMCCNTR time base: core clock cycles since power-on at `elapsed` instructions into the slice. The core
    /// subtracts what it slept.
    fn cycles(&self, core: u8, elapsed: u32) -> u64;
    /// SEV: sets the event register of every core.
    fn send_event(&mut self);
    /// True once after an access that may have changed interrupt lines.
    fn take_attention(&mut self) -> bool;
    /// True once if the core should end its slice now, so that others see what it did (a doorbell was rung).
    fn take_yield(&mut self) -> bool;
    /// Another core may hold an exclusive reservation on this granule: any store clears it. Called for every
    /// successful store-exclusive; the machine calls `Core::clear_reservation` on the others. (A plain store needs no
    /// call: a store-exclusive also compares the value that its load-exclusive saw.)
    fn clear_other_reservations(&mut self, core: u8, address: u64);
    /// A TLB invalidate instruction of the inner-shareable kind ran: the machine calls `Core::invalidate_tlb` on
    /// every other core.
    fn invalidate_other_tlbs(&mut self, core: u8);
}
