//! What every command needs to run: a runtime, and options as they are meant.

use super::args::{BoundsArgs, ColourArg, SamplingArgs, ScreenArgs};
use super::exit::Failure;
use crate::feed::HeapMode;
use crate::guard;
use crate::profile::Nanos;
use crate::record::Bounds;
use crate::source::{HeapChoice, SourceOptions};
use crate::theme::{ColourDepth, Glyphs, Theme};

/// The runtime of sources and engine. Two threads: one for the engine, one for what it must not
/// wait for; profiles are decoded on the blocking pool.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("failed to start the runtime: {error}")))?;
    // On the runtime, for it must fall silent when the sources do.
    runtime.spawn(async {
        let mut beat = tokio::time::interval(guard::BEAT);
        loop {
            beat.tick().await;
            guard::beat();
        }
    });
    Ok(runtime)
}

/// What is meant by the sampling options.
pub fn options(sampling: &SamplingArgs) -> SourceOptions {
    SourceOptions {
        interval: Nanos(1_000_000_000 / u64::from(sampling.rate.max(1))),
        window: Nanos::from(sampling.window),
        cpu: !sampling.no_cpu,
        compile_anew: !sampling.no_recompile,
        heap: match (sampling.heap, sampling.no_heap) {
            (_, true) => HeapChoice::Off,
            (true, _) => HeapChoice::On,
            _ => HeapChoice::Auto,
        },
        heap_interval: sampling.heap_interval,
        follow: sampling.follow,
        heap_mode: if sampling.heap_allocated { HeapMode::Allocated } else { HeapMode::Live },
    }
}

/// What is meant by the options of what a recording may hold.
pub fn bounds(args: &BoundsArgs) -> Bounds {
    let usual = Bounds::default();
    Bounds {
        keep: args.keep.map_or(usual.keep, Nanos::from),
        max_bytes: args.max_size.unwrap_or(usual.max_bytes),
    }
}

/// The theme of the screen options in this environment.
pub fn theme(screen: &ScreenArgs) -> Result<Theme, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let depth = colour_depth(screen.color, &env);
    let name = screen
        .theme
        .clone()
        .unwrap_or_else(|| if depth == ColourDepth::None { "mono" } else { "dark" }.into());
    let glyphs = if screen.ascii || !is_utf8(&env) { Glyphs::Ascii } else { Glyphs::Unicode };
    Theme::builtin(&name, depth, glyphs)
        .map_err(|error| Failure::of(&error).hint("themes: dark, light, mono").code(2))
}

/// How many colours there are: what was asked, else what the environment tells, in the order in
/// which the variables are commonly heeded.
pub fn colour_depth(asked: ColourArg, env: &dyn Fn(&str) -> Option<String>) -> ColourDepth {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    match asked {
        ColourArg::Truecolor => ColourDepth::TrueColour,
        ColourArg::Indexed => ColourDepth::Indexed,
        ColourArg::Basic => ColourDepth::Sixteen,
        ColourArg::Never => ColourDepth::None,
        ColourArg::Auto if set("NO_COLOR").is_some() => ColourDepth::None,
        ColourArg::Auto => match set("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => ColourDepth::TrueColour,
            _ if term.ends_with("-direct")
                || ["kitty", "alacritty", "foot", "ghostty"].iter().any(|t| term.contains(t)) =>
            {
                ColourDepth::TrueColour
            }
            _ if term.contains("256color") => ColourDepth::Indexed,
            _ if term.starts_with("vt") || term == "dumb" => ColourDepth::None,
            _ => ColourDepth::Sixteen,
        },
    }
}

/// Whether the terminal is taken to show UTF-8: as the locale says; unset counts as yes except on
/// the Linux console, since containers seldom set it though their terminal can.
fn is_utf8(env: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env(name).filter(|value| !value.is_empty()));
    match locale {
        Some(locale) => locale.to_ascii_lowercase().replace('-', "").contains("utf8"),
        None => env("TERM").as_deref() != Some("linux"),
    }
}

/// Whether the mouse is on: as asked; else not over SSH, where a dropped line leaves it switched on.
pub fn mouse(screen: &ScreenArgs) -> bool {
    screen.mouse || (!screen.no_mouse && std::env::var_os("SSH_CONNECTION").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(vars: &[(&str, &str)]) -> ColourDepth {
        let env =
            |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string());
        colour_depth(ColourArg::Auto, &env)
    }

    #[test]
    fn colours_follow_the_environment() {
        assert_eq!(depth(&[("TERM", "xterm-256color")]), ColourDepth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), ColourDepth::TrueColour);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), ColourDepth::None);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), ColourDepth::Indexed);
        assert_eq!(depth(&[("TERM", "linux")]), ColourDepth::Sixteen);
        assert_eq!(depth(&[("TERM", "vt100")]), ColourDepth::None);
        assert_eq!(depth(&[("TERM", "xterm-kitty")]), ColourDepth::TrueColour);
    }
}
