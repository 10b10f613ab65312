//! Text that is shown to people: secrets of the run replaced, control characters escaped.

use super::secrets::Opened;
use crate::problem::escaped;
use crate::state::Encoder;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// What stands in the place of a secret.
const INSTEAD: &str = "[secret]";

/// Lines of a secret shorter than this are not looked for one by one: replacing every `}` of a log
/// hides more than it protects. A whole secret is replaced however short it is.
const LEAST: usize = 4;

/// The forms in which a secret may turn up in a log, the longest first.
pub(super) struct Redactor(Vec<Zeroizing<String>>);

impl Redactor {
    /// For all secrets of a run.
    pub(super) fn new(opened: &Opened) -> Self {
        let mut forms: Vec<Zeroizing<String>> = Vec::new();
        for secret in opened.values() {
            let bytes = secret.reveal();
            if let Some(text) = secret.reveal_text() {
                forms.push(Zeroizing::new(text.to_owned()));
                let lines = text.lines().map(str::trim).filter(|line| line.len() >= LEAST);
                forms.extend(lines.map(|line| Zeroizing::new(line.to_owned())));
            }
            for encoder in [Encoder::UrlEncode, Encoder::ToJson] {
                let encoded = encoder.apply(secret);
                let text = encoded.as_ref().and_then(|encoded| encoded.reveal_text()).unwrap_or_default();
                // A JSON string may stand in the middle of a longer one: without its own two quotes.
                let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
                forms.push(Zeroizing::new(text.to_owned()));
            }
            if bytes.len() >= LEAST {
                forms.extend(encoded(bytes));
            }
        }
        forms.retain(|form| !form.is_empty());
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self(forms)
    }

    /// The text, fit to be shown.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = Zeroizing::new(text.to_owned());
        for form in &self.0 {
            if text.contains(form.as_str()) {
                text = Zeroizing::new(text.replace(form.as_str(), INSTEAD));
            }
        }
        escaped(&text)
    }
}

/// Base64 in both alphabets and hexadecimal. Within a longer text the bytes may begin at any of three
/// offsets: what is the same in all such texts is looked for.
fn encoded(bytes: &[u8]) -> Vec<Zeroizing<String>> {
    let mut forms = Vec::new();
    for offset in 0..3 {
        let mut padded = Zeroizing::new(vec![0u8; offset]);
        padded.extend_from_slice(bytes);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = Zeroizing::new(engine.encode(&*padded));
            // Digits that hold bits of what stands before or after are left out.
            let first = [0, 2, 3][offset];
            let last = padded.len() * 8 / 6;
            if let Some(inner) = text.get(first..last).filter(|inner| inner.len() >= LEAST) {
                forms.push(Zeroizing::new(inner.to_owned()));
            }
        }
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.push(Zeroizing::new(hex.to_uppercase()));
    forms.push(Zeroizing::new(hex));
    forms
}

#[cfg(test)]
mod tests {
    use super::super::secrets::{Fetching, Secrets};
    use super::*;
    use crate::name::{HostName, ImageName};
    use crate::problem::Result;
    use crate::secret::Secret;
    use crate::state::SecretRef;
    use base64::engine::general_purpose::STANDARD;
    use futures_util::FutureExt as _;
    use futures_util::future::ready;

    struct One(&'static [u8]);

    impl Secrets for One {
        fn open(&self, _: &SecretRef) -> Result<Secret> {
            Ok(Secret::new(self.0.to_vec()))
        }
        fn auth<'a>(&'a self, _: &'a HostName, _: &'a ImageName) -> Fetching<'a> {
            ready(Ok(None)).boxed_local()
        }
    }

    fn redactor(secret: &'static [u8]) -> Redactor {
        let plan = crate::execute::tests::plan_with_secret("DB_URL");
        Redactor::new(&Opened::all([&plan], &One(secret)).expect("opened"))
    }

    #[test]
    fn no_form_of_a_secret_is_left_in_a_log() {
        let redactor = redactor(b"p@ss/w\"rd?>~");
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "x", "xy"] {
                let joined = format!("{before}p@ss/w\"rd?>~{after}");
                let line = format!(
                    "url={joined} b64={} json={}",
                    STANDARD.encode(&joined),
                    serde_json::Value::from(joined.as_str())
                );
                let clean = redactor.clean(&line);
                assert!(!clean.contains("p@ss"), "{clean}");
                assert!(!clean.contains(&STANDARD.encode(&joined)[4..12]), "{clean}");
            }
        }
        assert_eq!(redactor.clean("p%40ss%2Fw%22rd%3F%3E~"), "[secret]");
        assert_eq!(redactor.clean("704073732f772272643f3e7e"), "[secret]");
    }

    #[test]
    fn each_line_of_a_long_secret_is_replaced() {
        let redactor = redactor(b"-----BEGIN KEY-----\nMIIBVQ\n-----END KEY-----\n");
        assert_eq!(redactor.clean("read MIIBVQ from file"), "read [secret] from file");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(redactor(b"secret").clean("\u{1b}[2Jsecret"), "\\u{1b}[2J[secret]");
    }
}
