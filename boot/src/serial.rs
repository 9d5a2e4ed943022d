//! The serial line: a PL011 on the header's pins 8 and 10 (GPIO 14 and 15), 921600 baud, 8N1.
//!
//! It carries two things: defmt frames ([`crate::platform`] has the logger) and lines of plain text that must be
//! readable without the ELF file. Both are set apart by zero bytes, which neither contains, so a decoder that
//! knows defmt only loses nothing but the text.

use core::fmt::{self, Write};

use embedded_hal::delay::DelayNs;
use tock_registers::interfaces::{ReadWriteable, Readable, Writeable};

use crate::arch::{barrier, counters};
use crate::delay::CounterDelay;
use crate::platform;
use crate::regs::gpio::{FUNCTION_1, FUNCTION_3};
use crate::regs::pl011::{BAUD_FRACTION, BAUD_INTEGER, CONTROL, FLAGS, LINE_CONTROL};

/// Symbols a second. Every common USB adapter does it, 48 MHz divide to it within 0.2 %, and it is eight times
/// as fast as 115200: a run's records are some 100 KB.
const BAUD: u32 = 921_600;
/// What `init_uart_clock` in config.txt asks for.
pub(crate) const CONFIGURED_CLOCK_HZ: u32 = 48_000_000;
/// A byte takes 11 µs and the FIFO holds 16: a longer wait means that the UART is stopped.
const PATIENCE_US: u64 = 10_000;

/// A byte and a half.
const RESYNCHRONISE_US: u32 = 17;

/// Divisor in 64ths for the UART clock, if the clock allows the baud rate.
///
/// The whole part must be 1 to 65535 (DDI 0183, 3.3.6); QEMU's 3 MHz give less than one.
const fn divisor(clock_hz: u32) -> Option<u32> {
    let sixty_fourths = (clock_hz as u64 * 4 + BAUD as u64 / 2) / BAUD as u64;
    if sixty_fourths >= 64 && sixty_fourths < 65536 * 64 { Some(sixty_fourths as u32) } else { None }
}

const _: () = assert!(matches!(divisor(CONFIGURED_CLOCK_HZ), Some(208)));

/// Leads the PL011 to the header and starts it. `clock_hz` is the UART clock; one that cannot be divided to the
/// baud rate is replaced by [`CONFIGURED_CLOCK_HZ`].
pub(crate) fn start(clock_hz: u32) {
    let gpio = platform::gpio();
    // Off the Bluetooth chip first: two pins must not feed one input.
    gpio.function_3.modify(FUNCTION_3::PIN_32::Input + FUNCTION_3::PIN_33::Input);
    gpio.function_1.modify(FUNCTION_1::PIN_14::Alt0 + FUNCTION_1::PIN_15::Alt0);

    drain();
    let uart = platform::pl011();
    let sixty_fourths = divisor(clock_hz).or(divisor(CONFIGURED_CLOCK_HZ)).unwrap_or(64);
    uart.control.set(0);
    uart.interrupt_mask.set(0);
    uart.interrupt_clear.set(0x7ff);
    uart.baud_integer.write(BAUD_INTEGER::DIVISOR.val(sixty_fourths / 64));
    uart.baud_fraction.write(BAUD_FRACTION::DIVISOR.val(sixty_fourths % 64));
    uart.line_control.write(LINE_CONTROL::WORD_LENGTH::EightBits + LINE_CONTROL::FIFOS::SET);
    uart.control.write(CONTROL::ENABLE::SET + CONTROL::TRANSMIT::SET + CONTROL::RECEIVE::SET);
    // The receiver may have taken the change of pin or rate for the start of a byte: idle until it gave up.
    CounterDelay.delay_us(RESYNCHRONISE_US);
}

/// Sends bytes. Drops the rest when the UART takes nothing for [`PATIENCE_US`].
pub(crate) fn transmit(bytes: &[u8]) {
    let uart = platform::pl011();
    for &byte in bytes {
        if !wait_while(FLAGS::TRANSMIT_FULL::SET) {
            return;
        }
        uart.data.set(u32::from(byte));
    }
}

/// Waits until the last byte is on the wire.
pub(crate) fn drain() {
    wait_while(FLAGS::BUSY::SET);
}

fn wait_while(flag: tock_registers::fields::FieldValue<u32, FLAGS::Register>) -> bool {
    let uart = platform::pl011();
    if !uart.flags.matches_all(flag) {
        return true;
    }
    let deadline = counters::deadline(PATIENCE_US);
    while uart.flags.matches_all(flag) {
        if counters::ticks() >= deadline {
            return false;
        }
        barrier::relax();
    }
    true
}

/// One line of plain text between zero bytes.
pub(crate) fn text(line: fmt::Arguments<'_>) {
    critical_section::with(|_| {
        transmit(&[0]);
        // `Wire` never fails.
        let _ = Wire.write_fmt(line);
        transmit(b"\r\n\0");
    });
}

struct Wire;

impl Write for Wire {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        transmit(text.as_bytes());
        Ok(())
    }
}
