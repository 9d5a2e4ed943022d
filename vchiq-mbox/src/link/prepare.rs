//! Laying slot zero out, and checking what the peer made of its half (VCHIQ fact sheet 4.3).

use core::mem::offset_of;

use zerocopy::{FromZeros, IntoBytes, little_endian::U32};

use crate::{
    error::{Misuse, Violation},
    platform::{Platform, Window},
    slot::{FRAGMENT_COUNT, FRAGMENT_SIZE, Layout, SideSlots, shared::Shared},
    wire::{
        MAGIC, MAX_SLOTS, MAX_SLOTS_PER_SIDE, SLOT_SIZE, SharedState, Side, SlotZero, VERSION, VERSION_MIN,
        field,
    },
};

pub(super) fn check_window(window: &impl Window, layout: &Layout) -> Result<(), Misuse> {
    let (have, need) = (window.len(), layout.slots_size());
    if have < need {
        return Err(Misuse::WindowTooSmall { have, need });
    }
    let bus = window.bus_address();
    let alignment = SLOT_SIZE as u32;
    if !bus.0.is_multiple_of(alignment) {
        return Err(Misuse::WindowUnaligned { bus, alignment });
    }
    Ok(())
}

/// Writes slot zero and empties our sync slot. `initialised` of our half is down from the first store to the last.
pub(super) fn lay_out<P: Platform, W: Window>(shared: &Shared<P, W>, layout: &Layout) {
    let image = slot_zero(layout, fragments(shared, layout));
    let at_initialised = field::initialised(Side::Slave);
    // Of a former session it may be 1.
    shared.store(at_initialised, 0);
    shared.platform.write_barrier();
    let (words, _) = image.as_bytes().as_chunks::<4>();
    for (index, word) in words.iter().enumerate() {
        if index * 4 != at_initialised {
            shared.store(index * 4, u32::from_le_bytes(*word));
        }
    }
    shared.store(layout.slave.sync as usize * SLOT_SIZE, 0);
    shared.platform.write_barrier();
    shared.store(at_initialised, 1);
    shared.platform.full_barrier();
}

/// Bus address and number of the fragments behind the slots; none if the window ends before.
fn fragments<P, W: Window>(shared: &Shared<P, W>, layout: &Layout) -> [U32; 2] {
    let start = layout.slots_size();
    if shared.window.len() < start + FRAGMENT_COUNT as usize * FRAGMENT_SIZE {
        return [U32::ZERO; 2];
    }
    [shared.window.bus_address().0.wrapping_add(start as u32).into(), FRAGMENT_COUNT.into()]
}

fn slot_zero(layout: &Layout, platform_data: [U32; 2]) -> SlotZero {
    let mut image = SlotZero::new_zeroed();
    image.magic = MAGIC.into();
    image.version = VERSION.into();
    image.version_min = VERSION_MIN.into();
    image.slot_zero_size = (size_of::<SlotZero>() as u32).into();
    image.slot_size = (SLOT_SIZE as u32).into();
    image.max_slots = (MAX_SLOTS as u32).into();
    image.max_slots_per_side = (MAX_SLOTS_PER_SIDE as u32).into();
    image.platform_data = platform_data;
    describe_slots(&mut image.master, layout.master);
    describe_slots(&mut image.slave, layout.slave);

    let data = layout.slave.data;
    for (entry, slot) in image.slave.slot_queue.iter_mut().zip(data.iter()) {
        *entry = u32::from(slot.number()).into();
    }
    image.slave.slot_queue_recycle = data.count().into();
    // The first debug word tells how many there are, itself included.
    image.slave.debug[0] = (image.slave.debug.len() as u32).into();
    image
}

fn describe_slots(state: &mut SharedState, slots: SideSlots) {
    state.slot_first = u32::from(slots.data.first().number()).into();
    state.slot_last = u32::from(slots.data.last().number()).into();
    state.slot_sync = slots.sync.into();
}

/// The peer has kept the header and the layout, and made all its slots available to itself.
pub(super) fn check_peer<P: Platform, W: Window>(
    shared: &Shared<P, W>,
    layout: &Layout,
) -> Result<(), Violation> {
    let expect = |offset: usize, expected: u32| {
        let found = shared.load(offset);
        if found == expected {
            Ok(())
        } else {
            Err(Violation::SlotZero { offset: offset as u16, expected, found })
        }
    };
    let header = [
        (offset_of!(SlotZero, magic), MAGIC),
        (offset_of!(SlotZero, slot_zero_size), size_of::<SlotZero>() as u32),
        (offset_of!(SlotZero, slot_size), SLOT_SIZE as u32),
        (offset_of!(SlotZero, max_slots), MAX_SLOTS as u32),
        (offset_of!(SlotZero, max_slots_per_side), MAX_SLOTS_PER_SIDE as u32),
    ];
    header.into_iter().try_for_each(|(offset, expected)| expect(offset, expected))?;
    for (side, slots) in [(Side::Master, layout.master), (Side::Slave, layout.slave)] {
        expect(field::slot_first(side), u32::from(slots.data.first().number()))?;
        expect(field::slot_last(side), u32::from(slots.data.last().number()))?;
        expect(field::slot_sync(side), slots.sync)?;
    }
    expect(field::slot_queue_recycle(Side::Master), layout.master.data.count())
}
