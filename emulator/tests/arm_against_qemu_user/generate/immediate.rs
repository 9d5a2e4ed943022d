//! Data processing, immediate.

use super::{Unit, destination, flag, source};
use crate::random::Random;

pub(super) fn unit(random: &mut Random) -> Unit {
    let (name, word) = match random.below(6) {
        0 | 1 => ("add/sub immediate", add_subtract(random)),
        2 => ("logical immediate", logic(random)),
        3 => ("move wide", move_wide(random)),
        4 => ("bitfield", bitfield(random)),
        _ if random.flip() => ("extract", extract(random)),
        _ => ("pc relative", pc_relative(random)),
    };
    Unit::new(name, vec![word])
}

fn registers(random: &mut Random) -> u32 {
    source(random) << 5 | destination(random)
}

fn add_subtract(random: &mut Random) -> u32 {
    let form = flag(random, 31) | flag(random, 30) | flag(random, 29) | flag(random, 22);
    0x1100_0000 | form | random.bits(12) << 10 | registers(random)
}

fn logic(random: &mut Random) -> u32 {
    loop {
        let (is_wide, n) = (random.bits(1), random.bits(1));
        let (immr, imms) = (random.bits(6), random.bits(6));
        if is_bitmask(is_wide, n, imms) {
            let operation = random.bits(2) << 29;
            let mask = n << 22 | immr << 16 | imms << 10;
            return 0x1200_0000 | is_wide << 31 | operation | mask | registers(random);
        }
    }
}

/// A run of ones may fill neither nothing nor all of its element.
fn is_bitmask(is_wide: u32, n: u32, imms: u32) -> bool {
    if n == 1 {
        return is_wide == 1 && imms != 63;
    }
    // Elements of 32, 16, 8, 4 and 2 bits: imms is 0xxxxx, 10xxxx, 110xxx, 1110xx, 11110x.
    [(0x20, 0x00, 31), (0x30, 0x20, 15), (0x38, 0x30, 7), (0x3c, 0x38, 3), (0x3e, 0x3c, 1)]
        .iter()
        .any(|&(mask, pattern, ones)| imms & mask == pattern && imms & ones != ones)
}

fn move_wide(random: &mut Random) -> u32 {
    let is_wide = random.bits(1);
    let half = if is_wide == 1 { random.bits(2) } else { random.bits(1) };
    let operation = random.pick(&[0b00, 0b10, 0b11]);
    0x1280_0000 | is_wide << 31 | operation << 29 | half << 21 | random.bits(16) << 5 | destination(random)
}

fn bitfield(random: &mut Random) -> u32 {
    let is_wide = random.bits(1);
    let bits = if is_wide == 1 { 6 } else { 5 };
    let operation = random.below(3) << 29;
    let field = random.bits(bits) << 16 | random.bits(bits) << 10;
    0x1300_0000 | is_wide << 31 | is_wide << 22 | operation | field | registers(random)
}

fn extract(random: &mut Random) -> u32 {
    let is_wide = random.bits(1);
    let lsb = if is_wide == 1 { random.bits(6) } else { random.bits(5) };
    0x1380_0000 | is_wide << 31 | is_wide << 22 | source(random) << 16 | lsb << 10 | registers(random)
}

fn pc_relative(random: &mut Random) -> u32 {
    0x1000_0000 | flag(random, 31) | random.bits(2) << 29 | random.bits(19) << 5 | destination(random)
}
