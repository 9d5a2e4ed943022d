//! What a device is, and what it may do to the machine around it.

use super::block::Block;
use super::lines::Lines;
use crate::machine::{EventKind, UartPort};

/// Who makes an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initiator {
    /// A VPU core, 0 or 1.
    Vpu(u8),
    /// An Arm core, 0 to 3.
    Arm(u8),
    /// Whoever plays the Arm from outside.
    External,
    /// A DMA channel.
    Dma,
}

impl Initiator {
    /// Name in logs and summaries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vpu(0) => "vpu0",
            Self::Vpu(_) => "vpu1",
            Self::Arm(0) => "arm0",
            Self::Arm(1) => "arm1",
            Self::Arm(2) => "arm2",
            Self::Arm(_) => "arm3",
            Self::External => "external",
            Self::Dma => "dma",
        }
    }

    /// True for an Arm core and for whoever plays it.
    pub fn is_arm(self) -> bool {
        matches!(self, Self::Arm(_) | Self::External)
    }
}

/// How the power manager ends a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shutdown {
    /// Reset with the halt partition: the boot ROM would stop.
    Halt,
    /// Reset: the boot ROM would start again.
    Restart,
}

/// Rates of the processors' clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// VPU cycles a second.
    pub vpu_hz: u64,
    /// Arm cycles a second.
    pub arm_hz: u64,
}

/// A byte on its way out of a serial port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Who wrote it.
    pub by: Initiator,
    /// Where.
    pub port: UartPort,
    /// What.
    pub byte: u8,
}

/// What devices ask of the machine; collected after each access.
#[derive(Default, Debug)]
pub struct Effects {
    /// Others should see this access soon: end the slice of whoever made it.
    pub end_slice: bool,
    /// Start this VPU core at this address.
    pub start_vpu: Option<(u8, u32)>,
    /// The Arm's reset: true lets its cores execute, false holds them.
    pub arm_running: Option<bool>,
    /// The processors' clocks have been set to other rates.
    pub rates: Option<Rates>,
    /// The run is over.
    pub shutdown: Option<Shutdown>,
    /// Bytes for the serial lines.
    pub sent: Vec<Sent>,
    /// Things worth a line in the log.
    pub events: Vec<EventKind>,
    /// Something that has a time of its own may have moved it.
    pub reschedule: bool,
}

impl Effects {
    /// True if anything was asked.
    pub fn any(&self) -> bool {
        self.end_slice
            || self.reschedule
            || self.start_vpu.is_some()
            || self.arm_running.is_some()
            || self.shutdown.is_some()
            || self.rates.is_some()
            || !self.sent.is_empty()
            || !self.events.is_empty()
    }
}

/// An access, and what a device can reach while it handles it.
pub struct Context<'a> {
    /// Virtual time of the access, picoseconds since power-on.
    pub now_ps: u64,
    /// Who asks.
    pub by: Initiator,
    /// Interrupt lines of the SoC.
    pub lines: &'a mut Lines,
    /// Requests to the machine.
    pub effects: &'a mut Effects,
    /// True if the log wants every doorbell and mailbox word.
    pub verbose: bool,
}

impl Context<'_> {
    /// Notes an event for the log at its highest level.
    pub fn note(&mut self, kind: EventKind) {
        if self.verbose {
            self.effects.events.push(kind);
        }
    }
}

/// A device: registers, and perhaps a time at which it will do something by itself.
///
/// Offsets are in bytes from the block's base and always a multiple of four. `None` from `read` or `write` means
/// that the device gives this register no meaning; it then works as plain storage, and is reported as unmodelled
/// unless the block's table says that storage is all it is.
pub trait Device {
    /// Name and registers.
    fn block(&self) -> &'static Block;

    /// A load.
    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32>;

    /// A store.
    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()>;

    /// When the device wants `tick` next, picoseconds since power-on.
    fn next_event(&self) -> Option<u64> {
        None
    }

    /// The time of `next_event` has come (`context.now_ps` is at or behind it).
    fn tick(&mut self, context: &mut Context<'_>) {
        let _ = context;
    }
}

#[cfg(test)]
pub(super) mod bench {
    //! A device alone on a table, for tests.

    use super::*;

    /// Everything a device needs around it.
    #[derive(Default)]
    pub(crate) struct Bench {
        pub(crate) lines: Lines,
        pub(crate) effects: Effects,
        pub(crate) now_ps: u64,
    }

    impl Bench {
        pub(crate) fn context(&mut self, by: Initiator) -> Context<'_> {
            Context {
                now_ps: self.now_ps,
                by,
                lines: &mut self.lines,
                effects: &mut self.effects,
                verbose: true,
            }
        }

        /// A load by VPU core 0; an unmodelled register reads as all ones, which no test expects.
        pub(crate) fn read(&mut self, device: &mut dyn Device, offset: u32) -> u32 {
            device.read(offset, &mut self.context(Initiator::Vpu(0))).unwrap_or(u32::MAX)
        }

        /// A store by VPU core 0.
        pub(crate) fn write(&mut self, device: &mut dyn Device, offset: u32, value: u32) {
            let modelled = device.write(offset, value, &mut self.context(Initiator::Vpu(0)));
            assert!(modelled.is_some(), "offset {offset:#x} is not modelled");
        }
    }
}
