//! Why a step did not pass.

use core::fmt::{self, Write};

use heapless::Vec;
use vchiq_mbox::{
    BusAddress, Error, Positions,
    error::{Exhausted, Misuse, Violation},
    link::{Remains, Stray},
    mailbox::MailboxError,
    wire::SLOT_SIZE,
};

use crate::{
    record::{Fact, MAX_EVIDENCE, Sentence, clipped},
    verdict::{Owner, Verdict},
};

/// A step's end other than `pass`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// How.
    pub verdict: Verdict,
    /// Whose fault; nobody's for `skip` and `absent`.
    pub owner: Option<Owner>,
    /// In words.
    pub reason: Sentence,
    /// The words that prove it.
    pub evidence: Vec<Fact, MAX_EVIDENCE>,
}

impl Failure {
    /// The criterion does not hold.
    pub fn fail(owner: Owner, reason: fmt::Arguments<'_>) -> Self {
        Self::new(Verdict::Fail, Some(owner), reason)
    }

    /// A peer stopped answering.
    pub fn hung(owner: Owner, reason: fmt::Arguments<'_>) -> Self {
        Self::new(Verdict::Hung, Some(owner), reason)
    }

    /// The other side lacks what is tested.
    pub fn absent(reason: fmt::Arguments<'_>) -> Self {
        Self::new(Verdict::Absent, None, reason)
    }

    /// Cannot be run here.
    pub fn skip(reason: fmt::Arguments<'_>) -> Self {
        Self::new(Verdict::Skip, None, reason)
    }

    // Not inlined, as `with`: once in a run is no hurry, and there are forty callers.
    #[inline(never)]
    fn new(verdict: Verdict, owner: Option<Owner>, reason: fmt::Arguments<'_>) -> Self {
        Self { verdict, owner, reason: sentence(reason), evidence: Vec::new() }
    }

    /// Adds a word that proves it; dropped when there are [`MAX_EVIDENCE`] already.
    #[must_use]
    #[inline(never)]
    pub fn with(mut self, name: &str, value: u32) -> Self {
        let _ = self.evidence.push(Fact { name: clipped(name), value });
        self
    }

    /// Adds where both sides of a link stood that a reset has ended.
    #[must_use]
    pub(crate) fn at_remains(self, remains: &Remains) -> Self {
        self.with("peer.initialised", remains.peer_initialised)
            .with("tx_pos", remains.tx_pos)
            .with("peer.tx_pos", remains.peer_tx_pos)
            .with("recycle", remains.recycle)
            .with("peer.recycle", remains.peer_recycle)
            .with("trigger.armed", remains.trigger.armed)
            .with("trigger.fired", remains.trigger.fired)
            .with("peer.trigger.armed", remains.peer_trigger.armed)
            .with("peer.trigger.fired", remains.peer_trigger.fired)
            .with("peer.debug.header", remains.peer_header)
            .with("peer.debug.msgid", remains.peer_msgid)
    }

    /// Adds where both sides of the link are.
    #[must_use]
    pub fn at(self, positions: &Positions) -> Self {
        self.with("tx_pos", positions.tx_pos)
            .with("rx_pos", positions.rx_pos)
            .with("peer.tx_pos", positions.peer_tx_pos)
            .with("recycle", positions.recycle_published)
            .with("peer.recycle", positions.peer_recycle)
            .with("slots_lent", positions.slots_lent)
            .with("slots_held", positions.slots_held)
            .with("peer.trigger.armed", positions.peer_trigger.armed)
            .with("peer.trigger.fired", positions.peer_trigger.fired)
            .with("peer.debug.header", positions.peer_debug[4])
            .with("peer.debug.msgid", positions.peer_debug[5])
            .with("last_sent", positions.last_sent)
    }

    /// Adds how far the peer has read, if it keeps account of that.
    #[must_use]
    pub(crate) fn having_read(mut self, positions: &Positions) -> Self {
        let (read, last) = (BusAddress(positions.peer_debug[4]), BusAddress(positions.last_sent));
        let waited = &self.reason;
        if read.0 == 0 || last.0 == 0 {
            return self;
        } else if read.physical() == last.physical() {
            self.reason = sentence(format_args!("{waited}; it has read our last message"));
        } else {
            let (read, last) = (read.0, last.0);
            self.reason =
                sentence(format_args!("{waited}; read up to {read:#010x}, our last is at {last:#010x}"));
        }
        self
    }

    /// Adds where a message and the one that it repeats lay (slot, and offset in it), and how many were received from one to the
    /// other: the sentence may be too short for that.
    #[must_use]
    pub(crate) fn repeated(self, first: (u8, u16), again: (u8, u16), distance: u64) -> Self {
        let place = |(slot, offset): (u8, u16)| u32::from(slot) * SLOT_SIZE as u32 + u32::from(offset);
        self.with("first.place", place(first))
            .with("again.place", place(again))
            .with("distance", u32::try_from(distance).unwrap_or(u32::MAX))
    }

    /// Adds the message that came instead of what was waited for, to nobody.
    #[must_use]
    pub fn instead(mut self, stray: &Stray) -> Self {
        let Stray { msgid, slot, offset, words: [first, second], .. } = *stray;
        let waited = &self.reason;
        self.reason =
            sentence(format_args!("{waited}; instead, for nobody: {msgid:#010x} [{first:#x}, {second:#x}]"));
        self.with("stray.msgid", msgid).with("stray.place", (slot.byte_offset() + usize::from(offset)) as u32)
    }
}

/// Text in the room there is; what does not fit is cut off.
pub(crate) fn sentence(text: fmt::Arguments<'_>) -> Sentence {
    /// Takes what fits and forgets the rest.
    struct Clipping(Sentence);
    impl Write for Clipping {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for character in text.chars() {
                self.0.push(character).map_err(|_| fmt::Error)?;
            }
            Ok(())
        }
    }
    let mut out = Clipping(Sentence::new());
    // An error means that the room is used up.
    let _ = out.write_fmt(text);
    out.0
}

impl From<vchiq_mbox::Owner> for Owner {
    fn from(owner: vchiq_mbox::Owner) -> Self {
        match owner {
            vchiq_mbox::Owner::Harness => Self::Harness,
            vchiq_mbox::Owner::Firmware => Self::Firmware,
            vchiq_mbox::Owner::Link => Self::Link,
        }
    }
}

/// A peer that does not answer is hung; one that answers wrongly has failed.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let owner = Owner::from(error.owner());
        match error {
            Error::Timeout { .. } => Self::hung(owner, format_args!("{error}")),
            // The peer keeps what it was lent.
            Error::Exhausted(_) if owner != Owner::Harness => Self::hung(owner, format_args!("{error}")),
            _ => Self::fail(owner, format_args!("{error}")),
        }
    }
}

impl From<Misuse> for Failure {
    fn from(misuse: Misuse) -> Self {
        Error::from(misuse).into()
    }
}

impl From<Exhausted> for Failure {
    fn from(exhausted: Exhausted) -> Self {
        Error::from(exhausted).into()
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Error::from(violation).into()
    }
}

impl From<MailboxError> for Failure {
    fn from(error: MailboxError) -> Self {
        let owner = error.owner().into();
        match error {
            MailboxError::NoReply { .. } | MailboxError::Full => Self::hung(owner, format_args!("{error}")),
            _ => Self::fail(owner, format_args!("{error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use vchiq_mbox::error::Step;

    use super::*;

    #[test]
    fn silence_is_hung_and_a_wrong_answer_is_a_failure() {
        let silent = Failure::from(Error::Timeout { step: Step::Receive });
        assert_eq!((silent.verdict, silent.owner), (Verdict::Hung, Some(Owner::Firmware)));
        let nobody = Failure::from(Error::Timeout { step: Step::PeerInitialise });
        assert_eq!((nobody.verdict, nobody.owner), (Verdict::Hung, Some(Owner::Link)));
        let wrong = Failure::from(Violation::Version { found: 99 });
        assert_eq!((wrong.verdict, wrong.owner), (Verdict::Fail, Some(Owner::Firmware)));
        let silent = Failure::from(MailboxError::NoReply { tag: 1 });
        assert_eq!((silent.verdict, silent.owner), (Verdict::Hung, Some(Owner::Firmware)));
    }

    #[test]
    fn slots_the_peer_keeps_hang_the_link_and_our_own_full_queue_is_our_fault() {
        let kept = Failure::from(Exhausted::NoFreeSlot { tx_pos: 4096 });
        assert_eq!((kept.verdict, kept.owner), (Verdict::Hung, Some(Owner::Firmware)));
        let ours = Failure::from(Exhausted::ReceiveQueueFull { queued: 256 });
        assert_eq!((ours.verdict, ours.owner), (Verdict::Fail, Some(Owner::Harness)));
        let ours = Failure::from(Misuse::NotConnected);
        assert_eq!((ours.verdict, ours.owner), (Verdict::Fail, Some(Owner::Harness)));
    }

    #[test]
    fn a_silent_peer_that_spoke_to_nobody_is_quoted() {
        let slot = vchiq_mbox::slot::Layout::new(65).unwrap().master.data.first();
        let stray = Stray { msgid: 0x0504_b009, size: 8, slot, offset: 0x18, words: [3, 0xabc] };
        let told = Failure::from(Error::Timeout { step: Step::Receive }).instead(&stray);
        assert_eq!(told.reason, "timed out: Receive; instead, for nobody: 0x0504b009 [0x3, 0xabc]");
        let evidence: Vec<u32, MAX_EVIDENCE> = told.evidence.iter().map(|fact| fact.value).collect();
        assert_eq!(evidence, [0x0504_b009, 0x2018]);
    }

    #[test]
    fn a_long_reason_is_cut_and_evidence_past_its_room_is_dropped() {
        let long = "very ".repeat(100);
        let mut failure = Failure::skip(format_args!("{long}"));
        assert_eq!(failure.reason.len(), failure.reason.capacity());
        for i in 0..20 {
            failure = failure.with("word", i);
        }
        assert_eq!(failure.evidence.len(), MAX_EVIDENCE);
    }
}
