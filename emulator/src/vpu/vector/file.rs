//! The vector register file: 64 rows of sixteen lanes of four bytes.
//!
//! A register is a window of sixteen elements onto it. Element `e` of elements `w` bytes wide lies in lane `e % 16`, at
//! byte `e / 16 * w` of that lane: neighbours are four bytes apart (measured, docs/vpu.md).

const ROWS: usize = 64;
const LANES: usize = 16;
const LANE_BYTES: usize = 4;
const ROW_BYTES: usize = LANES * LANE_BYTES;

/// One value for each of the sixteen lanes.
pub(super) type Lanes = [u32; LANES];

/// A register: sixteen elements along a row, or one of each of sixteen rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    /// 0..64; vertical: a multiple of 16.
    pub(super) row: usize,
    /// Index of the first element in its row.
    pub(super) element: usize,
    /// Width of an element: 1, 2 or 4.
    pub(super) bytes: usize,
    pub(super) is_vertical: bool,
}

impl Window {
    /// Where element `index` of the window begins.
    fn offset(self, index: usize) -> usize {
        let elements_in_row = ROW_BYTES / self.bytes;
        let (row, element) = if self.is_vertical {
            (self.row + index, self.element)
        } else {
            (self.row, self.element + index)
        };
        let element = element % elements_in_row;
        (row % ROWS) * ROW_BYTES + element % LANES * LANE_BYTES + element / LANES * self.bytes
    }
}

pub(super) struct RegisterFile {
    bytes: Box<[u8; ROWS * ROW_BYTES]>,
}

impl RegisterFile {
    pub(super) fn new() -> Self {
        Self { bytes: Box::new([0; ROWS * ROW_BYTES]) }
    }

    /// All elements of a register, zero-extended.
    pub(super) fn read(&self, window: Window) -> Lanes {
        std::array::from_fn(|index| {
            let offset = window.offset(index);
            let mut value = [0; 4];
            value[..window.bytes].copy_from_slice(&self.bytes[offset..offset + window.bytes]);
            u32::from_le_bytes(value)
        })
    }

    /// Writes the low bytes of `value` to one element.
    pub(super) fn write(&mut self, window: Window, index: usize, value: u32) {
        let offset = window.offset(index);
        self.bytes[offset..offset + window.bytes].copy_from_slice(&value.to_le_bytes()[..window.bytes]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn horizontal(row: usize, element: usize, bytes: usize) -> Window {
        Window { row, element, bytes, is_vertical: false }
    }

    #[test]
    fn neighbouring_elements_lie_four_bytes_apart() {
        assert_eq!(horizontal(0, 0, 1).offset(1), 4);
        assert_eq!(horizontal(2, 0, 4).offset(15), 2 * 64 + 60);
    }

    #[test]
    fn elements_beyond_sixteen_use_the_next_part_of_the_lane() {
        assert_eq!(horizontal(0, 16, 1).offset(0), 1);
        assert_eq!(horizontal(0, 16, 2).offset(0), 2);
        assert_eq!(horizontal(0, 3, 1).offset(13), 1);
    }

    #[test]
    fn elements_wrap_within_their_row() {
        assert_eq!(horizontal(5, 63, 1).offset(1), 5 * 64);
        assert_eq!(horizontal(5, 31, 2).offset(1), 5 * 64);
    }

    #[test]
    fn a_vertical_register_takes_the_same_element_of_sixteen_rows() {
        // VX(32,46): element 30 of halfwords, that is the upper half of lane 14 (measured).
        let window = Window { row: 32, element: 30, bytes: 2, is_vertical: true };
        assert_eq!(window.offset(0), 32 * 64 + 58);
        assert_eq!(window.offset(15), 47 * 64 + 58);
    }

    #[test]
    fn a_narrow_write_leaves_the_rest_of_the_lane_alone() {
        let mut file = RegisterFile::new();
        file.write(horizontal(0, 0, 4), 0, 0x1122_3344);
        file.write(horizontal(0, 16, 1), 0, 0xaabb_ccdd);
        assert_eq!(file.read(horizontal(0, 0, 4))[0], 0x1122_dd44);
    }
}
