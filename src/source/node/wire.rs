//! The inspector protocol on the wire: the methods we may send, and the shape of what comes back.
//!
//! [`Method`] is the allow-list. Nothing else can be sent, by construction: no `Runtime.enable` (it makes the target
//! keep every logged object), no `Debugger` domain (it lets a `debugger;` statement stop production).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A protocol method that flametop may call. There is no way to send another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Lets this session hear `Profiler.consoleProfileFinished`.
    ProfilerEnable,
    /// Sets the sampling interval; must precede the first profile.
    ProfilerSetSamplingInterval,
    /// Together with the next: throws away optimised code, so that it is compiled anew under the profiler's eyes.
    ProfilerStartPreciseCoverage,
    /// Ends the coverage that the one before began.
    ProfilerStopPreciseCoverage,
    /// Ends every profile of this session and frees its code map.
    ProfilerDisable,
    /// Runs one of the reviewed [`snippets`](super::snippets).
    RuntimeEvaluate,
    /// Lets a process started with `--inspect-brk` run.
    RuntimeRunIfWaitingForDebugger,
    /// Reads the heap's size without stopping anything.
    RuntimeGetHeapUsage,
    /// Asks to hear `NodeRuntime.waitingForDisconnect`, the moment at which we must leave.
    NodeRuntimeNotifyWhenWaitingForDisconnect,
    /// Starts V8's sampling heap profiler.
    HeapProfilerStartSampling,
    /// Stops it and reads the profile; runs a full garbage collection first.
    HeapProfilerStopSampling,
    /// Reads the profile without stopping; runs a full garbage collection first.
    HeapProfilerGetSamplingProfile,
    /// Ends heap sampling without a garbage collection.
    HeapProfilerDisable,
}

impl Method {
    /// Every method there is.
    pub const ALL: [Self; 13] = [
        Self::ProfilerEnable,
        Self::ProfilerSetSamplingInterval,
        Self::ProfilerStartPreciseCoverage,
        Self::ProfilerStopPreciseCoverage,
        Self::ProfilerDisable,
        Self::RuntimeEvaluate,
        Self::RuntimeRunIfWaitingForDebugger,
        Self::RuntimeGetHeapUsage,
        Self::NodeRuntimeNotifyWhenWaitingForDisconnect,
        Self::HeapProfilerStartSampling,
        Self::HeapProfilerStopSampling,
        Self::HeapProfilerGetSamplingProfile,
        Self::HeapProfilerDisable,
    ];

    /// The method's name in the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProfilerEnable => "Profiler.enable",
            Self::ProfilerSetSamplingInterval => "Profiler.setSamplingInterval",
            Self::ProfilerStartPreciseCoverage => "Profiler.startPreciseCoverage",
            Self::ProfilerStopPreciseCoverage => "Profiler.stopPreciseCoverage",
            Self::ProfilerDisable => "Profiler.disable",
            Self::RuntimeEvaluate => "Runtime.evaluate",
            Self::RuntimeRunIfWaitingForDebugger => "Runtime.runIfWaitingForDebugger",
            Self::RuntimeGetHeapUsage => "Runtime.getHeapUsage",
            Self::NodeRuntimeNotifyWhenWaitingForDisconnect => "NodeRuntime.notifyWhenWaitingForDisconnect",
            Self::HeapProfilerStartSampling => "HeapProfiler.startSampling",
            Self::HeapProfilerStopSampling => "HeapProfiler.stopSampling",
            Self::HeapProfilerGetSamplingProfile => "HeapProfiler.getSamplingProfile",
            Self::HeapProfilerDisable => "HeapProfiler.disable",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Writes a call as the protocol wants it.
pub fn encode_call(id: u64, method: Method, params: &impl Serialize) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Call<'a, P> {
        id: u64,
        method: &'static str,
        params: &'a P,
    }
    serde_json::to_string(&Call { id, method: method.name(), params })
}

/// One message of the target, its large parts left unparsed: the reader decides on which thread to parse them.
#[derive(Debug, Deserialize)]
pub struct WireMessage<'a> {
    /// Present in replies.
    pub id: Option<u64>,
    /// Present in events.
    #[serde(borrow)]
    pub method: Option<Cow<'a, str>>,
    /// What an event carries.
    #[serde(borrow)]
    pub params: Option<&'a RawValue>,
    /// What a call gave back.
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
    /// Why a call was refused.
    pub error: Option<WireError>,
}

/// A refusal of the target.
#[derive(Debug, Clone, Deserialize)]
pub struct WireError {
    /// JSON-RPC code, such as -32601 for an unknown method.
    #[serde(default)]
    pub code: i64,
    /// The target's words.
    #[serde(default)]
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allow_list_has_no_debugger_and_no_runtime_enable() {
        for method in Method::ALL {
            assert!(!method.name().starts_with("Debugger."), "{method}");
            assert_ne!(method.name(), "Runtime.enable");
        }
    }

    #[test]
    fn a_call_is_one_flat_object() {
        let text = encode_call(7, Method::ProfilerEnable, &serde_json::json!({})).expect("encodes");
        assert_eq!(text, r#"{"id":7,"method":"Profiler.enable","params":{}}"#);
    }

    #[test]
    fn a_reply_keeps_its_result_unparsed() {
        let message: WireMessage<'_> =
            serde_json::from_str(r#"{"id":3,"result":{"a": [1, 2]}}"#).expect("parses");
        assert_eq!(message.id, Some(3));
        assert_eq!(message.result.map(RawValue::get), Some(r#"{"a": [1, 2]}"#));
    }

    #[test]
    fn nesting_without_end_is_an_error_and_not_a_crash() {
        let deep = format!(r#"{{"id":1,"error":{}"#, "{\"message\":".repeat(100_000));
        assert!(serde_json::from_str::<WireMessage<'_>>(&deep).is_err());
        let deep = format!(r#"{{"id":1,"result":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        if let Ok(message) = serde_json::from_str::<WireMessage<'_>>(&deep) {
            let raw = message.result.map_or("", RawValue::get);
            assert!(serde_json::from_str::<serde_json::Value>(raw).is_err());
        }
    }
}
