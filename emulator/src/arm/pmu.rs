//! The performance monitor: cycle counter, instruction counter (D7 of the architecture manual).
//!
//! A counter that counts keeps its distance to what it counts; it is settled, that is turned into a plain
//! number, when something that decides whether it counts is about to change.

use super::state::{Note, State};
use super::sysreg::{Pmu, Register};

/// Event counters of a Cortex-A53.
const EVENT_COUNTERS: u8 = 6;
/// Index of the cycle counter behind them.
const CYCLES: usize = 6;
/// Bit of the cycle counter in the enable and overflow registers.
const CYCLE_BIT: u32 = 31;

/// INST_RETIRED.
const EVENT_INSTRUCTIONS: u16 = 0x08;
/// CPU_CYCLES.
const EVENT_CYCLES: u16 = 0x11;
/// SW_INCR.
const EVENT_SOFTWARE: u16 = 0x00;

const CONTROL_ENABLE: u64 = 1 << 0;
const CONTROL_RESET_EVENTS: u64 = 1 << 1;
const CONTROL_RESET_CYCLES: u64 = 1 << 2;
const CONTROL_DIVIDE: u64 = 1 << 3;
const CONTROL_PROHIBIT: u64 = 1 << 5;
const CONTROL_LONG: u64 = 1 << 6;
/// E, D, X, DP, LC.
const CONTROL_WRITABLE: u64 = CONTROL_ENABLE | CONTROL_DIVIDE | 1 << 4 | CONTROL_PROHIBIT | CONTROL_LONG;

/// What is counted, at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Now {
    /// Core clock cycles since power-on, asleep or not.
    pub(crate) cycles: u64,
    /// Instructions retired since reset.
    pub(crate) instructions: u64,
}

#[derive(Clone, Copy, Default, Debug)]
struct Counter {
    value: u64,
    /// While it counts: the source at the moment it was last settled.
    since: Option<u64>,
}

/// The counters and what they need to know about sleep.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct PerformanceMonitor {
    counters: [Counter; CYCLES + 1],
    /// Cycles spent asleep so far.
    slept: u64,
    /// While asleep: `Now::cycles` when the core went to sleep.
    asleep_since: Option<u64>,
}

impl PerformanceMonitor {
    /// Cycles that the core was awake.
    fn active_cycles(&self, now: Now) -> u64 {
        self.asleep_since.unwrap_or(now.cycles).wrapping_sub(self.slept)
    }

    /// True between `fall_asleep` and `wake`.
    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep_since.is_some()
    }

    /// The core goes to sleep: its clock stops.
    pub(crate) fn fall_asleep(&mut self, now: Now) {
        self.asleep_since.get_or_insert(now.cycles);
    }

    /// The core wakes.
    pub(crate) fn wake(&mut self, now: Now) {
        if let Some(since) = self.asleep_since.take() {
            self.slept = self.slept.wrapping_add(now.cycles.wrapping_sub(since));
        }
    }
}

const fn enable_bit(index: usize) -> u32 {
    if index == CYCLES { CYCLE_BIT } else { index as u32 }
}

impl State {
    fn event_of(&self, index: usize) -> u16 {
        match index {
            CYCLES => EVENT_CYCLES,
            _ => (self.system(type_register(index as u8)) & 0x3ff) as u16,
        }
    }

    /// What a counter counts; none for an event that is not modelled.
    fn pmu_source(&self, index: usize, now: Now) -> Option<u64> {
        match self.event_of(index) {
            EVENT_CYCLES => Some(self.pmu.active_cycles(now)),
            EVENT_INSTRUCTIONS => Some(now.instructions),
            _ => None,
        }
    }

    /// True if the counter is enabled, and the filter lets it count at this exception level.
    fn is_counting(&self, index: usize) -> bool {
        let control = self.system(Register::PMCR_EL0);
        let is_reserved_by_el2 = index != CYCLES && index as u64 >= self.system(Register::MDCR_EL2) & 0x1f;
        let is_on = if is_reserved_by_el2 {
            self.system(Register::MDCR_EL2) >> 7 & 1 != 0
        } else {
            control & CONTROL_ENABLE != 0
        };
        let is_enabled = self.system(Register::PMCNTENSET_EL0) >> enable_bit(index) & 1 != 0;
        let filter = if index == CYCLES {
            self.system(Register::PMCCFILTR_EL0)
        } else {
            self.system(type_register(index as u8))
        };
        is_on && is_enabled && self.filter_allows(filter, index == CYCLES)
    }

    fn filter_allows(&self, filter: u64, is_cycle_counter: bool) -> bool {
        let bit = |at: u32| filter >> at & 1 != 0;
        let (privileged, user, kernel_ns, user_ns, hypervisor, monitor) =
            (bit(31), bit(30), bit(29), bit(28), bit(27), bit(26));
        let is_secure = self.level != 2 && (self.level == 3 || self.system(Register::SCR_EL3) & 1 == 0);
        let is_prohibited = is_secure && self.system(Register::MDCR_EL3) >> 17 & 1 == 0;
        if is_prohibited {
            // The cycle counter counts on unless PMCR.DP forbids it.
            let goes_on = is_cycle_counter && self.system(Register::PMCR_EL0) & CONTROL_PROHIBIT == 0;
            if !goes_on {
                return false;
            }
        }
        match (self.level, is_secure) {
            (0, true) => !user,
            (0, false) => user == user_ns,
            (1, true) => !privileged,
            (1, false) => privileged == kernel_ns,
            (2, _) => hypervisor,
            _ => privileged == monitor,
        }
    }

    /// Turns what has been counted into plain numbers, then starts or stops every counter as the state says.
    pub(crate) fn settle_pmu(&mut self, now: Now) {
        let control = self.system(Register::PMCR_EL0);
        for index in 0..=CYCLES {
            let source = self.pmu_source(index, now);
            let is_counting = source.is_some() && self.is_counting(index);
            let mut counter = self.pmu.counters[index];
            if let (Some(since), Some(source)) = (counter.since, source) {
                let divide = index == CYCLES && control & CONTROL_DIVIDE != 0;
                let passed = source.wrapping_sub(since);
                let steps = if divide { passed / 64 } else { passed };
                let is_long = index == CYCLES && control & CONTROL_LONG != 0;
                let (value, has_overflowed) = advance(counter.value, steps, index == CYCLES, is_long);
                counter.value = value;
                // The remainder of a divided count stays in the distance.
                counter.since = Some(if divide { since.wrapping_add(steps * 64) } else { source });
                if has_overflowed {
                    let flags = self.system(Register::PMOVSSET_EL0) | 1 << enable_bit(index);
                    self.set_system(Register::PMOVSSET_EL0, flags);
                }
            }
            counter.since = if is_counting { counter.since.or(source) } else { None };
            self.pmu.counters[index] = counter;
        }
    }

    /// Reads a performance monitor register.
    pub(crate) fn pmu_read(&mut self, register: Register, what: Pmu, now: Now) -> u64 {
        self.settle_pmu(now);
        match what {
            Pmu::EnableSet | Pmu::EnableClear => self.system(Register::PMCNTENSET_EL0),
            Pmu::OverflowSet | Pmu::OverflowClear => self.system(Register::PMOVSSET_EL0),
            Pmu::InterruptSet | Pmu::InterruptClear => self.system(Register::PMINTENSET_EL1),
            Pmu::CycleCounter => self.pmu.counters[CYCLES].value,
            Pmu::Counter(index) => self.pmu.counters[usize::from(index)].value,
            Pmu::SelectedCounter => match self.selected() {
                Some(index) => self.pmu.counters[usize::from(index)].value,
                None => 0,
            },
            Pmu::SelectedType => self.system(self.selected_type()),
            _ => self.system(register),
        }
    }

    /// Writes a performance monitor register.
    pub(crate) fn pmu_write(&mut self, pc: u64, register: Register, what: Pmu, value: u64, now: Now) {
        self.settle_pmu(now);
        let implemented = 1 << CYCLE_BIT | ((1 << EVENT_COUNTERS) - 1);
        let bits = value & implemented;
        match what {
            Pmu::Control => self.write_control(value),
            Pmu::EnableSet => self.change(Register::PMCNTENSET_EL0, bits, true),
            Pmu::EnableClear => self.change(Register::PMCNTENSET_EL0, bits, false),
            Pmu::OverflowSet => self.change(Register::PMOVSSET_EL0, bits, true),
            Pmu::OverflowClear => self.change(Register::PMOVSSET_EL0, bits, false),
            Pmu::InterruptSet => self.change(Register::PMINTENSET_EL1, bits, true),
            Pmu::InterruptClear => self.change(Register::PMINTENSET_EL1, bits, false),
            Pmu::SoftwareIncrement => self.software_increment(value),
            Pmu::CycleCounter => self.pmu.counters[CYCLES].value = value,
            Pmu::Counter(index) => self.set_event_counter(index, value),
            Pmu::SelectedCounter => {
                if let Some(index) = self.selected() {
                    self.set_event_counter(index, value);
                }
            }
            Pmu::SelectedType => {
                let register = self.selected_type();
                self.write_type(pc, register, value);
            }
            Pmu::Type(_) => self.write_type(pc, register, value),
            Pmu::CycleFilter => self.set_system(register, value & 0xfc00_0000),
            Pmu::Setting => self.set_system(register, value),
        }
        self.settle_pmu(now);
    }

    fn change(&mut self, register: Register, bits: u64, is_set: bool) {
        let old = self.system(register);
        self.set_system(register, if is_set { old | bits } else { old & !bits });
    }

    fn write_control(&mut self, value: u64) {
        let kept = self.system(Register::PMCR_EL0) & !CONTROL_WRITABLE;
        self.set_system(Register::PMCR_EL0, kept | (value & CONTROL_WRITABLE));
        if value & CONTROL_RESET_CYCLES != 0 {
            self.pmu.counters[CYCLES].value = 0;
        }
        if value & CONTROL_RESET_EVENTS != 0 {
            for counter in &mut self.pmu.counters[..CYCLES] {
                counter.value = 0;
            }
        }
    }

    fn set_event_counter(&mut self, index: u8, value: u64) {
        self.pmu.counters[usize::from(index)].value = u64::from(value as u32);
    }

    fn write_type(&mut self, pc: u64, register: Register, value: u64) {
        self.set_system(register, value & 0xfc00_03ff);
        if register == Register::PMCCFILTR_EL0 {
            self.set_system(register, value & 0xfc00_0000);
            return;
        }
        let event = (value & 0x3ff) as u16;
        if !matches!(event, EVENT_INSTRUCTIONS | EVENT_CYCLES | EVENT_SOFTWARE) {
            self.note(Note::UncountedEvent { pc, event });
        }
    }

    fn software_increment(&mut self, value: u64) {
        for index in 0..EVENT_COUNTERS {
            let is_asked = value >> index & 1 != 0;
            let index = usize::from(index);
            if is_asked && self.event_of(index) == EVENT_SOFTWARE && self.is_counting(index) {
                let (value, _) = advance(self.pmu.counters[index].value, 1, false, false);
                self.pmu.counters[index].value = value;
            }
        }
    }

    /// The event counter that PMSELR names.
    fn selected(&self) -> Option<u8> {
        let index = self.system(Register::PMSELR_EL0) as u8;
        (index < EVENT_COUNTERS).then_some(index)
    }

    /// The type register that PMSELR names; 31 is the cycle counter's filter.
    fn selected_type(&self) -> Register {
        self.selected().map_or(Register::PMCCFILTR_EL0, type_register)
    }
}

const fn type_register(index: u8) -> Register {
    match index {
        0 => Register::PMEVTYPER0_EL0,
        1 => Register::PMEVTYPER1_EL0,
        2 => Register::PMEVTYPER2_EL0,
        3 => Register::PMEVTYPER3_EL0,
        4 => Register::PMEVTYPER4_EL0,
        _ => Register::PMEVTYPER5_EL0,
    }
}

/// Counts on; the new value and whether the counter overflowed. The cycle counter is always 64 bits wide, but
/// overflows at 32 unless `is_long`.
fn advance(value: u64, steps: u64, is_cycle_counter: bool, is_long: bool) -> (u64, bool) {
    let (sum, has_wrapped) = value.overflowing_add(steps);
    if is_long {
        return (sum, has_wrapped);
    }
    let has_overflowed = (value & 0xffff_ffff) + (steps & 0xffff_ffff) > 0xffff_ffff || steps >> 32 != 0;
    if is_cycle_counter { (sum, has_overflowed) } else { (u64::from(sum as u32), has_overflowed) }
}
