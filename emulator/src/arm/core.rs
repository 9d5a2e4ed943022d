//! The core as the machine sees it.

use super::bus::Bus;
use super::fault::{Fault, FaultKind};

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
    id: u8,
    pc: u64,
    retired: u64,
    asleep: bool,
    event: bool,
}

impl Core {
    /// Core `id` (0 to 3), reset at address 0. `counter_frequency` in Hz is only the reset value of CNTFRQ_EL0.
    pub fn new(id: u8) -> Self {
        Self { id, pc: 0, retired: 0, asleep: false, event: false }
    }

    /// Reset: EL3h at `pc`, MMU off, DAIF masked.
    pub fn reset(&mut self, pc: u64) {
        *self = Self::new(self.id);
        self.pc = pc;
    }

    /// Executes up to `budget` instructions.
    pub fn run<B: Bus>(&mut self, _bus: &mut B, _budget: u32) -> Run {
        let fault = Fault { core: self.id, pc: self.pc, word: 0, kind: FaultKind::ExceptionLoop };
        Run { executed: 0, outcome: Outcome::Fault(fault) }
    }

    /// CNTPCT value at which the next of the core's enabled, unmasked timers fires, or the event stream wakes a
    /// sleeping WFE; none if nothing is due. A timer that has already fired does not count.
    pub fn next_timer(&self) -> Option<u64> {
        None
    }

    /// Compares the timers with the counter now and tells the bus if an output changed. The machine calls it after
    /// it has moved time on; `run` also does it when it begins.
    pub fn update_timers<B: Bus>(&mut self, _bus: &mut B) {}

    /// SEV from any core: sets the event register.
    pub fn wake_event(&mut self) {
        self.event = true;
    }

    /// Another core's store-exclusive hit `address`: a reservation there is gone, and that is an event.
    pub fn clear_reservation(&mut self, _address: u64) {}

    /// Another core ran a broadcast TLB invalidate.
    pub fn invalidate_tlb(&mut self) {}

    /// In WFI or WFE, at the end of the last `run`.
    pub fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// Instructions retired since reset.
    pub fn retired(&self) -> u64 {
        self.retired
    }

    /// Core number.
    pub fn id(&self) -> u8 {
        self.id
    }

    /// Virtual address of the next instruction.
    pub fn pc(&self) -> u64 {
        self.pc
    }

    /// Exception level, 0 to 3.
    pub fn exception_level(&self) -> u8 {
        3
    }

    /// General register 0 to 30; the stack pointer in use for 31.
    pub fn register(&self, _index: u8) -> u64 {
        0
    }
}
