//! The built-in themes: one file in `themes/` and one row here.

/// A theme that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct BuiltinTheme {
    /// Its name.
    pub name: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

/// Every built-in theme.
pub const BUILTIN: &[BuiltinTheme] = &[
    BuiltinTheme { name: "dark", text: include_str!("../../themes/dark.toml") },
    BuiltinTheme { name: "light", text: include_str!("../../themes/light.toml") },
    BuiltinTheme { name: "mono", text: include_str!("../../themes/mono.toml") },
];
