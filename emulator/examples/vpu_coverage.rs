//! How much of a firmware image does the VPU's decoder know?
//!
//! ```text
//! cargo run --release -p emulator --example vpu_coverage -- START.ELF…
//! ```
//!
//! A linear sweep over the code sections: each instruction's length leads to the next. It also runs through data that
//! lies between functions, which is where the unknown words are.

use std::process::ExitCode;

use emulator::vpu::{disassemble, is_known_instruction};
use object::{Object, ObjectSection, SectionKind};

/// Longest instruction, in halfwords.
const LONGEST: usize = 5;

#[derive(Default)]
struct Tally {
    bytes: usize,
    known_bytes: usize,
    instructions: usize,
    /// By length: 16, 32, 48 and 80 bits.
    lengths: [usize; 4],
}

fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in std::env::args().skip(1) {
        if let Err(message) = report(&path) {
            eprintln!("{path}: {message}");
            status = ExitCode::FAILURE;
        }
    }
    status
}

fn report(path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let file = std::fs::read(path)?;
    let elf = object::File::parse(&*file)?;
    for section in elf.sections().filter(|section| section.kind() == SectionKind::Text) {
        let tally = sweep(section.data()?);
        let percent = 100.0 * tally.known_bytes as f64 / tally.bytes.max(1) as f64;
        let [short, word, long, vector] = tally.lengths;
        println!(
            "{path} {}: {} bytes, {percent:.2} % known, {} instructions ({short} / {word} / {long} / {vector})",
            section.name()?,
            tally.bytes,
            tally.instructions,
        );
    }
    Ok(())
}

fn sweep(code: &[u8]) -> Tally {
    let halfwords: Vec<u16> =
        code.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut tally = Tally::default();
    let mut position = 0;
    while position < halfwords.len() {
        let end = halfwords.len().min(position + LONGEST);
        let window = &halfwords[position..end];
        let (length, _) = disassemble(0, window);
        let length = length as usize;
        tally.instructions += 1;
        tally.bytes += length;
        tally.known_bytes += if is_known_instruction(window) { length } else { 0 };
        tally.lengths[match length {
            2 => 0,
            4 => 1,
            6 => 2,
            _ => 3,
        }] += 1;
        position += length / 2;
    }
    tally
}
