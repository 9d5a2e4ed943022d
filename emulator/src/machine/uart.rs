//! What came out of the serial ports.

use super::Counters;

/// Which processor wrote the byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UartSource {
    /// An Arm core (or whoever plays it).
    Arm,
    /// A VPU core: the firmware's own log.
    Vpu,
}

/// Which serial port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UartPort {
    /// UART0.
    Pl011,
    /// UART1.
    MiniUart,
}

/// One byte on a serial line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UartByte {
    /// Who wrote it.
    pub source: UartSource,
    /// Where it came out.
    pub port: UartPort,
    /// What it is.
    pub byte: u8,
    /// When it was written, virtual time since power-on.
    pub at_ns: u64,
    /// What the processors had done by then.
    pub counters: Counters,
}
