//! The property mailbox, up to VCHIQ_INIT.

use super::ExpectedOwner::{Firmware, Link};
use super::ExpectedVerdict::{Fail, Hung};
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[
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
];
