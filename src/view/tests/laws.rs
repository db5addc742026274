//! What holds for every screen.

use super::world::World;
use crate::app::{Key, KeyCode, Msg};
use crate::feed::{Event, Feed, SourceId};
use crate::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
};
use crate::theme::{BUILTIN, ColourDepth, Glyphs, Theme};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

const CODES: &[KeyCode] = &[
    KeyCode::Enter,
    KeyCode::Esc,
    KeyCode::Backspace,
    KeyCode::Tab,
    KeyCode::Left,
    KeyCode::Right,
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::Home,
    KeyCode::End,
    KeyCode::PageUp,
    KeyCode::PageDown,
];

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let key = prop_oneof![
        3 => proptest::char::range(' ', '~').prop_map(Key::char),
        1 => prop::sample::select(CODES).prop_map(Key::plain),
    ];
    prop::collection::vec(key, 0..25)
}

fn themes() -> impl Strategy<Value = Theme> {
    let names = prop::sample::select(BUILTIN).prop_map(|theme| theme.name);
    let glyphs = prop::sample::select(vec![Glyphs::Unicode, Glyphs::Ascii]);
    (names, prop::sample::select(ColourDepth::ALL.to_vec()), glyphs)
        .prop_map(|(name, depth, glyphs)| Theme::builtin(name, depth, glyphs).expect("a built-in theme"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn drawing_never_fails(size in (0u16..=210, 0u16..=70), keys in keys(), theme in themes(), seconds in 0u64..16) {
        let mut world = World::after(seconds, (80, 24));
        world.theme = theme;
        for key in keys {
            world.tell(Msg::Key(key));
        }
        world.tell(Msg::Resize(size.0, size.1));
        let buf = world.draw();
        prop_assert_eq!((buf.area.width, buf.area.height), size);
        if world.theme.glyphs == Glyphs::Ascii {
            prop_assert!(buf.content().iter().all(|cell| cell.symbol().is_ascii()));
        }
    }

    #[test]
    fn names_from_outside_stay_in_their_cells(
        names in prop::collection::vec("\\PC{0,20}|[函数😀🇩🇪é\u{301}\u{200d}]{1,300}", 1..8),
        pane in prop::sample::select(vec!["1", "2", "3"]),
        size in (40u16..=120, 10u16..=40),
    ) {
        let mut world = World::empty(size);
        world.feed(&window_of(&names));
        let mut world = world.keys(pane).keys("jjl");
        let buf = world.draw();
        for row in buf.area.rows() {
            let symbols: Vec<&str> = row.columns().map(|at| buf[(at.x, at.y)].symbol()).collect();
            prop_assert!(symbols.iter().all(|symbol| !symbol.chars().any(char::is_control)));
            let mut x = 0;
            while x < symbols.len() {
                x += symbols[x].width().max(1);
            }
            prop_assert_eq!(x, symbols.len());
        }
    }
}

/// A window of one stack of these names.
fn window_of(names: &[String]) -> Event {
    let frame = |name: &String| Frame::at(name, &format!("/srv/{name}.js"), 3, 1, FrameKind::Js);
    let nodes = (0..=names.len())
        .map(|at| ProfileNode { parent: at.saturating_sub(1) as u32, frame: at.saturating_sub(1) as u32 });
    let lane = ProfileLane {
        thread: Thread { pid: 1, tid: 1, name: "main".into() },
        nodes: vec![names.len() as u32],
        columns: vec![vec![1_000_000_000]],
        lines: Vec::new(),
        runs: Vec::new(),
        runs_dropped: 0,
    };
    let profile = Profile {
        kinds: vec![ValueKind::cpu()],
        span: Span { start: Moment(0), length: Nanos::from_secs(1) },
        covered: Nanos::from_secs(1),
        sampling: Sampling { period: 1_000_000, taken: 1000, ..Sampling::default() },
        frames: names.iter().map(frame).collect(),
        nodes: nodes.collect(),
        lanes: vec![lane],
        notes: Vec::new(),
    };
    Event { source: SourceId(0), at: Moment(1_000_000_000), feed: Feed::Window(Box::new(profile)) }
}
