//! Where a pprof endpoint is: from what a user types to host, port and path.

/// An endpoint's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Host as in the `Host` header: a name, an IPv4 address or an IPv6 address in brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path of the index, without a slash at its end: `/debug/pprof`.
    pub(super) base: String,
}

/// Why an address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    #[error("only http:// addresses can be read")]
    Scheme,
    #[error("it has no port")]
    NoPort,
    #[error("its port is not a number from 1 to 65535")]
    Port,
    #[error("it has no host")]
    NoHost,
    #[error("it holds characters that no address has")]
    Characters,
}

impl Endpoint {
    /// Parses `http://host[:port][/path]` or `host:port[/path]`. A path without `/debug/pprof` in it
    /// gets it added; what stands below (`/profile?seconds=5`) is cut.
    pub(super) fn parse(typed: &str) -> Result<Self, AddressError> {
        if typed.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'@') {
            return Err(AddressError::Characters);
        }
        let (rest, schemed) = match typed.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, true),
            Some(_) => return Err(AddressError::Scheme),
            None => (typed, false),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = split_port(authority)?;
        let port = port.or(schemed.then_some(80)).ok_or(AddressError::NoPort)?;
        Ok(Self { host: host.to_owned(), port, base: base_of(path) })
    }

    /// `host:port`, for connecting and for the `Host` header.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether it is certainly on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.host == "localhost" || self.host == "[::1]" || self.host.starts_with("127.")
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), AddressError> {
    let end_of_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority[end_of_host..].rfind(':') {
        Some(colon) => (&authority[..end_of_host + colon], Some(&authority[end_of_host + colon + 1..])),
        None => (authority, None),
    };
    // `:6060`, as Go programs name their own listeners.
    let host = if host.is_empty() && port.is_some() { "localhost" } else { host };
    if host.is_empty() {
        return Err(AddressError::NoHost);
    }
    if host.contains(':') && !host.starts_with('[') {
        return Err(AddressError::Port);
    }
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or(AddressError::Port));
    Ok((host, port.transpose()?))
}

fn base_of(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match path.find("/debug/pprof") {
        Some(at) => path[..at + "/debug/pprof".len()].to_owned(),
        None => format!("{}/debug/pprof", path.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &str) -> String {
        let endpoint = Endpoint::parse(typed).expect(typed);
        format!("{}{}", endpoint.authority(), endpoint.base)
    }

    #[test]
    fn addresses_are_taken_as_people_type_them() {
        assert_eq!(parsed("localhost:6060"), "localhost:6060/debug/pprof");
        assert_eq!(parsed(":6060"), "localhost:6060/debug/pprof");
        assert_eq!(parsed("http://h"), "h:80/debug/pprof");
        assert_eq!(parsed("http://h:1/debug/pprof/profile?seconds=5"), "h:1/debug/pprof");
        assert_eq!(parsed("HTTP://h:1/api/"), "h:1/api/debug/pprof");
        assert_eq!(parsed("http://[::1]:6060/"), "[::1]:6060/debug/pprof");
    }

    #[test]
    fn what_is_no_address_says_why() {
        let refused = |typed| Endpoint::parse(typed).expect_err(typed);
        assert_eq!(refused("https://h:1"), AddressError::Scheme);
        assert_eq!(refused("ws://h:1"), AddressError::Scheme);
        assert_eq!(refused("localhost"), AddressError::NoPort);
        assert_eq!(refused("h:99999"), AddressError::Port);
        assert_eq!(refused("h:0"), AddressError::Port);
        assert_eq!(refused("::1:6060"), AddressError::Port);
        assert_eq!(refused("http://"), AddressError::NoHost);
        assert_eq!(refused("h:1/a\r\nx: y"), AddressError::Characters);
    }
}
