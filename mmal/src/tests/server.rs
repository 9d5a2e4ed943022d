//! The service's side, as MMAL fact sheet 2 to 11 has it, with the lengths that the firmware was seen to send.
//!
//! Messages are words; a field at byte offset `n` of the fact sheet is word `n / 4`.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use vchiq_mbox::testing::Behaviour;

pub(super) const MAGIC: u32 = 0x6c61_6d6d;
const EINVAL: u32 = 3;
const ENOSYS: u32 = 4;
const INPUT: u32 = 2;
const OUTPUT: u32 = 3;

pub(super) type Words = Vec<u32>;

#[derive(Default)]
pub(super) struct Port {
    pub(super) kind: u32,
    pub(super) index: u32,
    pub(super) enabled: bool,
    pub(super) parameters: BTreeMap<u32, Words>,
    /// Buffer number and size.
    pub(super) buffers: [u32; 2],
    /// Format and video part: words 25 to 43 of PORT_INFO_SET.
    pub(super) format: Words,
    /// Buffers inside, as received.
    pub(super) held: Vec<Words>,
}

pub(super) struct Component {
    pub(super) client: u32,
    pub(super) name: String,
    pub(super) paused: bool,
    /// By handle.
    pub(super) ports: Vec<Port>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) components: BTreeMap<u32, Component>,
    /// The next component gets 0x40 times the number behind it.
    pub(super) next_handle: u32,
    /// Everything received.
    pub(super) requests: Vec<Words>,
    /// Take requests without answering.
    pub(super) mute: bool,
    /// What was not sent while mute.
    pub(super) unsent: Vec<Words>,
    /// Refuse everything with this status.
    pub(super) refuses: Option<u32>,
    /// Destroy components without giving their buffers back.
    pub(super) keeps_buffers: bool,
    /// Change the next reply.
    pub(super) spoil: Option<fn(&mut Words)>,
    /// Every BUFFER_TO_HOST sent, or kept back while mute.
    pub(super) returned: Vec<Words>,
    /// Lines of HOST_LOG.
    pub(super) log: Vec<String>,
}

#[derive(Clone, Default)]
pub(super) struct Server {
    pub(super) state: Rc<RefCell<State>>,
}

pub(super) fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub(super) fn words_of(bytes: &[u8]) -> Words {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

impl Server {
    pub(super) fn behaviour(&self) -> Behaviour {
        let state = Rc::clone(&self.state);
        Behaviour::Script(Box::new(move |request| {
            let answers = state.borrow_mut().take(request);
            answers.iter().map(|words| bytes_of(words)).collect()
        }))
    }

    /// Buffers that a BUFFER_TO_HOST has named by magic word, component, port, number and handle.
    pub(super) fn rightly_returned(&self) -> usize {
        let state = self.state.borrow();
        let submitted = state.requests.iter().filter(|words| words[1] == 11);
        let names = |words: &Words| [6, 7, 8, 9, 17].map(|word| words[word]);
        submitted.filter(|sent| state.returned.iter().any(|back| names(back) == names(sent))).count()
    }

    /// Requests of one type.
    pub(super) fn requests_of(&self, kind: u32) -> Vec<Words> {
        self.state.borrow().requests.iter().filter(|words| words[1] == kind).cloned().collect()
    }
}

fn header(kind: u32, context: u32) -> Words {
    vec![MAGIC, kind, 0x0f2a_0000, context, 0, 0]
}

impl State {
    fn take(&mut self, request: &[u8]) -> Vec<Words> {
        // Only HOST_LOG is text.
        let words = words_of(request);
        assert_eq!(words[0], MAGIC, "magic word");
        self.requests.push(words.clone());
        let mut answers = self.answer(&words, request);
        if let Some(spoil) = self.spoil.take() {
            answers.last_mut().map(spoil);
        }
        self.returned.extend(answers.iter().filter(|words| words[1] == 12).cloned());
        if self.mute {
            self.unsent.append(&mut answers);
        }
        answers
    }

    fn answer(&mut self, words: &[u32], request: &[u8]) -> Vec<Words> {
        let (kind, context) = (words[1], words[3]);
        let reply = |rest: &[u32]| vec![[&header(kind, context)[..], rest].concat()];
        let length = |expected: usize| assert_eq!(request.len(), expected, "length of request {kind}");
        match kind {
            3 => reply(&[0, 16, 1, 10]),
            13 => {
                length(436);
                reply(&[0; 103])
            }
            26 => {
                let text = &request[24..];
                assert_eq!(text.last(), Some(&0));
                self.log.push(String::from_utf8(text[..text.len() - 1].to_vec()).unwrap());
                reply(&[0])
            }
            4..=10 | 14 | 15 | 25 if self.refuses.is_some() => reply(&[self.refuses.unwrap()]),
            4 => {
                length(160);
                self.create(words, request)
                    .map_or_else(|status| reply(&[status, 0, 0, 0, 0]), |rest| reply(&rest))
            }
            5 => {
                length(28);
                let Some(mut component) = self.components.remove(&words[6]) else { return reply(&[EINVAL]) };
                let mut answers = Vec::new();
                if !self.keeps_buffers {
                    component.ports.iter_mut().for_each(|port| answers.append(&mut drain(port)));
                }
                answers.append(&mut reply(&[0]));
                answers
            }
            6 | 7 => {
                length(28);
                let Some(component) = self.components.get_mut(&words[6]) else { return reply(&[EINVAL]) };
                component.paused = kind == 7;
                let mut answers = work(component);
                answers.append(&mut reply(&[0]));
                answers
            }
            8 | 9 => {
                length(if kind == 8 { 36 } else { 304 });
                self.port_info(words).map_or_else(|status| reply(&[status]), |rest| reply(&rest))
            }
            10 => {
                length(if words[8] < 4 { 100 } else { 44 });
                let mut answers = Vec::new();
                let status = self.act(words, &mut answers);
                answers.append(&mut reply(&[status]));
                answers
            }
            25 => {
                length(296);
                assert_eq!(words[6], MAGIC, "magic word of the buffer");
                let mut answers = self.port(words[7], words[8]).map_or_else(Vec::new, drain);
                answers.append(&mut reply(&[0]));
                answers
            }
            14 | 15 => self.parameter(words).map_or_else(|status| reply(&[status]), |rest| reply(&rest)),
            11 | 24 => {
                length(296);
                self.buffer(words)
            }
            other => panic!("request {other}"),
        }
    }

    fn create(&mut self, words: &[u32], request: &[u8]) -> Result<Words, u32> {
        let name: Vec<u8> = request[28..156].iter().copied().take_while(|byte| *byte != 0).collect();
        let name = String::from_utf8(name).unwrap();
        let [inputs, outputs] = match name.as_str() {
            "null_sink" => [1, 0],
            "copy" => [1, 1],
            _ => return Err(ENOSYS),
        };
        self.next_handle += 1;
        let handle = 0x40 * self.next_handle;
        let new = |kind, index| Port { kind, index, format: vec![0; 19], ..Port::default() };
        let inputs_ports = (0..inputs).map(|index| new(INPUT, index));
        let ports =
            std::iter::once(new(1, 0)).chain(inputs_ports).chain((0..outputs).map(|i| new(OUTPUT, i)));
        let component = Component { client: words[6], name, paused: false, ports: ports.collect() };
        self.components.insert(handle, component);
        Ok(vec![0, handle, inputs, outputs, 0])
    }

    fn port(&mut self, component: u32, handle: u32) -> Option<&mut Port> {
        self.components.get_mut(&component)?.ports.get_mut(handle as usize)
    }

    fn port_info(&mut self, words: &[u32]) -> Result<Words, u32> {
        let [component, kind, index] = [words[6], words[7], words[8]];
        let ports = &mut self.components.get_mut(&component).ok_or(EINVAL)?.ports;
        let named = |port: &Port| (port.kind, port.index) == (kind, index);
        let handle = ports.iter().position(named).ok_or(EINVAL)?;
        let port = &mut ports[handle];
        if words[1] == 9 {
            port.buffers = [words[20], words[21]];
            port.format = words[25..44].to_vec();
        }
        let [number, size] = port.buffers;
        let block = [
            &[0x0f4c_0000, 0, kind | index << 16, handle as u32, u32::from(port.enabled), 0, 1, 0, 0, 1, 0][..],
            &[number, size, 0, 0, 0],
        ];
        let mut reply = vec![0, component, kind, index, 1, handle as u32];
        reply.extend(block.concat());
        reply.extend(&port.format);
        reply.extend([0; 32]);
        assert_eq!(24 + reply.len() * 4, 316);
        Ok(reply)
    }

    fn act(&mut self, words: &[u32], answers: &mut Vec<Words>) -> u32 {
        let action = words[8];
        let Some(port) = self.port(words[6], words[7]) else { return EINVAL };
        match action {
            1 => {
                port.enabled = true;
                port.buffers = [words[20], words[21]];
            }
            2 if !port.enabled => return EINVAL,
            2 | 3 => {
                port.enabled = action == 3;
                answers.append(&mut drain(port));
            }
            4 | 5 => {}
            _ => return EINVAL,
        }
        0
    }

    fn parameter(&mut self, words: &[u32]) -> Result<Words, u32> {
        let (id, size) = (words[8], words[9]);
        let is_get = words[1] == 15;
        let port = self.port(words[6], words[7]).ok_or(EINVAL)?;
        assert_eq!(size as usize, 8 + (words.len() - 10) * 4);
        if is_get {
            let value = port.parameters.get(&id).ok_or(ENOSYS)?;
            return Ok([&[0, id, 8 + value.len() as u32 * 4][..], value].concat());
        }
        port.parameters.insert(id, words[10..].to_vec());
        Ok(vec![0])
    }

    fn buffer(&mut self, words: &[u32]) -> Vec<Words> {
        assert_eq!(words[6], MAGIC, "magic word of the buffer");
        let component = self.components.get_mut(&words[7]).expect("component of a buffer");
        let port = component.ports.get_mut(words[8] as usize).expect("port of a buffer");
        if !port.enabled {
            // Lost, as firmware loses it.
            return Vec::new();
        }
        port.held.push(words[..73].to_vec());
        work(component)
    }
}

/// BUFFER_TO_HOST for a buffer as it was received: 292 bytes.
pub(super) fn give_back(held: &[u32]) -> Words {
    let mut words = held.to_vec();
    words[..6].copy_from_slice(&header(12, 0));
    words
}

fn drain(port: &mut Port) -> Vec<Words> {
    port.held.drain(..).map(|held| give_back(&held)).collect()
}

/// What the component does with the buffers it has.
fn work(component: &mut Component) -> Vec<Words> {
    let mut answers = Vec::new();
    if component.paused {
        return answers;
    }
    let empty = |held: &[u32]| {
        let mut words = give_back(held);
        words[19] = 0;
        words
    };
    match component.name.as_str() {
        "null_sink" => {
            for held in std::mem::take(&mut component.ports[1].held) {
                answers.push(empty(&held));
                if held[21] & 1 != 0 && component.ports[0].enabled {
                    let eeos = u32::from_le_bytes(*b"EEOS");
                    let event = [component.client, 1, 0, eeos, 8, INPUT, 0];
                    answers.push([&header(16, 0)[..], &event].concat());
                }
            }
        }
        _ => {
            while !component.ports[1].held.is_empty() && !component.ports[2].held.is_empty() {
                let (input, output) = (component.ports[1].held.remove(0), component.ports[2].held.remove(0));
                answers.push(empty(&input));
                let mut filled = give_back(&output);
                // Length, offset, flags and times.
                filled[19..26].copy_from_slice(&input[19..26]);
                answers.push(filled);
            }
        }
    }
    answers
}
