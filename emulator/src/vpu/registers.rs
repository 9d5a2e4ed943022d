//! The scalar register file, flags included.

use super::op::{PC, SR};
use super::operation::Condition;

/// Flags, the low four bits of SR.
pub(super) mod flag {
    pub(in crate::vpu) const OVERFLOW: u32 = 1;
    /// The borrow of a comparison.
    pub(in crate::vpu) const CARRY: u32 = 2;
    pub(in crate::vpu) const NEGATIVE: u32 = 4;
    pub(in crate::vpu) const ZERO: u32 = 8;
    pub(in crate::vpu) const ALL: u32 = 15;
}

/// SR bit 30: interrupts are taken.
pub(super) const INTERRUPT_ENABLE: u32 = 1 << 30;
/// SR bits 4 and 5: the counter that `cbclr` and `cbadd` work on.
pub(super) const COUNTER_MASK: u32 = 0x30;

/// r0..r31. The pc of a running core lives in the run loop; r31 here is brought up to date where it can be seen.
pub(super) struct Registers {
    /// 32 are used. A byte as index needs no bounds check in an array of 256, which is worth 5 % of speed.
    values: [u32; 256],
}

impl Registers {
    pub(super) fn new() -> Self {
        Self { values: [0; 256] }
    }

    #[inline(always)]
    pub(super) fn get(&self, register: u8) -> u32 {
        self.values[register as usize]
    }

    #[inline(always)]
    pub(super) fn set(&mut self, register: u8, value: u32) {
        self.values[register as usize] = value;
    }

    pub(super) fn all(&self) -> &[u32; 32] {
        self.values.first_chunk().expect("256 is more than 32")
    }

    #[inline(always)]
    pub(super) fn pc(&self) -> u32 {
        self.get(PC)
    }

    #[inline(always)]
    pub(super) fn set_pc(&mut self, value: u32) {
        self.set(PC, value);
    }

    #[inline(always)]
    pub(super) fn status(&self) -> u32 {
        self.get(SR)
    }

    #[inline(always)]
    pub(super) fn set_status(&mut self, value: u32) {
        self.set(SR, value);
    }

    #[inline(always)]
    pub(super) fn set_flags(&mut self, flags: u32) {
        self.set(SR, self.get(SR) & !flag::ALL | flags);
    }

    #[inline(always)]
    pub(super) fn satisfies(&self, condition: Condition) -> bool {
        holds(condition, self.status() & flag::ALL)
    }
}

/// True if `flags` (four bits) fulfil `condition`.
#[inline(always)]
pub(in crate::vpu) fn holds(condition: Condition, flags: u32) -> bool {
    TRUE_FOR[condition as usize] >> flags & 1 != 0
}

/// For each condition, one bit for each of the sixteen combinations of flags.
static TRUE_FOR: [u16; 16] = table();

const fn table() -> [u16; 16] {
    let mut masks = [0; 16];
    let mut flags = 0;
    while flags < 16 {
        let zero = flags & flag::ZERO != 0;
        let negative = flags & flag::NEGATIVE != 0;
        let carry = flags & flag::CARRY != 0;
        let overflow = flags & flag::OVERFLOW != 0;
        let less = negative != overflow;
        let results = [
            zero,
            !zero,
            carry,
            !carry,
            negative,
            !negative,
            overflow,
            !overflow,
            !carry && !zero,
            carry || zero,
            !less,
            less,
            !less && !zero,
            less || zero,
            true,
            false,
        ];
        let mut condition = 0;
        while condition < 16 {
            if results[condition] {
                masks[condition] |= 1 << flags;
            }
            condition += 1;
        }
        flags += 1;
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_is_carry_set_because_carry_is_borrow() {
        assert!(holds(Condition::Lower, flag::CARRY));
        assert!(!holds(Condition::HigherOrSame, flag::CARRY));
        assert!(holds(Condition::Higher, 0));
        assert!(!holds(Condition::Higher, flag::ZERO));
        assert!(holds(Condition::LowerOrSame, flag::ZERO));
    }

    #[test]
    fn signed_conditions_compare_negative_with_overflow() {
        assert!(holds(Condition::Less, flag::NEGATIVE));
        assert!(holds(Condition::Less, flag::OVERFLOW));
        assert!(holds(Condition::GreaterOrEqual, flag::NEGATIVE | flag::OVERFLOW));
        assert!(!holds(Condition::Greater, flag::ZERO));
        assert!(holds(Condition::LessOrEqual, flag::ZERO));
    }

    #[test]
    fn always_and_never_ignore_the_flags() {
        for flags in 0..16 {
            assert!(holds(Condition::Always, flags));
            assert!(!holds(Condition::Never, flags));
        }
    }
}
