//! Credentials that a cloud makes for hours: by whom they are, and when they end.

use crate::name::RegistryHost;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

/// A kind of credential that lasts for hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortLived {
    /// Whose it is.
    pub of: &'static str,
    /// How many seconds it lasts from when it was made; at most.
    pub lasts: i64,
    /// The credential helper that makes a new one each time.
    pub helper: &'static str,
}

/// `aws ecr get-login-password`: 12 hours (Amazon ECR, "Private registry authentication").
const ECR: ShortLived = ShortLived { of: "Amazon ECR", lasts: 12 * 3600, helper: "ecr-login" };
/// `gcloud auth print-access-token`: an hour (Artifact Registry, "Access token").
const GOOGLE: ShortLived = ShortLived { of: "Google Cloud", lasts: 3600, helper: "gcloud" };
/// `az acr login --expose-token`: three hours (Azure Container Registry, "Authentication options").
const ACR: ShortLived = ShortLived { of: "Azure Container Registry", lasts: 3 * 3600, helper: "acr-env" };

/// The user name beside a token of Azure.
const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// The kind of a credential, by its registry and user name; `None` where it may last.
pub fn short_lived(host: &RegistryHost, username: &str) -> Option<ShortLived> {
    let host = host.as_str();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| host.ends_with(suffix));
    let is_ecr = host == "public.ecr.aws" || (host.contains(".dkr.ecr") || host.contains(".dkr-ecr"));
    let is_google = host == "gcr.io" || ends(&[".gcr.io", ".pkg.dev"]);
    let is_token = |name: &str| name.starts_with('_') && name.ends_with("token");
    match username {
        "AWS" if is_ecr => Some(ECR),
        "oauth2accesstoken" => Some(GOOGLE),
        // docker-credential-gcr and gcloud name the tool: `_dcgcr_2_1_0_token`, `_dcgcloud_token`, `_token`.
        name if is_google && is_token(name) => Some(GOOGLE),
        ZERO_GUID => Some(ACR),
        _ => None,
    }
}

/// Claims of a JSON Web Token (RFC 7519) and fields of a token of Amazon ECR; nothing else of them is read.
#[derive(Deserialize)]
struct Claims {
    /// Seconds since 1970; some issuers write a fraction.
    exp: Option<f64>,
    expiration: Option<f64>,
}

/// When a token says that it ends, in seconds since 1970; `None` where it does not say.
pub fn expiry(secret: &Secret) -> Option<i64> {
    let text = secret.reveal_text()?;
    let mut parts = text.split('.');
    let claims = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(head), Some(body), Some(_), None) => {
            claims(URL_SAFE_NO_PAD.decode(head).ok()?)?;
            claims(URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?)?.exp
        }
        (Some(body), None, ..) => claims(STANDARD.decode(body).ok()?)?.expiration,
        _ => None,
    }?;
    let seconds = claims.is_finite() && (0.0..=253_402_300_799.0).contains(&claims);
    #[expect(clippy::cast_possible_truncation, reason = "seconds until the year 9999")]
    seconds.then_some(claims as i64)
}

fn claims(json: Vec<u8>) -> Option<Claims> {
    serde_json::from_slice(&Zeroizing::new(json)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(host: &str, user: &str) -> Option<&'static str> {
        short_lived(&RegistryHost::parse(host).expect("a host"), user).map(|kind| kind.helper)
    }

    #[test]
    fn tokens_of_clouds_are_told_by_host_and_user() {
        assert_eq!(kind("1.dkr.ecr.eu-west-1.amazonaws.com", "AWS"), Some("ecr-login"));
        assert_eq!(kind("1.dkr.ecr.cn-north-1.amazonaws.com.cn", "AWS"), Some("ecr-login"));
        assert_eq!(kind("public.ecr.aws", "AWS"), Some("ecr-login"));
        assert_eq!(kind("registry.example.com", "AWS"), None);
        assert_eq!(kind("europe-docker.pkg.dev", "oauth2accesstoken"), Some("gcloud"));
        assert_eq!(kind("gcr.io", "_dcgcloud_token"), Some("gcloud"));
        assert_eq!(kind("eu.gcr.io", "_token"), Some("gcloud"));
        assert_eq!(kind("gcr.io", "_json_key"), None);
        assert_eq!(kind("quay.io", "acme_token"), None);
        assert_eq!(kind("acme.azurecr.io", ZERO_GUID), Some("acr-env"));
        assert_eq!(kind("acme.azurecr.io", "acme"), None);
    }

    #[test]
    fn tokens_that_say_when_they_end_are_read() {
        let jwt = |head: &str, body: &str| {
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            Secret::from(format!("{}.{}.c2ln", part(head), part(body)))
        };
        let head = "{\"alg\":\"RS256\"}";
        assert_eq!(expiry(&jwt(head, "{\"exp\":1790000000,\"sub\":\"x\"}")), Some(1_790_000_000));
        assert_eq!(expiry(&jwt(head, "{\"exp\":1790000000.5}")), Some(1_790_000_000));
        for body in ["{\"sub\":\"x\"}", "{\"exp\":\"soon\"}", "{\"exp\":-1}", "{\"exp\":1e300}", "[]", "x"] {
            assert_eq!(expiry(&jwt(head, body)), None, "{body}");
        }
        let ecr = STANDARD.encode("{\"payload\":\"x\",\"type\":\"DATA_KEY\",\"expiration\":1790000000}");
        assert_eq!(expiry(&Secret::from(ecr)), Some(1_790_000_000));
        for text in ["hunter2", "a.b.c", "1.2.3", "", "eyJ.eyJ.x"] {
            assert_eq!(expiry(&Secret::from(text.to_owned())), None, "{text}");
        }
    }
}
