//! Blocks of VideoCore's own heap: made, locked, resized, let go.
//!
//! Their memory is VideoCore's throughout, so a [`Block`] that is forgotten leaks there, not here. An import has no
//! such token: RESIZE of one is a fault that the firmware's debug build ends on.

use vchiq_mbox::{Deadline, Exchange, Platform, Vchiq, Window};
use zerocopy::{Immutable, IntoBytes};

use super::{MAX_BLOCKS, Smem, is_timeout};
use crate::{
    error::{Error, Exhausted, Misuse},
    ids::{Handle, TransactionId},
    lend::Lend,
    request::{Answer, Asked, Request},
    wire::{Alloc, CacheType, MessageType, OnHandle, RequestHeader, Resize},
};

/// A block of VideoCore's heap.
#[must_use = "the block stays in VideoCore's heap until it is freed"]
#[derive(PartialEq, Eq, Debug)]
pub struct Block {
    handle: Handle,
}

impl Block {
    /// Firmware's handle.
    pub fn handle(&self) -> Handle {
        self.handle
    }
}

/// The block was not freed.
#[derive(Debug)]
pub struct BlockFailure {
    /// Why.
    pub error: Error,
    /// The token, to try again.
    pub block: Block,
}

/// How large a block is to be, and how firmware is to reach it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockSize {
    /// Bytes of a unit.
    pub unit: u32,
    /// Units.
    pub count: u32,
    /// Alignment in bytes.
    pub alignment: u32,
    /// Through VideoCore's caches or past them.
    pub cache: CacheType,
}

/// Where a locked block is. It stays there until its last lock is taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Locked {
    /// VideoCore's pointer.
    pub memory: u32,
    /// Its pointer before, if the block has moved.
    pub old_memory: u32,
    /// When LOCK was sent and its reply decoded.
    pub exchange: Exchange,
}

/// What the client knows of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BlockRecord {
    pub(super) handle: Handle,
    pub(super) size: u32,
    pub(super) locks: u32,
}

/// An answered request.
struct Answered {
    transaction: TransactionId,
    answer: Answer,
    exchange: Exchange,
}

impl Answered {
    fn refusal(&self, request: MessageType) -> Error {
        let status = if let Answer::Refused { status } = self.answer { status } else { 0 };
        Error::Refused { request, transaction: self.transaction, status }
    }
}

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Makes a block (ALLOC), and tells where VideoCore has it for now: it may move while it is not locked.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::RequestTimedOut`]: a block that comes late is freed.
    pub fn alloc<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        size: BlockSize,
        deadline: Deadline,
    ) -> Result<(Block, u32), Error> {
        let BlockSize { unit, count, alignment, cache } = size;
        let bytes = unit.checked_mul(count).filter(|bytes| *bytes != 0).ok_or(Misuse::EmptyBuffer)?;
        if self.blocks.is_full() {
            return Err(Exhausted::BlocksFull { capacity: MAX_BLOCKS }.into());
        }
        let (allocator, name) = (self.allocator, self.name);
        let answered = self.ask(link, Asked::Alloc { size: bytes }, deadline, |header| Alloc {
            header,
            cache_type: (cache as u32).into(),
            unit: unit.into(),
            count: count.into(),
            alignment: alignment.into(),
            allocator: allocator.into(),
            name,
        })?;
        match answered.answer {
            Answer::Allocated { handle, memory } => Ok((Block { handle }, memory)),
            _ => Err(answered.refusal(MessageType::Alloc)),
        }
    }

    /// Pins a block and tells where it is (LOCK). Locks are counted.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::RequestTimedOut`]: a lock that comes late is taken back.
    pub fn lock<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        block: &Block,
        deadline: Deadline,
    ) -> Result<Locked, Error> {
        let handle = self.block(block)?.handle;
        let message = |header| on_handle(header, handle);
        let answered = self.ask(link, Asked::Lock { handle }, deadline, message)?;
        match answered.answer {
            Answer::Locked { memory, old_memory } => {
                Ok(Locked { memory, old_memory, exchange: answered.exchange })
            }
            _ => Err(answered.refusal(MessageType::Lock)),
        }
    }

    /// Takes a lock back and waits for the answer (UNLOCK).
    ///
    /// # Errors
    /// [`Misuse::BlockNotLocked`], [`Error::Refused`], [`Error::RequestTimedOut`].
    pub fn unlock<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        block: &Block,
        deadline: Deadline,
    ) -> Result<Exchange, Error> {
        let handle = self.locked_block(block)?;
        let message = |header| on_handle(header, handle);
        self.ask(link, Asked::Unlock { handle }, deadline, message).map(|answered| answered.exchange)
    }

    /// Takes a lock back; firmware does not answer (UNLOCK_NOANS).
    ///
    /// # Errors
    /// [`Misuse::BlockNotLocked`], [`Error::Link`].
    pub fn unlock_without_answer<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        block: &Block,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let handle = self.locked_block(block)?;
        let message = on_handle(self.header(MessageType::UnlockNoAnswer), handle);
        link.send(self.service, &[message.as_bytes()], deadline)?;
        self.change_block(handle, |block| block.locks = block.locks.saturating_sub(1));
        Ok(())
    }

    /// Changes the size of a block that is not locked (RESIZE), in bytes.
    ///
    /// # Errors
    /// [`Misuse::BlockLocked`], [`Error::Refused`], [`Error::RequestTimedOut`].
    pub fn resize<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        block: &Block,
        new_size: u32,
        deadline: Deadline,
    ) -> Result<Exchange, Error> {
        let handle = self.free_block(block)?;
        if new_size == 0 {
            return Err(Misuse::EmptyBuffer.into());
        }
        let message = |header| Resize {
            header,
            handle: handle.number().into(),
            memory: 0.into(),
            new_size: new_size.into(),
        };
        self.ask(link, Asked::Resize { handle, size: new_size }, deadline, message)
            .map(|answered| answered.exchange)
    }

    /// Lets go of a block that is not locked (FREE). Firmware does not answer.
    ///
    /// # Errors
    /// [`BlockFailure`] with the token: [`Misuse::BlockLocked`], [`Misuse::BlockBusy`], [`Error::Link`].
    pub fn free_heap<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        block: Block,
        deadline: Deadline,
    ) -> Result<(), BlockFailure> {
        let sent = self.free_block(&block).map_err(Error::from).and_then(|handle| {
            let message = on_handle(self.header(MessageType::Free), handle);
            link.send(self.service, &[message.as_bytes()], deadline)?;
            Ok(handle)
        });
        match sent {
            Ok(handle) => {
                self.forget_block(handle);
                Ok(())
            }
            Err(error) => Err(BlockFailure { error, block }),
        }
    }

    /// Bytes of a block, as last agreed with firmware.
    ///
    /// # Errors
    /// [`Misuse::UnknownBlock`].
    pub fn block_size(&self, block: &Block) -> Result<u32, Misuse> {
        Ok(self.block(block)?.size)
    }

    /// Lets firmware print its resources into its own log (WALK_ALLOC). There is no answer.
    ///
    /// # Errors
    /// [`Error::Link`].
    pub fn walk_alloc<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let message = self.header(MessageType::WalkAlloc);
        link.send(self.service, &[message.as_bytes()], deadline)?;
        Ok(())
    }

    /// Sends a request and waits for its answer.
    fn ask<P: Platform, W: Window, M: IntoBytes + Immutable>(
        &mut self,
        link: &mut Vchiq<P, W>,
        asked: Asked,
        deadline: Deadline,
        message: impl FnOnce(RequestHeader) -> M,
    ) -> Result<Answered, Error> {
        if self.requests.is_full() {
            return Err(Exhausted::BlocksFull { capacity: MAX_BLOCKS }.into());
        }
        let transaction = self.transactions.take();
        let message = message(RequestHeader::new(asked.kind(), transaction.number()));
        let submitted = link.send(self.service, &[message.as_bytes()], deadline)?;
        // There is room: checked before anything was sent.
        let _ = self.requests.push(Request { transaction, asked, submitted, abandoned: false, answer: None });
        loop {
            let place = self.requests.iter().position(|request| request.transaction == transaction);
            let Some(place) = place else {
                return Err(Error::RequestTimedOut { request: asked.kind(), transaction });
            };
            if let Some((answer, exchange)) = self.requests[place].answer {
                self.requests.swap_remove(place);
                let answered = Answered { transaction, answer, exchange };
                return match answer {
                    Answer::Refused { .. } => Err(answered.refusal(asked.kind())),
                    _ => Ok(answered),
                };
            }
            if let Err(error) = self.receive(link, deadline) {
                self.abandon_request(transaction);
                let timed_out = Error::RequestTimedOut { request: asked.kind(), transaction };
                return Err(if is_timeout(&error) { timed_out } else { error });
            }
        }
    }

    pub(super) fn header(&mut self, kind: MessageType) -> RequestHeader {
        RequestHeader::new(kind, self.transactions.take().number())
    }

    fn block(&self, block: &Block) -> Result<&BlockRecord, Misuse> {
        let handle = block.handle;
        let found = self.blocks.iter().find(|record| record.handle == handle);
        found.ok_or(Misuse::UnknownBlock { handle })
    }

    fn locked_block(&self, block: &Block) -> Result<Handle, Misuse> {
        match self.block(block)? {
            BlockRecord { handle, locks: 0, .. } => Err(Misuse::BlockNotLocked { handle: *handle }),
            BlockRecord { handle, .. } => Ok(*handle),
        }
    }

    /// The handle of a block that nobody holds in place and that no late answer can change.
    fn free_block(&self, block: &Block) -> Result<Handle, Misuse> {
        let BlockRecord { handle, locks, .. } = *self.block(block)?;
        if self.requests.iter().any(|request| request.asked.handle() == Some(handle)) {
            return Err(Misuse::BlockBusy { handle });
        }
        if locks != 0 {
            return Err(Misuse::BlockLocked { handle, locks });
        }
        Ok(handle)
    }

    pub(super) fn change_block(&mut self, handle: Handle, change: impl FnOnce(&mut BlockRecord)) {
        if let Some(record) = self.blocks.iter_mut().find(|record| record.handle == handle) {
            change(record);
        }
    }

    fn forget_block(&mut self, handle: Handle) {
        if let Some(place) = self.blocks.iter().position(|record| record.handle == handle) {
            self.blocks.swap_remove(place);
        }
    }
}

/// A message that names a handle.
pub(super) fn on_handle(header: RequestHeader, handle: Handle) -> OnHandle {
    OnHandle { header, handle: handle.number().into(), memory: 0.into() }
}
