//! The core as the machine sees it.

use super::bus::Bus;
use super::decode::STACK;
use super::execute::execute;
use super::fault::Fault;
use super::mmu::{self, Failure, Intent, Status};
use super::page_cache::{PageCache, PageIndex};
use super::state::{At, Note, Sleep, State, Stop};
use super::sysreg::Register;
use super::tlb::PAGE_OFFSET;

/// Why `Core::run` returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The budget is used up.
    Budget,
    /// Asleep in WFE.
    WaitForEvent,
    /// Asleep in WFI.
    WaitForInterrupt,
    /// Gave the rest of the slice away: a YIELD, or the bus asked for it.
    Yielded,
    /// Stopped for good.
    Fault(Fault),
}

/// What a slice came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Instructions retired in the slice.
    pub executed: u32,
    /// Why it ended.
    pub outcome: Outcome,
}

/// One A64 core.
///
/// The machine calls `run` once a slice for every core, also for a sleeping one: that is when it looks whether
/// to wake, and it costs little if not.
pub struct Core {
    state: State,
    pages: PageCache,
    pc: u64,
}

impl Core {
    /// Core `id` (0 to 3), reset at address 0.
    pub fn new(id: u8) -> Self {
        Self { state: State::new(id), pages: PageCache::new(id), pc: 0 }
    }

    /// Reset: EL3h at `pc`, MMU off, DAIF masked, everything else at its reset value.
    pub fn reset(&mut self, pc: u64) {
        self.state = State::new(self.state.id);
        self.state.set_system(Register::RVBAR_EL3, pc);
        self.pages.forget_bindings();
        self.pc = pc;
    }

    /// Executes up to `budget` instructions.
    pub fn run<B: Bus>(&mut self, bus: &mut B, budget: u32) -> Run {
        let mut executed = 0;
        let outcome = self.slice(bus, budget, &mut executed);
        self.state.retired += u64::from(executed);
        Run { executed, outcome }
    }

    /// Alternates between looking around and bursts of instructions.
    fn slice<B: Bus>(&mut self, bus: &mut B, budget: u32, executed: &mut u32) -> Outcome {
        loop {
            if let Some(fault) = self.state.fault {
                return Outcome::Fault(self.with_word(bus, fault));
            }
            self.settle(bus, *executed);
            if let Some(asleep) = self.sleep_on(bus, *executed) {
                return asleep;
            }
            bus.take_attention();
            let is_asked = bus.take_yield();
            if std::mem::take(&mut self.state.yielded) || is_asked {
                return Outcome::Yielded;
            }
            if *executed >= budget {
                return Outcome::Budget;
            }
            if let Some((vector, target)) = self.state.interrupt_to_take(bus.lines(self.state.id)) {
                self.pc = self.state.enter(target, vector, self.pc);
                continue;
            }
            self.state.limit = self.burst_limit(bus, *executed, budget);
            if self.state.illegal {
                let at = At { pc: self.pc, elapsed: *executed };
                let stop = self.state.illegal_state(at);
                self.pc = self.after(stop, self.pc);
            } else {
                self.burst(bus, executed);
            }
        }
    }

    /// Brings timers, performance monitor and decoded code up to date.
    fn settle<B: Bus>(&mut self, bus: &mut B, elapsed: u32) {
        if self.state.timers_matter() {
            let counter = bus.counter(self.state.id, elapsed);
            self.state.update_timers(bus, counter);
        }
        if std::mem::take(&mut self.state.pmu_stale) {
            let now = self.state.now(bus, elapsed);
            self.state.settle_pmu(now);
        }
        if std::mem::take(&mut self.state.fetch_stale) {
            self.pages.forget_bindings();
        }
        self.pages.refresh(bus.ram());
    }

    /// Keeps a sleeping core asleep, or wakes it.
    fn sleep_on<B: Bus>(&mut self, bus: &mut B, elapsed: u32) -> Option<Outcome> {
        let (wakes, outcome) = match self.state.sleep {
            Sleep::Awake => return None,
            Sleep::Interrupt => {
                let lines = bus.lines(self.state.id);
                (lines.irq || lines.fiq, Outcome::WaitForInterrupt)
            }
            Sleep::Event { stream } => {
                let is_due = stream.is_some_and(|due| bus.counter(self.state.id, elapsed) >= due);
                let is_interrupted = self.state.interrupt_to_take(bus.lines(self.state.id)).is_some();
                let has_event = self.state.event || self.state.reservation_is_lost(bus);
                (is_due || is_interrupted || has_event, Outcome::WaitForEvent)
            }
        };
        if !wakes && self.state.pmu.is_asleep() {
            return Some(outcome);
        }
        let now = self.state.now(bus, elapsed);
        self.state.pmu.fall_asleep(now);
        if !wakes {
            return Some(outcome);
        }
        if matches!(self.state.sleep, Sleep::Event { .. }) {
            self.state.event = false;
        }
        self.state.sleep = Sleep::Awake;
        self.state.pmu.wake(now);
        None
    }

    /// Instructions of the slice that may retire until the budget or the next timer.
    fn burst_limit<B: Bus>(&self, bus: &B, executed: u32, budget: u32) -> u32 {
        let id = self.state.id;
        let due = match self.state.next_timer() {
            Some(due) if bus.counter(id, budget) >= due => due,
            _ => return budget,
        };
        // The first instruction count at which the timer has fired.
        let (mut before, mut after) = (executed, budget);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if bus.counter(id, middle) >= due {
                after = middle;
            } else {
                before = middle;
            }
        }
        after
    }

    /// Executes until `State::limit`.
    fn burst<B: Bus>(&mut self, bus: &mut B, executed: &mut u32) {
        let mut count = *executed;
        let mut pc = self.pc;
        while count < self.state.limit {
            self.pages.refresh(bus.ram());
            let page = match self.page_of(bus, &mut pc, count) {
                Ok(page) => page,
                Err(stop) => {
                    pc = self.after(stop, pc);
                    count += 1;
                    continue;
                }
            };
            let start = pc & !PAGE_OFFSET;
            let ops = self.pages.ops(page);
            let stop = loop {
                if count >= self.state.limit {
                    break None;
                }
                // Outside the page, or not a multiple of 4: no such index.
                let index = pc.wrapping_sub(start).rotate_right(2);
                let Some(&op) = usize::try_from(index).ok().and_then(|index| ops.get(index)) else {
                    break None;
                };
                match execute(&mut self.state, bus, At { pc, elapsed: count }, op) {
                    Ok(next) => pc = next,
                    Err(stop) => break Some(stop),
                }
                count += 1;
            };
            match stop {
                None => {}
                Some(Stop::Undecoded) => self.pages.decode_from(page, pc & PAGE_OFFSET, bus.ram()),
                Some(stop) => {
                    pc = self.after(stop, pc);
                    count += 1;
                }
            }
        }
        self.pc = pc;
        *executed = count;
    }

    /// The decoded page at the PC.
    #[inline(always)]
    fn page_of<B: Bus>(&mut self, bus: &mut B, pc: &mut u64, elapsed: u32) -> Result<PageIndex, Stop> {
        match self.pages.bound(*pc) {
            Some(page) if *pc & 3 == 0 => Ok(page),
            _ => {
                *pc = mmu::branch_address(&self.state, *pc);
                self.fetch_page(bus, At { pc: *pc, elapsed })
            }
        }
    }

    #[cold]
    fn fetch_page<B: Bus>(&mut self, bus: &mut B, at: At) -> Result<PageIndex, Stop> {
        if at.pc & 3 != 0 {
            return Err(self.state.pc_alignment(at));
        }
        if std::mem::take(&mut self.state.fetch_stale) {
            self.pages.forget_bindings();
        }
        let status = match mmu::translate(&self.state, bus, self.state.level, at.pc, Intent::Execute) {
            Ok(mapping) if bus.is_ram(mapping.physical) => {
                return Ok(self.pages.bind(at.pc, mapping.physical as u32));
            }
            // Code outside RAM: nobody there answers an instruction fetch.
            Ok(_) => Status::EXTERNAL,
            Err(Failure::Abort(status)) => status,
            Err(Failure::Unmodelled(kind)) => return Err(self.state.stop(at.pc, 0, kind)),
        };
        Err(self.state.abort(at, at.pc, Intent::Execute, status, false))
    }

    /// The PC after an instruction that did not complete.
    #[cold]
    fn after(&mut self, stop: Stop, pc: u64) -> u64 {
        match (stop, self.state.trap.take()) {
            (Stop::Trap, Some(trap)) => self.state.take_trap(trap),
            _ => pc,
        }
    }

    /// Fills in the instruction word of a fault that lacks it.
    fn with_word<B: Bus>(&mut self, bus: &mut B, mut fault: Fault) -> Fault {
        if fault.word == 0 {
            let mapping = mmu::translate(&self.state, bus, self.state.level, fault.pc, Intent::Execute);
            if let Ok(mapping) = mapping
                && bus.is_ram(mapping.physical)
            {
                fault.word = bus.ram().read32(mapping.physical as u32);
                self.state.fault = Some(fault);
            }
        }
        fault
    }

    /// CNTPCT value at which the next of the core's enabled, unmasked timers fires, or the event stream wakes a
    /// sleeping WFE; none if nothing is due. A timer that has already fired does not count.
    pub fn next_timer(&self) -> Option<u64> {
        self.state.next_timer()
    }

    /// Compares the timers with the counter now and tells the bus if an output changed. The machine calls it after
    /// it has moved time on; `run` also does it when it begins.
    pub fn update_timers<B: Bus>(&mut self, bus: &mut B) {
        if !self.state.timers_matter() {
            return;
        }
        let counter = bus.counter(self.state.id, 0);
        self.state.update_timers(bus, counter);
    }

    /// SEV from any core: sets the event register.
    pub fn wake_event(&mut self) {
        self.state.event = true;
    }

    /// Another core's store-exclusive hit physical `address`: a reservation there is gone, and that is an event.
    pub fn clear_reservation(&mut self, address: u64) {
        if self.state.monitor.clear_at(address) {
            self.state.event = true;
        }
    }

    /// Another core ran a broadcast TLB invalidate.
    pub fn invalidate_tlb(&mut self) {
        self.state.flush_translations();
    }

    /// In WFI or WFE, at the end of the last `run`.
    pub fn is_asleep(&self) -> bool {
        self.state.sleep != Sleep::Awake
    }

    /// A reservation is live: a plain store of another core may end a WFE, and only `run` finds out.
    pub fn watches_memory(&self) -> bool {
        self.state.monitor.reservation().is_some()
    }

    /// Instructions retired since reset, without the slice that is running.
    pub fn retired(&self) -> u64 {
        self.state.retired
    }

    /// Exceptions taken since reset, interrupts included.
    pub fn exceptions(&self) -> u64 {
        self.state.exceptions
    }

    /// Why the core stopped for good, if it has.
    pub fn fault(&self) -> Option<Fault> {
        self.state.fault
    }

    /// Notes about the image made since the last call: unknown system registers and the like, once each.
    pub fn take_notes(&mut self) -> Vec<Note> {
        self.state.take_notes()
    }

    /// Core number.
    pub fn id(&self) -> u8 {
        self.state.id
    }

    /// Virtual address of the next instruction.
    pub fn pc(&self) -> u64 {
        self.pc
    }

    /// Continues at another address.
    pub fn set_pc(&mut self, pc: u64) {
        self.pc = pc;
    }

    /// Exception level, 0 to 3.
    pub fn exception_level(&self) -> u8 {
        self.state.level
    }

    /// PSTATE in the layout of SPSR_ELx.
    pub fn pstate(&self) -> u64 {
        self.state.pstate()
    }

    /// General register 0 to 30; the stack pointer in use for 31.
    pub fn register(&self, index: u8) -> u64 {
        self.state.get(if index < 31 { index } else { STACK })
    }

    /// Sets general register 0 to 30; the stack pointer in use for 31.
    pub fn set_register(&mut self, index: u8, value: u64) {
        self.state.set(if index < 31 { index } else { STACK }, value);
    }

    /// The value that a system register holds. Those that are worked out when read (counters, PSTATE fields) read
    /// as their reset value here.
    pub fn system_register(&self, register: Register) -> u64 {
        self.state.system(register)
    }

    /// Sets the value that a system register holds, whatever the exception level.
    pub fn set_system_register(&mut self, register: Register, value: u64) {
        self.state.set_system(register, value);
        self.state.flush_translations();
        self.state.pmu_stale = true;
    }

    /// Where virtual `address` leads for a load at the current exception level; none if it would fault.
    pub fn translate<B: Bus>(&self, bus: &mut B, address: u64) -> Option<u64> {
        let mapping = mmu::translate(&self.state, bus, self.state.level, address, Intent::Read);
        mapping.ok().map(|mapping| mapping.physical)
    }
}
