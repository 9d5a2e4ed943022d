//! Accesses that a control register of the same or a higher level forbids.

use super::{Behaviour, Pmu, Register, Timer};
use crate::arm::state::State;

const HCR_TID1: u32 = 16;
const HCR_TID2: u32 = 17;
const HCR_TID3: u32 = 18;
const HCR_TIDCP: u32 = 20;
const HCR_TACR: u32 = 21;
const HCR_TSW: u32 = 22;
const HCR_TPC: u32 = 23;
const HCR_TPU: u32 = 24;
const HCR_TTLB: u32 = 25;
const HCR_TVM: u32 = 26;
const HCR_TDZ: u32 = 28;
const HCR_TRVM: u32 = 30;

/// What happens to an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Allowed,
    /// Undefined at this level.
    Undefined,
    /// Trapped to this level with the "MSR, MRS or system instruction" class.
    Trapped(u8),
}

impl State {
    fn control_bit(&self, register: Register, bit: u32) -> bool {
        self.system(register) >> bit & 1 != 0
    }

    /// Judges an access to `register` from the current level.
    pub(super) fn judge(&self, register: Register, is_read: bool) -> Verdict {
        let row = register.row();
        let lowest = if is_read { row.permission.read } else { row.permission.write };
        if self.level < lowest {
            return Verdict::Undefined;
        }
        if matches!(row.behaviour, Behaviour::TimerValue(Timer::SecurePhysical))
            || matches!(row.behaviour, Behaviour::TimerControl(Timer::SecurePhysical))
            || matches!(row.behaviour, Behaviour::TimerCompare(Timer::SecurePhysical))
        {
            return self.judge_secure_timer();
        }
        if self.level == 0 && self.is_trapped_from_el0(register, is_read) {
            return Verdict::Trapped(self.own_target());
        }
        if self.level < 2 && self.is_non_secure() && self.is_trapped_to_el2(register, is_read) {
            return Verdict::Trapped(2);
        }
        if self.level < 3 && self.is_trapped_to_el3(register, is_read) {
            return Verdict::Trapped(3);
        }
        Verdict::Allowed
    }

    /// CNTPS: EL3, and secure EL1 if SCR_EL3.ST lets it.
    fn judge_secure_timer(&self) -> Verdict {
        match self.level {
            3 => Verdict::Allowed,
            1 if self.is_non_secure() => Verdict::Undefined,
            1 if self.control_bit(Register::SCR_EL3, 11) => Verdict::Allowed,
            1 => Verdict::Trapped(3),
            _ => Verdict::Undefined,
        }
    }

    fn is_trapped_from_el0(&self, register: Register, is_read: bool) -> bool {
        let kernel_control = |bit| !self.control_bit(Register::CNTKCTL_EL1, bit);
        let system_control = |bit| !self.control_bit(Register::SCTLR_EL1, bit);
        match register.row().behaviour {
            Behaviour::CounterPhysical => kernel_control(0),
            Behaviour::CounterVirtual => kernel_control(1),
            Behaviour::TimerValue(timer)
            | Behaviour::TimerCompare(timer)
            | Behaviour::TimerControl(timer) => match timer {
                Timer::Virtual => kernel_control(8),
                _ => kernel_control(9),
            },
            Behaviour::Daif => system_control(9),
            Behaviour::ZeroBlock => system_control(14),
            Behaviour::CacheAddress | Behaviour::InstructionCache => system_control(26),
            Behaviour::Pmu(what) => !self.is_user_pmu_access_allowed(what, is_read),
            _ => match register {
                Register::CTR_EL0 => system_control(15),
                Register::CNTFRQ_EL0 => kernel_control(0) && kernel_control(1),
                Register::PMSELR_EL0 => {
                    !self.control_bit(Register::PMUSERENR_EL0, 0)
                        && !self.control_bit(Register::PMUSERENR_EL0, 3)
                }
                Register::PMCEID0_EL0 | Register::PMCEID1_EL0 => {
                    !self.control_bit(Register::PMUSERENR_EL0, 0)
                }
                _ => false,
            },
        }
    }

    fn is_user_pmu_access_allowed(&self, what: Pmu, is_read: bool) -> bool {
        let user = |bit| self.control_bit(Register::PMUSERENR_EL0, bit);
        let is_enabled = user(0);
        match what {
            Pmu::SoftwareIncrement => is_enabled || user(1),
            Pmu::CycleCounter => is_enabled || (is_read && user(2)),
            Pmu::Counter(_) | Pmu::SelectedCounter => is_enabled || (is_read && user(3)),
            _ => is_enabled,
        }
    }

    fn is_trapped_to_el2(&self, register: Register, is_read: bool) -> bool {
        let hypervisor = |bit| self.control_bit(Register::HCR_EL2, bit);
        let (op0, op1, crn, crm, _) = register.row().encoding.fields();
        match register.row().behaviour {
            Behaviour::CounterPhysical => !self.control_bit(Register::CNTHCTL_EL2, 0),
            Behaviour::TimerValue(Timer::Physical)
            | Behaviour::TimerCompare(Timer::Physical)
            | Behaviour::TimerControl(Timer::Physical) => !self.control_bit(Register::CNTHCTL_EL2, 1),
            Behaviour::Pmu(Pmu::Control) => {
                self.control_bit(Register::MDCR_EL2, 5) || self.control_bit(Register::MDCR_EL2, 6)
            }
            Behaviour::Pmu(_) => self.control_bit(Register::MDCR_EL2, 6),
            Behaviour::ZeroBlock => hypervisor(HCR_TDZ),
            Behaviour::CacheOperation => hypervisor(HCR_TSW),
            Behaviour::CacheAddress if register == Register::DC_CVAU => hypervisor(HCR_TPU),
            Behaviour::CacheAddress => hypervisor(HCR_TPC),
            Behaviour::InstructionCache => hypervisor(HCR_TPU),
            Behaviour::TlbLocal | Behaviour::TlbBroadcast => hypervisor(HCR_TTLB),
            _ => match register {
                Register::CPACR_EL1 => self.control_bit(Register::CPTR_EL2, 31),
                Register::ACTLR_EL1 => hypervisor(HCR_TACR),
                Register::REVIDR_EL1 | Register::AIDR_EL1 => hypervisor(HCR_TID1),
                Register::CTR_EL0 | Register::CCSIDR_EL1 | Register::CLIDR_EL1 | Register::CSSELR_EL1 => {
                    hypervisor(HCR_TID2)
                }
                Register::SCTLR_EL1
                | Register::TTBR0_EL1
                | Register::TTBR1_EL1
                | Register::TCR_EL1
                | Register::ESR_EL1
                | Register::FAR_EL1
                | Register::AFSR0_EL1
                | Register::AFSR1_EL1
                | Register::MAIR_EL1
                | Register::AMAIR_EL1
                | Register::CONTEXTIDR_EL1 => hypervisor(if is_read { HCR_TRVM } else { HCR_TVM }),
                _ if op0 == 3 && op1 == 0 && crn == 0 && (1..=7).contains(&crm) => hypervisor(HCR_TID3),
                _ if op0 == 3 && matches!(crn, 11 | 15) => hypervisor(HCR_TIDCP),
                _ => false,
            },
        }
    }

    fn is_trapped_to_el3(&self, register: Register, is_read: bool) -> bool {
        let forbidden = |bit| {
            let by_el3 = !self.control_bit(Register::ACTLR_EL3, bit);
            // EL1 needs the leave of EL2 too; that EL2 would take the trap makes no difference to an image
            // that never gives one level less than the other.
            let by_el2 =
                self.level < 2 && self.is_non_secure() && !self.control_bit(Register::ACTLR_EL2, bit);
            !is_read && (by_el3 || by_el2)
        };
        match register {
            Register::CPUACTLR_EL1 => forbidden(0),
            Register::CPUECTLR_EL1 => forbidden(1),
            Register::L2CTLR_EL1 => forbidden(4),
            Register::L2ECTLR_EL1 => forbidden(5),
            Register::L2ACTLR_EL1 => forbidden(6),
            Register::CPACR_EL1 | Register::CPTR_EL2 => self.control_bit(Register::CPTR_EL3, 31),
            _ => match register.row().behaviour {
                Behaviour::Pmu(_) => self.control_bit(Register::MDCR_EL3, 6),
                _ => false,
            },
        }
    }
}
