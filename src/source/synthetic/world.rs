//! The made-up program: its functions, who calls whom, and what each costs in a second.

use crate::profile::{Frame, FrameKind, ProfileNode};

/// Call tree of an API server. An indented line is called by the one above it. Columns: name, place,
/// self time in ms a second, KiB allocated a second, KiB live at the start.
const OUTLINE: &str = "\
parserOnHeadersComplete | node:_http_common:75:33 | 3 | 40 | 12
  parserOnIncoming | node:_http_server:1066:31 | 6 | 210 | 64
    emit | node:events:466:44 | 2 | 0 | 0
      onRequest | /srv/api/node_modules/fastify/fastify.js:738:22 | 4 | 96 | 20
        lookup | /srv/api/node_modules/find-my-way/index.js:407:38 | 3 | 0 | 0
          find | /srv/api/node_modules/find-my-way/index.js:428:34 | 14 | 130 | 8
        routeHandler | /srv/api/node_modules/fastify/lib/route.js:430:25 | 5 | 180 | 40
          Request | /srv/api/node_modules/fastify/lib/request.js:28:18 | 4 | 320 | 96
          hookRunnerGenerator | /srv/api/node_modules/fastify/lib/hooks.js:236:32 | 3 | 64 | 0
            authenticate | /srv/api/src/auth.js:21:29 | 6 | 80 | 16
              verify | /srv/api/node_modules/jsonwebtoken/verify.js:37:27 | 9 | 210 | 30
                decode | /srv/api/node_modules/jws/lib/verify-stream.js:63:18 | 7 | 260 | 0
                verifySignature | /srv/api/node_modules/jwa/index.js:132:27 | 5 | 90 | 0
                  hmac | node:internal/crypto/hash:180:14 | 31 | 120 | 4
            preHandlerCallback | /srv/api/node_modules/fastify/lib/handleRequest.js:108:29 | 2 | 0 | 0
              listUsers | /srv/api/src/routes/users.js:14:32 | 11 | 150 | 48
                makeUsers | /srv/api/src/users.js:9:19 | 42 | 5200 | 2048
                  (anonymous) | /srv/api/src/users.js:17:26 | 28 | 2900 | 900
                  (anonymous) | /srv/api/src/users.js:31:18 | 9 | 700 | 120
                sortByScore | /srv/api/src/users.js:52:21 | 8 | 60 | 0
                  sort | | 47 | 480 | 0
                    compareScore | /srv/api/src/users.js:57:20 | 36 | 0 | 0
                cloneDeep | /srv/api/node_modules/lodash/lodash.js:11155:24 | 1 | 0 | 0
                  baseClone | /srv/api/node_modules/lodash/lodash.js:2677:24 | 8 | 400 | 90
                    arrayEach | /srv/api/node_modules/lodash/lodash.js:529:24 | 3 | 0 | 0
                      baseClone | /srv/api/node_modules/lodash/lodash.js:2677:24 | 12 | 900 | 220
                        arrayEach | /srv/api/node_modules/lodash/lodash.js:529:24 | 4 | 0 | 0
                          baseClone | /srv/api/node_modules/lodash/lodash.js:2677:24 | 16 | 1300 | 310
              searchProducts | /srv/api/src/routes/search.js:8:37 | 7 | 90 | 30
                parse | /srv/api/node_modules/zod/lib/types.js:160:10 | 5 | 300 | 40
                  _parseSync | /srv/api/node_modules/zod/lib/types.js:147:15 | 9 | 220 | 0
                    ZodObject._parse | /srv/api/node_modules/zod/lib/types.js:1959:11 | 22 | 640 | 18
                test | | 38 | 0 | 0
                rank | /srv/api/src/search/rank.js:3:15 | 26 | 180 | 12
                  levenshtein | /srv/api/src/search/distance.js:12:24 | 64 | 900 | 0
          Reply.send | /srv/api/node_modules/fastify/lib/reply.js:133:33 | 4 | 70 | 10
            preSerializeHook | /srv/api/node_modules/fastify/lib/reply.js:530:27 | 2 | 0 | 0
              serialize | /srv/api/node_modules/fast-json-stringify/index.js:214:19 | 12 | 600 | 0
                stringify | | 51 | 1500 | 60
            onSendEnd | /srv/api/node_modules/fastify/lib/reply.js:590:20 | 3 | 110 | 16
              write_ | node:_http_outgoing:911:16 | 8 | 260 | 70
                writeUtf8String | | 17 | 0 | 0
processTicksAndRejections | node:internal/process/task_queues:72:35 | 7 | 30 | 6
  runMicrotasks | | 6 | 0 | 0
    findOrders | /srv/api/src/routes/orders.js:22:34 | 9 | 120 | 60
      groupByCustomer | /srv/api/src/orders/group.js:5:25 | 13 | 340 | 180
onStreamRead | node:internal/stream_base_commons:167:22 | 4 | 160 | 200
  (anonymous) | /srv/api/node_modules/pg-protocol/dist/index.js:10:34 | 2 | 0 | 0
    Parser.parse | /srv/api/node_modules/pg-protocol/dist/parser.js:32:10 | 9 | 240 | 0
      parseDataRowMessage | /srv/api/node_modules/pg-protocol/dist/parser.js:186:24 | 19 | 820 | 320
        BufferReader.string | /srv/api/node_modules/pg-protocol/dist/buffer-reader.js:37:11 | 11 | 380 | 0
processTimers | node:internal/timers:499:25 | 1 | 0 | 0
  listOnTimeout | node:internal/timers:515:25 | 2 | 10 | 2
    refreshCatalog | /srv/api/src/catalog.js:18:30 | 1 | 0 | 0
      loadCatalog | /srv/api/src/catalog.js:41:27 | 4 | 600 | 5200
        readFileSync | node:fs:440:22 | 3 | 256 | 0
        parse | | 6 | 1800 | 9600
    flushMetrics | /srv/api/src/metrics.js:77:22 | 3 | 40 | 22
(garbage collector) | | 34 | 0 | 0
(program) | | 13 | 0 | 0
(idle) | | 0 | 0 | 0
";

/// What a node costs in a second of ordinary load.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Self time in milliseconds.
    pub cpu_ms: u32,
    /// KiB allocated.
    pub alloc_kib: u32,
    /// KiB live when the world begins.
    pub live_kib: u32,
}

/// The made-up program.
#[derive(Clone, Debug)]
pub struct World {
    /// Its frames, one a node: sources may repeat a frame.
    pub frames: Vec<Frame>,
    /// Its call tree; node 0 is the root.
    pub nodes: Vec<ProfileNode>,
    /// Cost of each node; the root's is zero.
    pub costs: Vec<Cost>,
}

impl World {
    /// The program of [`OUTLINE`].
    pub fn new() -> Self {
        let root = Frame::named("(root)", FrameKind::Other);
        let mut world = Self {
            frames: vec![root],
            nodes: vec![ProfileNode { parent: 0, frame: 0 }],
            costs: vec![Cost { cpu_ms: 0, alloc_kib: 0, live_kib: 0 }],
        };
        let mut callers = vec![0];
        for line in OUTLINE.lines() {
            let depth = (line.len() - line.trim_start().len()) / 2;
            callers.truncate(depth + 1);
            callers.push(world.add(callers[depth], line.trim_start()));
        }
        world
    }

    /// The first node of a function by its name; the root when there is none.
    pub fn node_of(&self, name: &str) -> usize {
        self.frames.iter().position(|frame| &*frame.name == name).unwrap_or(0)
    }

    /// The node of a function that a given other one calls; the root when there is none.
    pub fn callee(&self, caller: &str, name: &str) -> usize {
        let caller = self.node_of(caller) as u32;
        let is = |at: &usize| self.nodes[*at].parent == caller && &*self.frames[*at].name == name;
        (1..self.nodes.len()).find(is).unwrap_or(0)
    }

    fn add(&mut self, parent: u32, line: &str) -> u32 {
        let mut columns = line.split('|').map(str::trim);
        let mut next = || columns.next().unwrap_or("");
        let (name, place) = (next(), next());
        let mut number = || next().parse().unwrap_or(0);
        let cost = Cost { cpu_ms: number(), alloc_kib: number(), live_kib: number() };
        let at = self.nodes.len() as u32;
        self.frames.push(frame(name, place));
        self.nodes.push(ProfileNode { parent, frame: at });
        self.costs.push(cost);
        at
    }
}

/// A frame at `file:line:column`.
fn frame(name: &str, place: &str) -> Frame {
    let mut parts = place.rsplitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let (column, line) = (number(), number());
    Frame::at(name, parts.next().unwrap_or(""), line, column, kind(name, place))
}

fn kind(name: &str, place: &str) -> FrameKind {
    match name {
        "(garbage collector)" => FrameKind::Gc,
        "(program)" => FrameKind::Program,
        "(idle)" => FrameKind::Idle,
        _ if place.is_empty() || place.starts_with("node:") => FrameKind::Builtin,
        _ => FrameKind::Js,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_becomes_a_tree() {
        let world = World::new();
        assert!(world.nodes.iter().enumerate().skip(1).all(|(at, node)| (node.parent as usize) < at));
        let parse = world.callee("loadCatalog", "parse");
        assert_eq!(world.costs[parse].live_kib, 9600);
        assert_eq!(world.frames[world.node_of("makeUsers")].line, 9);
        let busy: u32 = world.costs.iter().map(|cost| cost.cpu_ms).sum();
        assert!((500..900).contains(&busy), "{busy} ms of each second");
    }
}
