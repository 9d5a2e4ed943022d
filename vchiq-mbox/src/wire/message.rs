//! Message headers, types and the payloads of control messages.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout,
    little_endian::{U16, U32},
};

use super::{FourCc, SLOT_SIZE};

/// Bytes of a message header: msgid, then payload size.
pub const HEADER_SIZE: usize = 8;
/// Largest payload: one slot with its header.
pub const MAX_PAYLOAD: usize = SLOT_SIZE - HEADER_SIZE;
/// Set in a header by its receiver, in the sender's slot, while the application holds the message.
pub const CLAIMED: u32 = 1 << 30;

/// Bytes a message occupies: header and payload, rounded up to 8 (VCHIQ fact sheet 1.2).
///
/// `payload` must not exceed [`MAX_PAYLOAD`]; a larger one gives a stride beyond the slot.
pub const fn stride(payload: usize) -> usize {
    payload.saturating_add(HEADER_SIZE + 7) & !7
}

/// A 12-bit port number. 0 also stands for "none" in messages that concern no service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Port(u16);

impl Port {
    /// No service.
    pub const NONE: Self = Self(0);

    /// `None` above 0xfff.
    pub const fn new(number: u16) -> Option<Self> {
        if number <= 0xfff { Some(Self(number)) } else { None }
    }

    /// The number, 0..=0xfff.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl From<u8> for Port {
    fn from(number: u8) -> Self {
        Self(u16::from(number))
    }
}

/// What a message is (VCHIQ fact sheet 1.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[expect(missing_docs, reason = "the names of the protocol")]
pub enum MessageType {
    Padding = 0,
    Connect = 1,
    Open = 2,
    OpenAck = 3,
    Close = 4,
    Data = 5,
    BulkRx = 6,
    BulkTx = 7,
    BulkRxDone = 8,
    BulkTxDone = 9,
    Pause = 10,
    Resume = 11,
    RemoteUse = 12,
    RemoteRelease = 13,
    RemoteUseActive = 14,
}

/// A type byte that no version of the protocol defines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown message type {0:#04x}")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnknownMessageType(pub u8);

impl TryFrom<u8> for MessageType {
    type Error = UnknownMessageType;

    fn try_from(raw: u8) -> Result<Self, UnknownMessageType> {
        Ok(match raw {
            0 => Self::Padding,
            1 => Self::Connect,
            2 => Self::Open,
            3 => Self::OpenAck,
            4 => Self::Close,
            5 => Self::Data,
            6 => Self::BulkRx,
            7 => Self::BulkTx,
            8 => Self::BulkRxDone,
            9 => Self::BulkTxDone,
            10 => Self::Pause,
            11 => Self::Resume,
            12 => Self::RemoteUse,
            13 => Self::RemoteRelease,
            14 => Self::RemoteUseActive,
            other => return Err(UnknownMessageType(other)),
        })
    }
}

/// The first word of a header: type, sender's port, receiver's port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MessageId(pub u32);

impl MessageId {
    /// `source` is the sender's own port.
    pub const fn new(kind: MessageType, source: Port, destination: Port) -> Self {
        Self((kind as u32) << 24 | (source.0 as u32) << 12 | destination.0 as u32)
    }

    /// The type, or the byte that is none.
    pub fn kind(self) -> Result<MessageType, UnknownMessageType> {
        MessageType::try_from((self.0 >> 24) as u8)
    }

    /// The sender's port.
    pub const fn source(self) -> Port {
        Port((self.0 >> 12 & 0xfff) as u16)
    }

    /// The receiver's port.
    pub const fn destination(self) -> Port {
        Port((self.0 & 0xfff) as u16)
    }
}

/// Payload of OPEN.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct OpenPayload {
    /// 0: service name.
    pub fourcc: U32,
    /// 4: any number; Linux sends a process id.
    pub client_id: U32,
    /// 8: version of the client.
    pub version: U16,
    /// 10: oldest server version the client accepts.
    pub version_min: U16,
}
const _: () = assert!(size_of::<OpenPayload>() == 12); // VCHIQ fact sheet 1.4

impl OpenPayload {
    /// For one service.
    pub fn new(fourcc: FourCc, client_id: u32, version: u16, version_min: u16) -> Self {
        Self {
            fourcc: fourcc.0.into(),
            client_id: client_id.into(),
            version: version.into(),
            version_min: version_min.into(),
        }
    }
}

/// Payload of OPENACK.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct OpenAckPayload {
    /// 0: version of the server.
    pub version: U16,
}
const _: () = assert!(size_of::<OpenAckPayload>() == 2); // VCHIQ fact sheet 1.4

/// Payload of BULK_RX and BULK_TX.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BulkPayload {
    /// 0: bus address of the pagelist.
    pub pagelist: U32,
    /// 4: bytes to move.
    pub size: U32,
}
const _: () = assert!(size_of::<BulkPayload>() == 8); // VCHIQ fact sheet 1.4

#[cfg(test)]
mod tests {
    use super::*;

    fn port(number: u16) -> Port {
        Port::new(number).unwrap()
    }

    #[test]
    fn strides_are_those_of_the_protocol() {
        let table =
            [(0, 8), (1, 16), (2, 16), (8, 16), (12, 24), (24, 32), (25, 40), (32, 40), (33, 48), (40, 48)];
        for (payload, expected) in table {
            assert_eq!(stride(payload), expected, "payload of {payload}");
        }
        assert_eq!(stride(4080), 4088);
        assert_eq!(stride(4081), 4096);
        assert_eq!(stride(MAX_PAYLOAD), SLOT_SIZE);
    }

    #[test]
    fn message_ids_are_those_of_the_worked_example() {
        let table = [
            (MessageType::Connect, 0, 0, 0x0100_0000),
            (MessageType::Open, 0, 0, 0x0200_0000),
            (MessageType::OpenAck, 75, 0, 0x0304_b000),
            (MessageType::Data, 0, 75, 0x0500_004b),
            (MessageType::Data, 75, 0, 0x0504_b000),
            (MessageType::Close, 0, 75, 0x0400_004b),
            (MessageType::BulkRx, 0, 85, 0x0600_0055),
            (MessageType::BulkTxDone, 85, 0, 0x0905_5000),
            (MessageType::Pause, 0, 0, 0x0a00_0000),
        ];
        for (kind, source, destination, raw) in table {
            let id = MessageId::new(kind, port(source), port(destination));
            assert_eq!(id.0, raw);
            assert_eq!(
                (id.kind(), id.source(), id.destination()),
                (Ok(kind), port(source), port(destination))
            );
        }
    }

    #[test]
    fn a_claimed_header_is_no_known_type() {
        assert_eq!(MessageId(0x4504_b000).kind(), Err(UnknownMessageType(0x45)));
    }
}
