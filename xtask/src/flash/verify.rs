//! Reads back what was written, and compares.

use super::failure::{Difference, Failure};
use super::medium::{CHUNK, Medium};
use super::plan::Part;
use crate::interrupt::Notice;

/// Compares a part of the disk with what belongs there, and tells after each piece how long it was.
///
/// # Errors
/// If it cannot be read, at the first difference, and at Ctrl-C.
pub fn check(
    medium: &mut dyn Medium,
    image: &[u8],
    part: &Part,
    notice: &Notice,
    done: &mut dyn FnMut(u64),
) -> Result<(), Failure> {
    let mut buffer = vec![0; CHUNK];
    for (offset, wrote) in part.pieces(image) {
        notice.check()?;
        let read = &mut buffer[..wrote.len()];
        medium.read_at(offset, read).map_err(|source| Failure::Read { offset, source })?;
        if let Some((at, (wrote, read))) = wrote.iter().zip(&*read).enumerate().find(|(_, (w, r))| w != r) {
            let offset = offset + at as u64;
            return Err(Difference { offset, wrote: *wrote, read: *read, at_end: part.is_cleared() }.into());
        }
        done(wrote.len() as u64);
    }
    Ok(())
}
