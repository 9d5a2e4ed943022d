//! MRS, MSR and SYS: what a row of the table does.

use super::traps::Verdict;
use super::{Behaviour, Register};
use crate::arm::bus::{Bus, Width};
use crate::arm::exception::system_trapped;
use crate::arm::mmu::{self, Failure, Intent, Status};
use crate::arm::pmu::Now;
use crate::arm::state::{At, Note, State, Stop};

const SCTLR_DZE: u64 = 1 << 14;
/// Bytes that DC ZVA clears, as DCZID_EL0 says.
const ZERO_BLOCK: u64 = 64;

impl State {
    /// What the performance monitor counts, now.
    pub(crate) fn now<B: Bus>(&self, bus: &B, elapsed: u32) -> Now {
        Now { cycles: bus.cycles(self.id, elapsed), instructions: self.retired + u64::from(elapsed) }
    }

    fn check(&mut self, at: At, register: Register, rt: u8, is_read: bool) -> Result<(), Stop> {
        match self.judge(register, is_read) {
            Verdict::Allowed => {}
            Verdict::Undefined => return Err(self.undefined(at)),
            Verdict::Trapped(target) => {
                let syndrome = system_trapped(register, rt, is_read);
                return Err(self.raise(at, target, syndrome, None));
            }
        }
        if register.row().behaviour == Behaviour::FloatingPoint {
            self.check_floating_point(at)?;
        }
        Ok(())
    }

    /// MRS.
    #[inline(never)]
    pub(crate) fn read_system<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        rt: u8,
        register: Register,
    ) -> Result<u64, Stop> {
        self.check(at, register, rt, true)?;
        let counter = |bus: &B| bus.counter(self.id, at.elapsed);
        let value = match register.row().behaviour {
            Behaviour::PresentedBy(by) if self.level < 2 && self.is_non_secure() => self.system(by),
            Behaviour::CacheSize => self.cache_size(),
            Behaviour::ZeroBlockSize => {
                let is_prohibited = self.level == 0 && self.system(Register::SCTLR_EL1) & SCTLR_DZE == 0;
                self.system(register) | u64::from(is_prohibited) << 4
            }
            Behaviour::CurrentLevel => u64::from(self.level) << 2,
            Behaviour::StackSelect => u64::from(self.own_stack),
            Behaviour::Flags => u64::from(self.flags) << 28,
            Behaviour::Daif => u64::from(self.daif) << 6,
            Behaviour::InterruptStatus => {
                let lines = bus.lines(self.id);
                u64::from(lines.irq) << 7 | u64::from(lines.fiq) << 6
            }
            Behaviour::StackPointer(level) => {
                // SP_EL0 while it is the stack in use is undefined (D17.2.132).
                if level == 0 && !self.own_stack {
                    return Err(self.undefined(at));
                }
                self.stack_of(level)
            }
            Behaviour::CounterPhysical => counter(bus),
            Behaviour::CounterVirtual => self.virtual_count(counter(bus)),
            Behaviour::TimerValue(timer) => self.timer_value(timer, counter(bus)),
            Behaviour::TimerControl(timer) => self.timer_control(timer, counter(bus)),
            Behaviour::Pmu(what) => {
                let now = self.now(bus, at.elapsed);
                self.pmu_read(register, what, now)
            }
            _ => self.system(register),
        };
        Ok(value)
    }

    /// CCSIDR of the cache that CSSELR selects: 32 KiB data, 32 KiB instruction, 512 KiB unified.
    fn cache_size(&self) -> u64 {
        match self.system(Register::CSSELR_EL1) {
            0 => 0x700f_e01a,
            1 => 0x201f_e00a,
            2 => 0x703f_e07a,
            _ => 0,
        }
    }

    /// MSR (register) and SYS.
    #[inline(never)]
    pub(crate) fn write_system<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        rt: u8,
        register: Register,
        value: u64,
    ) -> Result<(), Stop> {
        self.check(at, register, rt, false)?;
        let row = register.row();
        match row.behaviour {
            Behaviour::Fixed
            | Behaviour::CacheOperation
            | Behaviour::PresentedBy(_)
            | Behaviour::CacheSize
            | Behaviour::ZeroBlockSize
            | Behaviour::CurrentLevel
            | Behaviour::InterruptStatus
            | Behaviour::CounterPhysical
            | Behaviour::CounterVirtual => {}
            Behaviour::Stored | Behaviour::FloatingPoint => self.set_system(register, value),
            Behaviour::Masked(mask) => self.set_system(register, (row.reset & !mask) | (value & mask)),
            Behaviour::Translation => {
                self.set_system(register, value);
                self.flush_translations();
            }
            Behaviour::Routing => {
                self.set_system(register, value);
                self.pmu_stale = true;
                self.flush_translations();
            }
            Behaviour::StackSelect => self.switch(self.level, value & 1 != 0),
            Behaviour::Flags => self.flags = (value >> 28 & 0xf) as u8,
            Behaviour::Daif => {
                self.daif = (value >> 6 & 0xf) as u8;
                self.look_around();
            }
            Behaviour::StackPointer(level) => {
                if level == 0 && !self.own_stack {
                    return Err(self.undefined(at));
                }
                self.set_stack_of(level, value);
            }
            Behaviour::TimerValue(timer) => {
                let counter = bus.counter(self.id, at.elapsed);
                self.set_timer_value(timer, counter, value);
                self.timers_changed(bus, at);
            }
            Behaviour::TimerCompare(_) | Behaviour::TimerSetting => {
                self.set_system(register, value);
                self.timers_changed(bus, at);
            }
            Behaviour::TimerControl(_) => {
                self.set_system(register, value & 3);
                self.timers_changed(bus, at);
            }
            Behaviour::Pmu(what) => {
                let now = self.now(bus, at.elapsed);
                self.pmu_write(at.pc, register, what, value, now);
            }
            Behaviour::CacheAddress => self.maintain(bus, at, value)?,
            Behaviour::InstructionCache => {
                if register == Register::IC_IVAU {
                    self.maintain(bus, at, value)?;
                }
                self.look_around();
            }
            Behaviour::ZeroBlock => self.zero_block(bus, at, value)?,
            Behaviour::TlbLocal => self.flush_translations(),
            Behaviour::TlbBroadcast => {
                self.flush_translations();
                bus.invalidate_other_tlbs(self.id);
            }
            Behaviour::Translate { level, write } => self.translate_address(bus, at, value, level, write)?,
            Behaviour::NotObeyed => self.note(Note::NotObeyed { pc: at.pc, register }),
        }
        Ok(())
    }

    fn timers_changed<B: Bus>(&mut self, bus: &mut B, at: At) {
        let counter = bus.counter(self.id, at.elapsed);
        self.update_timers(bus, counter);
        self.look_around();
    }

    /// Cache maintenance by address: only its faults are visible.
    fn maintain<B: Bus>(&mut self, bus: &mut B, at: At, address: u64) -> Result<(), Stop> {
        if self.tlb.readable(address, 1).is_some() {
            return Ok(());
        }
        match mmu::translate(self, bus, self.level, address, Intent::Read) {
            Ok(mapping) => {
                if bus.is_ram(mapping.physical) {
                    let is_normal = !mapping.is_device();
                    self.tlb.insert(address, mapping.physical as u32, false, is_normal);
                }
                Ok(())
            }
            Err(Failure::Abort(status)) => Err(self.abort(at, address, Intent::Write, status, true)),
            Err(Failure::Unmodelled(kind)) => Err(self.stop(at.pc, 0, kind)),
        }
    }

    /// DC ZVA.
    fn zero_block<B: Bus>(&mut self, bus: &mut B, at: At, address: u64) -> Result<(), Stop> {
        let block = address & !(ZERO_BLOCK - 1);
        if let Some(physical) = self.tlb.unaligned(block, ZERO_BLOCK, true) {
            bus.ram().write_bytes(physical, &[0; ZERO_BLOCK as usize]);
            return Ok(());
        }
        match mmu::translate(self, bus, self.level, block, Intent::Write) {
            Ok(mapping) if mapping.is_device() => {
                return Err(self.abort(at, address, Intent::Write, Status::ALIGNMENT, false));
            }
            Ok(_) => {}
            Err(Failure::Abort(status)) => {
                return Err(self.abort(at, address, Intent::Write, status, false));
            }
            Err(Failure::Unmodelled(kind)) => return Err(self.stop(at.pc, 0, kind)),
        }
        for offset in (0..ZERO_BLOCK).step_by(8) {
            self.store(bus, at, block + offset, Width::Double, 0)?;
        }
        Ok(())
    }

    /// AT: the result, good or bad, goes to PAR_EL1.
    fn translate_address<B: Bus>(
        &mut self,
        bus: &mut B,
        at: At,
        address: u64,
        level: u8,
        is_write: bool,
    ) -> Result<(), Stop> {
        let intent = if is_write { Intent::Write } else { Intent::Read };
        let result = match mmu::translate(self, bus, level, address, intent) {
            Ok(mapping) => {
                // Device and non-cacheable memory is outer shareable, whatever the descriptor says.
                let is_cached = !mapping.is_device() && mapping.attribute != 0x44;
                let shareability = if is_cached { u64::from(mapping.shareability) } else { 2 };
                let non_secure = mapping.non_secure || self.is_non_secure();
                u64::from(mapping.attribute) << 56
                    | mapping.physical & 0x0000_ffff_ffff_f000
                    | 1 << 11
                    | u64::from(non_secure) << 9
                    | shareability << 7
            }
            Err(Failure::Abort(status)) => 1 << 11 | u64::from(status.0) << 1 | 1,
            Err(Failure::Unmodelled(kind)) => return Err(self.stop(at.pc, 0, kind)),
        };
        self.set_system(Register::PAR_EL1, result);
        Ok(())
    }
}
