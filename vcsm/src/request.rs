//! One request for a block of VideoCore's heap, and its answer.
//!
//! A reply has no type: what it is follows from the request with its number.

use vchiq_mbox::{Exchange, MessageInfo, Submitted};

use crate::{
    error::{Place, Violation},
    ids::{Handle, TransactionId},
    wire::{AllocResult, LockResult, MessageType, Reply, StatusResult},
};

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    Alloc { size: u32 },
    Lock { handle: Handle },
    Unlock { handle: Handle },
    Resize { handle: Handle, size: u32 },
}

impl Asked {
    /// The type of its message.
    pub(crate) fn kind(self) -> MessageType {
        match self {
            Self::Alloc { .. } => MessageType::Alloc,
            Self::Lock { .. } => MessageType::Lock,
            Self::Unlock { .. } => MessageType::Unlock,
            Self::Resize { .. } => MessageType::Resize,
        }
    }

    /// The block it is about; an ALLOC has none yet.
    pub(crate) fn handle(self) -> Option<Handle> {
        match self {
            Self::Alloc { .. } => None,
            Self::Lock { handle } | Self::Unlock { handle } | Self::Resize { handle, .. } => Some(handle),
        }
    }
}

/// What came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Allocated { handle: Handle, memory: u32 },
    Locked { memory: u32, old_memory: u32 },
    Done,
    Refused { status: u32 },
}

/// One request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    pub(crate) transaction: TransactionId,
    pub(crate) asked: Asked,
    pub(crate) submitted: Submitted,
    /// The caller has given up waiting.
    pub(crate) abandoned: bool,
    pub(crate) answer: Option<(Answer, Exchange)>,
}

impl Request {
    /// Reads the reply as the request's type has it.
    pub(crate) fn read(
        &self,
        reply: &Reply,
        info: &MessageInfo,
        place: Place,
    ) -> Result<(Answer, Exchange), Violation> {
        let undecodable = |reason| Violation::undecodable(reason, place);
        let answer = match self.asked {
            Asked::Alloc { .. } => {
                let result = reply.read::<AllocResult>().map_err(undecodable)?;
                match Handle::told(result.handle.get()) {
                    Some(handle) => Answer::Allocated { handle, memory: result.memory.get() },
                    None => Answer::Refused { status: 0 },
                }
            }
            Asked::Lock { handle } => {
                let result = reply.read::<LockResult>().map_err(undecodable)?;
                match (result.handle.get(), result.memory.get()) {
                    // A refusal may leave the handle out.
                    (_, 0) => Answer::Refused { status: 0 },
                    (told, _) if told != handle.number() => {
                        let words = [0, 1, 2, 3].map(|index| reply.word(index));
                        return Err(Violation::WrongHandle { asked: handle, words, place });
                    }
                    (_, memory) => Answer::Locked { memory, old_memory: result.old_memory.get() },
                }
            }
            Asked::Unlock { .. } | Asked::Resize { .. } => {
                match reply.read::<StatusResult>().map_err(undecodable)?.status.get() {
                    0 => Answer::Done,
                    status => Answer::Refused { status },
                }
            }
        };
        Ok((answer, Exchange::between(&self.submitted, info)))
    }
}
