//! The echo service (VCHIQ fact sheet 9.1). In bulk mode it does what firmware of 2022 was seen to do: one transfer at
//! a time, and after an aborted one none.

use super::super::agenda::Task;
use super::super::board::Board;
use super::super::fault::Defect;
use super::Incoming;
use crate::model::VideoCore;

/// First word of a message.
mod kind {
    pub(super) const ASYNC: u32 = 2;
    pub(super) const SYNC: u32 = 3;
    pub(super) const CONFIG: u32 = 4;
    pub(super) const ECHO: u32 = 5;
}

/// Bytes of CONFIG.
const CONFIG_BYTES: usize = 40;

/// What is left to do of a run of bulk transfers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::model) struct Rounds {
    pub(super) bytes: u32,
    pub(super) left: u32,
    /// What comes is sent back.
    pub(in crate::model) echoes: bool,
}

impl Rounds {
    /// What a CONFIG asks for; `None` if it asks for no bulk transfers.
    fn configured(message: &[u8]) -> Option<Self> {
        let word =
            |index: usize| message.get(4 * index..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let (kind, bytes, left, echo) = (word(0)?, word(1)?, word(2)?, word(4)?);
        let asks = kind == kind::CONFIG && message.len() == CONFIG_BYTES && bytes > 0 && left > 0;
        asks.then_some(Self { bytes, left, echoes: echo != 0 })
    }

    /// A round is over: the bytes of the next, if there is one.
    pub(in crate::model) fn next(&mut self) -> Option<u32> {
        self.left = self.left.saturating_sub(1);
        (self.left > 0).then_some(self.bytes)
    }
}

/// What the service answers; `None` for a message without answer.
fn answer(message: &[u8]) -> Option<Vec<u8>> {
    let kind = u32::from_le_bytes(*message.first_chunk()?);
    match kind {
        kind::ASYNC => Some(Vec::new()),
        kind::SYNC => Some(vec![0]),
        kind::CONFIG if message.len() == CONFIG_BYTES => Some(vec![0]),
        kind::CONFIG => Some(b"wrong size of CONFIG\0".to_vec()),
        kind::ECHO => Some(message.to_vec()),
        _ => None,
    }
}

impl VideoCore {
    pub(super) fn serve_echo(&mut self, board: &mut Board<'_>, message: &Incoming) {
        let Some(mut answer) = answer(&message.payload) else { return };
        let port = message.port;
        let mischief = &mut self.mischief;
        if mischief.on(7, Defect::EchoSilent) {
            return;
        }
        if mischief.on(7, Defect::CloseMidway) {
            self.agenda.add(board.now_ps, Task::Close(port));
            return;
        }
        if answer.len() >= 64 {
            if mischief.on(3, Defect::EchoCorrupt) {
                answer[40] ^= 0x10;
            }
            if mischief.on(3, Defect::EchoShort) {
                answer.truncate(40);
            }
        }
        if let Some(rounds) = Rounds::configured(&message.payload) {
            self.rounds.insert(port, rounds);
            self.take_bulk(board, port, rounds.bytes);
        }
        let twice = self.mischief.on(7, Defect::EchoTwice);
        if twice {
            self.send_data(board, port, answer.clone());
        }
        self.send_data(board, port, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u32, bytes: usize) -> Vec<u8> {
        let mut message = vec![9; bytes];
        message[..4].copy_from_slice(&kind.to_le_bytes());
        message
    }

    #[test]
    fn each_kind_has_its_answer() {
        assert_eq!(answer(&message(1, 8)), None);
        assert_eq!(answer(&message(kind::ASYNC, 8)), Some(Vec::new()));
        assert_eq!(answer(&message(kind::SYNC, 4)), Some(vec![0]));
        assert_eq!(answer(&message(kind::CONFIG, 40)), Some(vec![0]));
        assert!(answer(&message(kind::CONFIG, 36)).is_some_and(|text| text.len() > 1));
        assert_eq!(answer(&message(kind::ECHO, 100)), Some(message(kind::ECHO, 100)));
        assert_eq!(answer(&[1, 2, 3]), None);
    }
}
