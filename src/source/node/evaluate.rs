//! `Runtime.evaluate`: the parameters we always send, and what comes back.
//!
//! Results come back by value, so no object of the target is held, and V8 itself writes them: a patched
//! `JSON.stringify` or `toJSON` of the application cannot change what we read.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::CdpError;

/// The parameters of a `Runtime.evaluate`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluate<'a> {
    expression: &'a str,
    /// Brings `require`, `profile` and `profileEnd` for the length of the evaluation.
    #[serde(rename = "includeCommandLineAPI")]
    include_command_line_api: bool,
    silent: bool,
    return_by_value: bool,
    /// After this V8 ends the evaluation, and only that: code of the application that it interrupted runs on.
    timeout: u32,
}

/// No snippet may keep the target longer. Starting a profile is the slowest: 1.75 s were measured with 200,000 functions.
const TIMEOUT_MS: u32 = 10_000;

impl<'a> Evaluate<'a> {
    /// Parameters that run a snippet.
    pub const fn new(expression: &'a str) -> Self {
        Self {
            expression,
            include_command_line_api: true,
            silent: true,
            return_by_value: true,
            timeout: TIMEOUT_MS,
        }
    }
}

/// Reads the value an evaluation gave; a thrown error is [`CdpError::Threw`].
pub fn value_of<T: DeserializeOwned>(result: &RawValue) -> Result<T, CdpError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Evaluated<'a> {
        #[serde(borrow)]
        result: Remote<'a>,
        exception_details: Option<Exception>,
    }
    #[derive(Deserialize)]
    struct Remote<'a> {
        #[serde(borrow)]
        value: Option<&'a RawValue>,
        description: Option<String>,
    }
    #[derive(Deserialize)]
    struct Exception {
        text: String,
    }
    let malformed = |error: serde_json::Error| CdpError::Malformed(error.to_string());
    let evaluated: Evaluated<'_> = serde_json::from_str(result.get()).map_err(malformed)?;
    if let Some(exception) = evaluated.exception_details {
        return Err(CdpError::Threw(evaluated.result.description.unwrap_or(exception.text)));
    }
    serde_json::from_str(evaluated.result.value.map_or("null", RawValue::get)).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.into()).expect("valid JSON")
    }

    #[test]
    fn reads_a_value() {
        let value: u32 = value_of(&raw(r#"{"result":{"type":"number","value":42}}"#)).expect("reads");
        assert_eq!(value, 42);
    }

    #[test]
    fn undefined_reads_as_nothing() {
        let value: Option<u32> = value_of(&raw(r#"{"result":{"type":"undefined"}}"#)).expect("reads");
        assert_eq!(value, None);
    }

    #[test]
    fn a_thrown_error_is_an_error_with_its_text() {
        let thrown = r#"{"result":{"type":"object","description":"Error: no"},"exceptionDetails":{"text":"Uncaught"}}"#;
        let error = value_of::<u32>(&raw(thrown)).expect_err("threw");
        assert_eq!(error.to_string(), "the snippet threw: Error: no");
    }

    #[test]
    fn parameters_ask_for_the_command_line_api_and_a_value() {
        let text = serde_json::to_string(&Evaluate::new("1")).expect("encodes");
        assert_eq!(
            text,
            r#"{"expression":"1","includeCommandLineAPI":true,"silent":true,"returnByValue":true,"timeout":10000}"#
        );
    }
}
