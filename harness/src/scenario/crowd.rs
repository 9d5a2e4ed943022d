//! Many buffers at once: imports and frees sent without waiting for the answers to those before.

use core::time::Duration;

use heapless::Vec;
use vchiq_mbox::Deadline;
use vcsm::{Error, Freed, ImportFailure, Imported, Importing, Returned};

use super::shared_memory::{Client, settle};
use crate::{
    block::Block,
    board::{Board, Host},
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, Session},
};

/// Buffers out at a time, at most.
pub(super) const WIDEST: usize = 128;
/// No answer for so long counts as the firmware having no slot to answer in: it takes microseconds.
const SILENCE: Duration = Duration::from_millis(20);
/// A client for so many.
pub(super) type WideClient<'a, B> = Client<'a, B, WIDEST>;

/// Buffers that go through import, free and released together.
pub(super) struct Crowd<'a, B: Board> {
    ready: Vec<Block<'a, B::Lendable>, WIDEST>,
    importing: Vec<Importing, WIDEST>,
    imported: Vec<Imported, WIDEST>,
    freed: Vec<Freed, WIDEST>,
    returned: Vec<Block<'a, B::Lendable>, WIDEST>,
}

impl<'a, B: Board> Crowd<'a, B> {
    /// `count` buffers of `size` bytes, filled.
    pub(super) fn new(session: &mut Session<'a, B>, count: usize, size: usize) -> Result<Self, Failure> {
        let mut crowd = Self {
            ready: Vec::new(),
            importing: Vec::new(),
            imported: Vec::new(),
            freed: Vec::new(),
            returned: Vec::new(),
        };
        for number in 0..count.min(WIDEST) {
            let seed = session.plan.seed.wrapping_add(number as u64);
            let block = session.lending.take(size, Pattern::new(seed))?;
            block.fill();
            // There is room for WIDEST.
            let _ = crowd.ready.push(block);
        }
        Ok(crowd)
    }

    /// Sends IMPORT of all. Gives false if there was no slot for one of them until `deadline`.
    pub(super) fn import(
        &mut self,
        session: &mut Session<'a, B>,
        client: &mut WideClient<'a, B>,
        deadline: Deadline,
    ) -> Result<bool, Failure> {
        while let Some(block) = self.ready.pop() {
            match client.submit_import(&mut session.link, block, deadline) {
                Ok(importing) => drop(self.importing.push(importing)),
                Err(ImportFailure { error, buffer }) => {
                    if let Some(block) = buffer {
                        let _ = self.ready.push(block);
                    }
                    if is_back_pressure(&error) {
                        return Ok(false);
                    }
                    return Err(session.link_failure(error));
                }
            }
        }
        Ok(true)
    }

    /// Waits for the handles of all imports.
    pub(super) fn take_handles(
        &mut self,
        session: &mut Session<'a, B>,
        client: &mut WideClient<'a, B>,
    ) -> Result<(), Failure> {
        while let Some(importing) = self.importing.pop() {
            let deadline = session.deadline(ANSWER_TIMEOUT);
            match client.await_import(&mut session.link, importing, deadline) {
                Ok(imported) => drop(self.imported.push(imported)),
                Err(failure) => return Err(session.link_failure(failure.error)),
            }
        }
        Ok(())
    }

    /// Sends FREE of all that have handles.
    pub(super) fn free(
        &mut self,
        session: &mut Session<'a, B>,
        client: &mut WideClient<'a, B>,
    ) -> Result<(), Failure> {
        while let Some(imported) = self.imported.pop() {
            let deadline = session.deadline(ANSWER_TIMEOUT);
            match client.free(&mut session.link, imported, deadline) {
                Ok(freed) => drop(self.freed.push(freed)),
                Err(failure) => return Err(session.link_failure(failure.error)),
            }
        }
        Ok(())
    }

    /// Waits for RELEASED of all that were freed.
    pub(super) fn take_back(
        &mut self,
        session: &mut Session<'a, B>,
        client: &mut WideClient<'a, B>,
    ) -> Result<(), Failure> {
        while let Some(freed) = self.freed.pop() {
            let deadline = session.deadline(ANSWER_TIMEOUT);
            match client.await_released(&mut session.link, freed, deadline) {
                Ok(Returned { buffer, .. }) => drop(self.returned.push(buffer)),
                Err(failure) => return Err(session.link_failure(failure.error)),
            }
        }
        Ok(())
    }

    /// Handles, FREE, RELEASED: whatever is still to be done.
    pub(super) fn finish(
        &mut self,
        session: &mut Session<'a, B>,
        client: &mut WideClient<'a, B>,
    ) -> Result<(), Failure> {
        self.take_handles(session, client)?;
        self.free(session, client)?;
        self.take_back(session, client)
    }

    /// Goes round and round until the firmware falls silent, or has been asked often enough.
    pub(super) fn press(
        &mut self,
        session: &mut Session<'a, B>,
        client: &mut WideClient<'a, B>,
        most: u32,
    ) -> Result<Pressed, Failure> {
        for rounds in 0..most {
            session.check_run_time()?;
            session.journal.host().progress();
            let silent = Ok(Pressed { rounds, silent: true });
            let deadline = session.deadline(SILENCE);
            if !self.import(session, client, deadline)?
                || !settle(session, client, deadline, all_answered::<B>)?
            {
                return silent;
            }
            self.take_handles(session, client)?;
            self.free(session, client)?;
            let deadline = session.deadline(SILENCE);
            if !settle(session, client, deadline, none_out::<B>)? {
                return silent;
            }
            self.take_back(session, client)?;
            self.turn_round();
        }
        Ok(Pressed { rounds: most, silent: false })
    }

    /// Makes those that came back ready for another round.
    pub(super) fn turn_round(&mut self) {
        self.ready.extend(self.returned.drain(..));
    }

    /// Looks at what came back, and gives it to the memory that can be lent.
    pub(super) fn check(mut self, session: &mut Session<'a, B>) -> Result<(), Failure> {
        self.turn_round();
        for block in &self.ready {
            block.check().map_err(|damage| damage.failure("after RELEASED"))?;
            session.lending.put_back(block);
        }
        Ok(())
    }
}

/// How far a crowd got.
pub(super) struct Pressed {
    /// Rounds that were answered whole.
    pub(super) rounds: u32,
    /// The next one was not, for [`SILENCE`].
    pub(super) silent: bool,
}

/// The peer keeps the slots that a message would need.
fn is_back_pressure(error: &Error) -> bool {
    use vchiq_mbox::{Error as LinkError, error::Exhausted};
    matches!(
        error,
        Error::Link(LinkError::Exhausted(
            Exhausted::NoFreeSlot { .. } | Exhausted::SlotQuota { .. } | Exhausted::DataQuota { .. }
        ))
    )
}

/// Every import that is out has its handle.
fn all_answered<B: Board>(client: &WideClient<'_, B>) -> bool {
    client.outstanding().all(|buffer| buffer.handle.is_some())
}

/// No buffer is out.
fn none_out<B: Board>(client: &WideClient<'_, B>) -> bool {
    client.outstanding().next().is_none()
}
