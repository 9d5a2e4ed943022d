//! Random translations, permissions and traps give the same exceptions in our core as in `qemu-system-aarch64`.
//!
//! A bare-metal program runs on QEMU's `raspi3b` (a Cortex-A53) and in our core. For each case it writes a page
//! descriptor, a table descriptor and SCTLR_EL1, tries one instruction at EL0 or EL1, and sends what the exception
//! left in ESR, FAR, ELR, SPSR and PAR, and x0. Both machines must send the same bytes.
//!
//! Environment: `ARM_CASES`, `ARM_SEED`, and `REQUIRE_QEMU=1`, which makes a missing QEMU a failure.

mod cases;
mod ours;
mod program;
mod qemu;
#[path = "../arm_against_qemu_user/random.rs"]
mod random;

use cases::{Case, RESULT};
use program::TRIED;
use random::Random;

const DEFAULT_CASES: u64 = 4000;
const DEFAULT_SEED: u64 = 0x5eed_0002;
/// Different cases described.
const SHOWN: usize = 8;
/// What the words of a result are.
const NAMES: [&str; 6] = ["ESR", "FAR", "ELR", "SPSR", "PAR", "x0"];
const PAR: usize = 4;
const PAR_SHAREABILITY: u64 = 3 << 7;

fn number_from_environment(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

fn describe(case: &Case, expected: &[u64], actual: &[u64]) -> String {
    let mut report = format!("{}: {case:x?}\n", TRIED[case.tried].1);
    for ((name, expected), actual) in NAMES.iter().zip(expected).zip(actual) {
        report += &format!("  {name:4} qemu {expected:#018x}, ours {actual:#018x}\n");
    }
    report
}

fn words(result: &[u8]) -> Vec<u64> {
    let words = result.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes")));
    let mut words: Vec<u64> = words.collect();
    // A good PAR: QEMU 7.2 reports the descriptor's shareability also where the architecture says "outer".
    if words[PAR] & 1 == 0 {
        words[PAR] &= !PAR_SHAREABILITY;
    }
    words
}

#[test]
fn random_translations_raise_the_same_exceptions_as_in_qemu() {
    if !qemu::is_installed() {
        let is_required = std::env::var("REQUIRE_QEMU").is_ok_and(|value| value == "1");
        assert!(
            !is_required,
            "qemu-system-aarch64 is not installed (package qemu-system-arm), and REQUIRE_QEMU=1"
        );
        println!("skipped: qemu-system-aarch64 is not installed (package qemu-system-arm)");
        return;
    }
    let count = number_from_environment("ARM_CASES", DEFAULT_CASES);
    let seed = number_from_environment("ARM_SEED", DEFAULT_SEED);
    let mut random = Random::new(seed);
    let cases: Vec<Case> = (0..count).map(|_| Case::random(&mut random)).collect();
    let memory = cases::memory(&cases);
    let expected =
        qemu::run(cases::image(&memory), cases.len() * RESULT).unwrap_or_else(|error| panic!("{error}"));
    let actual = ours::run(&memory, cases.len() * RESULT).unwrap_or_else(|error| panic!("{error}"));
    let results = expected.chunks_exact(RESULT).zip(actual.chunks_exact(RESULT));
    let different: Vec<String> = cases
        .iter()
        .zip(results.map(|(expected, actual)| (words(expected), words(actual))))
        .filter(|(_, (expected, actual))| expected != actual)
        .map(|(case, (expected, actual))| describe(case, &expected, &actual))
        .collect();
    let shown = different.iter().take(SHOWN).cloned().collect::<String>();
    assert!(different.is_empty(), "seed {seed}: {} of {count} cases differ\n{shown}", different.len());
    println!("{count} cases: same exceptions as in qemu-system-aarch64");
}
