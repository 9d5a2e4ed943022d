//! What the drivers and the harness see of this machine.

use harness::Board;
use harness::banner::Banner;
use harness::board::{Host, Identity, LastReset, Parts};
use harness::histogram::Samples;
use vchiq_mbox::platform::{Clock, Moment, Platform};
use vchiq_mbox::regs::{DoorbellRinger, MailboxDevice};
use vchiq_mbox::slot::RawWindow;

use crate::arch::{barrier, counters, identity};
use crate::platform::{self, LendableMemory};
use crate::soc::Soc;
use crate::{interrupts, serial, watchdog};

/// CNTPCT and PMCCNTR.
pub(crate) struct Counters;

/// Barriers, doorbells and both counters.
pub(crate) struct Link {
    bell: DoorbellRinger,
}

/// Records by defmt, the hardware watchdog, the interrupt count.
pub(crate) struct Console;

/// All of it.
pub(crate) struct Hardware {
    clock: Counters,
    platform: Link,
    mailbox: MailboxDevice,
    slots: RawWindow,
    property: RawWindow,
    lendable: LendableMemory,
    host: Console,
    black_box: Option<RawWindow>,
    last_reset: LastReset,
    samples: &'static mut Samples,
}

impl Hardware {
    /// The machine; `None` when it was taken before.
    pub(crate) fn take() -> Option<Self> {
        let samples = platform::samples()?;
        Some(Self {
            clock: Counters,
            platform: Link { bell: platform::doorbell_ringer() },
            mailbox: platform::mailbox(),
            slots: platform::slot_window(),
            property: platform::property_window(),
            lendable: LendableMemory::new(),
            host: Console,
            black_box: None,
            last_reset: LastReset::Unknown,
            samples,
        })
    }

    /// The watchdog runs: from now on a run can go on after a reset. `last_reset` is why the board started.
    pub(crate) fn keep_black_box(&mut self, last_reset: LastReset) {
        self.black_box = Some(platform::black_box_window());
        self.last_reset = last_reset;
    }
}

/// The commit the image was built from, handed in by `cargo xtask build`.
pub(crate) const GIT: &str = match option_env!("IMAGE_GIT") {
    Some(git) => git,
    None => "unknown",
};

/// The profile the image was built with.
const PROFILE: &str = match option_env!("IMAGE_PROFILE") {
    Some(profile) => profile,
    None => "unknown",
};

impl Board for Hardware {
    type Clock = Counters;
    type Platform = Link;
    type Mailbox = MailboxDevice;
    type Window = RawWindow;
    type Lendable = LendableMemory;
    type Host = Console;

    fn parts(&mut self) -> Parts<'_, Self> {
        let soc = match identity::soc() {
            Soc::Bcm2837 => "BCM2837",
            Soc::Bcm2711 => "BCM2711",
        };
        Parts {
            identity: Identity {
                git: GIT,
                profile: PROFILE,
                build: platform::build_id(),
                core: identity::core(),
                soc,
                midr: identity::midr(),
                entry_el: platform::entry_level(),
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
            samples: self.samples,
        }
    }
}

impl Clock for Counters {
    fn ticks(&self) -> u64 {
        counters::ticks()
    }

    fn tick_rate(&self) -> u32 {
        counters::tick_rate()
    }

    fn cycles(&self) -> u64 {
        counters::cycles()
    }
}

impl Clock for Link {
    fn ticks(&self) -> u64 {
        counters::ticks()
    }

    fn tick_rate(&self) -> u32 {
        counters::tick_rate()
    }

    fn cycles(&self) -> u64 {
        counters::cycles()
    }
}

impl Platform for Link {
    fn write_barrier(&self) {
        barrier::order_stores();
    }

    fn read_barrier(&self) {
        barrier::order_loads();
    }

    fn full_barrier(&self) {
        barrier::complete_all();
    }

    fn ring_doorbell(&mut self) {
        // Non-cacheable stores may still be on their way: VideoCore must find them when it looks.
        barrier::complete_all();
        self.bell.ring();
    }

    /// Polls what the interrupt handler leaves, awake: a sleeping core's cycle counter stands still.
    fn wait_for_doorbell(&mut self, deadline: u64) {
        while !interrupts::take_ring() && counters::ticks() < deadline {
            barrier::relax();
        }
        // The handler read BELL0; what it announced must not have been loaded before (hardware fact sheet 6).
        barrier::order_loads();
    }

    fn take_doorbell_stamp(&mut self) -> Option<Moment> {
        interrupts::take_stamp()
    }
}

impl Host for Console {
    fn emit(&mut self, frame: &[u8]) {
        defmt::println!("@record {=[u8]}", frame);
    }

    fn announce(&mut self) {
        serial::text(format_args!("{}", Banner { build: platform::build_id(), git: GIT }));
    }

    fn progress(&mut self) {
        watchdog::kick();
    }

    fn doorbell_interrupts(&self) -> u32 {
        interrupts::doorbells()
    }
}
