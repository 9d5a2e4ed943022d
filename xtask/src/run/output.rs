//! What a person sees after a run, beside the report's own tables.

use std::time::Duration;

use emulator::machine::Summary;

use super::Done;
use crate::report::{self, Files};
use crate::terminal::say;

/// Prints tables, last words unless the log has them already, the emulator's summary and where the report is.
pub fn print(done: &Done, files: &Files, log_was_shown: bool) {
    say!("{}", report::summary(&done.report).trim_end());
    for line in done.report.last_words.iter().filter(|_| !log_was_shown) {
        say!("  {line}");
    }
    say!("{}", emulator_line(&done.summary, done.wall));
    for register in done.summary.unmodelled.iter().take(UNMODELLED_SHOWN) {
        say!(
            "  nobody models {} ({:#010x}): {} reads, {} writes, first by {} at {:#x}",
            register.register,
            register.address,
            register.reads,
            register.writes,
            register.first_by,
            register.first_pc
        );
    }
    let more = done.summary.unmodelled.len().saturating_sub(UNMODELLED_SHOWN);
    if more > 0 {
        say!("  … and {more} more");
    }
    say!("report: {files}");
}

const UNMODELLED_SHOWN: usize = 8;

/// Instructions by processor, speed, and how many registers nobody models.
fn emulator_line(summary: &Summary, wall: Duration) -> String {
    let counters = summary.counters;
    let millions = |count: u64| format!("{:.1} M", count as f64 / 1e6);
    let all = counters.arm_instructions + counters.vpu_instructions;
    let accesses: u64 = summary.unmodelled.iter().map(|register| register.reads + register.writes).sum();
    format!(
        "emulator: VPU {} + {} instructions, Arm {}; {:.3} s emulated in {:.2} s, {:.0} MIPS; \
         {} accesses to {} registers that nobody models",
        millions(summary.vpu_instructions[0]),
        millions(summary.vpu_instructions[1]),
        millions(counters.arm_instructions),
        summary.now_ns as f64 / 1e9,
        wall.as_secs_f64(),
        all as f64 / wall.as_secs_f64().max(1e-9) / 1e6,
        accesses,
        summary.unmodelled.len()
    )
}
