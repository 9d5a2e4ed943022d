//! The MMAL client against a service that says what it likes, over a link that works.

use std::time::Duration;

use mmal::{
    BufferContext, Component, Fill, How, InFlight, Mmal, Options, Payload, Port, PortSetup, PortType,
    Returned, Stream, wire::MAGIC,
};
use vchiq_mbox::{
    Deadline, Vchiq,
    slot::Layout,
    testing::{Behaviour, FakeBoard, FakeService},
};

use crate::script::Script;

type Link = Vchiq<FakeBoard, FakeBoard>;

/// Buffers a client can have out.
const ROOM: usize = 4;
const SIZE: u32 = 0x1000;
const SETUP: PortSetup<'_> =
    PortSetup { zero_copy: true, stream: Stream::AsItIs, buffers: 2, buffer_size: SIZE };
/// BUFFER_TO_HOST without its padding (docs/findings.md).
const BUFFER_WORDS: usize = 73;

/// A payload with a handle of its own.
struct Memory {
    handle: u32,
}

impl Payload for Memory {
    fn handle(&self) -> u32 {
        self.handle
    }

    fn size(&self) -> u32 {
        SIZE
    }
}

/// The client, and what the caller has of it.
struct Caller {
    link: Link,
    board: FakeBoard,
    client: Mmal<Memory, ROOM>,
    /// Payloads with the caller.
    idle: Vec<Memory>,
    components: Vec<Component>,
    ports: Vec<Port>,
    in_flight: Vec<InFlight>,
    /// Numbers that a BUFFER_TO_HOST has named.
    told: Vec<u32>,
}

/// Plays a script.
pub fn mmal(input: &[u8]) {
    let mut script = Script::new(input);
    let Some(mut caller) = Caller::new(script.byte()) else {
        return;
    };
    while let Some(step) = script.step() {
        caller.play(step, &mut script);
        caller.check();
    }
}

fn soon(link: &Link) -> Deadline {
    link.deadline(Duration::from_micros(1500))
}

/// A service that answers every request as well as its first bits say, and never gives a buffer back by itself.
fn service(honesty: u8) -> FakeService {
    let mut next_handle = 0;
    let behaviour = Behaviour::Script(Box::new(move |request| {
        let words: Vec<u32> =
            request.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("four"))).collect();
        let reply = answer(&words, &mut next_handle);
        let bytes = |words: Vec<u32>| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        if honesty & 3 == 0 { Vec::new() } else { reply.map(bytes).into_iter().collect() }
    }));
    let mut service = FakeService::new(*b"mmal", 85, behaviour);
    service.versions = (16, 10);
    service
}

/// What an honest service says.
fn answer(words: &[u32], next_handle: &mut u32) -> Option<Vec<u32>> {
    let mut reply = vec![MAGIC, words[1], 0, words[3], 0, 0, 0];
    match words[1] {
        3 => reply.extend([16, 1, 10]),
        4 => {
            *next_handle += 1;
            reply.extend([*next_handle, 1, 1, 0]);
        }
        8 | 9 => {
            reply.extend([words[6], words[7], words[8], 1, words[7] - 1]);
            reply.resize(79, 0);
        }
        13 => reply.resize(109, 0),
        15 => reply.extend([words[8], words[9]]),
        11 | 12 | 24 => return None,
        _ => {}
    }
    Some(reply)
}

impl Caller {
    fn new(honesty: u8) -> Option<Self> {
        let board = FakeBoard::new(Layout::LINUX_WINDOW);
        let mut link = Vchiq::prepare(board.clone(), board.clone()).ok()?;
        board.start_peer();
        let deadline = link.deadline(Duration::from_millis(50));
        link.connect(deadline).ok()?;
        board.peer().services.push(service(honesty));
        let client = Mmal::open(&mut link, &Options::default(), deadline).ok()?;
        Some(Self {
            link,
            board,
            client,
            idle: (0..ROOM as u32 + 2).map(|number| Memory { handle: 0xc000_0020 + number }).collect(),
            components: Vec::new(),
            ports: Vec::new(),
            in_flight: Vec::new(),
            told: Vec::new(),
        })
    }

    fn play(&mut self, step: u8, script: &mut Script) {
        match step % 20 {
            0 | 1 => self.create(script),
            2 | 3 => self.open_port(script),
            4..=6 => self.submit(),
            7 => self.await_returned(),
            8 => {
                let back = self.client.take_any();
                self.keep(back);
            }
            9..=11 => self.give_back(script),
            12 => self.say_any(script),
            13 => self.reply(script),
            14 => self.use_port(script),
            15 => self.use_component(script),
            16 => self.destroy(script),
            17 => self.event(script),
            18 => self.board.peer().holds_slots = script.byte() & 1 == 0,
            _ => drop(self.client.poll(&mut self.link)),
        }
    }

    fn say(&mut self, words: &[u32]) {
        if let [_, 12, ..] = words
            && let Some(context) = words.get(9)
        {
            self.told.push(*context);
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.board.peer().queue_from(0, &bytes);
        self.board.run_peer();
    }

    /// Any words; mostly a header that means something.
    fn say_any(&mut self, script: &mut Script) {
        let count = usize::from(script.byte() % 140);
        let mut words: Vec<u32> = (0..count).map(|_| script.word()).collect();
        if script.byte() & 1 == 0
            && let [first, second, ..] = &mut words[..]
        {
            (*first, *second) = (MAGIC, *second & 0x1f);
        }
        self.say(&words);
    }

    /// A reply to a request of the first few dozen.
    fn reply(&mut self, script: &mut Script) {
        let (kind, context) = (u32::from(script.byte() & 0x1f), u32::from(script.byte()));
        let mut words = vec![MAGIC, kind, 0, context, 0, 0];
        words.extend((0..script.byte() % 80).map(|_| u32::from(script.byte())));
        self.say(&words);
    }

    /// BUFFER_TO_HOST of a buffer that is out, with a few words changed.
    fn give_back(&mut self, script: &mut Script) {
        let which = usize::from(script.byte());
        let out: Vec<_> = self.client.outstanding().collect();
        let mut words = vec![0; BUFFER_WORDS];
        words[..2].copy_from_slice(&[MAGIC, 12]);
        if let Some(buffer) = out.get(which % (ROOM + 1)) {
            let names = [MAGIC, buffer.component.number(), buffer.port.number(), buffer.context.number()];
            words[6..10].copy_from_slice(&names);
            words[17..19].copy_from_slice(&[buffer.handle, SIZE]);
        }
        for _ in 0..script.byte() % 4 {
            let at = 6 + usize::from(script.byte()) % (BUFFER_WORDS - 6);
            words[at] ^= if script.byte() & 1 == 0 { u32::from(script.byte()) } else { script.word() };
        }
        self.say(&words);
    }

    fn event(&mut self, script: &mut Script) {
        let (component, kind) = (u32::from(script.byte()), u32::from(script.byte() % 6));
        let length = u32::from(script.byte());
        let mut words = vec![MAGIC, 16, 0, 0, 0, 0, component, kind, 0, script.word(), length];
        words.extend((0..script.byte() % 20).map(u32::from));
        self.say(&words);
        while self.client.take_event().is_some() {}
    }

    fn create(&mut self, script: &mut Script) {
        let name = if script.byte() & 1 == 0 { "copy" } else { "ril.video_splitter" };
        let deadline = soon(&self.link);
        self.components.extend(self.client.create(&mut self.link, name, deadline));
    }

    fn open_port(&mut self, script: &mut Script) {
        let kind = if script.byte() & 1 == 0 { PortType::Input } else { PortType::Output };
        let which = usize::from(script.byte());
        if self.components.is_empty() || self.ports.len() >= 8 {
            return;
        }
        let component = &self.components[which % self.components.len()];
        let deadline = soon(&self.link);
        let port = self.client.open_port(&mut self.link, component, kind, 0, &SETUP, deadline);
        self.ports.extend(port);
    }

    fn submit(&mut self) {
        let Some(port) = self.ports.last() else { return };
        let Some(payload) = self.idle.pop() else { return };
        let deadline = soon(&self.link);
        match self.client.submit(&mut self.link, port, payload, Fill::frame(16), deadline) {
            Ok(token) => self.in_flight.push(token),
            Err(failure) => self.idle.push(failure.payload),
        }
    }

    fn await_returned(&mut self) {
        if let Some(token) = self.in_flight.pop() {
            let deadline = soon(&self.link);
            match self.client.await_returned(&mut self.link, token, deadline) {
                Ok(returned) => self.keep(Some(returned)),
                Err(failure) => self.in_flight.insert(0, failure.in_flight),
            }
        }
    }

    fn keep(&mut self, returned: Option<Returned<Memory>>) {
        let Some(returned) = returned else { return };
        let told = self.told.contains(&BufferContext::number(returned.context));
        assert!(told || returned.how == How::ComponentDestroyed, "a buffer came back by nobody's word");
        self.idle.push(returned.payload);
    }

    fn use_port(&mut self, script: &mut Script) {
        let Some(mut port) = self.ports.pop() else { return };
        let deadline = soon(&self.link);
        let _ = match script.byte() % 6 {
            0 => self.client.flush_port(&mut self.link, &port, deadline).map(drop),
            1 => self.client.disable_port(&mut self.link, &mut port, deadline).map(drop),
            2 => self.client.enable_port(&mut self.link, &mut port, deadline).map(drop),
            3 => self.client.update_port(&mut self.link, &mut port, deadline).map(drop),
            4 => {
                let mut value = [0; 16];
                self.client.get_parameter(&mut self.link, &port, 7, &mut value, deadline).map(drop)
            }
            _ => self.client.set_zero_copy(&mut self.link, &mut port, true, deadline).map(drop),
        };
        self.ports.insert(0, port);
    }

    fn use_component(&mut self, script: &mut Script) {
        let deadline = soon(&self.link);
        let choice = script.byte() % 4;
        let Some(component) = self.components.last() else { return };
        let _ = match choice {
            0 => self.client.enable(&mut self.link, component, deadline).map(drop),
            1 => self.client.disable(&mut self.link, component, deadline).map(drop),
            2 => self.client.statistics(&mut self.link, false, deadline).map(drop),
            _ => self.client.version(&mut self.link, deadline).map(drop),
        };
    }

    fn destroy(&mut self, script: &mut Script) {
        let which = usize::from(script.byte());
        if self.components.is_empty() {
            return;
        }
        let component = self.components.swap_remove(which % self.components.len());
        let deadline = soon(&self.link);
        if let Err(failure) = self.client.destroy(&mut self.link, component, deadline) {
            self.components.insert(0, failure.component);
        }
    }

    /// What holds whatever the service says.
    fn check(&self) {
        let mut handles: Vec<u32> = self.idle.iter().map(|payload| payload.handle).collect();
        handles.extend(self.client.outstanding().map(|buffer| buffer.handle));
        handles.sort_unstable();
        assert!(handles.windows(2).all(|pair| pair[0] != pair[1]), "a payload is with both sides");
        assert_eq!(handles.len() + self.client.untaken(), ROOM + 2, "a payload is lost");
        let counters = self.link.counters();
        let unread = u64::from(self.link.positions().unread);
        assert_eq!(counters.received, counters.released + unread, "a message keeps its slot");
    }
}
