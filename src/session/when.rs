//! Points in time as people write them, and the moment that one means in a timeline.

use crate::profile::{Moment, Nanos, Span};
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use std::time::Duration;

/// A point in time as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// A moment of the world: `2026-11-20T14:32:10Z`.
    Moment(Moment),
    /// A date and time of the local zone: `2026-11-20 14:32:10`.
    Local(DateTime),
    /// A time of day of the local zone: `14:32:10`, `14:32`.
    Day(Time),
    /// So long after the beginning: `+90s`.
    FromStart(Nanos),
    /// So long before the end: `-30s`.
    FromEnd(Nanos),
}

/// How points in time are written, for help and errors.
pub const WHEN_FORMS: &str = "14:32:10, 2026-11-20 14:32:10, +90s from the start or -30s from the end";

impl When {
    /// Reads a point in time; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(length) = text.strip_prefix('+') {
            return parse_length(length).map(Self::FromStart);
        }
        if let Some(length) = text.strip_prefix('-') {
            return parse_length(length).map(Self::FromEnd);
        }
        if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
            return i64::try_from(stamp.as_nanosecond()).ok().map(|nanos| Self::Moment(Moment(nanos)));
        }
        if let Ok(time) = text.parse::<Time>() {
            return Some(Self::Day(time));
        }
        text.parse::<DateTime>().ok().map(Self::Local)
    }

    /// The moment meant in a timeline of that extent. A time of day is the one inside of it, or else the
    /// one nearest to its beginning.
    pub fn resolve(self, extent: Span, zone: &TimeZone) -> Option<Moment> {
        match self {
            Self::Moment(moment) => Some(moment),
            Self::FromStart(length) => Some(extent.start + length),
            Self::FromEnd(length) => Some(extent.end() - length),
            Self::Local(local) => moment_of(local, zone),
            Self::Day(time) => {
                let start = jiff::Timestamp::from_nanosecond(i128::from(extent.start.0)).ok()?;
                let date = start.to_zoned(zone.clone()).date();
                let days = [date.yesterday().ok(), Some(date), date.tomorrow().ok()];
                let moments: Vec<Moment> = days
                    .into_iter()
                    .flatten()
                    .filter_map(|date| moment_of(date.to_datetime(time), zone))
                    .collect();
                let inside = moments.iter().copied().find(|moment| extent.contains(*moment));
                let far = |moment: &Moment| moment.0.abs_diff(extent.start.0);
                inside.or_else(|| moments.into_iter().min_by_key(far))
            }
        }
    }
}

/// `30s`, `500ms`, `10m`, `1h30m`; a bare number is seconds.
pub fn parse_length(text: &str) -> Option<Nanos> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        seconds += number
            * match rest[digits..unit_end].trim() {
                "ms" => 0.001,
                "s" | "" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    let is_length = !text.trim().is_empty() && (0.0..1e9).contains(&seconds);
    is_length.then(|| Nanos::from(Duration::from_secs_f64(seconds)))
}

fn moment_of(local: DateTime, zone: &TimeZone) -> Option<Moment> {
    let stamp = zone.to_timestamp(local).ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// An hour from 2026-11-20 23:30 UTC on.
    fn night() -> Span {
        let start = "2026-11-20T23:30:00Z".parse::<jiff::Timestamp>().expect("a time").as_second();
        Span { start: Moment(start * SECOND), length: Nanos::from_secs(3600) }
    }

    fn seconds_in(text: &str) -> Option<i64> {
        let moment = When::parse(text)?.resolve(night(), &TimeZone::UTC)?;
        Some((moment.0 - night().start.0) / SECOND)
    }

    #[test]
    fn times_are_those_of_the_timeline() {
        for (text, seconds) in [
            ("23:30:10", 10),
            ("23:40", 600),
            ("00:10", 2400),
            ("22:00", -5400),
            ("2026-11-20 23:31:00", 60),
            ("2026-11-20T23:31:00.5", 60),
            ("2026-11-21T00:31:00+01:00", 60),
            ("+90s", 90),
            ("+1m30s", 90),
            ("-30", 3570),
        ] {
            assert_eq!(seconds_in(text), Some(seconds), "{text}");
        }
        for text in ["", "noon", "+", "-x", "25:00", "+3y"] {
            assert_eq!(seconds_in(text), None, "{text}");
        }
    }

    #[test]
    fn local_times_follow_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let moment = When::parse("01:30:10").and_then(|when| when.resolve(night(), &zone));
        assert_eq!(moment, Some(night().start + Nanos::from_secs(10)));
    }
}
