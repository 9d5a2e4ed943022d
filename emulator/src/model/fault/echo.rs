//! The echo service.

use super::ExpectedOwner::{Firmware, Link};
use super::ExpectedVerdict::{Fail, Hung};
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[
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
];
