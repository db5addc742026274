//! Moving, zooming, searching and shaping, as a user does it.

use super::{path, watch};
use crate::app::{Effect, Mode, MouseEvent, MouseKind, Msg, Pane, screen_rows};
use crate::profile::Flame;

const WEB: &[(&str, i64)] =
    &[("http;route;parse", 30), ("http;route;render", 20), ("http;log", 10), ("timer;flush", 40)];

#[test]
fn down_goes_to_the_widest_callee_and_sideways_crosses_callers() {
    let mut watched = watch(WEB);
    for (key, cursor) in [
        ("j", "http"),
        ("j", "http;route"),
        ("j", "http;route;parse"),
        ("l", "http;route;render"),
        ("l", "http;route;render"),
        ("k", "http;route"),
        ("h", "http;log"),
        ("l", "http;route"),
        ("l", "timer;flush"),
        ("j", "timer;flush"),
    ] {
        watched.keys(key);
        assert_eq!(watched.cursor(), cursor, "after {key}");
    }
    watched.keys("g");
    assert_eq!(watched.cursor(), "");
    watched.keys("G");
    assert_eq!(watched.cursor(), "http;route;parse");
}

#[test]
fn a_path_that_is_gone_is_kept_until_the_cursor_moves() {
    let mut watched = watch(WEB);
    watched.keys("jjj");
    watched.add_window(1, &[("http;route;other", 5)]);
    assert_eq!(watched.cursor(), "http;route;parse");
    assert!(!watched.shown.cursor_found);
    watched.keys("j");
    assert_eq!(watched.cursor(), "http;route;other");
}

#[test]
fn the_row_of_the_cursor_is_always_in_sight() {
    let deep = (0..40).map(|at| format!("f{at}")).collect::<Vec<_>>().join(";");
    let mut watched = watch(&[(&deep, 1)]);
    watched.keys("G");
    let body = screen_rows(watched.app.size, false)[2];
    assert_eq!(watched.app.scroll, 41 - body);
    watched.keys("<pgup><pgup><pgup>");
    assert_eq!((watched.app.scroll, watched.cursor()), (0, String::new()));
}

#[test]
fn zoom_goes_in_and_the_same_way_back_out() {
    let mut watched = watch(WEB);
    watched.keys("j<enter>j<enter>");
    assert_eq!(watched.names(&watched.app.zoom), "http;route");
    watched.keys("<bs>");
    assert_eq!(watched.names(&watched.app.zoom), "http");
    watched.keys("<enter><esc>");
    assert!(watched.app.zoom.is_empty() && watched.app.zoomed_from.is_empty());
}

#[test]
fn searching_is_live_and_n_goes_round() {
    let mut watched = watch(WEB);
    watched.keys("/^r(");
    assert!(watched.app.search.as_ref().is_some_and(|search| search.error.is_some()));
    watched.keys("<bs>");
    assert!(watched.shown.matched_share > 0.0);
    watched.keys("<enter>");
    assert_eq!(watched.cursor(), "http;route");
    watched.keys("n");
    assert_eq!(watched.cursor(), "http;route;render");
    watched.keys("n");
    assert_eq!(watched.cursor(), "http;route");
    watched.keys("N");
    assert_eq!(watched.cursor(), "http;route;render");
    watched.keys("/zzz<esc>");
    assert_eq!(watched.app.search.as_ref().map(|search| search.text.as_str()), Some("^r"));
}

#[test]
fn an_upper_case_letter_makes_the_case_count() {
    let mut watched = watch(&[("Parse", 1), ("parse", 1)]);
    watched.keys("/Parse<enter>");
    assert_eq!(watched.cursor(), "Parse");
    watched.keys("n");
    assert_eq!(watched.cursor(), "Parse");
    watched.keys(r"/\Warse|parse<enter>n");
    assert_eq!(watched.cursor(), "parse");
}

#[test]
fn a_monstrous_expression_is_refused_with_a_reason() {
    let mut watched = watch(WEB);
    watched.keys(r"/(\w{200}){200}<enter>");
    assert!(watched.toast().contains("not a regular expression"), "{}", watched.toast());
}

#[test]
fn a_match_too_narrow_to_be_drawn_is_zoomed_to() {
    let mut watched = watch(&[("big", 100_000), ("tiny;leaf", 1)]);
    watched.keys("/leaf<enter>");
    assert_eq!(watched.names(&watched.app.zoom), "tiny;leaf");
}

#[test]
fn hiding_moves_paths_up_and_can_be_undone() {
    let mut watched = watch(WEB);
    watched.keys("jjj<up>x");
    assert_eq!(watched.cursor(), "http");
    watched.keys("j");
    assert_eq!(watched.cursor(), "http;parse");
    watched.keys("X");
    assert!(watched.app.shape.hidden.is_empty());
}

#[test]
fn focus_inversion_and_reset() {
    let mut watched = watch(WEB);
    watched.keys("jjf");
    assert_eq!(watched.cursor(), "route");
    assert_eq!(watched.shown.flame.as_ref().map(Flame::total), Some(50));
    watched.keys("f");
    assert!(watched.app.shape.focus.is_none());
    watched.keys("jjji");
    assert_eq!(watched.cursor(), "parse");
    watched.keys("0");
    assert!(!watched.app.shape.inverted);
}

#[test]
fn branches_open_and_close_and_keep_the_cursor() {
    let mut watched = watch(WEB);
    watched.keys("2<right><right>");
    assert_eq!(watched.cursor(), "http;route");
    watched.keys("<left>");
    assert_eq!(watched.cursor(), "http");
    watched.keys("<enter>");
    assert!(!watched.app.open.contains(&path(&watched.session, "http")));
    watched.keys("G");
    assert_eq!(watched.cursor(), "timer");
}

#[test]
fn enter_in_the_table_shows_the_heaviest_occurrence() {
    let mut watched = watch(&[("a;hot", 10), ("b;hot", 30), ("c", 5)]);
    watched.keys("3g<enter>");
    assert_eq!(watched.app.pane, Pane::Flame);
    assert_eq!(watched.names(&watched.app.zoom), "b;hot");
}

#[test]
fn the_stack_is_copied_in_at_most_twelve_lines() {
    let deep = (0..40).map(|at| format!("f{at}")).collect::<Vec<_>>().join(";");
    let mut watched = watch(&[(&deep, 5)]);
    let copied = |effects: Vec<Effect>| match effects.into_iter().next() {
        Some(Effect::Copy(text)) => text,
        other => format!("{other:?}"),
    };
    let text = copied(watched.keys("GY"));
    assert_eq!(text.lines().count(), 12, "{text}");
    assert!(text.contains("f39") && text.contains("100.0%") && text.contains("more"), "{text}");
    assert_eq!(copied(watched.keys("y")), "f39 (/srv/f39.js:7:3)");
    assert!(copied(watched.keys("2Y")).ends_with(";f38;f39 5"));
}

#[test]
fn a_click_selects_and_a_second_click_zooms() {
    let mut watched = watch(WEB);
    let [header, sparklines, ..] = screen_rows(watched.app.size, false);
    let below_the_root = header + sparklines + 1;
    let click = Msg::Mouse(MouseEvent { kind: MouseKind::Press, x: 2, y: below_the_root });
    watched.tell(click.clone());
    assert_eq!(watched.cursor(), "http");
    watched.tell(click);
    assert_eq!(watched.names(&watched.app.zoom), "http");
    watched.tell(Msg::Mouse(MouseEvent { kind: MouseKind::RightPress, x: 0, y: 0 }));
    assert!(watched.app.zoom.is_empty());
    assert!(matches!(watched.app.mode, Mode::Browse));
}
