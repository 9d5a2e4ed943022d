//! CONNECT, OPEN, CLOSE, and the link as a whole.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::{Fail, Hung};
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[
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
];
