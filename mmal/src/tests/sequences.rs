//! A service that says anything: no panic, and no buffer comes back without its own BUFFER_TO_HOST, or twice.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{server::give_back, *};

#[derive(Clone, Debug)]
enum Step {
    /// Gives a buffer to the input or the output.
    Submit(bool),
    /// Takes whatever is back.
    Take,
    Await,
    Flush(bool),
    /// Disables a port and enables it again.
    Bounce(bool),
    Enable(bool),
    /// The component and its ports anew.
    Replace,
    Poll,
    /// The service answers from here on, or not.
    Mute(bool),
    /// The service destroys components without giving their buffers back, or not.
    Keep(bool),
    /// What was not sent while mute.
    Late,
    /// Words on the service, as they are.
    Words(Vec<u32>),
    /// The return of a buffer that was submitted, counted from the last, with one word changed or none.
    Return {
        which: usize,
        word: usize,
        flip: u32,
    },
    /// A reply to a small context.
    Reply {
        kind: u32,
        context: u32,
    },
}

/// Magic word, component, port, context, reference, handle, length, offset, flags, has_reference, bytes in the message.
const WORDS: [usize; 11] = [6, 7, 8, 9, 13, 17, 19, 20, 21, 39, 40];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(Step::Submit),
        2 => Just(Step::Take),
        2 => Just(Step::Await),
        1 => any::<bool>().prop_map(Step::Flush),
        1 => any::<bool>().prop_map(Step::Bounce),
        2 => any::<bool>().prop_map(Step::Enable),
        1 => Just(Step::Replace),
        2 => Just(Step::Poll),
        1 => any::<bool>().prop_map(Step::Mute),
        1 => any::<bool>().prop_map(Step::Keep),
        1 => Just(Step::Late),
        1 => prop::collection::vec(any::<u32>(), 0..80).prop_map(Step::Words),
        4 => (0..4_usize, prop::sample::select(&WORDS[..]), prop_oneof![Just(0), Just(4), any::<u32>()])
            .prop_map(|(which, word, flip)| Step::Return { which, word, flip }),
        1 => (3..17_u32, 0..400_u32).prop_map(|(kind, context)| Step::Reply { kind, context }),
    ]
}

/// A copy and its ports.
struct Copy {
    component: Component,
    ports: [Port; 2],
}

fn copy(link: &mut Link, client: &mut Client) -> Option<Copy> {
    let deadline = link.deadline(Duration::from_millis(1));
    let component = client.create(link, "copy", deadline).ok()?;
    let mut open = |kind| client.open_port(link, &component, kind, 0, &ZERO_COPY, deadline).ok();
    let ports = [open(PortType::Input)?, open(PortType::Output)?];
    Some(Copy { component, ports })
}

proptest! {
    #[test]
    fn no_buffer_comes_back_unless_it_was_returned(steps in prop::collection::vec(step(), 1..80)) {
        let (mut link, board, server, mut client) = opened();
        let mut copies = copy(&mut link, &mut client);
        let mut submitted = 0;
        let mut in_flight: Vec<InFlight> = Vec::new();
        let mut back = Vec::new();
        let mut drops = Vec::new();

        for step in steps {
            let brief = link.deadline(Duration::from_millis(1));
            match (step, &mut copies) {
                (Step::Submit(output), Some(copy)) => {
                    // A handle each, so that a payload cannot pass for another.
                    let payload = Memory::new(0xc000_0001 + submitted);
                    let dropped = Rc::clone(&payload.dropped);
                    let port = &copy.ports[usize::from(output)];
                    let fill = if output { Fill::EMPTY } else { Fill::frame(100) };
                    if let Ok(token) = client.submit(&mut link, port, payload, fill, brief) {
                        submitted += 1;
                        in_flight.push(token);
                        drops.push(dropped);
                    }
                }
                (Step::Take, _) => back.extend(client.take_any()),
                (Step::Await, _) => {
                    if let Some(token) = in_flight.pop()
                        && let Ok(returned) = client.await_returned(&mut link, token, brief)
                    {
                        back.push(returned);
                    }
                }
                (Step::Flush(output), Some(copy)) => {
                    let _ = client.flush_port(&mut link, &copy.ports[usize::from(output)], brief);
                }
                (Step::Bounce(output), Some(copy)) => {
                    let port = &mut copy.ports[usize::from(output)];
                    let _ = client.disable_port(&mut link, port, brief);
                    let _ = client.enable_port(&mut link, port, brief);
                }
                (Step::Enable(enable), Some(copy)) => {
                    let component = &copy.component;
                    let _ = match enable {
                        true => client.enable(&mut link, component, brief),
                        false => client.disable(&mut link, component, brief),
                    };
                }
                (Step::Replace, taken) => {
                    if let Some(copy) = taken.take() {
                        drop(client.destroy(&mut link, copy.component, brief));
                    }
                    *taken = copy(&mut link, &mut client);
                }
                (Step::Poll, _) => drop(client.poll(&mut link)),
                (Step::Mute(mute), _) => server.state.borrow_mut().mute = mute,
                (Step::Keep(keep), _) => server.state.borrow_mut().keeps_buffers = keep,
                (Step::Late, _) => {
                    let unsent = std::mem::take(&mut server.state.borrow_mut().unsent);
                    unsent.iter().for_each(|words| inject(&board, words));
                }
                (Step::Words(words), _) => inject(&board, &words),
                (Step::Return { which, word, flip }, _) => {
                    board.run_peer();
                    let held = server.requests_of(11).into_iter().rev().nth(which);
                    let mut words = held.map_or(vec![0; 73], |held| give_back(&held[..73]));
                    words[word] ^= flip;
                    server.state.borrow_mut().returned.push(words.clone());
                    inject(&board, &words);
                }
                (Step::Reply { kind, context }, _) => {
                    inject(&board, &[server::MAGIC, kind, 0, context, 0, 0, 0]);
                }
                (_, None) => {}
            }
            let returned = client.counters().returned as usize;
            prop_assert!(returned <= server.rightly_returned(), "a wrong BUFFER_TO_HOST gave a buffer back");
            let out = client.outstanding().count();
            let untaken = client.untaken();
            prop_assert_eq!(back.len() + out + untaken, submitted as usize, "a buffer is lost, or twice there");
        }

        let handles: BTreeSet<u32> = back.iter().map(|returned| returned.payload.handle).collect();
        prop_assert_eq!(handles.len(), back.len(), "a buffer came back twice");
        let alive = drops.iter().filter(|dropped| !dropped.get()).count();
        prop_assert_eq!(alive, submitted as usize, "a payload was dropped while somebody had it");
        let out = client.outstanding().count();
        drop((client, back));
        let forgotten = drops.iter().filter(|dropped| !dropped.get()).count();
        prop_assert_eq!(forgotten, out, "what is out is forgotten, everything else dropped");
    }
}
