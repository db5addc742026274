//! Two ranges against each other.

use crate::browser::Scheme;
use crate::open;
use crate::support::runtimes::require_chromium;
use crate::worlds;

/// The cells of the function's row in the table.
fn row(browser: &crate::Browser, name: &str) -> Vec<String> {
    let cells = browser.text(&format!(
        "[...document.querySelectorAll('#functions .tbody .tr')]
            .map((row) => [...row.children].map((cell) => cell.textContent))
            .find((cells) => cells.includes('{name}')).join('\\n')"
    ));
    cells.lines().map(Into::into).collect()
}

#[test]
fn what_is_new_gone_more_and_the_same_is_told() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "diff", &worlds::before_and_after(), Scheme::Light);
    let browser = &opened.browser;
    // The first two seconds are the base, the last two are looked at.
    ["[", "[", "[", "[", ">", "m", "]", ">", "d", "2"].into_iter().for_each(|key| browser.key(key));
    assert_eq!(browser.eval("flametop.state.base.end").as_u64(), Some(2_000_000_000));
    assert_eq!(browser.eval("flametop.state.range.start").as_u64(), Some(2_000_000_000));
    let row = |name| row(browser, name)[..4].join("|");
    assert_eq!(row("old"), "100 ms/s||\u{2212}100 ms/s|gone");
    assert_eq!(row("new"), "|50.0 ms/s|+50.0 ms/s|new");
    assert_eq!(row("same"), "300 ms/s|301 ms/s|+1.00 ms/s|+0.33 % ~");
    assert_eq!(row("more"), "200 ms/s|400 ms/s|+200 ms/s|+100 %");
    assert_eq!(row("few"), "|1.00 ms/s|+1.00 ms/s|new ~");
    browser.key("%");
    assert_eq!(row("old"), "16.7 %||\u{2212}16.7 pp|gone");
    // Both are drawn, also what is gone, and each box says in words what its colour says.
    browser.key("1");
    let drawn = browser.text("[...flametop.flame.frame].map(flametop.name).join()");
    assert_eq!(drawn, "all,main,few,more,new,old,same");
    assert_eq!(browser.eval("flametop.flame.width.every((width) => width > 0)"), serde_json::json!(true));
    browser.picture(&crate::beside_reports("diff.png"));
    browser.keys("jj");
    let detail = browser.shown("detail");
    assert!(detail.contains("more") && detail.contains("A 33.3 %, B 53.2 %: +19.9 pp (+59.6 %)"), "{detail}");
    browser.key("d");
    assert!(browser.eval("flametop.flame.total.length").as_u64() == Some(1));
    opened.assert_quiet();
}

#[test]
fn a_level_is_compared_as_growth() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "growth", &worlds::server(60, 30..31), Scheme::Light);
    let browser = &opened.browser;
    let live = browser.eval("flametop.report.kinds.findIndex((kind) => kind.level)");
    browser.eval(&format!("flametop.change({{kind: {live}}})"));
    ["[", "[", "{", "{", "m"].into_iter().for_each(|key| browser.key(key));
    let base = browser.eval("flametop.total").as_f64().expect("a total");
    ["}", "}", "d"].into_iter().for_each(|key| browser.key(key));
    assert_eq!(browser.shown("measure"), "growth");
    let [a, b] = [1, 2]
        .map(|column| browser.eval(&format!("flametop.flame.total[{column}][0]")).as_f64().expect("a total"));
    assert!((a - base).abs() < 0.5, "as many bytes as there were, whatever the length of the window");
    assert!(b > a, "the made-up heap grows");
    opened.assert_quiet();
}
