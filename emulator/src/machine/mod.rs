//! The emulated Pi as a whole: two VPU cores, four Arm cores, RAM and the devices, on one line of virtual time.

mod arm_bus;
mod counters;
mod event;
mod fault;
mod peer;
mod restart;
mod schedule;
mod summary;
mod system;
mod time;
mod uart;
mod vpu_bus;

pub use counters::Counters;
pub use event::{Event, EventKind, EventLevel};
pub use fault::MachineFault;
pub use summary::{Summary, Unmodelled};
pub use uart::{UartByte, UartPort, UartSource};

use self::schedule::{Schedule, Wakeup};
use self::system::System;
use self::time::CycleClock;
use crate::board::Board;
use crate::boot_rom::{self, BootError, Booted};
use crate::card::Card;
use crate::model::{self, Fault, VideoCore};
use crate::ram::Ram;
use crate::soc::device::Initiator;
use crate::vpu::bus::CoreId;
use crate::{arm, vpu};

/// Who plays the Arm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArmSide {
    /// The emulated cores.
    Emulated,
    /// A client in this process: the cores stay off, and it uses `arm_read32`, `arm_write32` and
    /// `arm_interrupt` once `arm_released` says so.
    External,
}

/// Who plays VideoCore.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// The firmware on the card, executed by the emulated VPU cores.
    Firmware,
    /// The model, which follows the rules, or breaks them in one way. The card needs no firmware.
    Model(Option<Fault>),
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
    /// Who plays VideoCore.
    pub peer: Peer,
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
    /// The watchdog, or a full reset through PM_RSTC, restarts the board: [`Machine::restart`] does it.
    Reset,
    /// Something the emulator cannot go on from.
    Fault(Box<MachineFault>),
    /// Every core sleeps and nothing can wake it.
    AllAsleepForever,
}

/// The machine.
pub struct Machine {
    config: Settings,
    system: System,
    vpu: [vpu::Core; 2],
    arm: [arm::Core; 4],
    vpu_clock: CycleClock,
    /// How far each core has come, in cycles of its clock.
    vpu_cycle: [u64; 2],
    arm_cycle: [u64; 4],
    arm_wakeup: [Wakeup; 4],
    now_ps: u64,
    schedule: Schedule,
    arm_released: bool,
    /// The emulated Arm cores are out of reset.
    arm_running: bool,
    stopped: Option<Stop>,
    start_file: String,
    /// In place of the VPU cores.
    model: Option<Box<VideoCore>>,
    /// Instructions by core before the last restart.
    retired_before: Retired,
}

/// Instructions by core.
#[derive(Clone, Copy, Default)]
struct Retired {
    vpu: [u64; 2],
    arm: [u64; 4],
}

/// What of the configuration is needed after power-on.
struct Settings {
    board: Board,
    seed: u64,
    arm: ArmSide,
    peer: Peer,
}

/// What stands ready at power-on.
enum Started {
    Firmware(Booted),
    Model(Box<VideoCore>),
}

impl Settings {
    /// What the boot ROM and bootcode.bin leave in RAM, and who begins.
    fn boot(&self, card: &Card, ram: &mut Ram) -> Result<Started, BootError> {
        match self.peer {
            Peer::Firmware => Ok(Started::Firmware(boot_rom::boot(card, &self.board, ram)?)),
            Peer::Model(fault) => {
                let model = model::start::start(card, &self.board, fault, self.seed, ram)?;
                Ok(Started::Model(Box::new(model)))
            }
        }
    }
}

/// In reset.
fn vpu_cores(board: &Board) -> [vpu::Core; 2] {
    [CoreId::Core0, CoreId::Core1].map(|id| vpu::Core::new(id, board.cpuid))
}

/// In reset.
fn arm_cores() -> [arm::Core; 4] {
    [0, 1, 2, 3].map(arm::Core::new)
}

impl Machine {
    /// Does what the boot ROM and bootcode.bin do, leaving VPU core 0 at the firmware's entry; with a model in place
    /// of the firmware, also what that does before it starts the Arm.
    ///
    /// # Errors
    /// What would keep a board from starting: an unreadable card, a missing or damaged file.
    pub fn power_on(config: Config) -> Result<Self, BootError> {
        let Config { board, seed, card, arm, peer, log } = config;
        let card = Card::from_image(card);
        let settings = Settings { board, seed, arm, peer };
        let mut ram = Ram::new();
        let started = settings.boot(&card, &mut ram)?;
        let mut system = System::new(&board, card.into_image(), seed, log);
        system.ram = ram;
        let mut machine = Self {
            config: settings,
            system,
            vpu: vpu_cores(&board),
            arm: arm_cores(),
            vpu_clock: CycleClock::new(board.vpu_hz),
            vpu_cycle: [0; 2],
            arm_cycle: [0; 4],
            arm_wakeup: Default::default(),
            now_ps: 0,
            schedule: Schedule::new(seed),
            arm_released: false,
            arm_running: false,
            stopped: None,
            start_file: String::new(),
            model: None,
            retired_before: Retired::default(),
        };
        machine.begin(started);
        Ok(machine)
    }

    /// Lets VideoCore begin.
    fn begin(&mut self, started: Started) {
        match started {
            Started::Firmware(booted) => {
                self.start_file = booted.start_file;
                self.start_vpu(0, booted.entry);
            }
            Started::Model(model) => self.start_model(model),
        }
    }

    /// Instructions by core since power-on.
    fn retired(&self) -> Retired {
        let before = self.retired_before;
        Retired {
            vpu: [0, 1].map(|core| before.vpu[core] + self.vpu[core].retired()),
            arm: [0, 1, 2, 3].map(|core| before.arm[core] + self.arm[core].retired()),
        }
    }

    /// The board.
    pub fn board(&self) -> &Board {
        &self.config.board
    }

    /// Name of the start file that the boot chose; empty with the model.
    pub fn start_file(&self) -> &str {
        &self.start_file
    }

    /// Virtual time since power-on.
    pub fn now_ns(&self) -> u64 {
        self.now_ps / 1000
    }

    /// Instructions and cycles so far.
    pub fn counters(&self) -> Counters {
        Counters {
            arm_instructions: self.system.arm_retired,
            arm_cycles: self.system.arm_clock.cycles_at(self.now_ps),
            vpu_instructions: self.system.vpu_retired,
        }
    }

    /// Bytes that the UARTs have sent since the last call.
    pub fn take_uart(&mut self) -> Vec<UartByte> {
        self.system.requests.uart_sent = false;
        std::mem::take(&mut self.system.uart)
    }

    /// Events noted since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.system.events)
    }

    /// What the run came to.
    pub fn summary(&mut self) -> Summary {
        let retired = self.retired();
        let soc = &mut self.system.soc;
        let used: Vec<_> = soc.plain().unmodelled().map(|(address, usage)| (address, *usage)).collect();
        let unmodelled = used
            .into_iter()
            .map(|(address, usage)| Unmodelled {
                address,
                register: soc.register_name(address),
                reads: usage.reads,
                writes: usage.writes,
                first_by: usage.first_by.name(),
                first_pc: usage.first_pc,
            })
            .collect();
        Summary {
            now_ns: self.now_ns(),
            counters: self.counters(),
            vpu_instructions: retired.vpu,
            arm_instructions: retired.arm,
            unmodelled,
        }
    }

    /// The SDRAM.
    pub fn ram(&self) -> &Ram {
        &self.system.ram
    }
    /// The SDRAM.
    pub fn ram_mut(&mut self) -> &mut Ram {
        &mut self.system.ram
    }

    /// A VPU core, for tools that look at it.
    pub fn vpu_core(&self, index: usize) -> Option<&vpu::Core> {
        self.vpu.get(index)
    }
    /// An Arm core, for tools that look at it.
    pub fn arm_core(&self, index: usize) -> Option<&arm::Core> {
        self.arm.get(index)
    }

    /// True once the firmware has powered the Arm.
    pub fn arm_released(&self) -> bool {
        self.arm_released
    }

    /// Loads a word as the Arm would, from RAM or a register. `None` if nothing answers.
    pub fn arm_read32(&mut self, physical: u32) -> Option<u32> {
        if u64::from(physical) < self.system.arm_ram_end {
            return Some(self.system.ram.read32(physical));
        }
        let address = self.system.soc.arm_bus_address(u64::from(physical))?;
        let origin = self.enter_from_outside();
        let value = self.system.soc.read(&mut self.system.ram, address & !3, origin);
        self.system.collect_effects(origin, 0);
        Some(value)
    }

    /// Stores a word as the Arm would, into RAM or a register. `None` if nothing answers. The other processors
    /// see it in the next `run`.
    pub fn arm_write32(&mut self, physical: u32, value: u32) -> Option<()> {
        if u64::from(physical) < self.system.arm_ram_end {
            self.system.ram.write32(physical, value);
            return Some(());
        }
        let address = self.system.soc.arm_bus_address(u64::from(physical))?;
        let origin = self.enter_from_outside();
        self.system.soc.write(&mut self.system.ram, address & !3, value, origin);
        self.system.collect_effects(origin, 0);
        Some(())
    }

    fn enter_from_outside(&mut self) -> crate::soc::bcm2837::Origin {
        self.system.running = self.outside(Initiator::External);
        self.origin(Initiator::External)
    }

    /// Level of doorbell 0, the line by which VideoCore interrupts the Arm.
    pub fn arm_interrupt(&self) -> bool {
        self.system.soc.bell_0()
    }
}

#[cfg(test)]
mod tests;
