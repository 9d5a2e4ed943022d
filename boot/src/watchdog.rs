//! The hardware watchdog: resets the whole SoC when the run makes no progress.

use core::sync::atomic::{AtomicBool, Ordering};

use harness::LastReset;
use tock_registers::interfaces::{ReadWriteable, Readable, Writeable};

use crate::arch::barrier;
use crate::platform;
use crate::regs::power::{RESET_CONTROL, WATCHDOG};

/// Longest stretch without progress, in seconds. No step of the suite has a longer deadline, and the counter's
/// 20 bits end at 16.
pub(crate) const SECONDS: u32 = 15;

const TICKS_PER_SECOND: u32 = 65536;
/// Long enough to leave this function, short enough that nobody notices.
const SOON_TICKS: u32 = 10;
/// Boot partition 63, spread over the even bits of the reset status: the firmware's boot code reads it as "halt".
const HALT_PARTITION: u32 = 0x555;
const STATUS_PASSWORD: u32 = 0x5a << 24;
const PARTITION_MASK: u32 = 0xfff;
/// Reset status: power-on, and a full reset by the watchdog. Both lie between the bits of the partition.
const HAD_POWER_ON_RESET: u32 = 1 << 12;
const HAD_WATCHDOG_FULL_RESET: u32 = 1 << 5;

static ARMED: AtomicBool = AtomicBool::new(false);

/// Starts the watchdog. Not for QEMU, which resets the machine as soon as it is armed.
pub(crate) fn arm() {
    ARMED.store(true, Ordering::Relaxed);
    start(SECONDS * TICKS_PER_SECOND);
}

/// The run got further.
pub(crate) fn kick() {
    if ARMED.load(Ordering::Relaxed) {
        start(SECONDS * TICKS_PER_SECOND);
    }
}

/// Stops the watchdog: the run is over, and its last line is to stay on the screen.
pub(crate) fn disarm() {
    ARMED.store(false, Ordering::Relaxed);
    platform::power().reset_control.modify(RESET_CONTROL::PASSWORD::Key + RESET_CONTROL::ON_EXPIRY::Nothing);
}

/// Why the last reset happened, raw.
pub(crate) fn reset_status() -> u32 {
    platform::power().reset_status.get()
}

/// The cause by this status. A firmware that has read it first leaves nothing (raspberrypi/linux#932).
pub(crate) fn last_reset(status: u32) -> LastReset {
    if status & HAD_WATCHDOG_FULL_RESET != 0 {
        LastReset::Watchdog
    } else if status & HAD_POWER_ON_RESET != 0 {
        LastReset::PowerOn
    } else {
        LastReset::Unknown
    }
}

/// Restarts the board from the partition it was started from: the reset status, which names it, is not touched.
pub(crate) fn restart() -> ! {
    // The black box must be in memory before.
    barrier::complete_all();
    start(SOON_TICKS);
    barrier::park()
}

/// Halts the board: a reset after which the boot code finds the halt partition and stops.
pub(crate) fn power_down() -> ! {
    let power = platform::power();
    let status = power.reset_status.get() & PARTITION_MASK;
    power.reset_status.set(STATUS_PASSWORD | status | HALT_PARTITION);
    start(SOON_TICKS);
    barrier::park()
}

fn start(ticks: u32) {
    let power = platform::power();
    power.watchdog.write(WATCHDOG::PASSWORD::Key + WATCHDOG::TIME.val(ticks));
    power.reset_control.modify(RESET_CONTROL::PASSWORD::Key + RESET_CONTROL::ON_EXPIRY::FullReset);
}
