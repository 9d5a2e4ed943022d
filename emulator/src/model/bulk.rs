//! Bulk transfers: what the Arm asks for is paired with what a service wants, in order (VCHIQ fact sheet 7.3).

use std::collections::VecDeque;

use super::VideoCore;
use super::agenda::Task;
use super::board::Board;
use super::fault::Defect;
use super::link::{MessageId, kind};
use super::pace::Work;
use super::pagelist::{Kind, PageList};
use super::service::{NOBODY, Rounds, Service};

/// Requests of one direction that the Arm may have out at a service.
const RING: usize = 4;
/// Told instead of a number of bytes.
const ABORTED: u32 = u32::MAX;
/// Bytes that come after the word that they have come: 1 ms.
const LATE_PS: u64 = 1_000_000_000;

/// Which way a transfer goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    /// Asked for by BULK_TX.
    FromArm,
    /// Asked for by BULK_RX.
    ToArm,
}

impl Direction {
    fn done(self) -> u8 {
        match self {
            Self::FromArm => kind::BULK_TX_DONE,
            Self::ToArm => kind::BULK_RX_DONE,
        }
    }
}

/// What the Arm asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Asked {
    pagelist: u32,
    size: u32,
}

/// The rings of a service, in both directions.
#[derive(Clone, Default)]
pub(super) struct Bulks {
    from_arm: VecDeque<Asked>,
    to_arm: VecDeque<Asked>,
    /// The sizes that the service takes.
    takes: VecDeque<u32>,
    /// What it gives.
    gives: VecDeque<Vec<u8>>,
}

impl Bulks {
    fn asked(&mut self, direction: Direction) -> &mut VecDeque<Asked> {
        match direction {
            Direction::FromArm => &mut self.from_arm,
            Direction::ToArm => &mut self.to_arm,
        }
    }

    /// Both sides want a transfer that way.
    fn is_paired(&self, direction: Direction) -> bool {
        match direction {
            Direction::FromArm => !self.from_arm.is_empty() && !self.takes.is_empty(),
            Direction::ToArm => !self.to_arm.is_empty() && !self.gives.is_empty(),
        }
    }

    /// Bytes that the next transfer that way has, as the service wants it.
    fn next_bytes(&self, direction: Direction) -> usize {
        match direction {
            Direction::FromArm => self.takes.front().map_or(0, |size| *size as usize),
            Direction::ToArm => self.gives.front().map_or(0, Vec::len),
        }
    }
}

impl VideoCore {
    /// BULK_TX and BULK_RX.
    pub(super) fn on_bulk(
        &mut self,
        board: &mut Board<'_>,
        direction: Direction,
        (source, port): (u16, u16),
        payload: &[u8],
    ) {
        let open =
            |service: &Service| service.port == port && service.client == Some(source) && !service.closing;
        if !self.services.iter().any(open) {
            return;
        }
        let word = |at: usize| payload.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let (Some(pagelist), Some(size)) = (word(0), word(4)) else {
            return board.note(format!("{direction:?} without a pagelist for port {port}"));
        };
        let ring = self.bulks.entry(port).or_default().asked(direction);
        if ring.len() == RING {
            return board.note(format!("more than {RING} transfers {direction:?} at port {port}"));
        }
        ring.push_back(Asked { pagelist, size });
        self.plan_bulk(board, port, direction);
    }

    /// A service takes so many bytes.
    pub(super) fn take_bulk(&mut self, board: &Board<'_>, port: u16, size: u32) {
        self.bulks.entry(port).or_default().takes.push_back(size);
        self.plan_bulk(board, port, Direction::FromArm);
    }

    /// A service gives bytes.
    fn give_bulk(&mut self, board: &Board<'_>, port: u16, bytes: Vec<u8>) {
        self.bulks.entry(port).or_default().gives.push_back(bytes);
        self.plan_bulk(board, port, Direction::ToArm);
    }

    /// After RESUME: what both sides have wanted meanwhile.
    pub(super) fn plan_bulks(&mut self, board: &Board<'_>) {
        let ports: Vec<u16> = self.bulks.keys().copied().collect();
        for port in ports {
            self.plan_bulk(board, port, Direction::FromArm);
            self.plan_bulk(board, port, Direction::ToArm);
        }
    }

    fn plan_bulk(&mut self, board: &Board<'_>, port: u16, direction: Direction) {
        let Some(bulks) = self.bulks.get(&port).filter(|bulks| bulks.is_paired(direction)) else { return };
        let bytes = bulks.next_bytes(direction);
        self.plan(board, Work::Bulk { bytes }, Task::Move { port, direction });
    }

    /// Moves the oldest transfer that both sides want, and tells.
    pub(super) fn move_bulk(&mut self, board: &mut Board<'_>, port: u16, direction: Direction) {
        let Some(link) = self.link.as_ref().filter(|link| !link.paused) else { return };
        let pool = link.pool;
        let Some(bulks) = self.bulks.get_mut(&port).filter(|bulks| bulks.is_paired(direction)) else {
            return;
        };
        let Some(asked) = bulks.asked(direction).pop_front() else { return };
        let list = PageList::load(board, asked.pagelist, asked.size, pool);
        let list = list.map_err(|reason| board.note(format!("bulk transfer aborted: {reason}"))).ok();
        match direction {
            Direction::FromArm => {
                let size = bulks.takes.pop_front().unwrap_or(0);
                let list = list.filter(|list| list.kind == Kind::Write && self.fits(asked.size, size));
                let bytes = list.map(|list| list.read(board));
                let actual = bytes.as_ref().map_or(ABORTED, |bytes| bytes.len() as u32);
                self.tell_done(board, port, direction, actual);
                if let Some(bytes) = bytes {
                    self.bulk_taken(board, port, bytes);
                }
            }
            Direction::ToArm => {
                let bytes = bulks.gives.pop_front().unwrap_or_default();
                let size = bytes.len() as u32;
                let list = list.filter(|list| list.kind != Kind::Write && self.fits(asked.size, size));
                let actual = if list.is_some() { size } else { ABORTED };
                if let Some(list) = list {
                    self.fill(board, &list, bytes);
                }
                self.tell_done(board, port, direction, actual);
                if actual != ABORTED {
                    self.bulk_given(board, port);
                }
            }
        }
    }

    /// Both sides must want the same.
    fn fits(&self, asked: u32, wanted: u32) -> bool {
        asked == wanted || self.mischief.always(Defect::BulkMismatchMoved)
    }

    /// Writes to the Arm's memory.
    fn fill(&mut self, board: &mut Board<'_>, list: &PageList, mut bytes: Vec<u8>) {
        let Some(pool) = self.link.as_ref().map(|link| link.pool) else { return };
        let mischief = &mut self.mischief;
        if mischief.on(3, Defect::BulkDataCorrupt) {
            let place = bytes.len() / 2;
            bytes[place] ^= 0x10;
        }
        if mischief.on(3, Defect::BulkBesideScribbled) {
            board.store_bytes(list.end(), &[0xee; 4]);
        }
        if mischief.on(3, Defect::BulkDataLate) {
            let list = list.clone();
            return self.agenda.add(board.now_ps + LATE_PS, Task::Fill { list, bytes });
        }
        let fragment = match list.kind {
            Kind::ReadWithFragment(_) if mischief.always(Defect::BulkFragmentUnused) => None,
            Kind::ReadWithFragment(entry) if mischief.always(Defect::BulkFragmentWrong) => {
                Some(pool.entry((entry + 1) % pool.entries))
            }
            Kind::ReadWithFragment(entry) => Some(pool.entry(entry)),
            _ => None,
        };
        list.write(board, &bytes, fragment);
    }

    fn tell_done(&mut self, board: &mut Board<'_>, port: u16, direction: Direction, actual: u32) {
        let client =
            self.services.iter().find(|service| service.port == port).and_then(|service| service.client);
        let Some(mut client) = client else { return };
        let mischief = &mut self.mischief;
        if mischief.on(3, Defect::BulkSilent) {
            return;
        }
        let (mut done, mut told) = (direction.done(), actual.to_le_bytes().to_vec());
        if mischief.on(3, Defect::BulkActualWrong) {
            told = (actual + 4).to_le_bytes().to_vec();
        } else if mischief.on(3, Defect::BulkActualShort) {
            told = (actual / 2).to_le_bytes().to_vec();
        } else if mischief.on(3, Defect::BulkAborted) {
            told = ABORTED.to_le_bytes().to_vec();
        } else if mischief.on(3, Defect::BulkDoneEmpty) {
            told.clear();
        } else if mischief.on(3, Defect::BulkDoneNobody) {
            client = NOBODY;
        } else if mischief.on(3, Defect::BulkDoneSwapped) {
            done = kind::BULK_TX_DONE + kind::BULK_RX_DONE - done;
        }
        let id = MessageId::new(done, port, client);
        if self.mischief.on(3, Defect::BulkDoneTwice) {
            self.send(board, id, told.clone());
        }
        self.send(board, id, told);
    }

    /// Ends everything that the Arm has out at a service, before CLOSE.
    pub(super) fn abort_bulks(&mut self, board: &mut Board<'_>, port: u16) {
        let Some(bulks) = self.bulks.remove(&port) else { return };
        if self.mischief.always(Defect::BulkKeptAtClose) {
            return;
        }
        for _ in &bulks.from_arm {
            self.tell_done(board, port, Direction::FromArm, ABORTED);
        }
        for _ in &bulks.to_arm {
            self.tell_done(board, port, Direction::ToArm, ABORTED);
        }
    }

    /// Bytes have come to a service: `echo` and `fun2` give them back.
    fn bulk_taken(&mut self, board: &mut Board<'_>, port: u16, bytes: Vec<u8>) {
        self.check_taken(board, port, &bytes);
        if self.rounds.get(&port).is_some_and(|rounds| rounds.echoes) {
            self.give_bulk(board, port, bytes);
        } else {
            self.bulk_given(board, port);
        }
    }

    /// A round is over.
    fn bulk_given(&mut self, board: &Board<'_>, port: u16) {
        if let Some(size) = self.rounds.get_mut(&port).and_then(Rounds::next) {
            self.take_bulk(board, port, size);
        }
    }
}
