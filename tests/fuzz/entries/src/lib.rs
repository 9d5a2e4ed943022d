//! What the fuzz targets do with their input.
//!
//! The input is a script: what VideoCore writes, and what the caller asks of the drivers meanwhile. Every entry
//! checks what must hold whatever VideoCore does; a broken promise is a panic. The targets in `../fuzz_targets` are
//! one line each, so that the corpus can be replayed here as an ordinary test.
#![forbid(unsafe_code)]

mod board;
mod gencmd;
mod link;
mod mailbox;
mod mmal;
mod script;
mod smem;

pub use gencmd::gencmd;
pub use link::link;
pub use mailbox::mailbox;
pub use mmal::mmal;
pub use smem::smem;
