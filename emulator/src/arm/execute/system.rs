//! Exception generation, hints, PSTATE, floating-point traps.

use crate::arm::bus::Bus;
use crate::arm::decode::{Call, PstateField};
use crate::arm::exception::{Class, FLOATING_POINT_TRAPPED, syndrome, wait_trapped};
use crate::arm::fault::FaultKind;
use crate::arm::state::{At, Note, Sleep, State, Stop};
use crate::arm::sysreg::Register;

const SCR_SMD: u64 = 1 << 7;
const SCR_HCE: u64 = 1 << 8;
const SCR_TWI: u64 = 1 << 12;
const SCR_TWE: u64 = 1 << 13;
const HCR_TWI: u64 = 1 << 13;
const HCR_TWE: u64 = 1 << 14;
const HCR_TSC: u64 = 1 << 19;
const HCR_HCD: u64 = 1 << 29;
const SCTLR_UMA: u64 = 1 << 9;
const SCTLR_NTWI: u64 = 1 << 16;
const SCTLR_NTWE: u64 = 1 << 18;
/// TFP of CPTR_EL2 and CPTR_EL3.
const CPTR_TFP: u64 = 1 << 10;

/// Bits that trap a WFI or a WFE, by level.
struct WaitTraps {
    el0_allowed: u64,
    el2: u64,
    el3: u64,
    is_event: bool,
}

const WFI: WaitTraps = WaitTraps { el0_allowed: SCTLR_NTWI, el2: HCR_TWI, el3: SCR_TWI, is_event: false };
const WFE: WaitTraps = WaitTraps { el0_allowed: SCTLR_NTWE, el2: HCR_TWE, el3: SCR_TWE, is_event: true };

impl State {
    /// SVC, HVC, SMC, BRK.
    #[cold]
    pub(super) fn call(&mut self, at: At, call: Call, immediate: u16) -> Stop {
        let immediate = u32::from(immediate);
        let scr = self.system(Register::SCR_EL3);
        let hcr = self.hypervisor_control();
        let is_below_el2 = self.level < 2;
        // These three return to the next instruction; BRK and a trapped SMC to themselves.
        let next = At { pc: at.pc.wrapping_add(4), ..at };
        match call {
            Call::Supervisor => {
                let target = self.own_target();
                self.raise(next, target, syndrome(Class::SupervisorCall, immediate), None)
            }
            Call::Hypervisor => {
                let is_disabled = scr & SCR_HCE == 0 || (is_below_el2 && hcr & HCR_HCD != 0);
                let is_secure_el1 = is_below_el2 && !self.is_non_secure();
                if self.level == 0 || is_disabled || is_secure_el1 {
                    return self.undefined(at);
                }
                self.raise(next, 2, syndrome(Class::HypervisorCall, immediate), None)
            }
            Call::SecureMonitor => {
                if self.level == 0 {
                    return self.undefined(at);
                }
                let syndrome = syndrome(Class::SecureMonitorCall, immediate);
                if self.level == 1 && hcr & HCR_TSC != 0 {
                    return self.raise(at, 2, syndrome, None);
                }
                if scr & SCR_SMD != 0 {
                    return self.undefined(at);
                }
                self.raise(next, 3, syndrome, None)
            }
            Call::Breakpoint => {
                let target = self.own_target();
                self.raise(at, target, syndrome(Class::Breakpoint, immediate), None)
            }
        }
    }

    /// MSR (immediate).
    pub(super) fn set_pstate(&mut self, at: At, field: PstateField, value: u8) -> Result<(), Stop> {
        let is_forbidden = self.level == 0
            && (field == PstateField::StackSelect || self.system(Register::SCTLR_EL1) & SCTLR_UMA == 0);
        if is_forbidden {
            return Err(match field {
                PstateField::StackSelect => self.undefined(at),
                PstateField::DaifSet => self.trap_daif(at, 6, value),
                PstateField::DaifClear => self.trap_daif(at, 7, value),
            });
        }
        match field {
            PstateField::StackSelect => self.switch(self.level, value & 1 != 0),
            PstateField::DaifSet => self.daif |= value,
            PstateField::DaifClear => {
                self.daif &= !value;
                self.look_around();
            }
        }
        Ok(())
    }

    /// MSR DAIFSet or DAIFClr at EL0 without leave: op0 0, op1 3, CRn 4, Rt 31.
    #[cold]
    fn trap_daif(&mut self, at: At, op2: u32, value: u8) -> Stop {
        let iss = op2 << 17 | 3 << 14 | 4 << 10 | 31 << 5 | u32::from(value) << 1;
        let target = self.own_target();
        self.raise(at, target, syndrome(Class::SystemTrapped, iss), None)
    }

    /// YIELD: the rest of the slice goes to the others.
    #[inline(always)]
    pub(super) fn give_way(&mut self) {
        self.yielded = true;
        self.look_around();
    }

    /// The level that a WFI or WFE which would sleep is trapped to.
    fn wait_trap(&self, traps: &WaitTraps) -> Option<u8> {
        if self.level == 0 && self.system(Register::SCTLR_EL1) & traps.el0_allowed == 0 {
            return Some(self.own_target());
        }
        if self.level < 2 && self.hypervisor_control() & traps.el2 != 0 {
            return Some(2);
        }
        let is_trapped_to_el3 = self.level < 3 && self.system(Register::SCR_EL3) & traps.el3 != 0;
        is_trapped_to_el3.then_some(3)
    }

    /// WFE.
    pub(super) fn wait_for_event<B: Bus>(&mut self, bus: &mut B, at: At) -> Result<(), Stop> {
        if self.event {
            self.event = false;
            return Ok(());
        }
        if let Some(target) = self.wait_trap(&WFE) {
            return Err(self.raise(at, target, wait_trapped(WFE.is_event), None));
        }
        let stream = self.next_stream_event(bus.counter(self.id, at.elapsed));
        self.sleep = Sleep::Event { stream };
        self.look_around();
        Ok(())
    }

    /// WFI.
    pub(super) fn wait_for_interrupt(&mut self, at: At) -> Result<(), Stop> {
        if let Some(target) = self.wait_trap(&WFI) {
            return Err(self.raise(at, target, wait_trapped(WFI.is_event), None));
        }
        self.sleep = Sleep::Interrupt;
        self.look_around();
        Ok(())
    }

    /// Traps a use of the floating-point unit that CPACR or CPTR forbid.
    pub(in crate::arm) fn check_floating_point(&mut self, at: At) -> Result<(), Stop> {
        let enabled = self.system(Register::CPACR_EL1) >> 20 & 3;
        let kernel_allows = match self.level {
            0 => enabled == 3,
            1 => enabled & 1 != 0,
            _ => true,
        };
        if !kernel_allows {
            let target = self.own_target();
            return Err(self.raise(at, target, FLOATING_POINT_TRAPPED, None));
        }
        let is_non_secure = self.level < 3 && self.is_non_secure();
        if is_non_secure && self.system(Register::CPTR_EL2) & CPTR_TFP != 0 {
            return Err(self.raise(at, 2, FLOATING_POINT_TRAPPED, None));
        }
        if self.system(Register::CPTR_EL3) & CPTR_TFP != 0 {
            return Err(self.raise(at, 3, FLOATING_POINT_TRAPPED, None));
        }
        Ok(())
    }

    /// A floating-point or SIMD instruction.
    #[cold]
    pub(super) fn floating_point(&mut self, at: At, word: u32) -> Stop {
        match self.check_floating_point(at) {
            Err(stop) => stop,
            Ok(()) => self.stop(at.pc, word, FaultKind::FloatingPoint),
        }
    }

    /// MRS, MSR or SYS of what the table does not know.
    #[cold]
    pub(super) fn unknown_system_register(&mut self, at: At, word: u32) -> Stop {
        self.note(Note::UnknownSystemRegister { pc: at.pc, word });
        self.undefined(at)
    }
}
