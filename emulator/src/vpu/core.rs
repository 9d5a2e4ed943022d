//! One VPU core: its registers and its run loop.

use super::bus::{Bus, CoreId};
use super::fault::{Fault, FaultKind};

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
    registers: [u32; 32],
    retired: u64,
    state: State,
}

impl Core {
    /// A core held in reset. `cpuid` is what `version` reads, without the core number (0x0400_0104 and the like).
    pub fn new(id: CoreId, cpuid: u32) -> Self {
        Self { id, cpuid, registers: [0; 32], retired: 0, state: State::Reset }
    }

    /// Leaves reset: all registers zero, SR 0, execution from `pc`.
    pub fn start(&mut self, pc: u32) {
        self.registers = [0; 32];
        self.registers[31] = pc;
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
        &self.registers
    }

    /// Address of the next instruction.
    pub fn pc(&self) -> u32 {
        self.registers[31]
    }

    /// Instructions retired since power-on.
    pub fn retired(&self) -> u64 {
        self.retired
    }

    /// Executes up to `budget` instructions.
    pub fn run<B: Bus>(&mut self, bus: &mut B, budget: u32) -> Run {
        if let State::Stopped(fault) = self.state {
            return Run { executed: 0, outcome: Outcome::Fault(fault) };
        }
        if self.state == State::Reset || budget == 0 {
            return Run { executed: 0, outcome: Outcome::Asleep };
        }
        let pc = self.registers[31];
        let mut halfwords = [0; 5];
        for (index, halfword) in halfwords.iter_mut().enumerate() {
            *halfword = bus.ram().read16(pc.wrapping_add(2 * index as u32));
        }
        self.registers[0] = self.cpuid;
        let fault = Fault { core: self.id, pc, halfwords, kind: FaultKind::UnknownInstruction };
        self.state = State::Stopped(fault);
        Run { executed: 0, outcome: Outcome::Fault(fault) }
    }
}
