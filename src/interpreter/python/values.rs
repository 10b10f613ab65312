//! What to write instead of a call or an operation that a value refused.

use super::names;

/// Methods of Python that values do not have, and what to write instead.
const METHODS: [(&[&str], &str); 15] = [
    (&["iteritems", "viewitems"], "write d.items()"),
    (&["iterkeys", "viewkeys"], "write d.keys()"),
    (&["itervalues", "viewvalues"], "write d.values()"),
    (&["has_key", "__contains__"], "write \"a\" in d"),
    (&["fromkeys"], "write {key: None for key in keys}"),
    (&["sort"], "write l = sorted(l)"),
    (&["reverse"], "write l = list(reversed(l))"),
    (&["count"], "write len([x for x in l if x == y])"),
    (&["decode", "encode"], "every text is Unicode: leave it out; b64encode(x) and urlencode(x) encode"),
    (&["zfill", "rjust", "center"], "write (\"0\" * 3 + str(n))[-3:]"),
    (&["ljust"], "write (s + \" \" * 10)[:10]"),
    (&["format_map"], "write \"{a}\".format(**d)"),
    (
        &["translate", "expandtabs", "swapcase", "casefold"],
        "write s.replace(\"a\", \"b\"), s.lower(), s.upper()",
    ),
    (&["isnumeric", "isdecimal"], "write s.isdigit()"),
    (&["append", "extend", "insert", "remove"], "a list has them: make one with list(x)"),
];

/// What the interpreter says, and what to write instead.
const SAID: [(&str, &str); 16] = [
    ("operation `(iter)` not supported on type `string`", "the characters of a text are s.elems()"),
    (
        "operation `+` not supported for types `string` and",
        "str(x) makes a text of a value: \"port \" + str(80)",
    ),
    (
        "operation `+` not supported for types `int` and `string`",
        "str(x) makes a text of a value: str(80) + \"/tcp\"",
    ),
    ("operation `+` not supported for types `range`", "write list(range(3)) + [4]"),
    ("operation `+` not supported for types `dict`", "write d | {\"a\": 1}"),
    ("operation `|=` not supported", "write d = d | pillar[\"a\"]"),
    (
        "**kwargs is not a dictionary",
        "a table of the pillar is made a dict: f(**dict(pillar[\"a\"])); dicts are joined by `|`",
    ),
    ("extra named parameter(s) for call to sorted", "write sorted(l, key = lambda x: -x, reverse = True)"),
    ("extra named parameter(s) for call to print", "write print(a, b)"),
    ("found `default` extra named parameter", "write d.get(\"a\", 1): the default without its name"),
    ("unpacked 1 values but expected 2", "write for key, value in d.items():"),
    (
        "referenced before assignment",
        "a function that assigns to a name has its own: pass the outer value as an argument",
    ),
    ("type of parameter `to_join`", "write \",\".join([str(x) for x in l])"),
    ("inside replacement field", "name what you place: \"{a}\".format(a = d[\"a\"])"),
    ("object of type `nonetype` has no attribute", "a value was missing: pillar.get(\"a:b\", {}).get(\"c\")"),
    ("not enough arguments for format string", "write \"%s and %s\" % (a, b): a tuple of as many values"),
];

/// What to write instead, for a message of the interpreter and the line that it is about.
pub(in crate::interpreter) fn instead(said: &str, line: &str) -> Vec<String> {
    let lower = said.to_lowercase();
    let mut hints: Vec<String> = Vec::new();
    // A name of one function that another one reads.
    hints.extend(names::refused_name(said).and_then(names::instead_of).map(str::to_owned));
    if let Some(hint) = format_hint(said) {
        hints.push(hint.to_owned());
    }
    if lower.contains("was not found") && line.contains(".format(") && said.contains(':') {
        hints.push(
            "a place is {}, {0} or {name}; a width or a number of digits needs a function of yours"
                .to_owned(),
        );
    }
    if lower == "immutable" || lower.starts_with("immutable") {
        hints.push(
            "the pillar, the facts and what was loaded cannot be changed: own = dict(pillar[\"a\"])"
                .to_owned(),
        );
    }
    for (_, hint) in SAID.iter().filter(|(part, _)| lower.contains(part)) {
        hints.push((*hint).to_owned());
    }
    // `update` goes over pairs, and a table of the pillar gives its keys.
    if lower.contains("(iter)` not supported on type `string`") && line.contains(".update(") {
        hints = vec![
            "a table of the pillar is made a dict: d.update(dict(pillar[\"a\"])), or d | pillar[\"a\"]"
                .to_owned(),
        ];
    }
    if let Some((kind, name)) = attribute(said).filter(|(kind, _)| *kind != "NoneType") {
        hints.push(method_hint(kind, name));
    }
    hints
}

/// `Object of type `dict` has no attribute `copy``.
fn attribute(said: &str) -> Option<(&str, &str)> {
    let (_, rest) = said.split_once("Object of type `")?;
    let (kind, rest) = rest.split_once("` has no attribute `")?;
    Some((kind, rest.split('`').next()?))
}

fn method_hint(kind: &str, name: &str) -> String {
    match (kind, name) {
        ("dict", "copy") => "write dict(d)".to_owned(),
        (_, "copy") => "write list(l)".to_owned(),
        ("dict", "get") => "write __salt__[\"pillar.get\"](\"a:b\", default)".to_owned(),
        ("dict", "update" | "pop" | "setdefault" | "popitem" | "clear") => {
            "the pillar and the facts cannot be changed: own = dict(pillar[\"a\"]), then own.update({\"b\": 1})".to_owned()
        }
        _ => match METHODS.iter().find(|(names, _)| names.contains(&name)) {
            Some((_, hint)) => (*hint).to_owned(),
            None if kind == "dict" => format!("a key stands in brackets: d[\"{}\"]", crate::problem::escaped(name)),
            None => format!("dir(x) lists what a {} has", crate::problem::escaped(kind)),
        },
    }
}

/// What stands for a format of Python in `"…" % x`.
fn format_hint(said: &str) -> Option<&'static str> {
    let (_, rest) = said.split_once("Unsupported format character: '")?;
    Some(match rest.chars().next()? {
        '(' => "write \"{n} of {m}\".format(n = 1, m = 2)",
        'i' | 'u' => "write \"%d\" % n",
        'c' => "write chr(n)",
        '.' => "digits after the point are not cut: str(int(x * 100 + 0.5) / 100)",
        '0'..='9' => "\"%d\" % n has no width: (\"0\" * 2 + str(n))[-2:] is two digits",
        _ => "there are %s, %r, %d, %x, %o, %e, %f and %g, without a width",
    })
}
