//! How the image ends: a last line in plain text, then sleep or power down.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use harness::Verdict;

use crate::arch::barrier;
use crate::arch::exceptions::{self, Frame};
use crate::{interrupts, platform, serial, watchdog};

/// What to do after the last line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Sleep for good; the board stays as it is.
    Wait,
    /// Halt the board.
    PowerDown,
}

/// Something below has begun; a second exception must not begin it again.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Parks if the end has begun before: the serial line has said what could be said.
///
/// A plain load and store, because an exception may come before translation is on, when exclusive accesses need not
/// work. Nothing comes between the two: one core, interrupts masked.
fn begin() {
    exceptions::mask_interrupts();
    if BEGUN.load(Ordering::Relaxed) {
        barrier::park();
    }
    BEGUN.store(true, Ordering::Relaxed);
}

/// Ends the run: `harness: end, verdict NAME` is the last line, as log record and as text.
pub(crate) fn end(verdict: &str, after: After) -> ! {
    begin();
    interrupts::report_strays();
    last_line(verdict, after)
}

fn last_line(verdict: &str, after: After) -> ! {
    defmt::println!("harness: end, verdict {=str}", verdict);
    serial::text(format_args!("harness: end, verdict {verdict}"));
    serial::drain();
    match after {
        After::Wait => {
            watchdog::disarm();
            barrier::park()
        }
        After::PowerDown => watchdog::power_down(),
    }
}

/// Resets the board in mid-run. The line is not the last one of the run.
pub(crate) fn restart() -> ! {
    begin();
    interrupts::report_strays();
    serial::text(format_args!("harness: reset, to go on with fresh firmware"));
    serial::drain();
    watchdog::restart()
}

/// The last line after a fault, in text alone: the fault may have come in the middle of a log frame, and the logger
/// takes no second one.
fn failed() -> ! {
    platform::forget_run();
    serial::text(format_args!("harness: end, verdict {}", Verdict::Fail.name()));
    serial::drain();
    watchdog::disarm();
    barrier::park()
}

/// Ends the run after an exception that nobody expected.
pub(crate) fn after_exception(vector: u64, frame: &Frame) -> ! {
    begin();
    serial::text(format_args!("exception: {} (vector {vector})\r\n{frame}", exceptions::vector_name(vector)));
    failed()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    begin();
    serial::text(format_args!("panic: {info}"));
    failed()
}
