//! Doorbell 0 from VideoCore to this core, and nothing else (hardware fact sheet 4).

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use critical_section::Mutex;
use heapless::HistoryBuf;
use tock_registers::interfaces::{Readable, Writeable};
use vchiq_mbox::platform::Moment;

use crate::arch::exceptions;
use crate::platform;
use crate::regs::armc::BASIC;
use crate::regs::local::{ROUTING, SOURCE};

/// A doorbell came and nobody has asked since.
static RANG: AtomicBool = AtomicBool::new(false);
/// The last doorbell's entry, on both clocks. Written by the handler before `RANG`.
static STAMP_CYCLES: AtomicU64 = AtomicU64::new(0);
static STAMP_TICKS: AtomicU64 = AtomicU64::new(0);
/// The stamp has not been taken yet.
static STAMPED: AtomicBool = AtomicBool::new(false);
/// Doorbell interrupts since boot. Written by the handler alone.
static DOORBELLS: AtomicU32 = AtomicU32::new(0);

/// An interrupt that was none of ours: what the controllers said of it.
#[derive(Clone, Copy, defmt::Format)]
pub(crate) struct Stray {
    /// Core 0's source register.
    source: u32,
    /// ARMC's basic pending register. Doorbell 0 alone: it was pending, but BELL0 read as not rung.
    basic: u32,
    /// ARMC's two banks.
    banks: [u32; 2],
}

/// The last strays. A handler does not log; it leaves this to be read afterwards.
static STRAYS: Mutex<RefCell<HistoryBuf<Stray, 8>>> = Mutex::new(RefCell::new(HistoryBuf::new()));

/// Turns every source off but doorbell 0, routes it to core 0, and lets it in.
pub(crate) fn start() {
    let armc = platform::armc();
    armc.fiq_control.set(0);
    armc.disable_1.set(u32::MAX);
    armc.disable_2.set(u32::MAX);
    armc.disable_basic.set(u32::MAX);

    let local = platform::local();
    local.timer_control_0.set(0);
    local.mailbox_control_0.set(0);
    local.armc_routing.write(ROUTING::IRQ_CORE.val(0) + ROUTING::FIQ_CORE.val(0));

    armc.enable_basic.write(BASIC::DOORBELL_0::SET);
    exceptions::unmask_interrupts();
}

/// Called from the vector with the moment of entry.
///
/// Lines are levels without an end-of-interrupt: reading BELL0 is what lowers this one, and it is read once.
pub(crate) fn dispatch(entry: Moment) {
    let from_armc = platform::local().source_0.is_set(SOURCE::ARMC);
    if from_armc && platform::armc().basic_pending.is_set(BASIC::DOORBELL_0) {
        let rung = platform::doorbell_listener().acknowledge();
        DOORBELLS.store(DOORBELLS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        if !rung {
            note_stray();
        }
        STAMP_CYCLES.store(entry.cycles, Ordering::Relaxed);
        STAMP_TICKS.store(entry.ticks, Ordering::Relaxed);
        STAMPED.store(true, Ordering::Release);
        RANG.store(true, Ordering::Release);
        return;
    }
    // Nothing else is enabled, so nothing else should come. A level that stays would stop the image without a
    // word: close its door instead, and note it.
    note_stray();
    silence();
}

fn note_stray() {
    let armc = platform::armc();
    let stray = Stray {
        source: platform::local().source_0.get(),
        basic: armc.basic_pending.get(),
        banks: [armc.pending_1.get(), armc.pending_2.get()],
    };
    critical_section::with(|section| STRAYS.borrow_ref_mut(section).write(stray));
}

fn silence() {
    let armc = platform::armc();
    armc.disable_1.set(u32::MAX);
    armc.disable_2.set(u32::MAX);
    armc.disable_basic.set(!BASIC::DOORBELL_0::SET.value);
    let local = platform::local();
    local.timer_control_0.set(0);
    local.mailbox_control_0.set(0);
}

/// True once for one or more doorbells since the last call.
pub(crate) fn take_ring() -> bool {
    let rang = RANG.load(Ordering::Acquire);
    if rang {
        RANG.store(false, Ordering::Relaxed);
    }
    rang
}

/// Entry of the last doorbell interrupt, if one came since the last call.
pub(crate) fn take_stamp() -> Option<Moment> {
    if !STAMPED.load(Ordering::Acquire) {
        return None;
    }
    // Between the two stores of the handler's next visit neither half may be taken alone.
    critical_section::with(|_| {
        STAMPED.store(false, Ordering::Relaxed);
        Some(Moment {
            ticks: STAMP_TICKS.load(Ordering::Relaxed),
            cycles: STAMP_CYCLES.load(Ordering::Relaxed),
        })
    })
}

/// Doorbell-0 interrupts since boot.
pub(crate) fn doorbells() -> u32 {
    DOORBELLS.load(Ordering::Relaxed)
}

/// Logs the strays since the last call.
pub(crate) fn report_strays() {
    let strays = critical_section::with(|section| STRAYS.take(section));
    for stray in strays.oldest_ordered() {
        defmt::warn!("interrupt from nobody we know: {}", stray);
    }
}
