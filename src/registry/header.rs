//! The `X-Registry-Auth` header: JSON in base64 with the URL alphabet, padded. Engines silently drop
//! what they cannot decode (moby#33434), so the alphabet decides whether a pull is anonymous.

use crate::name::RegistryHost;
use crate::problem::escaped;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

/// The user name that says: the secret is an identity token (docker/cli, `credentials/native_store.go`).
pub const TOKEN_USER: &str = "<token>";

/// What stands in the place of a secret.
const INSTEAD: &str = "[secret]";

/// Shorter secrets are not looked for: that would tell them.
const LEAST: usize = 4;

/// A value of `X-Registry-Auth`; as secret as what is in it.
#[derive(Clone, Debug)]
pub struct AuthHeader {
    json: Secret,
    encoded: Secret,
    /// Forms of the secret that a registry may repeat in its words.
    forms: [Secret; 2],
    is_token: bool,
}

impl AuthHeader {
    /// User name and secret for a registry; [`TOKEN_USER`] makes it an identity token.
    pub fn of(host: &RegistryHost, username: &str, secret: &str) -> Self {
        match username {
            TOKEN_USER => Self::identity_token(host, secret),
            _ => Self::basic(host, username, secret),
        }
    }

    /// User name and password for a registry. Both are text: the Engine's JSON has no other form.
    pub fn basic(host: &RegistryHost, username: &str, password: &str) -> Self {
        let fields =
            [("username", username), ("password", password), ("serveraddress", host.server_address())];
        Self::encode(&fields, username, password)
    }

    /// An identity token, as `docker login` gets from some registries.
    pub fn identity_token(host: &RegistryHost, token: &str) -> Self {
        let fields = [("identitytoken", token), ("serveraddress", host.server_address())];
        Self { is_token: true, ..Self::encode(&fields, "", token) }
    }

    /// Whether an identity token is in it, and no user or password.
    pub fn is_identity_token(&self) -> bool {
        self.is_token
    }

    /// The header's value.
    pub fn reveal(&self) -> &str {
        self.encoded.reveal_text().unwrap_or_default()
    }

    /// The same as JSON: the body of a login.
    pub fn reveal_json(&self) -> &[u8] {
        self.json.reveal()
    }

    /// A registry's or Engine's words without the secret, should they repeat it.
    pub fn hide(&self, words: &str) -> String {
        let forms = self.forms.iter().filter_map(Secret::reveal_text).filter(|form| form.len() >= LEAST);
        forms.fold(words.to_owned(), |words, form| words.replace(form, INSTEAD))
    }

    fn encode(fields: &[(&str, &str)], username: &str, secret: &str) -> Self {
        let mut json = Zeroizing::new(String::from("{"));
        for (index, (name, value)) in fields.iter().enumerate() {
            let quoted = Zeroizing::new(serde_json::Value::from(*value).to_string());
            json.push_str(if index > 0 { ",\"" } else { "\"" });
            json.push_str(name);
            json.push_str("\":");
            json.push_str(&quoted);
        }
        json.push('}');
        let pair = Zeroizing::new(format!("{username}:{secret}"));
        // As the words are: escaped.
        let plain = escaped(secret);
        Self {
            encoded: URL_SAFE.encode(json.as_bytes()).into(),
            json: Secret::new(json.as_bytes().to_vec()),
            forms: [plain.into(), STANDARD.encode(pair.as_bytes()).into()],
            is_token: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_that_of_urls_at_all_three_alignments() {
        let host = RegistryHost::parse("registry.example.com").expect("a host");
        for pad in ["", "a", "ab"] {
            let header = AuthHeader::basic(&host, "u", &format!("{pad}~~~???>>>üß"));
            assert!(!header.reveal().contains(['+', '/']), "{pad}");
            assert_eq!(header.reveal().len() % 4, 0);
            let json = URL_SAFE.decode(header.reveal()).expect("base64url");
            let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            assert_eq!(json["password"], format!("{pad}~~~???>>>üß"));
            assert_eq!(json["serveraddress"], "registry.example.com");
        }
    }
    #[test]
    fn a_registry_that_repeats_a_secret_is_not_repeated() {
        let host = RegistryHost::parse("registry.example.com").expect("a host");
        let header = AuthHeader::basic(&host, "u", "CANARY");
        let words = header.hide("not CANARY, sent Basic dTpDQU5BUlk=");
        assert_eq!(words, "not [secret], sent Basic [secret]");
        assert_eq!(AuthHeader::basic(&host, "u", "ord").hide("words"), "words");
        let token = AuthHeader::of(&host, TOKEN_USER, "CANARY");
        assert_eq!(
            token.reveal_json(),
            br#"{"identitytoken":"CANARY","serveraddress":"registry.example.com"}"#
        );
        assert_eq!(token.hide("expired: CANARY"), "expired: [secret]");
    }
}
