//! The memory class: loads and stores, gathers and scatters, the lookup table, and the accumulators read back.

use super::file::Lanes;
use super::instruction::{NO_ADDEND, OperandB, Slot, SlotKind, VectorInstruction};
use super::modifier::Modifier;
use super::operand;
use super::unit::{TABLE_BYTES_PER_LANE, for_each_lane, repetitions, set_scalar};
use crate::ram::Ram;
use crate::vpu::bus::Bus;
use crate::vpu::execute::{Context, memory::is_device};
use crate::vpu::fault::FaultKind;

const UNSUPPORTED: FaultKind = FaultKind::UnsupportedInstruction;

const LOAD: u8 = 0;
const LOOKUP_HIGH: u8 = 1;
const LOOKUP_LOW: u8 = 2;
const STORE: u8 = 4;
const SCATTER_HIGH: u8 = 5;
const SCATTER_LOW: u8 = 6;
const ZEROS: u8 = 7;
const READ_TABLE: u8 = 8;
const WRITE_TABLE: u8 = 9;
const READ_ACCUMULATORS: u8 = 24;

/// Register number that stands for no register at all: address zero.
const NO_REGISTER: u8 = 63;
/// A load that straddles a block of so many bytes wraps around in it.
const LOAD_BLOCK: u32 = 16;

/// Executes an instruction of the memory class.
pub(super) fn execute<B: Bus>(
    context: &mut Context<'_, B>,
    instruction: &VectorInstruction,
    operation: u8,
) -> Result<(), FaultKind> {
    if operation == READ_ACCUMULATORS {
        return read_accumulators(context, instruction);
    }
    // Width code 3 means something to that one only.
    if instruction.bytes == 0 {
        return Err(UNSUPPORTED);
    }
    match operation {
        LOAD | STORE => transfer(context, instruction, operation == STORE),
        LOOKUP_HIGH | LOOKUP_LOW => gather(context, instruction, operation == LOOKUP_HIGH),
        SCATTER_HIGH | SCATTER_LOW => scatter(context, instruction, operation == SCATTER_HIGH),
        ZEROS => {
            let active = context.vectors.active_lanes(instruction.predicate);
            write(context, instruction, &[0; 16], active, 0)
        }
        READ_TABLE => use_table(context, instruction, false),
        WRITE_TABLE => use_table(context, instruction, true),
        _ => Err(UNSUPPORTED),
    }
}

fn transfer<B: Bus>(
    context: &mut Context<'_, B>,
    instruction: &VectorInstruction,
    is_store: bool,
) -> Result<(), FaultKind> {
    let base = address(context, instruction)?;
    // The slot that the transfer does not use holds the register by which the address steps.
    let (vector, other) =
        if is_store { (&instruction.a, &instruction.d) } else { (&instruction.d, &instruction.a) };
    if is_store && other.kind != SlotKind::Dash {
        return Err(UNSUPPORTED);
    }
    let step = if other.addend == NO_ADDEND { 0 } else { context.registers.get(other.addend) };
    let bytes = u32::from(instruction.bytes);
    let active = context.vectors.active_lanes(instruction.predicate);

    for repetition in 0..repetitions(instruction, context.registers)? {
        let first = base.wrapping_add(step.wrapping_mul(repetition));
        let addresses = std::array::from_fn(|lane| first.wrapping_add(bytes * lane as u32));
        if is_store {
            let Some(window) = operand::window(vector, context.registers, repetition)? else {
                return Err(UNSUPPORTED);
            };
            let lanes = context.vectors.file.read(window);
            store_lanes(context, &addresses, &lanes, bytes, active)?;
        } else {
            let lanes = load_lanes(context, &addresses, bytes)?;
            write(context, instruction, &lanes, active, repetition)?;
        }
    }
    Ok(())
}

/// Each lane reads the element of a table in memory that its accumulator names.
fn gather<B: Bus>(
    context: &mut Context<'_, B>,
    instruction: &VectorInstruction,
    is_high: bool,
) -> Result<(), FaultKind> {
    let addresses = indexed_addresses(context, instruction, is_high)?;
    let lanes = load_lanes(context, &addresses, instruction.bytes.into())?;
    let active = context.vectors.active_lanes(instruction.predicate);
    write(context, instruction, &lanes, active, 0)
}

/// Each lane writes it.
fn scatter<B: Bus>(
    context: &mut Context<'_, B>,
    instruction: &VectorInstruction,
    is_high: bool,
) -> Result<(), FaultKind> {
    let addresses = indexed_addresses(context, instruction, is_high)?;
    let Some(window) = operand::window(&instruction.a, context.registers, 0)? else {
        // Without a source it writes nothing (measured).
        return Ok(());
    };
    let lanes = context.vectors.file.read(window);
    let active = context.vectors.active_lanes(instruction.predicate);
    store_lanes(context, &addresses, &lanes, instruction.bytes.into(), active)
}

fn indexed_addresses<B: Bus>(
    context: &Context<'_, B>,
    instruction: &VectorInstruction,
    is_high: bool,
) -> Result<[u32; 16], FaultKind> {
    if repetitions(instruction, context.registers)? != 1 {
        return Err(UNSUPPORTED);
    }
    let base = address(context, instruction)?;
    let bytes = u32::from(instruction.bytes);
    Ok(context.vectors.accumulators.map(|accumulator| {
        let index = if is_high { accumulator >> 16 } else { accumulator & 0xffff };
        base.wrapping_add((index as u32).wrapping_mul(bytes))
    }))
}

/// The unit's own table: every lane has 64 bytes of it, indexed by B in elements.
fn use_table<B: Bus>(
    context: &mut Context<'_, B>,
    instruction: &VectorInstruction,
    is_write: bool,
) -> Result<(), FaultKind> {
    let bytes = usize::from(instruction.bytes);
    let registers = &*context.registers;
    if instruction.modifier != 0 || repetitions(instruction, registers)? != 1 {
        return Err(UNSUPPORTED);
    }
    let indices = operand::source_b(&instruction.b, 4, &context.vectors.file, registers, 0)?;
    // Whether an index beyond the lane's part wraps or is cut is not known.
    if indices.iter().any(|&index| index as usize >= TABLE_BYTES_PER_LANE / bytes) {
        return Err(UNSUPPORTED);
    }
    let active = context.vectors.active_lanes(instruction.predicate);
    let mut lanes: Lanes = [0; 16];
    if is_write {
        lanes = operand::source(&instruction.a, 4, &context.vectors.file, registers, 0)?;
        for_each_lane(active, |lane| {
            let at = indices[lane] as usize * bytes;
            context.vectors.table[lane][at..at + bytes].copy_from_slice(&lanes[lane].to_le_bytes()[..bytes]);
        });
    } else {
        for_each_lane(active, |lane| {
            let at = indices[lane] as usize * bytes;
            let mut value = [0; 4];
            value[..bytes].copy_from_slice(&context.vectors.table[lane][at..at + bytes]);
            lanes[lane] = u32::from_le_bytes(value);
        });
    }
    write(context, instruction, &lanes, active, 0)
}

/// Each lane's accumulator, shifted right by B. The width code picks how it is clamped: 0 not at all, 1 into 32 bits,
/// 3 into 16.
fn read_accumulators<B: Bus>(
    context: &mut Context<'_, B>,
    instruction: &VectorInstruction,
) -> Result<(), FaultKind> {
    let limit = match instruction.bytes {
        1 => i64::MAX,
        2 => i64::from(i32::MAX),
        0 => i64::from(i16::MAX),
        _ => return Err(UNSUPPORTED),
    };
    let modifier = Modifier::decode(instruction.modifier)?;
    if repetitions(instruction, context.registers)? != 1 {
        return Err(UNSUPPORTED);
    }
    let shifts = operand::source_b(&instruction.b, 4, &context.vectors.file, context.registers, 0)?;
    let active = context.vectors.active_lanes(instruction.predicate);
    let values: [i64; 16] = std::array::from_fn(|lane| {
        let shifted = context.vectors.accumulators[lane] >> (shifts[lane] & 31);
        shifted.clamp(-limit - 1, limit)
    });
    match modifier {
        Modifier::None => {}
        Modifier::Scalar(scalar) => set_scalar(context.registers, scalar, &values, active)?,
        _ => return Err(UNSUPPORTED),
    }
    write(context, instruction, &values.map(|value| value as u32), active, 0)
}

/// Writes the destination, if there is one. Wider elements are zero-extended, narrower ones cut.
fn write<B: Bus>(
    context: &mut Context<'_, B>,
    instruction: &VectorInstruction,
    lanes: &Lanes,
    active: u16,
    repetition: u32,
) -> Result<(), FaultKind> {
    let destination: &Slot = &instruction.d;
    if let Some(window) = operand::window(destination, context.registers, repetition)? {
        for_each_lane(active, |lane| context.vectors.file.write(window, lane, lanes[lane]));
    }
    Ok(())
}

/// The scalar address in B.
fn address<B: Bus>(context: &Context<'_, B>, instruction: &VectorInstruction) -> Result<u32, FaultKind> {
    match instruction.b {
        OperandB::Scalar { register: NO_REGISTER, displacement } => Ok(displacement as u32),
        OperandB::Scalar { .. } => operand::scalar(&instruction.b, context.registers),
        // Without an address a store does nothing and a load reads address zero; nobody is known to use either.
        _ => Err(UNSUPPORTED),
    }
}

/// Loads all lanes, taking part or not: a load has no side effects, since devices are refused.
fn load_lanes<B: Bus>(
    context: &mut Context<'_, B>,
    addresses: &[u32; 16],
    bytes: u32,
) -> Result<Lanes, FaultKind> {
    refuse_devices(addresses)?;
    let ram = &*context.bus.ram();
    Ok(addresses.map(|address| load(ram, address, bytes)))
}

fn load(ram: &Ram, address: u32, bytes: u32) -> u32 {
    match bytes {
        4 if address & 3 == 0 => return ram.read32(address),
        1 => return ram.read8(address).into(),
        _ => {}
    }
    let block = address & !(LOAD_BLOCK - 1);
    let byte = |index: u32| u32::from(ram.read8(block | address.wrapping_add(index) & (LOAD_BLOCK - 1)));
    (0..bytes).map(|index| byte(index) << (8 * index)).sum()
}

fn store_lanes<B: Bus>(
    context: &mut Context<'_, B>,
    addresses: &[u32; 16],
    lanes: &Lanes,
    bytes: u32,
    active: u16,
) -> Result<(), FaultKind> {
    refuse_devices(addresses)?;
    let ram = context.bus.ram();
    for_each_lane(active, |lane| {
        let (address, value) = (addresses[lane], lanes[lane]);
        match bytes {
            4 if address & 3 == 0 => ram.write32(address, value),
            _ => ram.write_bytes(address, &value.to_le_bytes()[..bytes as usize]),
        }
    });
    Ok(())
}

fn refuse_devices(addresses: &[u32; 16]) -> Result<(), FaultKind> {
    if addresses.iter().any(|&address| is_device(address)) { Err(UNSUPPORTED) } else { Ok(()) }
}
