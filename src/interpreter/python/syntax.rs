//! Statements of Python that the parser refuses, and what to write instead.

use super::tokens::{Kind, Token};

/// What a statement has that Starlark has not, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) what: String,
    pub(super) hint: &'static str,
}

/// Words at the beginning of a statement.
const STATEMENTS: [(&[&str], &str); 13] = [
    (
        &["import", "from"],
        "load(\"//lib/web.star\", \"web\") loads what another file of states/ defines; json.dumps is tojson(…); nothing else can be loaded",
    ),
    (&["class"], "a dict holds data, and a function makes it: def web(name): return {\"name\": name}"),
    (&["while"], "a loop has a bound: for i in range(1000): … break"),
    (
        &["try", "except", "finally"],
        "ask before it fails: d.get(\"a\", default), \"a\" in d, pillar.has(\"a:b\"); what fails stops the file",
    ),
    (&["raise"], "fail(\"why\") stops with an error"),
    (&["with"], "there are no files to open: values come from the pillar"),
    (&["assert"], "write if not x: fail(\"why\")"),
    (&["yield"], "collect what is returned in a list: all.append(x)"),
    (
        &["global", "nonlocal"],
        "pass it as an argument and return it; a dict is changed in place: seen[\"a\"] = 1",
    ),
    (&["del"], "d.pop(\"a\") takes out a key, and l.pop(0) an item"),
    (&["async", "await"], "programs wait for nothing: write it without"),
    (&["match", "case"], "write if x == 1: … elif x == 2: …"),
    (&["exec"], "call the function itself"),
];

/// Parts of what the parser says, what it is about, and what to write instead.
const SAID: [(&str, &str, &str); 18] = [
    ("comparisons are not associative", "a chain of comparisons", "write a < b and b < c"),
    (
        "expected f-string expression end",
        "a format in an f-string",
        "a place in an f-string is {name} or {name!r}; a width or a number of digits needs a function of yours",
    ),
    (
        "cannot have leading 0",
        "a number that begins with 0",
        "0o777 is octal; a mode of a file is a text: \"0644\"",
    ),
    (
        "left-hand-side of assignment",
        "this assignment",
        "assign to a name, or to one key or index: l = [1] + l[2:]",
    ),
    (
        "unexpected symbol '(', expected identifier",
        "a parameter that is a tuple",
        "take it apart inside: def f(pair): a, b = pair",
    ),
    ("expected keyword 'else'", "an `if` without `else` in an expression", "write x = a if c else None"),
    ("unexpected symbol '=', expected symbol ':'", "an assignment in a condition", "== compares: if x == 1:"),
    ("unparenthesized tuple", "a tuple without parentheses", "write them: (1,)"),
    (", expected new indentation block", "", "what follows a line that ends with `:` is indented further"),
    (
        "unexpected new indentation block",
        "",
        "the line is indented further than the one before, which does not end with `:`",
    ),
    ("incorrect indentation", "", "the line is indented like no other line above it"),
    (
        "unfinished string",
        "",
        "a text ends in its line, with the quote that it begins with; \"\"\" holds several lines",
    ),
    ("unexpected string literal", "", "a comma or an operator is missing before it"),
    ("unexpected identifier", "", "a comma or an operator is missing before it"),
    ("unexpected integer literal", "", "a comma or an operator is missing before it"),
    (
        "invalid input `$`",
        "a shell script",
        "a script that compares images is not needed: a plan compares the image that runs with the one of the registry",
    ),
    ("invalid input `@`", "a decorator", "call it where the function is used: decorator(f)(x)"),
    ("invalid input ```", "a text in backticks", "str(x) makes a text of a value"),
];

/// Signs that mean nothing here.
const SIGNS: [(&str, &str); 9] = [
    (":=", "assign on a line of its own before"),
    ("<>", "write a != b"),
    ("++", "write x += 1"),
    ("--", "write x -= 1"),
    ("&&", "write a and b"),
    ("||", "write a or b"),
    ("!", "write not a"),
    ("?", "write x = b if a else c"),
    ("**=", "write x *= x, or a loop"),
];

/// What is not Starlark in a statement that the parser refused; what matters most comes first.
pub(super) fn advice(statement: &[Token<'_>], said: &str) -> Vec<Advice> {
    let mut found = advice_of_words(statement, said);
    let known = found.is_empty();
    for (part, what, hint) in SAID.iter().filter(|(part, ..)| said.contains(part)) {
        // What the parser says of the whole is said where no word of it tells more.
        if known || part.contains("indentation") {
            found.push(Advice { what: (*what).to_owned(), hint });
        }
    }
    if found.is_empty() && said.contains("invalid input") {
        let hint =
            "names are letters without accents, digits and `_`; a text in quotes may hold every character";
        found.push(Advice { what: String::new(), hint });
    }
    found
}

/// The same, by its words alone.
pub(super) fn advice_of_words(statement: &[Token<'_>], said: &str) -> Vec<Advice> {
    let mut found = Vec::new();
    // The words of a shell script mean nothing here.
    if said.contains("invalid input `$`") {
        return found;
    }
    let mut add = |what: String, hint: &'static str| found.push(Advice { what, hint });
    if let Some(first) = statement.first() {
        beginning(first, statement, said, &mut add);
    }
    for (index, token) in statement.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| statement.get(index));
        here(token, before, &statement[index + 1..], &mut add);
    }
    let equals = statement.iter().filter(|token| token.within.is_none() && token.is("=")).count();
    if equals > 1 {
        add("an assignment to several names at once".to_owned(), "write one a line: b = 1, then a = b");
    }
    found
}

fn beginning(
    first: &Token<'_>,
    statement: &[Token<'_>],
    said: &str,
    add: &mut impl FnMut(String, &'static str),
) {
    let second = statement.get(1);
    // `match = 1` is an assignment.
    let is_word = first.kind == Kind::Name
        && second.is_none_or(|second| !matches!(second.text, "=" | "." | "[" | "," | ")"));
    if let Some((_, hint)) = STATEMENTS.iter().find(|(words, _)| is_word && words.contains(&first.text)) {
        add(format!("`{}`", first.text), hint);
    }
    let called = second.is_some_and(|second| second.kind != Kind::Sign || second.is(">>"));
    if first.is("print") && called {
        add("`print` as a statement".to_owned(), "print is a function: print(\"x\", y)");
    }
    if first.is("else") && said.contains("keyword 'else'") {
        match second {
            Some(second) if second.is("if") => add("`else if`".to_owned(), "write elif x:"),
            _ => add(
                "`else` after a loop".to_owned(),
                "set a variable in the loop, found = True, and ask for it after the loop",
            ),
        }
    }
}

/// What begins with a token inside of a statement.
fn here(
    token: &Token<'_>,
    before: Option<&Token<'_>>,
    after: &[Token<'_>],
    add: &mut impl FnMut(String, &'static str),
) {
    let next = after.first();
    let touches = |next: Option<&Token<'_>>| next.is_some_and(|next| next.start == token.end());
    match (token.kind, token.text) {
        (Kind::Name, "is") if next.is_some_and(|next| next.is("not")) => {
            add("`is not`".to_owned(), "write x != None");
        }
        (Kind::Name, "is") => {
            let none = next.is_some_and(|next| next.is("None"));
            add("`is`".to_owned(), if none { "write x == None" } else { "write x == y" });
        }
        (Kind::Name, "for") if token.within == Some('(') => {
            add("a generator".to_owned(), "write a list: [x for x in y]");
        }
        (Kind::Sign, "{") if touches(next) && next.is_some_and(|next| next.is("{") || next.is("%")) => {
            add("Jinja".to_owned(), "a program puts values together: \"web:\" + pillar[\"tag\"]");
        }
        (Kind::Sign, "{") if is_set(after) => {
            add("a set in braces".to_owned(), "write set([1, 2])");
        }
        (Kind::Sign, "**") if token.within == Some('{') && is_first(before) => {
            add("`**` in a dict".to_owned(), "write d | {\"a\": 1}");
        }
        (Kind::Sign, "*") if token.within == Some('[') && is_first(before) => {
            add("`*` in a list".to_owned(), "write l + [1]");
        }
        (Kind::Sign, "*") if token.within.is_none() && before.is_none_or(|before| before.is(",")) => {
            add("`*` in an assignment".to_owned(), "write first, rest = l[0], l[1:]");
        }
        (Kind::Sign, "**") if !is_first(before) => add("`**`".to_owned(), "write x * x, or a loop"),
        (Kind::Text, text) if text.starts_with(['u', 'U']) => {
            add("the prefix of this text".to_owned(), "every text is Unicode: \"x\"");
        }
        (Kind::Text, _) if next.is_some_and(|next| next.kind == Kind::Text) => {
            add(
                "two texts side by side".to_owned(),
                "`+` joins them: \"a\" + \"b\"; between items of a list stands a comma",
            );
        }
        (Kind::Number, _)
            if touches(next)
                && next.is_some_and(|next| {
                    next.kind == Kind::Name
                        && !matches!(next.text.as_bytes(), [b'e' | b'E' | b'x' | b'o' | b'b', ..])
                }) =>
        {
            add(
                "the ending of this number".to_owned(),
                "whole numbers are as long as they are, in digits alone: 10, 1000",
            );
        }
        (Kind::Sign, text) => {
            if let Some((sign, hint)) = SIGNS.iter().find(|(sign, _)| *sign == text) {
                add(format!("`{sign}`"), hint);
            }
        }
        _ => {}
    }
}

fn is_first(before: Option<&Token<'_>>) -> bool {
    before.is_some_and(|before| matches!(before.text, "[" | "{" | "(" | ","))
}

/// Whether what follows a `{` is a set: a comma, a `for` or the end comes before a colon.
fn is_set(after: &[Token<'_>]) -> bool {
    let mut depth = 0usize;
    for (index, token) in after.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" if token.kind == Kind::Sign => depth += 1,
            ")" | "]" if token.kind == Kind::Sign => depth = depth.saturating_sub(1),
            "}" if token.kind == Kind::Sign && depth > 0 => depth -= 1,
            "}" => return index > 0,
            ":" | "lambda" | "**" | "%" if depth == 0 => return false,
            "," | "for" if depth == 0 => return true,
            _ => {}
        }
    }
    false
}
