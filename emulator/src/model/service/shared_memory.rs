//! The shared-memory service (VCSM fact sheet 2 to 9).

use std::collections::{BTreeMap, VecDeque};

use super::super::agenda::Task;
use super::super::board::Board;
use super::super::fault::Defect;
use super::super::heap::{Import, Terminated};
use super::super::pace::Work;
use super::Incoming;
use crate::model::VideoCore;

/// Message numbers.
mod kind {
    pub(super) const ALLOC: u32 = 0;
    pub(super) const LOCK: u32 = 1;
    pub(super) const UNLOCK: u32 = 2;
    pub(super) const UNLOCK_NOANS: u32 = 3;
    pub(super) const FREE: u32 = 4;
    pub(super) const RESIZE: u32 = 5;
    pub(super) const WALK_ALLOC: u32 = 6;
    pub(super) const ACTION_CLEAN: u32 = 7;
    pub(super) const IMPORT: u32 = 8;
    pub(super) const CLIENT_VERSION: u32 = 9;
    pub(super) const VC_MEM_REQUEST_REPLY: u32 = 10;
    pub(super) const RELEASED: u32 = 11;
}

/// Set in the first word of what nobody asked for.
const UNSOLICITED: u32 = 1 << 31;
/// The protocol's version.
const VERSION: u32 = 2;
/// Picoseconds by which something comes too late for the one who waits: 3 s.
const TOO_LATE_PS: u64 = 3_000_000_000_000;
/// A reply of so many messages ago is sent again: the depth of the kernel's ring (VCHIQ fact sheet 11).
const OLD_REPLY: usize = 128;

/// Bytes of a message from the host, by its number.
fn length_of(kind: u32) -> Option<usize> {
    Some(match kind {
        kind::ALLOC | kind::IMPORT => 60,
        kind::LOCK | kind::UNLOCK | kind::UNLOCK_NOANS | kind::FREE | kind::ACTION_CLEAN => 16,
        kind::RESIZE | kind::VC_MEM_REQUEST_REPLY => 20,
        kind::WALK_ALLOC => 8,
        kind::CLIENT_VERSION => 12,
        _ => return None,
    })
}

/// What the service remembers of its client.
#[derive(Default)]
pub(in crate::model) struct SharedMemory {
    version: u32,
    /// By transaction: handles given out, for ACTION_CLEAN.
    imports: BTreeMap<u32, u32>,
    /// A handle whose RELEASED has been sent before its end, and is not to be sent again.
    told_early: Option<u32>,
    /// The latest replies, oldest first.
    replies: VecDeque<Vec<u8>>,
}

impl SharedMemory {
    /// A new client, or none.
    pub(in crate::model) fn forget_client(&mut self) {
        *self = Self::default();
    }
}

fn message(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

impl VideoCore {
    pub(super) fn serve_shared_memory(&mut self, board: &mut Board<'_>, incoming: &Incoming) {
        if self.mischief.always(Defect::SmemSilent) {
            return;
        }
        let words: Vec<u32> = incoming
            .payload
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        let kind = words.first().copied().unwrap_or(u32::MAX);
        if length_of(kind) != Some(incoming.payload.len()) {
            board.note(format!("SMEM: incorrect message {kind:#x} of {} bytes", incoming.payload.len()));
            return;
        }
        let transaction = words[1];
        let body = |index: usize| words.get(2 + index).copied().unwrap_or(0);
        match kind {
            kind::CLIENT_VERSION => {
                self.shared_memory.version = body(0);
                let version = VERSION.min(body(0));
                self.reply(board, &[UNSOLICITED | kind, transaction, version]);
            }
            kind::IMPORT => {
                let import = Import { address: body(1), size: body(2), kernel_id: body(3) };
                self.import(board, transaction, import);
            }
            kind::FREE => self.free(board, body(0)),
            kind::ALLOC => {
                let size = body(1).saturating_mul(body(2));
                let handle = self.heap.allocate(size, body(3)).unwrap_or(0);
                let address = self.heap.block(handle).map_or(0, |(address, _)| address);
                self.reply(board, &[transaction, handle, address, body(1), body(2)]);
            }
            kind::LOCK => {
                if self.mischief.on(3, Defect::HeapSilent) {
                    return;
                }
                let address = self.heap.lock(body(0)).unwrap_or(0);
                self.reply(board, &[transaction, body(0), address, 0]);
            }
            kind::UNLOCK | kind::UNLOCK_NOANS => {
                let unlocked = self.heap.unlock(body(0));
                if kind == kind::UNLOCK {
                    self.reply(board, &[transaction, u32::from(unlocked.is_err())]);
                }
                self.tell_released(board, unlocked.ok().flatten());
            }
            kind::RESIZE => {
                let resized = self.heap.resize(body(0), body(2));
                self.reply(board, &[transaction, u32::from(!resized)]);
            }
            kind::WALK_ALLOC => self.heap.walk().into_iter().for_each(|line| board.note(line)),
            kind::ACTION_CLEAN if body(0) == kind::IMPORT => {
                if let Some(handle) = self.shared_memory.imports.remove(&body(1)) {
                    self.free(board, handle);
                }
            }
            // What the host does about our own requests, of which there are none.
            _ => {}
        }
    }

    fn import(&mut self, board: &mut Board<'_>, transaction: u32, import: Import) {
        let mischief = &mut self.mischief;
        if mischief.on(3, Defect::ImportSilent) {
            return;
        }
        if mischief.on(3, Defect::ImportRefused) || import.size == 0 {
            self.reply(board, &[transaction, 0]);
            return;
        }
        let handle = self.heap.wrap(import);
        self.shared_memory.imports.insert(transaction, handle);
        let mischief = &mut self.mischief;
        if mischief.on(3, Defect::ImportReplyShort) {
            self.reply(board, &[transaction]);
        } else if mischief.on(3, Defect::ImportReplyStray) {
            self.reply(board, &[transaction.wrapping_add(0x0100_0000), handle]);
        } else if mischief.on(3, Defect::ImportReplyLate) {
            self.reply_at(board.now_ps + TOO_LATE_PS, message(&[transaction, handle]));
        } else if mischief.on(OLD_REPLY as u32 / 2 + 4, Defect::ImportReplyOld) {
            let old = self.shared_memory.replies.front().cloned().unwrap_or_default();
            self.reply_at(board.now_ps, old);
        } else {
            self.reply(board, &[transaction, handle]);
        }
        if self.mischief.on(3, Defect::ImportReplyTwice) {
            self.reply(board, &[transaction, handle]);
        }
        if self.mischief.on(3, Defect::ReleasedEarly) {
            self.tell_released(board, Some(Terminated { handle, import }));
        }
        if self.mischief.on(3, Defect::ReleasedEarlyOnce) {
            self.tell_released(board, Some(Terminated { handle, import }));
            self.shared_memory.told_early = Some(handle);
        }
        if self.mischief.on(3, Defect::UnknownNotice) {
            self.reply(board, &[UNSOLICITED | 15, 1, 2]);
        }
        if self.mischief.on(3, Defect::BufferScribbled) {
            let address = import.address.wrapping_add((import.size / 2) & !3);
            self.agenda.add(board.now_ps + 1_000_000, Task::Scribble { address });
        }
        if self.mischief.on(3, Defect::GuardScribbled) {
            let address = import.address.wrapping_add(import.size);
            self.agenda.add(board.now_ps + 1_000_000, Task::Scribble { address });
        }
    }

    fn free(&mut self, board: &mut Board<'_>, handle: u32) {
        self.shared_memory.imports.retain(|_, given| *given != handle);
        match self.heap.release(handle) {
            Ok(terminated) => self.tell_released(board, terminated),
            Err(()) => board.note(format!("SMEM: no resource found for res_handle {handle:#x}")),
        }
    }

    /// Tells a client of version 2 that nobody uses its buffer any more.
    pub(in crate::model) fn tell_released(&mut self, board: &mut Board<'_>, terminated: Option<Terminated>) {
        let Some(Terminated { handle, import }) = terminated else { return };
        if self.shared_memory.version < VERSION || self.shared_memory.told_early == Some(handle) {
            return;
        }
        let mut words = [UNSOLICITED | kind::RELEASED, import.address, import.size, import.kernel_id, handle];
        let mut due = board.now_ps + self.pace.time(Work::Terminate);
        let mischief = &mut self.mischief;
        if mischief.on(3, Defect::ReleasedNever) {
            return;
        }
        if mischief.on(3, Defect::ReleasedLate) {
            due += TOO_LATE_PS;
        }
        let spoilt = [
            (Defect::ReleasedWrongAddress, 1, 0x1000),
            (Defect::ReleasedWrongSize, 2, 0x1000),
            (Defect::ReleasedWrongId, 3, 0x0100_0000),
            (Defect::ReleasedWrongHandle, 4, 1),
        ];
        for (defect, word, difference) in spoilt {
            if mischief.on(3, defect) {
                words[word] = words[word].wrapping_add(difference);
            }
        }
        let twice = mischief.on(3, Defect::ReleasedTwice);
        self.reply_at(due, message(&words));
        if twice {
            self.reply_at(due, message(&words));
        }
    }

    fn reply(&mut self, board: &mut Board<'_>, words: &[u32]) {
        self.reply_at(board.now_ps, message(words));
    }

    fn reply_at(&mut self, due_ps: u64, payload: Vec<u8>) {
        let port = super::SERVICES[0].port;
        let replies = &mut self.shared_memory.replies;
        if replies.len() == OLD_REPLY {
            replies.pop_front();
        }
        replies.push_back(payload.clone());
        self.agenda.add(due_ps, Task::Send { port, payload });
    }
}
