//! A machine that is nothing but RAM, for comparisons and benchmarks.

use super::bus::{Access, Bus, Lines, NoAnswer, TimerLines, Width};
use crate::ram::{RAM_SIZE, Ram};

/// RAM from 0 to 1 GiB, no devices, no interrupts, a counter that advances with every instruction of a slice.
pub struct RamBus {
    /// The memory.
    pub ram: Ram,
}

impl RamBus {
    /// All zero.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { ram: Ram::new() }
    }
}

impl Bus for RamBus {
    #[inline(always)]
    fn ram(&mut self) -> &mut Ram {
        &mut self.ram
    }
    #[inline(always)]
    fn is_ram(&self, address: u64) -> bool {
        address < RAM_SIZE as u64
    }
    fn device_read(&mut self, _: Access, _: u64, _: Width) -> Result<u64, NoAnswer> {
        Err(NoAnswer)
    }
    fn device_write(&mut self, _: Access, _: u64, _: Width, _: u64) -> Result<(), NoAnswer> {
        Err(NoAnswer)
    }
    fn lines(&self, _: u8) -> Lines {
        Lines::default()
    }
    fn set_timer_lines(&mut self, _: u8, _: TimerLines) {}
    fn counter(&self, _: u8, elapsed: u32) -> u64 {
        u64::from(elapsed)
    }
    fn cycles(&self, _: u8, elapsed: u32) -> u64 {
        u64::from(elapsed)
    }
    fn send_event(&mut self) {}
    fn take_attention(&mut self) -> bool {
        false
    }
    fn take_yield(&mut self) -> bool {
        false
    }
    fn clear_other_reservations(&mut self, _: u8, _: u64) {}
    fn invalidate_other_tlbs(&mut self, _: u8) {}
}
