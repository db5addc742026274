//! Requests to a target's server, one after another, from a thread of ours.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

/// A client that asks for `/work` until it is dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts asking the server on a port of the loopback.
    pub fn on(port: u16) -> Load {
        let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (stop.clone(), served.clone());
        let thread = thread::spawn(move || {
            let mut kept = None;
            while !stopped.load(Ordering::Relaxed) {
                if ask(&mut kept, port).is_ok() {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Load { stop, served, thread: Some(thread) }
    }

    /// How many requests were answered so far.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One answer over a connection that is kept: closed ones would stay in the system's tables for a minute.
fn ask(kept: &mut Option<BufReader<TcpStream>>, port: u16) -> std::io::Result<()> {
    let mut line = match kept.take() {
        Some(line) => line,
        None => BufReader::new(TcpStream::connect(("127.0.0.1", port))?),
    };
    line.get_ref().set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    line.get_mut().write_all(b"GET /work?n=50 HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        line.read_line(&mut header)?;
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| std::io::ErrorKind::InvalidData)?;
        }
        if header.trim().is_empty() {
            break;
        }
    }
    line.read_exact(&mut vec![0; length])?;
    *kept = Some(line);
    Ok(())
}
