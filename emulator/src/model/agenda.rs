//! What the model is about to do, in order of time.

use std::collections::BTreeMap;

use super::bulk::Direction;
use super::pagelist::PageList;
use super::service::Incoming;

/// Something to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Task {
    /// Answer a word of mailbox 1.
    Mail(u32),
    /// Put a word into mailbox 0.
    Reply(u32),
    /// The slot handler wakes: read what the Arm has published.
    ReadSlots,
    /// The recycle handler wakes: take back our slots.
    TakeBackSlots,
    /// CONNECT after VCHIQ_INIT.
    Connect,
    /// A service deals with a message.
    Serve(Incoming),
    /// A service sends.
    Send {
        /// Our port.
        port: u16,
        /// The message.
        payload: Vec<u8>,
    },
    /// Close a service from our side.
    Close(u16),
    /// Move a bulk transfer.
    Move {
        /// Our port.
        port: u16,
        /// Which way.
        direction: Direction,
    },
    /// Write bytes that have been said to be there.
    Fill {
        /// Where to.
        list: PageList,
        /// What.
        bytes: Vec<u8>,
    },
    /// Ring doorbell 0 with nothing to tell, and again.
    Storm,
    /// Store words into the Arm's memory.
    Scribble {
        /// Bus address.
        address: u32,
    },
    /// RESUME after our PAUSE.
    Resume,
    /// Begin anew after a crash.
    ComeBack,
}

/// Tasks by time; those of one moment in the order they were added.
#[derive(Default)]
pub(super) struct Agenda {
    tasks: BTreeMap<(u64, u64), Task>,
    added: u64,
}

impl Agenda {
    /// Adds a task for a time in picoseconds.
    pub(super) fn add(&mut self, due_ps: u64, task: Task) {
        self.tasks.insert((due_ps, self.added), task);
        self.added += 1;
    }

    /// When the next task is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.tasks.keys().next().map(|(due, _)| *due)
    }

    /// The next task, if its time has come.
    pub(super) fn take_due(&mut self, now_ps: u64) -> Option<Task> {
        let first = self.tasks.first_entry().filter(|entry| entry.key().0 <= now_ps)?;
        Some(first.remove())
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_by_time_and_then_in_the_order_they_were_added() {
        let mut agenda = Agenda::default();
        agenda.add(20, Task::Connect);
        agenda.add(10, Task::ReadSlots);
        agenda.add(10, Task::TakeBackSlots);
        assert_eq!(agenda.next_due(), Some(10));
        assert_eq!(agenda.take_due(9), None);
        assert_eq!(agenda.take_due(10), Some(Task::ReadSlots));
        assert_eq!(agenda.take_due(10), Some(Task::TakeBackSlots));
        assert_eq!(agenda.take_due(10), None);
        assert_eq!(agenda.take_due(20), Some(Task::Connect));
    }
}
