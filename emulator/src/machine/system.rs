//! Everything around the cores: RAM, devices, time within a slice. It is what both kinds of core call the bus.

use super::event::{Event, EventLevel};
use super::time::CycleClock;
use super::uart::{UartByte, UartSource};
use super::{Counters, EventKind};
use crate::board::Board;
use crate::ram::Ram;
use crate::soc::bcm2837::{Bcm2837, Origin};
use crate::soc::device::{Initiator, Rates, Sent, Shutdown};

/// What a register access costs beyond its instruction, in VPU cycles: 40 ns.
pub(super) const VPU_REGISTER_CYCLES: u32 = 10;
/// The same for an Arm core, which is further away: 100 ns.
pub(super) const ARM_REGISTER_NS: u64 = 100;

/// The peripherals begin here, whatever is fitted.
const ARM_RAM_END: u64 = 0x3f00_0000;

/// Who is running, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) by: Initiator,
    pub(super) clock: CycleClock,
    /// Cycle of the core's clock at which this `run` call began.
    pub(super) first_cycle: u64,
    /// And when that was.
    pub(super) first_ps: u64,
    /// Cycles it may use.
    pub(super) budget: u32,
    /// Cycles spent waiting for registers so far.
    pub(super) stalled: u32,
}

impl Running {
    fn time(&self, elapsed: u32) -> u64 {
        self.first_ps + self.clock.duration_of(elapsed.saturating_add(self.stalled))
    }
}

/// Requests that the scheduler handles between slices.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) start_vpu: Option<(u8, u32)>,
    pub(super) arm_running: Option<bool>,
    pub(super) shutdown: Option<Shutdown>,
    pub(super) rates: Option<Rates>,
    pub(super) send_event: bool,
    /// Core and address of a store-exclusive.
    pub(super) stored_exclusive: Vec<(u8, u64)>,
    pub(super) invalidate_tlbs_for: Option<u8>,
    /// The end of the slice has moved here.
    pub(super) uart_sent: bool,
}

/// RAM and devices, and who uses them now.
pub(super) struct System {
    pub(super) ram: Ram,
    pub(super) soc: Bcm2837,
    pub(super) running: Running,
    pub(super) requests: Requests,
    pub(super) locks: u32,
    pub(super) end_slice: bool,
    /// First address that is not RAM to the Arm.
    pub(super) arm_ram_end: u64,
    pub(super) counter: CycleClock,
    pub(super) arm_clock: CycleClock,
    pub(super) arm_register_cycles: u32,
    /// Instructions of finished `run` calls.
    pub(super) vpu_retired: u64,
    pub(super) arm_retired: u64,
    pub(super) uart: Vec<UartByte>,
    pub(super) events: Vec<Event>,
    pub(super) level: EventLevel,
    /// Time of the next device event, and the end of the current slice.
    pub(super) next_event: Option<u64>,
    pub(super) slice_end: u64,
}

/// Cycles of an Arm at this rate that a register access takes.
fn register_cost(arm_hz: u64) -> u32 {
    (arm_hz * ARM_REGISTER_NS / 1_000_000_000) as u32
}

impl System {
    pub(super) fn new(board: &Board, card: Vec<u8>, seed: u64, level: EventLevel) -> Self {
        let arm_clock = CycleClock::new(board.arm_hz);
        Self {
            ram: Ram::new(),
            soc: Bcm2837::new(board, card, seed, level == EventLevel::All),
            running: Running {
                by: Initiator::External,
                clock: arm_clock,
                first_cycle: 0,
                first_ps: 0,
                budget: 0,
                stalled: 0,
            },
            requests: Requests::default(),
            locks: 0,
            end_slice: false,
            arm_ram_end: u64::from(board.ram_bytes).min(ARM_RAM_END),
            counter: CycleClock::new(board.counter_hz),
            arm_clock,
            arm_register_cycles: register_cost(board.arm_hz),
            vpu_retired: 0,
            arm_retired: 0,
            uart: Vec::new(),
            events: Vec::new(),
            level,
            next_event: None,
            slice_end: 0,
        }
    }

    /// What is pending and held is gone, and the Arm's clock has its rate of power-on.
    pub(super) fn reset(&mut self, now_ps: u64, arm_hz: u64) {
        self.requests = Requests { uart_sent: self.requests.uart_sent, ..Requests::default() };
        self.locks = 0;
        self.arm_clock.set_rate(now_ps, arm_hz);
        self.set_arm_register_cost(arm_hz);
        self.next_event = self.soc.next_event();
    }

    /// The Arm's clock now has another rate.
    pub(super) fn set_arm_register_cost(&mut self, arm_hz: u64) {
        self.arm_register_cycles = register_cost(arm_hz);
    }

    /// Virtual time at `elapsed` instructions into the running core's slice.
    pub(super) fn time(&self, elapsed: u32) -> u64 {
        self.running.time(elapsed)
    }

    /// A load of a register word by the running core.
    pub(super) fn load(&mut self, address: u32, pc: u64, elapsed: u32, cost: u32) -> u32 {
        self.running.stalled += cost;
        let origin = Origin { now_ps: self.time(elapsed), by: self.running.by, pc };
        let value = self.soc.read(&mut self.ram, address, origin);
        self.after_access(origin, elapsed);
        value
    }

    /// A store to a register by the running core; only the bytes in `mask`.
    pub(super) fn store(&mut self, address: u32, mask: u32, value: u32, at: (u64, u32), cost: u32) {
        let (pc, elapsed) = at;
        self.running.stalled += cost;
        let origin = Origin { now_ps: self.time(elapsed), by: self.running.by, pc };
        let word = self.soc.merge(&mut self.ram, address, mask, value, origin);
        self.soc.write(&mut self.ram, address, word, origin);
        self.after_access(origin, elapsed);
    }

    fn after_access(&mut self, origin: Origin, elapsed: u32) {
        if elapsed.saturating_add(self.running.stalled) >= self.running.budget {
            self.end_slice = true;
        }
        if self.soc.effects().any() {
            self.collect_effects(origin, elapsed);
        }
    }

    /// Takes over what the devices asked for.
    #[cold]
    pub(super) fn collect_effects(&mut self, origin: Origin, elapsed: u32) {
        let effects = std::mem::take(self.soc.effects());
        self.end_slice |= effects.end_slice;
        self.requests.start_vpu = effects.start_vpu.or(self.requests.start_vpu);
        self.requests.arm_running = effects.arm_running.or(self.requests.arm_running);
        self.requests.shutdown = effects.shutdown.or(self.requests.shutdown);
        self.requests.rates = effects.rates.or(self.requests.rates);
        self.end_slice |= effects.rates.is_some();
        if effects.start_vpu.is_some() || effects.arm_running.is_some() || effects.shutdown.is_some() {
            self.end_slice = true;
        }
        if effects.reschedule {
            self.next_event = self.soc.next_event();
            self.end_slice |= self.next_event.is_some_and(|due| due < self.slice_end);
        }
        for sent in effects.sent {
            self.send(sent, origin, elapsed);
        }
        for kind in effects.events {
            self.note(origin, kind);
        }
    }

    fn send(&mut self, sent: Sent, origin: Origin, elapsed: u32) {
        let source = if sent.by.is_arm() { UartSource::Arm } else { UartSource::Vpu };
        let counters = self.counters(origin.now_ps, elapsed);
        let at_ns = origin.now_ps / 1000;
        self.uart.push(UartByte { source, port: sent.port, byte: sent.byte, at_ns, counters });
        self.requests.uart_sent = true;
    }

    /// Adds a line to the log.
    pub(super) fn note(&mut self, origin: Origin, kind: EventKind) {
        if self.level != EventLevel::Off {
            let (at_ns, by) = (origin.now_ps / 1000, origin.by.name());
            self.events.push(Event { at_ns, by, pc: origin.pc, kind });
        }
    }

    /// Totals at a time within the running core's slice.
    pub(super) fn counters(&self, now_ps: u64, elapsed: u32) -> Counters {
        let (arm, vpu) = match self.running.by {
            Initiator::Arm(_) => (elapsed, 0),
            Initiator::Vpu(_) => (0, elapsed),
            Initiator::External | Initiator::Dma => (0, 0),
        };
        Counters {
            arm_instructions: self.arm_retired + u64::from(arm),
            arm_cycles: self.arm_clock.cycles_at(now_ps),
            vpu_instructions: self.vpu_retired + u64::from(vpu),
        }
    }
}
