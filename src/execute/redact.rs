//! Text for output: secrets of the run replaced, control characters escaped.
//!
//! A secret is looked for as it is and in the encodings that programs use, also over the ends of lines and
//! in pieces. What no search finds: one that is compressed, encrypted, reversed, or printed in pieces of
//! fewer than [`PIECE`] characters with other text between them.

use super::secrets::Opened;
use crate::problem::escaped;
use crate::secret::Secret;
use crate::state::Encoder;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::HashMap;
use std::ops::Range;
use zeroize::Zeroizing;

mod letters;

use letters::Letters;

/// What stands in the place of a secret.
const INSTEAD: &str = "[secret]";

/// Lines of a secret shorter than this are not looked for one by one: replacing every `}` of a log
/// hides more than it protects. A whole secret is replaced however short it is.
const LEAST: usize = 4;

/// So many characters of a form are taken for a piece of it, wherever they stand.
const PIECE: usize = 12;

/// The forms in which a secret may turn up in a log.
pub struct Redactor {
    /// Replaced where they stand on one line, the longest first.
    whole: Vec<Zeroizing<String>>,
    /// Looked for in pieces, without blanks and backslashes.
    pieces: Vec<Zeroizing<Vec<u8>>>,
    /// The same in hexadecimal digits.
    hex: Vec<Zeroizing<Vec<u8>>>,
}

impl Redactor {
    /// For all secrets of a run.
    pub(super) fn new(opened: &Opened) -> Self {
        Self::of(opened.values())
    }

    /// For these secrets.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let (mut whole, mut pieces, mut hex) = (Vec::new(), Vec::new(), Vec::new());
        for secret in secrets {
            let bytes = secret.reveal();
            let mut forms: Vec<Zeroizing<String>> = Vec::new();
            if let Some(text) = secret.reveal_text() {
                forms.push(Zeroizing::new(text.to_owned()));
            }
            for encoder in [Encoder::UrlEncode, Encoder::ToJson] {
                let encoded = encoder.apply(secret);
                let text = encoded.as_ref().and_then(|encoded| encoded.reveal_text()).unwrap_or_default();
                // A JSON string may stand in the middle of a longer one: without its own two quotes.
                let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
                forms.push(Zeroizing::new(text.to_owned()));
                // As Go writes it, which escapes what HTML would read.
                let of_html = ['<', '>', '&'].iter().fold(Zeroizing::new(text.to_owned()), |text, c| {
                    Zeroizing::new(text.replace(*c, &format!("\\u{:04x}", u32::from(*c))))
                });
                forms.push(of_html);
            }
            if bytes.len() >= LEAST {
                forms.extend(encoded(bytes));
                hex.push(Zeroizing::new(digits(bytes)));
            }
            pieces.extend(forms.iter().map(|form| Zeroizing::new(letters::of(form))));
            if let Some(text) = secret.reveal_text() {
                let lines = text.lines().map(str::trim).filter(|line| line.len() >= LEAST);
                forms.extend(lines.map(|line| Zeroizing::new(line.to_owned())));
            }
            whole.extend(forms);
        }
        whole.retain(|form| !form.is_empty());
        whole.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        whole.dedup();
        pieces.retain(|form| form.len() >= PIECE);
        pieces.sort_by(|a, b| a.as_slice().cmp(b));
        pieces.dedup();
        Self { whole, pieces, hex }
    }

    /// The text, fit to be shown.
    pub(super) fn clean(&self, text: &str) -> String {
        self.clean_lines(std::slice::from_ref(&text)).concat()
    }

    /// The lines, fit to be shown. A secret may begin on one and end on a later one.
    pub(super) fn clean_lines<T: AsRef<str>>(&self, lines: &[T]) -> Vec<String> {
        let hidden = self.found(lines);
        let clean = |(line, hidden): (&T, _)| replaced(line.as_ref(), hidden, escaped);
        lines.iter().zip(hidden).map(clean).collect()
    }

    /// A line with its secrets replaced and everything else as it is; `None` where there are none.
    pub fn hide(&self, line: &str) -> Option<String> {
        let hidden = self.found(&[line]).pop().filter(|hidden| !hidden.is_empty())?;
        Some(replaced(line, hidden, str::to_owned))
    }

    /// Where secrets stand in each line.
    fn found<T: AsRef<str>>(&self, lines: &[T]) -> Vec<Vec<Range<usize>>> {
        let mut hidden: Vec<Vec<Range<usize>>> = vec![Vec::new(); lines.len()];
        mark(&Letters::of_text(lines), &self.pieces, &mut hidden);
        mark(&Letters::of_hex(lines), &self.hex, &mut hidden);
        for (line, hidden) in lines.iter().zip(&mut hidden) {
            for form in &self.whole {
                hidden.extend(
                    line.as_ref().match_indices(form.as_str()).map(|(at, found)| at..at + found.len()),
                );
            }
        }
        hidden
    }
}

/// A line with something in the place of its secrets.
fn replaced(line: &str, mut hidden: Vec<Range<usize>>, shown_as: impl Fn(&str) -> String) -> String {
    hidden.sort_by_key(|range| range.start);
    let (mut shown, mut at) = (String::new(), 0);
    let mut hidden = hidden.into_iter().peekable();
    while let Some(mut range) = hidden.next() {
        while let Some(next) = hidden.next_if(|next| next.start <= range.end) {
            range.end = range.end.max(next.end);
        }
        shown.push_str(&shown_as(line.get(at..range.start).unwrap_or_default()));
        shown.push_str(INSTEAD);
        at = range.end;
    }
    shown.push_str(&shown_as(line.get(at..).unwrap_or_default()));
    shown
}

/// Marks every piece of a form.
fn mark(letters: &Letters, forms: &[Zeroizing<Vec<u8>>], hidden: &mut [Vec<Range<usize>>]) {
    let all = letters.all();
    // The text is small and the secrets may be large: so the text is what is indexed.
    let mut at: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (start, piece) in all.windows(PIECE).enumerate() {
        at.entry(piece).or_default().push(start);
    }
    let mut marked = vec![false; all.len()];
    for form in forms {
        let length = form.len().min(PIECE);
        if length < PIECE {
            // A short one as a whole.
            for start in 0..=all.len().saturating_sub(length) {
                if all.get(start..start + length) == Some(form.as_slice()) {
                    marked[start..start + length].fill(true);
                }
            }
        }
        for piece in form.windows(PIECE) {
            for start in at.get(piece).into_iter().flatten() {
                marked[*start..*start + PIECE].fill(true);
            }
        }
    }
    letters.hide(&marked, hidden);
}

/// Hexadecimal digits in lower case.
fn digits(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| b"0123456789abcdef"[usize::from(half)])
        .collect()
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
    let hex = String::from_utf8(digits(bytes)).unwrap_or_default();
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

    const LONG: &[u8] =
        b"postgres://app:kT7#vQ2$mX9!pL4@db.internal:5432/shop?sslmode=verify-full&pool=12&z=0";

    /// As `base64`, `hexdump -C` and `xxd` print it, in lines.
    fn printed(bytes: &[u8], wide: usize) -> Vec<String> {
        let text = STANDARD.encode(bytes);
        text.as_bytes().chunks(wide).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    fn dumped(bytes: &[u8], canonical: bool) -> Vec<String> {
        let row = |(at, row): (usize, &[u8])| {
            let seen: String =
                row.iter().map(|b| if (32..127).contains(b) { char::from(*b) } else { '.' }).collect();
            let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
            if canonical {
                let (left, right) = hex.split_at(hex.len().min(8));
                return format!("{:08x}  {:<24} {:<24} |{seen}|", at * 16, left.join(" "), right.join(" "));
            }
            let pairs: Vec<String> = hex.chunks(2).map(|pair| pair.concat()).collect();
            format!("{:08x}: {:<39}  {seen}", at * 16, pairs.join(" "))
        };
        bytes.chunks(16).enumerate().map(row).collect()
    }

    /// Nothing of it is left: no five characters of the secret, or of its base64.
    fn nothing_left(shown: &[String], secret: &[u8]) {
        let text = String::from_utf8_lossy(secret).into_owned();
        let base64 = STANDARD.encode(secret);
        for line in shown {
            for form in [&text, &base64] {
                let left = form
                    .as_bytes()
                    .windows(5)
                    .find(|piece| line.as_bytes().windows(5).any(|seen| seen == *piece));
                assert!(left.is_none(), "{shown:#?}");
            }
        }
    }

    #[test]
    fn a_secret_is_found_over_the_ends_of_lines() {
        let redactor = redactor(LONG);
        for wide in [20, 64, 76] {
            let mut lines = printed(LONG, wide);
            lines.insert(0, "the credential:".to_owned());
            lines.push("that was it".to_owned());
            let shown = redactor.clean_lines(&lines);
            nothing_left(&shown, LONG);
            assert_eq!(
                (shown[0].as_str(), shown[shown.len() - 1].as_str()),
                ("the credential:", "that was it")
            );
        }
        let text = String::from_utf8_lossy(LONG);
        let folded: Vec<&str> =
            text.as_bytes().chunks(30).map(|part| std::str::from_utf8(part).expect("text")).collect();
        nothing_left(&redactor.clean_lines(&folded), LONG);
        let cut: Vec<String> = printed(LONG, 76).split_off(1);
        nothing_left(&redactor.clean_lines(&cut), LONG);
    }

    #[test]
    fn pieces_with_a_time_before_each_are_found() {
        let redactor = redactor(LONG);
        let lines: Vec<String> =
            printed(LONG, 76).iter().map(|line| format!("2026-11-29T10:00:00Z app {line}")).collect();
        let shown = redactor.clean_lines(&lines);
        assert!(shown.iter().all(|line| line == "2026-11-29T10:00:00Z app [secret]"), "{shown:#?}");
    }

    #[test]
    fn a_dump_of_a_secret_is_replaced_row_by_row() {
        let redactor = redactor(LONG);
        for canonical in [true, false] {
            for before in ["", "user=app url="] {
                let dump = dumped(&[before.as_bytes(), LONG, b" end"].concat(), canonical);
                let shown = redactor.clean_lines(&dump);
                nothing_left(&shown, LONG);
                let left = String::from_utf8_lossy(&digits(LONG)).into_owned();
                let bare: String = shown.concat().chars().filter(char::is_ascii_hexdigit).collect();
                assert!(
                    !left.as_bytes().windows(8).any(|piece| bare.contains(&*String::from_utf8_lossy(piece))),
                    "{shown:#?}"
                );
            }
        }
        let colons: Vec<String> = LONG.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(redactor.clean(&format!("key {}", colons.join(":"))), "key [secret]");
    }

    #[test]
    fn what_was_quoted_twice_is_found() {
        let secret: &[u8] = b"p\"a<s>s&w\\rd \"and\" more";
        let redactor = redactor(secret);
        let once = serde_json::Value::from("p\"a<s>s&w\\rd \"and\" more").to_string();
        let twice = serde_json::Value::from(once.as_str()).to_string();
        let thrice = serde_json::Value::from(twice.as_str()).to_string();
        let of_go = once.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        for text in [once, twice, thrice, of_go] {
            let shown = redactor.clean(&format!("got {text} here"));
            assert!(!shown.contains("rd") && shown.contains("[secret]"), "{shown}");
        }
    }

    #[test]
    fn a_line_keeps_everything_else_where_secrets_are_hidden() {
        let redactor = redactor(b"secret");
        assert_eq!(redactor.hide("\u{1b}[31mno\t"), None);
        assert_eq!(redactor.hide("\u{1b}[31mmy secret\t").as_deref(), Some("\u{1b}[31mmy [secret]\t"));
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(redactor(b"secret").clean("\u{1b}[2Jsecret"), "\\u{1b}[2J[secret]");
    }
}
