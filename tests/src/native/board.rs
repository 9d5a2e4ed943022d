//! An emulated machine as the drivers and the harness see it from the PC.
//!
//! Nothing of ours takes virtual time by itself. A look at a clock or at a register therefore lets a little pass,
//! as on a processor; otherwise a loop that waits for a deadline would wait for ever.

use std::{cell::RefCell, rc::Rc};

use emulator::{
    board::Board as BoardModel,
    firmware_log::Ring,
    machine::{ArmSide, Config, EventLevel, Limit, Machine, Peer, Stop},
};
use harness::{
    Board, Host, Identity, LastReset, Lendable,
    banner::BuildId,
    board::{LENDABLE_BYTES, PROPERTY_WINDOW_BYTES, SLOT_WINDOW_BYTES},
    histogram::Samples,
    record::Core,
    report::Counters,
};
use vchiq_mbox::platform::{BusAddress, Clock, MailboxRegisters, Moment, Platform, Window};

/// Where our memory starts: in the Arm's part, clear of what the firmware loads for the Arm.
const MEMORY_START: u32 = 0x0400_0000;
/// A look at a clock or a register takes so long, in nanoseconds.
const LOOK_NS: u64 = 50;
/// A wait for the doorbell looks so often, in nanoseconds.
const WAIT_NS: u64 = 500;

/// Registers as the Arm sees them (hardware fact sheet 2 and 3).
mod register {
    pub(super) const BELL_0: u32 = 0x3f00_b840;
    pub(super) const BELL_2: u32 = 0x3f00_b848;
    pub(super) const MAILBOX_0_READ: u32 = 0x3f00_b880;
    pub(super) const MAILBOX_0_STATUS: u32 = 0x3f00_b898;
    pub(super) const MAILBOX_1_WRITE: u32 = 0x3f00_b8a0;
    pub(super) const MAILBOX_1_STATUS: u32 = 0x3f00_b8b8;
    pub(super) const EMPTY: u32 = 1 << 30;
    pub(super) const FULL: u32 = 1 << 31;
}

/// Why the machine did not get as far as releasing the Arm.
#[derive(Debug)]
pub enum StartFault {
    /// The card would not boot a board.
    Card(emulator::boot_rom::BootError),
    /// The machine stopped, or ran out of virtual time, before.
    Stopped(Stop),
}

impl std::fmt::Display for StartFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Card(error) => write!(f, "{error}"),
            Self::Stopped(stop) => write!(f, "the Arm was not released: {stop:?}"),
        }
    }
}

impl std::error::Error for StartFault {}

/// The machine and what its interrupts left.
struct World {
    machine: RefCell<Machine>,
    bell: RefCell<Bell>,
    frames: RefCell<Vec<(Vec<u8>, Counters)>>,
}

#[derive(Default)]
struct Bell {
    rang: bool,
    stamp: Option<Moment>,
    interrupts: u32,
}

impl World {
    /// Lets virtual time pass, then does what an interrupt handler would.
    ///
    /// # Panics
    /// If the machine stops: nothing after that would mean anything.
    fn pass(&self, ns: u64) {
        let mut machine = self.machine.borrow_mut();
        let stop = machine.run_for(ns);
        assert_eq!(stop, Stop::Limit, "the machine stopped at {} ns", machine.now_ns());
        if !machine.arm_interrupt() {
            return;
        }
        let moment = moment_of(&machine);
        machine.arm_read32(register::BELL_0).expect("BELL0 answers");
        let mut bell = self.bell.borrow_mut();
        bell.rang = true;
        bell.interrupts += 1;
        bell.stamp = Some(moment);
    }

    fn now(&self) -> Moment {
        self.pass(LOOK_NS);
        moment_of(&self.machine.borrow())
    }

    fn read(&self, address: u32) -> u32 {
        self.pass(LOOK_NS);
        self.machine.borrow_mut().arm_read32(address).expect("a register that answers")
    }

    fn write(&self, address: u32, value: u32) {
        self.machine.borrow_mut().arm_write32(address, value).expect("a register that answers");
        self.pass(LOOK_NS);
    }
}

/// Virtual time as both counters of a core that never sleeps.
fn moment_of(machine: &Machine) -> Moment {
    let ns = u128::from(machine.now_ns());
    let scale = |hz: u64| (ns * u128::from(hz) / 1_000_000_000) as u64;
    Moment { ticks: scale(machine.board().counter_hz), cycles: scale(machine.board().arm_hz) }
}

/// The board.
pub struct NativeBoard {
    world: Rc<World>,
    clock: NativeClock,
    platform: NativePlatform,
    mailbox: NativeMailbox,
    slots: NativeWindow,
    property: NativeWindow,
    lendable: NativeLendable,
    host: NativeHost,
    samples: Box<Samples>,
}

impl NativeBoard {
    /// Powers a machine on and waits until its firmware has released the Arm, at most `limit_ns` of virtual time.
    ///
    /// # Errors
    /// [`StartFault`].
    pub fn start(model: BoardModel, card: Vec<u8>, limit_ns: u64) -> Result<Self, StartFault> {
        let config = Config {
            board: model,
            seed: 0,
            card,
            arm: ArmSide::External,
            peer: Peer::Firmware,
            log: EventLevel::Off,
        };
        let mut machine = Machine::power_on(config).map_err(StartFault::Card)?;
        while !machine.arm_released() {
            let until_ns = machine.now_ns() + 1_000_000;
            let stop = machine.run(Limit { until_ns: Some(until_ns), ..Limit::default() });
            if stop != Stop::Limit || until_ns > limit_ns {
                return Err(StartFault::Stopped(stop));
            }
        }
        Ok(Self::around(machine))
    }

    fn around(machine: Machine) -> Self {
        let world = Rc::new(World {
            machine: RefCell::new(machine),
            bell: RefCell::default(),
            frames: RefCell::default(),
        });
        let window = |start, length| NativeWindow { world: Rc::clone(&world), start, length };
        let property = MEMORY_START + SLOT_WINDOW_BYTES as u32;
        let lendable = property + PROPERTY_WINDOW_BYTES as u32;
        Self {
            clock: NativeClock(Rc::clone(&world)),
            platform: NativePlatform(Rc::clone(&world)),
            mailbox: NativeMailbox(Rc::clone(&world)),
            slots: window(MEMORY_START, SLOT_WINDOW_BYTES),
            property: window(property, PROPERTY_WINDOW_BYTES),
            lendable: NativeLendable(window(lendable, LENDABLE_BYTES)),
            host: NativeHost(Rc::clone(&world)),
            samples: Box::default(),
            world,
        }
    }

    /// The frames emitted so far, each with what the machine had counted.
    pub fn frames(&self) -> Vec<(Vec<u8>, Counters)> {
        self.world.frames.borrow().clone()
    }

    /// What the machine met that nobody models, for a failed test's message.
    pub fn summary(&self) -> String {
        format!("{:#?}", self.world.machine.borrow_mut().summary())
    }

    /// The parts that drivers need without the harness, and somebody to watch the machine meanwhile.
    pub fn taken_apart(&mut self) -> Parts<'_> {
        Parts {
            clock: &self.clock,
            platform: &mut self.platform,
            mailbox: &mut self.mailbox,
            slots: &self.slots,
            property: &self.property,
            lendable: &self.lendable,
            witness: Witness(Rc::clone(&self.world)),
        }
    }
}

/// A board, taken apart.
pub struct Parts<'a> {
    /// Both counters.
    pub clock: &'a NativeClock,
    /// What VCHIQ needs.
    pub platform: &'a mut NativePlatform,
    /// The property mailbox.
    pub mailbox: &'a mut NativeMailbox,
    /// Memory for the slots.
    pub slots: &'a NativeWindow,
    /// Memory for property messages.
    pub property: &'a NativeWindow,
    /// Memory to lend.
    pub lendable: &'a NativeLendable,
    /// The machine behind it.
    pub witness: Witness,
}

/// Sees what no driver can.
pub struct Witness(Rc<World>);

impl Witness {
    /// The firmware's own log, oldest line first.
    pub fn firmware_log(&self) -> Vec<String> {
        let machine = self.0.machine.borrow();
        let ring = Ring::find(machine.ram());
        ring.map_or_else(Vec::new, |ring| {
            ring.lines(machine.ram()).into_iter().map(|line| line.text).collect()
        })
    }

    /// Lets virtual time pass.
    pub fn pass(&self, ns: u64) {
        self.0.pass(ns);
    }

    /// What the machine met that nobody models.
    pub fn summary(&self) -> String {
        format!("{:#?}", self.0.machine.borrow_mut().summary())
    }
}

impl Board for NativeBoard {
    type Clock = NativeClock;
    type Platform = NativePlatform;
    type Mailbox = NativeMailbox;
    type Window = NativeWindow;
    type Lendable = NativeLendable;
    type Host = NativeHost;

    fn parts(&mut self) -> harness::Parts<'_, Self> {
        harness::Parts {
            identity: Identity {
                git: "unknown",
                profile: "native",
                build: BuildId::new([0; BuildId::BYTES]),
                core: Core::Emulated,
                soc: "BCM2837",
                midr: 0x410f_d034,
                entry_el: 2,
            },
            clock: &self.clock,
            platform: &mut self.platform,
            mailbox: &mut self.mailbox,
            slots: &self.slots,
            property: &self.property,
            lendable: &mut self.lendable,
            host: &mut self.host,
            // A machine that stops is the end of the test.
            black_box: None,
            last_reset: LastReset::Unknown,
            samples: &mut self.samples,
        }
    }
}

/// Gives a type that holds the world both counters.
macro_rules! clock {
    ($name:ident) => {
        impl Clock for $name {
            fn ticks(&self) -> u64 {
                self.0.now().ticks
            }
            fn tick_rate(&self) -> u32 {
                self.0.machine.borrow().board().counter_hz as u32
            }
            fn cycles(&self) -> u64 {
                self.0.now().cycles
            }
            fn now(&self) -> Moment {
                self.0.now()
            }
        }
    };
}

/// Both counters.
pub struct NativeClock(Rc<World>);

clock!(NativeClock);

/// Doorbells. Host memory is in order, so barriers do nothing.
pub struct NativePlatform(Rc<World>);

clock!(NativePlatform);

impl Platform for NativePlatform {
    fn write_barrier(&self) {}
    fn read_barrier(&self) {}
    fn full_barrier(&self) {}
    fn ring_doorbell(&mut self) {
        self.0.write(register::BELL_2, 0);
    }
    fn wait_for_doorbell(&mut self, deadline: u64) {
        while !std::mem::take(&mut self.0.bell.borrow_mut().rang) {
            self.0.pass(WAIT_NS);
            if self.0.now().ticks >= deadline {
                return;
            }
        }
    }
    fn take_doorbell_stamp(&mut self) -> Option<Moment> {
        self.0.bell.borrow_mut().stamp.take()
    }
}

/// The property mailbox.
pub struct NativeMailbox(Rc<World>);

impl MailboxRegisters for NativeMailbox {
    fn can_read(&self) -> bool {
        self.0.read(register::MAILBOX_0_STATUS) & register::EMPTY == 0
    }
    fn read(&mut self) -> u32 {
        self.0.read(register::MAILBOX_0_READ)
    }
    fn can_write(&self) -> bool {
        self.0.read(register::MAILBOX_1_STATUS) & register::FULL == 0
    }
    fn write(&mut self, word: u32) {
        self.0.write(register::MAILBOX_1_WRITE, word);
    }
}

/// A stretch of the machine's RAM.
pub struct NativeWindow {
    world: Rc<World>,
    start: u32,
    length: usize,
}

impl Window for NativeWindow {
    fn len(&self) -> usize {
        self.length
    }
    fn bus_address(&self) -> BusAddress {
        BusAddress(self.start | BusAddress::UNCACHED_ALIAS)
    }
    fn load(&self, offset: usize) -> u32 {
        assert!(offset < self.length, "load at {offset:#x} of {:#x}", self.length);
        self.world.machine.borrow().ram().read32(self.start + offset as u32)
    }
    fn store(&self, offset: usize, value: u32) {
        assert!(offset < self.length, "store at {offset:#x} of {:#x}", self.length);
        self.world.machine.borrow_mut().ram_mut().write32(self.start + offset as u32, value);
    }
}

/// Memory to lend; no cache is between it and us.
pub struct NativeLendable(NativeWindow);

impl Window for NativeLendable {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn bus_address(&self) -> BusAddress {
        self.0.bus_address()
    }
    fn load(&self, offset: usize) -> u32 {
        self.0.load(offset)
    }
    fn store(&self, offset: usize, value: u32) {
        self.0.store(offset, value);
    }
}

impl Lendable for NativeLendable {
    fn clean(&self, _: usize, _: usize) {}
    fn invalidate(&self, _: usize, _: usize) {}
}

/// Keeps what is emitted.
pub struct NativeHost(Rc<World>);

impl NativeHost {
    /// The firmware's own messages so far, oldest first; as many as its ring still has.
    pub fn firmware_log(&self) -> Vec<String> {
        let machine = self.0.machine.borrow();
        let ring = Ring::find(machine.ram());
        ring.map_or_else(Vec::new, |ring| ring.lines(machine.ram()))
            .into_iter()
            .map(|line| line.text)
            .collect()
    }
}

impl Host for NativeHost {
    fn emit(&mut self, frame: &[u8]) {
        let counters = self.0.machine.borrow().counters();
        let counters =
            Counters { arm_cycles: counters.arm_cycles, vpu_instructions: counters.vpu_instructions };
        self.0.frames.borrow_mut().push((frame.to_vec(), counters));
    }
    fn announce(&mut self) {}
    fn progress(&mut self) {}
    fn doorbell_interrupts(&self) -> u32 {
        self.0.bell.borrow().interrupts
    }
}
