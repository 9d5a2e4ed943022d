//! The image's serial line as it arrives at the PC: bytes in, lines and records out.
//!
//! The same for the emulated board of `run` and for a real one. A piece of the line is plain text or a defmt frame;
//! [`Framer`] cuts it out, [`Strings`] turn a frame into a log line, and a line that carries a record goes to the
//! report's collector. [`Course`] is where the run is, for whoever shows it.

mod announcement;
mod around;
mod course;
mod entry;
#[cfg(test)]
pub mod fake;
mod framer;
mod recording;
mod strings;

pub use announcement::Announcement;
pub use around::Around;
pub use course::Course;
pub use entry::{Entry, Recent, Side};
pub use framer::{Framer, Piece};
pub use recording::Recording;
pub use strings::{LogLine, Strings};
