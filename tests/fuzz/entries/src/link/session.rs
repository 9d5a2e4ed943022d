//! Bulks, services of the Arm's, synchronous services, pauses, resets.

use vchiq_mbox::{FourCc, link::Offer};

use super::{CONNECT, Caller, OPENACK, PEER, bulks, send, send_words, start_peer};
use crate::{board::Board, script::Script};

const OPEN: u32 = 2;
const CLOSE: u32 = 4;
const DATA: u32 = 5;
const BULK_RX_DONE: u32 = 8;
const PAUSE: u32 = 10;
const RESUME: u32 = 11;

// Byte offsets of VCHIQ fact sheet 2.
const PEERS_SYNC_SLOT: usize = 0x1000;
const OUR_SYNC_SLOT: usize = 0x2_1000;
const SYNC_TRIGGER_FIRED: usize = 0x1c8;
const SYNC_RELEASE_FIRED: usize = 0x1d4;

pub(super) fn play(step: u8, script: &mut Script, board: &Board, caller: &mut Caller) {
    match step % 14 {
        0 => bulks::submit(script, caller),
        1 | 2 => end_bulk(board, script),
        3 => bulks::wait(script, caller),
        4 => bulks::finish(caller),
        5 => offer(script, caller),
        6 => open_ours(board, script),
        7 => accept(script, caller),
        8 => fill_sync_slot(board, script),
        9 => {
            board.poke(OUR_SYNC_SLOT, u32::from(script.byte() / 192));
            board.poke(SYNC_RELEASE_FIRED, 1);
        }
        10 => drop(caller.link.pause(Caller::soon(&caller.link))),
        11 => drop(caller.link.resume(Caller::soon(&caller.link))),
        12 => send(board, if script.byte() & 1 == 0 { PAUSE } else { RESUME } << 24, 0),
        _ => reset(board, script, caller),
    }
}

/// The peer ends a transfer, which may be there, with a number of bytes that may be right.
fn end_bulk(board: &Board, script: &mut Script) {
    let (kind, port) = (BULK_RX_DONE + u32::from(script.byte() & 1), u32::from(script.byte() % 4));
    let actual = match script.byte() & 3 {
        0 => u32::MAX,
        1 => script.word(),
        _ => script.half().into(),
    };
    send_words(board, kind << 24 | PEER << 12 | port, &[actual]);
}

fn offer(script: &mut Script, caller: &mut Caller) {
    let kind = script.byte();
    let offer = Offer { synchronous: kind & 1 == 0, ..Offer::new(name(kind), 3, 2) };
    if let Ok(service) = caller.link.offer(offer) {
        caller.services.push(service);
    }
}

/// One of four names.
fn name(kind: u8) -> FourCc {
    FourCc::new([b'o', b'u', b'r', b'0' + kind % 4])
}

/// The peer opens a service of ours, or says goodbye to it.
fn open_ours(board: &Board, script: &mut Script) {
    let (kind, versions) = (script.byte(), script.byte());
    let client = PEER + u32::from(kind >> 6);
    if versions & 0x80 != 0 {
        return send(board, CLOSE << 24 | client << 12 | u32::from(versions % 8), 0);
    }
    let versions = u32::from(versions % 5) | u32::from(versions / 5 % 5) << 16;
    send_words(board, OPEN << 24 | client << 12, &[name(kind).0, 7, versions]);
}

fn accept(script: &mut Script, caller: &mut Caller) {
    if let Some(service) = caller.service(script)
        && let Ok(client) = caller.link.accept(service, Caller::soon(&caller.link))
    {
        assert!(client.port.number() < 0x1000);
    }
}

/// A message in the peer's sync slot, of any size.
fn fill_sync_slot(board: &Board, script: &mut Script) {
    let (kind, size) = (script.byte(), u32::from(script.half()) % 4200);
    let port = u32::from(kind & 7);
    let msgid = match kind >> 3 & 7 {
        0..=2 => OPENACK << 24 | PEER << 12 | port,
        3..=5 => DATA << 24 | PEER << 12 | port,
        6 => 0,
        _ => script.word(),
    };
    board.poke(PEERS_SYNC_SLOT + 4, size);
    board.poke(PEERS_SYNC_SLOT, msgid);
    board.poke(SYNC_TRIGGER_FIRED, 1);
}

/// VideoCore is reset. Messages of the former session are touched now and then: that must change nothing.
fn reset(board: &Board, script: &mut Script, caller: &mut Caller) {
    caller.former.append(&mut caller.held);
    board.laying_out();
    let reset = caller.link.start_over();
    board.check_stores();
    caller.lent.after_reset(&reset);
    caller.dead = None;
    if let Some(message) = caller.former.pop() {
        assert!(
            caller.link.copy_held(&message, &mut [0; 4096]).is_err(),
            "a message of a former session is read"
        );
        caller.link.release(message);
    }
    for service in &caller.services {
        assert!(
            !caller.link.is_open(*service) && caller.link.fourcc(*service).is_err(),
            "a handle outlives its session"
        );
    }
    start_peer(board);
    if script.byte() & 1 == 0 {
        send(board, CONNECT << 24, 0);
        let _ = caller.link.connect(Caller::soon(&caller.link));
    }
}
