//! The SMEM client against a service that says what it likes, over a link that works.

use std::{cell::RefCell, rc::Rc, time::Duration};

use vchiq_mbox::{
    BusAddress, Deadline, Vchiq,
    slot::Layout,
    testing::{Behaviour, FakeBoard, FakeService},
};
use vcsm::{Block, BlockSize, Freed, Imported, Importing, Lend, Options, Smem, wire::CacheType};

use crate::script::Script;

type Link = Vchiq<FakeBoard, FakeBoard>;

/// Buffers a client can have out.
const ROOM: usize = 4;
const PAGE: u32 = 0x1000;

/// A buffer with a number of its own, told by its address. Counts how often each could be reused.
struct Buffer {
    address: u32,
}

impl Lend for Buffer {
    fn bus_address(&self) -> BusAddress {
        BusAddress(self.address)
    }

    fn size(&self) -> u32 {
        PAGE
    }
}

/// The client, and what the caller has of it.
struct Caller {
    link: Link,
    board: FakeBoard,
    client: Smem<Buffer, ROOM>,
    /// Buffers with the caller.
    idle: Vec<Buffer>,
    importing: Vec<Importing>,
    imported: Vec<Imported>,
    freed: Vec<Freed>,
    blocks: Vec<Block>,
    /// Address and kernel id of each RELEASED that was sent.
    released: Vec<[u32; 2]>,
}

/// Plays a script.
pub fn smem(input: &[u8]) {
    let mut script = Script::new(input);
    let Some(mut caller) = Caller::new(script.byte()) else {
        return;
    };
    while let Some(step) = script.step() {
        caller.play(step, &mut script);
        caller.recover();
        caller.check();
    }
}

fn soon(link: &Link) -> Deadline {
    link.deadline(Duration::from_micros(1500))
}

/// A service that acknowledges a version, or none, and answers nothing else by itself.
fn service(version: u8) -> FakeService {
    let requests = Rc::new(RefCell::new(0));
    let behaviour = Behaviour::Script(Box::new(move |request| {
        let first = requests.replace_with(|count| *count + 1) == 0;
        let transaction = request.get(4..8).unwrap_or(&[0; 4]);
        let ack = [&0x8000_0009u32.to_le_bytes(), transaction, &u32::from(version).to_le_bytes()].concat();
        if first && version != 0 { vec![ack] } else { Vec::new() }
    }));
    let mut service = FakeService::new(*b"SMEM", 31, behaviour);
    service.versions = (1, 0);
    service
}

impl Caller {
    fn new(version: u8) -> Option<Self> {
        let board = FakeBoard::new(Layout::LINUX_WINDOW);
        let mut link = Vchiq::prepare(board.clone(), board.clone()).ok()?;
        board.start_peer();
        let deadline = link.deadline(Duration::from_millis(50));
        link.connect(deadline).ok()?;
        board.peer().services.push(service(version % 4));
        let options = Options { version_timeout: Duration::from_millis(2), ..Options::default() };
        let client = Smem::open(&mut link, &options, deadline).ok()?;
        Some(Self {
            link,
            board,
            client,
            idle: (0..ROOM as u32 + 2).map(|page| Buffer { address: 0xd000_0000 + page * PAGE }).collect(),
            importing: Vec::new(),
            imported: Vec::new(),
            freed: Vec::new(),
            blocks: Vec::new(),
            released: Vec::new(),
        })
    }

    fn play(&mut self, step: u8, script: &mut Script) {
        match step % 20 {
            0 => self.submit(),
            1 => self.await_import(),
            2 => self.free(),
            3 => self.take_released(),
            4 => self.say_any(script),
            5 | 6 => self.reply(script),
            7 | 8 => self.release(script),
            9 => self.ask_for_memory(script),
            10 => self.offer(),
            11 => self.idle.extend(self.client.withdraw()),
            12 => self.alloc(script),
            13 => self.use_block(script),
            14 => self.free_block(),
            15 => self.undo_import(),
            16 => self.board.peer().holds_slots = script.byte() & 1 == 0,
            17 => self.board.peer().stuck = script.byte() & 1 == 0,
            _ => drop(self.client.poll(&mut self.link)),
        }
    }

    fn say(&self, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.board.peer().queue_from(0, &bytes);
        self.board.run_peer();
    }

    /// Any words; the first is often one that means something.
    fn say_any(&mut self, script: &mut Script) {
        let count = usize::from(script.byte() % 24);
        let mut words: Vec<u32> = (0..count).map(|_| script.word()).collect();
        if let Some(first) = words.first_mut()
            && *first & 0x100 == 0
        {
            *first = 0x8000_0000 | *first & 0xf;
        }
        if let [0x8000_000b, address, _, kernel_id, ..] = words[..] {
            self.released.push([address, kernel_id]);
        }
        self.say(&words);
    }

    /// A reply of two to four words to a transaction of the first few hundred.
    fn reply(&mut self, script: &mut Script) {
        let transaction = u32::from(script.byte());
        let handle = handle(script);
        let words = [transaction, handle, script.word(), 0];
        self.say(&words[..2 + usize::from(script.byte() % 3)]);
    }

    /// RELEASED that may well be right.
    fn release(&mut self, script: &mut Script) {
        let address = 0xd000_0000 + u32::from(script.byte() % 8) * PAGE;
        let kernel_id = u32::from(script.byte() % 16);
        self.released.push([address, kernel_id]);
        self.say(&[0x8000_000b, address, PAGE, kernel_id, handle(script)]);
    }

    fn ask_for_memory(&mut self, script: &mut Script) {
        let size = u32::from(script.byte()) * 64;
        self.say(&[0x8000_000c, script.word(), size, u32::from(script.byte()), handle(script)]);
    }

    fn submit(&mut self) {
        let Some(buffer) = self.idle.pop() else {
            return;
        };
        let deadline = soon(&self.link);
        match self.client.submit_import(&mut self.link, buffer, deadline) {
            Ok(token) => self.importing.push(token),
            Err(failure) => self.idle.push(failure.buffer.expect("nothing was sent")),
        }
    }

    fn await_import(&mut self) {
        if let Some(token) = self.importing.pop() {
            let deadline = soon(&self.link);
            match self.client.await_import(&mut self.link, token, deadline) {
                Ok(token) => self.imported.push(token),
                Err(failure) => self.idle.extend(failure.buffer),
            }
        }
    }

    fn free(&mut self) {
        if let Some(token) = self.imported.pop() {
            let deadline = soon(&self.link);
            match self.client.free(&mut self.link, token, deadline) {
                Ok(token) => self.freed.push(token),
                Err(failure) => self.imported.insert(0, failure.imported),
            }
        }
    }

    fn take_released(&mut self) {
        if let Some(token) = self.freed.pop() {
            match self.client.try_take_released(&token) {
                Ok(Some(returned)) => {
                    let told = [returned.buffer.address, returned.kernel_id.number()];
                    assert!(self.released.contains(&told), "a buffer came back without RELEASED");
                    self.idle.push(returned.buffer);
                }
                Ok(None) => self.freed.insert(0, token),
                Err(_) => {}
            }
        }
    }

    fn offer(&mut self) {
        if let Some(buffer) = self.idle.pop()
            && let Err((_, buffer)) = self.client.offer(buffer)
        {
            self.idle.push(buffer);
        }
    }

    fn alloc(&mut self, script: &mut Script) {
        let unit = u32::from(script.half());
        let size = BlockSize { unit, count: script.word(), alignment: 16, cache: CacheType::NonCached };
        let deadline = soon(&self.link);
        if let Ok((block, _)) = self.client.alloc(&mut self.link, size, deadline) {
            self.blocks.push(block);
        }
    }

    fn use_block(&mut self, script: &mut Script) {
        let Some(block) = self.blocks.last() else {
            return;
        };
        let deadline = soon(&self.link);
        match script.byte() % 4 {
            0 => drop(self.client.lock(&mut self.link, block, deadline)),
            1 => drop(self.client.unlock(&mut self.link, block, deadline)),
            2 => drop(self.client.unlock_without_answer(&mut self.link, block, deadline)),
            _ => drop(self.client.resize(&mut self.link, block, script.word(), deadline)),
        }
    }

    fn free_block(&mut self) {
        if let Some(block) = self.blocks.pop() {
            let deadline = soon(&self.link);
            let _ = self.client.free_heap(&mut self.link, block, deadline);
        }
    }

    fn undo_import(&mut self) {
        let abandoned =
            self.client.outstanding().find(|buffer| buffer.abandoned).map(|buffer| buffer.kernel_id);
        if let Some(kernel_id) = abandoned {
            let deadline = soon(&self.link);
            let _ = self.client.undo_import(&mut self.link, kernel_id, deadline);
        }
    }

    fn recover(&mut self) {
        while let Some(recovered) = self.client.take_recovered() {
            self.idle.push(recovered.buffer);
        }
    }

    /// What holds whatever the service says.
    fn check(&self) {
        let mut addresses: Vec<u32> = self.idle.iter().map(|buffer| buffer.address).collect();
        addresses.sort_unstable();
        assert!(addresses.windows(2).all(|pair| pair[0] != pair[1]), "a buffer came back twice");
        let out = self.client.outstanding().count();
        assert!(out <= ROOM && addresses.len() + out <= ROOM + 2, "a buffer is with both sides");
        let counters = self.link.counters();
        assert_eq!(
            counters.received,
            counters.released + u64::from(self.link.positions().unread),
            "a message keeps its slot"
        );
    }
}

/// One of a few handles, or none.
fn handle(script: &mut Script) -> u32 {
    match script.byte() % 9 {
        8 => 0,
        number => 0xc000_0020 + u32::from(number),
    }
}
