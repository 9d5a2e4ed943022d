//! defmt over the serial line: rzcobs frames, each begun and ended by a zero byte.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use critical_section::RestoreState;
use defmt::{Encoder, Logger, global_logger};

use crate::serial;

/// State of the frame being written.
struct State {
    encoder: UnsafeCell<Encoder>,
    restore: UnsafeCell<RestoreState>,
    open: AtomicBool,
}

// SAFETY: the two cells are touched only between `acquire` and `release`, inside a critical section.
unsafe impl Sync for State {}

static STATE: State = State {
    encoder: UnsafeCell::new(Encoder::new()),
    restore: UnsafeCell::new(RestoreState::invalid()),
    open: AtomicBool::new(false),
};

defmt::timestamp!("{=u64:us}", crate::arch::counters::microseconds());

#[global_logger]
struct SerialLogger;

// SAFETY: `acquire` opens a critical section and `release` closes it; nothing writes outside of the two.
unsafe impl Logger for SerialLogger {
    fn acquire() {
        // SAFETY: closed by `release`, which defmt calls once for each `acquire`.
        let restore = unsafe { critical_section::acquire() };
        // A frame inside a frame: a `Format` implementation that logs. It would corrupt both.
        if STATE.open.load(Ordering::Relaxed) {
            panic!("log frame inside a log frame");
        }
        STATE.open.store(true, Ordering::Relaxed);
        // SAFETY: inside the critical section.
        unsafe { STATE.restore.get().write(restore) };
        // SAFETY: inside the critical section, and `open` excludes a second user on this core.
        let encoder = unsafe { &mut *STATE.encoder.get() };
        encoder.start_frame(serial::transmit);
    }

    unsafe fn flush() {
        serial::drain();
    }

    unsafe fn release() {
        // SAFETY: inside the critical section that `acquire` opened.
        let encoder = unsafe { &mut *STATE.encoder.get() };
        encoder.end_frame(serial::transmit);
        STATE.open.store(false, Ordering::Relaxed);
        // SAFETY: inside the critical section.
        let restore = unsafe { STATE.restore.get().read() };
        // SAFETY: closes the section that `acquire` opened.
        unsafe { critical_section::release(restore) };
    }

    unsafe fn write(bytes: &[u8]) {
        // SAFETY: inside the critical section that `acquire` opened.
        let encoder = unsafe { &mut *STATE.encoder.get() };
        encoder.write(bytes, serial::transmit);
    }
}
