//! The service `fun2` (VCHIQ fact sheet 9.1): a transfer of any size and alignment, checked and sent back.

use super::super::board::Board;
use super::{Incoming, Kind, Rounds};
use crate::model::VideoCore;

/// Bytes of a message: size, the server's alignment, the client's, number.
const MESSAGE_BYTES: usize = 16;

/// The byte at a place of so many.
fn pattern(place: usize, bytes: usize) -> u8 {
    match place {
        place if place + 1 == bytes => 0,
        place if place.is_multiple_of(0x20) => (place >> 5) as u8,
        place => place as u8,
    }
}

impl VideoCore {
    pub(super) fn serve_data(&mut self, board: &mut Board<'_>, message: &Incoming) {
        let Incoming { port, payload, .. } = message;
        let size = payload.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        match size.filter(|size| *size > 0 && payload.len() == MESSAGE_BYTES) {
            Some(bytes) => {
                self.rounds.insert(*port, Rounds { bytes, left: 1, echoes: true });
                self.take_bulk(board, *port, bytes);
            }
            None => board.note(format!("fun2: message of {} bytes", payload.len())),
        }
    }

    /// What `fun2` thinks of the bytes that have come: it only says so.
    pub(in crate::model) fn check_taken(&self, board: &mut Board<'_>, port: u16, bytes: &[u8]) {
        let checks = self.services.iter().any(|service| service.port == port && service.kind == Kind::Data);
        let wrong = (0..bytes.len()).find(|place| bytes[*place] != pattern(*place, bytes.len()));
        if let Some(place) = wrong.filter(|_| checks) {
            board.note(format!("fun2: byte {place} of {} is {:#04x}", bytes.len(), bytes[place]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_the_client_program() {
        let bytes: Vec<u8> = (0..100).map(|place| pattern(place, 100)).collect();
        assert_eq!((bytes[0], bytes[1], bytes[32], bytes[33], bytes[64], bytes[99]), (0, 1, 1, 33, 2, 0));
    }
}
