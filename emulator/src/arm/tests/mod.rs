//! Behaviour of the core, by subject, on a small machine of its own.

mod alignment;
mod assembler;
mod code;
mod exceptions;
mod exclusives;
mod floating_point;
mod machine;
mod robustness;
mod start;
mod system_registers;
mod timers;
mod translation;
