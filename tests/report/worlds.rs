//! What the reports of these tests are of: the made-up API server, a huge program, a hostile one.

use flametop::feed::{Event, Feed, Note, NoteLevel, SourceId, TargetInfo};
use flametop::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
    clean_name, clean_path,
};
use flametop::source::synthetic::{self, START};

/// The made-up API server for `seconds`, without what it says of `gap`, with two marks.
pub fn server(seconds: u64, gap: std::ops::Range<u64>) -> Vec<Event> {
    let (from, to) = (moment(gap.start), moment(gap.end));
    let mut events = synthetic::events(7, seconds);
    events.retain(|event| event.at <= from || event.at > to || matches!(event.feed, Feed::Attached(_)));
    events.extend(
        [(21, "deploy of 14:00"), (40, "<b>load test</b> starts")].map(|(second, text)| mark(second, text)),
    );
    events.sort_by_key(|event| event.at);
    events
}

/// So many seconds after the start.
pub fn moment(seconds: u64) -> Moment {
    START + Nanos::from_secs(seconds)
}

fn mark(second: u64, text: &str) -> Event {
    let note = Note { level: NoteLevel::Mark, text: text.into() };
    Event { source: SourceId(0), at: moment(second), feed: Feed::Note(note) }
}

/// So many stacks of `depth` frames that share their first three callers by tens and nothing below: the
/// worst there is to draw.
pub fn distinct_stacks(stacks: usize, depth: usize) -> Vec<Event> {
    let functions = 10_007;
    let frame = |at: usize| {
        let file = clean_path(&format!("/srv/app/node_modules/package-{}/lib/index.js", at % 200));
        Frame::at(&format!("function{at}"), &file, at as u32 % 900 + 1, 1, FrameKind::Js)
    };
    let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
    let mut known = std::collections::HashMap::new();
    let mut leaves = Vec::new();
    for stack in 0..stacks {
        let mut parent = 0;
        for level in 0..depth {
            let branch = stack / [1000, 100, 10].get(level).unwrap_or(&1);
            parent = *known.entry((parent, branch)).or_insert_with(|| {
                nodes.push(ProfileNode { parent, frame: ((branch + level * 1_009) % functions) as u32 });
                nodes.len() as u32 - 1
            });
        }
        leaves.push(parent);
    }
    let counts: Vec<i64> = (0..stacks as i64).map(|at| 1 + at % 7).collect();
    let times = counts.iter().map(|count| count * 1_000_000).collect();
    let lane = lane(1, "main", leaves, vec![counts, times]);
    let mut profile = profile((0..functions).map(frame).collect(), nodes, vec![lane]);
    profile.kinds.insert(0, ValueKind::samples());
    attached("huge.js", profile)
}

/// Names that mean something to a browser, or hide what they say.
pub fn hostile() -> Vec<Event> {
    let long = "x".repeat(1000);
    let names = [
        "</script><script>window.hacked=1</script>",
        "<img src=x onerror=window.hacked=1>",
        "{{data}}{{script}}",
        "\u{202e}gnp.exe\u{202c}",
        "javascript:window.hacked=1",
        "__proto__",
        "a;b 7\nc",
        "]]>--><!--<script>",
        "constructor",
        &long,
    ];
    let frame = |name: &&str| Frame::at(&clean_name(name), &clean_path(name), 1, 1, FrameKind::Js);
    let frames: Vec<Frame> = names.iter().map(frame).collect();
    let nodes = (0..=names.len() as u32)
        .map(|at| ProfileNode { parent: at.saturating_sub(1), frame: at.saturating_sub(1) });
    let values = (1..=names.len() as i64).map(|at| at * 1_000_000).collect();
    let lane = lane(1, names[0], (1..=names.len() as u32).collect(), vec![values]);
    let mut profile = profile(frames, nodes.collect(), vec![lane]);
    profile.notes = names.iter().map(|name| clean_name(name)).collect();
    let mut events = attached(names[0], profile);
    events.push(mark(1, names[0]));
    events.push(mark(1, names[1]));
    events
}

/// A CPU window of the first second.
pub fn profile(frames: Vec<Frame>, nodes: Vec<ProfileNode>, lanes: Vec<ProfileLane>) -> Profile {
    Profile {
        kinds: vec![ValueKind::cpu()],
        span: Span { start: START, length: Nanos::from_secs(1) },
        covered: Nanos::from_secs(1),
        sampling: Sampling {
            period_name: "cpu".into(),
            period: 1_000_000,
            taken: 1000,
            ..Sampling::default()
        },
        frames,
        nodes,
        lanes,
        notes: Vec::new(),
    }
}

/// Values of one thread.
pub fn lane(tid: u64, name: &str, nodes: Vec<u32>, columns: Vec<Vec<i64>>) -> ProfileLane {
    let thread = Thread { pid: 1, tid, name: clean_name(name) };
    ProfileLane { thread, nodes, columns, lines: Vec::new(), runs: Vec::new(), runs_dropped: 0 }
}

/// One window of a target of that name.
pub fn attached(name: &str, profile: Profile) -> Vec<Event> {
    let target = TargetInfo {
        name: clean_name(name),
        kind: "Node 22.14.0".into(),
        pid: Some(1),
        ..TargetInfo::default()
    };
    [Feed::Attached(target), Feed::Window(Box::new(profile))]
        .map(|feed| Event { source: SourceId(0), at: moment(1), feed })
        .into()
}

/// Two processes with threads that come and go, over half a minute: CPU each second, heap each third.
pub fn two_processes() -> Vec<Event> {
    let mut dice = Dice(5);
    let mut events = Vec::new();
    for source in 0..2u16 {
        let target = TargetInfo { name: format!("worker-{source}").into(), ..TargetInfo::default() };
        events.push(Event { source: SourceId(source), at: START, feed: Feed::Attached(target) });
        for second in 0..30 {
            // A gap, in which only one of the two is watched.
            if (10..13).contains(&second) && source == 0 {
                continue;
            }
            let cpu = [ValueKind::samples(), ValueKind::cpu()];
            events.push(random_window(&mut dice, source, (second, 1), cpu.into()));
            // Then its heap is left alone for a while: what was live last still holds.
            if second % 3 == 2 && !(source == 1 && (11..24).contains(&second)) {
                let heap = [ValueKind::inuse_space(), ValueKind::alloc_space()];
                events.push(random_window(&mut dice, source, (second - 2, 3), heap.into()));
            }
        }
    }
    events.sort_by_key(|event| event.at);
    events
}

fn random_window(dice: &mut Dice, source: u16, (start, seconds): (u64, u64), kinds: Vec<ValueKind>) -> Event {
    let frames =
        (0..12).map(|at| Frame::at(&format!("f{}", at / 2), "/srv/app.js", at, 1, FrameKind::Js)).collect();
    let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
    for at in 1..40 {
        nodes.push(ProfileNode { parent: dice.below(at), frame: dice.below(12) });
    }
    let threads = [(1, "main"), (10 + u64::from(source), "worker")];
    let present: Vec<_> = threads.into_iter().filter(|_| dice.below(4) > 0).collect();
    let lanes = present.into_iter().map(|(tid, name)| {
        let held: Vec<u32> = (0..40).filter(|_| dice.below(3) == 0).collect();
        let columns = kinds.iter().map(|_| held.iter().map(|_| i64::from(dice.below(5_000_000))).collect());
        let columns = columns.collect();
        let mut lane = lane(tid, name, held, columns);
        lane.thread.pid = 100 + u32::from(source);
        lane
    });
    let lanes = lanes.collect();
    let length = Nanos::from_secs(seconds);
    let span = Span { start: moment(start), length };
    let profile = Profile { kinds, span, covered: length, ..profile(frames, nodes, lanes) };
    Event { source: SourceId(source), at: span.end(), feed: Feed::Window(Box::new(profile)) }
}

/// Numbers that look like chance.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `limit`.
    pub fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % limit
    }
}

/// Four seconds: `old` runs in the first two, `new` in the last two, `same` in all, `more` twice as much later; the rest is chance.
pub fn before_and_after() -> Vec<Event> {
    let names = ["main", "old", "new", "same", "more", "few"];
    let frames: Vec<Frame> = names.map(|name| Frame::at(name, "/srv/app.js", 1, 1, FrameKind::Js)).into();
    let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }, ProfileNode { parent: 0, frame: 0 }];
    nodes.extend((1..6).map(|frame| ProfileNode { parent: 1, frame }));
    let target = TargetInfo { name: "change.js".into(), ..TargetInfo::default() };
    let mut events = vec![Event { source: SourceId(0), at: START, feed: Feed::Attached(target) }];
    for second in 0..4 {
        let ms = if second < 2 { [100, 0, 300, 200, 0] } else { [0, 50, 301, 400, 1] };
        let values: Vec<i64> = ms.map(|ms| ms * 1_000_000).into();
        let lane = lane(1, "main", vec![2, 3, 4, 5, 6], vec![values]);
        let mut profile = profile(frames.clone(), nodes.clone(), vec![lane]);
        profile.span.start = moment(second);
        events.push(Event {
            source: SourceId(0),
            at: moment(second + 1),
            feed: Feed::Window(Box::new(profile)),
        });
    }
    events
}
