//! Breaking this side's rules on purpose, to see what the peer makes of it.
//!
//! Drivers have lost messages, returned slots late and published before they stored; whether the peer then only slows
//! down, or never comes back, cannot be read in any source. Nothing here happens unless it is asked for.

use heapless::Vec;

use super::{HeldMessage, Vchiq};
use crate::platform::{Platform, Window};

/// Messages that can be kept from the peer at a time; later ones are let go of as usual.
pub const MAX_KEPT: usize = 128;

/// A rule that this side breaks until told otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Misbehaviour {
    /// Slots of the peer's that have been read to the end are not returned yet.
    HoldSlotsBack,
    /// One message in so many is never let go of, and pins its slot.
    KeepMessages {
        /// 1 keeps each of them; 0 none.
        one_in: u32,
    },
    /// One message in so many is let go of with its claimed bit still set.
    LeaveClaimed {
        /// 1 leaves each of them; 0 none.
        one_in: u32,
    },
    /// A message's end is published first, and the message stored later.
    PublishFirst {
        /// Ticks of the constant counter between the two.
        gap_ticks: u32,
    },
}

/// What is broken now, and what is kept because of it.
#[derive(Default)]
pub(super) struct Misbehaving {
    now: Option<Misbehaviour>,
    /// Messages let go of since it began.
    released: u32,
    kept: Vec<HeldMessage, MAX_KEPT>,
}

impl Misbehaving {
    /// True if this is one of the messages meant by `one_in`.
    fn is_due(&mut self, one_in: u32) -> bool {
        self.released = self.released.wrapping_add(1);
        one_in != 0 && self.released.is_multiple_of(one_in)
    }

    /// Keeps the message if it is one to keep; otherwise gives it back.
    pub(super) fn keep(&mut self, message: HeldMessage) -> Result<(), HeldMessage> {
        let Some(Misbehaviour::KeepMessages { one_in }) = self.now else { return Err(message) };
        if self.is_due(one_in) { self.kept.push(message) } else { Err(message) }
    }

    /// True if the claimed bit of the message being let go of is to stay.
    pub(super) fn leaves_claimed(&mut self) -> bool {
        let Some(Misbehaviour::LeaveClaimed { one_in }) = self.now else { return false };
        self.is_due(one_in)
    }
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Breaks a rule from now on.
    pub fn misbehave(&mut self, how: Misbehaviour) {
        self.misbehaving.now = Some(how);
        self.misbehaving.released = 0;
        self.rx.hold_back(how == Misbehaviour::HoldSlotsBack);
        self.tx.publish_first(match how {
            Misbehaviour::PublishFirst { gap_ticks } => Some(gap_ticks),
            _ => None,
        });
    }

    /// Follows the rules again, and lets go of everything that was kept; gives the number of messages and slots. What
    /// was let go of with its claimed bit stays lost to the peer's books.
    pub fn behave(&mut self) -> u32 {
        self.misbehaving.now = None;
        self.rx.hold_back(false);
        self.tx.publish_first(None);
        let slots = self.rx.return_held_back(&mut self.shared);
        let mut messages = 0;
        while let Some(message) = self.misbehaving.kept.pop() {
            self.release(message);
            messages += 1;
        }
        slots + messages
    }

    /// Messages and slots that are kept from the peer now.
    pub fn kept(&self) -> u32 {
        self.misbehaving.kept.len() as u32 + self.rx.held_back()
    }
}
