//! Who listens where: `/proc/PID/net/tcp` joined with `/proc/PID/fd` on the socket's inode.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Process;

/// A TCP socket on which somebody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Listener {
    /// Where.
    pub address: SocketAddr,
    /// Which socket; its name in `/proc/PID/fd`.
    pub inode: u64,
}

impl Listener {
    /// Where a client on this machine reaches it: the loopback, if it listens everywhere.
    pub const fn reachable_at(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }
}

/// Who holds a socket, as far as we may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketOwner {
    /// The process; `None` if it is hidden from us by user or namespace.
    pub pid: Option<u32>,
    /// What it runs.
    pub command: String,
}

impl std::fmt::Display for SocketOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid} ({})", self.command),
            None => f.write_str("a process that is hidden from us"),
        }
    }
}

/// Looks through all processes for the one that holds a socket.
pub fn owner_of_socket(inode: u64) -> SocketOwner {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| {
        socket_inodes(&Path::new("/proc").join(pid.to_string()).join("fd"))
            .is_ok_and(|inodes| inodes.contains(&inode))
    });
    let command = pid.and_then(|pid| Process::new(pid).comm().ok()).unwrap_or_default();
    SocketOwner { pid, command }
}

/// The sockets in a directory of file descriptors.
pub(super) fn socket_inodes(directory: &Path) -> io::Result<HashSet<u64>> {
    let inode_of = |entry: fs::DirEntry| -> Option<u64> {
        let link = fs::read_link(entry.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    Ok(fs::read_dir(directory)?.flatten().filter_map(inode_of).collect())
}

/// The rows in state LISTEN (0A) of a `net/tcp` or `net/tcp6`.
pub(super) fn parse_listeners(table: &str) -> Vec<Listener> {
    // A server that serves short connections has tens of thousands of rows, hardly any of them a listener's.
    table.lines().skip(1).filter(|row| row.contains(" 0A ")).filter_map(parse_row).collect()
}

fn parse_row(row: &str) -> Option<Listener> {
    let mut fields = row.split_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?.parse().ok()?;
    let (ip, port) = local.split_once(':')?;
    let address = SocketAddr::new(parse_ip(ip)?, u16::from_str_radix(port, 16).ok()?);
    (state == "0A").then_some(Listener { address, inode })
}

/// The kernel prints each 32-bit word of an address, which is in network order, as a number of the machine.
fn parse_ip(text: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match text.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index * 8)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
        0: 0100007F:240D 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0 100 0\n   \
        1: 0100007F:240D 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 31338 1 0 20 4\n";

    #[test]
    fn only_listening_rows_count() {
        let address = "127.0.0.1:9229".parse().expect("an address");
        assert_eq!(parse_listeners(TABLE), [Listener { address, inode: 31337 }]);
    }

    #[test]
    fn addresses_of_both_families_are_read() {
        assert_eq!(parse_ip("00000000"), Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        assert_eq!(parse_ip("00000000000000000000000001000000"), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(parse_ip("0000000000000000FFFF00000100007F"), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(parse_ip("0000"), None);
    }

    #[test]
    fn what_listens_everywhere_is_reached_by_the_loopback() {
        let everywhere = Listener { address: "[::]:80".parse().expect("an address"), inode: 1 };
        assert_eq!(everywhere.reachable_at().to_string(), "[::1]:80");
    }
}
