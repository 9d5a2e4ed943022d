//! Handing slot zero over.

use super::{MAX_WORDS, Tag, word};
use crate::platform::BusAddress;

/// Firmware's answer to [`VchiqInit`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum VchiqReply {
    /// Slot zero is taken over. QEMU 10 says so too, and does nothing: only slot zero itself tells.
    Accepted,
    /// Refused, with the word that came back.
    Refused(u32),
}

/// Gives firmware the bus address of slot zero; once in the life of a firmware.
pub struct VchiqInit;

impl Tag for VchiqInit {
    const ID: u32 = 0x0004_8010;
    const VALUE_WORDS: usize = 1;
    type Request = BusAddress;
    type Response = VchiqReply;

    fn encode(slot_zero: BusAddress, words: &mut [u32; MAX_WORDS]) {
        words[0] = slot_zero.0;
    }

    fn decode(words: &[u32]) -> Result<VchiqReply, u32> {
        Ok(match word(words, 0) {
            0 => VchiqReply::Accepted,
            other => VchiqReply::Refused(other),
        })
    }
}
