//! From what the user typed to what is meant.

use super::TargetSpec;
use std::path::Path;

impl TargetSpec {
    /// The target that a word on the command line names: a number is a PID, something with `://` or
    /// a port is an address, an existing file is a file, anything else is a process name.
    pub fn parse(word: &str) -> Self {
        if let Ok(pid) = word.parse() {
            return Self::Pid(pid);
        }
        if word.contains("://") || is_host_and_port(word) {
            return Self::Address(word.into());
        }
        if Path::new(word).is_file() || word.contains('/') {
            return Self::File(word.into());
        }
        Self::Name(word.into())
    }
}

impl std::fmt::Display for TargetSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pid(pid) => write!(f, "process {pid}"),
            Self::Name(name) => write!(f, "process named {name:?}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Command(words) => write!(f, "{}", words.join(" ")),
        }
    }
}

/// `localhost:6060`, `:6060`, `[::1]:9229`.
fn is_host_and_port(word: &str) -> bool {
    word.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
        port.parse::<u16>().is_ok() && host.chars().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_recognised_by_their_form() {
        assert_eq!(TargetSpec::parse("4711"), TargetSpec::Pid(4711));
        assert_eq!(TargetSpec::parse("api.js"), TargetSpec::Name("api.js".into()));
        for address in
            ["ws://127.0.0.1:9229/x", "localhost:6060", "http://h/debug/pprof", "[::1]:9229", ":9229"]
        {
            assert_eq!(TargetSpec::parse(address), TargetSpec::Address(address.into()));
        }
        assert_eq!(TargetSpec::parse("./missing.pb.gz"), TargetSpec::File("./missing.pb.gz".into()));
    }
}
