//! The verb from its top, on PCs of files and disks of memory.

mod flow;
mod refusals;
mod shown;
mod writing;
