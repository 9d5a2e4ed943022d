//! The emulated Pi as a whole: two VPU cores, four Arm cores, RAM and the devices, on one line of virtual time.

mod counters;
mod event;
mod fault;
mod summary;
mod uart;

pub use counters::Counters;
pub use event::{Event, EventKind, EventLevel};
pub use fault::MachineFault;
pub use summary::{Summary, Unmodelled};
pub use uart::{UartByte, UartPort, UartSource};

use crate::board::Board;
use crate::boot_rom::BootError;
use crate::ram::Ram;

/// Who plays the Arm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArmSide {
    /// The emulated cores.
    Emulated,
    /// A client in this process: the cores stay off, and it uses `arm_read32`, `arm_write32` and
    /// `arm_interrupt` once `arm_released` says so.
    External,
}

/// What to power on.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which board.
    pub board: Board,
    /// Varies how the processors interleave; equal seeds give equal runs. 0 is the plain schedule.
    pub seed: u64,
    /// The SD card, byte for byte.
    pub card: Vec<u8>,
    /// Who plays the Arm.
    pub arm: ArmSide,
    /// How much is noted in the event log.
    pub log: EventLevel,
}

/// When `run` returns at the latest. `None` is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Limit {
    /// Virtual time since power-on.
    pub until_ns: Option<u64>,
    /// Instructions from now, all cores together.
    pub instructions: Option<u64>,
    /// Return when a UART has sent something (at the end of the slice in which it did).
    pub stop_on_uart: bool,
}

/// Why `run` returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The limit is reached.
    Limit,
    /// A UART has sent bytes (asked for by `Limit::stop_on_uart`).
    Uart,
    /// The board has been halted: watchdog reset with the halt partition (63) in PM_RSTS.
    PowerOff,
    /// The watchdog, or a full reset through PM_RSTC, would restart the board.
    Reset,
    /// Something the emulator cannot go on from.
    Fault(Box<MachineFault>),
    /// Every core sleeps and nothing can wake it.
    AllAsleepForever,
}

/// The machine.
pub struct Machine {
    ram: Ram,
}

impl Machine {
    /// Does what the boot ROM and bootcode.bin do, leaving VPU core 0 at the firmware's entry.
    pub fn power_on(config: Config) -> Result<Self, BootError> {
        let _ = config;
        Ok(Self { ram: Ram::new() })
    }

    /// Runs until the limit or a reason to stop.
    pub fn run(&mut self, limit: Limit) -> Stop {
        let _ = limit;
        Stop::AllAsleepForever
    }

    /// Runs for so much virtual time.
    pub fn run_for(&mut self, ns: u64) -> Stop {
        self.run(Limit { until_ns: Some(self.now_ns().saturating_add(ns)), ..Limit::default() })
    }

    /// Virtual time since power-on.
    pub fn now_ns(&self) -> u64 {
        0
    }

    /// Instructions and cycles so far.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }

    /// Bytes that the UARTs have sent since the last call.
    pub fn take_uart(&mut self) -> Vec<UartByte> {
        Vec::new()
    }

    /// Events noted since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        Vec::new()
    }

    /// What the run came to.
    pub fn summary(&self) -> Summary {
        Summary::default()
    }

    /// The SDRAM.
    pub fn ram(&self) -> &Ram {
        &self.ram
    }
    /// The SDRAM.
    pub fn ram_mut(&mut self) -> &mut Ram {
        &mut self.ram
    }

    /// True once the firmware has powered the Arm.
    pub fn arm_released(&self) -> bool {
        false
    }
    /// Loads a word as the Arm would, from RAM or a register. `None` if nothing answers.
    pub fn arm_read32(&mut self, physical: u32) -> Option<u32> {
        Some(self.ram.read32(physical))
    }
    /// Stores a word as the Arm would, into RAM or a register. `None` if nothing answers.
    pub fn arm_write32(&mut self, physical: u32, value: u32) -> Option<()> {
        self.ram.write32(physical, value);
        Some(())
    }
    /// Level of doorbell 0, the line by which VideoCore interrupts the Arm.
    pub fn arm_interrupt(&self) -> bool {
        false
    }
}
