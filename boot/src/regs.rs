//! Register blocks, one file a peripheral. Offsets are from the block's base; bases are in [`crate::soc`].

pub(crate) mod armc;
pub(crate) mod bells;
pub(crate) mod gpio;
pub(crate) mod local;
pub(crate) mod mailbox;
pub(crate) mod pl011;
pub(crate) mod power;
