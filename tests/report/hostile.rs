//! Names that mean something to a browser mean nothing here.

use crate::browser::Scheme;
use crate::open;
use crate::support::runtimes::require_chromium;
use crate::worlds;
use serde_json::json;

#[test]
fn names_are_shown_and_never_run() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "hostile", &worlds::hostile(), Scheme::Dark);
    let browser = &opened.browser;
    assert_eq!(browser.text("document.title"), "</script><script>window.hacked=1</script> - flametop");
    // Through every face of it, with the name selected, searched for, hidden and pointed at.
    browser.keys("jj#n");
    browser.key("Escape");
    browser.keys("12345");
    browser.keys("1gxc2i1mdw");
    browser.keys("5");
    let notes = browser.shown("notes");
    assert!(notes.contains("<img src=x onerror=window.hacked=1>"), "{notes}");
    assert!(notes.contains("\u{fffd}gnp.exe\u{fffd}"), "{notes}");
    assert!(browser.shown("who").starts_with("</script><script>"));
    browser.keys("2");
    let functions = browser.shown("functions");
    for name in ["__proto__", "constructor", "{{data}}{{script}}", "a;b 7\u{240a}c"] {
        assert!(functions.contains(name), "{name} in {functions}");
    }
    assert_eq!(browser.eval("typeof window.hacked"), json!("undefined"));
    assert_eq!(
        browser.eval("document.querySelectorAll('img, iframe, script:not([type])').length"),
        json!(1),
        "its own script"
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let asked = browser.requests();
    assert!(asked.iter().all(|url| url.starts_with("file://") || url.starts_with("blob:")), "{asked:?}");
}

#[test]
fn the_policy_stops_what_would_get_past_us() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "policy", &worlds::hostile(), Scheme::Light);
    let browser = &opened.browser;
    opened.assert_quiet();
    // As if a name had been written into the page as markup.
    browser.eval("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')");
    browser.until("window.hacked || document.images[0].complete");
    browser.eval(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked=1' }))",
    );
    browser.eval("fetch('http://127.0.0.1:9/').catch(() => {})");
    assert_eq!(browser.eval("typeof window.hacked"), json!("undefined"));
    let told = browser.complaints().join("\n");
    assert!(told.matches("Content Security Policy").count() >= 3, "{told}");
}
