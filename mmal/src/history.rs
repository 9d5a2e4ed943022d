//! Replies already seen: one that comes twice is told apart from a reply to nobody.

use heapless::HistoryBuf;

use crate::{error::Place, ids::RequestContext};

/// Replies remembered.
const LENGTH: usize = 64;

/// The last answered requests and where their replies lay.
pub(crate) struct History {
    answered: HistoryBuf<(RequestContext, Place), LENGTH>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { answered: HistoryBuf::new() }
    }

    pub(crate) fn note(&mut self, context: RequestContext, place: Place) {
        self.answered.write((context, place));
    }

    /// Where the reply to a request lay, if it is remembered.
    pub(crate) fn find(&self, context: u32) -> Option<Place> {
        let mut oldest_first = self.answered.oldest_ordered();
        oldest_first.rfind(|(id, _)| id.number() == context).map(|(_, place)| *place)
    }
}
