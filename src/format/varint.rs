//! Integers in as few bytes as they need (LEB128), and a reader of them that can't run over the end: for the
//! compact forms of our own, in recordings and reports.

/// Bytes being put together.
#[derive(Default)]
pub struct Packer {
    pub bytes: Vec<u8>,
}

impl Packer {
    pub fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Small whatever the sign: -1 is 1, 1 is 2.
    pub fn signed(&mut self, value: i64) {
        self.unsigned((value << 1 ^ value >> 63) as u64);
    }

    /// The step from `last` to `value`, which becomes the last.
    pub fn step(&mut self, last: &mut u64, value: u64) {
        self.signed(value.wrapping_sub(*last) as i64);
        *last = value;
    }

    pub fn text(&mut self, text: &str) {
        self.unsigned(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// Bytes being taken apart. Every method gives `None` once the bytes do not fit what is asked.
pub struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub fn small(&mut self) -> Option<u32> {
        self.unsigned()?.try_into().ok()
    }

    pub fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub fn step(&mut self, last: &mut u64) -> Option<u64> {
        *last = last.wrapping_add(self.signed()? as u64);
        Some(*last)
    }

    pub fn small_step(&mut self, last: &mut u64) -> Option<u32> {
        self.step(last)?.try_into().ok()
    }

    /// How many elements follow. Each takes a byte at least, so no count is believed, and nothing is
    /// allocated, beyond the bytes that are there.
    pub fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.unsigned()?).ok()?;
        (count <= self.rest.len()).then_some(count)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        let length = self.count()?;
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_come_back(values in prop::collection::vec(any::<i64>(), 0..40)) {
            let mut packer = Packer::default();
            let mut last = 0;
            for value in &values {
                packer.signed(*value);
                packer.unsigned(*value as u64);
                packer.step(&mut last, *value as u64);
            }
            let mut unpacker = Unpacker::new(&packer.bytes);
            let mut last = 0;
            for value in &values {
                prop_assert_eq!(unpacker.signed(), Some(*value));
                prop_assert_eq!(unpacker.unsigned(), Some(*value as u64));
                prop_assert_eq!(unpacker.step(&mut last), Some(*value as u64));
            }
            prop_assert!(unpacker.is_at_end());
        }
    }

    #[test]
    fn small_numbers_take_one_byte() {
        let mut packer = Packer::default();
        packer.signed(-1);
        packer.unsigned(127);
        assert_eq!(packer.bytes, [1, 127]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(Unpacker::new(&[0x80]).unsigned(), None);
        assert_eq!(Unpacker::new(&[0xff; 10]).unsigned(), None);
        assert_eq!(Unpacker::new(&[5, 0]).count(), None);
        assert_eq!(Unpacker::new(&[2, 0xff, 0xfe]).text(), None);
    }
}
