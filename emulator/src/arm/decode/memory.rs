//! Loads and stores of general registers (C4.1.4). V = 0 is checked by the caller.

use super::bits::{bit, destination, field, rn_or_stack, signed_field, source};
use super::op::Op;
use super::operand::{ExclusiveKind, Extend, Index, Kind};
use super::register::extend_kind;

/// Decodes the group; none if unallocated.
pub(super) fn decode(word: u32) -> Option<Op> {
    match (field(word, 29, 28), bit(word, 24)) {
        (0b00, false) => exclusive(word),
        (0b01, false) => literal(word),
        (0b10, _) => pair(word),
        (0b11, true) => unsigned_offset(word),
        (0b11, false) => match (bit(word, 21), field(word, 11, 10)) {
            (false, 0b00) => unscaled_offset(word),
            (false, 0b01) => indexed(word, true),
            (false, 0b11) => indexed(word, false),
            (false, _) => unprivileged(word),
            (true, 0b10) => register_offset(word),
            // Atomic memory operations: not in a Cortex-A53.
            (true, _) => None,
        },
        _ => None,
    }
}

/// `size` and `opc` of a single register access.
enum Transfer {
    Load(Kind),
    Store(Kind),
    Prefetch,
}

fn transfer(word: u32) -> Option<Transfer> {
    use Transfer::{Load, Prefetch, Store};
    let transfer = match (field(word, 31, 30), field(word, 23, 22)) {
        (0, 0) => Store(Kind::Byte),
        (0, 1) => Load(Kind::Byte),
        (0, 2) => Load(Kind::SignedByte),
        (0, _) => Load(Kind::SignedByteToWord),
        (1, 0) => Store(Kind::Half),
        (1, 1) => Load(Kind::Half),
        (1, 2) => Load(Kind::SignedHalf),
        (1, _) => Load(Kind::SignedHalfToWord),
        (2, 0) => Store(Kind::Word),
        (2, 1) => Load(Kind::Word),
        (2, 2) => Load(Kind::SignedWord),
        (3, 0) => Store(Kind::Double),
        (3, 1) => Load(Kind::Double),
        (3, 2) => Prefetch,
        _ => return None,
    };
    Some(transfer)
}

fn rt_loaded(word: u32) -> u8 {
    destination(field(word, 4, 0))
}

fn rt_stored(word: u32) -> u8 {
    source(field(word, 4, 0))
}

/// The form for base plus constant.
fn with_offset(word: u32, offset: i64) -> Option<Op> {
    let rn = rn_or_stack(word);
    let op = match transfer(word)? {
        Transfer::Load(kind) => {
            let rt = rt_loaded(word);
            match kind {
                Kind::Byte => Op::LoadByte { rt, rn, offset },
                Kind::Half => Op::LoadHalf { rt, rn, offset },
                Kind::Word => Op::LoadWord { rt, rn, offset },
                Kind::Double => Op::LoadDouble { rt, rn, offset },
                _ => Op::LoadSigned { kind, rt, rn, offset },
            }
        }
        Transfer::Store(kind) => {
            let rt = rt_stored(word);
            match kind {
                Kind::Byte => Op::StoreByte { rt, rn, offset },
                Kind::Half => Op::StoreHalf { rt, rn, offset },
                Kind::Word => Op::StoreWord { rt, rn, offset },
                _ => Op::StoreDouble { rt, rn, offset },
            }
        }
        Transfer::Prefetch => Op::Nothing,
    };
    Some(op)
}

fn unsigned_offset(word: u32) -> Option<Op> {
    with_offset(word, i64::from(field(word, 21, 10)) << field(word, 31, 30))
}

fn unscaled_offset(word: u32) -> Option<Op> {
    with_offset(word, signed_field(word, 20, 12))
}

fn indexed(word: u32, post: bool) -> Option<Op> {
    let (rn, offset) = (rn_or_stack(word), signed_field(word, 20, 12));
    match transfer(word)? {
        Transfer::Load(kind) => Some(Op::LoadIndexed { kind, rt: rt_loaded(word), rn, post, offset }),
        Transfer::Store(kind) => Some(Op::StoreIndexed { kind, rt: rt_stored(word), rn, post, offset }),
        Transfer::Prefetch => None,
    }
}

fn unprivileged(word: u32) -> Option<Op> {
    let (rn, offset) = (rn_or_stack(word), signed_field(word, 20, 12));
    match transfer(word)? {
        Transfer::Load(kind) => Some(Op::LoadUnprivileged { kind, rt: rt_loaded(word), rn, offset }),
        Transfer::Store(kind) => Some(Op::StoreUnprivileged { kind, rt: rt_stored(word), rn, offset }),
        Transfer::Prefetch => None,
    }
}

fn register_offset(word: u32) -> Option<Op> {
    // option<1> = 0 would be a byte or halfword index.
    if !bit(word, 14) {
        return None;
    }
    let extend: Extend = extend_kind(field(word, 15, 13));
    let left = if bit(word, 12) { field(word, 31, 30) as u8 } else { 0 };
    let (rn, rm) = (rn_or_stack(word), source(field(word, 20, 16)));
    let op = match transfer(word)? {
        Transfer::Load(kind) => Op::LoadRegisterOffset { kind, rt: rt_loaded(word), rn, rm, extend, left },
        Transfer::Store(kind) => Op::StoreRegisterOffset { kind, rt: rt_stored(word), rn, rm, extend, left },
        Transfer::Prefetch => Op::Nothing,
    };
    Some(op)
}

fn literal(word: u32) -> Option<Op> {
    let offset = signed_field(word, 23, 5) << 2;
    let kind = match field(word, 31, 30) {
        0 => Kind::Word,
        1 => Kind::Double,
        2 => Kind::SignedWord,
        _ => return Some(Op::Nothing),
    };
    Some(Op::LoadLiteral { kind, rt: rt_loaded(word), offset })
}

fn pair(word: u32) -> Option<Op> {
    let is_load = bit(word, 22);
    let kind = match field(word, 31, 30) {
        0 => Kind::Word,
        1 if is_load => Kind::SignedWord,
        2 => Kind::Double,
        _ => return None,
    };
    let index = match field(word, 24, 23) {
        // LDNP and STNP: a cache hint only.
        0b00 if kind != Kind::SignedWord => Index::Offset,
        0b00 => return None,
        0b01 => Index::Post,
        0b10 => Index::Offset,
        _ => Index::Pre,
    };
    let scale = if kind == Kind::Double { 3 } else { 2 };
    let offset = signed_field(word, 21, 15) << scale;
    let (rt, rt2, rn) = (field(word, 4, 0), field(word, 14, 10), rn_or_stack(word));
    let op = if is_load {
        Op::LoadPair { kind, rt: destination(rt), rt2: destination(rt2), rn, index, offset }
    } else {
        Op::StorePair { kind, rt: source(rt), rt2: source(rt2), rn, index, offset }
    };
    Some(op)
}

fn exclusive(word: u32) -> Option<Op> {
    let (size, is_ordered, is_load, is_pair) =
        (field(word, 31, 30), bit(word, 23), bit(word, 22), bit(word, 21));
    let rn = rn_or_stack(word);
    if is_ordered {
        return ordered(word, size, is_load, is_pair);
    }
    let kind = match (size, is_pair) {
        (0, false) => ExclusiveKind::Byte,
        (1, false) => ExclusiveKind::Half,
        (2, false) => ExclusiveKind::Word,
        (3, false) => ExclusiveKind::Double,
        (2, true) => ExclusiveKind::WordPair,
        (3, true) => ExclusiveKind::DoublePair,
        // Compare and swap pair: not in a Cortex-A53.
        _ => return None,
    };
    let rt2 = field(word, 14, 10);
    let op = if is_load {
        let rt2 = if is_pair { destination(rt2) } else { destination(31) };
        Op::LoadExclusive { kind, rt: rt_loaded(word), rt2, rn }
    } else {
        let rs = destination(field(word, 20, 16));
        Op::StoreExclusive { kind, rs, rt: rt_stored(word), rt2: source(rt2), rn }
    };
    Some(op)
}

/// LDAR and STLR. With o0 = 0 they would be LDLAR and STLLR, with bit 21 compare and swap: not in a Cortex-A53.
fn ordered(word: u32, size: u32, is_load: bool, is_compare_and_swap: bool) -> Option<Op> {
    if is_compare_and_swap || !bit(word, 15) {
        return None;
    }
    let kind = match size {
        0 => Kind::Byte,
        1 => Kind::Half,
        2 => Kind::Word,
        _ => Kind::Double,
    };
    let rn = rn_or_stack(word);
    let op = if is_load {
        Op::LoadAcquire { kind, rt: rt_loaded(word), rn }
    } else {
        Op::StoreRelease { kind, rt: rt_stored(word), rn }
    };
    Some(op)
}
