//! What a helper said on both streams, and how much of it people may see.

use crate::problem::{Problem, escaped};
use crate::process::Output;
use zeroize::Zeroizing;

/// Bytes of an answer that are read: secrets of 64 KiB and more fit, also escaped.
pub(super) const MOST: usize = 512 * 1024;
/// Bytes of standard error that are kept, the last ones.
pub(super) const KEPT: usize = 4096;
/// Lines of it that are shown, the last ones.
const LINES: usize = 8;
/// Characters of a line that are shown.
const WIDE: usize = 300;
/// Shorter texts of an answer are not looked for in its words: nothing could be read any more.
const LEAST: usize = 4;

/// Both streams.
pub(super) struct Said(pub(super) Output);

impl Said {
    /// The answer.
    pub(super) fn out(&self) -> &[u8] {
        &self.0.out
    }

    /// Standard output as the message that it is where a helper fails; `None` where it looks like an
    /// answer, whose words nobody may see, or there is none.
    pub(super) fn line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.0.out);
        let text = text.trim();
        (!text.is_empty() && !text.contains(['{', '"']))
            .then(|| shown(text.lines().next().unwrap_or_default().trim()))
    }

    /// Adds the last lines of standard error, without any text of the answer.
    pub(super) fn explain(&self, problem: Problem) -> Problem {
        let mut text = Zeroizing::new(String::from_utf8_lossy(&self.0.err).into_owned());
        for secret in self.texts() {
            if text.contains(secret.as_str()) {
                text = Zeroizing::new(text.replace(secret.as_str(), "[secret]"));
            }
        }
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        last.iter().fold(problem, |problem, line| problem.cause(shown(line)))
    }

    /// The texts in something that looks like an answer, as they are written and as they are meant,
    /// also where it is cut off or broken; the longest first.
    fn texts(&self) -> Vec<Zeroizing<String>> {
        let out = Zeroizing::new(String::from_utf8_lossy(&self.0.out).into_owned());
        let mut texts: Vec<Zeroizing<String>> = Vec::new();
        if !out.contains(['{', '"']) {
            return texts;
        }
        let mut rest = out.as_str();
        while let Some((_, text)) = rest.split_once('"') {
            let end = end_of_text(text);
            let written = &text[..end];
            texts.push(Zeroizing::new(written.to_owned()));
            if let Ok(meant) = serde_json::from_str::<String>(&format!("\"{written}\"")) {
                texts.push(Zeroizing::new(meant));
            }
            rest = text.get(end + 1..).unwrap_or_default();
        }
        texts.retain(|text| text.len() >= LEAST && !FIELDS.contains(&text.as_str()));
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts
    }
}

/// Names of fields are no secrets.
const FIELDS: [&str; 3] = ["ServerURL", "Username", "Secret"];

/// Where a JSON text ends: its closing quote, or the end of what there is.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    text.len()
}

fn shown(line: &str) -> String {
    let mut cut: String = line.chars().take(WIDE).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    escaped(&cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(out: &str, err: &str) -> Vec<String> {
        let said = Said(Output {
            out: Zeroizing::new(out.as_bytes().to_vec()),
            err: Zeroizing::new(err.as_bytes().to_vec()),
        });
        said.explain(Problem::failed("x")).causes
    }

    #[test]
    fn nothing_of_an_answer_is_shown_however_broken_it_is() {
        for out in [
            r#"{"Username":"user","Secret":"CANARY\u003e1"}"#,
            r#"{"Username":"user","Secret":"CANARY\u003e1"#,
        ] {
            let causes = causes(out, "got CANARY>1\nraw CANARY\\u003e1 end\n");
            assert_eq!(causes, ["got [secret]", "raw [secret] end"], "{out}");
        }
    }

    #[test]
    fn quotes_around_a_secret_are_enough() {
        assert_eq!(causes("oops \"CANARY>1\" oops", "got CANARY>1"), ["got [secret]"]);
    }

    #[test]
    fn the_last_lines_are_shown_cut_and_escaped() {
        let many: String = (0..20).map(|n| format!("line {n}\n\n")).collect();
        let shown = causes("", &many);
        assert_eq!((shown.len(), shown[7].as_str()), (8, "line 19"));
        assert_eq!(causes("", "\u{1b}[2Jno\ttoken\r\n"), ["\\u{1b}[2Jno\\ttoken"]);
        assert_eq!(causes("", &"x".repeat(1000))[0].chars().count(), 301);
    }

    #[test]
    fn a_message_is_told_from_an_answer() {
        let line =
            |out: &str| Said(Output { out: Zeroizing::new(out.into()), err: Zeroizing::default() }).line();
        assert_eq!(line(" not\u{7} here \nsecond").as_deref(), Some("not\\u{7} here"));
        assert_eq!(line("{\"Secret\":\"x\"}"), None);
        assert_eq!(line("\n"), None);
    }
}
