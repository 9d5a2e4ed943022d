//! One VPU core: its state and the frame around the fast path.

use super::bus::{Bus, CoreId};
use super::decode::MAX_HALFWORDS;
use super::execute::{Context, Requests, vector_number};
use super::fault::{Fault, FaultKind};
use super::hot::{self, Exit};
use super::op::Op;
use super::page_cache::{PageCache, Slot};
use super::registers::{INTERRUPT_ENABLE, Registers};
use super::trail::Trail;
use super::vector::VectorUnit;

/// Why `Core::run` came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The budget is used up.
    Budget,
    /// The core waits in `sleep`, or was never started.
    Asleep,
    /// The machine asked for the end of the slice (`Bus::take_yield`).
    Yielded,
    /// The core stopped for good; every later call returns the same.
    Fault(Fault),
}

/// Result of `Core::run`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Instructions retired by this call, never more than the budget.
    pub executed: u32,
    /// Why it ended.
    pub outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Reset,
    Running,
    Asleep,
    Stopped(Fault),
}

/// One VPU core.
pub struct Core {
    id: CoreId,
    cpuid: u32,
    state: State,
    registers: Registers,
    /// p10.
    vector_handover: u32,
    vectors: VectorUnit,
    pages: PageCache,
    trail: Trail,
    retired: u64,
}

impl Core {
    /// A core held in reset. `cpuid` is what `version` reads, without the core number (0x0400_0104 and the like).
    pub fn new(id: CoreId, cpuid: u32) -> Self {
        Self {
            id,
            cpuid,
            state: State::Reset,
            registers: Registers::new(),
            vector_handover: 0,
            vectors: VectorUnit::new(),
            pages: PageCache::new(id),
            trail: Trail::new(),
            retired: 0,
        }
    }

    /// Leaves reset: all registers zero, SR 0, execution from `pc`.
    pub fn start(&mut self, pc: u32) {
        self.registers = Registers::new();
        self.registers.set_pc(pc);
        self.state = State::Running;
    }

    /// False while held in reset, and after a fault. A sleeping core is running.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running | State::Asleep)
    }

    /// True while the core waits in `sleep`.
    pub fn is_asleep(&self) -> bool {
        self.state == State::Asleep
    }

    /// r0..r31: 24 gp, 25 sp, 26 lr, 28 ssp, 30 sr, 31 pc.
    pub fn registers(&self) -> &[u32; 32] {
        self.registers.all()
    }

    /// Address of the next instruction.
    pub fn pc(&self) -> u32 {
        self.registers.pc()
    }

    /// Instructions retired since power-on.
    pub fn retired(&self) -> u64 {
        self.retired
    }

    /// The last branches that led from one page of code to another, oldest first: from, to.
    pub fn trail(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.trail.branches()
    }

    /// Puts a value into a register, pc included.
    #[cfg(test)]
    pub(super) fn set_register(&mut self, register: u8, value: u32) {
        self.registers.set(register, value);
    }

    /// Goes on elsewhere.
    #[cfg(test)]
    pub(super) fn set_pc(&mut self, pc: u32) {
        self.registers.set_pc(pc);
    }

    /// Executes up to `budget` instructions. Interrupts are looked at when it begins, when the machine asks for
    /// attention after a device access, and when an instruction enables them.
    pub fn run<B: Bus>(&mut self, bus: &mut B, budget: u32) -> Run {
        match self.state {
            State::Stopped(fault) => return Run { executed: 0, outcome: Outcome::Fault(fault) },
            State::Reset => return Run { executed: 0, outcome: Outcome::Asleep },
            State::Asleep if !bus.interrupt_pending(self.id) => {
                return Run { executed: 0, outcome: Outcome::Asleep };
            }
            State::Asleep | State::Running => self.state = State::Running,
        }
        let mut left = budget;
        let outcome = match self.run_slice(bus, budget, &mut left) {
            Ok(outcome) => outcome,
            Err(kind) => {
                let fault = self.fault(bus, kind);
                self.state = State::Stopped(fault);
                Outcome::Fault(fault)
            }
        };
        let executed = budget - left;
        self.retired += u64::from(executed);
        Run { executed, outcome }
    }

    fn run_slice<B: Bus>(&mut self, bus: &mut B, budget: u32, left: &mut u32) -> Result<Outcome, FaultKind> {
        let mut check_interrupts = true;
        loop {
            if check_interrupts {
                self.take_interrupt(bus, budget - *left)?;
            }
            let slot = match hot::run(&mut self.registers, &mut self.pages, &mut self.trail, bus, left) {
                Exit::Budget => return Ok(Outcome::Budget),
                Exit::OutsideRam => return Err(FaultKind::FetchOutsideRam),
                Exit::Slow(slot) => slot,
            };
            let mut requests = Requests::default();
            let next = self.step(bus, slot, budget - *left, &mut requests)?;
            self.registers.set_pc(next);
            *left -= 1;
            check_interrupts = requests.check_interrupts;
            if requests.look_at_machine {
                check_interrupts |= bus.take_attention();
                if bus.take_yield() {
                    return Ok(Outcome::Yielded);
                }
            }
            if requests.sleep && !bus.interrupt_pending(self.id) {
                self.state = State::Asleep;
                return Ok(Outcome::Asleep);
            }
        }
    }

    /// Executes one instruction outside the fast path. The pc stays on it if it cannot be executed.
    fn step<B: Bus>(
        &mut self,
        bus: &mut B,
        slot: Slot,
        elapsed: u32,
        requests: &mut Requests,
    ) -> Result<u32, FaultKind> {
        let pc = self.registers.pc();
        let next = pc.wrapping_add(slot.length.into());
        let vector = match slot.op {
            Op::Vector { index } => Some(*self.pages.page(pc, bus.ram()).vector(index)),
            _ => None,
        };
        let mut context = self.context(bus, elapsed, requests);
        match vector {
            Some(instruction) => context.execute_vector(&instruction, pc, next),
            None => context.execute(hot::generalise(slot.op), pc, next),
        }
    }

    /// Enters the handler of the most urgent interrupt, if there is one and interrupts are enabled.
    fn take_interrupt<B: Bus>(&mut self, bus: &mut B, elapsed: u32) -> Result<(), FaultKind> {
        if self.registers.status() & INTERRUPT_ENABLE == 0 {
            return Ok(());
        }
        if let Some(interrupt) = bus.acknowledge_interrupt(self.id) {
            let return_to = self.registers.pc();
            let vector = vector_number::INTERRUPT + interrupt.number;
            // Whatever the handler's address and frame touch, it is RAM or it is looked at after the next device access.
            let handler = self.context(bus, elapsed, &mut Requests::default()).raise(vector, return_to)?;
            self.registers.set_pc(handler);
        }
        Ok(())
    }

    fn context<'a, B: Bus>(
        &'a mut self,
        bus: &'a mut B,
        elapsed: u32,
        requests: &'a mut Requests,
    ) -> Context<'a, B> {
        Context {
            id: self.id,
            cpuid: self.cpuid,
            registers: &mut self.registers,
            vector_handover: &mut self.vector_handover,
            vectors: &mut self.vectors,
            bus,
            elapsed,
            requests,
        }
    }

    fn fault<B: Bus>(&self, bus: &mut B, kind: FaultKind) -> Fault {
        let pc = self.registers.pc();
        let mut halfwords = [0; MAX_HALFWORDS];
        if kind != FaultKind::FetchOutsideRam {
            for (index, halfword) in halfwords.iter_mut().enumerate() {
                *halfword = bus.ram().read16(pc.wrapping_add(2 * index as u32));
            }
        }
        Fault { core: self.id, pc, halfwords, kind }
    }
}
