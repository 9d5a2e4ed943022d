//! What every scenario owes the link: nothing came for nobody, and the doorbell rang only when there was something to
//! tell.

use vchiq_mbox::link::Stray;

use crate::{
    board::{Board, Host},
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

/// Doorbells that may ring beside one for each message and each slot that comes back: CONNECT, answers to OPEN.
const SPARE_RINGS: u64 = 32;

/// What went over the link, in numbers.
pub(super) struct Traffic {
    /// Messages that we sent, control messages included.
    sent: u64,
    /// DATA that came for services of ours.
    received: u64,
    /// What else the doorbell rings for: slots of ours that came back, and bulk transfers that ended.
    others: u64,
    /// Messages that were for nobody.
    strays: u64,
    doorbells: u64,
}

impl Traffic {
    pub(super) fn of<B: Board>(session: &mut Session<'_, B>) -> Self {
        let counters = session.link.counters();
        Self {
            sent: counters.sent,
            received: counters.received,
            others: counters.bulks_ended + counters.slots_reclaimed,
            strays: counters.strays,
            doorbells: session.journal.host().doorbell_interrupts().into(),
        }
    }

    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            sent: self.sent - earlier.sent,
            received: self.received - earlier.received,
            others: self.others - earlier.others,
            strays: self.strays - earlier.strays,
            doorbells: self.doorbells.saturating_sub(earlier.doorbells),
        }
    }

    /// How many messages a scenario saw: what its verdict rests on.
    pub(super) fn count(&self, counts: &mut Counts) {
        if self.sent + self.received != 0 {
            counts.set("messages_sent", self.sent);
            counts.set("messages_received", self.received);
        }
    }

    /// One message for nobody, as [`Self::judge`] words it.
    #[cfg(all(test, feature = "std"))]
    pub(super) fn one_stray(stray: Stray) -> Option<Failure> {
        Self { sent: 0, received: 0, others: 0, strays: 1, doorbells: 0 }.judge(Some(stray))
    }

    /// Nothing may come for nobody, and the doorbell rings only when there is something to tell.
    pub(super) fn judge(&self, last_stray: Option<Stray>) -> Option<Failure> {
        let Self { sent, received, others, strays, doorbells } = *self;
        let moved = sent + received + others;
        if strays != 0 {
            return Some(match last_stray {
                Some(Stray { msgid, slot, offset, words: [first, second], .. }) => {
                    let place = slot.byte_offset() + usize::from(offset);
                    let words = format_args!("{msgid:#010x} [{first:#x}, {second:#x}] at {place:#x}");
                    Failure::fail(
                        Owner::Firmware,
                        format_args!("{strays} messages for nobody, the last {words}"),
                    )
                }
                None => Failure::fail(Owner::Firmware, format_args!("{strays} messages for nobody")),
            });
        }
        if doorbells > moved + SPARE_RINGS {
            let reason = format_args!("{doorbells} doorbells for {moved} messages and slots");
            return Some(Failure::fail(Owner::Link, reason));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(moved: u64, strays: u64, doorbells: u64) -> Option<Owner> {
        Traffic {
            sent: moved / 2,
            received: moved / 4,
            others: moved - moved / 2 - moved / 4,
            strays,
            doorbells,
        }
        .judge(None)
        .and_then(|failure| failure.owner)
    }

    #[test]
    fn a_message_for_nobody_and_a_doorbell_storm_do_not_go_unnoticed() {
        assert_eq!(owner(100, 0, 100), None);
        assert_eq!(owner(100, 1, 100), Some(Owner::Firmware));
        assert_eq!(owner(100, 0, 100 + SPARE_RINGS), None);
        assert_eq!(owner(100, 0, 101 + SPARE_RINGS), Some(Owner::Link));
    }
}
