//! Lists of integers in as few bytes as they need: the body of a report's data.

use crate::format::varint::Packer;

/// Bytes being put together.
pub(super) type Packing = Packer;

impl Packer {
    /// Ascending or descending numbers as their differences; the first as its difference from 0.
    pub fn steps(&mut self, values: impl Iterator<Item = i64>) {
        let mut last = 0i64;
        for value in values {
            self.signed(value.wrapping_sub(last));
            last = value;
        }
    }

    /// A column of values as multiples of their greatest common divisor, which goes first.
    pub fn multiples(&mut self, values: &[i64]) {
        let divisor =
            values.iter().fold(0, |divisor, value| common_divisor(divisor, value.unsigned_abs())).max(1);
        self.unsigned(divisor);
        for value in values {
            let share = (value.unsigned_abs() / divisor) as i64;
            self.signed(if *value < 0 { share.wrapping_neg() } else { share });
        }
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(pack: impl Fn(&mut Packing)) -> Vec<u8> {
        let mut packing = Packing::default();
        pack(&mut packing);
        packing.bytes
    }

    #[test]
    fn small_numbers_of_either_sign_take_one_byte() {
        assert_eq!(packed(|p| p.signed(-1)), [1]);
        assert_eq!(packed(|p| p.unsigned(300)), [0xac, 2]);
        assert_eq!(packed(|p| p.steps([5, 7, 4].into_iter())), [10, 4, 5]);
        assert_eq!(packed(|p| p.signed(i64::MIN)), packed(|p| p.unsigned(u64::MAX)));
    }

    #[test]
    fn a_column_is_divided_by_what_its_values_share() {
        assert_eq!(packed(|p| p.multiples(&[3000, -1000, 0])), [0xe8, 7, 6, 1, 0]);
        assert_eq!(packed(|p| p.multiples(&[0, 0])), [1, 0, 0]);
        assert_eq!(packed(|p| p.multiples(&[i64::MIN])).last(), Some(&1), "one times the divisor, negative");
    }
}
