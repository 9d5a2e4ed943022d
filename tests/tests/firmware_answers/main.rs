//! What the real firmware does where nobody has written it down: the rows marked "seen" in `docs/protocol`, and
//! `docs/findings.md`.
//!
//! Needs the release that those pages describe in `FIRMWARE_DIR`; passed over with a line that says so otherwise.

mod bulks;
mod commands;
mod flow;
mod services;
mod shared_memory;
mod starting;

use std::time::Duration;

use tests::{
    native::{NativePlatform, NativeWindow},
    slave::{Slave, bytes_of, kind, msgid, open},
};
use vchiq_mbox::{Deadline, platform::Clock};

/// The port of our client.
const OURS: u32 = 1;

const REFUSED: u32 = 0xffff_ffff;

const ABORTED: u32 = 0xffff_ffff;

/// Longer than any answer takes.
const WHILE: Duration = Duration::from_millis(20);

type Link<'a> = Slave<'a, NativeWindow, NativePlatform>;

/// Lets virtual time pass.
fn pass(clock: &impl Clock, time: Duration) {
    let deadline = Deadline::after(clock, time);
    while !deadline.has_passed(clock) {}
}

/// Connected, with `echo` open; gives the firmware's port.
fn echo(slave: &mut Link<'_>) -> u32 {
    slave.connect();
    slave.open(OURS, &open(b"echo", 3, 3))
}

fn data(slave: &mut Link<'_>, remote: u32, words: &[u32]) {
    slave.send(msgid(kind::DATA, OURS, remote), &bytes_of(words));
}

/// The link still works.
fn assert_alive(slave: &mut Link<'_>, remote: u32) {
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&[3])), [0]);
}

/// Nothing is read any more.
fn assert_dead(slave: &mut Link<'_>, remote: u32) {
    data(slave, remote, &[3]);
    slave.expect_silence();
}
