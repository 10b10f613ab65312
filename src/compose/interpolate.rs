//! Variables in the texts of a Compose file: `$NAME`, `${NAME}`, and the six forms with an operator. The grammar is
//! that of compose-go's `template` package, measured with Compose 2.40.3.
//!
//! A value may be secret. What is asked of it, whether it is set and whether it is empty, is answered without opening
//! it: a secret is never empty.

use crate::problem::{Place, Problem, Problems, Result, escaped};
use crate::state::Text;

/// How deep `${A:-${B:-…}}` may nest.
const DEEPEST: usize = 16;

/// Most bytes of clear text that come out of one text.
const MOST_BYTES: usize = 1024 * 1024;

/// The values of variables.
pub(super) trait Variables {
    /// The value, and the lines it comes from; `None` if there is none.
    fn value(&self, name: &str) -> Option<(Text, Vec<Place>)>;

    /// What to do about a variable without a value.
    fn hint(&self, name: &str) -> String;

    /// A text of the pillar by its key, `db.password`.
    fn pillar(&self, key: &str) -> Option<(Text, Vec<Place>)>;
}

/// A text with its variables put in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filled {
    pub(super) text: Text,
    /// The lines that values come from.
    pub(super) read: Vec<Place>,
}

/// A part of a text.
#[derive(Debug, PartialEq)]
enum Piece<'t> {
    Clear(&'t str),
    Variable { name: &'t str, operator: Option<(Operator, &'t str)> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    /// `-`, `:-`
    Default { or_empty: bool },
    /// `+`, `:+`
    Alternative { or_empty: bool },
    /// `?`, `:?`
    Required { or_empty: bool },
}

const OPERATORS: [(&str, Operator); 6] = [
    (":-", Operator::Default { or_empty: true }),
    (":+", Operator::Alternative { or_empty: true }),
    (":?", Operator::Required { or_empty: true }),
    ("-", Operator::Default { or_empty: false }),
    ("+", Operator::Alternative { or_empty: false }),
    ("?", Operator::Required { or_empty: false }),
];

/// Whether a text is one variable and nothing else: then it takes the type that its key wants.
pub(super) fn is_one_variable(text: &str) -> bool {
    matches!(split(text).as_deref(), Ok([Piece::Variable { .. }]))
}

/// Puts the values in.
///
/// # Errors
/// Of every variable that has no value and needs one, and of `${` that is none of the forms.
pub(super) fn fill(text: &str, variables: &dyn Variables, place: &Place) -> Result<Filled> {
    let mut out = Output { segments: Vec::new(), read: Vec::new(), bytes: 0 };
    let mut problems = Vec::new();
    fill_into(text, variables, place, 0, &mut out, &mut problems);
    Problems::check(problems)?;
    Ok(Filled { text: Text::from_segments(out.segments), read: out.read })
}

struct Output {
    segments: Vec<crate::state::Segment>,
    read: Vec<Place>,
    bytes: usize,
}

impl Output {
    fn clear(&mut self, text: &str) -> bool {
        self.bytes += text.len();
        self.segments.push(crate::state::Segment::Clear(text.to_owned()));
        self.bytes <= MOST_BYTES
    }

    fn value(&mut self, text: &Text, read: &[Place]) -> bool {
        self.bytes += text.as_clear().map_or(0, str::len);
        self.segments.extend(text.segments().iter().cloned());
        for place in read {
            if !self.read.contains(place) {
                self.read.push(place.clone());
            }
        }
        self.bytes <= MOST_BYTES
    }
}

fn fill_into(
    text: &str,
    variables: &dyn Variables,
    place: &Place,
    depth: usize,
    out: &mut Output,
    problems: &mut Vec<Problem>,
) {
    if depth > DEEPEST {
        let what = format!("variables are nested deeper than {DEEPEST}");
        return problems.push(Problem::failed(what).at(place));
    }
    let pieces = match split(text) {
        Ok(pieces) => pieces,
        Err(form) => return problems.push(invalid(form, place)),
    };
    for piece in pieces {
        let fits = match piece {
            Piece::Clear(text) => out.clear(text),
            Piece::Variable { name, operator } => {
                let found = variables.value(name);
                let is_empty = found.as_ref().is_none_or(|(text, _)| text.segments().is_empty());
                // What is not taken is looked into all the same: Compose does.
                let mut other = Output { segments: Vec::new(), read: Vec::new(), bytes: 0 };
                if let Some((_, word)) = operator {
                    fill_into(word, variables, place, depth + 1, &mut other, problems);
                }
                let counts = |or_empty: bool| found.is_some() && !(or_empty && is_empty);
                match (operator.map(|(operator, _)| operator), &found) {
                    (Some(Operator::Default { or_empty }), _) if !counts(or_empty) => {
                        out.value(&Text::from_segments(other.segments), &other.read)
                    }
                    (Some(Operator::Alternative { or_empty }), found) => match counts(or_empty) {
                        true => {
                            let read = found.iter().flat_map(|(_, read)| read.iter().cloned());
                            let read: Vec<Place> = read.chain(other.read).collect();
                            out.value(&Text::from_segments(other.segments), &read)
                        }
                        false => true,
                    },
                    (Some(Operator::Required { or_empty }), _) if !counts(or_empty) => {
                        let what = format!("the variable `{name}` has no value");
                        let problem = Problem::failed(what).at(place).hint(variables.hint(name));
                        let said = Text::from_segments(other.segments);
                        let said = said.as_clear().unwrap_or_default();
                        problems.push(if said.is_empty() {
                            problem
                        } else {
                            problem.cause(format!("the file says: {}", escaped(said)))
                        });
                        true
                    }
                    (_, Some((text, read))) => out.value(text, read),
                    (_, None) => {
                        let what = format!("the variable `{name}` has no value");
                        let hint = format!(
                            "{}, or give it one that stands in for it: ${{{name}:-…}}",
                            variables.hint(name)
                        );
                        problems.push(
                            Problem::failed(what)
                                .at(place)
                                .cause("variables of your shell and of .env are not read")
                                .hint(hint),
                        );
                        true
                    }
                }
            }
        };
        if !fits {
            return problems
                .push(Problem::failed("a text with its variables is larger than 1 MiB").at(place));
        }
    }
}

fn invalid(form: &str, place: &Place) -> Problem {
    let shown: String = form.chars().take(40).collect();
    Problem::failed(format!("`{}` is not a variable", escaped(&shown)))
        .at(place)
        .cause("there are $NAME, ${NAME}, and ${NAME:-text} with :-, -, :+, +, :? or ?")
        .hint("write `$$` where a `$` is meant")
}

/// The pieces of a text; what stands at a `${` that is no variable, if there is one.
fn split(text: &str) -> std::result::Result<Vec<Piece<'_>>, &str> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while let Some(next) = text[at..].find('$') {
        let dollar = at + next;
        let rest = &text[dollar + 1..];
        let (piece, end) = match bytes.get(dollar + 1) {
            Some(b'$') => (Piece::Clear("$"), dollar + 2),
            Some(b'{') => {
                let Some(length) = braces(rest) else { return Err(&text[dollar..]) };
                let inner = &rest[1..length];
                match variable(inner) {
                    Some(piece) => (piece, dollar + 1 + length + 1),
                    None => return Err(&text[dollar..dollar + 1 + length + 1]),
                }
            }
            _ => match name(rest) {
                "" => {
                    at = dollar + 1;
                    continue;
                }
                name => (Piece::Variable { name, operator: None }, dollar + 1 + name.len()),
            },
        };
        if from < dollar {
            pieces.push(Piece::Clear(&text[from..dollar]));
        }
        pieces.push(piece);
        (from, at) = (end, end);
    }
    if from < text.len() {
        pieces.push(Piece::Clear(&text[from..]));
    }
    Ok(pieces)
}

/// The position of the `}` that closes the `{` with which a text begins.
fn braces(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The name with which a text begins; empty if it begins with none.
fn name(text: &str) -> &str {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !text.starts_with(first) {
        return "";
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// What stands between the braces of `${…}`.
fn variable(inner: &str) -> Option<Piece<'_>> {
    let name = name(inner);
    let rest = &inner[name.len()..];
    if name.is_empty() {
        return None;
    }
    if rest.is_empty() {
        return Some(Piece::Variable { name, operator: None });
    }
    let (written, operator) = OPERATORS.iter().find(|(written, _)| rest.starts_with(written))?;
    let word = &rest[written.len()..];
    // A line break ends the form: the pattern of Compose does not match across it.
    (!word.contains('\n')).then_some(Piece::Variable { name, operator: Some((*operator, word)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Set;

    impl Variables for Set {
        fn value(&self, name: &str) -> Option<(Text, Vec<Place>)> {
            let value = match name {
                "V" => "val",
                "E" => "",
                "V_x" => "other",
                _ => return None,
            };
            Some((Text::clear(value), Vec::new()))
        }

        fn hint(&self, name: &str) -> String {
            format!("pillarbox set vars.shop.{name} VALUE")
        }

        fn pillar(&self, _: &str) -> Option<(Text, Vec<Place>)> {
            None
        }
    }

    fn filled(text: &str) -> Option<String> {
        let filled = fill(text, &Set, &Place::new("compose.yaml", 1)).ok()?;
        filled.text.as_clear().map(str::to_owned)
    }

    #[test]
    fn every_form_gives_what_compose_gives() {
        for (text, value) in [
            ("$V ${V}", "val val"),
            ("${U:-d} ${E:-d}", "d d"),
            ("${U-d} ${E-d}", "d "),
            ("${V:+a} ${E:+a} ${U:+a}", "a  "),
            ("${E+a} ${U+a}", "a "),
            ("${U:-${W:-deep}} ${U:-${V}x$V}", "deep valxval"),
            ("${U:-{json}} ${U:-{\"a\":1}} ${U:-{}}", "{json} {\"a\":1} {}"),
            ("${U:-http://h:80/a?c} ${U-a:-b} ${U-a:?b}", "http://h:80/a?c a:-b a:?b"),
            ("$$V $${V} $$$V", "$V ${V} $val"),
            ("$ 5$ a $ b $1 $(c) $é", "$ 5$ a $ b $1 $(c) $é"),
            ("$V_x $V.x $V-x $V/x", "other val.x val-x val/x"),
            ("${U:- sp }|${U:-\"q\"}", " sp |\"q\""),
        ] {
            assert_eq!(filled(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_compose_refuses_is_refused() {
        for text in [
            "${U:?m}",
            "${E:?m}",
            "${U?m}",
            "${V:-${W?m}}",
            "${U:+${W?m}}",
            "${}",
            "${",
            "${1}",
            "${ V }",
            "${V!}",
            "${V:x}",
            "${V:=d}",
            "${V/x/y}",
            "${V#x}",
            "${é}",
            "${U:-a\nb}",
            "$U",
            "${U}",
        ] {
            assert_eq!(filled(text), None, "{text}");
        }
        assert_eq!(filled("${E?m}").as_deref(), Some(""));
    }

    #[test]
    fn nesting_and_growth_are_bounded() {
        let nested = "${U:-".repeat(5000) + &"}".repeat(5000);
        assert_eq!(filled(&nested), None);
        assert_eq!(filled(&"${U:-".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in r"[${}:?+\-VUE_ax\n é]{0,40}") {
            let _ = filled(&text);
        }

        #[test]
        fn a_text_without_a_dollar_stays(text in "[^$]{0,40}") {
            prop_assert_eq!(filled(&text), Some(text));
        }
    }
}
