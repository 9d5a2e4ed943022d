//! Logging that vanishes without the `defmt` feature, so that the PC links without a global logger.
//!
//! Levels: `log_warn` firmware out of protocol but handled, `log_info` once a lifecycle step. Never between the two
//! stamps of a measurement.

macro_rules! log_warn {
    ($($argument:tt)*) => {
        #[cfg(feature = "defmt")]
        defmt::warn!($($argument)*)
    };
}

macro_rules! log_info {
    ($($argument:tt)*) => {
        #[cfg(feature = "defmt")]
        defmt::info!($($argument)*)
    };
}

pub(crate) use {log_info, log_warn};
