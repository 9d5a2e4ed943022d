//! State of the vector unit, and how arithmetic instructions change it.

use super::arithmetic::{self, Carry, LaneResult};
use super::file::{Lanes, RegisterFile};
use super::instruction::{Class, Repeat, VectorInstruction};
use super::modifier::{Accumulate, Modifier, Scalar};
use super::operand;
use crate::vpu::bus::Bus;
use crate::vpu::execute::Context;
use crate::vpu::fault::FaultKind;
use crate::vpu::registers::{Registers, flag};

const UNSUPPORTED: FaultKind = FaultKind::UnsupportedInstruction;

/// Most repetitions that r0 can ask for: the register file has no more rows, and memcpy no larger block.
const MAX_REPETITIONS: u32 = 64;

/// The unit's private lookup table: 64 bytes a lane.
pub(super) const TABLE_BYTES_PER_LANE: usize = 64;

/// State of the vector unit.
pub(in crate::vpu) struct VectorUnit {
    pub(super) file: RegisterFile,
    pub(super) accumulators: [i64; 16],
    pub(super) table: Box<[[u8; TABLE_BYTES_PER_LANE]; 16]>,
    flags: LaneFlags,
}

/// One bit a lane each.
#[derive(Clone, Copy, Default)]
struct LaneFlags {
    zero: u16,
    negative: u16,
    carry: u16,
}

/// Results of one repetition.
struct Results {
    /// Cut to the operation's width.
    values: Lanes,
    carries: [Carry; 16],
    /// Lanes that had to be clamped.
    clamped: u16,
}

impl VectorUnit {
    pub(in crate::vpu) fn new() -> Self {
        Self {
            file: RegisterFile::new(),
            accumulators: [0; 16],
            table: Box::new([[0; TABLE_BYTES_PER_LANE]; 16]),
            flags: LaneFlags::default(),
        }
    }

    /// Executes one instruction. Nothing has changed if it fails, except for repetitions already done.
    pub(in crate::vpu) fn execute<B: Bus>(
        context: &mut Context<'_, B>,
        instruction: &VectorInstruction,
    ) -> Result<(), FaultKind> {
        match instruction.class {
            Class::Arithmetic(operation) => {
                let unit = &mut *context.vectors;
                unit.arithmetic(context.registers, instruction, operation)
            }
            Class::Memory(operation) => super::memory::execute(context, instruction, operation),
        }
    }

    /// Lanes that take part, a bit each.
    pub(super) fn active_lanes(&self, predicate: u8) -> u16 {
        match predicate {
            0 => u16::MAX,
            1 => 0,
            2 => self.flags.zero,
            3 => !self.flags.zero,
            4 => self.flags.negative,
            5 => !self.flags.negative,
            6 => self.flags.carry,
            _ => !self.flags.carry,
        }
    }

    fn arithmetic(
        &mut self,
        registers: &mut Registers,
        instruction: &VectorInstruction,
        operation: u8,
    ) -> Result<(), FaultKind> {
        let modifier = Modifier::decode(instruction.modifier)?;
        let bytes = operation_bytes(instruction, operation)?;
        let bits = u32::from(bytes) * 8;
        let count = repetitions(instruction, registers)?;
        check_combination(instruction, operation, modifier, count)?;

        for repetition in 0..count {
            let a = operand::source(&instruction.a, bytes, &self.file, registers, repetition)?;
            let b = operand::source_b(&instruction.b, bytes, &self.file, registers, repetition)?;
            let destination = operand::window(&instruction.d, registers, repetition)?;
            let active = self.active_lanes(instruction.predicate);
            let mut results = self.compute(instruction, operation, bits, &a, &b)?;
            match modifier {
                Modifier::None => {}
                Modifier::Clear => for_each_lane(active, |lane| self.accumulators[lane] = 0),
                Modifier::Accumulate(accumulate) => {
                    self.accumulate(accumulate, &mut results.values, active, bits);
                }
                Modifier::Scalar(scalar) => write_scalar(registers, scalar, &results.values, active, bits)?,
            }
            if let Some(window) = destination {
                for_each_lane(active, |lane| self.file.write(window, lane, results.values[lane]));
            }
            if instruction.set_flags {
                self.flags.update(&results, active, bits);
            }
        }
        Ok(())
    }

    fn compute(
        &self,
        instruction: &VectorInstruction,
        operation: u8,
        bits: u32,
        a: &Lanes,
        b: &Lanes,
    ) -> Result<Results, FaultKind> {
        let mut results = Results { values: [0; 16], carries: [Carry::Kept; 16], clamped: 0 };
        if let Some(values) = arithmetic::shuffle(operation, bits, a, b) {
            results.values = values;
            return Ok(results);
        }
        let destination_bytes = match operand::element_bytes(&instruction.d) {
            0 => (bits / 8) as u8,
            bytes => bytes,
        };
        for lane in 0..16 {
            let LaneResult { value, carry } = if arithmetic::is_multiplication(operation) {
                arithmetic::multiply(operation, bits == 32, a[lane], b[lane])?
            } else {
                let carry = self.flags.carry >> lane & 1 != 0;
                arithmetic::lane(operation, bits, a[lane], b[lane], carry)?
            };
            let kept = if arithmetic::saturates(operation) { clamp(value, destination_bytes) } else { value };
            results.values[lane] = kept as u32;
            results.carries[lane] = carry;
            results.clamped |= u16::from(kept != value) << lane;
        }
        Ok(results)
    }

    fn accumulate(&mut self, accumulate: Accumulate, values: &mut Lanes, active: u16, bits: u32) {
        for_each_lane(active, |lane| {
            values[lane] = accumulate.apply(&mut self.accumulators[lane], values[lane], bits) as u32;
        });
    }
}

impl LaneFlags {
    fn update(&mut self, results: &Results, active: u16, bits: u32) {
        for_each_lane(active, |lane| {
            let value = arithmetic::signed(results.values[lane], bits);
            set_bit(&mut self.zero, lane, value == 0);
            set_bit(&mut self.negative, lane, value < 0);
            match results.carries[lane] {
                Carry::Is(carry) => set_bit(&mut self.carry, lane, carry),
                Carry::Clamped => set_bit(&mut self.carry, lane, results.clamped >> lane & 1 != 0),
                // `Unknown` has been refused before.
                Carry::Kept | Carry::Unknown => {}
            }
        });
    }
}

/// Width of the operation: its own, but a multiplication has none and takes that of the widest register.
fn operation_bytes(instruction: &VectorInstruction, operation: u8) -> Result<u8, FaultKind> {
    let destination = operand::element_bytes(&instruction.d);
    let bytes = instruction.bytes;
    if arithmetic::is_multiplication(operation) && bytes == 2 {
        let widest = destination
            .max(operand::element_bytes(&instruction.a))
            .max(operand::element_bytes_b(&instruction.b));
        // Between bytes alone, high halves and flags are not known; words are not multiplied.
        let bytes_alone_matter = operation >= 52 || instruction.set_flags;
        if widest == 4 || (widest == 1 && bytes_alone_matter) {
            return Err(UNSUPPORTED);
        }
    }
    if destination > bytes { Err(UNSUPPORTED) } else { Ok(bytes) }
}

/// How often to do the instruction.
pub(super) fn repetitions(instruction: &VectorInstruction, registers: &Registers) -> Result<u32, FaultKind> {
    match instruction.repeat {
        Repeat::Times(count) => Ok(count.into()),
        Repeat::R0 => match registers.get(0) {
            count @ 1..=MAX_REPETITIONS => Ok(count),
            // What zero, or more, would do is not known.
            _ => Err(UNSUPPORTED),
        },
    }
}

/// Refuses what no measurement covers.
fn check_combination(
    instruction: &VectorInstruction,
    operation: u8,
    modifier: Modifier,
    count: u32,
) -> Result<(), FaultKind> {
    let carry_is_unknown = matches!(operation, 12 | 14 | 15 | 50 | 51);
    let is_known = match modifier {
        Modifier::None => true,
        Modifier::Clear => count == 1,
        Modifier::Accumulate(accumulate) => {
            let narrow_high = accumulate.is_high() && operand::element_bytes(&instruction.d) == 1;
            let clears_again = accumulate.clears() && count != 1;
            !arithmetic::saturates(operation) && !instruction.set_flags && !narrow_high && !clears_again
        }
        Modifier::Scalar(_) => count == 1,
    };
    if is_known && !(instruction.set_flags && carry_is_unknown) { Ok(()) } else { Err(UNSUPPORTED) }
}

/// Writes an aggregate of the lanes to its scalar register. That the flags follow it is a guess.
fn write_scalar(
    registers: &mut Registers,
    scalar: Scalar,
    results: &Lanes,
    active: u16,
    bits: u32,
) -> Result<(), FaultKind> {
    set_scalar(registers, scalar, &scalar.read(results, bits), active)
}

/// The same for values that are not lanes of an operation.
pub(super) fn set_scalar(
    registers: &mut Registers,
    scalar: Scalar,
    values: &[i64; 16],
    active: u16,
) -> Result<(), FaultKind> {
    let value = scalar.aggregate(values, active)?;
    registers.set(scalar.register, value);
    let zero = if value == 0 { flag::ZERO } else { 0 };
    let negative = if (value as i32) < 0 { flag::NEGATIVE } else { 0 };
    registers.set_flags(zero | negative);
    Ok(())
}

/// Calls `action` for every lane whose bit is set.
pub(super) fn for_each_lane(active: u16, mut action: impl FnMut(usize)) {
    for lane in 0..16 {
        if active >> lane & 1 != 0 {
            action(lane);
        }
    }
}

/// Clamps into what a destination element holds: bytes are unsigned, wider elements signed.
fn clamp(value: i64, destination_bytes: u8) -> i64 {
    match destination_bytes {
        1 => value.clamp(0, 0xff),
        2 => value.clamp(i64::from(i16::MIN), i64::from(i16::MAX)),
        _ => value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)),
    }
}

fn set_bit(bits: &mut u16, index: usize, value: bool) {
    *bits = *bits & !(1 << index) | u16::from(value) << index;
}
