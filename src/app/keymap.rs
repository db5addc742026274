//! The one table of actions: dispatch, help screen, hint line and README are made from it.

use super::key::{Key, KeyCode};

/// The modes in which an action's keys count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeSet {
    /// While looking around.
    Browse,
    /// Everywhere, whatever is open.
    Always,
}

macro_rules! actions {
    ($($id:ident, $name:literal, [$($key:expr),*], $modes:ident, $hint:literal, $help:literal;)*) => {
        /// Something a key can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $help] $id,)*
        }

        /// Every action, in the order of the help screen.
        pub const ACTIONS: &[ActionSpec] = &[
            $(ActionSpec { action: Action::$id, name: $name, keys: &[$($key),*], modes: ModeSet::$modes, hint: $hint, help: $help },)*
        ];
    };
}

/// An action's row in the table.
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// The action.
    pub action: Action,
    /// Its name for the configuration.
    pub name: &'static str,
    /// Its keys; the first is the one shown in hints.
    pub keys: &'static [Key],
    /// Where they count.
    pub modes: ModeSet,
    /// One or two words for the hint line; empty: not hinted.
    pub hint: &'static str,
    /// What it does.
    pub help: &'static str,
}

const fn c(c: char) -> Key {
    Key::char(c)
}

const fn k(code: KeyCode) -> Key {
    Key::plain(code)
}

actions! {
    Freeze, "freeze", [c(' '), c('z')], Browse, "freeze", "Freeze the view or go live again; sampling goes on";
    PreviousWindow, "previous-window", [c('[')], Browse, "", "Step to the window before (freezes first)";
    NextWindow, "next-window", [c(']')], Browse, "", "Step to the window after";
    TenBack, "ten-windows-back", [c('{')], Browse, "", "Step ten windows back";
    TenForward, "ten-windows-forward", [c('}')], Browse, "", "Step ten windows forward";
    GrowRange, "grow-range", [c('<')], Browse, "", "Extend the selected range by the window before it";
    ShrinkRange, "shrink-range", [c('>')], Browse, "", "Take the oldest window off the selected range";
    Live, "live", [k(KeyCode::End)], Browse, "", "Go to the newest window, live";
    Play, "play", [c('p')], Browse, "", "Play the timeline from here on, or pause";
    Slower, "slower", [c('(')], Browse, "", "Play slower";
    Faster, "faster", [c(')')], Browse, "", "Play faster";
    Goto, "goto", [c(':')], Browse, "", "Go to a time (14:32:10, +90s, -30s) or to the peak of a gauge (rss, delay max)";
    NextMark, "next-mark", [c('\'')], Browse, "", "To the next mark";
    PreviousMark, "previous-mark", [c('"')], Browse, "", "To the mark before";
    NextStall, "next-stall", [c('.')], Browse, "", "To the next stall: an event-loop delay of 50 ms or more";
    PreviousStall, "previous-stall", [c(',')], Browse, "", "To the stall before";
    NextPeak, "next-peak", [c('P')], Browse, "", "To the greatest event-loop delay, or the gauge named with :, then the next greatest";
    Record, "record", [c('R')], Browse, "record", "Start or stop recording to a file";
    Write, "write", [c('w')], Browse, "write pprof", "Write what is on screen as pprof: CPU and heap with one timestamp";
    WriteMenu, "write-menu", [c('W')], Browse, "", "Choose what to write, and in which format";
    Mark, "mark", [c('m')], Browse, "", "Mark this moment with a note";
    SampleType, "sample-type", [c('v')], Browse, "type", "Next sample type: CPU, live heap, allocated";
    HeapProfile, "heap-profile", [c('H')], Browse, "", "Switch the heap profile on or off (its cost is stated first)";
    ZoomIn, "zoom-in", [k(KeyCode::Enter)], Browse, "zoom", "Zoom to the selected frame; open or close a branch of the tree";
    ZoomReset, "zoom-out", [k(KeyCode::Esc)], Browse, "", "Zoom all the way out; leave a search";
    ZoomUp, "zoom-up", [k(KeyCode::Backspace)], Browse, "", "Zoom out one level";
    ResetView, "reset-view", [c('0')], Browse, "", "Reset zoom, filters and search";
    Left, "left", [k(KeyCode::Left), c('h')], Browse, "", "To the sibling on the left; close a branch";
    Down, "down", [k(KeyCode::Down), c('j')], Browse, "", "To the callee; the next row";
    Up, "up", [k(KeyCode::Up), c('k')], Browse, "", "To the caller; the row before";
    Right, "right", [k(KeyCode::Right), c('l')], Browse, "", "To the sibling on the right; open a branch";
    First, "first", [c('g'), k(KeyCode::Home)], Browse, "", "To the root; the first row";
    Last, "last", [c('G')], Browse, "", "To the deepest frame of the hot path; the last row";
    PageUp, "page-up", [k(KeyCode::PageUp)], Browse, "", "One screen up";
    PageDown, "page-down", [k(KeyCode::PageDown)], Browse, "", "One screen down";
    Hottest, "hottest", [c('J')], Browse, "", "Jump to the frame with the greatest self value";
    NextPane, "next-pane", [k(KeyCode::Tab)], Browse, "pane", "Next pane";
    PreviousPane, "previous-pane", [k(KeyCode::BackTab)], Browse, "", "Pane before";
    PaneFlame, "pane-flame", [c('1')], Browse, "", "The flame (icicle)";
    PaneTree, "pane-tree", [c('2')], Browse, "", "The call tree";
    PaneTop, "pane-top", [c('3')], Browse, "", "The table of functions";
    Maximise, "maximise", [c('e')], Browse, "", "Give the pane the whole screen";
    Search, "search", [c('/')], Browse, "search", "Search names with a regular expression";
    NextMatch, "next-match", [c('n')], Browse, "", "To the next match";
    PreviousMatch, "previous-match", [c('N')], Browse, "", "To the match before";
    SearchCursor, "search-cursor", [c('#')], Browse, "", "Search the function under the cursor";
    Focus, "focus", [c('f')], Browse, "", "Focus on this function, all its callers merged; again: off";
    Hide, "hide", [c('x')], Browse, "", "Hide this function; what it calls moves up to its caller";
    Unhide, "unhide", [c('X')], Browse, "", "Show everything hidden again";
    Recursion, "fold-recursion", [c('r')], Browse, "", "Fold recursion, on or off";
    Invert, "invert", [c('i')], Browse, "", "Invert the flame: leaves first";
    Order, "order", [c('o')], Browse, "", "Order siblings by name or by value; the table by self or total";
    Numbers, "numbers", [c('%')], Browse, "", "Numbers as share, value or value per second; of a difference per second or by share";
    Idle, "idle", [c('I')], Browse, "", "Count idle time, on or off";
    Colour, "colour", [c('b')], Browse, "", "Colour by package, kind or self value";
    Diff, "diff", [c('d')], Browse, "diff", "Show the difference to the base, on or off; without a base, take what is on screen as one";
    Base, "base", [c('B')], Browse, "", "Take what is on screen as the base to compare with";
    LongerWindow, "longer-window", [c('+'), c('=')], Browse, "", "Longer windows";
    ShorterWindow, "shorter-window", [c('-')], Browse, "", "Shorter windows";
    CopyFrame, "copy-frame", [c('y')], Browse, "", "Copy the selected frame's name and place";
    CopyStack, "copy-stack", [c('Y')], Browse, "", "Copy the selected stack as a small icicle; from the tree as a folded line";
    Redraw, "redraw", [Key::ctrl('l')], Always, "", "Draw the screen anew";
    Help, "help", [c('?'), k(KeyCode::F(1))], Browse, "help", "All keys";
    Quit, "quit", [c('q')], Browse, "quit", "Quit (asks only while recording)";
    QuitKeep, "quit-keep", [c('Q')], Browse, "", "Quit and leave the last frame on the screen";
    Interrupt, "interrupt", [Key::ctrl('c')], Always, "", "Quit at once";
}

impl Action {
    /// The action's row.
    pub fn spec(self) -> &'static ActionSpec {
        &ACTIONS[self as usize]
    }

    /// What a key does; `browsing` tells whether nothing is open that takes keys itself.
    pub fn of(key: Key, browsing: bool) -> Option<Self> {
        ACTIONS
            .iter()
            .find(|spec| (browsing || spec.modes == ModeSet::Always) && spec.keys.contains(&key))
            .map(|spec| spec.action)
    }
}

/// The actions whose name, help or keys hold `filter`: the rows of the help screen.
pub fn actions_matching(filter: &str) -> Vec<&'static ActionSpec> {
    let filter = filter.to_lowercase();
    let fits = |spec: &&ActionSpec| {
        spec.name.contains(&filter)
            || spec.help.to_lowercase().contains(&filter)
            || spec.keys.iter().any(|key| key_name(*key).to_lowercase() == filter)
    };
    ACTIONS.iter().filter(fits).collect()
}

/// How a key is written in help and hints.
pub fn key_name(key: Key) -> String {
    let name = match key.code {
        KeyCode::Char(' ') => "Space".into(),
        KeyCode::Char(c) if key.ctrl => return format!("Ctrl-{}", c.to_ascii_uppercase()),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::BackTab => "Shift-Tab".into(),
        KeyCode::Left => "←".into(),
        KeyCode::Right => "→".into(),
        KeyCode::Up => "↑".into(),
        KeyCode::Down => "↓".into(),
        KeyCode::PageUp => "PgUp".into(),
        KeyCode::PageDown => "PgDn".into(),
        KeyCode::F(n) => format!("F{n}"),
        code => format!("{code:?}"),
    };
    if key.ctrl { format!("Ctrl-{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_and_every_row_stands_at_its_action() {
        for (index, spec) in ACTIONS.iter().enumerate() {
            assert_eq!(spec.action as usize, index);
            for key in spec.keys {
                let owners: Vec<_> =
                    ACTIONS.iter().filter(|other| other.keys.contains(key)).map(|s| s.name).collect();
                assert_eq!(owners, [spec.name], "{}", key_name(*key));
            }
        }
    }

    #[test]
    fn keys_that_terminals_and_multiplexers_keep_are_not_bound() {
        let kept = ['s', 'q', 'z', '\\', 'b', 'a', 'w'].map(Key::ctrl);
        let bound = |key: &Key| ACTIONS.iter().any(|spec| spec.keys.contains(key));
        assert!(!kept.iter().any(bound) && !bound(&Key::char('~')));
    }
}
