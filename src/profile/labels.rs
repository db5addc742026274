//! Short names: what a frame is called when there is room for all of it, and when there is not.

use super::frame::{Frame, FrameKind};
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// The part of a program a frame belongs to: an npm package, `node`, `app`, or the kind's own name.
pub fn package_of(frame: &Frame) -> &str {
    if let Some(package) = npm_package(&frame.file) {
        return package;
    }
    match frame.kind {
        FrameKind::Js | FrameKind::Native if !frame.file.is_empty() && !frame.file.starts_with("node:") => {
            "app"
        }
        FrameKind::Js | FrameKind::Builtin => "node",
        kind => kind.as_str(),
    }
}

/// The package after the last `node_modules/`, with its scope.
fn npm_package(file: &str) -> Option<&str> {
    let (_, inside) = file.rsplit_once("node_modules/")?;
    let mut parts = inside.split('/');
    let first = parts.next()?;
    let length = if first.starts_with('@') { first.len() + 1 + parts.next()?.len() } else { first.len() };
    inside.get(..length)
}

/// A path as a user knows it: below the last `node_modules` with the package named, else the last
/// two parts; `node:...` as it is.
pub fn short_path(file: &str) -> Cow<'_, str> {
    if file.starts_with("node:") || file.is_empty() {
        return file.into();
    }
    if let Some((_, inside)) = file.rsplit_once("node_modules/") {
        return inside.into();
    }
    let mut cuts = file.rmatch_indices('/').map(|(at, _)| at);
    match (cuts.next(), cuts.next()) {
        (Some(_), Some(second)) => file[second + 1..].into(),
        _ => file.into(),
    }
}

/// Where a frame is defined, as a user knows it: `src/app.js:41`; empty when its line is not known.
pub fn place_of(frame: &Frame) -> String {
    if frame.line == 0 {
        return String::new();
    }
    format!("{}:{}", short_path(&frame.file), frame.line)
}

/// A frame's name, and its file and line as far as they are known: `f src/app.js:41`.
pub fn name_and_place(frame: &Frame) -> String {
    match (&*frame.file, frame.line) {
        ("", _) => frame.name.to_string(),
        (file, 0) => format!("{} {}", frame.name, short_path(file)),
        _ => format!("{} {}", frame.name, place_of(frame)),
    }
}

/// The longest name of the frame that fits `width` cells; shortened at its head, which matters
/// least, when even the bare name is too long. Empty when nothing readable fits.
pub fn fit_label(frame: &Frame, width: usize) -> Cow<'_, str> {
    let base = frame.file.rsplit('/').next().unwrap_or("");
    if !base.is_empty() && frame.line > 0 {
        let full = format!("{} {}:{}", frame.name, base, frame.line);
        if full.width() <= width {
            return full.into();
        }
        if &*frame.name == "(anonymous)" {
            let place = format!("{base}:{}", frame.line);
            if place.width() <= width {
                return place.into();
            }
        }
    }
    if frame.name.width() <= width {
        return (&*frame.name).into();
    }
    let method = frame.name.rsplit(['.', ':', '/']).next().unwrap_or(&frame.name);
    if !method.is_empty() && method.width() <= width {
        return method.into();
    }
    cut(method, width)
}

/// The head of `text` in `width` cells with `~` where it was cut.
fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if width < 3 {
        return "".into();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let cells = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used + cells > width - 1 {
            break;
        }
        kept.push(c);
        used += cells;
    }
    kept.push('~');
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn js(name: &str, file: &str) -> Frame {
        Frame::at(name, file, 7, 3, FrameKind::Js)
    }

    #[test]
    fn packages_are_named_with_their_scope() {
        assert_eq!(package_of(&js("f", "/srv/node_modules/@fastify/ajv/lib/x.js")), "@fastify/ajv");
        assert_eq!(package_of(&js("f", "/srv/node_modules/a/node_modules/b/x.js")), "b");
        assert_eq!(package_of(&js("f", "/srv/app.js")), "app");
        assert_eq!(package_of(&Frame::at("f", "node:fs", 1, 1, FrameKind::Builtin)), "node");
        assert_eq!(package_of(&Frame::named("(garbage collector)", FrameKind::Gc)), "gc");
    }

    #[test]
    fn paths_keep_what_a_user_knows() {
        assert_eq!(short_path("/srv/api/src/app.js"), "src/app.js");
        assert_eq!(short_path("/srv/node_modules/x/lib/y.js"), "x/lib/y.js");
        assert_eq!(short_path("node:internal/timers"), "node:internal/timers");
        assert_eq!(short_path("app.js"), "app.js");
    }

    #[test]
    fn labels_shrink_by_dropping_what_matters_least() {
        let frame = js("Catalog.load", "/srv/src/catalog.js");
        assert_eq!(fit_label(&frame, 40), "Catalog.load catalog.js:7");
        assert_eq!(fit_label(&frame, 13), "Catalog.load");
        assert_eq!(fit_label(&frame, 5), "load");
        assert_eq!(fit_label(&frame, 3), "lo~");
        assert_eq!(fit_label(&frame, 2), "");
    }

    #[test]
    fn wide_characters_never_overflow() {
        let frame = js("函数函数函数", "");
        for width in 0..14 {
            assert!(fit_label(&frame, width).width() <= width);
        }
    }
}
