//! Data processing, register; and the flags as a register.

use super::{Unit, destination, flag, source};
use crate::random::Random;

pub(super) fn unit(random: &mut Random) -> Unit {
    let (name, word) = match random.below(14) {
        0 => ("logical shifted", logic_shifted(random)),
        1 => ("move register", move_register(random)),
        2 | 3 => ("add/sub shifted", add_shifted(random)),
        4 => ("add/sub extended", add_extended(random)),
        5 => ("add/sub with carry", add_carry(random)),
        6 | 7 => ("conditional compare", conditional_compare(random)),
        8 => ("conditional select", select(random)),
        9 => ("one source", one_source(random)),
        10 => ("two sources", two_sources(random)),
        11 => ("crc32", crc32(random)),
        12 => ("three sources", three_sources(random)),
        _ => ("flags", flags(random)),
    };
    Unit::new(name, vec![word])
}

fn three_registers(random: &mut Random) -> u32 {
    source(random) << 16 | source(random) << 5 | destination(random)
}

/// `sf` and a shift amount that fits it.
fn size_and_amount(random: &mut Random) -> u32 {
    if random.flip() { 1 << 31 | random.bits(6) << 10 } else { random.bits(5) << 10 }
}

fn logic_shifted(random: &mut Random) -> u32 {
    let form = random.bits(2) << 29 | random.bits(2) << 22 | flag(random, 21);
    0x0a00_0000 | form | size_and_amount(random) | three_registers(random)
}

fn move_register(random: &mut Random) -> u32 {
    0x2a00_03e0 | flag(random, 31) | source(random) << 16 | destination(random)
}

fn add_shifted(random: &mut Random) -> u32 {
    let form = random.bits(2) << 29 | random.below(3) << 22;
    0x0b00_0000 | form | size_and_amount(random) | three_registers(random)
}

fn add_extended(random: &mut Random) -> u32 {
    let form = random.bits(3) << 29 | random.bits(3) << 13 | random.below(5) << 10;
    0x0b20_0000 | form | three_registers(random)
}

fn add_carry(random: &mut Random) -> u32 {
    0x1a00_0000 | random.bits(3) << 29 | three_registers(random)
}

fn conditional_compare(random: &mut Random) -> u32 {
    let form = flag(random, 31) | flag(random, 30) | flag(random, 11) | random.bits(4) << 12;
    0x3a40_0000 | form | random.bits(5) << 16 | source(random) << 5 | random.bits(4)
}

fn select(random: &mut Random) -> u32 {
    let form = flag(random, 31) | flag(random, 30) | flag(random, 10) | random.bits(4) << 12;
    0x1a80_0000 | form | three_registers(random)
}

fn one_source(random: &mut Random) -> u32 {
    let is_wide = random.bits(1);
    let opcode = if is_wide == 1 { random.below(6) } else { random.pick(&[0, 1, 2, 4, 5]) };
    0x5ac0_0000 | is_wide << 31 | opcode << 10 | source(random) << 5 | destination(random)
}

fn two_sources(random: &mut Random) -> u32 {
    let opcode = random.pick(&[2, 3, 8, 9, 10, 11]);
    0x1ac0_0000 | flag(random, 31) | opcode << 10 | three_registers(random)
}

fn crc32(random: &mut Random) -> u32 {
    let log2_bytes = random.bits(2);
    let is_wide = u32::from(log2_bytes == 3);
    let opcode = 0x10 | random.bits(1) << 2 | log2_bytes;
    0x1ac0_0000 | is_wide << 31 | opcode << 10 | three_registers(random)
}

fn three_sources(random: &mut Random) -> u32 {
    let (is_wide, operation, subtract) = match random.below(5) {
        0 => (random.bits(1), 0b000, random.bits(1)),
        1 => (1, 0b001, random.bits(1)),
        2 => (1, 0b101, random.bits(1)),
        3 => (1, 0b010, 0),
        _ => (1, 0b110, 0),
    };
    // The high multiplies have no addend; the field should be ones.
    let addend = if operation & 2 != 0 { 31 } else { source(random) };
    let form = is_wide << 31 | operation << 21 | subtract << 15 | addend << 10;
    0x1b00_0000 | form | three_registers(random)
}

/// MSR NZCV and MRS NZCV.
fn flags(random: &mut Random) -> u32 {
    if random.flip() { 0xd51b_4200 | source(random) } else { 0xd53b_4200 | destination(random) }
}
