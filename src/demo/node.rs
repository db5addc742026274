//! The sample Node application of `flametop demo --node`: carried in the binary, written to a private
//! directory while it runs.

use crate::files;
use std::path::PathBuf;

const SCRIPT: &str = include_str!("../../demo/node/app.js");

/// The sample application on disk; its directory goes when this does.
#[derive(Debug)]
pub struct NodeDemo {
    directory: PathBuf,
}

impl NodeDemo {
    /// Writes the application to a fresh directory that only its owner may enter.
    pub fn write() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let name = format!("flametop-demo-{}-{:x}", std::process::id(), crate::source::Clock::get().now().0);
        let directory = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&directory)?;
        let demo = Self { directory };
        files::write_new(&demo.script(), |out| out.write_all(SCRIPT.as_bytes()))
            .map_err(std::io::Error::other)?;
        Ok(demo)
    }

    /// The command that runs it.
    pub fn command(&self) -> Vec<String> {
        vec!["node".into(), self.script().to_string_lossy().into_owned()]
    }

    fn script(&self) -> PathBuf {
        self.directory.join("app.js")
    }
}

impl Drop for NodeDemo {
    fn drop(&mut self) {
        // What can't be removed is one small file in the directory for temporary ones.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
