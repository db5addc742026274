//! The law of shapes: hidden, focused, inverted and all the others look as the session's flame does.

use crate::browser::Scheme;
use crate::support::runtimes::require_chromium;
use crate::worlds;
use crate::{Opened, open};
use flametop::profile::{Flame, FrameId, Shape};
use flametop::session::{Range, Scope, Selected, Selection, Session};

/// A line a node: depth, name, place, self, total.
const DUMP: &str = "(() => { const { flame, report } = flametop, lines = [];
    const own = flame.total.length - 1;
    for (let at = 0; at < flame.count; at++) {
        const frame = report.frames[flame.frame[at]] || { name: 'all', line: 0, column: 0 };
        lines.push([flame.depth[at], frame.name, frame.line, frame.column, flame.self[own][at], flame.total[own][at]].join(' '));
    }
    return lines.join('\\n'); })()";

fn selected(session: &Session) -> Selected {
    let span = session.timeline().span().expect("there are windows");
    let selection = Selection { range: Range::Span(span), kind: "cpu".into(), scope: Scope::All };
    session.select(&selection).expect("there is CPU time")
}

/// The session's flame in the same words. Nodes without a value are not drawn.
fn expected(session: &Session, shape: &Shape) -> Vec<String> {
    let selected = selected(session);
    let flame = Flame::build(session.tree(), &selected.fold, selected.column, shape);
    let (mut lines, mut waiting) = (Vec::new(), vec![0u32]);
    while let Some(at) = waiting.pop() {
        let node = flame.node(at);
        if at == 0 || node.total != 0 {
            let frame = session.tree().frames().get(node.frame);
            lines.push(format!(
                "{} {} {} {} {} {}",
                node.depth, frame.name, frame.line, frame.column, node.self_value, node.total
            ));
        }
        waiting.extend(flame.children(at).iter().rev());
    }
    lines
}

fn shown(opened: &Opened, patch: &str) -> Vec<String> {
    opened.browser.eval(&format!("flametop.change({patch})"));
    opened.browser.text(DUMP).lines().map(Into::into).collect()
}

fn frames_named(session: &Session, name: &str) -> Vec<FrameId> {
    let frames = session.tree().frames();
    (0..frames.len()).map(FrameId::from).filter(|id| &*frames.get(*id).name == name).collect()
}

#[test]
fn every_shape_is_that_of_the_session() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "shapes", &worlds::server(20, 5..6), Scheme::Light);
    let session = opened.report.session();
    let idle = |show_idle| Shape { show_idle, ..Shape::default() };
    let hidden = Shape { hidden: frames_named(session, "preHandlerCallback"), ..Shape::default() };
    let focus = Shape { focus: frames_named(session, "baseClone").first().copied(), ..Shape::default() };
    let inverted = Shape { inverted: true, ..Shape::default() };
    let recursion = Shape { fold_recursion: true, ..Shape::default() };
    let all =
        Shape { inverted: true, fold_recursion: true, hidden: hidden.hidden.clone(), ..Shape::default() };
    let id = |name: &str| format!("flametop.report.frames.findIndex((frame) => frame.name === '{name}')");
    let none = "idle: false, hidden: new Set(), focus: -1, inverted: false, recursion: false, byValue: false";
    for (patch, shape) in [
        (String::new(), idle(false)),
        ("idle: true".into(), idle(true)),
        (format!("hidden: new Set([{}])", id("preHandlerCallback")), hidden),
        (format!("focus: {}", id("baseClone")), focus.clone()),
        (format!("focus: {}, inverted: true", id("baseClone")), Shape { inverted: true, ..focus }),
        ("inverted: true".into(), inverted),
        ("recursion: true".into(), recursion),
        (format!("inverted: true, recursion: true, hidden: new Set([{}])", id("preHandlerCallback")), all),
    ] {
        let lines = shown(&opened, &format!("{{{none}, {patch}}}"));
        let expected = expected(session, &shape);
        assert!(lines.len() > 3, "{patch}");
        assert_eq!(lines, expected, "{patch}");
    }
    let mut by_value = shown(&opened, &format!("{{{none}, byValue: true}}"));
    let mut expected = expected(session, &Shape { by_value: true, ..Shape::default() });
    assert_eq!(by_value[..5], expected[..5], "the heaviest come first");
    by_value.sort();
    expected.sort();
    assert_eq!(by_value, expected);
    opened.assert_quiet();
}

#[test]
fn hiding_by_key_gives_the_callees_to_the_caller() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "hide", &worlds::server(10, 5..6), Scheme::Light);
    let browser = &opened.browser;
    let callers = "(() => { const { flame } = flametop;
        const at = flame.frame.findIndex((frame) => flametop.name(frame) === 'searchProducts');
        return [flametop.name(flame.frame[flame.parent[at]]), String(flame.total[0][at])].join(' '); })()";
    let before = browser.text(callers);
    let total = before.strip_prefix("preHandlerCallback ").expect("the caller is known").to_owned();
    browser.key("/");
    browser.keys("preHandler");
    browser.key("Enter");
    browser.key("x");
    assert_eq!(browser.text(callers), format!("hookRunnerGenerator {total}"));
    assert!(browser.shown("chips").contains("hidden: preHandlerCallback"));
    browser.key("X");
    assert_eq!(browser.text(callers), before);
    // A package as a whole: the program below it stays.
    browser.key("Escape");
    browser.key("/");
    browser.keys("onRequest");
    browser.key("Enter");
    browser.key("p");
    assert!(browser.shown("chips").contains("show all"));
    assert_eq!(browser.text(callers), format!("emit {total}"));
    opened.assert_quiet();
}

#[test]
fn a_search_tells_the_share_that_lies_in_what_matches() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "search", &worlds::server(20, 5..6), Scheme::Light);
    let session = opened.report.session();
    let selected = selected(session);
    let flame = Flame::build(session.tree(), &selected.fold, selected.column, &Shape::default());
    let matches = |at: u32| session.tree().frames().get(flame.node(at).frame).file.contains("fastify");
    let (mut sum, mut waiting) = (0, vec![0u32]);
    while let Some(at) = waiting.pop() {
        if at != 0 && matches(at) {
            sum += flame.node(at).total;
        } else {
            waiting.extend(flame.children(at));
        }
    }
    let browser = &opened.browser;
    browser.key("/");
    browser.keys("fastify/(lib|fastify)");
    let share =
        browser.eval("Number(document.getElementById('matched').dataset.share)").as_f64().expect("a share");
    assert!((share - sum as f64 / flame.total() as f64).abs() < 1e-12, "{share}");
    assert!(share > 0.3 && share < 0.9, "{share}");
    assert!(browser.shown("matched").ends_with('%'));
    browser.key("(");
    assert_eq!(browser.shown("matched"), "not a regular expression");
    browser.key("Escape");
    assert_eq!(browser.shown("matched"), "");
    opened.assert_quiet();
}
