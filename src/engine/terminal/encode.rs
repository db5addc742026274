//! From two screens to the fewest bytes that turn one into the other.
//!
//! Only cells that look different are sent; the cursor moves by the shortest sequence; of the
//! colours and attributes only what changed is set; blank tails are erased, not printed.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Unchanged cells that are printed again rather than jumped over: a jump takes four bytes or more.
const REPRINT: u16 = 3;

/// The style the terminal is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Writes what turns `shown` into `next`; without `shown` the whole screen is painted. Empty when
/// there is nothing to do. The pen is plain before and after.
pub fn encode(shown: Option<&Buffer>, next: &Buffer) -> String {
    // A terminal may say that it has no columns; there is no cell to speak of then.
    if next.area.is_empty() {
        return String::new();
    }
    let mut out = Encoder { text: String::new(), pen: PLAIN, at: None };
    let shown = shown.filter(|shown| shown.area == next.area);
    if shown.is_none() {
        out.text.push_str("\x1b[0m\x1b[2J");
    }
    for y in 0..next.area.height {
        out.row(shown, next, y);
    }
    out.set_pen(PLAIN);
    out.text
}

struct Encoder {
    text: String,
    pen: Pen,
    /// Where the cursor is, when that is known.
    at: Option<(u16, u16)>,
}

impl Encoder {
    fn row(&mut self, shown: Option<&Buffer>, next: &Buffer, y: u16) {
        let tail = blank_tail(next, y);
        let mut x = 0;
        let mut printed = false;
        while x < next.area.width {
            let width = cell_width(&next[(x, y)]);
            // Terminals blank the other half of a wide character when one is overwritten.
            let halved = printed && shown.is_some_and(|shown| cell_width(&shown[(x - 1, y)]) > 1);
            printed = halved || differs(shown, next, x, y, width);
            if !printed {
                x += width;
            } else if x >= tail && next.area.width - x > 4 {
                return self.erase_tail(next, x, y);
            } else {
                self.move_to(next, x, y);
                self.print(&next[(x, y)], width);
                x += width;
            }
        }
    }

    fn erase_tail(&mut self, next: &Buffer, x: u16, y: u16) {
        self.move_to(next, x, y);
        self.set_pen(Pen { bg: next[(x, y)].bg, ..PLAIN });
        self.text.push_str("\x1b[K");
    }

    fn move_to(&mut self, next: &Buffer, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((cx, cy)) if cy == y && cx < x && x - cx <= REPRINT && self.can_reprint(next, cx, x, y) => {
                (cx..x).for_each(|between| self.print(&next[(between, y)], 1));
                return;
            }
            Some((cx, cy)) if cy == y && cx < x => self.push(format_args!("\x1b[{}C", x - cx)),
            _ if x == 0 => self.push(format_args!("\x1b[{}H", y + 1)),
            _ => self.push(format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
        self.at = Some((x, y));
    }

    fn can_reprint(&self, next: &Buffer, from: u16, to: u16, y: u16) -> bool {
        (from..to).all(|x| {
            let cell = &next[(x, y)];
            cell.symbol().len() == 1 && looks(cell) == self.pen
        })
    }

    fn print(&mut self, cell: &Cell, width: u16) {
        let look = looks(cell);
        // The colour of a blank's text is not seen.
        let fg =
            if is_blank(cell) && !look.modifier.contains(Modifier::REVERSED) { self.pen.fg } else { look.fg };
        self.set_pen(Pen { fg, ..look });
        self.text.push_str(if cell.symbol().is_empty() { " " } else { cell.symbol() });
        // At the last column terminals differ in where the cursor is.
        self.at = self.at.map(|(x, y)| (x + width, y));
    }

    fn set_pen(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        let gone = self.pen.modifier - pen.modifier;
        let mut codes = Vec::new();
        if pen == PLAIN || !gone.is_empty() {
            codes.push("0".to_string());
            self.pen = PLAIN;
        }
        for (flag, code) in ATTRIBUTES {
            if pen.modifier.contains(*flag) && !self.pen.modifier.contains(*flag) {
                codes.push((*code).to_string());
            }
        }
        if pen.fg != self.pen.fg {
            codes.push(colour_code(pen.fg, 30));
        }
        if pen.bg != self.pen.bg {
            codes.push(colour_code(pen.bg, 40));
        }
        self.pen = pen;
        let codes = codes.join(";");
        self.push(format_args!("\x1b[{}m", if codes == "0" { "" } else { &codes }));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(text);
    }
}

const ATTRIBUTES: &[(Modifier, &str)] = &[
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::REVERSED, "7"),
    (Modifier::CROSSED_OUT, "9"),
];

fn looks(cell: &Cell) -> Pen {
    let known = ATTRIBUTES.iter().fold(Modifier::empty(), |all, (flag, _)| all | *flag);
    Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier & known }
}

fn is_blank(cell: &Cell) -> bool {
    let drawn = Modifier::UNDERLINED | Modifier::CROSSED_OUT;
    matches!(cell.symbol(), " " | "") && !cell.modifier.intersects(drawn)
}

fn cell_width(cell: &Cell) -> u16 {
    (cell.symbol().width() as u16).max(1)
}

/// Whether the cell looks different on the two screens.
fn differs(shown: Option<&Buffer>, next: &Buffer, x: u16, y: u16, width: u16) -> bool {
    let Some(shown) = shown else { return true };
    let end = (x + width).min(next.area.width);
    (x..end).any(|at| !same_look(&shown[(at, y)], &next[(at, y)]))
}

fn same_look(a: &Cell, b: &Cell) -> bool {
    if is_blank(a) && is_blank(b) {
        let reversed = (a.modifier | b.modifier).contains(Modifier::REVERSED);
        return a.bg == b.bg && (!reversed || (a.fg == b.fg && looks(a).modifier == looks(b).modifier));
    }
    a.symbol() == b.symbol() && looks(a) == looks(b)
}

/// From which column on the row is blank in one background.
fn blank_tail(buffer: &Buffer, y: u16) -> u16 {
    let width = buffer.area.width;
    let erasable = |cell: &Cell| is_blank(cell) && !cell.modifier.contains(Modifier::REVERSED);
    let last = &buffer[(width - 1, y)];
    if !erasable(last) {
        return width;
    }
    let kept = (0..width).rev().take_while(|x| erasable(&buffer[(*x, y)]) && buffer[(*x, y)].bg == last.bg);
    let tail = kept.last().unwrap_or(width);
    // The second half of a wide character is not a blank of its own.
    if tail > 0 && cell_width(&buffer[(tail - 1, y)]) > 1 { tail + 1 } else { tail }
}

fn colour_code(colour: Color, base: u8) -> String {
    let basic = match colour {
        Color::Reset => return (base + 9).to_string(),
        Color::Rgb(r, g, b) => return format!("{};2;{r};{g};{b}", base + 8),
        Color::Indexed(index) => return format!("{};5;{index}", base + 8),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
    };
    (base + basic).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    const WIDTH: u16 = 20;
    const HEIGHT: u16 = 4;

    fn terminal() -> vt100::Parser {
        let cells = |n| std::num::NonZeroU16::new(n).expect("not zero");
        vt100::Parser::new(cells(HEIGHT), cells(WIDTH), 0)
    }

    fn screen(parser: &vt100::Parser) -> Vec<(String, String, String, bool)> {
        let mut cells = Vec::new();
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let cell = parser.screen().cell(y, x).expect("inside the screen");
                // The second half of a wide character has no look of its own.
                if cell.is_wide_continuation() {
                    continue;
                }
                let text = if cell.contents().trim().is_empty() { " " } else { cell.contents() };
                let fg = if text == " " && !cell.inverse() {
                    String::new()
                } else {
                    format!("{:?}", cell.fgcolor())
                };
                cells.push((text.into(), fg, format!("{:?}", cell.bgcolor()), cell.inverse()));
            }
        }
        cells
    }

    fn buffers() -> impl Strategy<Value = Buffer> {
        let style = (0u8..4, 0u8..4, 0u8..4).prop_map(|(fg, bg, flags)| {
            let colour = |n| [Color::Reset, Color::Red, Color::Indexed(120), Color::Rgb(1, 2, 3)][n as usize];
            let flag =
                [Modifier::empty(), Modifier::BOLD, Modifier::REVERSED, Modifier::UNDERLINED][flags as usize];
            Style::new().fg(colour(fg)).bg(colour(bg)).add_modifier(flag)
        });
        let text = prop::sample::select(vec!["a", "bcd", " ", "     ", "函数", "é", "▏x"]);
        prop::collection::vec((0u16..WIDTH, 0u16..HEIGHT, text, style), 0..25).prop_map(|writes| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
            for (x, y, text, style) in writes {
                buffer.set_string(x, y, text, style);
            }
            buffer
        })
    }

    proptest! {
        #[test]
        fn a_difference_looks_like_a_full_paint(first in buffers(), second in buffers()) {
            let mut stepwise = terminal();
            stepwise.process(encode(None, &first).as_bytes());
            stepwise.process(encode(Some(&first), &second).as_bytes());
            let mut whole = terminal();
            whole.process(encode(None, &second).as_bytes());
            prop_assert_eq!(screen(&stepwise), screen(&whole));
        }

        #[test]
        fn nothing_changed_is_no_bytes(buffer in buffers()) {
            prop_assert_eq!(encode(Some(&buffer), &buffer), "");
        }
    }

    #[test]
    fn the_cell_after_a_wide_character_that_was_overwritten_is_painted_again() {
        let mut before = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        before.set_string(2, 1, "函数", Style::new());
        let mut after = before.clone();
        // It covers the first half of the one that stood there.
        after[(1, 1)].set_symbol("函").set_bg(Color::Red);
        let mut stepwise = terminal();
        stepwise.process(encode(None, &before).as_bytes());
        stepwise.process(encode(Some(&before), &after).as_bytes());
        let mut whole = terminal();
        whole.process(encode(None, &after).as_bytes());
        assert_eq!(screen(&stepwise), screen(&whole));
    }

    #[test]
    fn a_screen_without_cells_is_no_bytes() {
        let full = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        for (width, height) in [(0, 0), (0, HEIGHT), (WIDTH, 0)] {
            let empty = Buffer::empty(Rect::new(0, 0, width, height));
            assert_eq!(encode(None, &empty), "");
            assert_eq!(encode(Some(&full), &empty), "");
            assert!(encode(Some(&empty), &full).starts_with("\x1b[0m\x1b[2J"));
        }
    }

    #[test]
    fn one_changed_cell_costs_a_jump_and_the_cell() {
        let mut before = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        before.set_string(0, 0, "hello", Style::new());
        let mut after = before.clone();
        after.set_string(4, 0, "p", Style::new());
        assert_eq!(encode(Some(&before), &after), "\x1b[1;5Hp");
    }
}
