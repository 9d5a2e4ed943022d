//! Pausing the link, from either side (VCHIQ fact sheet 8).
//!
//! Who pauses sends PAUSE, and nothing more; the other answers PAUSE, and sends nothing more either. Who has paused
//! sends RESUME, which has no answer.

use heapless::Vec;

use super::{Connection, Vchiq};
use crate::{
    deadline::Deadline,
    error::{Error, Exhausted, Misuse, Step},
    platform::{Platform, Window},
    wire::{MessageId, MessageType, Port},
};

/// Answers that can wait for the link to be resumed.
const MAX_DEFERRED: usize = 16;

/// What is known about a pause.
#[derive(Default)]
pub(super) struct Pause {
    /// This side has paused.
    by_us: bool,
    /// Answers to messages that crossed our PAUSE; without payload.
    deferred: Vec<MessageId, MAX_DEFERRED>,
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Pauses the link: afterwards neither side sends anything until [`Self::resume`].
    ///
    /// What the peer sends before it has seen our PAUSE is received as ever. After a timeout the pause is still
    /// under way: this may be called again.
    ///
    /// # Errors
    /// [`Exhausted::Paused`] if the peer has paused already; [`Step::Pause`] at the deadline.
    pub fn pause(&mut self, deadline: Deadline) -> Result<(), Error> {
        self.check_connected()?;
        let id = MessageId::new(MessageType::Pause, Port::NONE, Port::NONE);
        if self.connection == Connection::Connected {
            self.queue_until(deadline, id, &[])?;
            self.pause.by_us = true;
            self.connection = Connection::Pausing;
        }
        if !self.pause.by_us {
            return Err(Exhausted::Paused.into());
        }
        self.wait_until(deadline, Step::Pause, |link| {
            Ok((link.connection != Connection::Pausing).then_some(()))
        })
    }

    /// Resumes a link that [`Self::pause`] has paused.
    ///
    /// # Errors
    /// [`Misuse::NotPaused`]; [`Exhausted`] if no slot was free at the deadline.
    pub fn resume(&mut self, deadline: Deadline) -> Result<(), Error> {
        self.check_connected()?;
        if self.connection != Connection::Paused || !self.pause.by_us {
            return Err(Misuse::NotPaused.into());
        }
        let id = MessageId::new(MessageType::Resume, Port::NONE, Port::NONE);
        while let Err(reason) = self.tx.try_queue(&mut self.shared, id, &[]) {
            self.wait_for_room(deadline, reason)?;
        }
        self.counters.sent += 1;
        self.resumed();
        self.send_deferred();
        Ok(())
    }

    /// Nothing may be sent, because of whom.
    pub(super) fn check_not_paused(&self) -> Result<(), Error> {
        match self.connection {
            Connection::Pausing | Connection::Paused if self.pause.by_us => Err(Misuse::Paused.into()),
            Connection::Pausing | Connection::Paused => Err(Exhausted::Paused.into()),
            _ => Ok(()),
        }
    }

    pub(super) const fn is_paused(&self) -> bool {
        matches!(self.connection, Connection::Pausing | Connection::Paused)
    }

    pub(super) fn resumed(&mut self) {
        self.connection = Connection::Connected;
        self.pause.by_us = false;
    }

    /// Keeps an answer until the link is resumed.
    pub(super) fn defer(&mut self, answer: MessageId) -> Result<(), Exhausted> {
        self.pause.deferred.push(answer).map_err(|_| Exhausted::Paused)
    }

    /// Sends the answers that had to wait, as far as there is room.
    pub(super) fn send_deferred(&mut self) {
        while let Some(answer) = self.pause.deferred.first().copied()
            && self.connection == Connection::Connected
            && self.tx.try_queue(&mut self.shared, answer, &[]).is_ok()
        {
            self.pause.deferred.remove(0);
            self.counters.sent += 1;
        }
    }
}
