//! Units of random instructions.
//!
//! Nothing UNPREDICTABLE or undefined is made: no write-back to a loaded register, no load of a pair into one
//! register, no store-exclusive whose status register is one of its sources.

mod branch;
mod immediate;
mod memory;
mod register;

use crate::random::Random;

/// Points to the middle of the scratch area; never written.
pub(crate) const BASE: u32 = 28;

/// Instructions that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) words: Vec<u32>,
    /// A word that jumps over the next units; its offset is filled in by `link`.
    jump: Option<Jump>,
}

/// A forward jump yet to be resolved.
#[derive(Clone, Copy, Debug)]
struct Jump {
    /// Index into `words`.
    word: usize,
    field: Field,
    /// Units to skip.
    skip: usize,
}

/// Where the offset goes.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// imm26.
    Far,
    /// imm19.
    Conditional,
    /// imm14.
    Test,
    /// ADR's immlo and immhi.
    Address,
}

const NOP: u32 = 0xd503_201f;

impl Unit {
    pub(crate) fn new(name: &'static str, words: Vec<u32>) -> Self {
        Self { name, words, jump: None }
    }

    /// The first `length` units as they are, the others blanked, so that jumps keep their targets.
    pub(crate) fn first(units: &[Self], length: usize) -> Vec<Self> {
        let mut cut = units.to_vec();
        for unit in &mut cut[length..] {
            unit.words.fill(NOP);
        }
        cut
    }
}

/// A sequence of `length` units, linked.
pub(crate) fn sequence(random: &mut Random, length: usize) -> Vec<Unit> {
    let mut units: Vec<Unit> = (0..length).map(|_| unit(random)).collect();
    link(&mut units);
    units
}

fn unit(random: &mut Random) -> Unit {
    match random.below(20) {
        0..=4 => immediate::unit(random),
        5..=10 => register::unit(random),
        11..=17 => memory::unit(random),
        _ => branch::unit(random),
    }
}

/// Fills in the offsets of jumps.
fn link(units: &mut [Unit]) {
    for at in 0..units.len() {
        let Some(jump) = units[at].jump else {
            continue;
        };
        let to_end_of_unit = units[at].words.len() - jump.word;
        let last = (at + 1 + jump.skip).min(units.len());
        let skipped: usize = units[at + 1..last].iter().map(|unit| unit.words.len()).sum();
        let words = (to_end_of_unit + skipped) as u32;
        units[at].words[jump.word] |= match jump.field {
            Field::Far => words,
            Field::Conditional | Field::Address => words << 5,
            Field::Test => words << 5,
        };
    }
}

/// A source register; 31 is XZR or SP as the instruction has it.
fn source(random: &mut Random) -> u32 {
    random.below(32)
}

/// A destination register: never the base.
fn destination(random: &mut Random) -> u32 {
    loop {
        let register = random.below(32);
        if register != BASE {
            return register;
        }
    }
}

/// A destination register other than 31 and those given.
fn general_except(random: &mut Random, taken: &[u32]) -> u32 {
    loop {
        let register = random.below(31);
        if register != BASE && !taken.contains(&register) {
            return register;
        }
    }
}

fn flag(random: &mut Random, at: u32) -> u32 {
    random.bits(1) << at
}
