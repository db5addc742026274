//! Every line of JavaScript flametop ever runs in a target. Read this file to know what we do in your process.
//!
//! The rules, each from an accident measured on a real target:
//! * A callback that throws, or a promise that is rejected, ends the target. So there are no promises, and the few
//!   callbacks (timers, one observer and one `exit` listener) are wrapped in `try`/`catch` whole.
//! * `require` and `profile` exist only while an evaluation runs: what a callback needs is captured before.
//! * Nothing goes on `globalThis`. The agent is held by one non-enumerable symbol on the `inspector` module, and
//!   [`leave`] removes it, its timer, its histogram, its observer and its listener: the target is then as it was.
//! * The application may have patched or frozen anything: results are plain objects that V8 itself serialises, arrays
//!   are walked by index, and what fails says so in its result and is done without (see [`bare_poll`]).
//! * Each snippet names itself by a `sourceURL`, so that our own work can be told from the application's.

use std::hash::{BuildHasher, Hasher, RandomState};

use serde::{Deserialize, Serialize};

use super::agent::POLL_URL;

/// Finds a module of Node's. `require` of the command-line API is hidden where the application has a global of that
/// name; `process.getBuiltinModule` (Node 20 and later) is missing where it has replaced `process`.
const NEED: &str = r#"const need=(()=>{const p=globalThis.process;
return p&&typeof p.getBuiltinModule==="function"?n=>p.getBuiltinModule(n):n=>require(n)})();"#;

/// Calls `profile` or `profileEnd`, around a global of the application that has that name.
const RECORD: &str = r#"const native=(f,n)=>typeof f==="function"&&Function.prototype.toString.call(f)==="function "+n+"() { [native code] }";
const start=t=>native(profile,"profile")?profile(t):need("console").profile(t);
const end=t=>native(profileEnd,"profileEnd")?profileEnd(t):need("console").profileEnd(t);"#;

/// Times calls where it can; what they throw is thrown.
const TIMED: &str = r"let clock=null,since=null;try{clock=need('process').hrtime;since=clock()}catch{}
CALLS
try{const d=clock(since);return d[0]*1e6+d[1]/1e3}catch{return null}";

/// What makes our names in the target ours: another flametop, or the application, has others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nonce(String);

impl Nonce {
    /// Makes a nonce of a number that should be different for each attach.
    pub fn new(seed: u64) -> Self {
        Self(format!("{seed:x}"))
    }

    /// As it stands in our names.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a nonce that no other attach has.
    pub fn random() -> Self {
        Self::new(RandomState::new().build_hasher().finish())
    }
}

/// One of the two profiles that take turns, so that one is always running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The one whose turn is next.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// The title of a console profile of ours.
pub fn profile_title(nonce: &Nonce, slot: Slot) -> String {
    format!("ft:{}:{slot:?}", nonce.0)
}

/// Which of our profiles a title names; `None` for profiles of others.
pub fn slot_of_title(nonce: &Nonce, title: &str) -> Option<Slot> {
    [Slot::A, Slot::B].into_iter().find(|slot| profile_title(nonce, *slot) == title)
}

/// Says which process and runtime this is; see [`Identity`](super::agent::Identity).
pub fn identify() -> String {
    IDENTIFY.replace("NEED", NEED)
}

const IDENTIFY: &str = r#"(()=>{NEED
const p=need("process"),t=p.hrtime(),v=p.versions,told=f=>{try{return f()}catch{return null}};
return{heap_used:told(()=>p.memoryUsage().heapUsed),
code_bytes:told(()=>need("v8").getHeapCodeStatistics().bytecode_and_metadata_size),pid:p.pid,node:v.node,v8:v.v8,deno:v.deno??null,bun:v.bun??null,title:p.title,platform:p.platform,arch:p.arch,
monotonic_us:t[0]*1e6+t[1]/1e3}})()
//# sourceURL=flametop:identify"#;

/// `IDENTIFY` for a process that we started and that waits before its first instruction: Node 18 can't `require` yet
/// and has no `process.pid`, and the application has had no chance to change `process`.
pub const IDENTIFY_CHILD: &str = r#"(()=>{const p=process,v=p.versions??{};
return{pid:p.pid??0,node:v.node??null,v8:v.v8??null,deno:v.deno??null,bun:v.bun??null,title:p.title??"",
platform:p.platform??"",arch:p.arch??"",monotonic_us:0}})()
//# sourceURL=flametop:identify"#;

/// Starts the first profile. A synchronous throw of these calls is an answer like another and harms nobody.
pub fn profile_start(nonce: &Nonce, slot: Slot) -> String {
    record(&format!("start(\"{}\")", profile_title(nonce, slot)))
}

/// Starts the profile of the other slot and ends this one: they overlap, so no sample falls between two windows.
///
/// Gives the microseconds that this kept the target, as its own clock tells; `null` if that clock is out of reach.
pub fn profile_rotate(nonce: &Nonce, ending: Slot) -> String {
    let starting = profile_title(nonce, ending.other());
    let ending = profile_title(nonce, ending);
    record(&TIMED.replace("CALLS", &format!("start(\"{starting}\");end(\"{ending}\")")))
}

/// Ends a profile without starting another.
pub fn profile_end(nonce: &Nonce, slot: Slot) -> String {
    record(&format!("end(\"{}\")", profile_title(nonce, slot)))
}

fn record(calls: &str) -> String {
    format!("(()=>{{{NEED}{RECORD}{calls}}})()\n//# sourceURL=flametop:profile")
}

/// The readings that need nothing installed; common to both polls.
const READINGS: &str = r"const readings=(proc,perf)=>{
const m=proc.memoryUsage(),u=perf.eventLoopUtilization(),v=perf.nodeTiming.uvMetricsInfo;
return{rss:m.rss,heap_total:m.heapTotal,heap_used:m.heapUsed,external:m.external,array_buffers:m.arrayBuffers??null,
idle_ms:u.idle,active_ms:u.active,loops:v?v.loopCount:null}};";

/// Reads memory and loop utilisation, without having installed anything; see [`Poll`](super::agent::Poll).
pub fn bare_poll() -> String {
    format!(
        r#"(()=>{{try{{{NEED}{READINGS}
return readings(need("process"),need("perf_hooks").performance)
}}catch(e){{return{{failed:""+e}}}}}})()
//# sourceURL={POLL_URL}"#
    )
}

/// Installs the agent: loop delay, garbage collections and active resources, gathered between two polls.
///
/// Collections are told by a `PerformanceObserver`, whose callback adds them up. `v8.GCProfiler` takes the heap's
/// statistics at each collection: on a server that collects much (Node 22, polled four times a second) it cost 9 to
/// 15 % of the throughput, 10.5 instead of 11.5 thousand requests a second; the observer left 11.45 thousand.
///
/// If nobody polls for [`AGENT_LEASE_SECONDS`](super::agent::AGENT_LEASE_SECONDS) it removes everything of ours and, if
/// we opened it, closes the inspector: the net for a flametop that was killed together with its guard. What is counted
/// are turns of a timer, so a loop that was blocked for long does not use the lease up.
pub fn agent_install(nonce: &Nonce, opened_by_us: bool) -> String {
    AGENT
        .replace("CLOSE", if opened_by_us { "inspector.close()" } else { "" })
        .replace("NEED", NEED)
        .replace("READINGS", READINGS)
        .replace("NONCE", &nonce.0)
        .replace("LEASE", &super::agent::AGENT_LEASE_SECONDS.to_string())
        .replace("RESOLUTION_MS", &super::agent::LOOP_DELAY_RESOLUTION_MS.to_string())
}

const AGENT: &str = r#"(()=>{"use strict";try{NEEDREADINGS
const inspector=need("inspector"),proc=need("process"),timers=need("timers"),
hooks=need("perf_hooks"),perf=hooks.performance,key=Symbol.for("flametop:NONCE"),tick=RESOLUTION_MS*1e6;
if(inspector[key])return{ok:true};
const clear=timers.clearInterval,delay=hooks.monitorEventLoopDelay({__proto__:null,resolution:RESOLUTION_MS});
let kinds={__proto__:null},gc=null,names=null,unpolled=0,resources=null,resting=0,lease=null;
const late=ns=>ns>tick?ns-tick:0;
const loopDelay=()=>{const n=delay.count;
const r=n>0?{n,p50_ns:late(delay.percentile(50)),p99_ns:late(delay.percentile(99)),max_ns:late(delay.max)}:
{n:0,p50_ns:0,p99_ns:0,max_ns:0};delay.reset();return r};
const collected=list=>{try{const all=list.getEntries();for(let i=0;i<all.length;i++){const e=all[i],d=e.detail;
const kind=d?d.kind:e.kind,name=names[kind]||"Kind"+kind,us=e.duration*1e3;
const k=kinds[name]||(kinds[name]={n:0,us:0,max_us:0});k.n++;k.us+=us;if(us>k.max_us)k.max_us=us}}catch{}};
const collections=()=>{if(!gc)return null;const told=kinds;kinds={__proto__:null};return told};
const observe=()=>{try{const c=hooks.constants;names={__proto__:null,[c.NODE_PERFORMANCE_GC_MINOR]:"Scavenge",
2:"MinorMarkSweep",[c.NODE_PERFORMANCE_GC_MAJOR]:"MarkSweepCompact",
[c.NODE_PERFORMANCE_GC_INCREMENTAL]:"IncrementalMarking",[c.NODE_PERFORMANCE_GC_WEAKCB]:"ProcessWeakCallbacks"};
gc=new hooks.PerformanceObserver(collected);gc.observe({__proto__:null,entryTypes:["gc"]})
}catch{try{if(gc)gc.disconnect()}catch{}gc=null}};
const since=t=>{const d=proc.hrtime(t);return d[0]*1e6+d[1]/1e3};
const active=()=>{if(resting-->0)return resources;const t=proc.hrtime(),all=proc.getActiveResourcesInfo();
resources={__proto__:null};for(let i=0;i<all.length;i++)resources[all[i]]=(resources[all[i]]||0)+1;
resting=since(t)>500?16:0;return resources};
const agent={__proto__:null,
poll(){unpolled=0;const t=proc.hrtime(),r=readings(proc,perf);r.delay=loopDelay();r.gc=collections();
r.resources=active();r.cost_us=since(t);return r},
dispose(){try{if(lease)clear(lease)}catch{}try{delay.disable()}catch{}try{if(gc)gc.disconnect()}catch{}
return delete inspector[key]}};
Object.defineProperty(inspector,key,{__proto__:null,value:agent,enumerable:false,configurable:true,writable:false});
const end=name=>{try{const a=inspector[Symbol.for(name)];if(a)a.dispose()}catch{}};
const expire=()=>{end("flametop:NONCE");end("flametop:tail:NONCE");end("flametop:heap:NONCE");CLOSE};
try{lease=timers.setInterval(()=>{try{if(++unpolled>LEASE)expire()}catch{}},1000);lease.unref();
delay.enable();observe()}catch(e){agent.dispose();throw e}
return{ok:true}
}catch(e){return{ok:false,failed:""+e}}})()
//# sourceURL=flametop:agent"#;

/// Polls the agent; `null` if it is gone. See [`Poll`](super::agent::Poll).
pub fn agent_poll(nonce: &Nonce) -> String {
    format!(
        r#"(()=>{{try{{{NEED}const a=need("inspector")[Symbol.for("flametop:{}")];return a?a.poll():null
}}catch(e){{return{{failed:""+e}}}}}})()
//# sourceURL={POLL_URL}"#,
        nonce.0
    )
}

/// Ends our profiles when the target exits, so that its last window is delivered.
///
/// On Node 18 and 20 it then holds the exit for `LAST_ANSWERS_MS`: once the loop has run empty, an evaluation with the
/// command-line API crashes them (`v8::Set::Add`, while Node cleans up or waits for us to go; 8 of 8 tries with a bare
/// client, none of 10 without that API). The end of our profile keeps us still, and what is in flight is answered in
/// that time: of 240 natural ends of a watched Node 18 on a loaded machine 15 crashed, with it one.
///
/// Not installed where one listener more would make Node print its warning of a leak.
pub fn tail_install(nonce: &Nonce) -> String {
    TAIL.replace("NEED", NEED).replace("NONCE", &nonce.0).replace("HELD", &LAST_ANSWERS_MS.to_string())
}

/// How long a Node 18 or 20 that exits waits for the calls that are in flight.
const LAST_ANSWERS_MS: u32 = 10;

const TAIL: &str = r#"(()=>{"use strict";try{NEED
const inspector=need("inspector"),proc=need("process"),out=need("console"),end=out.profileEnd;
const key=Symbol.for("flametop:tail:NONCE"),most=proc.getMaxListeners();
if(inspector[key])return{ok:true};
if(most>0&&proc.listenerCount("exit")>=most)return{ok:false,failed:"too many exit listeners"};
const wait=parseInt(proc.versions.node,10)<22?Atomics.wait:null,word=wait&&new Int32Array(new SharedArrayBuffer(4));
const tail=()=>{try{end.call(out,"ft:NONCE:A")}catch{}try{end.call(out,"ft:NONCE:B")}catch{}
try{if(wait)wait(word,0,0,HELD)}catch{}};
const agent={__proto__:null,dispose(){proc.removeListener("exit",tail);return delete inspector[key]}};
Object.defineProperty(inspector,key,{__proto__:null,value:agent,enumerable:false,configurable:true,writable:false});
proc.once("exit",tail);
return{ok:true}
}catch(e){return{ok:false,failed:""+e}}})()
//# sourceURL=flametop:tail"#;

/// Starts Node's own heap profile (26 and later), which is read without a forced garbage collection.
///
/// It keeps every sample until it is read, so it too ends by itself, [`HEAP_LEASE_SECONDS`] after the last reading.
///
/// [`HEAP_LEASE_SECONDS`]: super::agent::HEAP_LEASE_SECONDS
pub fn heap_start(nonce: &Nonce, interval_bytes: u32) -> String {
    HEAP_START
        .replace("NEED", NEED)
        .replace("NONCE", &nonce.0)
        .replace("INTERVAL", &interval_bytes.to_string())
        .replace("LEASE", &super::agent::HEAP_LEASE_SECONDS.to_string())
}

const HEAP_START: &str = r#"(()=>{"use strict";try{NEED
const inspector=need("inspector"),v8=need("v8"),timers=need("timers"),key=Symbol.for("flametop:heap:NONCE");
if(typeof v8.startHeapProfile!=="function")return{ok:false,failed:"no v8.startHeapProfile"};
if(inspector[key])return{ok:true};
const set=timers.setTimeout,clear=timers.clearTimeout;
const start=()=>v8.startHeapProfile({__proto__:null,sampleInterval:INTERVAL,stackDepth:128,
includeObjectsCollectedByMajorGC:true,includeObjectsCollectedByMinorGC:true});
let running=start(),lease=null;
const extend=()=>{if(lease)clear(lease);
lease=set(()=>{try{agent.dispose()}catch{}},LEASE*1000);lease.unref()};
const agent={__proto__:null,read(){const text=running.stop();running=start();extend();return text},
dispose(){try{if(lease)clear(lease)}catch{}try{running.stop()}catch{}return delete inspector[key]}};
Object.defineProperty(inspector,key,{__proto__:null,value:agent,enumerable:false,configurable:true,writable:false});
try{extend()}catch(e){agent.dispose();throw e}
return{ok:true}
}catch(e){return{ok:false,failed:""+e}}})()
//# sourceURL=flametop:heap"#;

/// Reads the heap profile since the last reading, as the JSON text of `v8.startHeapProfile`, and starts the next;
/// `null` if none runs.
pub fn heap_read(nonce: &Nonce) -> String {
    format!(
        r#"(()=>{{try{{{NEED}const a=need("inspector")[Symbol.for("flametop:heap:{}")];return a?a.read():null
}}catch(e){{return null}}}})()
//# sourceURL=flametop:heap"#,
        nonce.0
    )
}

/// Ends Node's own heap profile.
pub fn heap_stop(nonce: &Nonce) -> String {
    format!(
        r#"(()=>{{try{{const a=require("inspector")[Symbol.for("flametop:heap:{}")];if(a)a.dispose()
}}catch(e){{}}}})()
//# sourceURL=flametop:heap"#,
        nonce.0
    )
}

/// What becomes of the inspector when we leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectorEnd {
    /// It was open before us and stays open.
    StaysOpen,
    /// It closes 100 ms later, when we are gone: closing it under a connected client blocks the loop for 50 ms.
    ClosesSoon,
    /// It closes at once, under us: the only way while the loop never turns, for then no timer fires.
    ClosesNow,
}

/// Removes everything of ours from the target and, if we opened it, closes the inspector. Gives `true`.
pub fn leave(nonce: &Nonce, end: InspectorEnd) -> String {
    let close = match end {
        InspectorEnd::StaysOpen => "",
        InspectorEnd::ClosesSoon => r#"need("timers").setTimeout(()=>{try{close()}catch{}},100).unref();"#,
        InspectorEnd::ClosesNow => "close();",
    };
    LEAVE.replace("NEED", NEED).replace("NONCE", &nonce.0).replace("CLOSE", close)
}

/// `process._debugEnd` is what `inspector.close` calls; it is there even where the module cannot be loaded any more.
const LEAVE: &str = r#"(()=>{"use strict";try{NEED
let inspector=null;try{inspector=need("inspector")}catch{}
const proc=need("process"),close=()=>inspector?inspector.close():proc._debugEnd();
const end=name=>{try{const a=inspector[Symbol.for(name)];if(a)a.dispose()}catch{}};
end("flametop:NONCE");end("flametop:tail:NONCE");end("flametop:heap:NONCE");
CLOSE
return true}catch(e){return false}})()
//# sourceURL=flametop:leave"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_tell_our_profiles_from_those_of_others() {
        let (ours, theirs) = (Nonce::new(0x1f), Nonce::new(0x20));
        assert_eq!(slot_of_title(&ours, &profile_title(&ours, Slot::B)), Some(Slot::B));
        assert_eq!(slot_of_title(&ours, &profile_title(&theirs, Slot::B)), None);
        assert_eq!(slot_of_title(&ours, ""), None);
    }

    #[test]
    fn a_rotation_starts_the_next_before_it_ends_the_last() {
        let text = profile_rotate(&Nonce::new(1), Slot::A);
        assert!(text.contains(r#"start("ft:1:B");end("ft:1:A")"#), "{text}");
    }

    #[test]
    fn no_placeholder_is_left_and_nothing_is_promised() {
        let nonce = Nonce::new(7);
        for text in [
            agent_install(&nonce, true),
            tail_install(&nonce),
            heap_start(&nonce, 1024),
            leave(&nonce, InspectorEnd::ClosesSoon),
        ] {
            for word in [
                "NONCE",
                "READINGS",
                "LEASE",
                "RESOLUTION",
                "INTERVAL",
                "CLOSE",
                "HELD",
                "Promise",
                "async",
                "await",
            ] {
                assert!(!text.contains(word), "{word} in {text}");
            }
        }
    }
}
