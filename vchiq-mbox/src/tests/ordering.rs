//! Barriers stand where the other side can see the order of two accesses (VCHIQ fact sheet 5.2, 5.3 and 5.5).
//!
//! The PC orders everything by itself, so a barrier that is missing would break nothing here: what is checked is that
//! the driver asks for it.

use super::*;
use crate::testing::Access::{self, FullBarrier, Load, ReadBarrier, Ring, Store, WriteBarrier};

const SLOT: usize = 4096;
// Byte offsets of VCHIQ fact sheet 2.2.
const MASTER_TRIGGER_ARMED: usize = 0x030;
const MASTER_TRIGGER_FIRED: usize = 0x034;
const MASTER_TX_POS: usize = 0x03c;
const MASTER_RECYCLE_ARMED: usize = 0x040;
const MASTER_RECYCLE_FIRED: usize = 0x044;
const MASTER_SLOT_QUEUE_RECYCLE: usize = 0x04c;
const MASTER_SLOT_QUEUE: std::ops::Range<usize> = 0x068..0x168;
const SLAVE_TRIGGER_FIRED: usize = 0x1a8;
const SLAVE_TX_POS: usize = 0x1b0;
const SLAVE_SLOT_QUEUE_RECYCLE: usize = 0x1c0;
const SLAVE_SLOT_QUEUE: std::ops::Range<usize> = 0x1dc..0x2dc;

fn in_master_slots(offset: usize) -> bool {
    (2 * SLOT..33 * SLOT).contains(&offset)
}

fn in_slave_slots(offset: usize) -> bool {
    (34 * SLOT..65 * SLOT).contains(&offset)
}

/// What the driver does while slots go round in both directions.
fn trace() -> Vec<Access> {
    let (mut link, board, service) = opened(Behaviour::Echo);
    board.start_trace();
    for _ in 0..40 {
        link.send(service, &[&pattern(4088)], soon(&link)).unwrap();
        assert_eq!(receive(&mut link, service), pattern(4088));
    }
    board.take_trace()
}

/// Between each `later` access and the last `earlier` one before it stands the barrier.
fn assert_ordered(earlier: impl Fn(Access) -> bool, barrier: Access, later: impl Fn(Access) -> bool) {
    let trace = trace();
    let mut pairs = 0;
    for (end, _) in trace.iter().enumerate().filter(|(_, access)| later(**access)) {
        let Some(start) = trace[..end].iter().rposition(|access| earlier(*access)) else { continue };
        assert!(trace[start..end].contains(&barrier), "no {barrier:?} in {:?}", &trace[start..=end]);
        pairs += 1;
    }
    assert!(pairs > 0, "the trace has no such pair");
}

#[test]
fn a_message_is_in_memory_before_the_position_that_tells_of_it() {
    let message = |access| matches!(access, Store(offset, _) if in_slave_slots(offset));
    assert_ordered(message, WriteBarrier, |access| matches!(access, Store(SLAVE_TX_POS, _)));
}

#[test]
fn an_event_fires_after_what_it_announces() {
    let fired = |access| matches!(access, Store(MASTER_TRIGGER_FIRED, 1));
    assert_ordered(|access| matches!(access, Store(SLAVE_TX_POS, _)), WriteBarrier, fired);
    let count = |access| matches!(access, Store(MASTER_SLOT_QUEUE_RECYCLE, _));
    assert_ordered(count, WriteBarrier, |access| matches!(access, Store(MASTER_RECYCLE_FIRED, 1)));
}

#[test]
fn an_event_has_fired_before_its_owner_s_wish_for_the_bell_is_read() {
    for (fired, armed) in
        [(MASTER_TRIGGER_FIRED, MASTER_TRIGGER_ARMED), (MASTER_RECYCLE_FIRED, MASTER_RECYCLE_ARMED)]
    {
        assert_ordered(|access| access == Store(fired, 1), FullBarrier, |access| access == Load(armed));
        assert_ordered(|access| access == Store(fired, 1), FullBarrier, |access| access == Ring);
    }
}

#[test]
fn a_flag_is_down_before_the_positions_are_read() {
    let down = |access| access == Store(SLAVE_TRIGGER_FIRED, 0);
    assert_ordered(down, FullBarrier, |access| access == Load(MASTER_TX_POS));
    assert_ordered(down, FullBarrier, |access| access == Load(SLAVE_SLOT_QUEUE_RECYCLE));
}

#[test]
fn a_position_is_read_before_what_it_tells_of() {
    let message = |access| matches!(access, Load(offset) if in_master_slots(offset));
    assert_ordered(|access| access == Load(MASTER_TX_POS), ReadBarrier, message);
    let entry = |access| matches!(access, Load(offset) if SLAVE_SLOT_QUEUE.contains(&offset));
    assert_ordered(|access| access == Load(SLAVE_SLOT_QUEUE_RECYCLE), ReadBarrier, entry);
}

#[test]
fn a_slot_is_read_and_unclaimed_before_it_is_returned() {
    let entry = |access| matches!(access, Store(offset, _) if MASTER_SLOT_QUEUE.contains(&offset));
    let payload = |access| matches!(access, Load(offset) if in_master_slots(offset));
    assert_ordered(payload, ReadBarrier, entry);
    let count = |access| matches!(access, Store(MASTER_SLOT_QUEUE_RECYCLE, _));
    let header = |access| matches!(access, Store(offset, _) if in_master_slots(offset));
    assert_ordered(header, WriteBarrier, count);
    assert_ordered(entry, WriteBarrier, count);
}
