//! The image in QEMU's `raspi3b`: what it says of faults of its own.
//!
//! Each test boots a copy of `kernel8.img` in which the first instructions of one function are replaced by a
//! fault, so that the register dump is tested without a line of test code in the image. What the untouched image
//! says in QEMU is tested by `cargo xtask test qemu`.
//!
//! Needs `target/image/` from `cargo xtask build` and `qemu-system-aarch64`. Without them the tests are passed
//! over with a line that says so, unless `REQUIRE_QEMU` is set.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use object::{Object, ObjectSymbol};

/// Where the image is linked and loaded.
const LOAD_ADDRESS: u64 = 0x8_0000;
/// The image ends by itself within a second.
const LIMIT: Duration = Duration::from_secs(30);
/// The image's last line, whatever the verdict.
const LAST_LINE: &str = "harness: end, verdict ";
/// The function whose first instructions are replaced: it runs with everything set up but the serial line's rate,
/// which QEMU ignores. `boot::startup::machine`, as compilers mangle it.
const VICTIM: [&str; 3] = ["boot", "startup", "machine"];

/// The built image, if it and QEMU are here.
struct Image {
    kernel: Vec<u8>,
    victim: u64,
}

impl Image {
    fn at_hand() -> Option<Self> {
        let folder = target().join("image");
        let files = (fs::read(folder.join("kernel8.img")), fs::read(folder.join("kernel8.elf")));
        let qemu = Command::new("qemu-system-aarch64").arg("--version").stdout(Stdio::null()).status();
        let (Ok(kernel), Ok(elf), Ok(_)) = (files.0, files.1, qemu) else {
            assert!(
                env::var_os("REQUIRE_QEMU").is_none(),
                "REQUIRE_QEMU is set, but image or QEMU is missing"
            );
            println!("skipped: no target/image/kernel8.img (cargo xtask build) or no qemu-system-aarch64");
            return None;
        };
        let file = object::File::parse(&*elf).expect("kernel8.elf is an ELF file");
        let is_victim = |name: &str| VICTIM.iter().all(|part| name.contains(part));
        let victim = file.symbols().find(|symbol| symbol.name().is_ok_and(is_victim));
        let victim = victim.expect("the image has the function startup::machine").address();
        Some(Self { kernel, victim })
    }

    /// Boots a copy with these instructions in place of the victim's first; returns the lines of plain text.
    fn boot_with(&self, name: &str, instructions: &[u32]) -> Vec<String> {
        let mut kernel = self.kernel.clone();
        let start = (self.victim - LOAD_ADDRESS) as usize;
        for (place, instruction) in kernel[start..].chunks_exact_mut(4).zip(instructions) {
            place.copy_from_slice(&instruction.to_le_bytes());
        }
        let path = target().join(format!("image/fault-{name}.img"));
        fs::write(&path, kernel).expect("the copy can be written");
        plain_text(&serial_until_the_end(&path))
    }
}

fn target() -> PathBuf {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
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

/// The lines that stand in plain text between the log frames.
fn plain_text(serial: &[u8]) -> Vec<String> {
    let pieces = serial.split(|byte| *byte == 0);
    let texts =
        pieces.filter_map(|piece| std::str::from_utf8(piece).ok()).filter(|text| text.ends_with("\r\n"));
    texts.flat_map(str::lines).map(str::to_owned).collect()
}

/// The number behind `label` in the dump.
fn register(dump: &[String], label: &str) -> u64 {
    let text = dump.join(" ");
    let mut words = text.split_whitespace().skip_while(|word| *word != label);
    let value = words.nth(1).unwrap_or_else(|| panic!("no {label} in {dump:#?}"));
    u64::from_str_radix(value, 16).unwrap_or_else(|_| panic!("{label} is {value}"))
}

fn assert_failed_run(dump: &[String]) {
    assert_eq!(dump.last().map(String::as_str), Some("harness: end, verdict fail"), "{dump:#?}");
}

#[test]
fn a_breakpoint_ends_in_a_register_dump_and_the_verdict_fail() {
    let Some(image) = Image::at_hand() else { return };
    // mov x7, #0x1234; brk #0
    let dump = image.boot_with("breakpoint", &[0xd282_4687, 0xd420_0000]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x3c, "the class is BRK: {dump:#?}");
    assert_eq!(register(&dump, "ELR"), image.victim + 4);
    assert_eq!(register(&dump, "x7"), 0x1234);
    for number in 0..=30 {
        register(&dump, &format!("x{number}"));
    }
    assert_failed_run(&dump);
}

#[test]
fn a_store_through_a_null_pointer_names_the_address() {
    let Some(image) = Image::at_hand() else { return };
    // mov x1, #0; str x0, [x1, #16]
    let dump = image.boot_with("null", &[0xd280_0001, 0xf900_0820]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x25, "the class is a data abort: {dump:#?}");
    assert_eq!(register(&dump, "FAR"), 16);
    assert!(dump.iter().any(|line| line.contains("write, translation fault")), "{dump:#?}");
    assert_failed_run(&dump);
}

#[test]
fn a_stack_overflow_hits_the_guard_page_and_is_still_reported() {
    let Some(image) = Image::at_hand() else { return };
    // again: sub sp, sp, #16; str xzr, [sp]; b again
    let dump = image.boot_with("stack", &[0xd100_43ff, 0xf900_03ff, 0x17ff_fffe]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x25, "the class is a data abort: {dump:#?}");
    assert_eq!(register(&dump, "FAR"), register(&dump, "SP"), "the address is the stack's: {dump:#?}");
    assert_failed_run(&dump);
}

#[test]
fn a_store_into_the_code_is_a_permission_fault() {
    let Some(image) = Image::at_hand() else { return };
    // adr x1, .; str x0, [x1]
    let dump = image.boot_with("code", &[0x1000_0001, 0xf900_0020]);
    assert_eq!(register(&dump, "FAR"), image.victim);
    assert!(dump.iter().any(|line| line.contains("permission fault")), "{dump:#?}");
    assert_failed_run(&dump);
}

#[test]
fn a_jump_into_data_is_not_executed() {
    let Some(image) = Image::at_hand() else { return };
    // mov x1, sp; br x1
    let dump = image.boot_with("data", &[0x9100_03e1, 0xd61f_0020]);
    assert_eq!(register(&dump, "ESR") >> 26, 0x21, "the class is an instruction abort: {dump:#?}");
    assert_eq!(register(&dump, "ELR"), register(&dump, "SP"));
    assert_failed_run(&dump);
}
