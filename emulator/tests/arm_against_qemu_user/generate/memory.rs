//! Loads and stores to the scratch area, in every addressing mode, and exclusives.

use super::{BASE, NOP, Unit, destination, general_except, source};
use crate::random::Random;

/// Bytes of scratch on either side of the base that an access may reach.
const REACH: i32 = 496;
const STACK: u32 = 31;

pub(super) fn unit(random: &mut Random) -> Unit {
    match random.below(16) {
        0 | 1 => unsigned_offset(random),
        2 => unscaled(random),
        3 | 4 => indexed(random),
        5..=7 => register_offset(random),
        8..=10 => pair(random),
        11 => literal(random),
        12 => ordered(random),
        13 => exclusive(random),
        14 => exclusive_pair(random),
        _ if random.flip() => zero_block(random),
        _ => Unit::new("barriers, hints", vec![random.pick(&[0xd503_3bbf, 0xd503_3f9f, 0xd503_3fdf, NOP])]),
    }
}

/// `register` = base + `delta`, |delta| < 2^24.
fn point(register: u32, delta: i32) -> Vec<u32> {
    let operation = if delta < 0 { 0xd100_0000 } else { 0x9100_0000 };
    let distance = delta.unsigned_abs();
    let low = operation | (distance & 0xfff) << 10;
    match distance >> 12 {
        0 => vec![low | BASE << 5 | register],
        high => vec![low | BASE << 5 | register, operation | 1 << 22 | high << 10 | register << 5 | register],
    }
}

/// A base register, with the instructions that make it plus `offset` land in scratch, aligned to `align`.
fn base_for(random: &mut Random, offset: i32, align: i32) -> (u32, Vec<u32>) {
    let is_stack = random.below(4) == 0;
    let target = random.below(2 * REACH as u32 - 64) as i32 - REACH + 32;
    if is_stack {
        // SP itself has to be a multiple of 16, which then decides how the access is aligned.
        let delta = (target - offset) & !15;
        return (STACK, point(STACK, delta));
    }
    let register = general_except(random, &[]);
    (register, point(register, (target & !(align - 1)) - offset))
}

/// `size` and `opc` of a single register access that exists: (size, opc, is_load).
fn transfer(random: &mut Random) -> (u32, u32, bool) {
    loop {
        let (size, opc) = (random.bits(2), random.bits(2));
        let exists = !matches!((size, opc), (2, 3) | (3, 2) | (3, 3));
        if exists {
            return (size, opc, opc != 0);
        }
    }
}

/// The data register: what is loaded may not be the base.
fn data(random: &mut Random, is_load: bool) -> u32 {
    if is_load { destination(random) } else { source(random) }
}

/// The same with write-back: it may not be the base register either.
fn data_except(random: &mut Random, is_load: bool, base: u32) -> u32 {
    loop {
        let register = data(random, is_load);
        if register != base || base == STACK {
            return register;
        }
    }
}

fn finish(name: &'static str, mut words: Vec<u32>, word: u32) -> Unit {
    words.push(word);
    Unit::new(name, words)
}

fn unsigned_offset(random: &mut Random) -> Unit {
    let (size, opc, is_load) = transfer(random);
    let immediate = if random.flip() { random.bits(5) } else { random.bits(12) };
    let (base, words) = base_for(random, (immediate << size) as i32, 1);
    let rt = data(random, is_load);
    finish(
        "load/store unsigned offset",
        words,
        0x3900_0000 | size << 30 | opc << 22 | immediate << 10 | base << 5 | rt,
    )
}

/// LDUR, STUR, LDTR, STTR and PRFUM.
fn unscaled(random: &mut Random) -> Unit {
    let (size, opc, is_load) = transfer(random);
    let immediate = random.bits(9);
    let (base, words) = base_for(random, sign9(immediate), 1);
    let rt = data(random, is_load);
    let is_unprivileged = u32::from(random.below(4) == 0) << 11;
    finish(
        "load/store unscaled",
        words,
        0x3800_0000 | is_unprivileged | size << 30 | opc << 22 | immediate << 12 | base << 5 | rt,
    )
}

fn sign9(immediate: u32) -> i32 {
    ((immediate << 23) as i32) >> 23
}

fn indexed(random: &mut Random) -> Unit {
    let (size, opc, is_load) = transfer(random);
    let immediate = random.bits(9);
    let is_pre = random.bits(1);
    let offset = if is_pre == 1 { sign9(immediate) } else { 0 };
    let (base, words) = base_for(random, offset, 1);
    let rt = data_except(random, is_load, base);
    let mode = 1 << 10 | is_pre << 11;
    finish(
        "load/store pre/post-index",
        words,
        0x3800_0000 | mode | size << 30 | opc << 22 | immediate << 12 | base << 5 | rt,
    )
}

fn register_offset(random: &mut Random) -> Unit {
    let (size, opc, is_load) = transfer(random);
    let is_scaled = random.bits(1);
    let shift = if is_scaled == 1 { size } else { 0 };
    let option = random.pick(&[0b010, 0b011, 0b110, 0b111]);
    let is_word = option & 1 == 0;
    let is_signed = option & 4 != 0;
    // LSL of a 64-bit register takes negative indices as well.
    let is_negative = random.flip() && (is_signed || !is_word);
    let magnitude = random.bits(6) as i32;
    let value = if is_negative { -magnitude - 1 } else { magnitude };
    let (base, mut words) = base_for(random, value << shift, 1);
    let index = general_except(random, &[base]);
    words.push(if is_negative {
        0x9280_0000 | (magnitude as u32) << 5 | index
    } else {
        0xd280_0000 | (magnitude as u32) << 5 | index
    });
    if is_word {
        // The upper half must not matter: MOVK #, LSL #32.
        words.push(0xf2c0_0000 | random.bits(16) << 5 | index);
    }
    let rt = data(random, is_load);
    let form = size << 30 | opc << 22 | index << 16 | option << 13 | is_scaled << 12;
    finish("load/store register offset", words, 0x3820_0800 | form | base << 5 | rt)
}

fn pair(random: &mut Random) -> Unit {
    let is_load = random.flip();
    let size = if is_load { random.pick(&[0, 1, 2]) } else { random.pick(&[0, 2]) };
    let mode = if size == 1 { random.pick(&[1, 2, 3]) } else { random.bits(2) };
    let scale = if size == 2 { 3 } else { 2 };
    let immediate = random.bits(7);
    let offset = (((immediate << 25) as i32) >> 25) << scale;
    let (base, words) = base_for(random, if mode == 1 { 0 } else { offset }, 1);
    let rt = data_except(random, is_load, base);
    let rt2 = loop {
        let rt2 = data_except(random, is_load, base);
        if !is_load || rt2 != rt {
            break rt2;
        }
    };
    let form = size << 30 | mode << 23 | u32::from(is_load) << 22 | immediate << 15;
    finish("load/store pair", words, 0x2800_0000 | form | rt2 << 10 | base << 5 | rt)
}

/// LDR (literal) and PRFM (literal) of nearby code.
fn literal(random: &mut Random) -> Unit {
    let size = random.bits(2);
    let words_away = random.bits(4) as i32 - 8;
    let immediate = (words_away as u32 & 0x7ffff) << 5;
    let rt = destination(random);
    Unit::new("load literal", vec![0x1800_0000 | size << 30 | immediate | rt])
}

/// LDAR, STLR.
fn ordered(random: &mut Random) -> Unit {
    let (size, is_load) = (random.bits(2), random.flip());
    let (base, words) = base_for(random, 0, 8);
    let rt = data(random, is_load);
    let form = size << 30 | u32::from(is_load) << 22;
    finish("load-acquire, store-release", words, 0x089f_fc00 | form | base << 5 | rt)
}

/// Between the halves of an exclusive pair: nothing, or CLREX.
fn between(random: &mut Random) -> u32 {
    if random.below(4) == 0 { 0xd503_3f5f } else { NOP }
}

/// LDXR … STXR and their ordered forms.
fn exclusive(random: &mut Random) -> Unit {
    let size = random.bits(2);
    let (base, mut words) = base_for(random, 0, 8);
    let rt = general_except(random, &[base]);
    let status = general_except(random, &[base, rt]);
    let stored = loop {
        let stored = source(random);
        if stored != status {
            break stored;
        }
    };
    let ordered = |random: &mut Random| random.bits(1) << 15;
    words.push(0x085f_7c00 | ordered(random) | size << 30 | base << 5 | rt);
    words.push(between(random));
    let form = ordered(random) | size << 30 | status << 16;
    finish("exclusive", words, 0x0800_7c00 | form | base << 5 | stored)
}

/// LDXP … STXP and their ordered forms.
fn exclusive_pair(random: &mut Random) -> Unit {
    let size = 2 | random.bits(1);
    let (base, mut words) = base_for(random, 0, 16);
    let rt = general_except(random, &[base]);
    let rt2 = general_except(random, &[base, rt]);
    let status = general_except(random, &[base, rt, rt2]);
    words.push(0x087f_0000 | random.bits(1) << 15 | size << 30 | rt2 << 10 | base << 5 | rt);
    words.push(between(random));
    let form = random.bits(1) << 15 | size << 30 | status << 16 | rt << 10;
    finish("exclusive pair", words, 0x0820_0000 | form | base << 5 | rt2)
}

/// DC ZVA.
fn zero_block(random: &mut Random) -> Unit {
    let register = general_except(random, &[]);
    let delta = random.below(2 * 448) as i32 - 448;
    finish("dc zva", point(register, delta), 0xd50b_7420 | register)
}
