//! Logging that vanishes without the `defmt` feature, so that the PC links without a global logger.
//!
//! Levels: `log_error` link lost, `log_warn` peer out of protocol but handled, `log_info` once a lifecycle step,
//! `log_debug` per service. Never between the two stamps of a measurement.

macro_rules! log_error {
    ($($argument:tt)*) => {
        #[cfg(feature = "defmt")]
        defmt::error!($($argument)*)
    };
}

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

macro_rules! log_debug {
    ($($argument:tt)*) => {
        #[cfg(feature = "defmt")]
        defmt::debug!($($argument)*)
    };
}

pub(crate) use {log_debug, log_error, log_info, log_warn};
