//! The suites, in the order in which they run: what is quick to fail comes first.

use std::time::Duration;

use anyhow::Result;

use super::context::Context;
use super::tools::Needed;
use super::{
    browser, cargo_tests, catalogue, checks, compare, emulate, emulated, farm, faults, flash, hang, many,
    monitor, qemu, sdcard, tools,
};

/// A suite.
#[derive(Debug)]
pub struct Suite {
    /// As on the command line.
    pub name: &'static str,
    /// What a pass proves.
    pub about: &'static str,
    /// Time on the PC, with everything it starts.
    pub limit: Duration,
    /// Programs it needs beside a Rust compiler.
    pub tools: &'static [Needed],
    /// Does it.
    pub run: fn(&Context) -> Result<()>,
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// All of them.
pub static SUITES: [Suite; 27] = [
    Suite {
        name: "format",
        about: "the sources are formatted as rustfmt.toml says",
        limit: minutes(1),
        tools: &[],
        run: checks::format,
    },
    Suite {
        name: "image",
        about: "the image builds, is smaller than 512 KiB, and has no code that a Cortex-A53 gets wrong",
        limit: minutes(6),
        tools: &[],
        run: checks::image,
    },
    Suite {
        name: "toolchains",
        about: "the image builds by the distribution's compiler and by rustup's, whichever are to be had",
        limit: minutes(12),
        tools: &[],
        run: checks::toolchains,
    },
    Suite {
        name: "clippy",
        about: "no lint fires in what runs on the PC",
        limit: minutes(6),
        tools: &[],
        run: checks::clippy_host,
    },
    Suite {
        name: "clippy-image",
        about: "no lint fires in the image, for its own target",
        limit: minutes(6),
        tools: &[],
        run: checks::clippy_image,
    },
    Suite {
        name: "docs",
        about: "the documentation builds without warnings",
        limit: minutes(6),
        tools: &[],
        run: checks::docs,
    },
    Suite {
        name: "unit",
        about: "each crate's own tests",
        limit: minutes(15),
        tools: &[tools::QEMU_USER],
        run: cargo_tests::unit,
    },
    Suite {
        name: "fuzz-corpus",
        about: "the drivers keep their promises to every input that the fuzzer found worth keeping",
        limit: minutes(4),
        tools: &[],
        run: cargo_tests::fuzz_corpus,
    },
    Suite {
        name: "loom",
        about: "messages, slots and doorbells under every order of accesses; mistakes made on purpose are found",
        limit: minutes(4),
        tools: &[],
        run: cargo_tests::loom,
    },
    Suite {
        name: "native",
        about: "the drivers on the PC against the real firmware in the emulator",
        limit: minutes(10),
        tools: &[tools::QEMU_USER, tools::QEMU_SYSTEM],
        run: cargo_tests::native,
    },
    Suite {
        name: "bad-input",
        about: "wrong files and options end with a message and an exit code, without panic or hang",
        limit: minutes(6),
        tools: &[],
        run: cargo_tests::command_line,
    },
    Suite {
        name: "emulated",
        about: "the card boots on each board with start, start_db and start_x, and every verdict is pass",
        limit: minutes(6),
        tools: &[],
        run: emulated::passes,
    },
    Suite {
        name: "cut-down",
        about: "start_cd, which does not start an emulated Arm, ends as hung and the reason says what to use instead",
        limit: minutes(2),
        tools: &[],
        run: emulated::cut_down,
    },
    Suite {
        name: "determinism",
        about: "two runs with one seed leave the same report",
        limit: minutes(2),
        tools: &[],
        run: emulated::determinism,
    },
    Suite {
        name: "catalogue",
        about: "every scenario against start and start_db comes to the verdict that is known of the release",
        limit: minutes(6),
        tools: &[],
        run: catalogue::comes_to_what_is_known,
    },
    Suite {
        name: "faults",
        about: "the model passes, and each rule it breaks is found and put down to the right side",
        limit: minutes(6),
        tools: &[],
        run: faults::each_is_found,
    },
    Suite {
        name: "soak",
        about: "70 000 blocks lent and freed over two boots, more than 65 536 ids in each; it goes on where it was ended",
        limit: minutes(6),
        tools: &[],
        run: many::soak,
    },
    Suite {
        name: "boots",
        about: "services open at once and up to 100 ms after the link is up, in 8 boots with their own seeds",
        limit: minutes(4),
        tools: &[],
        run: many::boots,
    },
    Suite {
        name: "hang",
        about: "a hang is a result: firmware that halts and an Arm that stops cost a reset, and the run goes on",
        limit: minutes(15),
        tools: &[],
        run: hang::a_hang_is_a_result,
    },
    Suite {
        name: "compare",
        about: "a release is equal to its copy, others are told apart, and bisect finds the first broken one of six",
        limit: minutes(6),
        tools: &[],
        run: compare::finds_what_changed,
    },
    Suite {
        name: "emulate",
        about: "an emulated board is switched and ended at once, whoever listens to it and however slowly",
        limit: minutes(4),
        tools: &[],
        run: emulate::obeys_at_once,
    },
    Suite {
        name: "monitor",
        about: "a board's line is heard whole, by pseudo-terminal, TCP and recording; damage, cuts and other images are told",
        limit: minutes(6),
        tools: &[],
        run: monitor::hears_what_there_is,
    },
    Suite {
        name: "sdcard",
        about: "other tools read the card that sdcard writes, and a folder gets the same files",
        limit: minutes(4),
        tools: &[tools::MTOOLS, tools::DOSFSTOOLS, tools::FDISK],
        run: sdcard::readable,
    },
    Suite {
        name: "flash",
        about: "cards written to real disks of the kernel and read back; disks in use, too small or full are told",
        limit: minutes(4),
        tools: &[tools::FDISK],
        run: flash::real_disks,
    },
    Suite {
        name: "browser",
        about: "the page of a report in headless Chromium: nothing sticks out, curves are drawn, nothing is loaded",
        limit: minutes(4),
        tools: &[tools::CHROMIUM, tools::CHROMEDRIVER],
        run: browser::page_is_sound,
    },
    Suite {
        name: "qemu",
        about: "the same image in QEMU's raspi3b gets as far as QEMU goes and says absent",
        limit: minutes(3),
        tools: &[tools::QEMU_SYSTEM],
        run: qemu::says_absent,
    },
    Suite {
        name: "farm",
        about: "labgrid drives an emulated board by serial line, power and card, and its JUnit says what the report says",
        limit: minutes(8),
        tools: &[],
        run: farm::labgrid_drives_a_board,
    },
];
