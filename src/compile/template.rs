//! Strings of a state file, split into text and `{{ … }}` expressions. The file itself is never a
//! template: the result of an expression cannot become TOML.

/// A part of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// As it reads.
    Text(&'a str),
    /// The text between `{{` and `}}`, without the white space around it.
    Expression(&'a str),
}

/// Why a string cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsplit {
    /// `{{` without `}}`.
    Unclosed,
    /// `{% … %}`: statements are not available.
    Statement,
}

/// Splits a string.
pub(super) fn split(text: &str) -> Result<Vec<Part<'_>>, Unsplit> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        push_text(&mut parts, &rest[..open])?;
        let inner = &rest[open + 2..];
        let close = end_of_expression(inner).ok_or(Unsplit::Unclosed)?;
        parts.push(Part::Expression(inner[..close].trim()));
        rest = &inner[close + 2..];
    }
    push_text(&mut parts, rest)?;
    Ok(parts)
}

fn push_text<'a>(parts: &mut Vec<Part<'a>>, text: &'a str) -> Result<(), Unsplit> {
    if let Some(open) = text.find("{%")
        && text[open..].contains("%}")
    {
        return Err(Unsplit::Statement);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(())
}

/// The position of the `}}` that ends an expression: not within a string, not within brackets.
fn end_of_expression(inner: &str) -> Option<usize> {
    let bytes = inner.as_bytes();
    let (mut at, mut depth, mut quote) = (0, 0_usize, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte @ (b'"' | b'\'')) => quote = Some(byte),
            (None, b'{' | b'[' | b'(') => depth += 1,
            (None, b'}') if depth == 0 && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            (None, b'}' | b']' | b')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_and_expressions_alternate() {
        let parts = split("postgres://{{ a | urlencode }}@{{b}}/").expect("it splits");
        assert_eq!(
            parts,
            [
                Part::Text("postgres://"),
                Part::Expression("a | urlencode"),
                Part::Text("@"),
                Part::Expression("b"),
                Part::Text("/"),
            ]
        );
    }

    #[test]
    fn braces_in_strings_and_tables_do_not_end_an_expression() {
        assert_eq!(split("{{ '}}' }}").expect("it splits"), [Part::Expression("'}}'")]);
        assert_eq!(split(r#"{{ "\"}}" }}"#).expect("it splits"), [Part::Expression(r#""\"}}""#)]);
        assert_eq!(split("{{ {'a': {'b': 1}} }}").expect("it splits"), [Part::Expression("{'a': {'b': 1}}")]);
    }

    #[test]
    fn what_does_not_close_or_is_a_statement_is_refused() {
        assert_eq!(split("a {{ b"), Err(Unsplit::Unclosed));
        assert_eq!(split("{% if a %}b"), Err(Unsplit::Statement));
        assert_eq!(split("%{http_code} {% {.Name}").expect("no statement").len(), 1);
    }

    proptest! {
        #[test]
        fn text_without_expressions_is_one_part(text in "[^{]{0,40}") {
            let parts = split(&text).expect("it splits");
            let back: Vec<_> = (!text.is_empty()).then_some(Part::Text(&text)).into_iter().collect();
            prop_assert_eq!(parts, back);
        }

        #[test]
        fn nothing_makes_it_panic(text: String) {
            let _ = split(&text);
        }

        #[test]
        fn braces_and_quotes_make_it_split_or_say_why(text in r#"[{}%'"\\a é\[\]()]{0,24}"#) {
            let _ = split(&text);
        }
    }
}
