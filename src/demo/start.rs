//! The parent's side: starts the workload as a child and learns where it listens.

use super::{LISTENING, SUBCOMMAND};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Bytes of the line with the address, more than enough.
const LONGEST_LINE: u64 = 256;

/// Why the workload could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The child could not be made.
    #[error("failed to start the demo workload: {0}")]
    Spawn(#[from] std::io::Error),
    /// It ended, or said something else than its address.
    #[error("the demo workload did not say where it listens (it said `{0}`)")]
    Silent(String),
}

/// A running workload; it ends when this is dropped, and also when this process ends in any way,
/// because its standard input ends with us.
#[derive(Debug)]
pub struct Running {
    child: Child,
    address: SocketAddr,
}

/// Starts `executable`, which must be flametop itself, as the workload, and waits until it listens.
/// Blocks for some milliseconds.
pub fn start(executable: &Path) -> Result<Running, StartError> {
    let child = Command::new(executable)
        .arg(SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    // From here on the child ends with this value, whatever goes wrong.
    let mut running = Running { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
    let mut line = String::new();
    if let Some(stdout) = running.child.stdout.take() {
        BufReader::new(stdout.take(LONGEST_LINE)).read_line(&mut line)?;
    }
    let address = line.strip_prefix(LISTENING).and_then(|address| address.trim_end().parse().ok());
    running.address = address.ok_or_else(|| StartError::Silent(line.trim_end().to_owned()))?;
    Ok(running)
}

impl Running {
    /// Where it serves its profiles: `127.0.0.1:PORT`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    /// Ends and reaps the child; nothing is lost with it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
