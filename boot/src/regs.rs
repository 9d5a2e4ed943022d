//! Register blocks, one file a peripheral. Offsets are from the block's base; bases are in [`crate::soc`].
//! Mailbox and doorbells are not here: `vchiq_mbox::regs` has them.

pub(crate) mod armc;
pub(crate) mod gpio;
pub(crate) mod local;
pub(crate) mod pl011;
pub(crate) mod power;
