//! Replies already seen.
//!
//! A reply that comes twice is told apart from a reply to nobody, with its distance from the first: the stray
//! replies of Linux repeat what was received 128 messages earlier (users fact sheet 3).

use heapless::HistoryBuf;

use crate::{error::Place, ids::TransactionId};

/// Replies remembered.
const LENGTH: usize = 256;

/// The last answered transactions and where their replies lay.
pub(crate) struct History {
    answered: HistoryBuf<(TransactionId, Place), LENGTH>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { answered: HistoryBuf::new() }
    }

    pub(crate) fn note(&mut self, transaction: TransactionId, place: Place) {
        self.answered.write((transaction, place));
    }

    /// Where the reply to a transaction lay, if it is remembered.
    pub(crate) fn find(&self, transaction: u32) -> Option<Place> {
        let mut oldest_first = self.answered.oldest_ordered();
        oldest_first.rfind(|(id, _)| id.number() == transaction).map(|(_, place)| *place)
    }
}
