//! The protocol's steps by themselves, without the driver: what each of them is for.
#![cfg(loom)]

use std::sync::Arc;

use loom::{
    sync::atomic::{
        AtomicU32, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
        fence,
    },
    thread,
};
use loom_models::{Bell, explore};

/// A remote event (VCHIQ fact sheet 5.3).
#[derive(Default)]
struct Event {
    armed: AtomicU32,
    fired: AtomicU32,
    bell: Bell,
}

/// Which steps of 5.3 are done.
#[derive(Clone, Copy)]
struct Steps {
    barrier_in_signal: bool,
    barrier_in_wait: bool,
    recheck: bool,
    /// What was published comes before `fired`, in the order of all barriers.
    barrier_before_signal: bool,
}

const ALL: Steps =
    Steps { barrier_in_signal: true, barrier_in_wait: true, recheck: true, barrier_before_signal: true };

impl Event {
    fn signal(&self, steps: Steps) {
        if steps.barrier_before_signal {
            fence(SeqCst);
        }
        self.fired.store(1, Relaxed);
        if steps.barrier_in_signal {
            fence(SeqCst);
        }
        if self.armed.load(Relaxed) != 0 {
            self.bell.ring();
        }
    }

    fn wait(&self, steps: Steps) {
        if self.fired.load(Relaxed) == 0 {
            self.armed.store(1, Relaxed);
            if steps.barrier_in_wait {
                fence(SeqCst);
            }
            if !steps.recheck || self.fired.load(Relaxed) == 0 {
                self.bell.wait();
            }
            self.armed.store(0, Relaxed);
        }
        self.fired.store(0, Relaxed);
        fence(SeqCst);
    }
}

/// One side signals once, the other waits once.
fn one_signal(steps: Steps) {
    explore(None, move || {
        let event = Arc::new(Event::default());
        let signaller = {
            let event = event.clone();
            thread::spawn(move || event.signal(steps))
        };
        event.wait(steps);
        signaller.join().unwrap();
    });
}

#[test]
fn no_wake_up_is_lost() {
    one_signal(ALL);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_signal_without_barrier_loses_wake_ups() {
    one_signal(Steps { barrier_in_signal: false, ..ALL });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_wait_without_barrier_loses_wake_ups() {
    one_signal(Steps { barrier_in_wait: false, ..ALL });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_wait_that_does_not_look_again_loses_wake_ups() {
    one_signal(Steps { recheck: false, ..ALL });
}

/// Signals merge, so the waiter must look for everything after each: then it sees all there is.
///
/// The waiter's `fired = 0` may overwrite the second signal. It then sees what that signal was for, because the
/// position was stored a barrier before. `dmb ishst` is enough for that on Arm, where the order of two stores to one
/// word counts; C11 needs a sequentially consistent fence.
fn two_signals(steps: Steps) {
    explore(Some(3), move || {
        let shared = Arc::new((Event::default(), AtomicU32::new(0)));
        let signaller = {
            let shared = shared.clone();
            thread::spawn(move || {
                for count in 1..=2 {
                    shared.1.store(count, Relaxed);
                    shared.0.signal(steps);
                }
            })
        };
        while shared.1.load(Relaxed) != 2 {
            shared.0.wait(steps);
        }
        signaller.join().unwrap();
    });
}

#[test]
fn merged_signals_lose_nothing() {
    two_signals(ALL);
}

#[test]
#[should_panic(expected = "deadlock")]
fn merged_signals_without_a_barrier_before_them_lose_the_last() {
    two_signals(Steps { barrier_before_signal: false, ..ALL });
}

/// A ring of message pointers between two threads, as Linux keeps one for each service (users fact sheet 3a),
/// with 2 places for its 128.
struct Ring {
    places: [AtomicU32; 2],
    write: AtomicUsize,
}

/// In which order a pointer and the index behind it are stored.
#[derive(Clone, Copy)]
enum Push {
    StoreThenPublish,
    /// As above, but nothing keeps the order.
    StoreThenPublishUnordered,
    /// `vchiq_msg_queue_push`.
    PublishThenStore,
}

impl Ring {
    /// Pushes the message of that number. The writer counts for itself: loom looks for other orders only behind the
    /// last access to a word, so a load of its own here would hide the reader's.
    fn push(&self, how: Push, index: usize, message: u32) {
        let place = &self.places[index % 2];
        match how {
            Push::StoreThenPublish => {
                place.store(message, Relaxed);
                self.write.store(index + 1, Release);
            }
            Push::StoreThenPublishUnordered => {
                place.store(message, Relaxed);
                self.write.store(index + 1, Relaxed);
            }
            Push::PublishThenStore => {
                self.write.store(index + 1, Release);
                place.store(message, Release);
            }
        }
    }

    fn pop(&self, read: &mut usize) -> Option<u32> {
        if self.write.load(Acquire) == *read {
            return None;
        }
        let message = self.places[*read % 2].load(Relaxed);
        *read += 1;
        Some(message)
    }
}

/// Two messages have been through the ring; a third is pushed while the reader polls.
fn third_message(how: Push) {
    explore(None, move || {
        let ring =
            Arc::new(Ring { places: [AtomicU32::new(0), AtomicU32::new(0)], write: AtomicUsize::new(0) });
        let mut read = 0;
        for (index, message) in [(0, 1), (1, 2)] {
            ring.push(how, index, message);
            assert_eq!(ring.pop(&mut read), Some(message));
        }
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || ring.push(how, 2, 3))
        };
        if let Some(message) = ring.pop(&mut read) {
            assert_ne!(message, 1, "a message of one ring ago");
            assert_eq!(message, 3);
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_pointer_stored_before_its_index_is_the_right_one() {
    third_message(Push::StoreThenPublish);
}

/// The stray replies of raspberrypi/picamera2#1090, each a repeat of the message 128 before.
#[test]
#[should_panic(expected = "a message of one ring ago")]
fn an_index_advanced_before_its_pointer_gives_an_old_message() {
    third_message(Push::PublishThenStore);
}

#[test]
#[should_panic(expected = "a message of one ring ago")]
fn the_right_order_without_a_barrier_is_not_enough() {
    third_message(Push::StoreThenPublishUnordered);
}
