//! The fast path: the instructions that firmware executes most, in one loop.
//!
//! Decoding produces general instructions; `specialise` replaces those whose operands have no side effects (neither sr
//! nor pc written, pc not read) by a faster form. The loop executes them as long as they touch nothing but registers
//! and RAM, and leaves everything else, `Exit::Slow`, to `execute`.

use super::bus::Bus;
use super::execute::alu;
use super::op::{LR, Op, PC, SP, SR};
use super::operation::{Condition, Operation, Transfer};
use super::page_cache::{PageCache, Slot};
use super::registers::{INTERRUPT_ENABLE, Registers};
use super::trail::Trail;
use crate::ram::{PAGE_SHIFT, Ram};

/// Bytes of the longest instruction: what follows within so many was not branched to.
const LONGEST: u32 = 10;
const PAGE_OFFSET: u32 = (1 << PAGE_SHIFT) - 1;

/// Why the loop ended.
pub(super) enum Exit {
    /// The budget is used up.
    Budget,
    /// The instruction at the pc is not for this loop; it has not been executed.
    Slow(Slot),
    /// The pc points at no RAM.
    OutsideRam,
}

/// True for addresses that may belong to a device: 0x6000_0000 to 0x7fff_ffff, a superset that takes one comparison.
#[inline(always)]
pub(super) fn may_be_device(address: u32) -> bool {
    address >> 29 == 3
}

/// Executes from the pc in `registers` on; `left` counts down. Leaves the pc of the next instruction.
pub(super) fn run<B: Bus>(
    registers: &mut Registers,
    pages: &mut PageCache,
    trail: &mut Trail,
    bus: &mut B,
    left: &mut u32,
) -> Exit {
    let mut pc = registers.pc();
    let exit = run_pages(registers, pages, trail, bus, &mut pc, left);
    registers.set_pc(pc);
    exit
}

#[inline(always)]
fn run_pages<B: Bus>(
    registers: &mut Registers,
    pages: &mut PageCache,
    trail: &mut Trail,
    bus: &mut B,
    pc_out: &mut u32,
    left_out: &mut u32,
) -> Exit {
    // Copies that can live in machine registers; the references would have to be kept up to date in memory.
    let mut pc = *pc_out;
    let mut left = *left_out;
    let mut previous = pc;
    let exit = 'run: loop {
        if may_be_device(pc) {
            break Exit::OutsideRam;
        }
        let page_start = pc & !PAGE_OFFSET;
        let page = pages.page(pc, bus.ram()).slots();
        let generation = bus.ram().code_generation();
        loop {
            if left == 0 {
                break 'run Exit::Budget;
            }
            let Some(slot) = page.get((pc.wrapping_sub(page_start) >> 1) as usize) else {
                if pc.wrapping_sub(previous) > LONGEST {
                    trail.note(previous, pc);
                }
                continue 'run;
            };
            let mut next = pc.wrapping_add(u32::from(slot.length));
            // An access outside RAM: to be executed elsewhere, before anything has changed here.
            macro_rules! ram_address {
                ($address:expr) => {{
                    let address = $address;
                    if may_be_device(address) {
                        break 'run Exit::Slow(*slot);
                    }
                    address
                }};
            }
            // After a store: what is decoded may be out of date.
            macro_rules! leave_if_code_changed {
                () => {
                    if bus.ram().code_generation() != generation {
                        left -= 1;
                        pc = next;
                        continue 'run;
                    }
                };
            }
            match slot.op {
                Op::MovRegister { d, b } => registers.set(d, registers.get(b)),
                Op::MovValue { d, value } => registers.set(d, value),
                Op::AddRegister { d, a, b } => {
                    registers.set(d, registers.get(a).wrapping_add(registers.get(b)));
                }
                Op::AddValue { d, a, value } => registers.set(d, registers.get(a).wrapping_add(value)),
                Op::CompareRegister { a, b } => {
                    registers.set_flags(alu::compare(registers.get(a), registers.get(b)));
                }
                Op::CompareValue { a, value } => registers.set_flags(alu::compare(registers.get(a), value)),
                Op::TestBitValue { a, bit } => {
                    registers.set_flags(alu::test_bit(registers.get(a), u32::from(bit)));
                }
                Op::FastAlu { operation, d, a, b } => {
                    registers.set(d, alu::evaluate(operation, registers.get(a), registers.get(b)));
                }
                Op::FastAluValue { operation, d, a, value } => {
                    registers.set(d, alu::evaluate(operation, registers.get(a), value));
                }
                Op::ConditionalAlu { operation, condition, d, a, b } => {
                    if registers.satisfies(condition) {
                        alu_or_compare(registers, operation, d, a, registers.get(b));
                    }
                }
                Op::ConditionalAluValue { operation, condition, d, a, value } => {
                    if registers.satisfies(condition) {
                        alu_or_compare(registers, operation, d, a, value);
                    }
                }
                Op::LoadPcAddress { d, offset } => registers.set(d, pc.wrapping_add_signed(offset)),

                Op::LoadWord { register, base, offset } => {
                    let address = ram_address!(registers.get(base).wrapping_add_signed(offset));
                    registers.set(register, bus.ram().read32(address));
                }
                Op::StoreWord { register, base, offset } => {
                    let address = ram_address!(registers.get(base).wrapping_add_signed(offset));
                    bus.ram().write32(address, registers.get(register));
                    leave_if_code_changed!();
                }
                Op::LoadByte { register, base, offset } => {
                    let address = ram_address!(registers.get(base).wrapping_add_signed(offset));
                    registers.set(register, u32::from(bus.ram().read8(address)));
                }
                Op::FastTransfer { transfer, register, base, offset } => {
                    let address = ram_address!(registers.get(base).wrapping_add_signed(offset));
                    move_ram(registers, bus.ram(), transfer, register, address);
                    leave_if_code_changed!();
                }
                Op::FastTransferIndexed { transfer, register, base, index } => {
                    let scaled = registers.get(index) << transfer.scale();
                    let address = ram_address!(registers.get(base).wrapping_add(scaled));
                    move_ram(registers, bus.ram(), transfer, register, address);
                    leave_if_code_changed!();
                }
                Op::FastTransferPreDecrement { transfer, register, base } => {
                    let address = ram_address!(registers.get(base).wrapping_sub(1 << transfer.scale()));
                    move_ram(registers, bus.ram(), transfer, register, address);
                    registers.set(base, address);
                    leave_if_code_changed!();
                }
                Op::FastTransferPostIncrement { transfer, register, base } => {
                    let address = ram_address!(registers.get(base));
                    move_ram(registers, bus.ram(), transfer, register, address);
                    registers.set(base, address.wrapping_add(1 << transfer.scale()));
                    leave_if_code_changed!();
                }
                Op::Push { first, count, link } => {
                    let sp = ram_address!(registers.get(SP));
                    ram_address!(sp.wrapping_sub(4 * u32::from(count) + 4));
                    push(registers, bus.ram(), sp, first, count, link);
                    leave_if_code_changed!();
                }
                Op::Pop { first, count, link } => {
                    let sp = ram_address!(registers.get(SP));
                    ram_address!(sp.wrapping_add(4 * u32::from(count)));
                    if let Some(target) = pop(registers, bus.ram(), sp, first, count, link) {
                        next = target;
                    }
                }

                Op::Branch { condition, offset } => {
                    if registers.satisfies(condition) {
                        next = pc.wrapping_add_signed(offset);
                    }
                }
                Op::BranchAlways { offset } => next = pc.wrapping_add_signed(offset),
                Op::Call { offset } => {
                    registers.set(LR, next);
                    next = pc.wrapping_add_signed(offset);
                }
                Op::BranchAbsolute { target } => next = target,
                Op::CallAbsolute { target } => {
                    registers.set(LR, next);
                    next = target;
                }
                Op::BranchRegister { a } => next = registers.get(a),
                Op::CallRegister { a } => {
                    let target = registers.get(a);
                    registers.set(LR, next);
                    next = target;
                }
                Op::TableByte { a } => {
                    let entry = ram_address!(next.wrapping_add(registers.get(a)));
                    let halfwords = i32::from(bus.ram().read8(entry) as i8);
                    next = next.wrapping_add_signed(halfwords * 2);
                }
                Op::TableHalf { a } => {
                    let entry = ram_address!(next.wrapping_add(registers.get(a) << 1));
                    let halfwords = i32::from(bus.ram().read16(entry) as i16);
                    next = next.wrapping_add_signed(halfwords * 2);
                }
                Op::AddCompareBranch { condition, d, a, b, offset } => {
                    let sum = registers.get(d).wrapping_add(registers.get(a));
                    registers.set(d, sum);
                    if alu::compares(condition, sum, registers.get(b)) {
                        next = pc.wrapping_add_signed(offset.into());
                    }
                }
                Op::AddImmediateCompareBranch { condition, d, a, b, offset } => {
                    let sum = registers.get(d).wrapping_add_signed(a.into());
                    registers.set(d, sum);
                    if alu::compares(condition, sum, registers.get(b)) {
                        next = pc.wrapping_add_signed(offset.into());
                    }
                }
                Op::AddCompareImmediateBranch { condition, d, a, b, offset } => {
                    let sum = registers.get(d).wrapping_add(registers.get(a));
                    registers.set(d, sum);
                    if alu::compares(condition, sum, b.into()) {
                        next = pc.wrapping_add_signed(offset.into());
                    }
                }
                Op::AddImmediateCompareImmediateBranch { condition, d, a, b, offset } => {
                    let sum = registers.get(d).wrapping_add_signed(a.into());
                    registers.set(d, sum);
                    if alu::compares(condition, sum, b.into()) {
                        next = pc.wrapping_add_signed(offset.into());
                    }
                }
                Op::Nop => {}
                Op::DisableInterrupts => registers.set_status(registers.status() & !INTERRUPT_ENABLE),
                Op::Undecoded => {
                    pages.page(pc, bus.ram()).fill(pc & PAGE_OFFSET);
                    continue 'run;
                }
                _ => break 'run Exit::Slow(*slot),
            }
            left -= 1;
            previous = pc;
            pc = next;
        }
    };
    *pc_out = pc;
    *left_out = left;
    exit
}

#[inline(always)]
fn alu_or_compare(registers: &mut Registers, operation: Operation, d: u8, a: u8, b: u32) {
    let a = registers.get(a);
    match operation {
        Operation::Cmp => registers.set_flags(alu::compare(a, b)),
        Operation::Btest => registers.set_flags(alu::test_bit(a, b)),
        _ => registers.set(d, alu::evaluate(operation, a, b)),
    }
}

/// Moves a value between a register and RAM.
#[inline(always)]
pub(super) fn move_ram(
    registers: &mut Registers,
    ram: &mut Ram,
    transfer: Transfer,
    register: u8,
    address: u32,
) {
    match transfer {
        Transfer::LoadWord => registers.set(register, ram.read32(address)),
        Transfer::StoreWord => ram.write32(address, registers.get(register)),
        Transfer::LoadHalf => registers.set(register, ram.read16(address).into()),
        Transfer::StoreHalf => ram.write16(address, registers.get(register) as u16),
        Transfer::LoadByte => registers.set(register, ram.read8(address).into()),
        Transfer::StoreByte => ram.write8(address, registers.get(register) as u8),
        Transfer::LoadSignedHalf => registers.set(register, ram.read16(address) as i16 as u32),
        Transfer::LoadSignedByte => registers.set(register, ram.read8(address) as i8 as u32),
    }
}

/// Stores registers below `top`: lr highest if `link`, below it the first of the list, the last one lowest.
#[inline(always)]
fn push(registers: &mut Registers, ram: &mut Ram, top: u32, first: u8, count: u8, link: bool) {
    let mut sp = top;
    if link {
        sp = sp.wrapping_sub(4);
        ram.write32(sp, registers.get(LR));
    }
    for register in first..first + count {
        sp = sp.wrapping_sub(4);
        ram.write32(sp, registers.get(register));
    }
    registers.set(SP, sp);
}

/// The opposite of `push`; gives the new pc if the list ends with it. An sp loaded from the list stays.
#[inline(always)]
fn pop(registers: &mut Registers, ram: &Ram, bottom: u32, first: u8, count: u8, link: bool) -> Option<u32> {
    let mut sp = bottom;
    registers.set(SP, bottom.wrapping_add(4 * (u32::from(count) + u32::from(link))));
    for register in (first..first + count).rev() {
        registers.set(register, ram.read32(sp));
        sp = sp.wrapping_add(4);
    }
    link.then(|| ram.read32(sp))
}

/// A faster form of `op`, or `op` itself.
pub(super) fn specialise(op: Op) -> Op {
    match op {
        Op::Alu { operation, condition, d, a, b } if is_plain(operation, d) && a != PC && b != PC => {
            if condition == Condition::Always {
                alu_register(operation, d, a, b)
            } else {
                Op::ConditionalAlu { operation, condition, d, a, b }
            }
        }
        Op::AluImmediate { operation, condition, d, a, value } if is_plain(operation, d) && a != PC => {
            if condition == Condition::Always {
                alu_value(operation, d, a, value)
            } else {
                Op::ConditionalAluValue { operation, condition, d, a, value }
            }
        }
        Op::Transfer { transfer, register, base, offset } if moves_plainly(transfer, register, base) => {
            match transfer {
                Transfer::LoadWord => Op::LoadWord { register, base, offset },
                Transfer::StoreWord => Op::StoreWord { register, base, offset },
                Transfer::LoadByte => Op::LoadByte { register, base, offset },
                _ => Op::FastTransfer { transfer, register, base, offset },
            }
        }
        Op::TransferIndexed { transfer, condition: Condition::Always, register, base, index }
            if moves_plainly(transfer, register, base) && index != PC =>
        {
            Op::FastTransferIndexed { transfer, register, base, index }
        }
        Op::TransferPreDecrement { transfer, condition: Condition::Always, register, base }
            if moves_plainly(transfer, register, base) && base != SR =>
        {
            Op::FastTransferPreDecrement { transfer, register, base }
        }
        Op::TransferPostIncrement { transfer, condition: Condition::Always, register, base }
            if moves_plainly(transfer, register, base) && base != SR =>
        {
            Op::FastTransferPostIncrement { transfer, register, base }
        }
        other => other,
    }
}

/// The general form of an instruction that `specialise` has replaced and that may meet a device.
pub(super) fn generalise(op: Op) -> Op {
    let condition = Condition::Always;
    match op {
        Op::LoadWord { register, base, offset } => {
            Op::Transfer { transfer: Transfer::LoadWord, register, base, offset }
        }
        Op::StoreWord { register, base, offset } => {
            Op::Transfer { transfer: Transfer::StoreWord, register, base, offset }
        }
        Op::LoadByte { register, base, offset } => {
            Op::Transfer { transfer: Transfer::LoadByte, register, base, offset }
        }
        Op::FastTransfer { transfer, register, base, offset } => {
            Op::Transfer { transfer, register, base, offset }
        }
        Op::FastTransferIndexed { transfer, register, base, index } => {
            Op::TransferIndexed { transfer, condition, register, base, index }
        }
        Op::FastTransferPreDecrement { transfer, register, base } => {
            Op::TransferPreDecrement { transfer, condition, register, base }
        }
        Op::FastTransferPostIncrement { transfer, register, base } => {
            Op::TransferPostIncrement { transfer, condition, register, base }
        }
        other => other,
    }
}

/// An integer operation that can do nothing but write an ordinary register or the flags.
fn is_plain(operation: Operation, d: u8) -> bool {
    use Operation::*;
    let has_register_result = !operation.is_comparison();
    let is_fast = (operation as u8) < Fadd as u8 && !operation.is_division() && operation != Cmn;
    is_fast && !(has_register_result && (d == SR || d == PC))
}

fn moves_plainly(transfer: Transfer, register: u8, base: u8) -> bool {
    base != PC && register != PC && !(transfer.is_load() && register == SR)
}

fn alu_register(operation: Operation, d: u8, a: u8, b: u8) -> Op {
    match operation {
        Operation::Mov => Op::MovRegister { d, b },
        Operation::Add => Op::AddRegister { d, a, b },
        Operation::Cmp => Op::CompareRegister { a, b },
        // Rare enough for the form that looks.
        Operation::Btest => Op::ConditionalAlu { operation, condition: Condition::Always, d, a, b },
        _ => Op::FastAlu { operation, d, a, b },
    }
}

fn alu_value(operation: Operation, d: u8, a: u8, value: u32) -> Op {
    match operation {
        Operation::Mov => Op::MovValue { d, value },
        Operation::Not => Op::MovValue { d, value: !value },
        Operation::Add => Op::AddValue { d, a, value },
        Operation::Sub => Op::AddValue { d, a, value: value.wrapping_neg() },
        Operation::Cmp => Op::CompareValue { a, value },
        Operation::Btest => Op::TestBitValue { a, bit: (value & 31) as u8 },
        _ => Op::FastAluValue { operation, d, a, value },
    }
}
