//! The services that the model offers.

pub(super) mod command;
mod data;
mod echo;
mod shared_memory;

pub(super) use echo::Rounds;
pub(super) use shared_memory::SharedMemory;

use super::VideoCore;
use super::board::Board;
use super::fault::Defect;

/// A port that nobody has.
pub(super) const NOBODY: u16 = 0xabc;

/// A DATA message for a service, held until it has been dealt with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Incoming {
    /// Our port.
    pub(super) port: u16,
    pub(super) payload: Vec<u8>,
    pub(super) slot: u32,
    pub(super) offset: u32,
}

/// Which service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Echoes (VCHIQ fact sheet 9.1).
    Echo,
    /// fun2 (VCHIQ fact sheet 9.1).
    Data,
    /// SMEM (VCSM fact sheet).
    SharedMemory,
    /// GCMD (general command fact sheet 1).
    Command,
}

/// A service at its port; it has one client at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Service {
    pub(super) kind: Kind,
    pub(super) port: u16,
    fourcc: u32,
    version: u16,
    version_min: u16,
    /// The client's port, while there is one.
    pub(super) client: Option<u16>,
    /// We have sent CLOSE and wait for the answer.
    pub(super) closing: bool,
}

const fn service(kind: Kind, port: u16, name: [u8; 4], version: u16, version_min: u16) -> Service {
    let fourcc = u32::from_be_bytes(name);
    Service { kind, port, fourcc, version, version_min, client: None, closing: false }
}

/// All of them, without clients.
pub(super) const SERVICES: [Service; 4] = [
    service(Kind::SharedMemory, 31, *b"SMEM", 1, 0),
    service(Kind::Command, 33, *b"GCMD", 1, 1),
    service(Kind::Echo, 75, *b"echo", 3, 3),
    service(Kind::Data, 82, *b"fun2", 3, 3),
];

impl Service {
    /// The version to acknowledge an OPEN with; `None` refuses it.
    pub(super) fn accepts(&self, open: &[u8]) -> Option<u16> {
        let fourcc = u32::from_le_bytes(*open.first_chunk()?);
        let half = |at: usize| open.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
        let (version, version_min) = (half(8)?, half(10)?);
        let fits = fourcc == self.fourcc && version >= self.version_min && self.version >= version_min;
        (fits && self.client.is_none()).then_some(self.version)
    }
}

impl VideoCore {
    /// A service deals with a message.
    pub(super) fn serve(&mut self, board: &mut Board<'_>, message: &Incoming) {
        let service = self.services.iter().find(|service| service.port == message.port);
        let Some(kind) = service.map(|service| service.kind) else { return };
        match kind {
            Kind::Echo => self.serve_echo(board, message),
            Kind::Data => self.serve_data(board, message),
            Kind::SharedMemory => self.serve_shared_memory(board, message),
            Kind::Command => {
                if self.mischief.on(3, Defect::GencmdSilent) {
                    return;
                }
                let answer = command::answer(&self.facts, &message.payload);
                self.send_data(board, message.port, answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(name: [u8; 4], version: u16, version_min: u16) -> Vec<u8> {
        let mut bytes = u32::from_be_bytes(name).to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(version.to_le_bytes());
        bytes.extend(version_min.to_le_bytes());
        bytes
    }

    #[test]
    fn a_service_accepts_its_name_and_versions_once() {
        let mut echo = SERVICES[2];
        assert_eq!(echo.accepts(&open(*b"echo", 3, 3)), Some(3));
        assert_eq!(echo.accepts(&open(*b"none", 3, 3)), None);
        assert_eq!(echo.accepts(&open(*b"echo", 4, 4)), None);
        assert_eq!(echo.accepts(&open(*b"echo", 1, 1)), None);
        assert_eq!(echo.accepts(&open(*b"echo", 3, 3)[..11]), None);
        echo.client = Some(0);
        assert_eq!(echo.accepts(&open(*b"echo", 3, 3)), None);
    }
}
