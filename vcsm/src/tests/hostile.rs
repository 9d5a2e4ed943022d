//! A service that says anything: no panic, and no buffer comes back without its own RELEASED.

use proptest::prelude::*;

use super::*;
use crate::{Freed, Importing};

#[derive(Clone, Debug)]
enum Step {
    Import,
    Await,
    Free,
    TryRelease,
    Poll,
    /// The service answers imports from here on, or not.
    Mute(bool),
    /// Words on the service, as they are.
    Words(Vec<u32>),
    /// A reply to a small transaction number.
    Reply {
        transaction: u32,
        handle: u32,
    },
    /// RELEASED with values that may well be right.
    Released {
        address: u32,
        kernel_id: u32,
        handle: u32,
    },
}

fn handle() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0xc000_0020u32..0xc000_0028, 1 => Just(0), 1 => any::<u32>()]
}

fn step() -> impl Strategy<Value = Step> {
    let word = prop_oneof![any::<u32>(), 0u32..20, 0x8000_0000u32..0x8000_0010];
    prop_oneof![
        3 => Just(Step::Import),
        3 => Just(Step::Await),
        3 => Just(Step::Free),
        3 => Just(Step::TryRelease),
        3 => Just(Step::Poll),
        1 => any::<bool>().prop_map(Step::Mute),
        2 => prop::collection::vec(word, 0..20).prop_map(Step::Words),
        2 => (1u32..20, handle()).prop_map(|(transaction, handle)| Step::Reply { transaction, handle }),
        4 => (0u32..6, 1u32..6, handle()).prop_map(|(page, kernel_id, handle)| Step::Released {
            address: 0xd000_0000 + page * 0x1000,
            kernel_id,
            handle,
        }),
    ]
}

proptest! {
    #[test]
    fn no_buffer_comes_back_unless_it_was_released(steps in prop::collection::vec(step(), 1..80)) {
        let (mut link, board, firmware, mut client) = opened();
        // RELEASED comes from the script only.
        firmware.state.borrow_mut().keeps_references = true;
        let mut released: Vec<[u32; 3]> = Vec::new();
        let mut lent = 0;
        let mut back: Vec<(u32, Buffer)> = Vec::new();
        let mut refused = 0;
        let mut importing: Vec<Importing> = Vec::new();
        let mut imported: Vec<Imported> = Vec::new();
        let mut freed: Vec<Freed> = Vec::new();

        for step in steps {
            let brief = link.deadline(Duration::from_millis(1));
            match step {
                Step::Import => {
                    let buffer = Buffer::new(0xd000_0000 + (lent % 6) * 0x1000);
                    match client.submit_import(&mut link, buffer, brief) {
                        Ok(token) => {
                            lent += 1;
                            importing.push(token);
                        }
                        Err(failure) => prop_assert!(failure.buffer.is_some(), "nothing was sent"),
                    }
                }
                Step::Await => {
                    if let Some(token) = importing.pop() {
                        match client.await_import(&mut link, token, brief) {
                            Ok(token) => imported.push(token),
                            Err(failure) => refused += u32::from(failure.buffer.is_some()),
                        }
                    }
                }
                Step::Free => {
                    if let Some(token) = imported.pop()
                        && let Ok(token) = client.free(&mut link, token, brief)
                    {
                        freed.push(token);
                    }
                }
                Step::TryRelease => {
                    if let Some(token) = freed.pop() {
                        match client.try_take_released(&token) {
                            Ok(Some(returned)) => back.push((returned.kernel_id.number(), returned.buffer)),
                            _ => freed.push(token),
                        }
                    }
                }
                Step::Poll => drop(client.poll(&mut link)),
                Step::Mute(mute) => firmware.state.borrow_mut().mute = mute,
                Step::Words(words) => inject(&board, &words),
                Step::Reply { transaction, handle } => inject(&board, &[transaction, handle]),
                Step::Released { address, kernel_id, handle } => {
                    released.push([address, kernel_id, handle]);
                    inject(&board, &[0x8000_000b, address, 0x1000, kernel_id, handle]);
                }
            }
            while let Some(recovered) = client.take_recovered() {
                back.push((recovered.kernel_id.number(), recovered.buffer));
            }
        }

        // Every token is used up: what firmware has no claim on comes back now.
        let brief = link.deadline(Duration::from_millis(1));
        for token in importing {
            if let Err(failure) = client.await_import(&mut link, token, brief) {
                refused += u32::from(failure.buffer.is_some());
            }
        }
        for token in freed {
            if let Ok(Some(returned)) = client.try_take_released(&token) {
                back.push((returned.kernel_id.number(), returned.buffer));
            }
        }
        while let Some(recovered) = client.take_recovered() {
            back.push((recovered.kernel_id.number(), recovered.buffer));
        }

        let unnamed = back.iter().filter(|(kernel_id, buffer)| {
            !released.iter().any(|words| words[..2] == [buffer.address, *kernel_id])
        });
        // An abandoned import that is refused late comes back without RELEASED.
        prop_assert!(unnamed.count() as u64 + u64::from(refused) <= client.counters().refused);
        let mut numbers: Vec<u32> = back.iter().map(|(kernel_id, _)| *kernel_id).collect();
        numbers.sort_unstable();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), back.len(), "a kernel id came back twice");
        let out = client.outstanding().count() as u32;
        prop_assert_eq!(back.len() as u32 + refused + out, lent, "a buffer is lost, or with both sides");
        prop_assert!(back.iter().all(|(_, buffer)| !buffer.dropped.get()), "reused while somebody has it");
    }
}
