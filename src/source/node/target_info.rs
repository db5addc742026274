//! Who a target is, for the header and for exports.

use std::path::Path;

use super::agent::Identity;
use super::open::Inspector;
use crate::feed::{Capability, TargetInfo};
use crate::profile::{Nanos, clean_name, clean_path};
use crate::source::procfs::Process;
use crate::source::{Clock, SourceOptions};

/// Names a target by its script, its Node and where it is reached.
pub fn target_info(
    inspector: &Inspector,
    identity: &Identity,
    options: &SourceOptions,
    clock: Clock,
) -> TargetInfo {
    let process = inspector.process.map(|process| Process::new(process.pid));
    let arguments = process.and_then(|process| process.cmdline().ok()).unwrap_or_default();
    let script = script_name(&arguments).or_else(|| title_name(&inspector.title));
    let age = process.and_then(|process| process.age().ok());
    let executable = process.and_then(|process| process.exe().ok());
    TargetInfo {
        name: clean_name(script.unwrap_or(&identity.title)),
        kind: clean_name(&format!("Node {}", identity.node.as_deref().unwrap_or("of unknown version"))),
        pid: process.map(Process::pid),
        started: age.map(|age| clock.now() - Nanos::from(age)),
        executable: clean_path(
            &executable.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
        ),
        capabilities: capabilities(identity, options),
        interval: options.interval,
        address: clean_path(&inspector.address.to_string()),
    }
}

fn capabilities(identity: &Identity, options: &SourceOptions) -> Vec<Capability> {
    let mut all =
        vec![Capability::HeapLive, Capability::HeapSwitch, Capability::EventLoop, Capability::WindowLength];
    if options.cpu {
        all.insert(0, Capability::Cpu);
    }
    if identity.node_major() >= 20 {
        all.push(Capability::HeapAllocated);
    }
    all
}

/// Options of Node whose value is the next argument.
const WITH_VALUE: [&str; 8] =
    ["-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file"];

/// The script among a Node's arguments, without its directory. Code given by `-e` has no name.
fn script_name(arguments: &[String]) -> Option<&str> {
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-e" | "--eval" | "-p" | "--print" | "-pe" => return None,
            "--" => return arguments.next().map(|script| last_part(script)),
            option if WITH_VALUE.contains(&option) => {
                arguments.next();
            }
            option if option.starts_with('-') => {}
            script => return Some(last_part(script)),
        }
    }
    None
}

fn title_name(title: &str) -> Option<&str> {
    let title = last_part(title);
    (!title.is_empty()).then(|| title.split('[').next().unwrap_or(title)).filter(|name| !name.is_empty())
}

fn last_part(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_by_its_script() {
        let name = |line: &str| {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            script_name(&arguments).map(str::to_owned)
        };
        assert_eq!(name("node /srv/api/app.js --port 1"), Some("app.js".into()));
        assert_eq!(name("node -r ./hook.js --inspect app.mjs"), Some("app.mjs".into()));
        assert_eq!(name("node -- app.js"), Some("app.js".into()));
        assert_eq!(name("node -e 1"), None);
        assert_eq!(title_name("/srv/app.js[77]"), Some("app.js"));
        assert_eq!(title_name(""), None);
    }
}
