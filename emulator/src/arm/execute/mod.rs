//! Dense form → effect on the state.

mod alu;
mod branch;
mod exclusive;
mod memory;
mod multiply;
mod pair;
mod system;

use super::bus::Bus;
use super::decode::{Kind, Op};
use super::state::{At, State, Stop};

/// Executes one instruction; the address of the next.
#[inline(always)]
pub(super) fn execute<B: Bus>(state: &mut State, bus: &mut B, at: At, op: Op) -> Result<u64, Stop> {
    match op {
        Op::Constant { rd, value } => state.set(rd, value),
        Op::InsertHalfword { size, rd, shift, value } => state.insert_halfword(size, rd, shift, value),
        Op::PcRelative { rd, offset } => state.set(rd, at.pc.wrapping_add_signed(offset)),
        Op::PageRelative { rd, offset } => state.set(rd, (at.pc & !0xfff).wrapping_add_signed(offset)),
        Op::AddImmediate { size, rd, rn, value } => {
            let sum = state.get(rn).wrapping_add(value);
            state.set(rd, size.narrow(sum));
        }
        Op::AddFlagsImmediate { size, rd, rn, value } => state.add_flags(size, rd, state.get(rn), value),
        Op::SubtractFlagsImmediate { size, rd, rn, value } => {
            state.subtract_flags(size, rd, state.get(rn), value);
        }
        Op::LogicImmediate { size, logic, rd, rn, value } => {
            state.logic(size, logic, rd, state.get(rn), value);
        }
        Op::UnsignedBitfield { rd, rn, right, left, mask } => {
            let field = state.get(rn) >> (right & 63) & mask;
            state.set(rd, field << (left & 63));
        }
        Op::SignedBitfield { size, rd, rn, up, down, left } => {
            let field = (state.get(rn) << (up & 63)) as i64 >> (down & 63);
            state.set(rd, size.narrow((field as u64) << (left & 63)));
        }
        Op::InsertBitfield { size, rd, rn, right, left, mask } => {
            let field = state.get(rn) >> (right & 63) << (left & 63) & mask;
            state.set(rd, size.narrow(state.get(rd) & !mask | field));
        }
        Op::Extract { size, rd, rn, rm, right } => state.extract(size, rd, rn, rm, right),

        Op::AddRegister { size, rd, rn, rm, left } => {
            let sum = state.get(rn).wrapping_add(state.get(rm) << (left & 63));
            state.set(rd, size.narrow(sum));
        }
        Op::SubtractRegister { size, rd, rn, rm, left } => {
            let difference = state.get(rn).wrapping_sub(state.get(rm) << (left & 63));
            state.set(rd, size.narrow(difference));
        }
        Op::AddFlagsRegister { size, rd, rn, rm, left } => {
            state.add_flags(size, rd, state.get(rn), state.get(rm) << (left & 63));
        }
        Op::SubtractFlagsRegister { size, rd, rn, rm, left } => {
            state.subtract_flags(size, rd, state.get(rn), state.get(rm) << (left & 63));
        }
        Op::AddShifted { size, subtract, flags, rd, rn, rm, shift, amount } => {
            let operand = alu::shifted(size, shift, state.get(rm), u32::from(amount));
            state.add_or_subtract(size, subtract, flags, rd, state.get(rn), operand);
        }
        Op::AddExtended { size, subtract, flags, rd, rn, rm, extend, left } => {
            let operand = alu::extended(extend, state.get(rm), left);
            state.add_or_subtract(size, subtract, flags, rd, state.get(rn), operand);
        }
        Op::AddCarry { size, subtract, flags, rd, rn, rm } => {
            state.add_carry(size, subtract, flags, rd, rn, rm);
        }
        Op::Move { size, rd, rm } => state.set(rd, size.narrow(state.get(rm))),
        Op::LogicRegister { size, logic, rd, rn, rm, left } => {
            state.logic(size, logic, rd, state.get(rn), state.get(rm) << (left & 63));
        }
        Op::LogicShifted { size, logic, invert, rd, rn, rm, shift, amount } => {
            let operand = alu::shifted(size, shift, state.get(rm), u32::from(amount));
            state.logic(size, logic, rd, state.get(rn), if invert { !operand } else { operand });
        }
        Op::CompareRegisterIf { size, subtract, rn, rm, condition, otherwise } => {
            state.compare_if(size, subtract, rn, state.get(rm), condition, otherwise);
        }
        Op::CompareImmediateIf { size, subtract, rn, value, condition, otherwise } => {
            state.compare_if(size, subtract, rn, u64::from(value), condition, otherwise);
        }
        Op::Select { size, rd, rn, rm, condition, invert, increment } => {
            let other = if invert { !state.get(rm) } else { state.get(rm) };
            let other = other.wrapping_add(u64::from(increment));
            let value = if state.holds(condition) { state.get(rn) } else { other };
            state.set(rd, size.narrow(value));
        }
        Op::OneSource { size, operation, rd, rn } => {
            state.set(rd, alu::one_source(size, operation, state.get(rn)));
        }
        Op::Divide { size, signed, rd, rn, rm } => {
            state.set(rd, multiply::divide(size, signed, state.get(rn), state.get(rm)));
        }
        Op::ShiftVariable { size, shift, rd, rn, rm } => {
            let amount = state.get(rm) as u32 % size.bits();
            state.set(rd, size.narrow(alu::shifted(size, shift, state.get(rn), amount)));
        }
        Op::Crc32 { castagnoli, bytes, rd, rn, rm } => {
            state.set(rd, alu::crc32(castagnoli, bytes, state.get(rn), state.get(rm)));
        }
        Op::MultiplyAdd { size, subtract, rd, rn, rm, ra } => {
            let product = state.get(rn).wrapping_mul(state.get(rm));
            state.set(rd, size.narrow(multiply::accumulate(subtract, state.get(ra), product)));
        }
        Op::MultiplyAddLong { signed, subtract, rd, rn, rm, ra } => {
            let product = multiply::long(signed, state.get(rn), state.get(rm));
            state.set(rd, multiply::accumulate(subtract, state.get(ra), product));
        }
        Op::MultiplyHigh { signed, rd, rn, rm } => {
            state.set(rd, multiply::high(signed, state.get(rn), state.get(rm)));
        }

        Op::Branch { offset } => return Ok(at.pc.wrapping_add_signed(offset)),
        Op::BranchLink { offset } => return Ok(state.branch_link(at, at.pc.wrapping_add_signed(offset))),
        Op::BranchIf { condition, offset } => return Ok(branch::when(at, state.holds(condition), offset)),
        Op::BranchIfZero { size, rt, offset } => {
            return Ok(branch::when(at, size.narrow(state.get(rt)) == 0, offset));
        }
        Op::BranchIfNotZero { size, rt, offset } => {
            return Ok(branch::when(at, size.narrow(state.get(rt)) != 0, offset));
        }
        Op::BranchIfBitClear { rt, bit, offset } => {
            return Ok(branch::when(at, state.get(rt) >> (bit & 63) & 1 == 0, offset));
        }
        Op::BranchIfBitSet { rt, bit, offset } => {
            return Ok(branch::when(at, state.get(rt) >> (bit & 63) & 1 != 0, offset));
        }
        Op::BranchRegister { rn } => return Ok(state.get(rn)),
        Op::BranchLinkRegister { rn } => return Ok(state.branch_link(at, state.get(rn))),

        Op::LoadByte { rt, rn, offset } => state.load_offset::<B, 1>(bus, at, rt, rn, offset)?,
        Op::LoadHalf { rt, rn, offset } => state.load_offset::<B, 2>(bus, at, rt, rn, offset)?,
        Op::LoadWord { rt, rn, offset } => state.load_offset::<B, 4>(bus, at, rt, rn, offset)?,
        Op::LoadDouble { rt, rn, offset } => state.load_offset::<B, 8>(bus, at, rt, rn, offset)?,
        Op::LoadSigned { kind, rt, rn, offset } => {
            let address = state.base(at, rn)?.wrapping_add_signed(offset);
            state.load_kind(bus, at, kind, rt, address)?;
        }
        Op::StoreByte { rt, rn, offset } => state.store_offset::<B, 1>(bus, at, rt, rn, offset)?,
        Op::StoreHalf { rt, rn, offset } => state.store_offset::<B, 2>(bus, at, rt, rn, offset)?,
        Op::StoreWord { rt, rn, offset } => state.store_offset::<B, 4>(bus, at, rt, rn, offset)?,
        Op::StoreDouble { rt, rn, offset } => state.store_offset::<B, 8>(bus, at, rt, rn, offset)?,
        Op::LoadRegisterOffset { kind, rt, rn, rm, extend, left } => {
            let offset = alu::extended(extend, state.get(rm), left);
            let address = state.base(at, rn)?.wrapping_add(offset);
            state.load_kind(bus, at, kind, rt, address)?;
        }
        Op::StoreRegisterOffset { kind, rt, rn, rm, extend, left } => {
            let offset = alu::extended(extend, state.get(rm), left);
            let address = state.base(at, rn)?.wrapping_add(offset);
            state.store_kind(bus, at, kind, rt, address)?;
        }
        Op::LoadIndexed { kind, rt, rn, post, offset } => {
            state.load_indexed(bus, at, kind, (rt, rn), post, offset)?;
        }
        Op::StoreIndexed { kind, rt, rn, post, offset } => {
            state.store_indexed(bus, at, kind, (rt, rn), post, offset)?;
        }
        Op::LoadUnprivileged { kind, rt, rn, offset } => {
            state.load_unprivileged(bus, at, kind, (rt, rn), offset)?;
        }
        Op::StoreUnprivileged { kind, rt, rn, offset } => {
            state.store_unprivileged(bus, at, kind, (rt, rn), offset)?;
        }
        Op::LoadLiteral { kind, rt, offset } => {
            state.load_kind(bus, at, kind, rt, at.pc.wrapping_add_signed(offset))?;
        }
        Op::LoadPair { kind: Kind::Double, rt, rt2, rn, index, offset } => {
            state.load_pair::<B, 8>(bus, at, (rt, rt2, rn), index, offset, false)?;
        }
        Op::LoadPair { kind, rt, rt2, rn, index, offset } => {
            let signed = kind == Kind::SignedWord;
            state.load_pair::<B, 4>(bus, at, (rt, rt2, rn), index, offset, signed)?;
        }
        Op::StorePair { kind: Kind::Double, rt, rt2, rn, index, offset } => {
            state.store_pair::<B, 8>(bus, at, (rt, rt2, rn), index, offset)?;
        }
        Op::StorePair { rt, rt2, rn, index, offset, .. } => {
            state.store_pair::<B, 4>(bus, at, (rt, rt2, rn), index, offset)?;
        }
        Op::LoadAcquire { kind, rt, rn } => state.load_acquire(bus, at, kind, rt, rn)?,
        Op::StoreRelease { kind, rt, rn } => state.store_release(bus, at, kind, rt, rn)?,
        Op::LoadExclusive { kind, rt, rt2, rn } => state.load_exclusive(bus, at, kind, rt, rt2, rn)?,
        Op::StoreExclusive { kind, rs, rt, rt2, rn } => {
            state.store_exclusive(bus, at, kind, rs, (rt, rt2), rn)?;
        }

        Op::Nothing => {}
        Op::Yield => state.give_way(),
        Op::WaitForEvent => state.wait_for_event(bus, at)?,
        Op::WaitForInterrupt => state.wait_for_interrupt(at)?,
        Op::SendEvent => {
            state.event = true;
            bus.send_event();
        }
        Op::SendEventLocal => state.event = true,
        Op::ClearExclusive => state.monitor.clear(),
        Op::SynchroniseContext => state.look_around(),
        Op::SetPstate { field, value } => state.set_pstate(at, field, value)?,
        Op::ReadSystem { rt, register } => {
            let value = state.read_system(bus, at, rt, register)?;
            state.set(rt, value);
        }
        Op::WriteSystem { rt, register } => {
            let value = state.get(rt);
            state.write_system(bus, at, rt, register, value)?;
        }
        Op::Call { call, immediate } => return Err(state.call(at, call, immediate)),
        Op::ExceptionReturn => return state.exception_return(at),
        Op::UnknownSystemRegister { word } => return Err(state.unknown_system_register(at, word)),
        Op::Undecoded => return Err(Stop::Undecoded),
        Op::FloatingPoint { word } => return Err(state.floating_point(at, word)),
        Op::Undefined { .. } => return Err(state.undefined(at)),
    }
    Ok(at.pc.wrapping_add(4))
}
