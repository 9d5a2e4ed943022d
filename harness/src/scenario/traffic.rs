//! What every scenario owes the link: nothing came for nobody, and the doorbell rang only when there was something to
//! tell.

use vchiq_mbox::link::Stray;

use crate::{
    board::{Board, Host},
    failure::Failure,
    session::Session,
    verdict::Owner,
};

/// Doorbells that may ring beside one for each message and each slot that comes back: CONNECT, answers to OPEN.
const SPARE_RINGS: u64 = 32;

/// What went over the link, in numbers.
pub(super) struct Traffic {
    /// Messages both ways, and slots of ours that came back.
    moved: u64,
    /// Messages that were for nobody.
    strays: u64,
    doorbells: u64,
}

impl Traffic {
    pub(super) fn of<B: Board>(session: &mut Session<'_, B>) -> Self {
        let counters = session.link.counters();
        Self {
            moved: counters.sent + counters.received + counters.bulks_ended + counters.slots_reclaimed,
            strays: counters.strays,
            doorbells: session.journal.host().doorbell_interrupts().into(),
        }
    }

    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            moved: self.moved - earlier.moved,
            strays: self.strays - earlier.strays,
            doorbells: self.doorbells.saturating_sub(earlier.doorbells),
        }
    }

    /// Nothing may come for nobody, and the doorbell rings only when there is something to tell.
    pub(super) fn judge(&self, last_stray: Option<Stray>) -> Option<Failure> {
        let Self { moved, strays, doorbells } = *self;
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
        Traffic { moved, strays, doorbells }.judge(None).and_then(|failure| failure.owner)
    }

    #[test]
    fn a_message_for_nobody_and_a_doorbell_storm_do_not_go_unnoticed() {
        assert_eq!(owner(100, 0, 100), None);
        assert_eq!(owner(100, 1, 100), Some(Owner::Firmware));
        assert_eq!(owner(100, 0, 100 + SPARE_RINGS), None);
        assert_eq!(owner(100, 0, 101 + SPARE_RINGS), Some(Owner::Link));
    }
}
