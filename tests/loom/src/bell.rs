//! A doorbell: a latch that one side sets and the other sleeps on.

use loom::sync::{Condvar, Mutex};

/// A doorbell. Who sleeps on one that is never rung again is a deadlock, which loom reports.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<bool>,
    wake: Condvar,
}

impl Bell {
    /// Sets the latch.
    ///
    /// # Panics
    /// Never: nobody panics while holding the lock.
    pub fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.wake.notify_all();
    }

    /// Sleeps until the latch is set, and clears it.
    ///
    /// # Panics
    /// Never: nobody panics while holding the lock.
    pub fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.wake.wait(rung).unwrap();
        }
        *rung = false;
    }
}
