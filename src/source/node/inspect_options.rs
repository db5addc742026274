//! What a target's command line and `NODE_OPTIONS` say about its inspector. A guess: the application can change it.

use crate::source::procfs::Process;

/// Node's default port.
pub const DEFAULT_PORT: u16 = 9229;

/// Where a target would open its inspector, as far as it was told at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InspectOptions {
    /// The port; 0 for any free one.
    pub port: u16,
    /// Whether it was started with an open inspector (`--inspect` and its kin).
    pub opened_at_start: bool,
}

/// Reads what can be read; what cannot is taken as Node's default.
pub fn inspect_options(process: Process) -> InspectOptions {
    let environment = process.initial_env("NODE_OPTIONS").ok().flatten().unwrap_or_default();
    let arguments = process.cmdline().unwrap_or_default();
    let mut options = InspectOptions { port: DEFAULT_PORT, opened_at_start: false };
    read_into(&mut options, environment.split_whitespace());
    read_into(&mut options, own_arguments(&arguments));
    options
}

/// The arguments meant for Node itself: those before the script.
fn own_arguments(arguments: &[String]) -> impl Iterator<Item = &str> {
    let mut follows_value_option = false;
    arguments.iter().skip(1).map(String::as_str).take_while(move |argument| {
        let ours = argument.starts_with('-') || follows_value_option;
        follows_value_option = TAKES_A_VALUE.contains(argument);
        ours
    })
}

/// Options of Node whose value may be an argument of its own.
const TAKES_A_VALUE: &[&str] =
    &["-r", "--require", "--import", "--loader", "-C", "--conditions", "--inspect-port", "-e", "-p"];

fn read_into<'a>(options: &mut InspectOptions, arguments: impl Iterator<Item = &'a str>) {
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let (name, mut value) =
            argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
        match name {
            "--inspect" | "--inspect-brk" | "--inspect-wait" => options.opened_at_start = true,
            "--inspect-port" | "--debug-port" => value = value.or_else(|| arguments.next()),
            _ => continue,
        }
        // A value without a number is a host, and the port stays as it was.
        if let Some(port) = value.and_then(|value| value.rsplit(':').next()?.parse().ok()) {
            options.port = port;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (u16, bool) {
        let arguments: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let mut options = InspectOptions { port: DEFAULT_PORT, opened_at_start: false };
        read_into(&mut options, own_arguments(&arguments));
        (options.port, options.opened_at_start)
    }

    #[test]
    fn ports_are_read_in_every_form() {
        assert_eq!(read("node app.js"), (9229, false));
        assert_eq!(read("node --inspect app.js"), (9229, true));
        assert_eq!(read("node --inspect=0 app.js"), (0, true));
        assert_eq!(read("node --inspect-brk=0.0.0.0:9333 app.js"), (9333, true));
        assert_eq!(read("node --inspect=[::1]:9334 app.js"), (9334, true));
        assert_eq!(read("node --inspect=localhost app.js"), (9229, true));
        assert_eq!(read("node --inspect-port 9335 app.js"), (9335, false));
        assert_eq!(read("node -r tool --inspect-port=9336 app.js"), (9336, false));
    }

    #[test]
    fn arguments_of_the_application_are_not_nodes() {
        assert_eq!(read("node app.js --inspect=1"), (9229, false));
    }
}
