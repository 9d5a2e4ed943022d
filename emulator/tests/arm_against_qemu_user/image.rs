//! Code and data of a batch, as a static ELF.
//!
//! Each sequence has a block of data: inputs (x0 to x30, SP, NZCV), scratch, results (the same registers). Its
//! code loads the inputs, runs, and stores the results; the program ends by writing all blocks to file 1.

use crate::generate::{BASE, Unit};
use crate::random::Random;

pub(crate) const CODE: u64 = 0x1000_0000;
pub(crate) const DATA: u64 = 0x2000_0000;

const BLOCK: usize = 0x800;
const SCRATCH: usize = 0x200;
/// What the base register points at.
const MIDDLE: usize = 0x400;
const RESULTS: usize = 0x600;
/// Words compared: scratch, then x0 to x30, SP, NZCV.
const SCRATCH_WORDS: usize = (RESULTS - SCRATCH) / 8;
const REGISTERS: usize = 33;
pub(crate) const RESULT_WORDS: usize = SCRATCH_WORDS + REGISTERS;

const INDEX_SP: usize = 31;
const INDEX_FLAGS: usize = 32;

pub(crate) struct Image {
    pub(crate) code: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

/// What a compared word is.
pub(crate) fn result_name(word: usize) -> String {
    if word < SCRATCH_WORDS {
        let offset = (SCRATCH + word * 8) as i64 - MIDDLE as i64;
        return format!("scratch{offset:+}");
    }
    match word - SCRATCH_WORDS {
        INDEX_SP => "sp".to_owned(),
        INDEX_FLAGS => "nzcv".to_owned(),
        register => format!("x{register}"),
    }
}

impl Image {
    /// A batch with random inputs.
    pub(crate) fn new(bodies: &[Vec<Unit>], random: &mut Random) -> Self {
        let mut data = Vec::with_capacity(bodies.len() * BLOCK);
        for block in 0..bodies.len() {
            let address = DATA + (block * BLOCK) as u64;
            for register in 0..REGISTERS {
                let value = match register {
                    INDEX_SP => address + MIDDLE as u64 + u64::from(random.below(8)) * 16,
                    INDEX_FLAGS => u64::from(random.bits(4)) << 28,
                    register if register == BASE as usize => address + MIDDLE as u64,
                    _ => register_value(random),
                };
                data.extend(value.to_le_bytes());
            }
            data.resize(block * BLOCK + SCRATCH, 0);
            while data.len() < block * BLOCK + RESULTS {
                data.extend(random.next().to_le_bytes());
            }
            data.resize((block + 1) * BLOCK, 0);
        }
        Self { code: code(bodies), data }
    }

    /// One sequence with the inputs of a block of another image. Values that are addresses move with the block.
    pub(crate) fn with_input(body: &[Unit], input: &[u8]) -> Self {
        let mut data = input.to_vec();
        let middle = DATA + MIDDLE as u64;
        for register in [BASE as usize, INDEX_SP] {
            data[register * 8..register * 8 + 8].copy_from_slice(&middle.to_le_bytes());
        }
        Self { code: code(&[body.to_vec()]), data }
    }

    /// The data block of a sequence.
    pub(crate) fn input(&self, sequence: usize) -> &[u8] {
        &self.data[sequence * BLOCK..(sequence + 1) * BLOCK]
    }

    /// The words to compare of a sequence.
    pub(crate) fn results(&self, data: &[u8], sequence: usize) -> Vec<u64> {
        let block = &data[sequence * BLOCK..(sequence + 1) * BLOCK];
        let compared = &block[SCRATCH..RESULTS + REGISTERS * 8];
        compared.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes"))).collect()
    }

    /// The first sequence whose results differ.
    pub(crate) fn first_difference(&self, expected: &[u8], actual: &[u8]) -> Option<usize> {
        let blocks = self.data.len() / BLOCK;
        (0..blocks).find(|&block| self.results(expected, block) != self.results(actual, block))
    }

    /// The executable: two loadable segments, no sections.
    pub(crate) fn elf(&self) -> Vec<u8> {
        const PAGE: usize = 0x1000;
        let data_offset = (PAGE + self.code.len()).next_multiple_of(PAGE);
        let mut file = Vec::new();
        file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        // Executable, AArch64, version 1.
        file.extend([2, 0, 183, 0, 1, 0, 0, 0]);
        for word in [CODE, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0u32.to_le_bytes());
        for half in [64u16, 56, 2, 64, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        // Flags: read and execute, read and write.
        let segments = [(5u32, PAGE, CODE, self.code.len()), (6u32, data_offset, DATA, self.data.len())];
        for (flags, offset, address, length) in segments {
            file.extend(1u32.to_le_bytes());
            file.extend(flags.to_le_bytes());
            for word in [offset as u64, address, address, length as u64, length as u64, PAGE as u64] {
                file.extend(word.to_le_bytes());
            }
        }
        file.resize(PAGE, 0);
        file.extend(&self.code);
        file.resize(data_offset, 0);
        file.extend(&self.data);
        file
    }
}

/// A register value: often one on which carries, signs and widths turn.
fn register_value(random: &mut Random) -> u64 {
    const CORNERS: [u64; 12] = [
        0,
        1,
        2,
        0x7f,
        0x8000,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x1_0000_0000,
        0x7fff_ffff_ffff_ffff,
        0x8000_0000_0000_0000,
        u64::MAX,
    ];
    match random.below(4) {
        0 => random.pick(&CORNERS),
        1 => random.next() >> random.below(64),
        _ => random.next(),
    }
}

/// MOVZ and MOVK of a 32-bit value.
fn load_constant(register: u32, value: u64) -> [u32; 2] {
    let (low, high) = ((value & 0xffff) as u32, (value >> 16 & 0xffff) as u32);
    [0xd280_0000 | low << 5 | register, 0xf2a0_0000 | high << 5 | register]
}

fn code(bodies: &[Vec<Unit>]) -> Vec<u8> {
    let mut words = Vec::new();
    for (block, body) in bodies.iter().enumerate() {
        enter(&mut words, DATA + (block * BLOCK) as u64);
        words.extend(body.iter().flat_map(|unit| &unit.words));
        leave(&mut words);
    }
    // write(1, DATA, length), exit(0).
    words.push(0xd280_0020);
    words.extend(load_constant(1, DATA));
    words.extend(load_constant(2, (bodies.len() * BLOCK) as u64));
    words.extend([0xd280_0808, 0xd400_0001, 0xd280_0000, 0xd280_0ba8, 0xd400_0001]);
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Loads the inputs.
fn enter(words: &mut Vec<u32>, block: u64) {
    let load = |rt: u32, rn: u32, index: usize| 0xf940_0000 | (index as u32) << 10 | rn << 5 | rt;
    words.extend(load_constant(30, block));
    words.push(load(0, 30, INDEX_SP));
    // mov sp, x0
    words.push(0x9100_001f);
    words.push(load(0, 30, INDEX_FLAGS));
    // msr nzcv, x0
    words.push(0xd51b_4200);
    words.extend((0..31).map(|register| load(register, 30, register as usize)));
}

/// Stores the results.
fn leave(words: &mut Vec<u32>) {
    let first = ((RESULTS - MIDDLE) / 8) as u32;
    let store = |rt: u32, index: u32| 0xf900_0000 | (first + index) << 10 | BASE << 5 | rt;
    words.extend((0..31).map(|register| store(register, register)));
    // mov x0, sp; mrs x0, nzcv
    words.extend([0x9100_03e0, store(0, INDEX_SP as u32), 0xd53b_4200, store(0, INDEX_FLAGS as u32)]);
}
