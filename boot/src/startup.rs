//! From the first line to a machine that the harness can use.

use core::time::Duration;

use harness::Board;
use harness::banner::Banner;
use vchiq_mbox::property::{ClockId, ClockRate, FirmwareRevision, MeasuredClockRate, Tag};
use vchiq_mbox::{Deadline, Mailbox, Platform, Window};

use crate::arch::{counters, identity, mmu};
use crate::board::Hardware;
use crate::ending::{self, After};
use crate::soc::Soc;
use crate::{board, interrupts, platform, serial, watchdog};

/// Longest wait for a property answer. The firmware takes well under a millisecond.
const PROPERTY_PATIENCE: Duration = Duration::from_millis(500);

/// MAIR bytes as `arch::mmu` sets them (hardware fact sheet 6).
const CACHED: u8 = 0xff;
const NON_CACHEABLE: u8 = 0x44;
const DEVICE: u8 = 0x04;

/// What the mailbox told before the harness took over.
struct FirmwareFacts {
    revision: Option<u32>,
    uart_clock_hz: Option<u32>,
}

/// Brings everything up in the order in which each part can report its failure.
/// A function of its own: the test of the register dump replaces its first instruction.
#[inline(never)]
pub(crate) fn machine() -> Hardware {
    serial::start(serial::CONFIGURED_CLOCK_HZ);
    serial::text(format_args!("{}", Banner { build: platform::build_id(), git: board::GIT }));
    serial::text(format_args!(
        "boot: commit {}, {:?}, MIDR {:08x}, entered at EL{}",
        board::GIT,
        identity::soc(),
        identity::midr(),
        platform::entry_level()
    ));
    if identity::soc() == Soc::Bcm2711 {
        serial::text(format_args!(
            "boot: the interrupt controller of BCM2711 is not driven yet: nothing to run"
        ));
        ending::end("skip", After::Wait);
    }
    check_memory_map();
    interrupts::start();

    let Some(mut hardware) = Hardware::take() else { ending::end("fail", After::Wait) };
    let facts = ask_firmware(&mut hardware);
    let clock_hz = facts.uart_clock_hz.unwrap_or(serial::CONFIGURED_CLOCK_HZ);
    if clock_hz != serial::CONFIGURED_CLOCK_HZ {
        serial::start(clock_hz);
    }
    let is_qemu = facts.revision == Some(FirmwareRevision::QEMU);
    // Once: some boards clear it when it is read.
    let status = watchdog::reset_status();
    if !is_qemu {
        watchdog::arm();
        hardware.keep_black_box(watchdog::last_reset(status));
    }
    report(&facts, is_qemu, status);
    hardware
}

/// What the processor itself says of one address of each kind: a wrong attribute would show as data that is
/// wrong now and then, much later.
fn check_memory_map() {
    let peripherals = identity::soc().peripherals();
    let expected = [
        ("page zero", 0, None),
        ("code", platform::code().start, Some(CACHED)),
        ("data", platform::data().start, Some(CACHED)),
        ("guard page of the stack", platform::stack().start - 1, None),
        ("stack", platform::stack().start, Some(CACHED)),
        ("shared window", platform::window().start, Some(NON_CACHEABLE)),
        ("black box", platform::black_box().start, Some(NON_CACHEABLE)),
        ("end of the shared window", platform::window().end - 1, Some(NON_CACHEABLE)),
        ("lendable memory", platform::lendable().start, Some(CACHED)),
        ("end of the lendable memory", platform::lendable().end - 1, Some(CACHED)),
        ("peripherals", peripherals, Some(DEVICE)),
        ("local block", identity::soc().local_block(), Some(DEVICE)),
    ];
    for (name, address, wanted) in expected {
        let found = mmu::memory_attribute(address);
        if found != wanted {
            serial::text(format_args!("boot: {name} at {address:#x} is {found:02x?}, not {wanted:02x?}"));
            ending::end("fail", After::Wait);
        }
    }
}

fn ask_firmware(hardware: &mut Hardware) -> FirmwareFacts {
    let parts = hardware.parts();
    let mut facts = FirmwareFacts { revision: None, uart_clock_hz: None };
    let mut mailbox = match Mailbox::new(parts.mailbox, parts.property) {
        Ok(mailbox) => mailbox,
        Err(error) => {
            defmt::error!("property mailbox: {}", error);
            return facts;
        }
    };
    facts.revision = ask::<FirmwareRevision>(&mut mailbox, parts.platform, ());
    facts.uart_clock_hz = ask::<MeasuredClockRate>(&mut mailbox, parts.platform, ClockId::Uart)
        .filter(|hz| *hz != 0)
        .or_else(|| ask::<ClockRate>(&mut mailbox, parts.platform, ClockId::Uart))
        .filter(|hz| *hz != 0);
    facts
}

/// One tag; `None` with a log line if there is no answer.
fn ask<T: Tag>(
    mailbox: &mut Mailbox<impl vchiq_mbox::MailboxRegisters, impl Window>,
    platform: &impl Platform,
    request: T::Request,
) -> Option<T::Response> {
    let deadline = Deadline::after(platform, PROPERTY_PATIENCE);
    let answer = mailbox.call::<T>(platform, request, deadline);
    answer.inspect_err(|error| defmt::warn!("property tag {=u32:#x}: {}", T::ID, error)).ok()
}

fn report(facts: &FirmwareFacts, is_qemu: bool, reset_status: u32) {
    defmt::info!(
        "boot: {}, MIDR {=u64:#x}, entered at EL{=u8}, commit {=str}",
        identity::soc(),
        identity::midr(),
        platform::entry_level(),
        board::GIT,
    );
    defmt::info!(
        "boot: counter {=u32} Hz, empty bracket {=u64} cycles, reset status {=u32:#x}",
        counters::tick_rate(),
        counters::empty_bracket(),
        reset_status,
    );
    defmt::info!(
        "boot: firmware {=u32:#x}, UART clock {=u32} Hz, {=str}",
        facts.revision.unwrap_or(0),
        facts.uart_clock_hz.unwrap_or(0),
        if is_qemu { "QEMU: no watchdog" } else { "watchdog armed" },
    );
}
