//! How much of the transmit slots DATA may use (VCHIQ fact sheet 1.6 and 5.4).
//!
//! Pure bookkeeping: no shared memory. Which messages lie in which slot is remembered here rather than read back
//! from the slot, because the peer can write there.

use crate::{
    error::{Exhausted, Misuse},
    service::MAX_SERVICES,
    slot::transmit::queue_number,
    wire::{MAX_SLOTS_PER_SIDE, Port},
};

/// Messages a slot's worth of quota allows.
const MESSAGES_PER_SLOT: u32 = 256;

/// The books of one local port. They survive the port's reuse by another service.
#[derive(Clone, Copy)]
struct PortQuota {
    slot_quota: u16,
    message_quota: u16,
    slots: u16,
    messages: u16,
    /// Queue number of the slot that holds this port's newest message.
    last_slot: Option<u32>,
}

impl PortQuota {
    /// Checks a new quota against what is in use; `None` is the default.
    fn check(asked: Option<u16>, default: u16, in_use: u16) -> Result<u16, Misuse> {
        let asked = asked.unwrap_or(default);
        if asked < in_use || asked == u16::MAX {
            return Err(Misuse::Quota { asked, in_use });
        }
        Ok(asked)
    }
}

/// The books of the transmit side.
pub(crate) struct Quotas {
    data_quota: u16,
    default_slot_quota: u16,
    default_message_quota: u16,
    data_slots: u16,
    /// Queue number of the slot that holds the newest DATA.
    last_data_slot: Option<u32>,
    ports: [PortQuota; MAX_SERVICES],
    /// Messages by slot (counted from our first) and port.
    ledger: [[u16; MAX_SERVICES]; MAX_SLOTS_PER_SIDE],
}

impl Quotas {
    /// The defaults for a side of `slots` data slots.
    pub(crate) fn new(slots: u32) -> Self {
        let slot_quota = slots / 2;
        let message_quota = (slot_quota * MESSAGES_PER_SLOT).min(u32::from(u16::MAX));
        let port = PortQuota {
            slot_quota: slot_quota as u16,
            message_quota: message_quota as u16,
            slots: 0,
            messages: 0,
            last_slot: None,
        };
        Self {
            data_quota: (slots - 1) as u16,
            default_slot_quota: port.slot_quota,
            default_message_quota: port.message_quota,
            data_slots: 0,
            last_data_slot: None,
            ports: [port; MAX_SERVICES],
            ledger: [[0; MAX_SERVICES]; MAX_SLOTS_PER_SIDE],
        }
    }

    /// Sets the quotas of a port; `None` stands for the default.
    pub(crate) fn set(
        &mut self,
        port: Port,
        slots: Option<u16>,
        messages: Option<u16>,
    ) -> Result<(), Misuse> {
        let Some(quota) = self.ports.get_mut(usize::from(port.number())) else { return Ok(()) };
        let slots = PortQuota::check(slots, self.default_slot_quota, quota.slots)?;
        let messages = PortQuota::check(messages, self.default_message_quota, quota.messages)?;
        (quota.slot_quota, quota.message_quota) = (slots, messages);
        Ok(())
    }

    /// Gives a port back its defaults, for its next service.
    pub(crate) fn reset(&mut self, port: Port) {
        if let Some(quota) = self.ports.get_mut(usize::from(port.number())) {
            (quota.slot_quota, quota.message_quota) = (self.default_slot_quota, self.default_message_quota);
        }
    }

    /// May `port` send a message of `stride` bytes at `tx_pos`?
    pub(crate) fn admit(&self, port: Port, tx_pos: u32, stride: u32) -> Result<(), Exhausted> {
        let end = queue_number(tx_pos.wrapping_add(stride).wrapping_sub(1));
        if self.last_data_slot != Some(end) && self.data_slots >= self.data_quota {
            return Err(Exhausted::DataQuota { in_use: self.data_slots });
        }
        let Some(quota) = self.ports.get(usize::from(port.number())) else {
            return Ok(());
        };
        let port = port.number() as u8;
        if quota.messages >= quota.message_quota {
            return Err(Exhausted::MessageQuota { port, in_use: quota.messages });
        }
        if quota.last_slot != Some(end) && quota.slots >= quota.slot_quota {
            return Err(Exhausted::SlotQuota { port, in_use: quota.slots });
        }
        Ok(())
    }

    /// Books a message that now ends at `tx_pos`, in the slot at `place`.
    pub(crate) fn charge(&mut self, port: Port, place: usize, tx_pos: u32) {
        let end = queue_number(tx_pos.wrapping_sub(1));
        let port = usize::from(port.number());
        let (Some(quota), Some(row)) = (self.ports.get_mut(port), self.ledger.get_mut(place)) else {
            return;
        };
        quota.messages += 1;
        row[port] += 1;
        if self.last_data_slot != Some(end) {
            self.last_data_slot = Some(end);
            self.data_slots += 1;
        }
        if quota.last_slot != Some(end) {
            quota.last_slot = Some(end);
            quota.slots += 1;
        }
    }

    /// The slot at `place` has come back: its messages count no more.
    pub(crate) fn settle(&mut self, place: usize) {
        let Some(row) = self.ledger.get_mut(place) else {
            return;
        };
        let mut held_data = false;
        for (quota, messages) in self.ports.iter_mut().zip(row) {
            if *messages == 0 {
                continue;
            }
            held_data = true;
            quota.messages = quota.messages.saturating_sub(*messages);
            quota.slots = quota.slots.saturating_sub(1);
            if quota.slots == 0 {
                quota.last_slot = None;
            }
            *messages = 0;
        }
        if held_data {
            self.data_slots = self.data_slots.saturating_sub(1);
            if self.data_slots == 0 {
                self.last_data_slot = None;
            }
        }
    }

    /// Slots and messages that `port` has under way.
    pub(crate) fn in_use(&self, port: Port) -> (u16, u16) {
        self.ports.get(usize::from(port.number())).map_or((0, 0), |quota| (quota.slots, quota.messages))
    }

    /// Slots that hold DATA.
    pub(crate) const fn data_slots(&self) -> u16 {
        self.data_slots
    }
}
