//! Blocks of VideoCore's own heap.

use super::{firmware::Heap, *};
use crate::{Block, BlockSize, Misuse, Violation, wire::CacheType, wire::MessageType};

const SIZE: BlockSize = BlockSize { unit: 0x1000, count: 3, alignment: 64, cache: CacheType::Cached };

fn alloc(link: &mut Link, client: &mut Client) -> Block {
    let deadline = soon(link);
    client.alloc(link, SIZE, deadline).unwrap().0
}

#[test]
fn a_block_is_made_locked_resized_and_let_go() {
    let (mut link, board, firmware, mut client) = opened();
    let deadline = soon(&link);
    let (block, memory) = client.alloc(&mut link, SIZE, deadline).unwrap();
    assert_eq!((block.handle().number(), memory), (1, Heap::address(1)));
    assert_eq!(client.block_size(&block), Ok(0x3000));
    let locked = client.lock(&mut link, &block, deadline).unwrap();
    assert_eq!((locked.memory, locked.old_memory), (Heap::address(1), 0));
    client.lock(&mut link, &block, deadline).unwrap();
    client.unlock(&mut link, &block, deadline).unwrap();
    client.unlock_without_answer(&mut link, &block, deadline).unwrap();
    client.resize(&mut link, &block, 0x2000, deadline).unwrap();
    assert_eq!(client.block_size(&block), Ok(0x2000));
    assert_eq!(firmware.state.borrow().heap.blocks[&1], (0x2000, 0));
    client.free_heap(&mut link, block, deadline).unwrap();
    client.walk_alloc(&mut link, deadline).unwrap();
    board.run_peer();
    assert!(firmware.state.borrow().heap.blocks.is_empty());
    assert_eq!(firmware.requests_of(6).len(), 1);
    assert_eq!(client.counters().violations, 0);
}

#[test]
fn a_locked_block_is_neither_resized_nor_freed() {
    let (mut link, board, firmware, mut client) = opened();
    let block = alloc(&mut link, &mut client);
    let deadline = soon(&link);
    let handle = block.handle();
    let not_locked = Error::from(Misuse::BlockNotLocked { handle });
    assert_eq!(client.unlock(&mut link, &block, deadline).unwrap_err(), not_locked);
    assert_eq!(client.unlock_without_answer(&mut link, &block, deadline).unwrap_err(), not_locked);
    client.lock(&mut link, &block, deadline).unwrap();
    let locked = Error::from(Misuse::BlockLocked { handle, locks: 1 });
    assert_eq!(client.resize(&mut link, &block, 4096, deadline).unwrap_err(), locked);
    let failure = client.free_heap(&mut link, block, deadline).unwrap_err();
    assert_eq!(failure.error, locked);
    board.run_peer();
    assert!(firmware.requests_of(4).is_empty() && firmware.requests_of(5).is_empty());
}

#[test]
fn refusals_name_the_request_and_the_status() {
    let (mut link, _, firmware, mut client) = opened();
    let block = alloc(&mut link, &mut client);
    let deadline = soon(&link);
    client.lock(&mut link, &block, deadline).unwrap();
    firmware.state.borrow_mut().heap.fails = true;
    let refused = |error| match error {
        Error::Refused { request, status, .. } => (request, status),
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(
        refused(client.alloc(&mut link, SIZE, deadline).map(|_| ()).unwrap_err()),
        (MessageType::Alloc, 0)
    );
    assert_eq!(refused(client.lock(&mut link, &block, deadline).unwrap_err()), (MessageType::Lock, 0));
    let unlocked = client.unlock(&mut link, &block, deadline).unwrap_err();
    assert_eq!(unlocked.owner(), vchiq_mbox::Owner::Firmware);
    assert_eq!(refused(unlocked), (MessageType::Unlock, u32::MAX));
    assert!(matches!(
        client.free_heap(&mut link, block, deadline).unwrap_err().error,
        Error::Misuse(Misuse::BlockLocked { locks: 1, .. })
    ));
}

#[test]
fn a_block_that_comes_after_its_request_was_abandoned_is_freed() {
    let (mut link, board, firmware, mut client) = opened();
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    let error = client.alloc(&mut link, SIZE, deadline).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::RequestTimedOut { request: MessageType::Alloc, .. }));
    firmware.state.borrow_mut().mute = false;
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert!(firmware.state.borrow().heap.blocks.is_empty(), "FREE of the block nobody waited for");
    assert_eq!(client.counters().late_replies, 1);
    inject(&board, &reply);
    assert!(matches!(violation(&mut link, &mut client), Violation::DuplicateReply { .. }));
}

#[test]
fn a_lock_that_comes_late_is_taken_back_and_keeps_the_block_until_then() {
    let (mut link, board, firmware, mut client) = opened();
    let block = alloc(&mut link, &mut client);
    let handle = block.handle();
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    assert!(client.lock(&mut link, &block, deadline).is_err());
    let failure = client.free_heap(&mut link, block, deadline).unwrap_err();
    assert_eq!(failure.error, Misuse::BlockBusy { handle }.into());
    firmware.state.borrow_mut().mute = false;
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert_eq!(firmware.state.borrow().heap.blocks[&1].1, 0, "UNLOCK_NOANS was sent");
    let deadline = soon(&link);
    client.free_heap(&mut link, failure.block, deadline).unwrap();
}

#[test]
fn a_late_unlock_and_a_late_resize_count() {
    let (mut link, board, firmware, mut client) = opened();
    let block = alloc(&mut link, &mut client);
    let deadline = soon(&link);
    client.lock(&mut link, &block, deadline).unwrap();
    firmware.state.borrow_mut().mute = true;
    assert!(client.unlock(&mut link, &block, deadline).is_err());
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    client.poll(&mut link).unwrap();
    let deadline = soon(&link);
    assert!(client.resize(&mut link, &block, 0x5000, deadline).is_err());
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    client.poll(&mut link).unwrap();
    assert_eq!(client.block_size(&block), Ok(0x5000));
    let deadline = soon(&link);
    client.free_heap(&mut link, block, deadline).unwrap();
}

#[test]
fn a_lock_answered_for_another_block_is_a_violation() {
    let (mut link, board, firmware, mut client) = opened();
    let block = alloc(&mut link, &mut client);
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    assert!(client.lock(&mut link, &block, deadline).is_err());
    // CLIENT_VERSION was the first transaction, ALLOC the second, LOCK the third.
    let reply = [3, 9, 0xdec0_0000, 0];
    inject(&board, &reply);
    let Violation::WrongHandle { asked, words, .. } = violation(&mut link, &mut client) else {
        panic!("not told apart");
    };
    assert_eq!((asked, words), (block.handle(), reply));
}

#[test]
fn a_handle_that_is_in_use_is_not_given_to_another_block() {
    let (mut link, _, firmware, mut client) = opened();
    let _block = alloc(&mut link, &mut client);
    firmware.state.borrow_mut().heap.last_handle = 0;
    let deadline = soon(&link);
    let error = client.alloc(&mut link, SIZE, deadline).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Violation(Violation::BlockHandleInUse { .. })));
}

#[test]
fn a_token_of_another_client_names_nothing() {
    let (mut link, _, _, mut client) = opened();
    let (mut other_link, _, _, mut other) = opened();
    let block = alloc(&mut other_link, &mut other);
    let deadline = soon(&link);
    let unknown = Misuse::UnknownBlock { handle: block.handle() };
    assert_eq!(client.lock(&mut link, &block, deadline).unwrap_err(), unknown.into());
}
