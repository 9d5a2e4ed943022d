//! Slots: who owns which, and where in them the next message goes or comes from.
//!
//! A slot of ours is free, then filled by the transmitter, then with the peer until it returns it. A slot of the
//! peer's is with us from its first message until every message in it has been released (`docs/ownership.md`).

mod index;
mod layout;
mod mem;
pub(crate) mod receive;
pub(crate) mod shared;
pub(crate) mod transmit;

pub use index::{PeerIndex, PeerPosition, SlotIndex, SlotRange};
pub use layout::{FRAGMENT_COUNT, FRAGMENT_SIZE, Layout, PAGELIST_COUNT, SideSlots};
pub use mem::RawWindow;
