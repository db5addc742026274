//! What holds whatever is pressed, pasted, clicked or fed.

use crate::app::{
    ACTIONS, App, Effect, Job, Key, KeyCode, Mode, MouseEvent, MouseKind, Msg, Outcome, Picker, Shown,
    screen_rows,
};
use crate::feed::{Event, SourceId};
use crate::profile::{Moment, Nanos};
use crate::session::{Range, Session};
use crate::source::synthetic::{START, events};
use proptest::prelude::*;
use std::sync::OnceLock;

/// What may reach the app.
#[derive(Clone, Debug)]
enum Step {
    Tell(Msg),
    /// The session takes in so many more events of the made-up world.
    Feed(usize),
    /// No look is taken before the next message, as when keys come fast.
    Hurry(Msg),
}

fn keys() -> impl Strategy<Value = Key> {
    let bound: Vec<Key> = ACTIONS.iter().flat_map(|spec| spec.keys.iter().copied()).collect();
    let codes = vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::F(5),
        KeyCode::F(12),
    ];
    prop_oneof![
        6 => prop::sample::select(bound),
        1 => prop::sample::select(codes).prop_map(Key::plain),
        1 => any::<char>().prop_map(Key::char),
        1 => prop::sample::select(vec!['y', 'n', '(', '\\', 'p', 't', 'u']).prop_map(Key::char),
    ]
}

fn mouse() -> impl Strategy<Value = MouseEvent> {
    let kinds = vec![
        MouseKind::Press,
        MouseKind::Drag,
        MouseKind::Release,
        MouseKind::RightPress,
        MouseKind::WheelUp,
        MouseKind::WheelDown,
    ];
    (prop::sample::select(kinds), 0u16..220, 0u16..70).prop_map(|(kind, x, y)| MouseEvent { kind, x, y })
}

fn messages() -> impl Strategy<Value = Msg> {
    prop_oneof![
        12 => keys().prop_map(Msg::Key),
        3 => mouse().prop_map(Msg::Mouse),
        1 => ".{0,12}".prop_map(Msg::Paste),
        1 => (0u16..300, 0u16..100).prop_map(|(x, y)| Msg::Resize(x, y)),
        1 => (0u64..90).prop_map(|s| Msg::Tick(START + Nanos::from_secs(s))),
        1 => Just(Msg::Fed(SourceId(0))),
        1 => Just(Msg::ToggleRecording),
        1 => Just(Msg::Done(Outcome::Failed(Job::Export, "no room".into()))),
        1 => Just(Msg::Done(Outcome::Candidates(Vec::new()))),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => messages().prop_map(Step::Tell),
        4 => messages().prop_map(Step::Hurry),
        2 => (1usize..30).prop_map(Step::Feed),
    ];
    prop::collection::vec(step, 1..60)
}

fn world() -> &'static [Event] {
    static WORLD: OnceLock<Vec<Event>> = OnceLock::new();
    WORLD.get_or_init(|| events(5, 60))
}

struct Desk {
    app: App,
    session: Session,
    shown: Shown,
    told: usize,
}

impl Desk {
    fn feed(&mut self, count: usize) {
        let next = world().iter().skip(self.told).take(count);
        next.for_each(|event| self.session.ingest(event));
        self.told += count;
        self.tell(Msg::Fed(SourceId(0)));
    }

    fn tell(&mut self, msg: Msg) {
        for effect in self.app.update(msg, &self.session, &self.shown) {
            match effect {
                Effect::Pin(selection) => self.session.pin(&selection),
                Effect::Unpin => self.session.unpin(),
                _ => {}
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let Self { app, shown, .. } = self;
        if let Some(flame) = &shown.flame {
            prop_assert!((shown.cursor as usize) < flame.nodes().len());
            prop_assert!((shown.zoom as usize) < flame.nodes().len());
        }
        prop_assert!(app.toasts.len() <= 5);
        prop_assert!(app.is_frozen() || app.frozen_at.is_none());
        prop_assert!(!app.toasts.iter().any(|toast| toast.text.is_empty()));
        prop_assert!(app.search_before.is_none() || matches!(app.mode, Mode::Search(_)));
        if let Range::Span(span) = app.selection.range {
            prop_assert!(span.length > Nanos(0));
        }
        Ok(())
    }

    /// What a look and a tick bring within bounds.
    fn check_scroll(&self) -> Result<(), TestCaseError> {
        let body = usize::from(screen_rows(self.app.size, self.app.maximised)[2]);
        let rows = self.shown.rows.rows.len();
        prop_assert!(usize::from(self.app.scroll) <= rows.saturating_sub(body));
        prop_assert!(self.app.list_scroll <= crate::app::TREE_ROWS.max(self.shown.table.len()));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_that_is_pressed_pasted_clicked_or_fed_breaks_the_app(steps in steps(), picking in any::<bool>()) {
        let mut app = App { size: (80, 24), ..App::default() };
        if picking {
            app.mode = Mode::Pick(Picker::default());
        }
        // A small budget, so that windows roll up and go under the frozen view.
        let session = Session::new(40_000);
        let mut desk = Desk { app, session, shown: Shown::default(), told: 0 };
        for step in steps {
            match step {
                Step::Feed(count) => desk.feed(count),
                Step::Hurry(msg) => desk.tell(msg),
                Step::Tell(msg) => {
                    desk.shown.refresh(&desk.app, &desk.session);
                    desk.tell(msg);
                }
            }
            desk.check()?;
        }
        desk.shown.refresh(&desk.app, &desk.session);
        desk.tell(Msg::Tick(Moment(0)));
        desk.check_scroll()?;
    }
}
