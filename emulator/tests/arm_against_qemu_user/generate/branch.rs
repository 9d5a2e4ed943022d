//! Forward branches over whole units.

use super::{Field, Jump, Unit, general_except, source};
use crate::random::Random;

/// Most units skipped.
const MOST: u32 = 4;
/// ADR without its offset.
const ADR: u32 = 0x1000_0000;

pub(super) fn unit(random: &mut Random) -> Unit {
    let skip = random.below(MOST + 1) as usize;
    let (name, words, field) = match random.below(6) {
        0 => ("b, bl", vec![0x1400_0000 | random.bits(1) << 31], Field::Far),
        1 | 2 => ("b.cond", vec![0x5400_0000 | random.bits(4)], Field::Conditional),
        3 => {
            let form = random.bits(1) << 31 | random.bits(1) << 24;
            ("cbz, cbnz", vec![0x3400_0000 | form | source(random)], Field::Conditional)
        }
        4 => {
            let form = random.bits(1) << 31 | random.bits(1) << 24 | random.bits(5) << 19;
            ("tbz, tbnz", vec![0x3600_0000 | form | source(random)], Field::Test)
        }
        _ => {
            let register = general_except(random, &[]);
            let branch = random.pick(&[0xd61f_0000, 0xd63f_0000, 0xd65f_0000]) | register << 5;
            ("br, blr, ret", vec![ADR | register, branch], Field::Address)
        }
    };
    Unit { name, words, jump: Some(Jump { word: 0, field, skip }) }
}
