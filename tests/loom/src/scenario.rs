//! From a laid-out window to an open service, without a second thread; then the scenario's own.

use std::{ops::Range, sync::Arc};

use vchiq_mbox::{Deadline, FourCc, ServiceHandle, Vchiq, link::OpenRequest, slot::Layout};

use crate::{Bell, Board, Memory, Mistake, Peer, offset::SLOT};

/// Slot zero, and a synchronous and two data slots a side: the fewest that quotas let DATA through.
const SLOTS: u32 = 7;
/// Data slots of a side.
const DATA_SLOTS: u32 = 2;

/// CONNECT.
const CONNECT: u32 = 1 << 24;
/// OPENACK from port 75 to port 0, version 3.
const OPENACK: u32 = 3 << 24 | 75 << 12;

/// A connected link with one open service, and its peer.
pub struct Scenario {
    /// The real driver.
    pub link: Vchiq<Board, Board>,
    /// The service: port 0 here, port 75 there.
    pub service: ServiceHandle,
    /// The other side.
    pub peer: Peer,
    memory: Arc<Memory>,
}

impl Scenario {
    /// Where the peer's next message goes, and where ours goes: behind CONNECT and OPENACK, CONNECT and OPEN.
    pub const PEER_NEXT: usize = 2 * SLOT + 24;
    /// Ours.
    pub const OUR_NEXT: usize = 5 * SLOT + 32;
    /// DATA from port 75 to port 0.
    pub const DATA_TO_US: u32 = 5 << 24 | 75 << 12;
    /// DATA from port 0 to port 75.
    pub const DATA_TO_PEER: u32 = 5 << 24 | 75;

    /// Sets it up on a board that makes this mistake; `messages` are the words in slots that the scenario shares.
    ///
    /// # Panics
    /// If the driver does not connect and open.
    pub fn new(mistake: Mistake, messages: &[Range<usize>]) -> Self {
        let memory = Arc::new(Memory::new(SLOTS as usize * SLOT, messages));
        let (arm_bell, peer_bell) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let board = Board::new(memory.clone(), arm_bell.clone(), peer_bell.clone(), mistake);
        let mut peer = Peer::new(memory.clone(), peer_bell, arm_bell);

        let layout = Layout::new(SLOTS).expect("seven slots can be shared out");
        let mut link = Vchiq::prepare_with(board.clone(), board, layout).expect("the window is large enough");
        peer.initialise(DATA_SLOTS);
        // What the driver would wait for is there before it looks.
        peer.send(CONNECT, 0, &[]);
        link.connect(Self::never()).expect("CONNECT is there");
        peer.send(OPENACK, 2, &[3]);
        let request = OpenRequest::new(FourCc::new(*b"echo"), 3, 3);
        let service = link.open(request, Self::never()).expect("OPENACK is there");
        link.poll().expect("nothing is wrong");
        Self { link, service, peer, memory }
    }

    /// The scenario's threads begin: from here on every shared word must be watched.
    pub fn begin(&self) {
        self.memory.seal();
    }

    /// A deadline that does not pass.
    pub const fn never() -> Deadline {
        Deadline::at(u64::MAX)
    }
}

/// The link keeps its books by value: more than the stack of a thread of loom's.
const STACK: usize = 0x4_0000;

/// Explores every execution of a scenario, or those with up to this many preemptions a thread.
///
/// # Panics
/// If an execution panics or ends in a deadlock.
pub fn explore(preemptions: Option<usize>, scenario: impl Fn() + Clone + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let spacious = loom::thread::Builder::new().stack_size(STACK);
        let thread = spacious.spawn(scenario.clone()).expect("loom has room for one more thread");
        thread.join().expect("a panic ends the model before this");
    });
}
