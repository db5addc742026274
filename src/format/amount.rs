//! Amounts for people: a value in a unit of readable size, and its share of a total.

use crate::profile::Unit;

/// One unit for a whole table, so that its numbers can be compared by eye.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    divisor: f64,
    word: &'static str,
}

impl Scale {
    /// The unit in which a hundredth of the total is about one.
    pub fn for_total(unit: Unit, total: i64) -> Self {
        let scales: &[(f64, &str)] = match unit {
            Unit::Nanoseconds => &[(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")],
            Unit::Bytes => &[(1_073_741_824.0, "GB"), (1_048_576.0, "MB"), (1024.0, "kB"), (1.0, "B")],
            Unit::Count => &[(1.0, "")],
        };
        let fits = |scale: &&(f64, &str)| total.unsigned_abs() as f64 >= scale.0;
        let (divisor, word) = scales.iter().find(fits).copied().unwrap_or(scales[scales.len() - 1]);
        Self { divisor, word }
    }

    /// A value in the unit, with two digits after the point.
    pub fn label(self, value: i64) -> String {
        let text = format!("{:.2}", value as f64 / self.divisor);
        let number = text.strip_suffix(".00").unwrap_or(&text);
        if number.trim_start_matches('-') == "0" { "0".into() } else { format!("{number}{}", self.word) }
    }
}

/// A share as pprof writes it: six cells, two significant digits below one per cent.
pub(super) fn percentage(value: i64, total: i64) -> String {
    let ratio = if total == 0 { 0.0 } else { (value as f64 / total as f64 * 100.0).abs() };
    if (99.95..=100.05).contains(&ratio) {
        return "  100%".into();
    }
    if ratio >= 1.0 {
        return format!("{ratio:5.2}%");
    }
    let digits = if ratio > 0.0 { (1.0 - ratio.log10().floor()).clamp(2.0, 4.0) as usize } else { 0 };
    let text = format!("{ratio:.digits$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short:>5}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_as_pprof_writes_them() {
        for (value, text) in [(1000, "  100%"), (999, "99.90%"), (10, " 1.00%"), (9, "  0.9%"), (0, "    0%")]
        {
            assert_eq!(percentage(value, 1000), text);
        }
        assert_eq!(percentage(543, 1_000_000), "0.054%");
        assert_eq!(percentage(5, 0), "    0%");
    }

    #[test]
    fn one_unit_serves_the_whole_table() {
        let scale = Scale::for_total(Unit::Nanoseconds, 1_234_567_890);
        assert_eq!((scale.label(1_234_567_890), scale.label(0)), ("1.23s".into(), "0".into()));
        assert_eq!(Scale::for_total(Unit::Bytes, 5 << 20).label(1 << 20), "1MB");
        assert_eq!(Scale::for_total(Unit::Count, 0).label(7), "7");
    }
}
