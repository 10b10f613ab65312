//! Where a bracket was forgotten: the parser notices it lines later, the indentation tells the line.

use super::tokens::{BEGINNINGS, Kind, Token};

/// What is missing, and where it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forgotten {
    /// The line before which it is noticed, counted from 0.
    pub(super) line: usize,
    /// The closing brackets, and a comma if more follows.
    pub(super) text: String,
    /// The opening brackets with their lines, counted from 0, the outer first.
    pub(super) open: Vec<(char, usize)>,
    /// Bytes from the beginning of the program at which the text is missing.
    pub(super) at: usize,
}

struct Open {
    bracket: char,
    line: usize,
    indent: usize,
}

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The first place up to `end` (bytes) where brackets are not closed that the indentation says are over.
pub(super) fn forgotten(program: &str, tokens: &[Token<'_>], end: usize) -> Option<Forgotten> {
    let indents: Vec<usize> =
        program.lines().map(|line| line.len() - line.trim_start_matches([' ', '\t']).len()).collect();
    let indent = |line: usize| indents.get(line).copied().unwrap_or_default();
    let mut open: Vec<Open> = Vec::new();
    let mut before: Option<&Token<'_>> = None;
    for (index, token) in tokens.iter().enumerate().take_while(|(_, token)| token.start <= end) {
        let first = before.is_none_or(|before| before.line != token.line);
        let closes = token.kind == Kind::Sign && matches!(token.text, ")" | "]" | "}");
        let at = before.map_or(0, Token::end);
        if first && !closes {
            let begins = BEGINNINGS.contains(&token.text) || is_assignment(&tokens[index..]);
            let over = open.iter().rev().take_while(|one| begins || one.indent >= indent(token.line)).count();
            if over > 0 {
                return Some(missing(&open, over, token, at));
            }
        }
        if closes {
            match open.last() {
                Some(last) if closing(last.bracket).to_string() != token.text => {
                    let over =
                        open.iter().rev().position(|one| closing(one.bracket).to_string() == token.text)?;
                    let mut found = missing(&open, over, token, at);
                    found.text.truncate(found.text.trim_end_matches(',').len());
                    return Some(found);
                }
                _ => drop(open.pop()),
            }
        } else if token.kind == Kind::Sign && matches!(token.text, "(" | "[" | "{") {
            let bracket = token.text.chars().next()?;
            open.push(Open { bracket, line: token.line, indent: indent(token.line) });
        }
        before = Some(token);
    }
    // At the end of the program.
    let last = tokens.last().filter(|last| !open.is_empty() && last.start < end)?;
    let end = Token { line: last.line + 1, ..*last };
    Some(missing(&open, open.len(), &end, last.end()))
}

/// `config["web"] = …`, which no bracket can hold.
fn is_assignment(tokens: &[Token<'_>]) -> bool {
    let [name, open, key, close, equals, ..] = tokens else { return false };
    name.kind == Kind::Name && open.is("[") && key.kind == Kind::Text && close.is("]") && equals.is("=")
}

fn missing(open: &[Open], over: usize, token: &Token<'_>, at: usize) -> Forgotten {
    let rest = open.len() - over;
    let mut text: String = open[rest..].iter().rev().map(|one| closing(one.bracket)).collect();
    if rest > 0 {
        text.push(',');
    }
    let open = open[rest..].iter().map(|one| (one.bracket, one.line)).collect();
    Forgotten { line: token.line, text, open, at }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn of(program: &str) -> Option<(usize, String)> {
        forgotten(program, &tokens(program), program.len()).map(|found| (found.line, found.text))
    }

    #[test]
    fn the_indentation_tells_where_a_bracket_is_missing() {
        assert_eq!(of("x = [\n  {'a': [\n    {'b': 1},\n  {'c': 2}\n]\n"), Some((3, "]},".to_owned())));
        assert_eq!(of("def f():\n    x = {\n        'a': [1\n    return x\n"), Some((3, "]}".to_owned())));
        assert_eq!(of("x = {\n  'a': [1\n\n c['b'] = 2\n"), Some((3, "]}".to_owned())));
        assert_eq!(of("x = [1, 2\n"), Some((1, "]".to_owned())));
        assert_eq!(of("x = {'a': [1, 2}\n"), Some((0, "]".to_owned())));
        assert_eq!(of("x = f(\n    1,\n)\n"), None);
        assert_eq!(of("x = f(1,\n      2)\n"), None);
    }
}
