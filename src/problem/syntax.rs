//! A file that is not TOML: line, column, the line itself, and what is often meant.

use super::{Place, Problem, conflict, escaped};

/// Characters of a line that are shown.
const WIDEST: usize = 120;

/// The problem of a text that could not be parsed. `at` is the byte where it is wrong, if the parser says it, and
/// `reason` what the parser says. `file` is relative to the workspace.
pub fn no_toml(file: &str, text: &str, at: Option<usize>, reason: &str) -> Problem {
    let Some(at) = at.filter(|at| *at <= text.len()) else {
        return Problem::failed("this is not valid TOML").at(&Place::new(file, 0)).cause(said(reason));
    };
    let found = Found::at(text, at);
    let place = Place::new(file, found.number);
    if let Some(conflict) = conflict::left_over(file, text, found.number) {
        return conflict;
    }
    let mut problem = Problem::failed("this is not valid TOML").at(&place);
    problem = problem.cause(match shown(file, found.line) {
        Some(line) => format!("column {}: {line}", found.column),
        None => format!("column {}", found.column),
    });
    problem = problem.cause(said(reason));
    if reason.contains("duplicate key") {
        if let Some(other) = earlier(text, found.number) {
            problem = problem.cause(format!("the other one is in {}", Place::new(file, other)));
        }
        return problem.hint("write it once; two tables of one name are two with names of their own, or one");
    }
    match found.bare_word() {
        Some((key, word)) if has_no_secrets(file) => {
            problem.hint(format!("text needs quotes: {} = \"{}\"", escaped(key), escaped(word)))
        }
        Some((key, _)) => problem.hint(format!("text needs quotes: {} = \"…\"", escaped(key))),
        None => problem,
    }
}

/// What the parser says, on one line.
fn said(reason: &str) -> String {
    escaped(&reason.lines().collect::<Vec<_>>().join(", "))
}

/// States and the inventory hold no secrets; a secret in clear could stand in any other file by mistake.
fn has_no_secrets(file: &str) -> bool {
    file == "pillarbox.toml" || file.starts_with("states/")
}

/// A line for people: without its value where that may be a secret, and not at all where it has no key.
fn shown(file: &str, line: &str) -> Option<String> {
    let line = line.trim_end();
    let whole = if has_no_secrets(file) || is_header(line) {
        line.to_owned()
    } else {
        let (key, _) = line.split_once('=').filter(|(key, _)| is_key(key.trim()))?;
        format!("{key}= …")
    };
    let cut: String = whole.chars().take(WIDEST).collect();
    Some(escaped(if cut.len() < whole.len() { format!("{cut}…") } else { cut }.trim_end()))
}

/// `[a.b]`, also where it does not end.
fn is_header(line: &str) -> bool {
    line.strip_prefix('[').is_some_and(|name| is_key(name.trim_matches(['[', ']', ' '])))
}

/// `a.b`, `"a b".c`.
fn is_key(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'' | '/' | ':');
    !text.is_empty() && text.chars().all(plain)
}

/// A line of a text.
struct Found<'t> {
    number: u32,
    /// Counted from 1, in characters.
    column: usize,
    line: &'t str,
}

impl<'t> Found<'t> {
    fn at(text: &'t str, at: usize) -> Self {
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let number = text[..at].matches('\n').count() + 1;
        Self {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            column: text[start..at].chars().count() + 1,
            line: &text[start..end],
        }
    }

    /// A key and its value, where that is a word without quotes.
    fn bare_word(&self) -> Option<(&'t str, &'t str)> {
        let (key, rest) = self.line.split_once('=')?;
        let (key, word) = (key.trim(), rest.split('#').next().unwrap_or_default().trim());
        let bare = word
            .starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '$' | '~'))
            && !word.contains(['"', '\'']);
        (bare && is_key(key)).then_some((key, word))
    }
}

/// The line before `number` with the same header, or the same key of the same table.
fn earlier(text: &str, number: u32) -> Option<u32> {
    let number = usize::try_from(number).ok()?;
    let lines: Vec<&str> = text.lines().take(number).collect();
    let (wrong, before) = lines.split_last()?;
    let header = |line: &str| line.trim_start().starts_with('[');
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    let name = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let at = if header(wrong) {
        before.iter().rposition(|line| header(line) && name(line) == name(wrong))?
    } else {
        let table = before.iter().rposition(|line| header(line)).map_or(0, |at| at + 1);
        table + before[table..].iter().rposition(|line| line.contains('=') && key(line) == key(wrong))?
    };
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said_of(file: &str, text: &str, what: &str) -> String {
        let at = text.find(what).expect("it is there");
        let problem = no_toml(file, text, Some(at), "why");
        let mut lines = vec![problem.to_string()];
        lines.extend(problem.causes);
        lines.extend(problem.hints);
        lines.join("\n")
    }

    #[test]
    fn a_line_of_a_state_is_shown_with_the_quotes_to_add() {
        insta::assert_snapshot!(said_of("states/a.toml", "[a.container.running]\nimage = web:1 # x\n", "web"), @r#"
        states/a.toml:2: this is not valid TOML
        column 9: image = web:1 # x
        why
        text needs quotes: image = "web:1"
        "#);
    }

    #[test]
    fn a_value_of_the_pillar_is_never_shown() {
        for text in
            ["[api]\npassword = hunter2\n", "pw = \"x\nhunter2 = \n", "hunter2\n", "a = '''\nhunter2 x = 1"]
        {
            let said = said_of("pillar/api.toml", text, "hunter2");
            assert!(!said.replace("hunter2 =", "").contains("hunter2"), "{said}");
        }
        insta::assert_snapshot!(said_of("pillar/api.toml", "[api]\npassword = hunter2\n", "hunter2"), @r#"
        pillar/api.toml:2: this is not valid TOML
        column 12: password = …
        why
        text needs quotes: password = "…"
        "#);
    }

    #[test]
    fn of_two_with_one_name_both_lines_are_named() {
        let text =
            "[a.container.running]\nimage = 'a'\nimage = 'b'\n[b]\nx = 1\n[a.container.running] # again\n";
        assert_eq!((earlier(text, 3), earlier(text, 6), earlier(text, 5)), (Some(2), Some(1), None));
    }
}
