//! The words of a program that the parser refuses, cut without an error.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    /// A text in quotes, with its prefix.
    Text,
    Sign,
}

/// A word, a number, a text or a sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    /// Bytes from the beginning of the program.
    pub(super) start: usize,
    /// The line, counted from 0.
    pub(super) line: usize,
    /// The bracket that it stands in.
    pub(super) within: Option<char>,
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text && self.kind != Kind::Text
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Signs of more than one character, the longest first.
const SIGNS: [&str; 24] = [
    "**=", "//=", "<<=", ">>=", "**", "//", ":=", "<>", "==", "!=", "<=", ">=", "->", "&&", "||", "++", "--",
    "+=", "-=", "*=", "/=", "%=", "<<", ">>",
];

/// Words that begin a statement and stand nowhere else, so that a bracket before them was not closed.
pub(super) const BEGINNINGS: [&str; 9] =
    ["def", "return", "import", "from", "class", "while", "try", "pass", "raise"];

/// Cuts a program, comments left out. A text without an end is one to the end of its line.
pub(super) fn tokens(program: &str) -> Vec<Token<'_>> {
    let (mut found, mut open): (Vec<Token<'_>>, Vec<char>) = (Vec::new(), Vec::new());
    let (mut at, mut line) = (0, 0);
    while let Some(first) = program[at..].chars().next() {
        let rest = &program[at..];
        let length = match first {
            '\n' => {
                line += 1;
                at += 1;
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            _ => quoted(rest).map(|length| (Kind::Text, length)).unwrap_or_else(|| plain(rest, first)),
        };
        let (kind, length) = length;
        let text = &rest[..length];
        if kind == Kind::Sign && matches!(first, ')' | ']' | '}') {
            open.pop();
        }
        let starts_line = found.last().is_none_or(|before| before.line != line);
        if kind == Kind::Name && starts_line && BEGINNINGS.contains(&text) {
            open.clear();
        }
        found.push(Token { kind, text, start: at, line, within: open.last().copied() });
        if kind == Kind::Sign && matches!(first, '(' | '[' | '{') {
            open.push(first);
        }
        line += text.bytes().filter(|byte| *byte == b'\n').count();
        at += length;
    }
    found
}

/// The bytes of a text in quotes that begins here.
fn quoted(rest: &str) -> Option<usize> {
    let prefix = rest.bytes().take(2).take_while(|byte| b"uUbBrRfF".contains(byte)).count();
    let text = &rest[prefix..];
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let raw = rest[..prefix].contains(['r', 'R']);
    let triple = [quote; 3].iter().collect::<String>();
    let (open, is_triple) = if text.starts_with(&triple) { (3, true) } else { (1, false) };
    let (mut at, mut escaped) = (open, false);
    for c in text[open..].chars() {
        let here = &text[at..];
        if !escaped && (if is_triple { here.starts_with(&triple) } else { c == quote }) {
            return Some(prefix + at + open);
        }
        if c == '\n' && !is_triple && !escaped {
            break;
        }
        escaped = c == '\\' && !escaped && !raw;
        at += c.len_utf8();
    }
    Some(prefix + at)
}

fn plain(rest: &str, first: char) -> (Kind, usize) {
    let word = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
    if first.is_ascii_digit() {
        return (Kind::Number, word(|c| c.is_ascii_digit() || c == '.'));
    }
    if first.is_alphabetic() || first == '_' {
        return (Kind::Name, word(|c| c.is_alphanumeric() || c == '_'));
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    (Kind::Sign, sign.map_or(first.len_utf8(), |sign| sign.len()))
}

/// The tokens of the statement that a line belongs to: from the line that begins it, over all lines of its brackets.
pub(super) fn statement<'a, 't>(tokens: &'a [Token<'t>], line: usize) -> &'a [Token<'t>] {
    let begins = |index: usize| {
        let token = &tokens[index];
        token.within.is_none()
            && !matches!(token.text, ")" | "]" | "}")
            && index.checked_sub(1).is_none_or(|before| tokens[before].line != token.line)
    };
    let after = tokens.partition_point(|token| token.line <= line);
    let Some(start) = (0..after).rev().find(|index| begins(*index)) else { return &[] };
    let end = (start + 1..tokens.len()).find(|index| begins(*index)).unwrap_or(tokens.len());
    &tokens[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_cut_into_words_also_where_it_has_no_end() {
        let program = "x = f(u'a', # a ‘comment’\n  \"b\\\"c\")\ny **= 'open\nz = '''a\nb''' ‘\n";
        let cut = tokens(program);
        let texts: Vec<&str> = cut.iter().map(|token| token.text).collect();
        assert_eq!(
            texts,
            [
                "x",
                "=",
                "f",
                "(",
                "u'a'",
                ",",
                "\"b\\\"c\"",
                ")",
                "y",
                "**=",
                "'open",
                "z",
                "=",
                "'''a\nb'''",
                "‘"
            ]
        );
        let lines: Vec<usize> = cut.iter().map(|token| token.line).collect();
        assert_eq!(lines, [0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4]);
        assert_eq!(statement(&cut, 1).len(), 8);
        assert_eq!(statement(&cut, 2).len(), 3);
    }

    #[test]
    fn any_text_is_cut_without_an_error() {
        for text in ["", "'", "\"\\", "'''", "[(", "é…‘", "f'{", "\\\n", "\u{0}\r\n\t"] {
            let length: usize = tokens(text).iter().map(|token| token.text.len()).sum();
            assert!(length <= text.len(), "{text}");
            assert!(statement(&tokens(text), 0).len() <= 3);
        }
    }
}
