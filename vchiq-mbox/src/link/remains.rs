//! What a link left in slot zero that nobody drives any more: the last positions of both sides, after a reset.

use super::EventWords;
use crate::{
    platform::Window,
    wire::{EventKind, MAGIC, Side, field},
};

/// Where both sides stood, as far as slot zero tells. Raw words; nothing here has been checked but the magic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remains {
    /// VideoCore had finished its half.
    pub peer_initialised: u32,
    /// End of what we had published.
    pub tx_pos: u32,
    /// End of what VideoCore had published.
    pub peer_tx_pos: u32,
    /// Slots ever available to us.
    pub recycle: u32,
    /// Slots ever available to VideoCore.
    pub peer_recycle: u32,
    /// Our trigger event: fired means that we had not looked yet.
    pub trigger: EventWords,
    /// VideoCore's trigger event.
    pub peer_trigger: EventWords,
    /// VideoCore's diagnostic words 4 and 5: the last header and msgid it parsed, if it keeps them.
    pub peer_header: u32,
    /// See [`Self::peer_header`].
    pub peer_msgid: u32,
}

impl Remains {
    /// Reads slot zero at the start of `window`; `None` if there is none.
    pub fn of<W: Window>(window: &W) -> Option<Self> {
        if window.len() < size_of::<crate::wire::SlotZero>() || window.load(0) != MAGIC {
            return None;
        }
        let event = |side| EventWords {
            armed: window.load(field::armed(side, EventKind::Trigger)),
            fired: window.load(field::fired(side, EventKind::Trigger)),
        };
        Some(Self {
            peer_initialised: window.load(field::initialised(Side::Master)),
            tx_pos: window.load(field::tx_pos(Side::Slave)),
            peer_tx_pos: window.load(field::tx_pos(Side::Master)),
            recycle: window.load(field::slot_queue_recycle(Side::Slave)),
            peer_recycle: window.load(field::slot_queue_recycle(Side::Master)),
            trigger: event(Side::Slave),
            peer_trigger: event(Side::Master),
            peer_header: window.load(field::debug(Side::Master, 4)),
            peer_msgid: window.load(field::debug(Side::Master, 5)),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        FourCc, Vchiq,
        link::{OpenRequest, Remains},
        slot::Layout,
        testing::{Behaviour, FakeBoard, FakeService},
        wire::{MAGIC, Side, field},
    };
    use core::time::Duration;

    #[test]
    fn what_a_link_leaves_tells_where_both_sides_stood() {
        let board = FakeBoard::new(Layout::LINUX_WINDOW);
        assert_eq!(Remains::of(&board), None, "no link yet");
        let mut link = Vchiq::prepare(board.clone(), board.clone()).unwrap();
        board.start_peer();
        let soon = link.deadline(Duration::from_millis(50));
        link.connect(soon).unwrap();
        board.peer().services.push(FakeService::new(*b"echo", 75, Behaviour::Sink));
        let service = link.open(OpenRequest::new(FourCc::new(*b"echo"), 3, 3), soon).unwrap();
        link.send(service, &[&[1; 40]], soon).unwrap();
        let alive = link.positions();
        drop(link);
        let remains = Remains::of(&board).expect("slot zero");
        assert_ne!(remains.tx_pos, 0);
        assert_eq!((remains.tx_pos, remains.peer_tx_pos), (alive.tx_pos, alive.peer_tx_pos));
        assert_eq!((remains.recycle, remains.peer_initialised), (alive.recycle_published, 1));
        assert_eq!((remains.trigger, remains.peer_trigger), (alive.trigger, alive.peer_trigger));
        assert_eq!((remains.peer_header, remains.peer_msgid), (alive.peer_debug[4], alive.peer_debug[5]));
        let memory = board.memory();
        assert_eq!(memory.load(field::tx_pos(Side::Slave)), alive.tx_pos);
        assert_eq!(memory.load(0), MAGIC);
    }
}
