//! The system on chip: devices, one a file, and the map that says where they are.
//!
//! ```text
//! bcm2837          the map, and what connects devices to each other
//! device           the trait, and what a device can reach
//! block            register names, and which are known to be mere storage
//! lines            interrupt lines
//! plain_storage    blocks without a device; count of what nobody models
//!
//! mailboxes        mailboxes and doorbells: where Arm and VPU meet
//! arm_interrupts   ARMC               local_interrupts  per-core routing, core mailboxes
//! vpu_interrupts   the VPU cores' own  multicore_sync    semaphores between them
//! system_timer  power (with the watchdog)  clocks  arm_control
//! pl011  mini_uart  sdhost  sd_card  dma  gpio  i2c  otp  random  codec_engine
//! small_blocks     blocks that need one or two answers
//! ```
//!
//! Another SoC is another map over these and its own devices.

#[cfg(test)]
mod any_access;
pub mod arm_control;
pub mod arm_interrupts;
pub mod bcm2837;
pub mod block;
pub mod clocks;
pub mod codec_engine;
pub mod device;
pub mod dma;
pub mod gpio;
pub mod i2c;
pub mod lines;
pub mod local_interrupts;
pub mod mailboxes;
pub mod mini_uart;
pub mod multicore_sync;
pub mod otp;
mod password;
pub mod pl011;
pub mod plain_storage;
pub mod power;
pub mod random;
pub mod sd_card;
pub mod sdhost;
pub mod small_blocks;
pub mod system_timer;
pub mod vpu_interrupts;
