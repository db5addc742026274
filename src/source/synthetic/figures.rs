//! Gauges of the made-up world.

use super::{Dice, is_blocked, load};
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::Moment;

/// Seconds from one major collection to the next.
const COLLECTION: u64 = 8;
const MIB: f64 = 1024.0 * 1024.0;

/// The figures at the end of a quarter of a second.
pub(super) fn figures(seed: u64, second: u64, quarter: u64, at: Moment) -> GaugeBatch {
    let mut dice = Dice(seed ^ (second * 4 + quarter).wrapping_mul(0x5851_f42d_4c95_7f2d));
    let mut values = cpu(second, &mut dice);
    values.extend(memory(second, quarter, &mut dice));
    // While the loop does not answer, what only it could tell is missing.
    if !is_blocked(second) {
        values.extend(event_loop(second, quarter, &mut dice));
        values.extend(collections(second, quarter, &mut dice));
        values.push((Gauge::Handles, 24.0 + dice.below(9) as f64));
    }
    GaugeBatch { at, values }
}

fn cpu(second: u64, dice: &mut Dice) -> Vec<(Gauge, f64)> {
    let main = if is_blocked(second) { 0.99 } else { 0.88 * load(second) * (0.94 + 0.12 * dice.share()) };
    let main = main.min(1.0);
    vec![(Gauge::CpuProcess, main + 0.05 + 0.04 * dice.share()), (Gauge::CpuLoop, main)]
}

/// A saw-tooth between major collections on a slow climb.
fn memory(second: u64, quarter: u64, dice: &mut Dice) -> Vec<(Gauge, f64)> {
    let since = (second % COLLECTION * 4 + quarter) as f64 / 4.0;
    let climb = second as f64 * 0.05;
    let used = 92.0 + climb + since * 6.5 + dice.share();
    let total = 164.0 + climb;
    vec![
        (Gauge::Rss, (total + 58.0) * MIB),
        (Gauge::HeapUsed, used * MIB),
        (Gauge::HeapTotal, total * MIB),
        (Gauge::External, (12.0 + dice.share()) * MIB),
        (Gauge::ArrayBuffers, 7.0 * MIB),
    ]
}

fn event_loop(second: u64, quarter: u64, dice: &mut Dice) -> Vec<(Gauge, f64)> {
    let p50 = 0.0011 + 0.0006 * dice.share();
    let p99 = p50 + 0.006 * load(second) + 0.004 * dice.share();
    // The first answer after a stall knows how long it was.
    let after_stall = second > 0 && is_blocked(second - 1) && quarter == 0;
    let max = if after_stall { 2.043 } else { p99 + 0.012 * dice.share() };
    vec![
        (Gauge::LoopDelayP50, p50),
        (Gauge::LoopDelayP99, p99),
        (Gauge::LoopDelayMax, max),
        (Gauge::LoopUtilization, (0.84 * load(second) + 0.04 * dice.share()).min(1.0)),
    ]
}

fn collections(second: u64, quarter: u64, dice: &mut Dice) -> Vec<(Gauge, f64)> {
    let major = second.is_multiple_of(COLLECTION) && quarter == 0;
    let scavenges = 1 + dice.below(3);
    let minor = scavenges as f64 * (0.0014 + 0.0008 * dice.share());
    let pause = if major { 0.019 + 0.006 * dice.share() } else { minor / scavenges as f64 };
    let major_time = if major { pause } else { 0.0 };
    vec![
        (Gauge::GcShare, (minor + major_time) / 0.25),
        (Gauge::GcPauseMax, pause),
        (Gauge::GcCount, scavenges as f64 + f64::from(u8::from(major))),
        (Gauge::GcMinor, minor),
        (Gauge::GcMajor, major_time),
    ]
}
