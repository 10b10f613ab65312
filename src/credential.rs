//! Docker's credential helper protocol over any reader and writer: the action is the one argument,
//! data and errors go to standard output, and the exit code is 0 or 1. The terminal of whoever runs
//! `docker` is standard error.
//!
//! This version answers `version` and says of the other actions that it does not have them: an
//! error, so that Docker neither believes that a password was stored nor that there is none.

use std::io::{self, Write};

/// The name of the binary, as Docker looks it up in `PATH`.
pub const PROGRAM: &str = "docker-credential-pillarbox";

/// Answers one call; returns the exit code.
///
/// # Errors
/// Where an answer cannot be written.
pub fn serve(arguments: &[&str], out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let [action] = arguments else {
        writeln!(out, "{}", usage())?;
        return Ok(1);
    };
    match *action {
        "version" | "-v" | "--version" => {
            writeln!(out, "{PROGRAM} (pillarbox) {}", env!("CARGO_PKG_VERSION"))?;
            Ok(0)
        }
        "-h" | "--help" => {
            writeln!(out, "{}", usage())?;
            Ok(0)
        }
        "get" | "store" | "erase" | "list" => {
            writeln!(out, "{PROGRAM}: `{action}` is not available in this version")?;
            writeln!(
                err,
                "{PROGRAM}: `{action}` is not available in this version; `pillarbox apply` needs no helper. \
                 Take `pillarbox` out of `credsStore` and `credHelpers` in ~/.docker/config.json"
            )?;
            Ok(1)
        }
        other => {
            writeln!(out, "{PROGRAM}: unknown action: {}", crate::problem::escaped(other))?;
            Ok(1)
        }
    }
}

fn usage() -> String {
    format!("Usage: {PROGRAM} <store|get|erase|list|version>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = serve(arguments, &mut out, &mut err).expect("written");
        (code, String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
    }

    #[test]
    fn its_version_is_told_by_all_three_names() {
        let expected = concat!("docker-credential-pillarbox (pillarbox) ", env!("CARGO_PKG_VERSION"), "\n");
        for action in ["version", "-v", "--version"] {
            assert_eq!(call(&[action]), (0, expected.to_owned(), String::new()));
        }
    }

    #[test]
    fn no_or_two_arguments_get_the_usage_on_standard_output() {
        for arguments in [&[][..], &["get", "list"]] {
            let (code, out, err) = call(arguments);
            assert_eq!((code, err.as_str()), (1, ""));
            assert_eq!(out, "Usage: docker-credential-pillarbox <store|get|erase|list|version>\n");
        }
    }

    #[test]
    fn an_unknown_action_is_named_with_its_control_characters_escaped() {
        let (code, out, _) = call(&["fr\u{1b}ob"]);
        assert_eq!(code, 1);
        assert_eq!(out, "docker-credential-pillarbox: unknown action: fr\\u{1b}ob\n");
    }

    #[test]
    fn actions_of_later_versions_fail_on_both_streams_and_never_say_not_found() {
        for action in ["get", "store", "erase", "list"] {
            let (code, out, err) = call(&[action]);
            assert_eq!(code, 1, "{action}");
            assert!(out.contains("not available") && err.contains("not available"), "{action}");
            assert!(!out.contains("credentials not found in native keychain"), "{action}");
        }
    }
}
