//! The image in QEMU's `raspi3b`: what it says of faults of its own.
//!
//! What the untouched image says in QEMU is tested by `cargo xtask test qemu`.
//!
//! Needs `target/image/` from `cargo xtask build` and `qemu-system-aarch64`. Without them the tests are passed
//! over with a line that says so, unless `REQUIRE_QEMU` is set.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tests::image::{self, BuiltImage, LAST_LINE, Victim, plain_text, register};

/// The image ends by itself within a second.
const LIMIT: Duration = Duration::from_secs(30);

/// The built image, if it and QEMU are here.
fn at_hand() -> Option<BuiltImage> {
    let qemu = Command::new("qemu-system-aarch64").arg("--version").stdout(Stdio::null()).status();
    let image = qemu.ok().and_then(|_| BuiltImage::at_hand());
    if image.is_none() {
        assert!(env::var_os("REQUIRE_QEMU").is_none(), "REQUIRE_QEMU is set, but image or QEMU is missing");
        println!("skipped: no target/image/kernel8.img (cargo xtask build) or no qemu-system-aarch64");
    }
    image
}

/// Boots a copy in which the startup begins with these instructions; returns the lines of plain text.
fn boot_with(image: &BuiltImage, name: &str, instructions: &[u32]) -> Vec<String> {
    boot_with_fault_in(image, Victim::Startup, name, instructions)
}

/// The same with a fault elsewhere.
fn boot_with_fault_in(image: &BuiltImage, victim: Victim, name: &str, instructions: &[u32]) -> Vec<String> {
    let path = image::folder().join(format!("fault-{name}.img"));
    fs::write(&path, image.with_fault(victim, instructions)).expect("the copy can be written");
    plain_text(&serial_until_the_end(&path))
}

/// QEMU, ended when the test is done with it.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everything on the serial line up to the end of the last line.
fn serial_until_the_end(kernel: &Path) -> Vec<u8> {
    let mut command = Command::new("qemu-system-aarch64");
    command.args(["-machine", "raspi3b", "-display", "none", "-monitor", "none", "-no-reboot"]);
    command.args(["-serial", "stdio", "-kernel"]).arg(kernel);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut machine = Machine(command.spawn().expect("QEMU starts"));
    let mut serial = machine.0.stdout.take().expect("its output is a pipe");

    let (sender, bytes) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = serial.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let started = Instant::now();
    let mut all = Vec::new();
    while !plain_text(&all).iter().any(|line| line.starts_with(LAST_LINE)) {
        let left = LIMIT.checked_sub(started.elapsed()).unwrap_or_default();
        match bytes.recv_timeout(left) {
            Ok(more) => all.extend(more),
            Err(_) => panic!("no last line within {LIMIT:?}; so far {:#?}", plain_text(&all)),
        }
    }
    all
}

fn assert_failed_run(dump: &[String]) {
    assert_eq!(dump.last().map(String::as_str), Some("harness: end, verdict fail"), "{dump:#?}");
}

#[test]
fn a_breakpoint_ends_in_a_register_dump_and_the_verdict_fail() {
    let Some(image) = at_hand() else { return };
    // mov x7, #0x1234; brk #0
    let dump = boot_with(&image, "breakpoint", &[0xd282_4687, 0xd420_0000]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x3c, "the class is BRK: {dump:#?}");
    assert_eq!(register(&dump, "ELR"), image.address_of(Victim::Startup) + 4);
    assert_eq!(register(&dump, "x7"), 0x1234);
    for number in 0..=30 {
        register(&dump, &format!("x{number}"));
    }
    assert_failed_run(&dump);
}

#[test]
fn a_store_through_a_null_pointer_names_the_address() {
    let Some(image) = at_hand() else { return };
    // mov x1, #0; str x0, [x1, #16]
    let dump = boot_with(&image, "null", &[0xd280_0001, 0xf900_0820]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x25, "the class is a data abort: {dump:#?}");
    assert_eq!(register(&dump, "FAR"), 16);
    assert!(dump.iter().any(|line| line.contains("write, translation fault")), "{dump:#?}");
    assert_failed_run(&dump);
}

#[test]
fn a_stack_overflow_hits_the_guard_page_and_is_still_reported() {
    let Some(image) = at_hand() else { return };
    // again: sub sp, sp, #16; str xzr, [sp]; b again
    let dump = boot_with(&image, "stack", &[0xd100_43ff, 0xf900_03ff, 0x17ff_fffe]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x25, "the class is a data abort: {dump:#?}");
    assert_eq!(register(&dump, "FAR"), register(&dump, "SP"), "the address is the stack's: {dump:#?}");
    assert_failed_run(&dump);
}

#[test]
fn a_store_into_the_code_is_a_permission_fault() {
    let Some(image) = at_hand() else { return };
    // adr x1, .; str x0, [x1]
    let dump = boot_with(&image, "code", &[0x1000_0001, 0xf900_0020]);
    assert_eq!(register(&dump, "FAR"), image.address_of(Victim::Startup));
    assert!(dump.iter().any(|line| line.contains("permission fault")), "{dump:#?}");
    assert_failed_run(&dump);
}

#[test]
fn a_jump_into_data_is_not_executed() {
    let Some(image) = at_hand() else { return };
    // mov x1, sp; br x1
    let dump = boot_with(&image, "data", &[0x9100_03e1, 0xd61f_0020]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x21, "the class is an instruction abort: {dump:#?}");
    assert_eq!(register(&dump, "ELR"), register(&dump, "SP"));
    assert_failed_run(&dump);
}

#[test]
fn a_fault_within_a_log_frame_still_ends_with_the_verdict_fail() {
    let Some(image) = at_hand() else { return };
    // brk #0
    let dump = boot_with_fault_in(&image, Victim::LogWrite, "frame", &[0xd420_0000]);
    assert_eq!(register(&dump, "ELR"), image.address_of(Victim::LogWrite));
    assert_failed_run(&dump);
}
