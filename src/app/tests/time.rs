//! Freezing, stepping and ranges, while windows keep coming.

use super::{Watched, watch};
use crate::app::{Effect, MouseEvent, MouseKind, Msg, axis_columns};
use crate::profile::{Flame, Span, ValueKind};
use crate::session::Range;

/// Seconds from and to of the range on screen.
fn range(watched: &Watched) -> Option<(i64, i64)> {
    let seconds = |span: Span| (span.start.0 / 1_000_000_000, span.end().0 / 1_000_000_000);
    match watched.app.selection.range {
        Range::Live => None,
        Range::Span(span) => Some(seconds(span)),
    }
}

/// Ten windows; window `n` holds the value `n + 1`.
fn ten_windows() -> Watched {
    let mut watched = watch(&[("f", 1)]);
    (1..10).for_each(|second| watched.add_window(second, &[("f", second + 1)]));
    watched
}

fn total(watched: &Watched) -> i64 {
    watched.shown.flame.as_ref().map_or(0, Flame::total)
}

#[test]
fn freezing_holds_what_is_seen_while_windows_come() {
    let mut watched = ten_windows();
    let effects = watched.keys(" ");
    assert!(matches!(&effects[..], [Effect::Pin(_)]));
    watched.add_window(10, &[("f", 11)]);
    assert_eq!((range(&watched), total(&watched)), (Some((9, 10)), 10));
    assert_eq!(watched.keys(" "), [Effect::Unpin]);
    assert_eq!((range(&watched), total(&watched)), (None, 11));
}

#[test]
fn steps_end_at_both_edges() {
    let mut watched = ten_windows();
    for (keys, expected) in [
        ("]", (9, 10)),
        ("[", (8, 9)),
        ("[[", (6, 7)),
        ("{", (0, 1)),
        ("[", (0, 1)),
        ("}", (9, 10)),
        ("]", (9, 10)),
    ] {
        watched.keys(keys);
        assert_eq!(range(&watched), Some(expected), "after {keys}");
    }
    watched.keys("<end>");
    assert_eq!(range(&watched), None);
}

#[test]
fn ranges_grow_and_shrink_at_the_old_end_and_move_as_a_whole() {
    let mut watched = ten_windows();
    watched.keys("<<<");
    assert_eq!((range(&watched), total(&watched)), (Some((6, 10)), 7 + 8 + 9 + 10));
    watched.keys("[[");
    assert_eq!(range(&watched), Some((4, 8)));
    watched.keys("{");
    assert_eq!(range(&watched), Some((0, 4)));
    watched.keys(">>>>>");
    assert_eq!(range(&watched), Some((3, 4)));
}

#[test]
fn nothing_to_freeze_is_said() {
    let mut watched = watch(&[]);
    watched.session = crate::session::Session::default();
    watched.keys(" [<");
    assert!(watched.toast().contains("nothing to freeze"));
    assert_eq!(range(&watched), None);
}

#[test]
fn dragging_along_the_sparklines_selects_a_range() {
    let mut watched = ten_windows();
    let (first, width) = axis_columns(watched.app.size.0);
    let right = first + width - 1;
    let mouse = |kind, x| Msg::Mouse(MouseEvent { kind, x, y: 3 });
    watched.tell(mouse(MouseKind::Press, right - 4));
    assert_eq!(range(&watched), Some((5, 6)));
    watched.tell(mouse(MouseKind::Drag, right - 1));
    assert_eq!(range(&watched), Some((5, 9)));
    watched.tell(mouse(MouseKind::Drag, right - 6));
    assert_eq!(range(&watched), Some((3, 6)));
    watched.tell(mouse(MouseKind::Release, right));
    watched.tell(mouse(MouseKind::Drag, right));
    assert_eq!(range(&watched), Some((3, 6)));
}

#[test]
fn the_sample_type_goes_round_with_bare_counts_last() {
    let mut watched = watch(&[("f", 1)]);
    watched.add(0, 1, ValueKind::samples(), &[("f", 1)]);
    watched.add(0, 1, ValueKind::alloc_space(), &[("f", 1)]);
    watched.add(0, 1, ValueKind::inuse_space(), &[("f", 1)]);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(watched.app.selection.kind.to_string());
        watched.keys("v");
    }
    assert_eq!(seen, ["cpu", "inuse_space", "alloc_space", "samples"]);
    assert_eq!(&*watched.app.selection.kind, "cpu");
}

#[test]
fn a_target_without_cpu_samples_is_shown_by_what_it_has() {
    let mut watched = watch(&[]);
    watched.session = crate::session::Session::default();
    watched.add(0, 1, ValueKind::inuse_space(), &[("f", 8)]);
    assert_eq!(&*watched.app.selection.kind, "inuse_space");
    assert_eq!(total(&watched), 8);
}

#[test]
fn what_is_on_screen_becomes_the_base_and_is_compared_until_d_ends_it() {
    let mut watched = ten_windows();
    watched.keys("[[[d");
    let base = watched.session.base().map(|base| base.span);
    assert_eq!(base, watched.shown.meta.as_ref().map(|meta| meta.span));
    let whole = |watched: &Watched| watched.shown.comparison().map(|c| (c.base.total, c.other.total));
    let (was, now) = whole(&watched).expect("it is compared");
    assert_eq!(was, now, "with itself");
    watched.keys("]]");
    assert_eq!(
        whole(&watched).map(|sides| sides.1),
        Some(now + 2),
        "a window holds one more than the one before"
    );
    watched.keys("d");
    assert_eq!(whole(&watched), None);
    assert!(watched.session.base().is_some(), "the base stays");
    watched.keys("dB");
    assert_eq!(whole(&watched), Some((now + 2, now + 2)), "B takes another");
}
