//! The image: what the card's `kernel8.img` is made of.
//!
//! ```text
//! arch/        the processor: entry, MMU, caches, counters, exceptions, locks
//! platform/    where things are in memory; the log; memory shared with VideoCore
//! regs/        register blocks
//! soc          what differs between SoCs
//! serial       the serial line, plain text
//! interrupts   doorbell 0
//! watchdog     reset when nothing moves
//! board        all of it as the drivers and the harness want it
//! startup      from the first line to a machine that the harness can use
//! ending       the last line
//! ```
#![no_std]
#![no_main]

mod arch;
mod board;
mod delay;
mod ending;
mod interrupts;
mod platform;
mod regs;
mod serial;
mod soc;
mod startup;
mod watchdog;

use harness::Next;
use harness::plan::AtEnd;

use crate::ending::After;

/// On core 0, at EL1, MMU and caches on, interrupts masked.
fn run() -> ! {
    let mut machine = startup::machine();
    let outcome = harness::run(&mut machine);
    let after = match outcome.next {
        Next::Reset => ending::restart(),
        Next::End(AtEnd::Halt) => After::PowerDown,
        Next::End(AtEnd::Wait) => After::Wait,
    };
    ending::end(outcome.verdict.name(), after)
}
