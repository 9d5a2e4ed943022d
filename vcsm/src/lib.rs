//! The SMEM service: buffers lent to the VideoCore, and given back only by RELEASED.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
