//! The echo and SMEM services of the fake VideoCore (VCHIQ fact sheet 9, VCSM fact sheet 3 to 7).

use std::collections::BTreeMap;

use super::{
    behaviour::{Behaviour, Echo, Import, Released},
    memory::Memory,
    property::Handles,
};

/// Port of the echo service, as seen on a board.
pub(super) const ECHO_PORT: u32 = 75;
/// Port of the SMEM service, as seen on a board.
pub(super) const SMEM_PORT: u32 = 31;

const FIRST_HANDLE: u32 = 0xc000_0020;

/// The service at a port, if the script has it.
pub(super) fn port_of(fourcc: u32, behaviour: &Behaviour) -> Option<(u32, u16)> {
    match fourcc {
        0x6563_686f if behaviour.echo_service => Some((ECHO_PORT, 3)),
        0x534d_454d if behaviour.smem_service => Some((SMEM_PORT, 1)),
        _ => None,
    }
}

/// What the echo service answers.
pub(super) fn echo(message: &[u8], behaviour: &Behaviour) -> Option<Vec<u8>> {
    if behaviour.echo == Echo::Silent && word(message, 0) != 4 {
        return None;
    }
    match word(message, 0) {
        2 => Some(Vec::new()),
        3 | 4 => Some(vec![0]),
        5 => {
            let mut reply = message.to_vec();
            if behaviour.echo == Echo::Flipped
                && let Some(last) = reply.last_mut()
            {
                *last ^= 1;
            }
            Some(reply)
        }
        _ => None,
    }
}

/// An import under way.
struct Imported {
    address: u32,
    size: u32,
    kernel_id: u32,
    locks: u32,
    misbehaving: bool,
}

/// The SMEM service.
#[derive(Default)]
pub(super) struct Smem {
    imports: BTreeMap<u32, Imported>,
    count: u32,
}

impl Smem {
    /// Messages the service sends in answer to one.
    pub(super) fn answer(&mut self, message: &[u8], behaviour: &Behaviour, memory: &Memory) -> Vec<Vec<u8>> {
        let (kind, transaction) = (word(message, 0), word(message, 4));
        match kind {
            4 => self.free(word(message, 8), behaviour),
            8 => {
                assert_eq!(message.len(), 60, "length of IMPORT");
                self.import(transaction, message, behaviour, memory)
            }
            9 if behaviour.version_ack => vec![bytes(&[0x8000_0009, transaction, 2])],
            _ => Vec::new(),
        }
    }

    fn import(
        &mut self,
        transaction: u32,
        message: &[u8],
        behaviour: &Behaviour,
        memory: &Memory,
    ) -> Vec<Vec<u8>> {
        let (address, size, kernel_id) = (word(message, 12), word(message, 16), word(message, 20));
        let misbehaving = self.count >= behaviour.good_imports;
        if misbehaving && behaviour.import != Import::Accept {
            let refusal = bytes(&[transaction, 0]);
            return if behaviour.import == Import::Refuse { vec![refusal] } else { Vec::new() };
        }
        let handle = FIRST_HANDLE + self.count;
        self.count += 1;
        self.imports.insert(handle, Imported { address, size, kernel_id, locks: 0, misbehaving });
        if misbehaving && behaviour.scribbles_inside {
            memory.store(address, !memory.load(address));
        }
        if misbehaving && behaviour.scribbles_past {
            memory.store(address + size, !memory.load(address + size));
        }
        let mut out = vec![bytes(&[transaction, handle])];
        if misbehaving && behaviour.released == Released::BeforeFree {
            out.extend(self.free(handle, behaviour));
        }
        out
    }

    fn free(&mut self, handle: u32, behaviour: &Behaviour) -> Vec<Vec<u8>> {
        let Some(import) = self.imports.remove(&handle) else { return Vec::new() };
        assert_eq!(import.locks, 0, "FREE of a handle that is still locked");
        let shift = if behaviour.released == Released::WrongAddress { 4096 } else { 0 };
        let released = |address| bytes(&[0x8000_000b, address, import.size, import.kernel_id, handle]);
        match behaviour.released {
            _ if !import.misbehaving => vec![released(import.address)],
            Released::Never => Vec::new(),
            Released::Twice => vec![released(import.address), released(import.address)],
            _ => vec![released(import.address + shift)],
        }
    }
}

impl Handles for Smem {
    fn address_of(&self, handle: u32) -> Option<(u32, bool)> {
        self.imports.get(&handle).map(|import| (import.address, import.misbehaving))
    }

    fn count_lock(&mut self, handle: u32, up: bool) -> bool {
        let Some(import) = self.imports.get_mut(&handle) else { return false };
        match import.locks.checked_add_signed(if up { 1 } else { -1 }) {
            Some(locks) => {
                import.locks = locks;
                true
            }
            None => false,
        }
    }
}

/// The little-endian word at an offset; 0 past the end.
pub(super) fn word(message: &[u8], offset: usize) -> u32 {
    message
        .get(offset..offset + 4)
        .map_or(0, |bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
