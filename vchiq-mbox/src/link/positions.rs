//! Where both sides are, for a report on a link that hangs.

use super::Vchiq;
use crate::{
    platform::{Platform, Window},
    wire::{EventKind, Side, field},
};

/// The words of one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EventWords {
    /// Its owner wants the doorbell.
    pub armed: u32,
    /// The other side has signalled.
    pub fired: u32,
}

/// Positions in bytes since the start, counts in slots since the start. Peer words are as read, unchecked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Positions {
    /// End of what we have written.
    pub tx_pos: u32,
    /// Bus address of the last header that we have written, padding apart; 0 before the first.
    pub last_sent: u32,
    /// End of what we have read.
    pub rx_pos: u32,
    /// End of what the peer has published.
    pub peer_tx_pos: u32,
    /// Slots ever available to us, as far as we have taken note.
    pub recycle: u32,
    /// The same as the peer has it in shared memory.
    pub recycle_published: u32,
    /// Slots ever available to the peer.
    pub peer_recycle: u32,
    /// Our slots that the peer has.
    pub slots_lent: u32,
    /// Slots of the peer's that we have.
    pub slots_held: u32,
    /// Messages read from slots and not yet taken by the caller.
    pub unread: u32,
    /// Our slots that hold DATA.
    pub data_slots: u16,
    /// The peer's half of slot zero is initialised.
    pub peer_initialised: u32,
    /// Our trigger event.
    pub trigger: EventWords,
    /// Our recycle event.
    pub recycle_event: EventWords,
    /// The peer's trigger event: fired and unarmed means that it has not looked yet.
    pub peer_trigger: EventWords,
    /// The peer's recycle event.
    pub peer_recycle_event: EventWords,
    /// The peer's diagnostic words; 4 and 5 tell the last header and msgid it parsed, if it keeps them.
    pub peer_debug: [u32; 11],
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// A snapshot; works on a dead link too.
    pub fn positions(&self) -> Positions {
        let shared = &self.shared;
        let event = |side, kind| EventWords {
            armed: shared.load(field::armed(side, kind)),
            fired: shared.load(field::fired(side, kind)),
        };
        Positions {
            tx_pos: self.tx.tx_pos(),
            last_sent: match self.tx.last_header() {
                0 => 0,
                header => shared.window.bus_address().0.wrapping_add(header),
            },
            rx_pos: self.rx.rx_pos(),
            peer_tx_pos: shared.load(field::tx_pos(Side::Master)),
            recycle: self.tx.available(),
            recycle_published: shared.load(field::slot_queue_recycle(Side::Slave)),
            peer_recycle: self.rx.returned(),
            slots_lent: self.tx.lent(),
            slots_held: self.rx.held_slots(),
            unread: self.unread.len() as u32,
            data_slots: self.tx.quotas.data_slots(),
            peer_initialised: shared.load(field::initialised(Side::Master)),
            trigger: event(Side::Slave, EventKind::Trigger),
            recycle_event: event(Side::Slave, EventKind::Recycle),
            peer_trigger: event(Side::Master, EventKind::Trigger),
            peer_recycle_event: event(Side::Master, EventKind::Recycle),
            peer_debug: core::array::from_fn(|word| shared.load(field::debug(Side::Master, word))),
        }
    }
}
