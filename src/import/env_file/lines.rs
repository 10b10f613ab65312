//! Lines `NAME=VALUE`, with the quotes of Compose's env files (docs.docker.com, "Interpolation", "Env-file syntax").

use zeroize::Zeroizing;

/// A variable and its line.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Zeroizing<String>,
    pub(super) line: u32,
    /// It stands in single quotes: `$` is a letter.
    is_literal: bool,
}

impl Variable {
    /// Whether the value is that of another variable, which is not known here.
    pub(super) fn is_reference(&self) -> bool {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let braced = self.value.split_once("${").is_some_and(|(_, rest)| rest.contains('}'));
        !self.is_literal && (braced || self.value.strip_prefix('$').is_some_and(is_name))
    }
}

/// Reads a file; `None` where a line is neither a variable nor a comment.
pub(super) fn read(text: &str) -> Option<Vec<Variable>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1_u32);
    while !rest.is_empty() {
        let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let plain = first.trim();
        if plain.is_empty() || plain.starts_with('#') {
            (rest, line) = (after, line.saturating_add(1));
            continue;
        }
        let start = rest.len() - rest.trim_start().len();
        let (name, _) = rest[start..].split_once('=')?;
        let at = start + name.len() + 1;
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return None;
        }
        let (value, is_literal, used) = value(&rest[at..])?;
        found.push(Variable { name: name.to_owned(), value, line, is_literal });
        let taken = &rest[..at + used];
        line = line.saturating_add(u32::try_from(taken.matches('\n').count()).unwrap_or(u32::MAX));
        rest = &rest[at + used..];
    }
    Some(found)
}

/// A value, whether it is literal, and how many bytes it takes with the end of its line; one in quotes may have
/// several lines.
fn value(text: &str) -> Option<(Zeroizing<String>, bool, usize)> {
    let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
    let quote = text[blank..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let end = text.find('\n').map_or(text.len(), |at| at + 1);
        let line = text[..end].trim();
        let plain = line.find(" #").map_or(line, |at| line[..at].trim_end());
        return Some((Zeroizing::new(plain.to_owned()), false, end));
    };
    let inner = &text[blank + 1..];
    let mut value = Zeroizing::new(String::with_capacity(inner.len()));
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            end if end == quote => {
                let after = blank + 1 + at + 1;
                let (tail, _) = text[after..].split_once('\n').unwrap_or((&text[after..], ""));
                if !(tail.trim().is_empty() || tail.trim_start().starts_with('#')) {
                    return None;
                }
                return Some((value, quote == '\'', (after + tail.len() + 1).min(text.len())));
            }
            '\\' if quote == '"' => match letters.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                other @ ('"' | '\\' | '$') => value.push(other),
                other => value.extend(['\\', other]),
            },
            '\\' if inner[at + 1..].starts_with('\'') => {
                letters.next();
                value.push('\'');
            }
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_their_quotes() {
        let text = "# a\n\nexport A=1\nB = x y # no\nC='$x'\\''y'\nD=\"a\\n\\\"b\\\"\" # no\nE='{\n \"auths\": {}\n}'\r\nF=a#b\nG=\n";
        let read = |text| {
            read(text).map(|all| {
                all.iter().map(|one| format!("{}:{}={}", one.line, one.name, *one.value)).collect::<Vec<_>>()
            })
        };
        assert_eq!(read(text), None, "quotes that are put together are of a shell");
        let text = text.replace("'$x'\\''y'", "'$x\\'y'");
        assert_eq!(
            read(&text).expect("variables"),
            ["3:A=1", "4:B=x y", "5:C=$x'y", "6:D=a\n\"b\"", "7:E={\n \"auths\": {}\n}", "10:F=a#b", "11:G="]
        );
        for text in ["hello", "a b=c", "1A=b", "A='x", "A=\"x\\", "=x", "a: b=c"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn references_are_told_from_values() {
        let is = |line: &str| read(line).expect("a variable")[0].is_reference();
        assert!(is("A=$B") && is("A=${B}") && is("A=\"x${B:-y}\""));
        assert!(!is("A='${B}'") && !is("A=pa$$word") && !is("A=$1x") && !is("A=x$B"));
    }
}
