//! The address of an inspector as a user writes it.

use std::net::SocketAddr;

use super::error::AttachError;
use super::list::is_session_path;

/// A host and port to ask, and the session's path if it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or number, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The path of a `ws://` address; it stands for the session, so no list need be asked.
    pub path: Option<String>,
}

/// Reads `ws://host:port/path`, `http://host:port`, `host:port` or `:port`.
pub fn parse_address(text: &str) -> Result<Address, AttachError> {
    let bad = |reason| AttachError::BadAddress { text: text.to_owned(), reason };
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    if !matches!(scheme, "" | "ws" | "http") {
        return Err(bad("only ws:// and http:// are known"));
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (host, port) = authority.rsplit_once(':').ok_or_else(|| bad("it has no port"))?;
    let port = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| bad("its port is not a number from 1 to 65535"))?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '%');
    if !host.chars().all(plain) {
        return Err(bad("its host has characters that no host has"));
    }
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    let path = (scheme == "ws" && path.len() > 1).then(|| path.to_owned());
    if path.as_deref().is_some_and(|path| !is_session_path(path)) {
        return Err(bad("its path is not that of an inspector's session"));
    }
    Ok(Address { host: host.to_owned(), port, path })
}

impl Address {
    /// Turns the host's name into numbers, for an inspector answers to numbers only.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>, AttachError> {
        let unreachable = |source| AttachError::Unreachable { address: self.to_string(), source };
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(unreachable)?;
        Ok(found.collect())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, u16, Option<String>) {
        let address = parse_address(text).expect("an address");
        (address.host, address.port, address.path)
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(parts("ws://127.0.0.1:9229/ab-1"), ("127.0.0.1".into(), 9229, Some("/ab-1".into())));
        assert_eq!(parts("http://[::1]:9229/json/list"), ("::1".into(), 9229, None));
        assert_eq!(parts("localhost:9230"), ("localhost".into(), 9230, None));
        assert_eq!(parts(":9229"), ("127.0.0.1".into(), 9229, None));
        assert_eq!(parts("ws://h:1/"), ("h".into(), 1, None));
    }

    #[test]
    fn what_is_no_address_says_why() {
        for text in
            ["", "9229", "a:b", "wss://a:1", "a:0", "a:70000", "a b:1", "ws://a:1/x y", "ws://a:1/\r\nX: y"]
        {
            assert!(matches!(parse_address(text), Err(AttachError::BadAddress { .. })), "{text}");
        }
    }
}
