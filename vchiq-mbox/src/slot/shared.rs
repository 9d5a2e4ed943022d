//! The shared window together with the board that orders accesses to it.

use crate::{
    deadline::Deadline,
    platform::{Platform, Window},
    wire::{EventKind, HEADER_SIZE, MessageId, Side, field},
};

use super::SlotIndex;

/// The events of the sync slots, which have no position to compare: that they fired is all there is to know.
#[derive(Clone, Copy, Default)]
pub(crate) struct SyncEvents {
    /// The peer has put a message into its sync slot.
    pub(crate) trigger: bool,
    /// The peer has emptied ours.
    pub(crate) release: bool,
}

/// The window and the platform, as the transmitter and the receiver use them.
pub(crate) struct Shared<P, W> {
    pub(crate) platform: P,
    pub(crate) window: W,
}

impl<P: Platform, W: Window> Shared<P, W> {
    pub(crate) fn load(&self, offset: usize) -> u32 {
        self.window.load(offset)
    }

    pub(crate) fn store(&self, offset: usize, value: u32) {
        self.window.store(offset, value);
    }

    /// Stores a message header. The size first: a reader that sees the msgid sees the size.
    pub(crate) fn store_header(&self, slot: SlotIndex, offset: usize, id: MessageId, size: usize) {
        let at = slot.byte_offset() + offset;
        self.store(at + 4, size as u32);
        self.store(at, id.0);
    }

    /// Stores the concatenation of `parts` behind the header at `offset`; the last word is filled up with zeros.
    pub(crate) fn store_payload(&self, slot: SlotIndex, offset: usize, parts: &[&[u8]]) {
        let mut at = slot.byte_offset() + offset + HEADER_SIZE;
        // A word may span parts: its bytes are gathered here.
        let mut word = [0; 4];
        let mut filled = 0;
        for part in parts {
            let mut rest = *part;
            if filled == 0 {
                let (words, tail) = rest.as_chunks::<4>();
                for whole in words {
                    self.store(at, u32::from_le_bytes(*whole));
                    at += 4;
                }
                rest = tail;
            }
            for byte in rest {
                word[filled] = *byte;
                filled += 1;
                if filled == word.len() {
                    self.store(at, u32::from_le_bytes(word));
                    at += 4;
                    word = [0; 4];
                    filled = 0;
                }
            }
        }
        if filled != 0 {
            self.store(at, u32::from_le_bytes(word));
        }
    }

    /// Copies payload bytes out, from the message at `offset` of `slot`.
    pub(crate) fn load_payload(&self, slot: SlotIndex, offset: usize, out: &mut [u8]) {
        let mut at = slot.byte_offset() + offset + HEADER_SIZE;
        let (words, tail) = out.as_chunks_mut::<4>();
        for word in words {
            *word = self.load(at).to_le_bytes();
            at += 4;
        }
        if !tail.is_empty() {
            let last = self.load(at).to_le_bytes();
            tail.copy_from_slice(&last[..tail.len()]);
        }
    }

    /// Tells the peer of an event (VCHIQ fact sheet 5.3); true if its doorbell was rung.
    ///
    /// The peer arms, then checks `fired`; we fire, then check `armed`. With a full barrier in between on both
    /// sides, one of the two sees the other.
    pub(crate) fn signal(&mut self, event: EventKind) -> bool {
        self.platform.write_barrier();
        self.store(field::fired(Side::Master, event), 1);
        self.platform.full_barrier();
        let armed = self.load(field::armed(Side::Master, event)) != 0;
        if armed {
            self.platform.ring_doorbell();
        }
        armed
    }

    /// Asks for the doorbell with every event from now on.
    pub(crate) fn arm(&self) {
        for event in EventKind::ALL {
            self.store(field::armed(Side::Slave, event), 1);
        }
        self.platform.full_barrier();
    }

    /// Takes note of the events that have fired. The caller then looks at everything the peer publishes.
    pub(crate) fn take_events(&self) -> SyncEvents {
        let mut sync = SyncEvents::default();
        let mut fired = false;
        for event in EventKind::ALL {
            let at = field::fired(Side::Slave, event);
            if self.load(at) != 0 {
                self.store(at, 0);
                fired = true;
                sync.trigger |= event == EventKind::SyncTrigger;
                sync.release |= event == EventKind::SyncRelease;
            }
        }
        if fired {
            // The flag is down before any position is read: what is published later raises it again.
            self.platform.full_barrier();
        }
        sync
    }

    /// Sleeps until an event fires, the doorbell rings, or `deadline`.
    pub(crate) fn wait_for_event(&mut self, deadline: Deadline) {
        let fired = EventKind::ALL.iter().any(|event| self.load(field::fired(Side::Slave, *event)) != 0);
        if !fired {
            // Never for long: a peer that forgets its doorbell costs a slice, not the deadline.
            let slice =
                self.platform.ticks().saturating_add(u64::from(self.platform.tick_rate() / WAITS_A_SECOND));
            self.platform.wait_for_doorbell(deadline.min(Deadline::at(slice)).ticks());
        }
    }
}

/// Sleeps are cut to a millisecond.
const WAITS_A_SECOND: u32 = 1000;
