//! Bytes to the terminal: the made-up world of two minutes at 120x40 in 256 colours, a frame for each
//! window and each batch of gauges, as the screen of a live target draws them.
//!
//! `cargo bench --bench bytes_per_frame`. Counts, not times: the same on every machine.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use flametop::app::{App, Msg, Shown};
use flametop::engine::encode;
use flametop::feed::Feed;
use flametop::session::Session;
use flametop::source::synthetic::events;
use flametop::theme::{ColourDepth, Glyphs, Theme};
use flametop::view::{OwnCost, Ui, frame};

fn main() {
    let theme = Theme::builtin("dark", ColourDepth::Indexed, Glyphs::Unicode).expect("it is built in");
    let (mut app, mut session, mut shown) = (App::default(), Session::default(), Shown::default());
    let _ = app.update(Msg::Resize(120, 40), &session, &shown);
    let (mut before, mut first) = (None, 0);
    let (mut windows, mut gauges, mut unchanged) = (Vec::new(), Vec::new(), 0);
    for event in events(1, 120) {
        let at_window = matches!(event.feed, Feed::Window(_));
        session.ingest(&event);
        let _ = app.update(Msg::Tick(event.at), &session, &shown);
        let _ = app.update(Msg::Fed(event.source), &session, &shown);
        shown.refresh(&app, &session);
        let own = OwnCost::default();
        let ui = Ui { app: &app, session: &session, shown: &shown, theme: &theme, own: &own };
        let now = frame(&ui, (120, 40));
        let bytes = encode(before.as_ref(), &now).len();
        unchanged += encode(Some(&now), &now).len();
        match before {
            None => first = bytes,
            Some(_) if at_window => windows.push(bytes),
            Some(_) => gauges.push(bytes),
        }
        before = Some(now);
    }
    let whole = before.as_ref().map_or(0, |now| encode(None, now).len());
    println!("first frame {first} bytes, full repaint {whole} bytes, nothing changed {unchanged} bytes");
    println!("a new window: {}", summary(&mut windows));
    println!("a batch of gauges: {}", summary(&mut gauges));
}

fn summary(bytes: &mut [usize]) -> String {
    bytes.sort_unstable();
    let at = |share: usize| bytes.get(bytes.len() * share / 100).copied().unwrap_or(0);
    let mean = bytes.iter().sum::<usize>() / bytes.len().max(1);
    format!("mean {mean}, median {}, 95 % {} bytes in {} frames", at(50), at(95), bytes.len())
}
