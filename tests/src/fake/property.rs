//! The property mailbox of the fake VideoCore (hardware fact sheet 2, gencmd fact sheet).

use super::{
    behaviour::{Behaviour, Lock},
    memory::Memory,
};

/// Where imported handles are: the lock tag looks them up.
pub(super) trait Handles {
    /// The bus address behind a handle, and whether the script's misbehaviour applies to it.
    fn address_of(&self, handle: u32) -> Option<(u32, bool)>;
    /// Counts a lock up or down; false if the count would go below zero.
    fn count_lock(&mut self, handle: u32, up: bool) -> bool;
}

/// Answers the message at `buffer` in place. Gives the address of slot zero if VCHIQ_INIT was among the tags.
pub(super) fn answer(
    memory: &Memory,
    buffer: u32,
    behaviour: &Behaviour,
    handles: &mut impl Handles,
) -> Option<u32> {
    let end = buffer + memory.load(buffer);
    let mut slot_zero = None;
    let mut at = buffer + 8;
    while at < end && memory.load(at) != 0 {
        let (tag, room) = (memory.load(at), memory.load(at + 4));
        let first = memory.load(at + 12);
        if let Some(values) = values(tag, first, behaviour, handles) {
            let fitting = &values[..values.len().min(room as usize)];
            memory.write_bytes(at + 12, fitting);
            // Real firmware says 8 for the 20 bytes of its hash.
            let claimed = if tag == 0x0000_0003 { 8 } else { values.len() as u32 };
            memory.store(at + 8, 0x8000_0000 | claimed);
        }
        if tag == 0x0004_8010 {
            slot_zero = Some(first);
        }
        at += 12 + room.next_multiple_of(4);
    }
    memory.store(buffer + 4, 0x8000_0000);
    slot_zero
}

/// The answer's bytes; `None` for a tag this firmware does not know.
fn values(tag: u32, first: u32, behaviour: &Behaviour, handles: &mut impl Handles) -> Option<Vec<u8>> {
    let words = |words: &[u32]| Some(words.iter().flat_map(|word| word.to_le_bytes()).collect());
    match tag {
        0x0000_0001 => words(&[behaviour.revision]),
        0x0000_0002 => words(&[behaviour.variant]),
        0x0000_0003 => words(&[0x102f_1e84, 0, 0, 0, 0x0009_8326]),
        0x0001_0001 => words(&[0]),
        0x0001_0002 => words(&[0x00a0_2082]),
        0x0001_0004 => words(&[0x1234_5678, 0]),
        0x0001_0005 => words(&[0, 0x3b40_0000]),
        0x0001_0006 => words(&[0x3b40_0000, 0x04c0_0000]),
        0x0003_0002 | 0x0003_0047 => words(&[first, if first == 3 { super::ARM_HZ } else { 400_000_000 }]),
        0x0003_0006 => words(&[first, 42_000]),
        0x0003_0046 => words(&[behaviour.throttled]),
        0x0003_0080 => Some([&[0; 4], behaviour.command_answer.as_deref()?, &[0]].concat()),
        0x0003_000d => {
            let (address, misbehaving) = handles.address_of(first).unwrap_or((0, false));
            if !misbehaving || behaviour.lock != Lock::Fails {
                handles.count_lock(first, true);
            }
            match behaviour.lock {
                _ if !misbehaving => words(&[address]),
                Lock::Imported => words(&[address]),
                Lock::Elsewhere => words(&[address + 4096]),
                Lock::Fails => words(&[0]),
            }
        }
        0x0003_000e => words(&[u32::from(!handles.count_lock(first, false))]),
        0x0004_8010 => words(&[0]),
        0x0005_0001 => {
            let mut text = behaviour.command_line.clone()?.into_bytes();
            text.push(0);
            Some(text)
        }
        _ => None,
    }
}
