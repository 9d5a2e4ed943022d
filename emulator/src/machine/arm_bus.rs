//! The machine as an Arm core sees it.

use super::system::System;
use crate::arm::bus::{Access, Bus, Lines, NoAnswer, TimerLines, Width};
use crate::ram::Ram;

/// Bits of a register word that an access of up to a word covers, and its shift.
fn lanes(address: u64, width: Width) -> (u32, u32) {
    let (mask, shift) = match width {
        Width::Byte => (0xff, 8 * (address & 3) as u32),
        Width::Half => (0xffff, 8 * (address & 2) as u32),
        Width::Word | Width::Double => (u32::MAX, 0),
    };
    (mask << shift, shift)
}

impl Bus for System {
    fn ram(&mut self) -> &mut Ram {
        &mut self.ram
    }

    #[inline]
    fn is_ram(&self, address: u64) -> bool {
        address < self.arm_ram_end
    }

    fn device_read(&mut self, access: Access, address: u64, width: Width) -> Result<u64, NoAnswer> {
        let bus = self.soc.arm_bus_address(address).ok_or(NoAnswer)?;
        let cost = self.arm_register_cycles;
        let word = self.load(bus & !3, access.pc, access.elapsed, cost);
        if width == Width::Double {
            let high = self.load((bus & !3) + 4, access.pc, access.elapsed, cost);
            return Ok(u64::from(word) | u64::from(high) << 32);
        }
        let (mask, shift) = lanes(address, width);
        Ok(u64::from((word & mask) >> shift))
    }

    fn device_write(
        &mut self,
        access: Access,
        address: u64,
        width: Width,
        value: u64,
    ) -> Result<(), NoAnswer> {
        let bus = self.soc.arm_bus_address(address).ok_or(NoAnswer)?;
        let cost = self.arm_register_cycles;
        let at = (access.pc, access.elapsed);
        let (mask, shift) = lanes(address, width);
        self.store(bus & !3, mask, (value as u32) << shift, at, cost);
        if width == Width::Double {
            self.store((bus & !3) + 4, u32::MAX, (value >> 32) as u32, at, cost);
        }
        Ok(())
    }

    fn lines(&self, core: u8) -> Lines {
        self.soc.arm_core_lines(core)
    }

    fn set_timer_lines(&mut self, core: u8, lines: TimerLines) {
        self.soc.set_arm_timers(core, lines);
    }

    fn counter(&self, _: u8, elapsed: u32) -> u64 {
        self.counter.cycles_at(self.time(elapsed))
    }

    fn cycles(&self, _: u8, elapsed: u32) -> u64 {
        self.running.first_cycle + u64::from(self.running.stalled) + u64::from(elapsed)
    }

    fn send_event(&mut self) {
        self.requests.send_event = true;
        self.end_slice = true;
    }

    fn take_attention(&mut self) -> bool {
        self.soc.take_line_change()
    }

    fn take_yield(&mut self) -> bool {
        std::mem::take(&mut self.end_slice)
    }

    fn clear_other_reservations(&mut self, core: u8, address: u64) {
        self.requests.stored_exclusive.push((core, address));
    }

    fn invalidate_other_tlbs(&mut self, core: u8) {
        self.requests.invalidate_tlbs_for = Some(core);
        self.end_slice = true;
    }
}
