//! The service's side, as VCSM fact sheet 5 to 7 has it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use vchiq_mbox::testing::Behaviour;

/// What the service knows and how it behaves.
pub(super) struct State {
    pub(super) acknowledges_version: bool,
    pub(super) version: u32,
    pub(super) refuses_imports: bool,
    /// Take IMPORTs without answering.
    pub(super) mute: bool,
    /// Take FREEs without RELEASED.
    pub(super) keeps_references: bool,
    pub(super) next_handle: u32,
    /// Address, size and kernel id by handle.
    pub(super) imports: BTreeMap<u32, [u32; 3]>,
    /// Handles of imports by the transaction that made them.
    pub(super) by_transaction: BTreeMap<u32, u32>,
    pub(super) heap: Heap,
    /// All requests as words.
    pub(super) requests: Vec<Vec<u32>>,
    /// Replies not sent while mute.
    pub(super) unsent: Vec<Vec<u32>>,
}

#[derive(Clone)]
pub(super) struct Firmware {
    pub(super) state: Rc<RefCell<State>>,
}

impl Default for Firmware {
    fn default() -> Self {
        let state = State {
            acknowledges_version: true,
            version: 2,
            refuses_imports: false,
            mute: false,
            keeps_references: false,
            next_handle: 0xc000_0020,
            imports: BTreeMap::new(),
            by_transaction: BTreeMap::new(),
            heap: Heap::default(),
            requests: Vec::new(),
            unsent: Vec::new(),
        };
        Self { state: Rc::new(RefCell::new(state)) }
    }
}

impl Firmware {
    pub(super) fn behaviour(&self) -> Behaviour {
        let state = Rc::clone(&self.state);
        Behaviour::Script(Box::new(move |request| {
            let words: Vec<u32> =
                request.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
            let answers = state.borrow_mut().answer(&words, request.len());
            answers.iter().map(|answer| answer.iter().flat_map(|word| word.to_le_bytes()).collect()).collect()
        }))
    }

    /// Requests of one type.
    pub(super) fn requests_of(&self, kind: u32) -> Vec<Vec<u32>> {
        self.state.borrow().requests.iter().filter(|words| words[0] == kind).cloned().collect()
    }
}

impl State {
    fn answer(&mut self, words: &[u32], size: usize) -> Vec<Vec<u32>> {
        self.requests.push(words.to_vec());
        match words[0] {
            9 => {
                assert_eq!(size, 12, "length of CLIENT_VERSION");
                let ack = vec![0x8000_0009, words[1], self.version];
                if self.acknowledges_version { vec![ack] } else { Vec::new() }
            }
            8 => {
                assert_eq!(size, 60, "length of IMPORT");
                self.import(words)
            }
            4 => {
                assert_eq!(size, 16, "length of FREE");
                if self.heap.free(words[2]) {
                    return Vec::new();
                }
                self.free(words[2])
            }
            10 => {
                assert_eq!(size, 20, "length of VC_MEM_REQUEST_REPLY");
                Vec::new()
            }
            0..=3 | 5 => {
                let length = [60, 16, 16, 16, 0, 20][words[0] as usize];
                assert_eq!(size, length, "length of request {}", words[0]);
                let answers = self.heap.answer(words);
                if self.mute {
                    self.unsent.extend(answers);
                    return Vec::new();
                }
                answers
            }
            6 => {
                assert_eq!(size, 8, "length of WALK_ALLOC");
                Vec::new()
            }
            7 => {
                assert_eq!(size, 16, "length of ACTION_CLEAN");
                assert_eq!(words[2], 8, "only IMPORT is undone");
                let undone = self.by_transaction.get(&words[3]).copied();
                undone.map_or_else(Vec::new, |handle| self.free(handle))
            }
            other => panic!("request {other}"),
        }
    }

    fn import(&mut self, words: &[u32]) -> Vec<Vec<u32>> {
        let handle = if self.refuses_imports { 0 } else { self.next_handle };
        if handle != 0 {
            self.imports.insert(handle, [words[3], words[4], words[5]]);
            self.by_transaction.insert(words[1], handle);
            self.next_handle += 1;
        }
        let reply = vec![words[1], handle];
        if self.mute {
            self.unsent.push(reply);
            return Vec::new();
        }
        vec![reply]
    }

    fn free(&mut self, handle: u32) -> Vec<Vec<u32>> {
        if self.keeps_references {
            return Vec::new();
        }
        let released = self.imports.remove(&handle);
        released
            .map(|[address, size, kernel_id]| vec![0x8000_000b, address, size, kernel_id, handle])
            .into_iter()
            .collect()
    }
}

/// The heap: bytes and locks by handle.
#[derive(Default)]
pub(super) struct Heap {
    pub(super) blocks: BTreeMap<u32, (u32, u32)>,
    /// Answers with failures.
    pub(super) fails: bool,
    pub(super) last_handle: u32,
}

impl Heap {
    /// Where a block is.
    pub(super) fn address(handle: u32) -> u32 {
        0xdec0_0000 + handle * 0x1_0000
    }

    fn answer(&mut self, words: &[u32]) -> Vec<Vec<u32>> {
        let (kind, transaction, handle) = (words[0], words[1], words[2]);
        let status = |failed: bool| if failed { u32::MAX } else { 0 };
        match kind {
            0 if self.fails => vec![vec![transaction, 0, 0, 0, 0]],
            0 => {
                self.last_handle += 1;
                let handle = self.last_handle;
                self.blocks.insert(handle, (words[3] * words[4], 0));
                vec![vec![transaction, handle, Self::address(handle), words[3], words[4]]]
            }
            1 if self.fails => vec![vec![transaction, handle, 0, 0]],
            1 => {
                self.blocks.get_mut(&handle).unwrap().1 += 1;
                vec![vec![transaction, handle, Self::address(handle), 0]]
            }
            2 | 3 => {
                let block = self.blocks.get_mut(&handle).unwrap();
                let failed = self.fails || block.1 == 0;
                block.1 = block.1.saturating_sub(u32::from(!failed));
                if kind == 2 { vec![vec![transaction, status(failed)]] } else { Vec::new() }
            }
            _ => {
                let block = self.blocks.get_mut(&handle).unwrap();
                let failed = self.fails || block.1 != 0;
                if !failed {
                    block.0 = words[4];
                }
                vec![vec![transaction, status(failed)]]
            }
        }
    }

    fn free(&mut self, handle: u32) -> bool {
        let freed = self.blocks.remove(&handle);
        assert!(freed.is_none_or(|(_, locks)| locks == 0), "FREE of a locked block");
        freed.is_some()
    }
}
