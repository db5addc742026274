//! What is on screen, worked out once for each change: the flame of the selection, laid out.
//!
//! A memo, not state: it can be thrown away and made again from app and session.

use super::App;
use crate::profile::{
    Basis, Comparison, Flame, FunctionRow, Nanos, Rows, Sampling, Shape, Span, ValueKind, function_table,
    layout_rows,
};
use crate::session::{Selection, Session};

/// About the selection as a whole.
#[derive(Clone, Debug)]
pub struct ShownMeta {
    /// The stretch of time shown.
    pub span: Span,
    /// How much of it was observed.
    pub covered: Nanos,
    /// How it was taken.
    pub sampling: Sampling,
    /// What the numbers are.
    pub kind: ValueKind,
    /// How many windows are in it.
    pub windows: usize,
    /// How it is compared with the base, if it is.
    pub comparison: Option<Comparison>,
}

#[derive(Clone, Debug, PartialEq)]
struct FlameKey {
    revision: u64,
    selection: Selection,
    shape: Shape,
    against: Option<(u64, Basis)>,
}

/// The selection worked out.
#[derive(Debug, Default)]
pub struct Shown {
    key: Option<FlameKey>,
    /// About the selection; none while there is nothing to show.
    pub meta: Option<ShownMeta>,
    /// The flame; present exactly when `meta` is.
    pub flame: Option<Flame>,
    /// The node that fills the width: the zoomed one, or the deepest of its path that exists now.
    pub zoom: u32,
    /// The node under the cursor, or the deepest of its path that exists now.
    pub cursor: u32,
    /// Whether the cursor's whole path exists now.
    pub cursor_found: bool,
    /// The icicle's rows.
    pub rows: Rows,
    /// The functions, greatest self value first.
    pub table: Vec<FunctionRow>,
    /// Nodes whose name matches the search, by index.
    pub matched: Vec<bool>,
    /// Share of the total under matching frames.
    pub matched_share: f64,
}

/// Rows the screen gives to each part, from the top: header, sparklines, body, detail, hints. The last
/// row of the sparklines is their ruler, with the panes' tabs beside it; maximised it is all there is.
///
/// Shared by drawing and by mouse hits, so that both mean the same cells.
pub fn screen_rows(size: (u16, u16), maximised: bool) -> [u16; 5] {
    let (_, height) = size;
    let (header, detail, hints) = match height {
        0..=9 => (1, 0, 0),
        10..=15 => (1, 1, 1),
        16..=29 => (2, 1, 1),
        _ => (2, 2, 1),
    };
    let sparklines = match height {
        0..=15 => 0,
        _ if maximised => 1,
        16..=29 => 5,
        30..=47 => 9,
        _ => 13,
    };
    [header, sparklines, height.saturating_sub(header + sparklines + detail + hints), detail, hints]
}

impl Shown {
    /// How the selection is compared with the base, if it is.
    pub fn comparison(&self) -> Option<&Comparison> {
        self.meta.as_ref()?.comparison.as_ref()
    }

    /// Brings the memo up to date with app and session.
    pub fn refresh(&mut self, app: &App, session: &Session) {
        let key = FlameKey {
            revision: session.windows_revision(),
            selection: app.selection.clone(),
            shape: app.shape.clone(),
            against: app.against.map(|basis| (session.base_revision(), basis)),
        };
        if self.key.as_ref() != Some(&key) {
            self.fold(app, session);
            self.key = Some(key);
        }
        self.place(app);
        self.search(app, session);
    }

    fn fold(&mut self, app: &App, session: &Session) {
        let compared = app.against.and_then(|basis| session.compare(&app.selection, basis));
        let (selected, flame, comparison) = if let Some(compared) = compared {
            let (flame, comparison) = compared.flame(session.tree(), &app.shape);
            (compared.selected, flame, Some(comparison))
        } else if let Some(selected) = session.select(&app.selection) {
            let flame = Flame::build(session.tree(), &selected.fold, selected.column, &app.shape);
            (selected, flame, None)
        } else {
            (self.meta, self.flame, self.table) = (None, None, Vec::new());
            return;
        };
        self.table = function_table(&flame);
        self.meta = Some(ShownMeta {
            span: selected.span,
            covered: selected.covered,
            sampling: selected.sampling,
            kind: selected.fold.kinds()[selected.column].clone(),
            windows: selected.windows.len(),
            comparison,
        });
        self.flame = Some(flame);
    }

    fn place(&mut self, app: &App) {
        let Some(flame) = &self.flame else {
            (self.zoom, self.cursor, self.cursor_found, self.rows) =
                (0, 0, app.cursor.is_empty(), Rows::default());
            return;
        };
        self.zoom = flame.find(&app.zoom).0;
        (self.cursor, self.cursor_found) = flame.find(&app.cursor);
        self.rows = layout_rows(flame, self.zoom, app.size.0);
    }

    fn search(&mut self, app: &App, session: &Session) {
        self.matched.clear();
        self.matched_share = 0.0;
        let Some(search) = app.search.as_ref().filter(|search| search.regex.is_some()) else { return };
        let Some(flame) = &self.flame else { return };
        let frames = session.tree().frames();
        let hit = |at: usize| at > 0 && search.matches(frames.get(flame.nodes()[at].frame));
        self.matched = (0..flame.nodes().len()).map(hit).collect();
        self.matched_share = matched_total(flame, &self.matched) as f64 / flame.total().max(1) as f64;
    }
}

/// Sum of the outermost matching nodes: what lies under a match counts once.
fn matched_total(flame: &Flame, matched: &[bool]) -> i64 {
    let mut under = vec![false; matched.len()];
    let mut total = 0;
    for at in 1..matched.len() {
        let node = flame.node(at as u32);
        let above = under[node.parent as usize];
        under[at] = above || matched[at];
        if matched[at] && !above {
            total += node.total;
        }
    }
    total
}
