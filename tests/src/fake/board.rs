//! The fake board, as drivers and harness see it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use harness::{
    Board, Host, Identity, LastReset, Lendable, Parts,
    banner::BuildId,
    board::{BLACK_BOX_BYTES, LENDABLE_BYTES, PROPERTY_WINDOW_BYTES, SLOT_WINDOW_BYTES},
    histogram::Samples,
    record::Core,
};
use vchiq_mbox::platform::{BusAddress, Clock, MailboxRegisters, Moment, Platform, Window};

use super::{
    behaviour::Behaviour,
    memory::{BASE, Memory},
    property,
    services::Smem,
    videocore::VideoCore,
};

/// Rate of the cycle counter in Hz.
pub const ARM_HZ: u32 = 1_200_000_000;
/// Rate of the tick counter in Hz.
pub const TICK_HZ: u32 = 19_200_000;

/// A look at a clock takes so many cycles.
const CYCLES_PER_LOOK: u64 = 10;
/// VideoCore takes so many cycles to answer a bell.
const CYCLES_PER_ANSWER: u64 = 60_000;
/// An idle wait lasts so many cycles: a tenth of a millisecond.
const CYCLES_PER_WAIT: u64 = 120_000;

/// All that changes, shared by the parts.
struct World {
    memory: Memory,
    behaviour: Behaviour,
    cycles: Cell<u64>,
    resets: Cell<u32>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    videocore: Option<VideoCore>,
    smem: Smem,
    replies: VecDeque<u32>,
    bell: bool,
    stamp: Option<Moment>,
    interrupts: u32,
    frames: Vec<Vec<u8>>,
    /// The board stands once so many frames are out.
    stops_after: Option<usize>,
    progress: u32,
}

impl World {
    fn now(&self) -> Moment {
        let cycles = self.cycles.get() + CYCLES_PER_LOOK;
        self.cycles.set(cycles);
        Moment { ticks: ticks_of(cycles), cycles }
    }

    fn pass(&self, cycles: u64) {
        self.cycles.set(self.cycles.get() + cycles);
    }

    fn answers_property(&self) -> bool {
        let Behaviour { mailbox, mute_after_reset, .. } = self.behaviour;
        mailbox && !(mute_after_reset && self.resets.get() > 0)
    }

    /// VideoCore hears its bell.
    fn videocore_works(&self) {
        self.pass(CYCLES_PER_ANSWER);
        if self.memory.is_frozen() {
            return;
        }
        let mut state = self.state.borrow_mut();
        let State { videocore: Some(videocore), smem, .. } = &mut *state else { return };
        if videocore.work(&self.memory, &self.behaviour, smem) {
            state.bell = true;
            state.interrupts += 1;
            state.stamp = Some(self.now());
        }
    }
}

fn ticks_of(cycles: u64) -> u64 {
    (u128::from(cycles) * u128::from(TICK_HZ) / u128::from(ARM_HZ)) as u64
}

/// The board.
pub struct FakeBoard {
    world: Rc<World>,
    clock: FakeClock,
    platform: FakePlatform,
    mailbox: FakeMailbox,
    slots: FakeWindow,
    property: FakeWindow,
    lendable: FakeLendable,
    host: FakeHost,
    /// Behind the memory to lend.
    black_box: Option<FakeWindow>,
    last_reset: LastReset,
    samples: Box<Samples>,
}

impl FakeBoard {
    /// A board whose VideoCore follows the script.
    pub fn new(behaviour: Behaviour) -> Self {
        let slots = BASE;
        let property = slots + SLOT_WINDOW_BYTES as u32;
        let lendable = property + PROPERTY_WINDOW_BYTES as u32;
        let bytes = SLOT_WINDOW_BYTES + PROPERTY_WINDOW_BYTES + LENDABLE_BYTES + BLACK_BOX_BYTES;
        let world = Rc::new(World {
            memory: Memory::new(bytes),
            behaviour,
            cycles: Cell::new(0),
            resets: Cell::new(0),
            state: RefCell::new(State::default()),
        });
        let window = |start, length| FakeWindow { world: Rc::clone(&world), start, length };
        Self {
            clock: FakeClock(Rc::clone(&world)),
            platform: FakePlatform(Rc::clone(&world)),
            mailbox: FakeMailbox(Rc::clone(&world)),
            slots: window(slots, SLOT_WINDOW_BYTES),
            property: window(property, PROPERTY_WINDOW_BYTES),
            lendable: FakeLendable(window(lendable, LENDABLE_BYTES)),
            host: FakeHost(Rc::clone(&world)),
            black_box: None,
            last_reset: LastReset::PowerOn,
            samples: Box::default(),
            world,
        }
    }

    /// The board with memory that survives a reset, and the means to do one.
    pub fn with_black_box(mut self) -> Self {
        let start = self.lendable.0.start + LENDABLE_BYTES as u32;
        self.black_box = Some(FakeWindow { world: Rc::clone(&self.world), start, length: BLACK_BOX_BYTES });
        self
    }

    /// The board stands once so many frames are out: what the image does from then on leaves no trace.
    pub fn stop_after(&mut self, frames: usize) {
        self.world.state.borrow_mut().stops_after = Some(frames);
    }

    /// Resets the board: the firmware begins again, memory keeps what it holds.
    pub fn reset(&mut self, last_reset: LastReset) {
        self.last_reset = last_reset;
        self.world.resets.set(self.world.resets.get() + 1);
        self.world.memory.freeze(false);
        // The image zeroes it at its start: no reply is due to a request from before.
        (0..PROPERTY_WINDOW_BYTES).step_by(4).for_each(|offset| self.property.store(offset, 0));
        let mut state = self.world.state.borrow_mut();
        let State { frames, progress, interrupts, .. } = std::mem::take(&mut *state);
        *state = State { frames, progress, interrupts, ..State::default() };
    }

    /// The frames emitted so far.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        self.world.state.borrow().frames.clone()
    }

    /// Times the watchdog was kicked.
    pub fn kicks(&self) -> u32 {
        self.world.state.borrow().progress
    }

    /// Virtual seconds since power-on.
    pub fn seconds(&self) -> u64 {
        self.world.cycles.get() / u64::from(ARM_HZ)
    }

    /// Milliseconds that have passed on the board.
    pub fn milliseconds(&self) -> u64 {
        self.world.cycles.get() / u64::from(ARM_HZ / 1000)
    }
}

impl Board for FakeBoard {
    type Clock = FakeClock;
    type Platform = FakePlatform;
    type Mailbox = FakeMailbox;
    type Window = FakeWindow;
    type Lendable = FakeLendable;
    type Host = FakeHost;

    fn parts(&mut self) -> Parts<'_, Self> {
        Parts {
            identity: Identity {
                git: "unknown",
                profile: "test",
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
            black_box: self.black_box.as_ref(),
            last_reset: self.last_reset,
            samples: &mut self.samples,
        }
    }
}

/// Both counters.
pub struct FakeClock(Rc<World>);

impl Clock for FakeClock {
    fn ticks(&self) -> u64 {
        self.0.now().ticks
    }
    fn tick_rate(&self) -> u32 {
        TICK_HZ
    }
    fn cycles(&self) -> u64 {
        self.0.now().cycles
    }
}

/// Barriers and doorbells.
pub struct FakePlatform(Rc<World>);

impl Clock for FakePlatform {
    fn ticks(&self) -> u64 {
        self.0.now().ticks
    }
    fn tick_rate(&self) -> u32 {
        TICK_HZ
    }
    fn cycles(&self) -> u64 {
        self.0.now().cycles
    }
}

impl Platform for FakePlatform {
    fn write_barrier(&self) {}
    fn read_barrier(&self) {}
    fn full_barrier(&self) {}
    fn ring_doorbell(&mut self) {
        self.0.videocore_works();
    }
    fn wait_for_doorbell(&mut self, deadline: u64) {
        let rang = std::mem::take(&mut self.0.state.borrow_mut().bell);
        if !rang && self.0.now().ticks < deadline {
            self.0.pass(CYCLES_PER_WAIT);
        }
    }
    fn take_doorbell_stamp(&mut self) -> Option<Moment> {
        self.0.state.borrow_mut().stamp.take()
    }
}

/// The property mailbox.
pub struct FakeMailbox(Rc<World>);

impl MailboxRegisters for FakeMailbox {
    fn can_read(&self) -> bool {
        !self.0.state.borrow().replies.is_empty()
    }
    fn read(&mut self) -> u32 {
        self.0.state.borrow_mut().replies.pop_front().unwrap_or(0)
    }
    fn can_write(&self) -> bool {
        true
    }
    fn write(&mut self, word: u32) {
        if word & 0xf != 8 || self.0.memory.is_frozen() {
            return;
        }
        if self.0.behaviour.wedges_at == Some(self.0.memory.load((word & !0xf) + 8)) {
            let mut state = self.0.state.borrow_mut();
            state.stops_after = Some(state.frames.len());
            self.0.memory.freeze(true);
            return;
        }
        if !self.0.answers_property() {
            return;
        }
        self.0.pass(CYCLES_PER_ANSWER);
        let World { memory, behaviour, state, .. } = &*self.0;
        let mut state = state.borrow_mut();
        if let Some(base) = property::answer(memory, word & !0xf, behaviour, &mut state.smem) {
            state.videocore = VideoCore::start(base, memory, behaviour);
        }
        state.replies.push_back(word);
        drop(state);
        self.0.videocore_works();
    }
}

/// A stretch of the RAM.
pub struct FakeWindow {
    world: Rc<World>,
    start: u32,
    length: usize,
}

impl Window for FakeWindow {
    fn len(&self) -> usize {
        self.length
    }
    fn bus_address(&self) -> BusAddress {
        BusAddress(self.start | BusAddress::UNCACHED_ALIAS)
    }
    fn load(&self, offset: usize) -> u32 {
        assert!(offset < self.length, "load at {offset:#x} of {:#x}", self.length);
        self.world.memory.load(self.start + offset as u32)
    }
    fn store(&self, offset: usize, value: u32) {
        assert!(offset < self.length, "store at {offset:#x} of {:#x}", self.length);
        self.world.memory.store(self.start + offset as u32, value);
    }
}

/// Memory to lend; nothing here has a cache.
pub struct FakeLendable(FakeWindow);

impl Window for FakeLendable {
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

impl Lendable for FakeLendable {
    fn clean(&self, offset: usize, length: usize) {
        assert!(offset.is_multiple_of(64) && length.is_multiple_of(64), "{offset:#x} + {length:#x}");
    }
    fn invalidate(&self, offset: usize, length: usize) {
        assert!(offset.is_multiple_of(64) && length.is_multiple_of(64), "{offset:#x} + {length:#x}");
    }
}

/// Keeps what is emitted.
pub struct FakeHost(Rc<World>);

impl Host for FakeHost {
    fn emit(&mut self, frame: &[u8]) {
        let mut state = self.0.state.borrow_mut();
        let stands = |state: &State| state.stops_after.is_some_and(|frames| state.frames.len() >= frames);
        if !stands(&state) {
            state.frames.push(frame.to_vec());
        }
        self.0.memory.freeze(stands(&state));
    }
    fn announce(&mut self) {}
    fn progress(&mut self) {
        self.0.state.borrow_mut().progress += 1;
    }
    fn doorbell_interrupts(&self) -> u32 {
        self.0.state.borrow().interrupts
    }
}
