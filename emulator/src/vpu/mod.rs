//! The VideoCore IV VPU: two scalar cores, each with a vector unit (VPU fact sheet 6).

pub mod bus;
