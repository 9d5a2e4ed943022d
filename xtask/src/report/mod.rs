//! What a run leaves: files for machines, tables for people.

mod again;
mod chart;
mod csv;
mod files;
mod html;
mod junit;
mod legible;
mod picture;
mod reason;
mod render;
mod shares;
mod table;
mod times_table;

pub use files::{Files, check_all_writable, check_writable, read, write_all, write_json};
pub use render::{Options, run};
#[cfg(test)]
pub(crate) use table::tests::report as example;
pub use table::{grouped, new_table, summary};
