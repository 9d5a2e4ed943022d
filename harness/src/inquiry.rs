//! What the firmware says of the board, its clocks and itself, before anything is tested.
//!
//! A tag that is not answered leaves its field empty; the bring-up ladder judges.

use vchiq_mbox::{
    mailbox::MailboxError,
    property::{
        ArmMemory, BoardRevision, ClockId, FirmwareHash, FirmwareRevision, FirmwareVariant,
        MeasuredClockRate, Tag, Temperature, Throttled, Variant, VideoCoreMemory,
    },
};

use crate::{
    board::Board,
    record::{BoardFacts, Clocks, Peer, Record, When, clipped},
    session::Session,
};

/// Asks until the mailbox stays silent once: a dead one would cost its time-out for each tag.
struct Inquiry<'s, 'a, B: Board> {
    session: &'s mut Session<'a, B>,
    silent: bool,
}

impl<B: Board> Inquiry<'_, '_, B> {
    fn ask<T: Tag>(&mut self, request: T::Request) -> Option<T::Response> {
        if self.silent {
            return None;
        }
        let answer = self.session.ask::<T>(request);
        self.silent = matches!(answer, Err(MailboxError::NoReply { .. } | MailboxError::Full));
        answer.ok()
    }
}

/// Asks who answers, and on which board; emits both.
pub(crate) fn board_and_peer<B: Board>(session: &mut Session<'_, B>) {
    let mut inquiry = Inquiry { session, silent: false };
    let revision = inquiry.ask::<FirmwareRevision>(()).unwrap_or(0);
    let variant = inquiry.ask::<FirmwareVariant>(()).map(number_of);
    let hash = inquiry.ask::<FirmwareHash>(()).map(|hash| hash.0);
    let board_revision = inquiry.ask::<BoardRevision>(()).unwrap_or(0);
    let arm_memory = inquiry.ask::<ArmMemory>(()).map_or(0, |region| region.size);
    let vc_memory = inquiry.ask::<VideoCoreMemory>(()).map_or(0, |region| region.size);
    session.peer = Peer { revision, variant, hash };
    session.vc_memory = vc_memory;
    session.journal.emit(&Record::Board(BoardFacts {
        soc: clipped(session.identity.soc),
        revision: board_revision,
        midr: session.identity.midr,
        entry_el: session.identity.entry_el,
        arm_memory,
        vc_memory,
    }));
    session.journal.emit(&Record::Peer(session.peer.clone()));
}

/// Asks for the clocks; emits them.
pub(crate) fn clocks<B: Board>(session: &mut Session<'_, B>, when: When) {
    let mut inquiry = Inquiry { session, silent: false };
    let arm_hz = inquiry.ask::<MeasuredClockRate>(ClockId::Arm).unwrap_or(0);
    let core_hz = inquiry.ask::<MeasuredClockRate>(ClockId::Core).unwrap_or(0);
    let millidegrees = inquiry.ask::<Temperature>(());
    let throttled = inquiry.ask::<Throttled>(()).map(|flags| flags.bits());
    let calibration = session.calibration;
    session.journal.emit(&Record::Clocks(Clocks {
        when,
        arm_hz,
        core_hz,
        counter_hz: calibration.map_or(0, |calibration| calibration.tick_hz),
        cycles_hz: calibration.map_or(0, |calibration| calibration.cycles_hz),
        bracket_cycles: calibration.map_or(0, |calibration| calibration.bracket_cycles),
        millidegrees,
        throttled,
    }));
}

/// The number of the tag's answer.
fn number_of(variant: Variant) -> u32 {
    match variant {
        Variant::Unknown => 0,
        Variant::Start => 1,
        Variant::StartX => 2,
        Variant::StartDb => 3,
        Variant::StartCd => 4,
        Variant::Other(number) => number,
    }
}
