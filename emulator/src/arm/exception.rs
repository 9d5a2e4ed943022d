//! Exceptions: syndromes, routing, entry and return (D1.10, D1.11 and D17.2.37 of the architecture manual).

use super::bus::Lines;
use super::fault::FaultKind;
use super::mmu::{Intent, Status};
use super::state::{At, MASK_FIQ, MASK_IRQ, State, Stop, Trap};
use super::sysreg::Register;

/// `IL`: the instruction was 32 bits long, or the class always says so.
const IL: u32 = 1 << 25;
/// `CV` with condition "always", as AArch64 reports it.
const ALWAYS: u32 = 1 << 24 | 0xe << 20;

/// Exception class of ESR_ELx, the ones a Cortex-A53 in AArch64 state raises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    Unknown = 0x00,
    WaitTrapped = 0x01,
    FloatingPointTrapped = 0x07,
    IllegalState = 0x0e,
    SupervisorCall = 0x15,
    HypervisorCall = 0x16,
    SecureMonitorCall = 0x17,
    SystemTrapped = 0x18,
    /// From a lower level; one more if from the same.
    InstructionAbort = 0x20,
    PcAlignment = 0x22,
    /// From a lower level; one more if from the same.
    DataAbort = 0x24,
    StackAlignment = 0x26,
    Breakpoint = 0x3c,
}

/// ESR value of a class that depends on no other level.
pub(crate) const fn syndrome(class: Class, iss: u32) -> u32 {
    (class as u32) << 26 | IL | iss
}

/// ESR of an undefined instruction.
pub(crate) const UNDEFINED: u32 = syndrome(Class::Unknown, 0);
/// ESR of a floating-point access that is switched off.
pub(crate) const FLOATING_POINT_TRAPPED: u32 = syndrome(Class::FloatingPointTrapped, ALWAYS);

/// ESR of a trapped WFI (0) or WFE (1).
pub(crate) const fn wait_trapped(is_event: bool) -> u32 {
    syndrome(Class::WaitTrapped, ALWAYS | is_event as u32)
}

/// ESR of a trapped MRS, MSR or SYS.
pub(crate) fn system_trapped(register: Register, rt: u8, is_read: bool) -> u32 {
    let (op0, op1, crn, crm, op2) = register.row().encoding.fields();
    let rt = if rt > 31 { 31 } else { rt };
    let iss = u32::from(op0) << 20
        | u32::from(op2) << 17
        | u32::from(op1) << 14
        | u32::from(crn) << 10
        | u32::from(rt) << 5
        | u32::from(crm) << 1
        | u32::from(is_read);
    syndrome(Class::SystemTrapped, iss)
}

/// The four columns of a vector table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Vector {
    Synchronous = 0x000,
    Irq = 0x080,
    Fiq = 0x100,
}

const SCR_NS: u64 = 1 << 0;
const SCR_IRQ: u64 = 1 << 1;
const SCR_FIQ: u64 = 1 << 2;
const SCR_EA: u64 = 1 << 3;
const SCR_RW: u64 = 1 << 10;
const HCR_FMO: u64 = 1 << 3;
const HCR_IMO: u64 = 1 << 4;
const HCR_TGE: u64 = 1 << 27;
const HCR_RW: u64 = 1 << 31;

/// The banked registers of an exception level that takes exceptions.
struct Bank {
    spsr: Register,
    elr: Register,
    esr: Register,
    far: Register,
    vbar: Register,
}

fn bank(level: u8) -> Bank {
    match level {
        0 | 1 => Bank {
            spsr: Register::SPSR_EL1,
            elr: Register::ELR_EL1,
            esr: Register::ESR_EL1,
            far: Register::FAR_EL1,
            vbar: Register::VBAR_EL1,
        },
        2 => Bank {
            spsr: Register::SPSR_EL2,
            elr: Register::ELR_EL2,
            esr: Register::ESR_EL2,
            far: Register::FAR_EL2,
            vbar: Register::VBAR_EL2,
        },
        _ => Bank {
            spsr: Register::SPSR_EL3,
            elr: Register::ELR_EL3,
            esr: Register::ESR_EL3,
            far: Register::FAR_EL3,
            vbar: Register::VBAR_EL3,
        },
    }
}

impl State {
    /// PSTATE as SPSR holds it.
    pub(crate) fn pstate(&self) -> u64 {
        u64::from(self.flags) << 28
            | u64::from(self.illegal) << 20
            | u64::from(self.daif) << 6
            | u64::from(self.level) << 2
            | u64::from(self.own_stack)
    }

    /// HCR_EL2 where it applies: non-secure EL0 and EL1, and EL2 itself.
    pub(crate) fn hypervisor_control(&self) -> u64 {
        if self.level < 3 && self.is_non_secure() { self.system(Register::HCR_EL2) } else { 0 }
    }

    /// The level that takes an exception of the current one, at least 1.
    pub(crate) fn own_target(&self) -> u8 {
        let goes_to_el2 = self.level == 0 && self.hypervisor_control() & HCR_TGE != 0;
        if goes_to_el2 { 2 } else { self.level.max(1) }
    }

    /// Undefined instruction.
    #[cold]
    pub(crate) fn undefined(&mut self, at: At) -> Stop {
        let target = self.own_target();
        self.raise(at, target, UNDEFINED, None)
    }

    /// Instruction or data abort.
    #[cold]
    pub(crate) fn abort(
        &mut self,
        at: At,
        address: u64,
        intent: Intent,
        status: Status,
        is_maintenance: bool,
    ) -> Stop {
        let goes_to_el3 = status.is_external() && self.system(Register::SCR_EL3) & SCR_EA != 0;
        let target = if goes_to_el3 { 3 } else { self.own_target() };
        let class = if intent == Intent::Execute { Class::InstructionAbort } else { Class::DataAbort };
        let from_same_level = u32::from(target == self.level) << 26;
        let write = u32::from(intent == Intent::Write) << 6;
        let maintenance = u32::from(is_maintenance) << 8;
        let syndrome = syndrome(class, write | maintenance | u32::from(status.0)) + from_same_level;
        self.raise(at, target, syndrome, Some(address))
    }

    /// The PC is not a multiple of 4.
    #[cold]
    pub(crate) fn pc_alignment(&mut self, at: At) -> Stop {
        let target = self.own_target();
        self.raise(at, target, syndrome(Class::PcAlignment, 0), Some(at.pc))
    }

    /// SP, used as a base, is not a multiple of 16.
    #[cold]
    pub(crate) fn stack_alignment(&mut self, at: At) -> Stop {
        let target = self.own_target();
        self.raise(at, target, syndrome(Class::StackAlignment, 0), None)
    }

    /// The instruction after an illegal exception return.
    #[cold]
    pub(crate) fn illegal_state(&mut self, at: At) -> Stop {
        let target = self.own_target();
        self.raise(at, target, syndrome(Class::IllegalState, 0), None)
    }

    /// Takes the pending synchronous exception; the new PC.
    #[cold]
    pub(crate) fn take_trap(&mut self, trap: Trap) -> u64 {
        let target = trap.target.max(self.level);
        let bank = bank(target);
        self.set_system(bank.esr, u64::from(trap.syndrome));
        if let Some(address) = trap.address {
            self.set_system(bank.far, address);
        }
        let from = self.level;
        let entry = self.enter(target, Vector::Synchronous, trap.link);
        if entry == trap.link && from == target {
            // The handler's first instruction raises what it is there to handle.
            self.stop(entry, 0, FaultKind::ExceptionLoop);
        }
        entry
    }

    /// Exception entry; the new PC.
    pub(crate) fn enter(&mut self, target: u8, vector: Vector, link: u64) -> u64 {
        let row = match (target == self.level, self.own_stack) {
            (true, false) => 0x000,
            (true, true) => 0x200,
            (false, _) => 0x400,
        };
        let bank = bank(target);
        let saved = self.pstate();
        self.set_system(bank.spsr, saved);
        self.set_system(bank.elr, link);
        self.daif = 0xf;
        self.illegal = false;
        self.exceptions += 1;
        self.switch(target, true);
        self.system(bank.vbar) + row + vector as u64
    }

    /// ERET; the new PC.
    pub(crate) fn exception_return(&mut self, at: At) -> Result<u64, Stop> {
        if self.level == 0 {
            return Err(self.undefined(at));
        }
        let bank = bank(self.level);
        let (saved, link) = (self.system(bank.spsr), self.system(bank.elr));
        let mode = saved & 0x1f;
        let target = (mode >> 2 & 3) as u8;
        self.monitor.clear();
        // An exception return is also an event (D1.16.2).
        self.event = true;
        if mode & 0x10 != 0 {
            return Err(self.stop(at.pc, 0, FaultKind::Aarch32));
        }
        if target < self.level && !self.is_aarch64(target) {
            return Err(self.stop(at.pc, 0, FaultKind::Aarch32));
        }
        self.flags = (saved >> 28 & 0xf) as u8;
        self.daif = (saved >> 6 & 0xf) as u8;
        if self.is_illegal_return(mode, target) {
            self.illegal = true;
            self.look_around();
        } else {
            self.illegal = saved >> 20 & 1 != 0;
            self.switch(target, mode & 1 != 0);
        }
        Ok(link)
    }

    /// True unless SCR or HCR say that a lower level runs AArch32.
    fn is_aarch64(&self, level: u8) -> bool {
        let scr = self.system(Register::SCR_EL3);
        let below_el3 = scr & SCR_RW != 0;
        let is_non_secure = self.level == 2 || scr & SCR_NS != 0;
        let below_el2 = self.system(Register::HCR_EL2) & HCR_RW != 0 || !is_non_secure;
        match level {
            // EL0 inherits from EL1, whose own state is AArch64 if it is the one that returns.
            0 | 1 if self.level == 1 => true,
            0 | 1 if self.level == 2 => below_el2,
            0 | 1 => below_el3 && below_el2,
            _ => below_el3,
        }
    }

    fn is_illegal_return(&self, mode: u64, target: u8) -> bool {
        let scr = self.system(Register::SCR_EL3);
        let to_secure_el2 = target == 2 && self.level == 3 && scr & SCR_NS == 0;
        let is_non_secure = self.level == 2 || scr & SCR_NS != 0;
        let to_el1_under_tge = target == 1 && is_non_secure && self.system(Register::HCR_EL2) & HCR_TGE != 0;
        let reserved = mode & 2 != 0 || mode == 1;
        target > self.level || reserved || to_secure_el2 || to_el1_under_tge
    }

    /// The interrupt that the core takes now: its vector and target level.
    pub(crate) fn interrupt_to_take(&self, lines: Lines) -> Option<(Vector, u8)> {
        let routes = [
            (lines.fiq, Vector::Fiq, SCR_FIQ, HCR_FMO, MASK_FIQ),
            (lines.irq, Vector::Irq, SCR_IRQ, HCR_IMO, MASK_IRQ),
        ];
        for (is_pending, vector, to_el3, to_el2, mask) in routes {
            if !is_pending {
                continue;
            }
            let target = self.interrupt_target(to_el3, to_el2);
            let is_masked = self.daif & mask != 0;
            // A higher level's interrupt cannot be masked from below; a lower level's stays pending.
            if target > self.level || (target == self.level && !is_masked) {
                return Some((vector, target));
            }
        }
        None
    }

    fn interrupt_target(&self, to_el3: u64, to_el2: u64) -> u8 {
        if self.system(Register::SCR_EL3) & to_el3 != 0 {
            return 3;
        }
        let hcr = self.hypervisor_control();
        let goes_to_el2 = hcr & (to_el2 | HCR_TGE) != 0;
        if goes_to_el2 { 2 } else { 1 }
    }
}
