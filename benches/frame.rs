//! What a frame costs: laying out the icicle and drawing the screen, after a minute of the made-up
//! world. Budget: a key is answered within 16 ms, so a frame takes well under one.

use criterion::{Criterion, criterion_group, criterion_main};
use flametop::app::{App, Msg, Pane, Shown};
use flametop::profile::{Nanos, layout_rows};
use flametop::session::Session;
use flametop::source::synthetic::{START, events};
use flametop::theme::Theme;
use flametop::view::{OwnCost, Ui, frame};
use std::hint::black_box;

const SIZE: (u16, u16) = (120, 40);

fn minute() -> (App, Session, Shown) {
    let mut session = Session::default();
    for event in events(1, 60) {
        session.ingest(&event);
    }
    let (mut app, mut shown) = (App::default(), Shown::default());
    for msg in [Msg::Resize(SIZE.0, SIZE.1), Msg::Tick(START + Nanos::from_secs(60))] {
        let _ = app.update(msg, &session, &shown);
    }
    shown.refresh(&app, &session);
    (app, session, shown)
}

fn draw(c: &mut Criterion) {
    let (mut app, session, mut shown) = minute();
    let (theme, own) = (Theme::default(), OwnCost::default());
    for pane in Pane::ALL {
        app.pane = pane;
        shown.refresh(&app, &session);
        let ui = Ui { app: &app, session: &session, shown: &shown, theme: &theme, own: &own };
        c.bench_function(&format!("frame/{}", pane.title()), |b| b.iter(|| frame(black_box(&ui), SIZE)));
    }
}

fn rows(c: &mut Criterion) {
    let (_, _, shown) = minute();
    let Some(flame) = &shown.flame else { return };
    c.bench_function("rows/120", |b| b.iter(|| layout_rows(black_box(flame), 0, SIZE.0)));
}

criterion_group!(benches, draw, rows);
criterion_main!(benches);
