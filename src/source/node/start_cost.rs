//! What starting the profiler will cost a target: told before it is done where it is much.
//!
//! V8 stops the target while it walks the heap for code and logs each function; compiling anew walks it again. Measured
//! on Node 18 to 26: 0.6 to 0.9 ms for each megabyte of heap and walk, and some 30 ms for each megabyte of bytecode.

use std::time::Duration;

use super::agent::Identity;

/// One walk through a megabyte of heap.
const WALK_MS: f64 = 0.7;
/// Logging the functions of a megabyte of bytecode.
const CODE_MS: f64 = 30.0;
/// A start that costs more is told first, and waits for [`PAUSE`].
pub(super) const DEAR: Duration = Duration::from_millis(500);
/// How long the user has for leaving before a dear start.
pub(super) const PAUSE: Duration = Duration::from_secs(3);

/// What the start will cost, as far as the target could tell its size.
pub(super) fn expected(identity: &Identity, compile_anew: bool) -> Duration {
    let walks = if compile_anew { 2.0 } else { 1.0 };
    let megabytes = |bytes: Option<f64>| bytes.unwrap_or(0.0).clamp(0.0, 1e12) / 1e6;
    let cost = megabytes(identity.heap_used) * WALK_MS * walks + megabytes(identity.code_bytes) * CODE_MS;
    Duration::from_micros((cost * 1e3) as u64)
}

/// The warning before a dear start.
pub(super) fn warning(expected: Duration, compile_anew: bool) -> String {
    let without = if compile_anew { "; --no-recompile takes less" } else { "" };
    let (pause, cost) = (PAUSE.as_secs(), expected.as_secs_f64());
    format!(
        "sampling starts in {pause} s and will stop the target once, for about {cost:.1} s (q leaves{without})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(heap: f64, code: f64) -> Identity {
        let json = serde_json::json!({ "pid": 1, "node": "22.0.0", "v8": "", "deno": null, "bun": null, "title": "",
            "platform": "", "arch": "", "monotonic_us": 0, "heap_used": heap, "code_bytes": code });
        serde_json::from_value(json).expect("an identity")
    }

    #[test]
    fn a_small_service_starts_at_once_and_a_large_one_is_warned_of() {
        assert!(expected(&identity(70e6, 3e6), true) < DEAR);
        let large = expected(&identity(800e6, 4e6), true);
        assert!(large > DEAR);
        assert!(expected(&identity(800e6, 4e6), false) < large);
        assert!(warning(large, true).contains("for about 1.2 s"), "{}", warning(large, true));
        assert!(expected(&identity(f64::NAN, -1.0), true) < DEAR, "whatever a target tells");
    }
}
