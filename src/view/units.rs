//! Numbers as people read them: three figures, a unit, and the same unit everywhere for the same
//! thing. Memory is in KiB, MiB, GiB of 1024.

use crate::app::NumberFormat;
use crate::gauges::GaugeUnit;
use crate::profile::{Accumulation, Change, Comparison, Moment, Nanos, Unit, ValueKind};

/// Three significant figures.
fn three(value: f64) -> String {
    let size = value.abs();
    // The limits are where rounding would show a fourth figure.
    let decimals = match size {
        _ if size == 0.0 => 0,
        _ if size < 9.995 => 2,
        _ if size < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// Bytes: `84.1 MiB`.
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = value;
    let mut unit = 0;
    while value.abs() >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} B") } else { format!("{} {}", three(value), UNITS[unit]) }
}

/// A length of time to be compared: `931 ms`.
pub fn seconds(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if size == 0.0 => "0 ms".into(),
        _ if size < 999.5e-9 => format!("{:.0} ns", value * 1e9),
        _ if size < 999.5e-6 => format!("{:.0} µs", value * 1e6),
        _ if size < 0.9995 => format!("{} ms", three(value * 1e3)),
        _ if size < 600.0 => format!("{} s", three(value)),
        _ => format!("{:.0} min", value / 60.0),
    }
}

/// A length of time to be compared.
pub fn duration(length: Nanos) -> String {
    seconds(length.as_secs_f64())
}

/// A share: `93 %`, `4.2 %`, `0.42 %`.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let size = value.abs();
    match size {
        _ if size < 0.005 => "0 %".into(),
        _ if size < 0.995 => format!("{value:.2} %"),
        _ if size < 9.95 => format!("{value:.1} %"),
        _ => format!("{value:.0} %"),
    }
}

/// A share in whole percents, which hold still better: `<1 %`.
pub fn whole_percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 { "<1 %".into() } else { format!("{:.0} %", share * 100.0) }
}

/// A count: `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How long something has run: `3d 4h`, `12m 03s`.
pub fn age(length: Nanos) -> String {
    let s = length.0 / 1_000_000_000;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h {:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d {}h", s / 86_400, s / 3600 % 24),
    }
}

/// A running clock: `00:12`, `1:02:03`.
pub fn clock(length: Nanos) -> String {
    let s = length.0 / 1_000_000_000;
    if s < 3600 {
        format!("{:02}:{:02}", s / 60, s % 60)
    } else {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

/// The time of day where the user is: `14:03:20`.
pub fn time_of_day(moment: Moment) -> String {
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(moment.0)) else { return "--:--:--".into() };
    stamp.to_zoned(zone()).strftime("%H:%M:%S").to_string()
}

#[cfg(not(test))]
fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}

/// Pictures in tests are of one place.
#[cfg(test)]
fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::UTC
}

/// A value of a profile.
pub fn value(unit: Unit, value: i64) -> String {
    match unit {
        Unit::Nanoseconds => seconds(value as f64 / 1e9),
        Unit::Bytes => bytes(value as f64),
        Unit::Count => count(value.unsigned_abs()),
    }
}

/// A value of a profile the way the user wants numbers: of `total`, or by itself, or a second.
pub fn figure(format: NumberFormat, kind: &ValueKind, amount: i64, total: i64, covered: Nanos) -> String {
    match format {
        NumberFormat::Share => whole_percent(share(amount, total)),
        NumberFormat::Absolute => value(kind.unit, amount),
        NumberFormat::PerSecond => a_second(kind, amount, covered),
    }
}

/// A value of a profile for each second it was measured. What is true of a moment, as bytes in use are,
/// has no such figure and stays by itself.
fn a_second(kind: &ValueKind, amount: i64, covered: Nanos) -> String {
    if kind.accumulation == Accumulation::Level {
        return value(kind.unit, amount);
    }
    let rate = amount as f64 / covered.as_secs_f64().max(1e-9);
    format!("{}/s", value(kind.unit, rate as i64))
}

/// A change as people read it: `+28.0 ms/s`, `−3.1 %` of the whole, `+12.0 MiB` of a level.
pub fn change(comparison: &Comparison, change: &Change) -> String {
    signed(comparison, change.difference())
}

fn signed(comparison: &Comparison, difference: f64) -> String {
    let sign = match difference {
        _ if difference > 0.0 => "+",
        _ if difference < 0.0 => "−",
        _ => "",
    };
    format!("{sign}{}", comparable(comparison, difference.abs()))
}

/// A value as it is compared: per second, as a share, or as it is.
pub fn comparable(comparison: &Comparison, amount: f64) -> String {
    if comparison.is_share() {
        return percent(amount);
    }
    let whole = value(comparison.kind.unit, amount.round() as i64);
    if comparison.kind.accumulation == Accumulation::Level { whole } else { format!("{whole}/s") }
}

/// A change of the whole in percent: `+5.2 %`.
pub fn points(comparison: &Comparison, change: &Change) -> String {
    let relative = comparison.relative(change);
    let sign = if relative > 0.0 {
        "+"
    } else if relative < 0.0 {
        "−"
    } else {
        ""
    };
    format!("{sign}{}", percent(relative.abs()))
}

/// A change in standard errors; `?` where nobody knows.
pub fn errors(change: &Change) -> String {
    match change.errors {
        None => "?".into(),
        Some(errors) if errors.abs() >= 1000.0 => if errors > 0.0 { "+999" } else { "−999" }.into(),
        Some(errors) if errors < 0.0 => format!("−{:.1}", -errors),
        Some(errors) => format!("+{errors:.1}"),
    }
}
/// The share of `amount` in `total`.
pub fn share(amount: i64, total: i64) -> f64 {
    if total > 0 { amount as f64 / total as f64 } else { 0.0 }
}

/// A figure of a gauge.
pub fn gauge(unit: GaugeUnit, value: f64) -> String {
    match unit {
        GaugeUnit::Ratio => percent(value),
        GaugeUnit::Bytes => bytes(value),
        GaugeUnit::Seconds => seconds(value),
        GaugeUnit::Count => count(value.max(0.0) as u64),
    }
}

/// Least and greatest in the greatest's unit, short: `98–121M`.
pub fn range(unit: GaugeUnit, min: f64, max: f64) -> String {
    let (scale, suffix) = match unit {
        GaugeUnit::Ratio => (0.01, "%"),
        GaugeUnit::Bytes if max >= 1e9 => (1024.0 * 1024.0 * 1024.0, "G"),
        GaugeUnit::Bytes if max >= 1e6 => (1024.0 * 1024.0, "M"),
        GaugeUnit::Bytes => (1024.0, "K"),
        GaugeUnit::Seconds if max >= 0.9995 => (1.0, "s"),
        GaugeUnit::Seconds => (0.001, "ms"),
        GaugeUnit::Count => (1.0, ""),
    };
    let number = |value: f64| {
        // A negative zero is zero.
        let value = value / scale + 0.0;
        if value.abs() < 0.05 || value.abs() >= 9.95 || unit == GaugeUnit::Count {
            format!("{value:.0}")
        } else {
            format!("{value:.1}")
        }
    };
    format!("{}–{}{suffix}", number(min), number(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!(range(GaugeUnit::Ratio, -0.0, 0.02), "0–2.0%");
    }

    #[test]
    fn numbers_have_three_figures_and_a_unit() {
        assert_eq!([0.0, 900.0, 88_200_000.0, 1023.7e6].map(bytes), ["0 B", "900 B", "84.1 MiB", "976 MiB"]);
        assert_eq!(
            [0.0, 82e-6, 0.001_2, 0.931, 0.9999, 3.21, 7200.0].map(seconds),
            ["0 ms", "82 µs", "1.20 ms", "931 ms", "1.00 s", "3.21 s", "120 min"]
        );
        assert_eq!(
            [0.0, 0.0042, 0.042, 0.93, 1.04].map(percent),
            ["0 %", "0.42 %", "4.2 %", "93 %", "104 %"]
        );
        assert_eq!([0.0, 0.001, 0.42].map(whole_percent), ["0 %", "<1 %", "42 %"]);
        assert_eq!([7, 1234, 1_234_567].map(count), ["7", "1,234", "1,234,567"]);
    }

    #[test]
    fn only_what_adds_up_over_time_is_told_a_second() {
        let told = |kind| figure(NumberFormat::PerSecond, &kind, 4 << 20, 8 << 20, Nanos::from_secs(2));
        assert_eq!(told(ValueKind::alloc_space()), "2.00 MiB/s");
        assert_eq!(told(ValueKind::inuse_space()), "4.00 MiB");
    }

    #[test]
    fn lengths_of_time_read_like_clocks() {
        assert_eq!(
            [5, 723, 11_520, 273_600].map(|s| age(Nanos::from_secs(s))),
            ["5s", "12m 03s", "3h 12m", "3d 4h"]
        );
        assert_eq!([12, 3723].map(|s| clock(Nanos::from_secs(s))), ["00:12", "1:02:03"]);
        assert_eq!(time_of_day(Moment(1_772_460_000_000_000_000)), "14:00:00");
        assert_eq!(time_of_day(Moment(i64::MAX)), "23:47:16");
    }

    #[test]
    fn ranges_share_one_unit() {
        const MIB: f64 = 1024.0 * 1024.0;
        assert_eq!(range(GaugeUnit::Bytes, 98.2 * MIB, 121.0 * MIB), "98–121M");
        assert_eq!(range(GaugeUnit::Seconds, 0.0009, 0.482), "0.9–482ms");
        assert_eq!(range(GaugeUnit::Ratio, 0.12, 1.04), "12–104%");
    }
}
