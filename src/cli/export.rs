//! `flametop export`: any readable file, or a part of it, in any format.

use super::args::ExportArgs;
use super::exit::Failure;
use super::load::Loaded;
use super::plain::{print, say};
use super::report::{beside, check_writable};
use crate::engine::{track_name, write_profile};
use crate::format::{self, Export, Format};
use crate::profile::Profile;
use std::io::IsTerminal;
use std::path::Path;

/// Bytes looked at to tell text from binary before a terminal sees it.
const LOOKED_AT: usize = 4096;

/// Runs `flametop export`.
pub fn run(args: &ExportArgs) -> Result<u8, Failure> {
    let format = format_of(args)?;
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if file.is_some() {
        check_writable(file)?;
    }
    let loaded = Loaded::read(&args.input, &args.slice)?;
    loaded.warnings().for_each(|text| say(&format!("flametop: {text}")));
    let profiles = loaded.profiles()?;
    match file {
        Some(path) => to_files(&loaded, &profiles, format, path)?,
        None => to_stdout(&loaded, &profiles, format)?,
    }
    Ok(0)
}

fn format_of(args: &ExportArgs) -> Result<&'static dyn Format, Failure> {
    let written = || format::FORMATS.iter().map(|format| format.spec()).filter(|spec| spec.writes);
    let hint = || {
        let names: Vec<&str> = written().map(|spec| spec.name).collect();
        format!("flametop writes {}", names.join(", "))
    };
    if let Some(name) = &args.format {
        let format = format::by_name(name).filter(|format| format.spec().writes);
        return format.ok_or_else(|| {
            Failure::new(format!("flametop writes no format named {name:?}")).hint(hint()).code(2)
        });
    }
    let name = args.output.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
    name.and_then(|name| format::by_extension(&name))
        .ok_or_else(|| Failure::new("the format is not known: give it with -f").hint(hint()).code(2))
}

fn to_files(loaded: &Loaded, profiles: &[Profile], format: &dyn Format, path: &Path) -> Result<(), Failure> {
    for (index, profile) in profiles.iter().enumerate() {
        let name = if index == 0 { path.to_path_buf() } else { beside(path, track_name(profile)) };
        let written = write_profile(profile, &loaded.target(), format, loaded.kind(), &name);
        say(&format!("flametop: written {}", written.map_err(Failure::new)?.display()));
    }
    Ok(())
}

/// Standard output takes one profile; what is left out is told.
fn to_stdout(loaded: &Loaded, profiles: &[Profile], format: &dyn Format) -> Result<(), Failure> {
    let Some((profile, others)) = profiles.split_first() else { return Ok(()) };
    for other in others {
        let kinds: Vec<&str> = other.kinds.iter().map(|kind| &*kind.name).collect();
        say(&format!("flametop: left out: {}; use --type {}", kinds.join(", "), kinds[kinds.len() - 1]));
    }
    let target = loaded.target();
    let export = Export { kind: loaded.kind(), ..Export::new(profile, &target) };
    let mut bytes = Vec::new();
    format.write(&export, &mut bytes).map_err(|error| Failure::of(&error))?;
    if std::io::stdout().is_terminal() && !is_text(&bytes) {
        let text = format!("{} is not for a terminal", format.spec().name);
        return Err(Failure::new(text).hint("give a file with -o, or pipe it on").code(2));
    }
    Ok(print(&bytes)?)
}

fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    let control = |byte: &u8| *byte < 0x20 && !b"\n\r\t".contains(byte);
    !head.iter().any(control) && std::str::from_utf8(bytes).is_ok()
}
