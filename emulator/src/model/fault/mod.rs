//! What can be broken, one thing a run: the catalogue. The faults of a stage are in a file of its name.

mod bulk;
mod client;
mod command;
mod connection;
mod defect;
mod echo;
mod heap;
mod mailbox;
mod old_client;
mod pause;
mod shared_memory;
mod slot_zero;
mod slots;
mod transport;

pub(super) use defect::Defect;

/// Where in a run the fault lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The property mailbox, up to VCHIQ_INIT.
    Mailbox,
    /// Slot zero.
    SlotZero,
    /// CONNECT, OPEN, CLOSE, and the link as a whole.
    Connection,
    /// Positions, headers and doorbells.
    Transport,
    /// Returning the other side's slots.
    Slots,
    /// The echo service.
    Echo,
    /// Bulk transfers.
    Bulk,
    /// What VideoCore asks of the Arm.
    Client,
    /// PAUSE and RESUME from the Arm.
    Pause,
    /// Text commands by the service GCMD.
    Command,
    /// The shared-memory service with a client that never tells its version.
    OldClient,
    /// The shared-memory service and its mailbox tags.
    SharedMemory,
    /// Blocks of VideoCore's own heap.
    Heap,
}

impl Stage {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::SlotZero => "slot zero",
            Self::Connection => "connection",
            Self::Transport => "transport",
            Self::Slots => "slots",
            Self::Echo => "echo",
            Self::Bulk => "bulk",
            Self::Client => "client",
            Self::Pause => "pause",
            Self::Command => "command",
            Self::OldClient => "old client",
            Self::SharedMemory => "shared memory",
            Self::Heap => "heap",
        }
    }
}

/// What a good harness says: the verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpectedVerdict {
    /// Answered, and wrongly.
    Fail,
    /// Did not answer.
    Hung,
}

impl ExpectedVerdict {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Hung => "hung",
        }
    }
}

/// What a good harness says: whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpectedOwner {
    /// VideoCore's firmware.
    Firmware,
    /// What lies between.
    Link,
}

impl ExpectedOwner {
    /// As the report spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firmware => "firmware",
            Self::Link => "link",
        }
    }
}

/// One way to misbehave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// As on the command line.
    pub name: &'static str,
    /// What happens instead of what should.
    pub breaks: &'static str,
    /// Where in a run.
    pub stage: Stage,
    /// What a good harness says.
    pub verdict: ExpectedVerdict,
    /// Whom a good harness names.
    pub owner: ExpectedOwner,
    /// The switch in the model.
    pub(super) defect: Defect,
}

impl Fault {
    /// Pings of each size and handshakes that a run must do to meet it: enough to use every slot twice, or to have a
    /// reply of 128 messages ago.
    pub const fn iterations(&self) -> u32 {
        match self.defect {
            Defect::ImportReplyOld => 80,
            _ if matches!(self.stage, Stage::Bulk) => 4,
            _ => 40,
        }
    }

    /// Finds a fault by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        CATALOGUE.into_iter().find(|fault| fault.name == name)
    }
}

/// The faults of each stage, in the order of a run.
const STAGES: [&[Fault]; 13] = [
    mailbox::FAULTS,
    slot_zero::FAULTS,
    connection::FAULTS,
    transport::FAULTS,
    slots::FAULTS,
    echo::FAULTS,
    bulk::FAULTS,
    client::FAULTS,
    pause::FAULTS,
    command::FAULTS,
    old_client::FAULTS,
    shared_memory::FAULTS,
    heap::FAULTS,
];

/// How many there are.
const COUNT: usize = {
    let (mut count, mut stage) = (0, 0);
    while stage < STAGES.len() {
        count += STAGES[stage].len();
        stage += 1;
    }
    count
};

/// All of them, in the order of a run.
pub const CATALOGUE: [Fault; COUNT] = {
    let mut all = [STAGES[0][0]; COUNT];
    let (mut count, mut stage) = (0, 0);
    while stage < STAGES.len() {
        let mut index = 0;
        while index < STAGES[stage].len() {
            all[count] = STAGES[stage][index];
            count += 1;
            index += 1;
        }
        stage += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_and_a_switch_of_its_own() {
        for (index, fault) in CATALOGUE.iter().enumerate() {
            assert_eq!(Fault::by_name(fault.name).as_ref(), Some(fault));
            let same = |other: &&Fault| other.name == fault.name || other.defect == fault.defect;
            assert_eq!(CATALOGUE.iter().filter(same).count(), 1, "{}", fault.name);
            assert!(index == 0 || CATALOGUE[index - 1].stage <= fault.stage, "{}", fault.name);
        }
        assert_eq!(Fault::by_name("none"), None);
    }
}
