//! The VCHIQ link against a VideoCore that writes what it likes.

mod bulks;
mod session;

use vchiq_mbox::{
    Deadline, Error, FourCc, HeldMessage, ServiceHandle, Vchiq,
    link::{Connection, OpenRequest},
    slot::Layout,
};

use self::bulks::Lent;
use crate::{board::Board, script::Script};

// Byte offsets of VCHIQ fact sheet 2.2.
const MASTER_INITIALISED: usize = 0x020;
const MASTER_TX_POS: usize = 0x03c;
const MASTER_RECYCLE_COUNT: usize = 0x04c;
const MASTER_QUEUE: usize = 0x068;
const SLAVE_TX_POS: usize = 0x1b0;
const SLAVE_RECYCLE_COUNT: usize = 0x1c0;
const SLAVE_QUEUE: usize = 0x1dc;
const SLOT_ZERO_WORDS: u16 = 322;
const SLOT: u32 = 4096;
/// Data slots of a side.
const SLOTS: u32 = 31;

const CONNECT: u32 = 1;
const OPENACK: u32 = 3;
/// The peer's port.
const PEER: u32 = 75;

/// The link, and what the caller has of it.
struct Caller {
    link: Vchiq<Board, Board>,
    services: Vec<ServiceHandle>,
    held: Vec<HeldMessage>,
    /// Messages from before VideoCore was reset: they are nobody's any more.
    former: Vec<HeldMessage>,
    lent: Lent,
    /// Once dead, a link says the same for ever.
    dead: Option<Connection>,
}

/// Plays a script.
pub fn link(input: &[u8]) {
    let mut script = Script::new(input);
    let board = Board::new(Layout::BULK_WINDOW);
    let Ok(mut link) = Vchiq::prepare(board.clone(), board.clone()) else {
        panic!("an aligned window of the right size is refused");
    };
    board.check_stores();
    start_peer(&board);
    if script.byte() & 1 == 0 {
        send(&board, CONNECT << 24, 0);
        let _ = link.connect(Deadline::at(200));
    }
    let mut caller = Caller {
        link,
        services: Vec::new(),
        held: Vec::new(),
        former: Vec::new(),
        lent: Lent::default(),
        dead: None,
    };
    while let Some(step) = script.step() {
        play(step, &mut script, &board, &mut caller);
        caller.check();
    }
    for message in std::mem::take(&mut caller.held) {
        caller.link.release(message);
    }
    caller.check();
    caller.lent.all_is_back(caller.link);
}

fn start_peer(board: &Board) {
    for entry in 0..SLOTS {
        board.poke(MASTER_QUEUE + 4 * entry as usize, 2 + entry);
    }
    board.poke(MASTER_RECYCLE_COUNT, SLOTS);
    board.poke(MASTER_INITIALISED, 1);
}

fn play(step: u8, script: &mut Script, board: &Board, caller: &mut Caller) {
    // The first scripts had twenty kinds of steps, so these keep their numbers.
    if let Some(later) = step.checked_sub(200) {
        return session::play(later, script, board, caller);
    }
    match step % 20 {
        0 => board.poke(usize::from(script.half() % SLOT_ZERO_WORDS) * 4, script.word()),
        1 => board.poke(usize::from(script.half()) * 8 + usize::from(script.byte() & 4), script.word()),
        2 => send_any(board, script),
        3 => board.poke(MASTER_TX_POS, board.peek(MASTER_TX_POS).wrapping_add(u32::from(script.half()) * 8)),
        4 => return_slots(board),
        5 => return_slot(board, u32::from(script.byte())),
        6 => board.glitch(script.byte(), script.word()),
        7 => open_service(board, script, caller),
        8 => close_service(script, caller),
        9 | 10 => send_data(script, caller),
        11 | 12 => take_message(script, caller),
        13 => {
            if !caller.held.is_empty() {
                let which = usize::from(script.byte()) % caller.held.len();
                let message = caller.held.swap_remove(which);
                caller.link.release(message);
            }
        }
        14 => drop(caller.link.connect(Caller::soon(&caller.link))),
        15 => {
            if let Some(message) = caller.held.last() {
                let mut out = [0; 4096];
                let copied = caller.link.copy_held(message, &mut out).map(<[u8]>::len);
                assert_eq!(copied, Ok(usize::from(message.info().size)), "a held message can be copied");
            }
        }
        16 => board.poke(0x004, script.word()),
        17 => pad_to_slot_end(board),
        _ => drop(caller.link.poll()),
    }
}

/// A message where VideoCore's next one goes, of any kind, of a size that may fit.
fn send_any(board: &Board, script: &mut Script) {
    let (kind, source, destination) = (u32::from(script.byte()), script.byte(), script.byte());
    let source = if source & 0x80 == 0 { PEER } else { u32::from(source) };
    let msgid = (kind % 20) << 24 | source << 12 | u32::from(destination % 20);
    send(board, msgid, u32::from(script.half()) % 4200);
}

/// As a peer that follows the rules would place it, if it does not pass its slot's end.
fn send(board: &Board, msgid: u32, size: u32) {
    let tx_pos = board.peek(MASTER_TX_POS);
    let slot = board.peek(MASTER_QUEUE + 4 * ((tx_pos / SLOT) as usize % 64));
    let at = (slot % 65 * SLOT + tx_pos % SLOT) as usize & !7;
    board.poke(at, msgid);
    board.poke(at + 4, size);
    board.poke(MASTER_TX_POS, tx_pos.wrapping_add((size + 15) & !7));
}

/// The same with these words as payload.
fn send_words(board: &Board, msgid: u32, words: &[u32]) {
    let tx_pos = board.peek(MASTER_TX_POS);
    let slot = board.peek(MASTER_QUEUE + 4 * ((tx_pos / SLOT) as usize % 64));
    let at = (slot % 65 * SLOT + tx_pos % SLOT) as usize & !7;
    for (index, word) in words.iter().enumerate() {
        board.poke(at + 8 + 4 * index, *word);
    }
    send(board, msgid, words.len() as u32 * 4);
}

/// Fills VideoCore's current slot up.
fn pad_to_slot_end(board: &Board) {
    let room = SLOT - board.peek(MASTER_TX_POS) % SLOT;
    send(board, 0, room.saturating_sub(8));
}

/// Returns every slot of ours that is full.
fn return_slots(board: &Board) {
    let filled = board.peek(SLAVE_TX_POS) / SLOT;
    for _ in 0..SLOTS {
        let count = board.peek(SLAVE_RECYCLE_COUNT);
        let next = count.wrapping_sub(SLOTS);
        if next >= filled {
            return;
        }
        return_slot(board, board.peek(SLAVE_QUEUE + 4 * (next as usize % 64)));
    }
}

fn return_slot(board: &Board, slot: u32) {
    let count = board.peek(SLAVE_RECYCLE_COUNT);
    board.poke(SLAVE_QUEUE + 4 * (count as usize % 64), slot);
    board.poke(SLAVE_RECYCLE_COUNT, count.wrapping_add(1));
}

/// Opens a service; the acknowledgement is there before it is asked for, or is not.
fn open_service(board: &Board, script: &mut Script, caller: &mut Caller) {
    let port = script.byte();
    if port & 0x80 == 0 {
        send(board, OPENACK << 24 | PEER << 12 | u32::from(port % 20), 2);
    }
    let request = OpenRequest::new(FourCc::new(*b"echo"), 3, 3);
    if let Ok(service) = caller.link.open(request, Caller::soon(&caller.link)) {
        caller.services.push(service);
    }
}

fn close_service(script: &mut Script, caller: &mut Caller) {
    if let Some(service) = caller.service(script) {
        let _ = caller.link.close(service, Caller::soon(&caller.link));
    }
}

fn send_data(script: &mut Script, caller: &mut Caller) {
    let size = usize::from(script.half()) % 4200;
    let Some(service) = caller.service(script) else {
        return;
    };
    let payload = vec![0x5a; size];
    let deadline = Caller::soon(&caller.link);
    let sent = caller.link.send(service, &[&payload], deadline);
    assert!(sent.is_err() || size <= 4088, "sent {size} bytes in one message");
}

fn take_message(script: &mut Script, caller: &mut Caller) {
    let hold = script.byte() & 1 == 0;
    let Some(service) = caller.service(script) else {
        return;
    };
    if let Ok(Some(message)) = caller.link.try_receive(service) {
        if hold {
            caller.held.push(message.hold());
        } else {
            let mut out = [0; 4096];
            let copied = message.copy_to(&mut out).map(<[u8]>::len);
            assert_eq!(copied, Ok(message.size()), "a received message can be copied");
        }
    }
}

impl Caller {
    fn soon(link: &Vchiq<Board, Board>) -> Deadline {
        link.deadline(std::time::Duration::from_micros(40))
    }

    /// One of the services opened so far; it may be closed by now.
    fn service(&self, script: &mut Script) -> Option<ServiceHandle> {
        let which = usize::from(script.byte());
        self.services.get(which % self.services.len().max(1)).copied()
    }

    /// What holds whatever VideoCore does.
    fn check(&mut self) {
        let (counters, positions) = (self.link.counters(), self.link.positions());
        let with_us = u64::from(positions.unread) + self.held.len() as u64;
        assert_eq!(counters.received, counters.released + with_us, "a message is lost or counted twice");
        assert!(positions.slots_lent <= SLOTS && positions.slots_held <= SLOTS, "more slots than there are");
        self.lent.check(self.link.bulks_in_flight());
        assert!(positions.tx_pos.is_multiple_of(8) && positions.rx_pos.is_multiple_of(8));
        if let Some(dead) = self.dead {
            assert_eq!(self.link.connection(), dead, "a dead link changes its mind");
        } else if let Connection::Dead(violation) = self.link.connection() {
            assert_eq!(self.link.poll(), Err(Error::Violation(violation)));
            self.dead = Some(Connection::Dead(violation));
        }
    }
}
