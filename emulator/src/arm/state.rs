//! Everything an instruction can read or change.

use std::fmt;

use super::decode::{Reg, STACK};
use super::exclusive::Monitor;
use super::fault::{Fault, FaultKind};
use super::pmu::PerformanceMonitor;
use super::sysreg::{COUNT, Encoding, ROWS, Register};
use super::timer::GenericTimer;
use super::tlb::Tlb;

/// PSTATE.N in the packed flags.
pub(crate) const N: u8 = 8;
/// PSTATE.Z in the packed flags.
pub(crate) const Z: u8 = 4;
/// PSTATE.C in the packed flags.
pub(crate) const C: u8 = 2;
/// PSTATE.V in the packed flags.
pub(crate) const V: u8 = 1;

/// PSTATE.I in `daif`.
pub(crate) const MASK_IRQ: u8 = 2;
/// PSTATE.F in `daif`.
pub(crate) const MASK_FIQ: u8 = 1;

/// Which instruction is executing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    /// Its virtual address.
    pub(crate) pc: u64,
    /// Instructions retired in this slice before it.
    pub(crate) elapsed: u32,
}

/// Why an instruction did not complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// It raised the exception in `State::trap`.
    Trap,
    /// It is not decoded yet.
    Undecoded,
    /// It met what is not modelled: `State::fault` is set.
    Fault,
}

/// A synchronous exception about to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trap {
    /// ESR value, `EC`, `IL` and `ISS`.
    pub(crate) syndrome: u32,
    /// FAR value, for the classes that have one.
    pub(crate) address: Option<u64>,
    /// Lowest exception level that it is taken to.
    pub(crate) target: u8,
    /// Address that goes to ELR.
    pub(crate) link: u64,
}

/// How the core sleeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sleep {
    Awake,
    /// In WFE; the event stream wakes it at this CNTPCT.
    Event {
        stream: Option<u64>,
    },
    /// In WFI.
    Interrupt,
}

/// Something worth telling about the image, noted once each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// An access to a system register that the table does not know: taken as undefined.
    UnknownSystemRegister {
        /// Address of the instruction.
        pc: u64,
        /// The MRS, MSR or SYS word.
        word: u32,
    },
    /// A write that would reset the core or the like was not obeyed.
    NotObeyed {
        /// Address of the instruction.
        pc: u64,
        /// What was written.
        register: Register,
    },
    /// The performance monitor was asked to count an event that is not modelled: its counter stands still.
    UncountedEvent {
        /// Address of the instruction.
        pc: u64,
        /// Event number (Cortex-A53 manual, 12.9).
        event: u16,
    },
}

impl Note {
    /// Address of the instruction.
    pub fn pc(&self) -> u64 {
        match *self {
            Self::UnknownSystemRegister { pc, .. }
            | Self::NotObeyed { pc, .. }
            | Self::UncountedEvent { pc, .. } => pc,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnknownSystemRegister { word, .. } => {
                let (op0, op1, crn, crm, op2) = Encoding::of_instruction(word).fields();
                write!(
                    f,
                    "unknown system register S{op0}_{op1}_C{crn}_C{crm}_{op2} ({word:#010x}): undefined"
                )
            }
            Self::NotObeyed { register, .. } => write!(f, "a write to {} is not obeyed", register.name()),
            Self::UncountedEvent { event, .. } => {
                write!(f, "performance monitor event {event:#x} is not counted")
            }
        }
    }
}

/// The state of a core.
pub(crate) struct State {
    pub(crate) id: u8,
    /// General registers and the pseudo-registers behind them (`decode::ZERO`, `STACK`, `DISCARD`).
    registers: [u64; 64],
    /// N, Z, C, V in bits 3 to 0.
    pub(crate) flags: u8,
    /// D, A, I, F in bits 3 to 0.
    pub(crate) daif: u8,
    /// PSTATE.IL.
    pub(crate) illegal: bool,
    /// Exception level.
    pub(crate) level: u8,
    /// PSTATE.SP: the level's own stack pointer is in use.
    pub(crate) own_stack: bool,
    /// SP_EL0 to SP_EL3; the one in use lives in `registers`.
    stacks: [u64; 4],
    /// Values of the system registers, by `Register`.
    system: [u64; COUNT],
    pub(crate) tlb: Tlb,
    /// Virtual-to-decoded-page bindings are stale.
    pub(crate) fetch_stale: bool,
    /// What the performance monitor counts may have changed with the exception level.
    pub(crate) pmu_stale: bool,
    pub(crate) monitor: Monitor,
    pub(crate) timer: GenericTimer,
    pub(crate) pmu: PerformanceMonitor,
    pub(crate) sleep: Sleep,
    /// The event register.
    pub(crate) event: bool,
    /// The instruction asked for the slice to end.
    pub(crate) yielded: bool,
    /// Instructions of the slice that may retire before the core has to look around; 0 asks for it at once.
    pub(crate) limit: u32,
    pub(crate) trap: Option<Trap>,
    pub(crate) fault: Option<Fault>,
    /// Instructions retired before this slice.
    pub(crate) retired: u64,
    /// Exceptions taken since reset.
    pub(crate) exceptions: u64,
    notes: Vec<Note>,
    notes_seen: usize,
}

impl State {
    /// EL3h, DAIF masked, everything else at its reset value.
    pub(crate) fn new(id: u8) -> Self {
        let mut system = [0; COUNT];
        for row in ROWS {
            system[row.register as usize] = row.reset;
        }
        let affinity = 0x8000_0000 | u64::from(id);
        system[Register::MPIDR_EL1 as usize] = affinity;
        system[Register::VMPIDR_EL2 as usize] = affinity;
        Self {
            id,
            registers: [0; 64],
            flags: 0,
            daif: 0xf,
            illegal: false,
            level: 3,
            own_stack: true,
            stacks: [0; 4],
            system,
            tlb: Tlb::new(),
            fetch_stale: true,
            pmu_stale: true,
            monitor: Monitor::default(),
            timer: GenericTimer::default(),
            pmu: PerformanceMonitor::default(),
            sleep: Sleep::Awake,
            event: false,
            yielded: false,
            limit: 0,
            trap: None,
            fault: None,
            retired: 0,
            exceptions: 0,
            notes: Vec::new(),
            notes_seen: 0,
        }
    }

    /// Reads a register.
    #[inline(always)]
    pub(crate) fn get(&self, index: Reg) -> u64 {
        self.registers[usize::from(index & 63)]
    }

    /// Writes a register.
    #[inline(always)]
    pub(crate) fn set(&mut self, index: Reg, value: u64) {
        self.registers[usize::from(index & 63)] = value;
    }

    /// The stored value of a system register, as its row holds it.
    pub(crate) fn system(&self, register: Register) -> u64 {
        self.system[register as usize]
    }

    /// Stores the value of a system register, without side effects.
    pub(crate) fn set_system(&mut self, register: Register, value: u64) {
        self.system[register as usize] = value;
    }

    /// SP_ELx.
    pub(crate) fn stack_of(&self, level: u8) -> u64 {
        if self.stack_in_use() == level { self.get(STACK) } else { self.stacks[usize::from(level & 3)] }
    }

    /// Sets SP_ELx.
    pub(crate) fn set_stack_of(&mut self, level: u8, value: u64) {
        if self.stack_in_use() == level {
            self.set(STACK, value);
        } else {
            self.stacks[usize::from(level & 3)] = value;
        }
    }

    fn stack_in_use(&self) -> u8 {
        if self.own_stack { self.level } else { 0 }
    }

    /// Moves to an exception level and stack; what depends on the level is looked at again.
    pub(crate) fn switch(&mut self, level: u8, own_stack: bool) {
        self.stacks[usize::from(self.stack_in_use() & 3)] = self.get(STACK);
        if level != self.level {
            self.flush_translations();
            self.pmu_stale = true;
        }
        self.level = level;
        self.own_stack = own_stack;
        self.set(STACK, self.stacks[usize::from(self.stack_in_use() & 3)]);
        self.look_around();
    }

    /// Drops cached translations.
    pub(crate) fn flush_translations(&mut self) {
        self.tlb.flush();
        self.fetch_stale = true;
        self.limit = 0;
    }

    /// Ends the fast loop after this instruction: interrupts, timers, sleep and the like may have changed.
    #[inline(always)]
    pub(crate) fn look_around(&mut self) {
        self.limit = 0;
    }

    /// SCR_EL3.NS, or true at EL2.
    pub(crate) fn is_non_secure(&self) -> bool {
        self.level == 2 || self.system(Register::SCR_EL3) & 1 != 0
    }

    /// Raises a synchronous exception towards `target` or the current level, whichever is higher.
    pub(crate) fn raise(&mut self, at: At, target: u8, syndrome: u32, address: Option<u64>) -> Stop {
        self.trap = Some(Trap { syndrome, address, target, link: at.pc });
        Stop::Trap
    }

    /// Stops the core for good.
    #[cold]
    pub(crate) fn stop(&mut self, pc: u64, word: u32, kind: FaultKind) -> Stop {
        self.fault = Some(Fault { core: self.id, pc, word, kind });
        self.limit = 0;
        Stop::Fault
    }

    /// Notes something, once.
    #[cold]
    pub(crate) fn note(&mut self, note: Note) {
        let is_known = |other: &Note| match (other, &note) {
            (Note::UnknownSystemRegister { word: a, .. }, Note::UnknownSystemRegister { word: b, .. }) => {
                a & !0x1f == b & !0x1f
            }
            (Note::NotObeyed { register: a, .. }, Note::NotObeyed { register: b, .. }) => a == b,
            (Note::UncountedEvent { event: a, .. }, Note::UncountedEvent { event: b, .. }) => a == b,
            _ => false,
        };
        if !self.notes.iter().any(is_known) {
            self.notes.push(note);
        }
    }

    /// Notes made since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        let new = self.notes[self.notes_seen..].to_vec();
        self.notes_seen = self.notes.len();
        new
    }
}
