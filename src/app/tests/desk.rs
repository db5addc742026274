//! Writing, recording, questions, overlays, messages.

use super::{Watched, watch};
use crate::app::{
    Candidate, Effect, Job, Key, KeyCode, Mode, Msg, Outcome, Picker, Question, RecordingState, TOAST_TIME,
};
use crate::feed::{Capability, Event, Feed, HeapState, Order, SourceId, Status, TargetInfo, TargetSpec};
use crate::profile::{Moment, Nanos, Span};
use crate::session::{Range, Session};

fn recording() -> RecordingState {
    RecordingState { path: "/tmp/a.flametop".into(), since: Moment(0), bytes: 1 << 20, windows: 3 }
}

fn done(outcome: Outcome) -> Msg {
    Msg::Done(outcome)
}

fn told(watched: &mut Watched, feed: Feed) {
    watched.session.ingest(&Event { source: SourceId(0), at: Moment(0), feed });
}

#[test]
fn writing_live_means_the_window_on_screen() {
    let mut watched = watch(&[("f", 1)]);
    let effects = watched.keys("w");
    let Some(Effect::Export(request)) = effects.first() else { panic!("{effects:?}") };
    let span = Span { start: Moment(0), length: Nanos::from_secs(1) };
    assert_eq!((request.range, request.format.as_str(), &request.kind), (Range::Span(span), "pprof", &None));
    watched.tell(done(Outcome::Exported(vec!["/tmp/x.pb.gz".into()])));
    assert!(watched.toast().contains("/tmp/x.pb.gz"));
}

#[test]
fn nothing_on_screen_is_not_written() {
    let mut watched = watch(&[]);
    watched.session = Session::default();
    assert!(watched.keys("w").is_empty());
    assert!(watched.toast().contains("nothing to write"));
}

#[test]
fn the_write_menu_is_used_by_cursor_or_by_letter() {
    let mut watched = watch(&[("f", 1)]);
    let format = |effects: Vec<Effect>| match effects.into_iter().next() {
        Some(Effect::Export(request)) => (request.format, request.kind),
        other => (format!("{other:?}"), None),
    };
    assert_eq!(format(watched.keys("Wjj<enter>")), ("top".into(), Some("cpu".into())));
    assert_eq!(format(watched.keys("Wp")), ("pprof".into(), None));
    assert_eq!(watched.keys("Wr"), [Effect::StartRecording(None)]);
    assert!(matches!(watched.app.mode, Mode::Browse));
}

#[test]
fn quitting_asks_only_while_recording() {
    let mut watched = watch(&[("f", 1)]);
    watched.tell(done(Outcome::RecordingStarted(recording())));
    assert!(watched.keys("Q").is_empty());
    assert!(matches!(watched.app.mode, Mode::Confirm(Question::QuitWhileRecording)));
    assert!(watched.keys("n").is_empty() && !watched.app.quitting);
    assert_eq!(watched.keys("Qy"), [Effect::Quit { keep_frame: true }]);
    watched.tell(done(Outcome::RecordingFinished(recording())));
    assert!(watched.toast().contains("/tmp/a.flametop"));
    assert_eq!(watched.keys("q"), [Effect::Quit { keep_frame: false }]);
}

#[test]
fn interrupting_quits_from_anywhere() {
    for keys in ["", "/abc", "?", "W", "m"] {
        let mut watched = watch(&[("f", 1)]);
        watched.app.recording = Some(recording());
        watched.keys(keys);
        assert_eq!(watched.keys("<c-c>"), [Effect::Quit { keep_frame: false }], "after {keys:?}");
    }
}

#[test]
fn a_failed_recording_is_over_and_said() {
    let mut watched = watch(&[("f", 1)]);
    assert_eq!(watched.tell(Msg::ToggleRecording), [Effect::StartRecording(None)]);
    watched.tell(done(Outcome::RecordingStarted(recording())));
    watched.tell(done(Outcome::RecordingProgress { bytes: 7, windows: 9 }));
    assert_eq!(watched.app.recording.as_ref().map(|r| (r.bytes, r.windows)), Some((7, 9)));
    watched.tell(done(Outcome::Failed(Job::Record, "disk full".into())));
    assert!(watched.app.recording.is_none() && watched.app.toasts.back().is_some_and(|toast| toast.error));
}

#[test]
fn the_heap_profile_states_its_cost_first() {
    let mut watched = watch(&[("f", 1)]);
    let cost = "stops the target for about 120 ms each 12 s";
    told(&mut watched, Feed::Status(Status { heap: HeapState::Off(cost.into()), ..Status::default() }));
    for key in ["v", "H"] {
        assert!(watched.keys(key).is_empty());
        assert!(matches!(&watched.app.mode, Mode::Confirm(Question::HeapCost(text)) if &**text == cost));
        assert_eq!(watched.keys("y"), [Effect::Order(SourceId(0), Order::Heap(true))]);
    }
    let on = HeapState::On { window: Nanos::from_secs(5), cost: Nanos(0) };
    told(&mut watched, Feed::Status(Status { heap: on, ..Status::default() }));
    assert_eq!(watched.keys("H"), [Effect::Order(SourceId(0), Order::Heap(false))]);
}

#[test]
fn windows_get_longer_step_by_step_where_they_can() {
    let mut watched = watch(&[("f", 1)]);
    assert!(watched.keys("+").is_empty());
    let target = TargetInfo { capabilities: vec![Capability::WindowLength], ..TargetInfo::default() };
    told(&mut watched, Feed::Attached(target));
    let window = |seconds| Effect::Order(SourceId(0), Order::Window(Nanos::from_millis(seconds)));
    assert_eq!(watched.keys("+"), [window(2000)]);
    assert_eq!(watched.keys("----"), [window(1000), window(500), window(250), window(250)]);
}

#[test]
fn messages_are_few_and_go_away() {
    let mut watched = watch(&[("f", 1)]);
    watched.tell(Msg::Tick(Moment(1)));
    for name in 0..9 {
        watched.tell(done(Outcome::Exported(vec![format!("/tmp/{name}").into()])));
    }
    assert_eq!(watched.app.toasts.len(), 5);
    watched.tell(Msg::Tick(Moment(1) + TOAST_TIME));
    assert!(watched.app.toasts.is_empty());
}

#[test]
fn a_mark_is_noted() {
    let mut watched = watch(&[("f", 1)]);
    assert_eq!(watched.keys("mdeploy 12<enter>"), [Effect::Mark("deploy 12".into())]);
    assert!(watched.keys("mx<esc>").is_empty());
}

#[test]
fn help_scrolls_and_narrows() {
    let mut watched = watch(&[("f", 1)]);
    watched.keys("?<down><down>");
    assert!(matches!(watched.app.mode, Mode::Help { scroll: 2, .. }));
    watched.keys("freeze<down><down><down><down><down><down><down><down>");
    assert!(matches!(watched.app.mode, Mode::Help { scroll: 1..8, .. }), "{:?}", watched.app.mode);
    watched.keys("<esc>");
    assert!(matches!(&watched.app.mode, Mode::Help { filter, .. } if filter.text().is_empty()));
    watched.keys("q");
    assert!(matches!(watched.app.mode, Mode::Browse) && !watched.app.quitting);
}

fn candidate(pid: u32, command: &str, obstacle: Option<&str>) -> Candidate {
    Candidate {
        pid,
        name: command.rsplit('/').next().unwrap_or_default().into(),
        kind: "Node".into(),
        command: command.into(),
        cpu: 0.1,
        rss: 1,
        age: Nanos(1),
        user: "me".into(),
        obstacle: obstacle.map(Into::into),
    }
}

fn picking() -> Watched {
    let mut watched = watch(&[]);
    watched.session = Session::default();
    watched.app.mode = Mode::Pick(Picker::default());
    let found = vec![candidate(1, "api.js", None), candidate(2, "worker.js", Some("not yours"))];
    watched.tell(done(Outcome::Candidates(found)));
    watched
}

#[test]
fn the_picker_attaches_or_says_why_not() {
    let mut watched = picking();
    assert!(watched.keys("wor<enter>").is_empty());
    assert!(watched.toast().contains("not yours"));
    assert_eq!(watched.keys("<esc>ap<enter>"), [Effect::Attach(TargetSpec::Pid(1))]);
    assert!(matches!(watched.app.mode, Mode::Browse));
}

#[test]
fn the_picker_keeps_its_process_over_a_new_list() {
    let mut watched = picking();
    assert_eq!(watched.keys("<f5><down>"), [Effect::FindProcesses]);
    let found = vec![candidate(2, "worker.js", None), candidate(3, "b", None), candidate(1, "api.js", None)];
    watched.tell(done(Outcome::Candidates(found)));
    assert_eq!(watched.keys("<enter>"), [Effect::Attach(TargetSpec::Pid(2))]);
}

#[test]
fn leaving_the_picker_quits_only_when_nothing_is_watched() {
    assert_eq!(picking().keys("q"), [Effect::Quit { keep_frame: false }]);
    let mut watched = watch(&[("f", 1)]);
    watched.app.mode = Mode::Pick(Picker::default());
    assert!(watched.keys("<esc>").is_empty() && matches!(watched.app.mode, Mode::Browse));
}

#[test]
fn a_paste_goes_into_the_line_and_is_never_a_row_of_commands() {
    let mut watched = watch(&[("f", 1)]);
    assert!(watched.tell(Msg::Paste("qqQ".into())).is_empty());
    watched.keys("/");
    watched.tell(Msg::Paste("a\u{1b}b\n".into()));
    assert_eq!(watched.app.search.as_ref().map(|search| search.text.as_str()), Some("ab"));
    watched.tell(Msg::Key(Key::plain(KeyCode::Delete)));
}
