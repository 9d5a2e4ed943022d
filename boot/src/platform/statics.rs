//! The few values that live as long as the image.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use harness::histogram::Samples;

/// Exception level at which the loader entered; 0 until noted.
static ENTRY_LEVEL: AtomicU8 = AtomicU8::new(0);

/// Remembers the first exception level seen. Plain load and store: the MMU is off.
pub(crate) fn note_entry_level(level: u8) {
    if ENTRY_LEVEL.load(Ordering::Relaxed) == 0 {
        ENTRY_LEVEL.store(level, Ordering::Relaxed);
    }
}

/// Exception level at which the loader entered.
pub(crate) fn entry_level() -> u8 {
    ENTRY_LEVEL.load(Ordering::Relaxed)
}

/// The histograms, zeroed with BSS: an initial value would fill a good part of the image file.
struct SampleStore(UnsafeCell<MaybeUninit<Samples>>);

// SAFETY: `samples` hands the content out once.
unsafe impl Sync for SampleStore {}

static SAMPLES: SampleStore = SampleStore(UnsafeCell::new(MaybeUninit::zeroed()));
static SAMPLES_TAKEN: AtomicBool = AtomicBool::new(false);

/// Room for the histograms, all empty; `None` when it was handed out before.
pub(crate) fn samples() -> Option<&'static mut Samples> {
    if SAMPLES_TAKEN.swap(true, Ordering::Relaxed) {
        return None;
    }
    // SAFETY: the flag makes this the only reference ever made.
    let store = unsafe { &mut *SAMPLES.0.get() };
    // SAFETY: `Samples` consists of integers, for which zero bytes are a value.
    let samples = unsafe { store.assume_init_mut() };
    samples.clear();
    Some(samples)
}
