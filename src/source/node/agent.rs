//! What the snippets report, as types.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The script name of a poll, for telling our own cost in a profile; begins with
/// [`SNIPPET_URL_PREFIX`](crate::format::v8::call_frame::SNIPPET_URL_PREFIX), as those of all our snippets do.
pub const POLL_URL: &str = "flametop:poll";

/// How long the agent stays in a target that nobody polls; with it goes what else we left there, the open inspector
/// included.
pub const AGENT_LEASE_SECONDS: u32 = 4;

/// How long Node's own heap profile runs in a target that nobody reads.
pub const HEAP_LEASE_SECONDS: u32 = 600;

/// How often the loop-delay histogram looks at the clock. What it reports has this already subtracted.
pub const LOOP_DELAY_RESOLUTION_MS: u32 = 10;

/// Who the target says it is.
#[derive(Debug, Clone, Deserialize, PartialEq)]
pub struct Identity {
    /// `process.pid`, as the target's own PID namespace counts.
    pub pid: u32,
    /// Node's version without the "v".
    pub node: Option<String>,
    /// V8's version.
    pub v8: Option<String>,
    /// Deno's version, if it is Deno.
    pub deno: Option<String>,
    /// Bun's version, if it is Bun.
    pub bun: Option<String>,
    /// `process.title`.
    pub title: String,
    /// Operating system.
    pub platform: String,
    /// Processor.
    pub arch: String,
    /// The target's monotonic clock in microseconds, the clock of all samples.
    pub monotonic_us: f64,
    /// Bytes of JavaScript heap in use, if it could be told.
    #[serde(default)]
    pub heap_used: Option<f64>,
    /// Bytes of bytecode and what belongs to it, if they could be told.
    #[serde(default)]
    pub code_bytes: Option<f64>,
}

impl Identity {
    /// The first number of Node's version; 0 if it has none.
    pub fn node_major(&self) -> u32 {
        self.node.as_deref().and_then(|version| version.split('.').next()?.parse().ok()).unwrap_or(0)
    }
}

/// Whether something could be installed.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Installed {
    /// It runs now.
    pub ok: bool,
    /// Why not.
    pub failed: Option<String>,
}

/// One reading of the target. What a bare poll cannot know is `None`.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Poll {
    /// Why there is no reading; all else is then empty.
    pub failed: Option<String>,
    /// Resident set in bytes.
    pub rss: f64,
    /// Size of the JavaScript heap in bytes.
    pub heap_total: f64,
    /// Its used part.
    pub heap_used: f64,
    /// Memory of C++ objects bound to JavaScript ones, array buffers included.
    pub external: f64,
    /// Array buffers and Node's `Buffer`s.
    pub array_buffers: Option<f64>,
    /// Time the loop spent waiting, since the process started.
    pub idle_ms: f64,
    /// Time the loop spent working, since the process started.
    pub active_ms: f64,
    /// Turns of the loop since the process started; Node 20 and later. Standing still means blocked.
    pub loops: Option<f64>,
    /// Loop delay since the last poll.
    pub delay: Option<LoopDelay>,
    /// Garbage collections since the last poll, by kind.
    pub gc: Option<BTreeMap<String, Collections>>,
    /// Active handles, requests and timers, by kind.
    pub resources: Option<BTreeMap<String, u32>>,
    /// What this poll cost the target's loop.
    pub cost_us: Option<f64>,
}

/// How late the loop was, the histogram's own interval subtracted.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
pub struct LoopDelay {
    /// Readings; none while the loop is blocked.
    pub n: f64,
    /// Median.
    pub p50_ns: f64,
    /// 99th percentile.
    pub p99_ns: f64,
    /// Longest.
    pub max_ns: f64,
}

/// Garbage collections of one kind.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq)]
pub struct Collections {
    /// How many.
    pub n: u32,
    /// Their time together.
    pub us: f64,
    /// The longest.
    pub max_us: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_first_number() {
        let identity: Identity = serde_json::from_value(serde_json::json!({
            "pid": 7, "node": "22.23.3", "v8": "12.4", "deno": null, "bun": null,
            "title": "node", "platform": "linux", "arch": "x64", "monotonic_us": 1.5,
        }))
        .expect("an identity");
        assert_eq!(identity.node_major(), 22);
    }

    #[test]
    fn a_bare_poll_lacks_what_needs_an_agent() {
        let poll: Poll = serde_json::from_str(r#"{"rss":1,"heap_used":2,"loops":null}"#).expect("a poll");
        assert_eq!((poll.rss, poll.delay, poll.loops), (1.0, None, None));
    }
}
