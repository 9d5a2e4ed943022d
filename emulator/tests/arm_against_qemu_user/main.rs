//! Random instruction sequences leave the same registers, flags and memory in our core as in `qemu-aarch64`.
//!
//! ```text
//! random     seeded numbers
//! generate/  units: one or a few instructions that make sense together, by encoding group
//! image      units → code, a static ELF, the layout of its data
//! ours, qemu run an image
//! ```
//!
//! Environment: `ARM_SEQUENCES` (how many), `ARM_SEED`, and `REQUIRE_QEMU=1`, which makes a missing
//! `qemu-aarch64` a failure instead of a skip.

mod generate;
mod image;
mod ours;
mod qemu;
mod random;

use generate::{Unit, sequence};
use image::{Image, RESULT_WORDS, result_name};
use random::Random;

const DEFAULT_SEQUENCES: u64 = 20_000;
/// Sequences in one executable.
const BATCH: u64 = 250;
/// Units in a sequence; a unit is 1 to 6 instructions.
const UNITS: usize = 30;
const DEFAULT_SEED: u64 = 0x5eed_0001;

fn number_from_environment(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

/// The generator of sequence `index`: each can be made again alone.
fn random_of(seed: u64, index: u64) -> Random {
    Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index)
}

#[test]
fn random_sequences_leave_the_same_state_as_in_qemu() {
    if !qemu::is_installed() {
        let is_required = std::env::var("REQUIRE_QEMU").is_ok_and(|value| value == "1");
        assert!(!is_required, "qemu-aarch64 is not installed (package qemu-user), and REQUIRE_QEMU=1");
        println!("skipped: qemu-aarch64 is not installed (package qemu-user)");
        return;
    }
    let sequences = number_from_environment("ARM_SEQUENCES", DEFAULT_SEQUENCES);
    let seed = number_from_environment("ARM_SEED", DEFAULT_SEED);
    let mut machine = ours::Machine::new();
    let mut instructions = 0;
    for first in (0..sequences).step_by(BATCH as usize) {
        let indices = first..(first + BATCH).min(sequences);
        let bodies: Vec<Vec<Unit>> =
            indices.clone().map(|index| sequence(&mut random_of(seed, index), UNITS)).collect();
        instructions += bodies.iter().flatten().map(|unit| unit.words.len()).sum::<usize>();
        let data_random = &mut random_of(seed, first ^ 1 << 63);
        let image = Image::new(&bodies, data_random);
        let expected =
            qemu::run(&image).unwrap_or_else(|error| panic!("seed {seed}, batch {first}: {error}"));
        let actual =
            machine.run(&image).unwrap_or_else(|error| panic!("seed {seed}, batch {first}: {error}"));
        if let Some(at) = image.first_difference(&expected, &actual) {
            let index = first + at as u64;
            let input = image.input(at).to_vec();
            panic!("seed {seed}, sequence {index}\n{}", shrink(&mut machine, &bodies[at], &input));
        }
    }
    println!("{sequences} sequences, {instructions} instructions: same state as in qemu-aarch64");
}

/// Finds the shortest failing beginning of a sequence and describes it.
fn shrink(machine: &mut ours::Machine, units: &[Unit], input: &[u8]) -> String {
    for length in 0..=units.len() {
        let image = Image::with_input(&Unit::first(units, length), input);
        let (Ok(expected), Ok(actual)) = (qemu::run(&image), machine.run(&image)) else {
            return format!("fails to run when cut to {length} units");
        };
        if image.first_difference(&expected, &actual).is_none() {
            continue;
        }
        let mut report = format!("shortest failing beginning: {length} units\n");
        for unit in &units[length.saturating_sub(3)..length] {
            report += &format!("  {}: {:08x?}\n", unit.name, unit.words);
        }
        let (expected, actual) = (image.results(&expected, 0), image.results(&actual, 0));
        for word in 0..RESULT_WORDS {
            if expected[word] != actual[word] {
                let name = result_name(word);
                report += &format!("  {name}: qemu {:#018x}, ours {:#018x}\n", expected[word], actual[word]);
            }
        }
        return report;
    }
    "passes when run alone".to_owned()
}
