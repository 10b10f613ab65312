//! Files of SOPS: whether a text is one, and of which of its types (getsops.io, "Encrypting binary files").

use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The word of `sops --input-type` for an encrypted text; `None` where it has no metadata of SOPS.
pub fn sops_type(text: &str) -> Option<&'static str> {
    if text.trim_start().starts_with('{') {
        let fields = serde_json::from_str::<BTreeMap<String, IgnoredAny>>(text).ok()?;
        let is_sops = fields.contains_key("sops") && text.contains("\"mac\"");
        return match (is_sops, fields.len() == 2 && fields.contains_key("data")) {
            (false, _) => None,
            (true, true) => Some("binary"),
            (true, false) => Some("json"),
        };
    }
    let has = |start: &str| text.lines().any(|line| line.trim_start().starts_with(start));
    match () {
        () if text.lines().any(|line| line.starts_with("sops_mac=")) => Some("dotenv"),
        () if text.lines().any(|line| line.trim_end() == "sops:") && has("mac:") => Some("yaml"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_sops_are_told() {
        for (text, expected) in [
            ("{\"auths\": {}, \"sops\": {\"mac\": \"ENC[x]\"}}", Some("json")),
            ("{\"data\": \"ENC[x]\", \"sops\": {\"mac\": \"ENC[x]\"}}", Some("binary")),
            ("a: ENC[x]\nsops:\n    age: []\n    mac: ENC[x]\n", Some("yaml")),
            ("A=ENC[x]\nsops_version=3.9.0\nsops_mac=ENC[x]\n", Some("dotenv")),
            ("{\"auths\": {\"sops\": {\"mac\": 1}}}", None),
            ("a: 1\n", None),
            ("sops:\n  x: 1\n", None),
        ] {
            assert_eq!(sops_type(text), expected, "{text}");
        }
    }
}
