//! Arithmetic, logic, shifts and their flags.

use crate::arm::decode::{DISCARD, Extend, Logic, OneSource, Reg, Shift, Size};
use crate::arm::state::{C, N, State, V, Z};

/// For each condition, a bit a value of NZCV: set if the condition holds (C1.2.4).
const CONDITIONS: [u16; 16] = condition_table();

const fn condition_table() -> [u16; 16] {
    let mut table = [0u16; 16];
    let mut condition = 0;
    while condition < 16 {
        let mut flags = 0u8;
        while flags < 16 {
            if holds_slowly(condition as u8, flags) {
                table[condition] |= 1 << flags;
            }
            flags += 1;
        }
        condition += 1;
    }
    table
}

const fn holds_slowly(condition: u8, flags: u8) -> bool {
    let (n, z, c, v) = (flags & N != 0, flags & Z != 0, flags & C != 0, flags & V != 0);
    let base = match condition >> 1 {
        0 => z,
        1 => c,
        2 => n,
        3 => v,
        4 => c && !z,
        5 => n == v,
        6 => n == v && !z,
        // AL, and NV which means the same.
        _ => return true,
    };
    base != (condition & 1 != 0)
}

/// Shifts a register operand. The result is meaningful in the low `size` bits only.
#[inline(always)]
pub(super) fn shifted(size: Size, shift: Shift, value: u64, amount: u32) -> u64 {
    match (size, shift) {
        (_, Shift::Left) => value << (amount & 63),
        (Size::X, Shift::LogicalRight) => value >> (amount & 63),
        (Size::X, Shift::ArithmeticRight) => ((value as i64) >> (amount & 63)) as u64,
        (Size::X, Shift::RotateRight) => value.rotate_right(amount),
        (Size::W, Shift::LogicalRight) => u64::from(value as u32 >> (amount & 31)),
        (Size::W, Shift::ArithmeticRight) => u64::from((value as i32 >> (amount & 31)) as u32),
        (Size::W, Shift::RotateRight) => u64::from((value as u32).rotate_right(amount)),
    }
}

/// Extends a register operand, then shifts it left.
#[inline(always)]
pub(super) fn extended(extend: Extend, value: u64, left: u8) -> u64 {
    let value = match extend {
        Extend::Byte => u64::from(value as u8),
        Extend::Half => u64::from(value as u16),
        Extend::Word => u64::from(value as u32),
        Extend::Double => value,
        Extend::SignedByte => value as i8 as u64,
        Extend::SignedHalf => value as i16 as u64,
        Extend::SignedWord => value as i32 as u64,
    };
    value << (left & 63)
}

/// RBIT, REV16, REV32, REV, CLZ, CLS.
pub(super) fn one_source(size: Size, operation: OneSource, value: u64) -> u64 {
    let word = value as u32;
    match (operation, size) {
        (OneSource::ReverseBits, Size::X) => value.reverse_bits(),
        (OneSource::ReverseBits, Size::W) => u64::from(word.reverse_bits()),
        (OneSource::ReverseBytes16, _) => {
            let odd = value >> 8 & 0x00ff_00ff_00ff_00ff;
            let even = value << 8 & 0xff00_ff00_ff00_ff00;
            size.narrow(odd | even)
        }
        (OneSource::ReverseBytes32, _) => value.swap_bytes().rotate_right(32),
        (OneSource::ReverseBytes, Size::X) => value.swap_bytes(),
        (OneSource::ReverseBytes, Size::W) => u64::from(word.swap_bytes()),
        (OneSource::LeadingZeros, Size::X) => u64::from(value.leading_zeros()),
        (OneSource::LeadingZeros, Size::W) => u64::from(word.leading_zeros()),
        (OneSource::LeadingSigns, Size::X) => {
            u64::from((value ^ ((value as i64) >> 63) as u64).leading_zeros() - 1)
        }
        (OneSource::LeadingSigns, Size::W) => {
            u64::from((word ^ ((word as i32) >> 31) as u32).leading_zeros() - 1)
        }
    }
}

/// CRC32B to CRC32X and CRC32CB to CRC32CX, bit-reflected polynomials.
pub(super) fn crc32(castagnoli: bool, bytes: u8, accumulator: u64, value: u64) -> u64 {
    let polynomial: u32 = if castagnoli { 0x82f6_3b78 } else { 0xedb8_8320 };
    let mut crc = accumulator as u32;
    for byte in value.to_le_bytes().into_iter().take(usize::from(bytes)) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc = crc >> 1 ^ (polynomial & carry.wrapping_neg());
        }
    }
    u64::from(crc)
}

impl State {
    /// True if the condition holds.
    #[inline(always)]
    pub(super) fn holds(&self, condition: u8) -> bool {
        CONDITIONS[usize::from(condition & 15)] >> (self.flags & 15) & 1 != 0
    }

    /// ADDS. 32-bit operands are worked on in the upper half of a 64-bit sum, whose flags are the right ones.
    #[inline(always)]
    pub(super) fn add_flags(&mut self, size: Size, rd: Reg, a: u64, b: u64) {
        let up = 64 - size.bits();
        let (a, b) = (a << up, b << up);
        let (sum, carry) = a.overflowing_add(b);
        let overflow = (a ^ sum) & (b ^ sum);
        self.set_flags(sum, carry, overflow);
        self.set(rd, sum >> up);
    }

    /// SUBS.
    #[inline(always)]
    pub(super) fn subtract_flags(&mut self, size: Size, rd: Reg, a: u64, b: u64) {
        let up = 64 - size.bits();
        let (a, b) = (a << up, b << up);
        let (difference, borrow) = a.overflowing_sub(b);
        let overflow = (a ^ b) & (a ^ difference);
        self.set_flags(difference, !borrow, overflow);
        self.set(rd, difference >> up);
    }

    /// N and V from the top bits, Z from the whole.
    #[inline(always)]
    fn set_flags(&mut self, result: u64, carry: bool, overflow: u64) {
        let n = if result >> 63 != 0 { N } else { 0 };
        let z = if result == 0 { Z } else { 0 };
        let c = if carry { C } else { 0 };
        let v = if overflow >> 63 != 0 { V } else { 0 };
        self.flags = n | z | c | v;
    }

    /// ADD, SUB, ADDS, SUBS with an operand that is ready.
    #[inline(always)]
    pub(super) fn add_or_subtract(
        &mut self,
        size: Size,
        subtract: bool,
        flags: bool,
        rd: Reg,
        a: u64,
        b: u64,
    ) {
        match (subtract, flags) {
            (false, false) => self.set(rd, size.narrow(a.wrapping_add(b))),
            (true, false) => self.set(rd, size.narrow(a.wrapping_sub(b))),
            (false, true) => self.add_flags(size, rd, a, b),
            (true, true) => self.subtract_flags(size, rd, a, b),
        }
    }

    /// ADC, SBC, ADCS, SBCS.
    pub(super) fn add_carry(&mut self, size: Size, subtract: bool, flags: bool, rd: Reg, rn: Reg, rm: Reg) {
        let (a, b) = (self.get(rn), self.get(rm));
        let b = size.narrow(if subtract { !b } else { b });
        let a = size.narrow(a);
        let carry_in = u64::from(self.flags & C != 0);
        let sum = u128::from(a) + u128::from(b) + u128::from(carry_in);
        let result = size.narrow(sum as u64);
        if flags {
            let up = 64 - size.bits();
            let overflow = ((a ^ result) & (b ^ result)) << up;
            self.set_flags(result << up, sum >> size.bits() != 0, overflow);
        }
        self.set(rd, result);
    }

    /// AND, ORR, EOR, ANDS.
    #[inline(always)]
    pub(super) fn logic(&mut self, size: Size, logic: Logic, rd: Reg, a: u64, b: u64) {
        let result = match logic {
            Logic::And | Logic::AndFlags => a & b,
            Logic::Or => a | b,
            Logic::ExclusiveOr => a ^ b,
        };
        let result = size.narrow(result);
        if logic == Logic::AndFlags {
            let up = 64 - size.bits();
            self.set_flags(result << up, false, 0);
        }
        self.set(rd, result);
    }

    /// MOVK.
    #[inline(always)]
    pub(super) fn insert_halfword(&mut self, size: Size, rd: Reg, shift: u8, value: u16) {
        let shift = shift & 63;
        let kept = self.get(rd) & !(0xffff << shift);
        self.set(rd, size.narrow(kept | u64::from(value) << shift));
    }

    /// EXTR.
    pub(super) fn extract(&mut self, size: Size, rd: Reg, rn: Reg, rm: Reg, right: u8) {
        let (high, low) = (size.narrow(self.get(rn)), size.narrow(self.get(rm)));
        let both = u128::from(high) << size.bits() | u128::from(low);
        self.set(rd, size.narrow((both >> right) as u64));
    }

    /// CCMP and CCMN.
    #[inline(always)]
    pub(super) fn compare_if(
        &mut self,
        size: Size,
        subtract: bool,
        rn: Reg,
        operand: u64,
        condition: u8,
        otherwise: u8,
    ) {
        if !self.holds(condition) {
            self.flags = otherwise;
        } else if subtract {
            self.subtract_flags(size, DISCARD, self.get(rn), operand);
        } else {
            self.add_flags(size, DISCARD, self.get(rn), operand);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_match_their_definition_for_every_flag_value() {
        // GE, LT, GT, LE at N=1 V=0, N=1 V=1, Z=1.
        let holds = |condition: usize, flags: u8| CONDITIONS[condition] >> flags & 1 != 0;
        assert!(!holds(10, N) && holds(11, N) && !holds(12, N) && holds(13, N));
        assert!(holds(10, N | V) && !holds(11, N | V) && holds(12, N | V) && !holds(13, N | V));
        assert!(holds(10, Z) && !holds(12, Z) && holds(13, Z));
        // HI and LS.
        assert!(holds(8, C) && !holds(8, C | Z) && holds(9, C | Z) && holds(9, 0));
        assert!(holds(14, 0) && holds(15, 0));
    }

    #[test]
    fn crc32_of_the_check_string() {
        let run = |castagnoli| {
            let sum = b"123456789"
                .iter()
                .fold(0xffff_ffff, |crc, byte| crc32(castagnoli, 1, crc, u64::from(*byte)));
            sum as u32 ^ 0xffff_ffff
        };
        assert_eq!(run(false), 0xcbf4_3926);
        assert_eq!(run(true), 0xe306_9283);
    }
}
