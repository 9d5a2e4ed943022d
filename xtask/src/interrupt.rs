//! What Ctrl-C does to work that can be gone on with.

use std::{process, thread};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

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
            process::exit(128 + signal);
        }
    });
    Ok(())
}
