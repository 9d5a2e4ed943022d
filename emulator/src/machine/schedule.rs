//! Who runs when: slices of virtual time, shared out to the cores one after the other.
//!
//! While several cores are awake a slice is short, and one that rings a doorbell ends it, so that the others see
//! it at once. While one is awake there is nobody to interleave with, and slices are long. While all sleep, time
//! jumps to the next thing that can happen.

use super::fault::{arm_fault, vpu_fault};
use super::system::Running;
use super::time::CycleClock;
use super::{ArmSide, EventKind, Limit, Machine, MachineFault, Stop};
use crate::soc::bcm2837::Origin;
use crate::soc::device::{Initiator, Shutdown};
use crate::{arm, vpu};

/// A slice of the plain schedule, while several cores are awake.
const SLICE_PS: u64 = 256_000;
/// A slice while at most one core is awake.
const LONE_SLICE_PS: u64 = 8_192_000;

/// Lengths of slices and order of processors.
pub(super) struct Schedule {
    state: u64,
}

impl Schedule {
    /// 0 is the plain schedule; other seeds vary it.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Length of the next slice with several cores awake, and whether the Arm goes first in it.
    fn next(&mut self) -> (u64, bool) {
        if self.state == 0 {
            return (SLICE_PS, false);
        }
        // xorshift64
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let eighths = 2 + (self.state >> 8) % 13;
        (SLICE_PS * eighths / 8, self.state & 1 != 0)
    }
}

/// What may wake a sleeping Arm core, beside its interrupt lines.
#[derive(Clone, Copy, Default)]
pub(super) struct Wakeup {
    /// An event was sent, or another core took a reservation.
    poked: bool,
    /// When its own timers, or the event stream, come to something.
    due_ps: Option<u64>,
}

/// What one core did in a slice.
struct Turn {
    executed: u32,
    asleep: bool,
    /// Where the core asked for the end of the slice.
    yielded_at: Option<u64>,
    fault: Option<Box<MachineFault>>,
}

impl Turn {
    /// A core that slept through the slice.
    const ASLEEP: Self = Self { executed: 0, asleep: true, yielded_at: None, fault: None };
}

impl Machine {
    /// Runs until the limit or a reason to stop.
    pub fn run(&mut self, limit: Limit) -> Stop {
        if let Some(stop) = &self.stopped {
            return stop.clone();
        }
        let until_ps = limit.until_ns.map_or(u64::MAX, |ns| ns.saturating_mul(1000));
        let first = self.executed();
        loop {
            if limit.stop_on_uart && std::mem::take(&mut self.system.requests.uart_sent) {
                return Stop::Uart;
            }
            let left = match limit.instructions {
                Some(instructions) => instructions.saturating_sub(self.executed() - first),
                None => u64::MAX,
            };
            if self.now_ps >= until_ps || left == 0 {
                return Stop::Limit;
            }
            let stop = match self.slice(until_ps, left) {
                Ok(false) => None,
                // A core that is ahead of time did nothing in this slice, and is not asleep all the same.
                Ok(true) if self.cores_awake() == 0 => self.jump(until_ps),
                Ok(true) => None,
                Err(fault) => Some(Stop::Fault(fault)),
            };
            if let Some(stop) = stop.or_else(|| self.serve_requests()) {
                if stop != Stop::Limit {
                    self.stopped = Some(stop.clone());
                }
                return stop;
            }
        }
    }

    /// Runs for so much virtual time.
    pub fn run_for(&mut self, ns: u64) -> Stop {
        let until_ns = Some((self.now_ps / 1000).saturating_add(ns));
        self.run(Limit { until_ns, ..Limit::default() })
    }

    fn executed(&self) -> u64 {
        self.system.vpu_retired + self.system.arm_retired
    }

    /// One slice; true if nobody had anything to do in it.
    fn slice(&mut self, until_ps: u64, mut left: u64) -> Result<bool, Box<MachineFault>> {
        let (short, arm_first) = self.schedule.next();
        let length = if self.cores_awake() > 1 { short } else { LONE_SLICE_PS };
        let due = self.next_event().unwrap_or(u64::MAX);
        let mut end = (self.now_ps + length).min(until_ps).min(due).max(self.now_ps + 1);
        let mut idle = true;
        for turn in 0..6 {
            let core = if arm_first { (turn + 2) % 6 } else { turn };
            self.system.slice_end = end;
            let turn = match core {
                0 | 1 => self.vpu_turn(core, end, left),
                _ => self.arm_turn(core - 2, end, left),
            };
            let Some(turn) = turn else { continue };
            if let Some(fault) = turn.fault {
                return Err(fault);
            }
            left -= u64::from(turn.executed);
            idle &= turn.asleep && turn.executed == 0;
            if let Some(at) = turn.yielded_at {
                end = end.min(at.max(self.now_ps + 1));
            }
        }
        self.move_to(end);
        Ok(idle)
    }

    fn cores_awake(&self) -> usize {
        let vpu = self.vpu.iter().enumerate().filter(|(index, core)| {
            core.is_running() && (!core.is_asleep() || self.system.soc.vpu_interrupt_pending(*index as u8))
        });
        let arm = (0..self.arm.len()).filter(|index| self.arm_running && !self.arm_sleeps_on(*index));
        vpu.count() + arm.count()
    }

    /// True if nothing has happened that might wake a sleeping Arm core: not worth a look at it.
    fn arm_sleeps_on(&self, index: usize) -> bool {
        let core = &self.arm[index];
        let wakeup = &self.arm_wakeup[index];
        let lines = self.system.soc.arm_core_lines(core.id());
        let timer_passed = wakeup.due_ps.is_some_and(|due| due <= self.now_ps);
        core.is_asleep() && !(wakeup.poked || timer_passed || lines.irq || lines.fiq || core.watches_memory())
    }

    fn vpu_turn(&mut self, index: usize, end: u64, left: u64) -> Option<Turn> {
        if !self.vpu[index].is_running() {
            return None;
        }
        if self.vpu[index].is_asleep() && !self.system.soc.vpu_interrupt_pending(index as u8) {
            return Some(Turn::ASLEEP);
        }
        let by = Initiator::Vpu(index as u8);
        let (target, budget) = self.begin_turn(by, self.vpu_clock, self.vpu_cycle[index], end, left)?;
        let run = self.vpu[index].run(&mut self.system, budget);
        self.system.vpu_retired += u64::from(run.executed);
        let asleep = run.outcome == vpu::Outcome::Asleep;
        let cycle = self.cycle_after(run.executed, asleep, target);
        self.vpu_cycle[index] = cycle;
        let yielded = run.outcome == vpu::Outcome::Yielded;
        let fault = match run.outcome {
            vpu::Outcome::Fault(fault) => {
                Some(vpu_fault(&fault, &self.vpu[index], self.system.time(run.executed)))
            }
            _ => None,
        };
        let yielded_at = yielded.then(|| self.vpu_clock.time_of(cycle));
        Some(Turn { executed: run.executed, asleep, yielded_at, fault })
    }

    fn arm_turn(&mut self, index: usize, end: u64, left: u64) -> Option<Turn> {
        if !self.arm_running {
            return None;
        }
        if self.arm_sleeps_on(index) {
            return Some(Turn::ASLEEP);
        }
        let by = Initiator::Arm(index as u8);
        let clock = self.system.arm_clock;
        let (target, budget) = self.begin_turn(by, clock, self.arm_cycle[index], end, left)?;
        let run = self.arm[index].run(&mut self.system, budget);
        self.system.arm_retired += u64::from(run.executed);
        for note in self.arm[index].take_notes() {
            let origin = Origin { now_ps: self.system.time(run.executed), by, pc: note.pc() };
            self.system.note(origin, EventKind::Arm(note));
        }
        let asleep = matches!(run.outcome, arm::Outcome::WaitForEvent | arm::Outcome::WaitForInterrupt);
        let due = if asleep { self.arm[index].next_timer() } else { None };
        let due_ps = due.map(|count| self.system.counter.time_of(count));
        self.arm_wakeup[index] = Wakeup { poked: false, due_ps };
        let cycle = self.cycle_after(run.executed, asleep, target);
        self.arm_cycle[index] = cycle;
        let yielded = run.outcome == arm::Outcome::Yielded;
        let fault = match run.outcome {
            arm::Outcome::Fault(fault) => {
                Some(arm_fault(&fault, &self.arm[index], self.system.time(run.executed)))
            }
            _ => None,
        };
        let yielded_at = yielded.then(|| clock.time_of(cycle));
        Some(Turn { executed: run.executed, asleep, yielded_at, fault })
    }

    /// Prepares the bus for a core, and returns the cycle its clock shows at the end of the slice and how many
    /// instructions it may execute; `None` if the core is already there.
    fn begin_turn(
        &mut self,
        by: Initiator,
        clock: CycleClock,
        cycle: u64,
        end: u64,
        left: u64,
    ) -> Option<(u64, u32)> {
        let target = clock.cycles_at(end);
        let first_cycle = cycle.max(clock.cycles_at(self.now_ps));
        let budget = target.saturating_sub(first_cycle).min(left).min(u64::from(u32::MAX)) as u32;
        if budget == 0 {
            return None;
        }
        let first_ps = clock.time_of(first_cycle);
        self.system.running = Running { by, clock, first_cycle, first_ps, budget, stalled: 0 };
        self.system.end_slice = false;
        Some((target, budget))
    }

    fn cycle_after(&self, executed: u32, asleep: bool, target: u64) -> u64 {
        let running = &self.system.running;
        let used = running.first_cycle + u64::from(executed) + u64::from(running.stalled);
        if asleep { used.max(target) } else { used }
    }

    /// When something will happen although no core does anything.
    fn next_event(&self) -> Option<u64> {
        let timers = self.arm_wakeup.iter().filter_map(|wakeup| wakeup.due_ps);
        let timers = timers.filter(|due| *due > self.now_ps);
        timers.chain(self.system.next_event).chain(self.next_model_event()).min()
    }

    /// Nobody had anything to do: moves time to the next event.
    fn jump(&mut self, until_ps: u64) -> Option<Stop> {
        match self.next_event() {
            Some(due) => self.move_to(due.min(until_ps).max(self.now_ps)),
            None if self.config.arm == ArmSide::External && until_ps != u64::MAX => self.move_to(until_ps),
            None => return Some(Stop::AllAsleepForever),
        }
        None
    }

    /// Moves time on, and lets the devices whose time has come act.
    fn move_to(&mut self, ps: u64) {
        self.now_ps = ps;
        if self.system.next_event.is_some_and(|due| due <= ps) {
            let system = &mut self.system;
            system.soc.advance(&mut system.ram, ps);
            let origin = self.origin(Initiator::External);
            self.system.collect_effects(origin, 0);
        }
        self.run_model();
        for index in 0..self.arm.len() {
            if self.arm_wakeup[index].due_ps.is_some_and(|due| due <= ps) {
                self.system.running = self.outside(Initiator::External);
                self.arm[index].update_timers(&mut self.system);
            }
        }
    }

    /// An access by nobody in particular, now.
    pub(super) fn origin(&self, by: Initiator) -> Origin {
        Origin { now_ps: self.now_ps, by, pc: 0 }
    }

    /// The bus while no core runs.
    pub(super) fn outside(&self, by: Initiator) -> Running {
        let clock = self.system.arm_clock;
        let first_cycle = clock.cycles_at(self.now_ps);
        Running { by, clock, first_cycle, first_ps: self.now_ps, budget: u32::MAX, stalled: 0 }
    }

    /// Does what devices and cores asked the machine for.
    pub(super) fn serve_requests(&mut self) -> Option<Stop> {
        if let Some(rates) = self.system.requests.rates.take() {
            self.vpu_clock.set_rate(self.now_ps, rates.vpu_hz);
            self.system.arm_clock.set_rate(self.now_ps, rates.arm_hz);
            self.system.set_arm_register_cost(rates.arm_hz);
        }
        if let Some((core, address)) = self.system.requests.start_vpu.take() {
            self.start_vpu(core, address);
        }
        if std::mem::take(&mut self.system.requests.send_event) {
            self.arm.iter_mut().for_each(arm::Core::wake_event);
            self.poke_arms();
        }
        for (by, address) in std::mem::take(&mut self.system.requests.stored_exclusive) {
            self.arm
                .iter_mut()
                .filter(|core| core.id() != by)
                .for_each(|core| core.clear_reservation(address));
            self.poke_arms();
        }
        if let Some(by) = self.system.requests.invalidate_tlbs_for.take() {
            self.arm.iter_mut().filter(|core| core.id() != by).for_each(arm::Core::invalidate_tlb);
        }
        if let Some(running) = self.system.requests.arm_running.take()
            && let Some(stop) = self.power_arm(running)
        {
            return Some(stop);
        }
        let shutdown = self.system.requests.shutdown.take()?;
        let halt = shutdown == Shutdown::Halt;
        self.system.note(self.origin(Initiator::External), EventKind::PowerManager { halt });
        Some(if halt { Stop::PowerOff } else { Stop::Reset })
    }

    fn poke_arms(&mut self) {
        self.arm_wakeup.iter_mut().for_each(|wakeup| wakeup.poked = true);
    }

    pub(super) fn start_vpu(&mut self, core: u8, address: u32) {
        let index = usize::from(core & 1);
        // Bit 0 of a code address has no meaning.
        self.vpu[index].start(address & !1);
        self.vpu_cycle[index] = self.vpu_clock.cycles_at(self.now_ps);
        let kind = EventKind::VpuCoreStarted { core, address };
        self.system.note(self.origin(Initiator::Vpu(core)), kind);
    }

    fn power_arm(&mut self, running: bool) -> Option<Stop> {
        if running == self.arm_released {
            return None;
        }
        self.arm_released = running;
        if !running {
            self.arm_running = false;
            return None;
        }
        self.system.note(self.origin(Initiator::External), EventKind::ArmReleased);
        if self.config.arm == ArmSide::External {
            return None;
        }
        if !self.system.soc.arm_starts_in_aarch64() {
            return Some(Stop::Fault(Box::new(MachineFault::aarch32_start(self.now_ps))));
        }
        self.start_arm();
        None
    }

    /// Lets the Arm cores leave reset, at address 0.
    pub(super) fn start_arm(&mut self) {
        self.arm_running = true;
        let cycle = self.system.arm_clock.cycles_at(self.now_ps);
        for (core, position) in self.arm.iter_mut().zip(&mut self.arm_cycle) {
            core.reset(0);
            *position = cycle;
        }
        self.arm_wakeup = Default::default();
    }
}
