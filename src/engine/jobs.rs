//! Jobs that take time: writing files, looking for processes. Each runs on a thread of its own and
//! answers with an [`Outcome`].

use crate::app::{Candidate, Job, Outcome, RecordingState};
use crate::feed::{SourceId, TargetInfo};
use crate::files;
use crate::format::{self, Export};
use crate::planted;
use crate::profile::{Moment, Profile};
use crate::sink::RecorderReport;
use crate::source::discover::{Discovery, Found};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::Sender;

/// A failure, its causes and its way out in one line.
pub fn with_hint(error: &dyn Error, hint: Option<&str>) -> String {
    let text = with_causes(error);
    match hint {
        Some(hint) => format!("{text}: {hint}"),
        None => text,
    }
}

/// A failure and its causes in one line; a cause that is told already, or that only wraps the one before
/// in more words, is not told again.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut before = text.clone();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.contains(&told) && !told.contains(&before) {
            text = format!("{text}: {told}");
        }
        before = told;
        next = cause.source();
    }
    text
}

/// Writes each profile to a file of its own in the current directory, all with one timestamp. Blocks.
pub fn export(
    profiles: &[Profile],
    targets: Vec<(SourceId, TargetInfo)>,
    format: &str,
    outcomes: &Sender<Outcome>,
) {
    planted::panic_in("job");
    let target = targets.into_iter().next().map(|(_, target)| target).unwrap_or_default();
    let outcome = match write_profiles(profiles, &target, format, Path::new(".")) {
        Ok(paths) => Outcome::Exported(paths),
        Err(text) => Outcome::Failed(Job::Export, text),
    };
    // The engine is gone: nobody is left to tell.
    let _ = outcomes.blocking_send(outcome);
}

/// Writes the profiles below `directory`; the paths written.
pub fn write_profiles(
    profiles: &[Profile],
    target: &TargetInfo,
    format: &str,
    directory: &Path,
) -> Result<Vec<PathBuf>, String> {
    let Some(format) = format::by_name(format) else {
        return Err(format!("there is no format named {format}"));
    };
    let stamp = profiles.first().map_or(Moment::default(), |profile| profile.span.start);
    let mut paths = Vec::new();
    for profile in profiles {
        let name = export_name(target, profile, stamp, format.spec().extension);
        paths.push(write_profile(profile, target, format, None, &directory.join(name))?);
    }
    Ok(paths)
}

/// Writes one profile to a new file; a name that is taken gets a number. `kind` is the sample type to
/// show first, where it matters. The path written.
pub fn write_profile(
    profile: &Profile,
    target: &TargetInfo,
    format: &dyn format::Format,
    kind: Option<&str>,
    path: &Path,
) -> Result<PathBuf, String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let export = Export { host: &host, kind, ..Export::new(profile, target) };
    files::write_new(path, |out| format.write(&export, out)).map_err(|error| with_hint(&error, error.hint()))
}

/// `flametop-api-20261120-143210.cpu.pb.gz`: what, when, which; sorts by time.
fn export_name(target: &TargetInfo, profile: &Profile, stamp: Moment, extension: &str) -> String {
    // Each by itself: a long name must not push out the time and the extension.
    let (name, track) = (files::safe_file_name(&target.name), files::safe_file_name(track_name(profile)));
    format!("flametop-{name}-{}.{track}.{extension}", time_stamp(stamp))
}

/// What a profile is about, for file names.
pub fn track_name(profile: &Profile) -> &str {
    if profile.kind("cpu").is_some() {
        return "cpu";
    }
    if profile.kinds.iter().any(|kind| kind.name.ends_with("_space")) {
        return "heap";
    }
    profile.kinds.last().map_or("profile", |kind| &kind.name)
}

/// Local date and time in the form of file names.
pub fn time_stamp(at: Moment) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y%m%d-%H%M%S").to_string()
}

/// Looks for processes that can be attached to.
pub fn find_processes(discovery: Arc<Mutex<Discovery>>, outcomes: Sender<Outcome>) {
    tokio::task::spawn_blocking(move || {
        let found = discovery.lock().unwrap_or_else(PoisonError::into_inner).look();
        let _ = outcomes.blocking_send(Outcome::Candidates(found.into_iter().map(candidate).collect()));
    });
}

fn candidate(found: Found) -> Candidate {
    let Found { pid, kind, name, command, cpu, rss, age, user, obstacle, .. } = found;
    Candidate { pid, kind, name, command, cpu, rss, age, user, obstacle }
}

/// What the recorder says, in the app's words.
pub fn outcome_of(report: RecorderReport) -> Outcome {
    let state = |path, since, bytes, windows| RecordingState { path, since, bytes, windows };
    match report {
        RecorderReport::Started { path, since } => Outcome::RecordingStarted(state(path, since, 0, 0)),
        RecorderReport::Progress { bytes, windows } => Outcome::RecordingProgress { bytes, windows },
        RecorderReport::Finished { path, since, bytes, windows } => {
            Outcome::RecordingFinished(state(path, since, bytes, windows))
        }
        RecorderReport::Failed(error) => Outcome::Failed(Job::Record, with_hint(&error, error.hint())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to write x{}", if *repeats {": disk full"} else { "" })]
    struct Refused {
        repeats: bool,
        source: io::Error,
    }

    #[test]
    fn a_failure_is_told_with_each_cause_once() {
        for repeats in [true, false] {
            let error = Refused { repeats, source: io::Error::other("disk full") };
            assert_eq!(with_hint(&error, Some("free some")), "failed to write x: disk full: free some");
        }
    }
}
