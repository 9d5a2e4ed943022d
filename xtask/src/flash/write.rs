//! The order in which a card is written: one that was stopped, or that does not read back, never looks like a good one.
//!
//! 1. The first sectors become zeros: from here on the old partition table is gone, and the new one is not there yet.
//! 2. The end of the disk becomes zeros: a GPT has its copy there, which would bring the old partitions back.
//! 3. The image is written, all but its first sectors, as far as it holds something.
//! 4. All of this is read back from the disk and compared.
//! 5. The first sectors are written and read back: now it is a card.

use std::time::{Duration, Instant};

use super::failure::Failure;
use super::medium::Medium;
use super::plan::Part;
use super::verify::check;
use crate::interrupt::Notice;

/// What is being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Steps 1 to 3.
    Write,
    /// Steps 4 and 5.
    Check,
}

/// Hears how it gets on: phase, bytes done, bytes in all.
pub type Progress<'a> = dyn FnMut(Phase, u64, u64) + 'a;

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// Bytes written, and as many read back.
    pub bytes: u64,
    /// Time for writing.
    pub write: Duration,
    /// Time for reading back.
    pub check: Duration,
}

/// Writes the image, which is not larger than the medium and has the [`HEAD`](super::plan::HEAD) at least.
///
/// # Errors
/// [`Failure`], which says what the medium is then.
pub fn write(
    medium: &mut dyn Medium,
    image: &[u8],
    notice: &Notice,
    progress: &mut Progress<'_>,
) -> Result<Written, Failure> {
    let parts = Part::others(image, medium.bytes());
    let total = parts.iter().map(Part::bytes).sum();

    let started = Instant::now();
    // This takes no time, and must not be left half done.
    put(medium, image, &Part::cleared_head(), &Notice::default(), &mut |_| ()).map_err(not_begun)?;
    settle(medium).map_err(|failure| Failure::OldTable(failure.into()))?;
    let mut done = 0;
    for part in &parts {
        put(medium, image, part, notice, &mut |bytes| {
            done += bytes;
            progress(Phase::Write, done, total);
        })?;
    }
    settle(medium)?;
    let write = started.elapsed();

    let started = Instant::now();
    let mut done = 0;
    for part in &parts {
        check(medium, image, part, notice, &mut |bytes| {
            done += bytes;
            progress(Phase::Check, done, total);
        })?;
    }
    notice.check()?;
    put_head(medium, image).map_err(|failure| match failure {
        Failure::Differs(_) => failure,
        other => Failure::NewTable(other.into()),
    })?;
    Ok(Written { bytes: total + Part::head().bytes(), write, check: started.elapsed() })
}

/// Step 5, which is not left half done.
fn put_head(medium: &mut dyn Medium, image: &[u8]) -> Result<(), Failure> {
    let nobody = Notice::default();
    put(medium, image, &Part::head(), &nobody, &mut |_| ())?;
    settle(medium)?;
    check(medium, image, &Part::head(), &nobody, &mut |_| ())
}

fn put(
    medium: &mut dyn Medium,
    image: &[u8],
    part: &Part,
    notice: &Notice,
    done: &mut dyn FnMut(u64),
) -> Result<(), Failure> {
    for (offset, bytes) in part.pieces(image) {
        notice.check()?;
        medium.write_at(offset, &bytes).map_err(|source| Failure::Write { offset, source })?;
        done(bytes.len() as u64);
    }
    Ok(())
}

fn settle(medium: &mut dyn Medium) -> Result<(), Failure> {
    medium.settle().map_err(|source| Failure::Settle { source })
}

fn not_begun(failure: Failure) -> Failure {
    match failure {
        Failure::Write { source, .. } => Failure::NotBegun { source },
        other => other,
    }
}
