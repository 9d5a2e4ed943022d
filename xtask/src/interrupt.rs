//! What Ctrl-C does: to work that can be gone on with, and to work that must be put in order first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{process, thread};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// What a shell reports of a program that a signal ended: this plus the signal's number.
pub const EXIT_BASE: i32 = 128;

/// Ends the program at the first interrupt, as it would end anyway, and says this before.
///
/// # Errors
/// If the system takes no handler.
pub fn explain(message: String) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("listening for Ctrl-C")?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // The line of a progress bar has no end.
            eprintln!("\n{message}");
            process::exit(EXIT_BASE + signal);
        }
    });
    Ok(())
}

/// The work was stopped by Ctrl-C (or SIGTERM) at a place of its own choice. As an error of a verb it becomes the exit
/// code 130 (143).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("stopped")]
pub struct Interrupted {
    /// Number of the signal.
    pub signal: i32,
}

/// Looked at by work that must be put in order before it ends.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    signal: Arc<AtomicUsize>,
}

impl Notice {
    /// Takes note of Ctrl-C from now on instead of being ended by it. The second one ends the program at once.
    ///
    /// # Errors
    /// If the system takes no handler.
    pub fn of_interrupts() -> Result<Self> {
        let notice = Self::default();
        let before = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down, the second one up.
            flag::register_conditional_shutdown(signal, EXIT_BASE + signal, Arc::clone(&before))
                .and_then(|_| flag::register(signal, Arc::clone(&before)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&notice.signal), signal as usize))
                .context("listening for Ctrl-C")?;
        }
        Ok(notice)
    }

    /// One that has come already.
    #[cfg(test)]
    pub fn come() -> Self {
        let notice = Self::default();
        notice.interrupt();
        notice
    }

    /// Lets it come.
    #[cfg(test)]
    pub fn interrupt(&self) {
        self.signal.store(SIGINT as usize, Ordering::Relaxed);
    }

    /// An error once an interrupt has come.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub fn check(&self) -> Result<(), Interrupted> {
        match self.signal.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Interrupted { signal: signal as i32 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_is_an_error_once_it_has_come() {
        assert_eq!(Notice::default().check(), Ok(()));
        assert_eq!(Notice::come().check(), Err(Interrupted { signal: SIGINT }));
    }
}
