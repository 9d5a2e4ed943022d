//! Property tags, one type each (gencmd fact sheet 4).
//!
//! A tag says how its request becomes words and its response a value; [`crate::Mailbox::call`] does the rest.
//! The command line has no fixed length: [`crate::Mailbox::command_line`].

mod board;
mod clock;
mod firmware;
mod memory;
mod vchiq;

pub use board::{
    ArmMemory, BoardModel, BoardRevision, BoardSerial, DmaChannels, MaxTemperature, MemoryRegion,
    Temperature, Throttled, ThrottledFlags, VideoCoreMemory,
};
pub use clock::{ClockId, ClockRate, MaxClockRate, MeasuredClockRate, MinClockRate};
pub use firmware::{FirmwareHash, FirmwareRevision, FirmwareVariant, Hash, Variant};
pub use memory::{LockMemory, MemoryHandle, UnlockMemory};
pub use vchiq::{VchiqInit, VchiqReply};

/// Longest value of a typed tag, in words.
pub const MAX_WORDS: usize = 8;

/// A tag with a value of fixed length.
pub trait Tag {
    /// Its number.
    const ID: u32;
    /// Words of the value buffer: the longer of request and response, at most [`MAX_WORDS`].
    const VALUE_WORDS: usize;
    /// Words firmware answers.
    const RESPONSE_WORDS: usize = Self::VALUE_WORDS;
    /// Words firmware may say it has answered instead.
    const CLAIMED_WORDS: usize = Self::RESPONSE_WORDS;
    /// What is asked.
    type Request;
    /// What comes back.
    type Response;

    /// Stores the request; words it leaves alone are noticed if firmware leaves them alone too.
    fn encode(request: Self::Request, words: &mut [u32; MAX_WORDS]);

    /// Reads [`Self::RESPONSE_WORDS`] words.
    ///
    /// # Errors
    /// The word that makes no sense.
    fn decode(words: &[u32]) -> Result<Self::Response, u32>;
}

/// The word at `index`; words that firmware did not send read as 0.
fn word(words: &[u32], index: usize) -> u32 {
    words.get(index).copied().unwrap_or(0)
}

/// Defines tags that take nothing and answer one word.
macro_rules! word_tags {
    ($($(#[$doc:meta])* $name:ident = $id:literal),+ $(,)?) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl $crate::property::Tag for $name {
                const ID: u32 = $id;
                const VALUE_WORDS: usize = 1;
                type Request = ();
                type Response = u32;

                fn encode((): (), _: &mut [u32; $crate::property::MAX_WORDS]) {}

                fn decode(words: &[u32]) -> Result<u32, u32> {
                    Ok($crate::property::word(words, 0))
                }
            }
        )+
    };
}
use word_tags;
