//! What can be broken, one thing a run: the catalogue.

/// Where in a run the fault lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The property mailbox, up to VCHIQ_INIT.
    Mailbox,
    /// Slot zero.
    SlotZero,
    /// CONNECT, OPEN, CLOSE, and the link as a whole.
    Connection,
    /// Positions, headers and doorbells.
    Transport,
    /// Returning the other side's slots.
    Slots,
    /// The echo service.
    Echo,
    /// The shared-memory service and its mailbox tags.
    SharedMemory,
}

impl Stage {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::SlotZero => "slot zero",
            Self::Connection => "connection",
            Self::Transport => "transport",
            Self::Slots => "slots",
            Self::Echo => "echo",
            Self::SharedMemory => "shared memory",
        }
    }
}

/// What a good harness says: the verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpectedVerdict {
    /// Answered, and wrongly.
    Fail,
    /// Did not answer.
    Hung,
}

impl ExpectedVerdict {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Hung => "hung",
        }
    }
}

/// What a good harness says: whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpectedOwner {
    /// VideoCore's firmware.
    Firmware,
    /// What lies between.
    Link,
}

impl ExpectedOwner {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firmware => "firmware",
            Self::Link => "link",
        }
    }
}

/// One way to misbehave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// As on the command line.
    pub name: &'static str,
    /// What happens instead of what should.
    pub breaks: &'static str,
    /// Where in a run.
    pub stage: Stage,
    /// What a good harness says.
    pub verdict: ExpectedVerdict,
    /// Whom a good harness names.
    pub owner: ExpectedOwner,
    /// The switch in the model.
    pub(super) defect: Defect,
}

impl Fault {
    /// Pings of each size and handshakes that a run must do to meet it: enough to use every slot twice, or to have a
    /// reply of 128 messages ago.
    pub const fn iterations(&self) -> u32 {
        if matches!(self.defect, Defect::ImportReplyOld) { 80 } else { 40 }
    }

    /// Finds a fault by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        CATALOGUE.into_iter().find(|fault| fault.name == name)
    }
}

/// The switches: what the model looks at where it could go wrong. The catalogue says what each does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Defect {
    MailboxDead,
    MailboxSilent,
    MailboxElsewhere,
    MailboxChannel,
    PropertyCodeRequest,
    PropertyCodeError,
    PropertyTagRenamed,
    InitRefused,
    InitIgnored,
    SlotZeroMagic,
    SlotZeroVersion,
    SlotZeroSlotSize,
    SlotZeroRange,
    SlotQueueOutside,
    SlotQueueForeign,
    ConnectSilent,
    ConnectTwice,
    OpenSilent,
    OpenAckElsewhere,
    OpenAckTwice,
    CloseSilent,
    PauseForEver,
    Crash,
    CrashAndReturn,
    TxPosStale,
    TxPosBackward,
    TxPosWild,
    TxPosUnaligned,
    SizeAllOnes,
    SizePastSlot,
    SizePastPublished,
    PaddingTooLong,
    UnknownType,
    WrongDestination,
    WrongSource,
    DoorbellLost,
    DoorbellStorm,
    SlotsKept,
    SlotReturnedTwice,
    SlotReturnedForeign,
    RecycleJumps,
    EchoSilent,
    EchoCorrupt,
    EchoShort,
    EchoTwice,
    CloseMidway,
    ImportSilent,
    ImportRefused,
    ImportReplyShort,
    ImportReplyStray,
    ImportReplyTwice,
    ImportReplyOld,
    ImportReplyLate,
    LockRefused,
    LockElsewhere,
    UnlockFails,
    ReleasedEarly,
    ReleasedLate,
    ReleasedTwice,
    ReleasedNever,
    ReleasedWrongId,
    ReleasedWrongAddress,
    ReleasedWrongSize,
    ReleasedWrongHandle,
    UnknownNotice,
    BufferScribbled,
    GuardScribbled,
}

use ExpectedOwner::{Firmware, Link};
use ExpectedVerdict::{Fail, Hung};

/// All of them, in the order of a run.
pub const CATALOGUE: [Fault; 67] = [
    Fault {
        name: "mailbox-dead",
        breaks: "no property message is ever answered",
        stage: Stage::Mailbox,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::MailboxDead,
    },
    Fault {
        name: "mailbox-silent",
        breaks: "the property message with VCHIQ_INIT is not answered",
        stage: Stage::Mailbox,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::MailboxSilent,
    },
    Fault {
        name: "mailbox-elsewhere",
        breaks: "the mailbox word that answers VCHIQ_INIT names another buffer",
        stage: Stage::Mailbox,
        verdict: Fail,
        owner: Link,
        defect: Defect::MailboxElsewhere,
    },
    Fault {
        name: "mailbox-channel",
        breaks: "the mailbox word that answers VCHIQ_INIT is on another channel",
        stage: Stage::Mailbox,
        verdict: Fail,
        owner: Link,
        defect: Defect::MailboxChannel,
    },
    Fault {
        name: "property-code-request",
        breaks: "the answer to VCHIQ_INIT still carries the code of a request",
        stage: Stage::Mailbox,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::PropertyCodeRequest,
    },
    Fault {
        name: "property-code-error",
        breaks: "the answer to VCHIQ_INIT carries the code of a parse error",
        stage: Stage::Mailbox,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::PropertyCodeError,
    },
    Fault {
        name: "property-tag-renamed",
        breaks: "the answer to VCHIQ_INIT carries another tag",
        stage: Stage::Mailbox,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::PropertyTagRenamed,
    },
    Fault {
        name: "init-refused",
        breaks: "VCHIQ_INIT is answered with 1 for a good slot zero",
        stage: Stage::Mailbox,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::InitRefused,
    },
    Fault {
        name: "init-ignored",
        breaks: "VCHIQ_INIT is answered with 0, and slot zero is not touched",
        stage: Stage::Mailbox,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::InitIgnored,
    },
    Fault {
        name: "slot-zero-magic",
        breaks: "the magic of slot zero is overwritten in the other byte order",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroMagic,
    },
    Fault {
        name: "slot-zero-version",
        breaks: "the version is lowered to 2, below the minimum",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroVersion,
    },
    Fault {
        name: "slot-zero-slot-size",
        breaks: "the slot size is changed to 8192",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroSlotSize,
    },
    Fault {
        name: "slot-zero-range",
        breaks: "the master's last slot becomes the slave's last slot",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroRange,
    },
    Fault {
        name: "slot-queue-outside",
        breaks: "the master's slot queue names a slot that does not exist",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotQueueOutside,
    },
    Fault {
        name: "slot-queue-foreign",
        breaks: "the master's slot queue names a slot of the slave's",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotQueueForeign,
    },
    Fault {
        name: "connect-silent",
        breaks: "CONNECT is never sent",
        stage: Stage::Connection,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::ConnectSilent,
    },
    Fault {
        name: "connect-twice",
        breaks: "CONNECT is sent twice",
        stage: Stage::Connection,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ConnectTwice,
    },
    Fault {
        name: "open-silent",
        breaks: "OPEN is not answered",
        stage: Stage::Connection,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::OpenSilent,
    },
    Fault {
        name: "openack-elsewhere",
        breaks: "OPENACK goes to a port that nobody has",
        stage: Stage::Connection,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::OpenAckElsewhere,
    },
    Fault {
        name: "openack-twice",
        breaks: "OPENACK is sent twice",
        stage: Stage::Connection,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::OpenAckTwice,
    },
    Fault {
        name: "close-silent",
        breaks: "CLOSE is not answered",
        stage: Stage::Connection,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::CloseSilent,
    },
    Fault {
        name: "pause-for-ever",
        breaks: "PAUSE is sent after the fifth message, and RESUME never",
        stage: Stage::Connection,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::PauseForEver,
    },
    Fault {
        name: "crash",
        breaks: "everything stops at the tenth message",
        stage: Stage::Connection,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::Crash,
    },
    Fault {
        name: "crash-and-return",
        breaks: "everything stops at the tenth message, and begins anew 5 ms later",
        stage: Stage::Connection,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::CrashAndReturn,
    },
    Fault {
        name: "tx-pos-stale",
        breaks: "messages are written and signalled, but tx_pos stays",
        stage: Stage::Transport,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::TxPosStale,
    },
    Fault {
        name: "tx-pos-backward",
        breaks: "tx_pos moves back by 64 bytes",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::TxPosBackward,
    },
    Fault {
        name: "tx-pos-wild",
        breaks: "tx_pos jumps to 0x7ffffff8",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::TxPosWild,
    },
    Fault {
        name: "tx-pos-unaligned",
        breaks: "tx_pos is no multiple of 8",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::TxPosUnaligned,
    },
    Fault {
        name: "size-all-ones",
        breaks: "a header tells a size of 0xffffffff",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SizeAllOnes,
    },
    Fault {
        name: "size-past-slot",
        breaks: "a message reaches 8 bytes past its slot",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SizePastSlot,
    },
    Fault {
        name: "size-past-published",
        breaks: "a message reaches past tx_pos",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SizePastPublished,
    },
    Fault {
        name: "padding-too-long",
        breaks: "padding reaches past its slot",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::PaddingTooLong,
    },
    Fault {
        name: "unknown-type",
        breaks: "a message has a type that does not exist",
        stage: Stage::Transport,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::UnknownType,
    },
    Fault {
        name: "wrong-destination",
        breaks: "DATA goes to a port that nobody has",
        stage: Stage::Transport,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::WrongDestination,
    },
    Fault {
        name: "wrong-source",
        breaks: "DATA comes from a port that nobody talks to",
        stage: Stage::Transport,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::WrongSource,
    },
    Fault {
        name: "doorbell-lost",
        breaks: "events fire, but doorbell 0 is never rung",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Link,
        defect: Defect::DoorbellLost,
    },
    Fault {
        name: "doorbell-storm",
        breaks: "doorbell 0 is rung every 4 µs with nothing to tell",
        stage: Stage::Transport,
        verdict: Fail,
        owner: Link,
        defect: Defect::DoorbellStorm,
    },
    Fault {
        name: "slots-kept",
        breaks: "the Arm's slots are never returned",
        stage: Stage::Slots,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::SlotsKept,
    },
    Fault {
        name: "slot-returned-twice",
        breaks: "a slot is returned twice",
        stage: Stage::Slots,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotReturnedTwice,
    },
    Fault {
        name: "slot-returned-foreign",
        breaks: "a slot is returned that does not exist",
        stage: Stage::Slots,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotReturnedForeign,
    },
    Fault {
        name: "recycle-jumps",
        breaks: "the count of returned slots jumps by 70",
        stage: Stage::Slots,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::RecycleJumps,
    },
    Fault {
        name: "echo-silent",
        breaks: "one ping is not answered",
        stage: Stage::Echo,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::EchoSilent,
    },
    Fault {
        name: "echo-corrupt",
        breaks: "one bit of an echo is flipped",
        stage: Stage::Echo,
        verdict: Fail,
        owner: Link,
        defect: Defect::EchoCorrupt,
    },
    Fault {
        name: "echo-short",
        breaks: "an echo is cut to 40 bytes",
        stage: Stage::Echo,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::EchoShort,
    },
    Fault {
        name: "echo-twice",
        breaks: "one ping is answered twice",
        stage: Stage::Echo,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::EchoTwice,
    },
    Fault {
        name: "close-midway",
        breaks: "the service is closed instead of answering a ping",
        stage: Stage::Echo,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::CloseMidway,
    },
    Fault {
        name: "import-silent",
        breaks: "one IMPORT is not answered",
        stage: Stage::SharedMemory,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::ImportSilent,
    },
    Fault {
        name: "import-refused",
        breaks: "one IMPORT is answered with handle 0",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ImportRefused,
    },
    Fault {
        name: "import-reply-short",
        breaks: "the answer to one IMPORT has only its first word",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ImportReplyShort,
    },
    Fault {
        name: "import-reply-stray",
        breaks: "one IMPORT is answered under a transaction that nobody began",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ImportReplyStray,
    },
    Fault {
        name: "import-reply-twice",
        breaks: "one IMPORT is answered twice",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ImportReplyTwice,
    },
    Fault {
        name: "import-reply-old",
        breaks: "one IMPORT is answered by the message of 128 messages ago",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ImportReplyOld,
    },
    Fault {
        name: "import-reply-late",
        breaks: "one IMPORT is answered after 3 s",
        stage: Stage::SharedMemory,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::ImportReplyLate,
    },
    Fault {
        name: "lock-refused",
        breaks: "the mailbox refuses to lock imported handles",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::LockRefused,
    },
    Fault {
        name: "lock-elsewhere",
        breaks: "lock answers an address 4096 bytes further on",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::LockElsewhere,
    },
    Fault {
        name: "unlock-fails",
        breaks: "unlock answers a status that means failure",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::UnlockFails,
    },
    Fault {
        name: "released-early",
        breaks: "RELEASED is sent right after IMPORT, before FREE",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ReleasedEarly,
    },
    Fault {
        name: "released-late",
        breaks: "RELEASED is sent 3 s after FREE",
        stage: Stage::SharedMemory,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::ReleasedLate,
    },
    Fault {
        name: "released-twice",
        breaks: "RELEASED is sent twice",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ReleasedTwice,
    },
    Fault {
        name: "released-never",
        breaks: "RELEASED is not sent",
        stage: Stage::SharedMemory,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::ReleasedNever,
    },
    Fault {
        name: "released-wrong-id",
        breaks: "RELEASED names a buffer that nobody lent",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ReleasedWrongId,
    },
    Fault {
        name: "released-wrong-address",
        breaks: "RELEASED names another address",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ReleasedWrongAddress,
    },
    Fault {
        name: "released-wrong-size",
        breaks: "RELEASED names another size",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ReleasedWrongSize,
    },
    Fault {
        name: "released-wrong-handle",
        breaks: "RELEASED names another handle",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ReleasedWrongHandle,
    },
    Fault {
        name: "unknown-notice",
        breaks: "an unsolicited message of a type that does not exist",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::UnknownNotice,
    },
    Fault {
        name: "buffer-scribbled",
        breaks: "a word of a lent buffer is overwritten",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::BufferScribbled,
    },
    Fault {
        name: "guard-scribbled",
        breaks: "the word behind a lent buffer is overwritten",
        stage: Stage::SharedMemory,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::GuardScribbled,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_and_a_switch_of_its_own() {
        for (index, fault) in CATALOGUE.iter().enumerate() {
            assert_eq!(Fault::by_name(fault.name).as_ref(), Some(fault));
            let same = |other: &&Fault| other.name == fault.name || other.defect == fault.defect;
            assert_eq!(CATALOGUE.iter().filter(same).count(), 1, "{}", fault.name);
            assert!(index == 0 || CATALOGUE[index - 1].stage <= fault.stage, "{}", fault.name);
        }
        assert_eq!(Fault::by_name("none"), None);
    }
}
