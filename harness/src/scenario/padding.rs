//! Padding: a message that does not fit what is left of a slot, for everything that can be left.
//!
//! What is left is a multiple of 8 from 8 to 4088 (VCHIQ fact sheet 1.2). One walk brings our position there, the other
//! VideoCore's: the echo service's answers are as long as our messages.

use vchiq_mbox::{Positions, ServiceHandle, gencmd::GCMD};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "padding",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "a slot that has 8, 16, … 4088 bytes left is padded when a message does not fit, by either side",
    asked_by: "authors of drivers of their own (raspberrypi/firmware#1137)",
    steps: &["open", "ours", "theirs", "close"],
    passes_when: "each message begins in the next slot, at its start, and comes back whole",
};

const SLOT: u32 = vchiq_mbox::wire::SLOT_SIZE as u32;
/// Bytes of a header, and what messages are rounded up to.
const HEADER: u32 = 8;
/// The least an ECHO takes with its header: 4 bytes, rounded up.
const LEAST: u32 = 16;
/// Messages that take a position anywhere: two within the slot, one into the next, two there, and some to spare.
const MOST_TO_GO: u32 = 8;
/// One side's transmit position.
type Position = fn(&Positions) -> u32;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let service = session.step("open", echo::open)?;
    let walks: [(&str, &str, Position); 2] =
        [("ours", "rooms_ours", |at| at.tx_pos), ("theirs", "rooms_theirs", |at| at.rx_pos)];
    for (step, count, position) in walks {
        session.step(step, |session| {
            let mut walk = Walk { service, position, messages: 0 };
            for (done, room) in (HEADER..SLOT).step_by(HEADER as usize).enumerate() {
                session.check_run_time()?;
                walk.pad(session, room)?;
                counts.set(count, done as u64 + 1);
            }
            Ok(())
        })?;
    }
    session.step("close", |session| link::close(session, service))
}

/// Brings a position where it is wanted, message by message.
struct Walk {
    service: ServiceHandle,
    position: Position,
    messages: u32,
}

impl Walk {
    /// Leaves `room` bytes in the slot, then sends a message that needs 8 more.
    fn pad<B: Board>(&mut self, session: &mut Session<'_, B>, room: u32) -> Result<(), Failure> {
        let wanted = SLOT - room;
        if wanted == HEADER {
            self.send_empty_at_start(session)?;
        }
        self.go_to(session, wanted)?;
        let start = (self.position)(&session.link.positions());
        self.send(session, room + HEADER)?;
        let positions = session.link.positions();
        let (expected, found) = (start.wrapping_add(room + room + HEADER), (self.position)(&positions));
        if found == expected {
            return Ok(());
        }
        Err(Failure::fail(
            Owner::Link,
            format_args!("{room} bytes left: the message does not begin in the next slot"),
        )
        .with("expected", expected)
        .with("found", found)
        .at(&positions))
    }

    /// An ECHO that takes `stride` bytes with its header.
    fn send<B: Board>(&mut self, session: &mut Session<'_, B>, stride: u32) -> Result<(), Failure> {
        self.messages += 1;
        echo::echo_once(session, self.service, (stride - HEADER) as usize, self.messages)
    }

    /// A message without payload at the start of a slot: CLOSE of another service, which is answered by another. The echo
    /// service has no use for such a message.
    fn send_empty_at_start<B: Board>(&mut self, session: &mut Session<'_, B>) -> Result<(), Failure> {
        let spare = link::open(session, GCMD, "GCMD")?;
        self.go_to(session, 0)?;
        link::close(session, spare)
    }

    /// Sends messages until the position is at this offset of a slot. Theirs is VideoCore's to move.
    fn go_to<B: Board>(&mut self, session: &mut Session<'_, B>, wanted: u32) -> Result<(), Failure> {
        for _ in 0..MOST_TO_GO {
            let offset = self.offset(session);
            if offset == wanted {
                return Ok(());
            }
            let stride = stride_towards(offset, if wanted == 0 { SLOT } else { wanted });
            self.send(session, stride)?;
        }
        let positions = session.link.positions();
        Err(Failure::fail(Owner::Firmware, format_args!("messages do not lie where their sizes put them"))
            .with("wanted", wanted)
            .with("found", self.offset(session))
            .at(&positions))
    }

    fn offset<B: Board>(&self, session: &Session<'_, B>) -> u32 {
        (self.position)(&session.link.positions()) % SLOT
    }
}

/// Bytes of the next message on the way from one offset to another, in this slot or in the next.
fn stride_towards(offset: u32, wanted: u32) -> u32 {
    let end = if wanted > offset { wanted } else { SLOT };
    (end - offset).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_but_the_first_is_reached_from_any_other() {
        for start in (0..SLOT).step_by(8) {
            for wanted in (LEAST..=SLOT).step_by(8) {
                let mut offset = start;
                let mut messages = 0;
                while offset != wanted % SLOT {
                    let stride = stride_towards(offset, wanted);
                    let room = SLOT - offset;
                    // A message that does not fit begins in the next slot.
                    offset = if stride > room { stride } else { (offset + stride) % SLOT };
                    messages += 1;
                    assert!(messages < 6, "from {start} to {wanted}");
                }
            }
        }
    }
}
