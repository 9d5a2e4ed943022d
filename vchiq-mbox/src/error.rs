//! What can go wrong on the link, in families that call for different answers.
//!
//! | family | means | the caller |
//! |---|---|---|
//! | [`Misuse`] | this side asked for something impossible | has a bug to mend |
//! | [`Exhausted`] | a slot, quota or table is used up | may try again later |
//! | [`Error::Timeout`], [`Error::Refused`], [`Error::ClosedByPeer`] | the peer is silent or says no, within its rights | decides |
//! | [`Violation`] | the peer broke the protocol | gives the link up: every later call returns the same violation |

use crate::{
    platform::BusAddress,
    slot::SlotIndex,
    wire::{FourCc, PageListError, Port},
};

/// Who answers for a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Owner {
    /// Our own code or configuration.
    Harness,
    /// The VideoCore firmware.
    Firmware,
    /// What lies between: memory, doorbells, or nobody at the other end.
    Link,
}

/// A caller's mistake; nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Misuse {
    /// The window cannot hold the slots.
    #[error("window of {have} bytes, {need} needed")]
    WindowTooSmall {
        /// Bytes given.
        have: usize,
        /// Bytes needed.
        need: usize,
    },
    /// VideoCore would see the window at an address it does not accept.
    #[error("window at bus address {:#010x} is not aligned to {alignment} bytes", .bus.0)]
    WindowUnaligned {
        /// Where the window starts.
        bus: BusAddress,
        /// Alignment asked for, in bytes.
        alignment: u32,
    },
    /// A layout needs 5 to 128 slots, and at most 64 a side.
    #[error("{total} slots cannot be shared out")]
    SlotCount {
        /// Slots asked for, slot zero included.
        total: u32,
    },
    /// CONNECT has not been exchanged yet.
    #[error("not connected")]
    NotConnected,
    /// CONNECT is exchanged once in the life of a firmware.
    #[error("already connected")]
    AlreadyConnected,
    /// The handle's service has been closed.
    #[error("service handle for port {port} is stale")]
    StaleHandle {
        /// Local port of the handle.
        port: u8,
    },
    /// The message was received before VideoCore was reset, and is gone.
    #[error("message of a former session")]
    FormerSession,
    /// The service is not open.
    #[error("service at port {port} is not open")]
    NotOpen {
        /// Local port.
        port: u8,
    },
    /// A message fits one slot with its header: 4088 bytes.
    #[error("message of {size} bytes does not fit a slot")]
    MessageTooLong {
        /// Bytes asked to send.
        size: usize,
    },
    /// The link was paused by this side; nothing can be sent until [`crate::Vchiq::resume`].
    #[error("link paused by this side")]
    Paused,
    /// Only a link that this side has paused can be resumed by it.
    #[error("link not paused by this side")]
    NotPaused,
    /// A quota cannot be set below what is in use, nor to 65535 or more.
    #[error("quota of {asked} with {in_use} in use")]
    Quota {
        /// Quota asked for.
        asked: u16,
        /// Slots or messages in use.
        in_use: u16,
    },
    /// A service of that name is offered already.
    #[error("service {fourcc} is offered already")]
    OfferedTwice {
        /// Its name.
        fourcc: FourCc,
    },
    /// A bulk transfer's memory cannot be told to VideoCore.
    #[error("bulk: {0}")]
    PageList(PageListError),
    /// The window has no room for pagelists and fragments.
    #[error("window of {have} bytes, bulk transfers need {need}")]
    NoBulkRoom {
        /// Bytes given.
        have: usize,
        /// Bytes needed.
        need: usize,
    },
    /// How bulks are described cannot change while some are under way.
    #[error("bulk transfers are under way")]
    BulksUnderWay,
    /// No such bulk transfer is under way.
    #[error("bulk transfer {number} is not under way")]
    NoSuchBulk {
        /// Its number.
        number: u32,
    },
    /// The caller's buffer is smaller than the message.
    #[error("message of {size} bytes, buffer of {room}")]
    BufferTooSmall {
        /// Bytes of the message.
        size: usize,
        /// Bytes of the buffer.
        room: usize,
    },
}

/// Something is used up; it comes back when the peer or the caller lets go of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Exhausted {
    /// Every transmit slot is with the peer.
    #[error("no free transmit slot at position {tx_pos:#x}")]
    NoFreeSlot {
        /// Our transmit position.
        tx_pos: u32,
    },
    /// DATA fills all slots but the one kept for control messages.
    #[error("state data quota: {in_use} slots hold data")]
    DataQuota {
        /// Slots that hold DATA.
        in_use: u16,
    },
    /// The service's messages occupy as many slots as it may use.
    #[error("slot quota of port {port}: {in_use} slots")]
    SlotQuota {
        /// Local port.
        port: u8,
        /// Slots in use.
        in_use: u16,
    },
    /// The service has as many messages under way as it may.
    #[error("message quota of port {port}: {in_use} messages")]
    MessageQuota {
        /// Local port.
        port: u8,
        /// Messages in use.
        in_use: u16,
    },
    /// The peer has paused the link.
    #[error("link paused by the peer")]
    Paused,
    /// The caller has left so many messages unread that the receiver has stopped.
    #[error("{queued} messages unread")]
    ReceiveQueueFull {
        /// Messages waiting.
        queued: usize,
    },
    /// All local ports are taken.
    #[error("no free local port")]
    ServiceTableFull,
    /// The peer has not emptied our sync slot.
    #[error("sync slot still with the peer")]
    SyncSlotInUse,
    /// Four bulk transfers of that direction are with the peer.
    #[error("port {port} has {in_flight} bulk transfers under way")]
    BulksInFlight {
        /// Local port.
        port: u8,
        /// Transfers under way in that direction.
        in_flight: u8,
    },
    /// The caller has more bulk transfers under way, or finished and not taken, than there is room for.
    #[error("no room for another bulk transfer")]
    BulkTableFull,
}

/// What a timed-out wait was waiting for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Step {
    /// The peer to initialise its half of slot zero after VCHIQ_INIT.
    PeerInitialise,
    /// The peer's CONNECT.
    Connect,
    /// OPENACK, or a refusal.
    Open,
    /// A message.
    Receive,
    /// The peer's CLOSE.
    Close,
    /// An OPEN of the peer's for a service of ours.
    Accept,
    /// The peer's PAUSE.
    Pause,
    /// The end of a bulk transfer.
    Bulk,
}

/// The peer broke the protocol. Raw words are as read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Violation {
    /// A word of slot zero that only this side writes has changed, or the peer's half is not as it must be.
    #[error("slot zero word {offset:#05x} is {found:#010x}, expected {expected:#010x}")]
    SlotZero {
        /// Byte offset in slot zero.
        offset: u16,
        /// What the protocol says.
        expected: u32,
        /// What is there.
        found: u32,
    },
    /// The version word names a version outside 3..=8.
    #[error("peer proposes protocol version {found}")]
    Version {
        /// The version found.
        found: u16,
    },
    /// The peer's transmit position is not a multiple of 8, moved back, or lies beyond the slots it was given.
    #[error("peer tx_pos {found:#x} at our rx_pos {rx_pos:#x}, limit {limit:#x}")]
    TransmitPosition {
        /// Position read.
        found: u32,
        /// Our receive position.
        rx_pos: u32,
        /// End of the slots the peer owns.
        limit: u32,
    },
    /// An entry of a slot queue does not name a slot of that side.
    #[error("slot queue entry {entry} names slot {found:#x}")]
    SlotIndex {
        /// Entry of the queue, 0..64.
        entry: u8,
        /// Index read.
        found: u32,
    },
    /// The peer's slot queue names a slot a second time, or one that has not been returned to it.
    #[error("slot queue entry {entry} names {slot:?} again")]
    SlotQueuedTwice {
        /// Entry of the queue, 0..64.
        entry: u8,
        /// The slot.
        slot: SlotIndex,
    },
    /// An entry of the peer's slot queue has changed since the peer filled it in, or since we returned a slot by it.
    #[error("slot queue entry {entry} names slot {found:#x}, expected {expected:?}")]
    SlotQueueChanged {
        /// Entry of the queue, 0..64.
        entry: u8,
        /// Index read.
        found: u32,
        /// What it was.
        expected: SlotIndex,
    },
    /// More slots came back than were given away.
    #[error("recycle count {found} exceeds {limit}")]
    RecycleCount {
        /// Count read.
        found: u32,
        /// Largest possible count.
        limit: u32,
    },
    /// A slot came back that the peer did not have.
    #[error("slot {slot:?} returned, but it is not with the peer")]
    SlotNotLent {
        /// The slot.
        slot: SlotIndex,
    },
    /// A slot of ours came back with a message that still has the peer's mark for "in use".
    #[error("message {msgid:#010x} at {slot:?}+{offset:#05x} still claimed in a slot that came back")]
    ClaimedInReturnedSlot {
        /// Header word 0.
        msgid: u32,
        /// Slot of the header.
        slot: SlotIndex,
        /// Byte offset of the header in the slot.
        offset: u16,
    },
    /// A header's size does not fit its slot.
    #[error("message {msgid:#010x} of {size:#x} bytes at {slot:?}+{offset:#05x} passes the slot's end")]
    MessageSize {
        /// Header word 0.
        msgid: u32,
        /// Header word 1.
        size: u32,
        /// Slot of the header.
        slot: SlotIndex,
        /// Byte offset of the header in the slot.
        offset: u16,
    },
    /// A message ends beyond what the peer has published.
    #[error("message {msgid:#010x} of {size} bytes at {slot:?}+{offset:#05x} passes tx_pos {tx_pos:#x}")]
    BeyondPublished {
        /// Header word 0.
        msgid: u32,
        /// Header word 1.
        size: u32,
        /// Slot of the header.
        slot: SlotIndex,
        /// Byte offset of the header in the slot.
        offset: u16,
        /// The peer's transmit position.
        tx_pos: u32,
    },
    /// A second CONNECT.
    #[error("second CONNECT at {slot:?}+{offset:#05x}")]
    ConnectTwice {
        /// Slot of the header.
        slot: SlotIndex,
        /// Byte offset of the header in the slot.
        offset: u16,
    },
    /// Something other than RESUME while the peer has the link paused.
    #[error("message {msgid:#010x} at {slot:?}+{offset:#05x} while paused")]
    TrafficWhilePaused {
        /// Header word 0.
        msgid: u32,
        /// Slot of the header.
        slot: SlotIndex,
        /// Byte offset of the header in the slot.
        offset: u16,
    },
    /// The peer put another message into its sync slot before the last one was released.
    #[error("sync slot holds {found:#010x} before {held:#010x} was released")]
    SyncOverwritten {
        /// Header word 0 of the message not released yet.
        held: u32,
        /// Header word 0 now.
        found: u32,
    },
    /// The peer says that our sync slot is empty, but it is not.
    #[error("sync slot signalled empty holds {found:#010x}")]
    SyncNotEmpty {
        /// Header word 0.
        found: u32,
    },
    /// The end of a bulk transfer without the number of bytes.
    #[error("message {msgid:#010x} at {slot:?}+{offset:#05x} has only {size} bytes")]
    ShortBulkDone {
        /// Header word 0.
        msgid: u32,
        /// Header word 1.
        size: u16,
        /// Slot of the header.
        slot: SlotIndex,
        /// Byte offset of the header in the slot.
        offset: u16,
    },
    /// More bytes moved than the bulk transfer has.
    #[error("bulk of {size} bytes ended with {actual:#x} moved, at {slot:?}+{offset:#05x}")]
    BulkActual {
        /// Bytes moved, as the peer has it.
        actual: u32,
        /// Bytes asked for.
        size: u32,
        /// Slot of the header.
        slot: SlotIndex,
        /// Byte offset of the header in the slot.
        offset: u16,
    },
}

/// Any failure of the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The caller's mistake.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// Used up until the deadline; trying again makes sense.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// The peer did not answer before the deadline.
    #[error("timed out: {step:?}")]
    Timeout {
        /// What was awaited.
        step: Step,
    },
    /// The peer has no such service, or wants another version.
    #[error("service {fourcc} refused")]
    Refused {
        /// The service asked for.
        fourcc: FourCc,
    },
    /// The peer has closed the service.
    #[error("peer closed the service at local port {port:?}")]
    ClosedByPeer {
        /// Local port.
        port: Port,
    },
    /// The peer broke the protocol: the link is dead.
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl Error {
    /// Who answers for it, as far as this side can tell.
    pub const fn owner(&self) -> Owner {
        match self {
            Self::Misuse(_) => Owner::Harness,
            Self::Exhausted(
                Exhausted::ReceiveQueueFull { .. } | Exhausted::ServiceTableFull | Exhausted::BulkTableFull,
            ) => Owner::Harness,
            // The peer does not return what it was lent.
            Self::Exhausted(_) => Owner::Firmware,
            Self::Timeout { step: Step::PeerInitialise } => Owner::Link,
            Self::Timeout { .. } | Self::Refused { .. } | Self::ClosedByPeer { .. } | Self::Violation(_) => {
                Owner::Firmware
            }
        }
    }

    /// Trying again later may succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Exhausted(_))
    }

    /// The link cannot be used any more.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Violation(_))
    }
}
