//! The machine's own log.

use crate::arm::Note;

/// How much is noted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum EventLevel {
    /// Nothing (unmodelled accesses are still counted in the summary).
    Off,
    /// What happens a few times a run: cores start, the Arm is released, a register nobody models.
    #[default]
    Rare,
    /// Also every doorbell and mailbox word.
    All,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// First access to a register that nobody models.
    Unmodelled {
        /// Block and register, or the block and an offset.
        register: String,
        /// Bus address.
        address: u32,
        /// `None` is a load.
        written: Option<u32>,
    },
    /// A VPU core began to execute.
    VpuCoreStarted {
        /// 0 or 1.
        core: u8,
        /// Where.
        address: u32,
    },
    /// The firmware powered the Arm.
    ArmReleased,
    /// A doorbell was rung.
    Bell {
        /// 0 and 1 ring at the Arm, 2 and 3 at the VPU.
        number: u8,
    },
    /// A word was put into a mailbox.
    Mailbox {
        /// 0 is read by the Arm, 1 by the VPU.
        number: u8,
        /// The word.
        word: u32,
    },
    /// The image did something on an Arm core that is not modelled; noted once.
    Arm(Note),
    /// The model says what it makes of something.
    Model(String),
    /// The watchdog or PM_RSTC ended the run.
    PowerManager {
        /// True for the halt partition, false for a restart.
        halt: bool,
    },
}

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Virtual time since power-on.
    pub at_ns: u64,
    /// Who did it: "vpu0", "arm2", "external".
    pub by: &'static str,
    /// Address of the instruction, 0 if none.
    pub pc: u64,
    /// What.
    pub kind: EventKind,
}
