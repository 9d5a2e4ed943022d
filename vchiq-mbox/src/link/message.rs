//! Received messages: unread, borrowed from the link, or held.

use super::Vchiq;
use crate::{
    error::Misuse,
    platform::{Moment, Platform, Window},
    service::ServiceHandle,
    slot::SlotIndex,
    wire::MessageId,
};

/// What is known of a received message besides its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MessageInfo {
    /// The service it was sent to.
    pub service: ServiceHandle,
    /// Payload bytes.
    pub size: u16,
    /// Slot it lies in.
    pub slot: SlotIndex,
    /// Byte offset of its header in the slot.
    pub offset: u16,
    /// Its number among all DATA received on this link, from 0: the order over all services.
    pub sequence: u64,
    /// When the doorbell interrupt before it came, if one did.
    pub interrupt: Option<Moment>,
    /// When its header had been checked and its service found.
    pub parsed: Moment,
}

/// A message nobody has taken yet.
#[derive(Clone, Copy)]
pub(super) struct Unread {
    pub(super) id: MessageId,
    pub(super) info: MessageInfo,
}

/// A received message. Its slot stays with us until it is dropped, released, or held and then released.
pub struct Message<'a, P: Platform, W: Window> {
    pub(super) link: &'a mut Vchiq<P, W>,
    pub(super) id: MessageId,
    pub(super) info: MessageInfo,
}

impl<P: Platform, W: Window> Message<'_, P, W> {
    /// Where it came from and when.
    pub fn info(&self) -> MessageInfo {
        self.info
    }

    /// Payload bytes.
    pub fn size(&self) -> usize {
        usize::from(self.info.size)
    }

    /// Copies the payload to the start of `out` and gives that part of it.
    ///
    /// The peer can still write to the slot: decode the copy, not the slot.
    ///
    /// # Errors
    /// [`Misuse::BufferTooSmall`]; nothing is copied.
    pub fn copy_to<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], Misuse> {
        self.link.copy_payload(self.info, out)
    }

    /// Lets go of the slot; the same as dropping the message.
    pub fn release(self) {}

    /// Keeps the message, and with it its slot, beyond this borrow of the link.
    pub fn hold(self) -> HeldMessage {
        let held = HeldMessage { id: self.id, info: self.info, session: self.link.session };
        // The claim goes on in `held`, so it must not be dropped here.
        core::mem::forget(self);
        held
    }
}

impl<P: Platform, W: Window> Drop for Message<'_, P, W> {
    fn drop(&mut self) {
        let session = self.link.session;
        self.link.release(HeldMessage { id: self.id, info: self.info, session });
    }
}

/// A received message that pins its slot until it is handed to [`Vchiq::release`]. If it is forgotten instead, the
/// peer never gets the slot back.
#[must_use = "the slot stays with us until the message is released"]
#[derive(Debug, PartialEq, Eq)]
pub struct HeldMessage {
    pub(super) id: MessageId,
    pub(super) info: MessageInfo,
    pub(super) session: u16,
}

impl HeldMessage {
    /// Where it came from and when.
    pub fn info(&self) -> MessageInfo {
        self.info
    }
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Lets go of a message: its header is unclaimed, and its slot returned if it was the last one in it. One of a
    /// former session ([`Vchiq::start_over`]) has no slot any more.
    pub fn release(&mut self, message: HeldMessage) {
        if message.session != self.session {
            return;
        }
        let Err(message) = self.misbehaving.keep(message) else { return };
        let HeldMessage { id, info, .. } = message;
        self.counters.released += 1;
        if info.slot == self.layout.master.sync_slot() {
            self.release_sync();
            return;
        }
        if !self.misbehaving.leaves_claimed() {
            // The header as it was when read, not as the peer may have changed it since.
            self.shared.store(info.slot.byte_offset() + usize::from(info.offset), id.0);
        }
        self.rx.release(&mut self.shared, info.slot);
    }

    /// Copies the payload of a held message, as [`Message::copy_to`].
    ///
    /// # Errors
    /// [`Misuse::BufferTooSmall`], [`Misuse::FormerSession`]; nothing is copied.
    pub fn copy_held<'b>(&self, message: &HeldMessage, out: &'b mut [u8]) -> Result<&'b [u8], Misuse> {
        if message.session != self.session {
            return Err(Misuse::FormerSession);
        }
        self.copy_payload(message.info, out)
    }

    fn copy_payload<'b>(&self, info: MessageInfo, out: &'b mut [u8]) -> Result<&'b [u8], Misuse> {
        let (size, room) = (usize::from(info.size), out.len());
        let out = out.get_mut(..size).ok_or(Misuse::BufferTooSmall { size, room })?;
        self.shared.load_payload(info.slot, usize::from(info.offset), out);
        Ok(out)
    }
}
