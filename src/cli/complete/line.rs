//! What was typed so far, as words; and a candidate as it is put in the place of the last one.

use std::ffi::OsString;

/// The words of a command line up to the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Typed {
    /// Without their quotes; the last one is being typed.
    pub(super) words: Vec<String>,
    /// Whether the shell shows what a candidate is.
    pub(super) wants_help: bool,
    insert: Insert,
}

/// How the shell puts a candidate in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Insert {
    /// It quotes by itself.
    #[default]
    AsIs,
    /// In the place of what follows the first so many bytes of the word, with characters that mean something
    /// escaped.
    Escaped(usize),
    /// Likewise, within a quote that is open.
    Quoted(usize, char),
}

impl Typed {
    /// Words that a shell has taken apart. A quote that is still open stands before the last one.
    pub(in crate::cli) fn words(words: &[OsString]) -> Self {
        let words = words.iter().skip_while(|word| *word == "--");
        let mut words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        if let Some(last) = words.last_mut()
            && let Some(rest) = last.strip_prefix(['\'', '"'])
        {
            *last = rest.to_owned();
        }
        Self { words, wants_help: true, insert: Insert::AsIs }
    }

    /// A line of bash, which breaks words at more than spaces: it replaces what stands behind the last of
    /// `breaks` alone.
    pub(in crate::cli) fn line(line: &str, breaks: &str) -> Self {
        let (mut words, mut word) = (Vec::new(), String::new());
        let (mut is_word, mut kept, mut quote) = (false, 0, None);
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match (quote, c) {
                (Some('\''), c) if c != '\'' => word.push(c),
                (Some('"'), '\\') => word.extend(chars.next()),
                (Some(open), c) if c == open => quote = None,
                (Some(_), c) => word.push(c),
                (None, '\'' | '"') => {
                    (quote, is_word, kept) = (Some(c), true, word.len());
                }
                (None, '\\') => {
                    is_word = true;
                    word.extend(chars.next());
                }
                (None, ' ' | '\t' | '\n') => {
                    if is_word {
                        words.push(std::mem::take(&mut word));
                    }
                    (is_word, kept) = (false, 0);
                }
                // Another command begins here.
                (None, ';' | '|' | '&' | '(') => {
                    words.clear();
                    word.clear();
                    (is_word, kept) = (false, 0);
                }
                (None, c) => {
                    is_word = true;
                    word.push(c);
                    if breaks.contains(c) {
                        kept = word.len();
                    }
                }
            }
        }
        words.push(word);
        let insert = quote.map_or(Insert::Escaped(kept), |quote| Insert::Quoted(kept, quote));
        Self { words, wants_help: false, insert }
    }

    /// A candidate as the shell gets it; none where it cannot stand there.
    pub(super) fn inserted(&self, candidate: &str) -> Option<String> {
        match self.insert {
            Insert::AsIs => Some(candidate.to_owned()),
            Insert::Escaped(kept) => Some(escape(candidate.get(kept..)?, |c| !is_plain(c))),
            Insert::Quoted(kept, '"') => Some(escape(candidate.get(kept..)?, |c| r#"$`"\!"#.contains(c))),
            Insert::Quoted(kept, quote) => {
                candidate.get(kept..).filter(|rest| !rest.contains(quote)).map(str::to_owned)
            }
        }
    }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_./:=@,+%^-".contains(c)
}

fn escape(text: &str, means_something: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if means_something(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn words(line: &str) -> Vec<String> {
        Typed::line(line, BREAKS).words
    }

    #[test]
    fn a_line_is_taken_apart_as_a_shell_does() {
        assert_eq!(words("pillarbox gate "), ["pillarbox", "gate", ""]);
        assert_eq!(words("pillarbox  'a b' \"c\\\"d\" e\\ f"), ["pillarbox", "a b", "c\"d", "e f"]);
        assert_eq!(words("cd x && pillarbox get 'a"), ["pillarbox", "get", "a"]);
        assert_eq!(words(""), [""]);
    }

    #[test]
    fn bash_gets_what_stands_behind_its_last_break() {
        let put = |line: &str, candidate: &str| Typed::line(line, BREAKS).inserted(candidate);
        assert_eq!(put("p 127.0.0.1:50", "127.0.0.1:5055").as_deref(), Some("5055"));
        assert_eq!(put("p regi", "registries.\"a b\"").as_deref(), Some("registries.\\\"a\\ b\\\""));
        assert_eq!(put("p 'regi", "registries.\"a b\"").as_deref(), Some("registries.\"a b\""));
        assert_eq!(put("p 'it", "it's"), None);
        assert_eq!(put("p \"$", "$(touch x)").as_deref(), Some("\\$(touch x)"));
        assert_eq!(put("p ", "$(touch x)").as_deref(), Some("\\$\\(touch\\ x\\)"));
    }

    proptest! {
        #[test]
        fn what_is_put_in_reads_as_the_candidate(candidate in "[a-zü\"'$`\\\\ !#~*(){}:=@.;]{1,12}") {
            let put = Typed::line("p ", BREAKS).inserted(&candidate).expect("it can stand there");
            prop_assert_eq!(words(&format!("p {put}")), ["p", candidate.as_str()]);
        }

        #[test]
        fn no_line_is_too_odd(line in ".{0,40}", candidate in ".{0,20}") {
            let _ = Typed::line(&line, BREAKS).inserted(&candidate);
        }
    }
}
