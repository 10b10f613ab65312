//! The `X-Registry-Auth` header: JSON in base64 with the URL alphabet, padded. Engines silently drop
//! what they cannot decode (moby#33434), so the alphabet decides whether a pull is anonymous.

use crate::name::RegistryHost;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use zeroize::Zeroizing;

/// A value of `X-Registry-Auth`; as secret as what is in it.
#[derive(Clone, Debug)]
pub struct AuthHeader(Secret);

impl AuthHeader {
    /// User name and password for a registry. Both are text: the Engine's JSON has no other form.
    pub fn basic(host: &RegistryHost, username: &str, password: &str) -> Self {
        Self::encode(&[
            ("username", username),
            ("password", password),
            ("serveraddress", host.server_address()),
        ])
    }

    /// An identity token, as `docker login` gets from some registries.
    pub fn identity_token(host: &RegistryHost, token: &str) -> Self {
        Self::encode(&[("identitytoken", token), ("serveraddress", host.server_address())])
    }

    /// The header's value.
    pub fn reveal(&self) -> &str {
        self.0.reveal_text().unwrap_or_default()
    }

    fn encode(fields: &[(&str, &str)]) -> Self {
        let mut json = Zeroizing::new(String::from("{"));
        for (index, (name, value)) in fields.iter().enumerate() {
            let quoted = Zeroizing::new(serde_json::Value::from(*value).to_string());
            json.push_str(if index > 0 { ",\"" } else { "\"" });
            json.push_str(name);
            json.push_str("\":");
            json.push_str(&quoted);
        }
        json.push('}');
        Self(URL_SAFE.encode(json.as_bytes()).into())
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
}
