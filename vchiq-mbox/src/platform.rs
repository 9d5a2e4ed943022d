//! What a board gives to the drivers, and all they know of it.
//!
//! `boot` implements these traits with hardware, `tests/native` with the RAM and the registers of an emulated
//! machine in the same process. No driver in this crate holds an address of its own.

/// An address as VideoCore's bus masters see it, alias bits (31:30) included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BusAddress(pub u32);

impl BusAddress {
    /// The alias that goes straight to SDRAM, past both VideoCore caches (hardware fact sheet 7).
    pub const UNCACHED_ALIAS: u32 = 0xc000_0000;

    /// The uncached alias of a physical address below 1 GiB; `None` above.
    pub const fn uncached(physical: u32) -> Option<Self> {
        if physical < 0x4000_0000 { Some(Self(physical | Self::UNCACHED_ALIAS)) } else { None }
    }

    /// The physical address under the alias.
    pub const fn physical(self) -> u32 {
        self.0 & 0x3fff_ffff
    }
}

/// A stretch of memory that VideoCore reads and writes as well.
///
/// Every access is a single 32-bit load or store that the compiler neither merges nor repeats; nothing read
/// from it is trusted. Offsets are in bytes and word-aligned. An offset outside the window is a bug of the
/// caller: implementations return 0 from a load, drop a store, and assert in debug builds.
pub trait Window {
    /// Length in bytes.
    fn len(&self) -> usize;
    /// True for a window of no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Where VideoCore finds the first byte.
    fn bus_address(&self) -> BusAddress;
    /// Loads the word at `offset`.
    fn load(&self, offset: usize) -> u32;
    /// Stores the word at `offset`.
    fn store(&self, offset: usize, value: u32);
}

/// One moment on both clocks of a measurement.
///
/// The cycle counter is fine but stands still while the core sleeps; the tick counter is coarse but never
/// stops. With both a measurement can tell that the core slept in between.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Moment {
    /// [`Clock::ticks`].
    pub ticks: u64,
    /// [`Clock::cycles`].
    pub cycles: u64,
}

/// The two clocks of a measurement.
pub trait Clock {
    /// The constant-rate counter (CNTPCT on a board): never stops, never changes rate.
    fn ticks(&self) -> u64;
    /// Rate of [`Clock::ticks`] in Hz.
    fn tick_rate(&self) -> u32;
    /// The CPU cycle counter (PMCCNTR on a board): the core clock, stopped while the core sleeps.
    fn cycles(&self) -> u64;
    /// Both counters, the cycles last: a bracket that starts here holds no tick read.
    fn now(&self) -> Moment {
        let ticks = self.ticks();
        Moment { ticks, cycles: self.cycles() }
    }
}

/// The property mailbox's registers (hardware fact sheet 2).
pub trait MailboxRegisters {
    /// Mailbox 0 (VideoCore to Arm) holds a word.
    fn can_read(&self) -> bool;
    /// Takes one word from mailbox 0.
    fn read(&mut self) -> u32;
    /// Mailbox 1 (Arm to VideoCore) has room.
    fn can_write(&self) -> bool;
    /// Puts one word into mailbox 1.
    fn write(&mut self, word: u32);
}

/// What VCHIQ needs of a board besides its window.
pub trait Platform: Clock {
    /// All stores before it are visible to VideoCore before any store after it (`dmb oshst`).
    fn write_barrier(&self);
    /// All loads before it are satisfied before any load or store after it (`dmb oshld`).
    fn read_barrier(&self);
    /// Everything before it has completed (`dsb sy`).
    fn full_barrier(&self);
    /// Writes BELL2: VideoCore's interrupt.
    fn ring_doorbell(&mut self);
    /// Lets time pass until BELL0 may have rung or `deadline` (in [`Clock::ticks`]) has passed; may return
    /// early for no reason. The caller re-checks what it waits for.
    fn wait_for_doorbell(&mut self, deadline: u64);
    /// [`Clock::now`] at entry of the last doorbell interrupt, if one came since the last call.
    fn take_doorbell_stamp(&mut self) -> Option<Moment>;
}

impl<T: Clock + ?Sized> Clock for &T {
    fn ticks(&self) -> u64 {
        (**self).ticks()
    }
    fn tick_rate(&self) -> u32 {
        (**self).tick_rate()
    }
    fn cycles(&self) -> u64 {
        (**self).cycles()
    }
}

impl<T: Clock + ?Sized> Clock for &mut T {
    fn ticks(&self) -> u64 {
        (**self).ticks()
    }
    fn tick_rate(&self) -> u32 {
        (**self).tick_rate()
    }
    fn cycles(&self) -> u64 {
        (**self).cycles()
    }
}

impl<T: Window + ?Sized> Window for &T {
    fn len(&self) -> usize {
        (**self).len()
    }
    fn bus_address(&self) -> BusAddress {
        (**self).bus_address()
    }
    fn load(&self, offset: usize) -> u32 {
        (**self).load(offset)
    }
    fn store(&self, offset: usize, value: u32) {
        (**self).store(offset, value);
    }
}

impl<T: MailboxRegisters + ?Sized> MailboxRegisters for &mut T {
    fn can_read(&self) -> bool {
        (**self).can_read()
    }
    fn read(&mut self) -> u32 {
        (**self).read()
    }
    fn can_write(&self) -> bool {
        (**self).can_write()
    }
    fn write(&mut self, word: u32) {
        (**self).write(word);
    }
}

impl<T: Platform + ?Sized> Platform for &mut T {
    fn write_barrier(&self) {
        (**self).write_barrier();
    }
    fn read_barrier(&self) {
        (**self).read_barrier();
    }
    fn full_barrier(&self) {
        (**self).full_barrier();
    }
    fn ring_doorbell(&mut self) {
        (**self).ring_doorbell();
    }
    fn wait_for_doorbell(&mut self, deadline: u64) {
        (**self).wait_for_doorbell(deadline);
    }
    fn take_doorbell_stamp(&mut self) -> Option<Moment> {
        (**self).take_doorbell_stamp()
    }
}
