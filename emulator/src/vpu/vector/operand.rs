//! From operand slots to lanes.

use super::file::{Lanes, RegisterFile, Window};
use super::instruction::{NO_ADDEND, OperandB, Slot, SlotKind};
use crate::vpu::fault::FaultKind;
use crate::vpu::registers::Registers;

/// Elements a `+rN` can move a window by: the row has no more.
const MAX_ADDEND: u32 = 64;

/// The register a slot names in the given repetition; none for a dash.
pub(super) fn window(
    slot: &Slot,
    registers: &Registers,
    repetition: u32,
) -> Result<Option<Window>, FaultKind> {
    let (bytes, is_vertical) = match slot.kind {
        SlotKind::Dash => return Ok(None),
        SlotKind::Horizontal { bytes } => (bytes, false),
        SlotKind::Vertical { bytes } => (bytes, true),
    };
    let mut row = usize::from(slot.row);
    let mut element = usize::from(slot.element);
    if slot.addend != NO_ADDEND {
        let addend = registers.get(slot.addend);
        // What the bits above the element index do was not measured.
        if addend >= MAX_ADDEND {
            return Err(FaultKind::UnsupportedInstruction);
        }
        element += addend as usize;
    }
    let steps = if slot.increment { repetition as usize } else { 0 };
    if is_vertical {
        row &= 0x30;
        element += steps;
    } else {
        row += steps;
    }
    Ok(Some(Window { row, element, bytes: usize::from(bytes), is_vertical }))
}

/// Width in bytes of the elements a slot names; 0 for a dash.
pub(super) fn element_bytes(slot: &Slot) -> u8 {
    match slot.kind {
        SlotKind::Dash => 0,
        SlotKind::Horizontal { bytes } | SlotKind::Vertical { bytes } => bytes,
    }
}

/// Width in bytes of the elements the third operand names; 0 unless it is a vector.
pub(super) fn element_bytes_b(b: &OperandB) -> u8 {
    match b {
        OperandB::Slot(slot) => element_bytes(slot),
        _ => 0,
    }
}

/// A source vector as an operation `bytes` wide sees it: bytes zero-extended, halfwords sign-extended, a dash all
/// zeros. Registers wider than the operation have no known meaning.
pub(super) fn source(
    slot: &Slot,
    bytes: u8,
    file: &RegisterFile,
    registers: &Registers,
    repetition: u32,
) -> Result<Lanes, FaultKind> {
    let Some(window) = window(slot, registers, repetition)? else {
        return Ok([0; 16]);
    };
    if window.bytes > usize::from(bytes) {
        return Err(FaultKind::UnsupportedInstruction);
    }
    let lanes = file.read(window);
    Ok(match window.bytes {
        2 => lanes.map(|lane| lane as i16 as u32),
        _ => lanes,
    })
}

/// The third operand of an arithmetic instruction.
pub(super) fn source_b(
    b: &OperandB,
    bytes: u8,
    file: &RegisterFile,
    registers: &Registers,
    repetition: u32,
) -> Result<Lanes, FaultKind> {
    match b {
        OperandB::Slot(slot) => source(slot, bytes, file, registers, repetition),
        _ => Ok([scalar(b, registers)?; 16]),
    }
}

/// The value of a third operand that is not a vector.
pub(super) fn scalar(b: &OperandB, registers: &Registers) -> Result<u32, FaultKind> {
    match *b {
        OperandB::Immediate(value) => Ok(value as u32),
        OperandB::Scalar { register, displacement } if register < 32 => {
            Ok(registers.get(register).wrapping_add_signed(displacement))
        }
        _ => Err(FaultKind::UnsupportedInstruction),
    }
}
