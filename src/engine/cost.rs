//! What flametop itself costs: shown on screen, since our cost is a feature.

use crate::profile::{Moment, Nanos};
use rustix::time::{ClockId, clock_gettime};

/// Our own use of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnCost {
    /// CPU use, 1.0 is one core.
    pub cpu: f64,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Bytes a second to the terminal.
    pub terminal: f64,
}

/// Measures between calls.
#[derive(Debug, Default)]
pub struct CostMeter {
    last: Option<(Moment, Nanos, u64)>,
    cost: OwnCost,
}

/// How far apart two readings are at least.
const APART: Nanos = Nanos::from_secs(2);

impl CostMeter {
    /// The cost as of `now`, measured anew when the last reading is old; `written` counts the bytes
    /// sent to the terminal so far.
    pub fn read(&mut self, now: Moment, written: u64) -> OwnCost {
        let due = self.last.is_none_or(|(at, ..)| now.since(at) >= APART);
        if due {
            let used = cpu_time();
            if let Some((at, before, bytes)) = self.last {
                let passed = now.since(at).as_secs_f64();
                self.cost.cpu = Nanos(used.0.saturating_sub(before.0)).as_secs_f64() / passed;
                self.cost.terminal = written.saturating_sub(bytes) as f64 / passed;
            }
            self.cost.rss = resident();
            self.last = Some((now, used, written));
        }
        self.cost
    }
}

fn cpu_time() -> Nanos {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Nanos(used.tv_sec as u64 * 1_000_000_000 + used.tv_nsec as u64)
}

/// Resident memory from `/proc/self/statm`; 0 where it can't be read.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
