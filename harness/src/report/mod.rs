//! PC side: records in, one schema-1 report out.

mod advice;
mod answers;
mod board_name;
mod collector;
mod date;
mod firmware;
mod inventory;
mod schema;
mod whereabouts;

pub use board_name::model_of;
pub use collector::{Collector, Finish, Setup};
pub use date::{date_of, timestamp_of};
pub use firmware::{Answer, Firmware, Heaps, Memory, Temperature, Throttled};
pub use schema::{
    Asked, Board, ClockSetting, Clocks, Counters, Image, Latency, Peer, PeerKind, Report, Reset, Rung,
    SCHEMA, ScenarioReport, StepReport, Timing,
};
