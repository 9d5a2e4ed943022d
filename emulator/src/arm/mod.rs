//! An A64 core, Cortex-A53 as far as software can tell.

pub mod bus;
