//! A source under test: started on a runtime of its own, its feed kept, orders given.

use std::time::{Duration, Instant};

use flametop::feed::{EndReason, Event, Feed, SourceId, Status};
use flametop::gauges::GaugeBatch;
use flametop::profile::Profile;
use flametop::source::{Inbox, Order, Source, SourceError, Steering, control, outbox};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// A running source and everything it has said.
pub struct Watch {
    runtime: Runtime,
    inbox: Inbox,
    steering: Steering,
    task: JoinHandle<Result<EndReason, SourceError>>,
    began: Instant,
    /// What it said, with how long after the start we had it.
    pub seen: Vec<(Duration, Event)>,
}

impl Watch {
    /// Starts a source.
    pub fn start(source: Box<dyn Source>) -> Watch {
        let runtime = Runtime::new().expect("a runtime starts");
        let inbox = outbox();
        let (steering, controlled) = control();
        let began = Instant::now();
        let task = runtime.spawn(source.run(inbox.outbox(SourceId(0)), controlled));
        Watch { runtime, inbox, steering, task, began, seen: Vec::new() }
    }

    /// Takes in what comes until `found` gives a value.
    #[track_caller]
    pub fn until<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut found: impl FnMut(&Watch) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + within;
        loop {
            if let Some(value) = found(self) {
                return value;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let inbox = &self.inbox;
            let event = self.runtime.block_on(async { tokio::time::timeout(left, inbox.recv()).await });
            let Ok(event) = event else {
                let ended = self.task.is_finished().then(|| self.runtime.block_on(&mut self.task));
                panic!("waited {within:?} in vain for {what}; ended: {ended:?}; {}", self.summary());
            };
            self.seen.push((self.began.elapsed(), event));
        }
    }

    /// What came, in short.
    pub fn summary(&self) -> String {
        let word = |feed: &Feed| match feed {
            Feed::Window(profile) => format!("window of {} samples", profile.sampling.taken),
            Feed::Gauges(_) => "gauges".into(),
            other => format!("{other:?}"),
        };
        self.seen.iter().map(|(at, event)| format!("\n{at:?} {}", word(&event.feed))).collect()
    }

    /// The windows that hold a kind, with when they came.
    pub fn windows_at(&self, kind: &str) -> Vec<(Duration, &Profile)> {
        self.seen
            .iter()
            .filter_map(|(at, event)| match &event.feed {
                Feed::Window(profile) if profile.kind(kind).is_some() => Some((*at, &**profile)),
                _ => None,
            })
            .collect()
    }

    /// The windows that hold a kind.
    pub fn windows(&self, kind: &str) -> Vec<&Profile> {
        self.windows_at(kind).into_iter().map(|(_, profile)| profile).collect()
    }

    /// Every batch of gauges.
    pub fn gauges(&self) -> Vec<&GaugeBatch> {
        self.seen
            .iter()
            .filter_map(|(_, event)| match &event.feed {
                Feed::Gauges(batch) => Some(batch),
                _ => None,
            })
            .collect()
    }

    /// The newest status.
    pub fn status(&self) -> Status {
        let statuses = self.seen.iter().rev().filter_map(|(_, event)| match &event.feed {
            Feed::Status(status) => Some(status.clone()),
            _ => None,
        });
        statuses.into_iter().next().unwrap_or_default()
    }

    /// Every note's text.
    pub fn notes(&self) -> Vec<String> {
        self.seen
            .iter()
            .filter_map(|(_, event)| match &event.feed {
                Feed::Note(note) => Some(note.text.to_string()),
                _ => None,
            })
            .collect()
    }

    /// Gives an order.
    pub fn order(&self, order: Order) {
        assert!(self.steering.give(order), "the order was taken");
    }

    /// Waits until the source ends by itself; what it says meanwhile is kept.
    #[track_caller]
    pub fn end(&mut self, within: Duration) -> Result<EndReason, SourceError> {
        let task = &mut self.task;
        let ended = self.runtime.block_on(async { tokio::time::timeout(within, task).await });
        while let Some(event) = self.inbox.try_recv() {
            self.seen.push((self.began.elapsed(), event));
        }
        match ended {
            Ok(ended) => ended.expect("the source did not panic"),
            Err(_) => panic!("waited {within:?} in vain for the source's end; {}", self.summary()),
        }
    }

    /// Tells it to stop, and says how long it took.
    #[track_caller]
    pub fn stop(&mut self) -> (EndReason, Duration) {
        let asked = Instant::now();
        self.order(Order::Stop);
        let reason = self.end(Duration::from_secs(10)).expect("a source that is told to stop ends well");
        (reason, asked.elapsed())
    }

    /// Ends it as a panic or a quit engine would: its future is dropped.
    pub fn drop_it(self) {
        self.task.abort();
        self.runtime.shutdown_timeout(Duration::from_secs(5));
    }
}

/// Self values of a kind by function name, over some windows.
pub fn by_function(windows: &[&Profile], kind: &str) -> std::collections::BTreeMap<String, i64> {
    let mut sums = std::collections::BTreeMap::new();
    for profile in windows {
        let column = profile.kind(kind).expect("the windows have the kind");
        for lane in &profile.lanes {
            for (node, value) in lane.nodes.iter().zip(&lane.columns[column]) {
                let frame = &profile.frames[profile.nodes[*node as usize].frame as usize];
                *sums.entry(frame.name.to_string()).or_insert(0) += value;
            }
        }
    }
    sums
}

/// Values with everything called by it, of one function: the recursion of it counts once.
pub fn total_of(windows: &[&Profile], kind: &str, function: &str) -> i64 {
    let mut sum = 0;
    for profile in windows {
        let column = profile.kind(kind).expect("the windows have the kind");
        for lane in &profile.lanes {
            let values = lane.nodes.iter().zip(&lane.columns[column]);
            sum += values
                .filter(|(node, _)| is_below(profile, **node, function))
                .map(|(_, value)| value)
                .sum::<i64>();
        }
    }
    sum
}

fn is_below(profile: &Profile, mut node: u32, function: &str) -> bool {
    while node != 0 {
        let at = profile.nodes[node as usize];
        if &*profile.frames[at.frame as usize].name == function {
            return true;
        }
        node = at.parent;
    }
    false
}
