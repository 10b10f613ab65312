//! What expressions may do, and what must not be done to a secret.

use super::*;
use crate::compile::tests::{facts, pillar, printed};
use crate::pillar::{Table, Value as Leaf};
use crate::problem::Problems;
use crate::state::Encoder;
use proptest::prelude::*;

const PILLAR: &str = r#"
[api]
user = "deploy"
port = 8080
ratio = 0.5
on = true
hosts = ["a", "b"]
db_password = { sealed = "Q0FOQVJZ-one", id = "9f2c41d70b6e83aa" }
other = { sealed = "Q0FOQVJZ-two", id = "1111111111111111" }
[api.deep.er]
key = "value"
[keys]
"with.dot" = 1
"h:5000" = "colon"
[secrets]
a = { sealed = "Q0FOQVJZ-three", id = "aaaaaaaaaaaaaaaa" }
plain = "p\"q"
[registries."ghcr.io"]
username = "robot"
password = { sealed = "Q0FOQVJZ-four", id = "2222222222222222" }
"#;

fn evaluator(known: bool) -> Evaluator<'static> {
    let host = HostName::parse("web1").expect("a name");
    let budget = Box::leak(Box::new(Budget::of(1)));
    let pillar = Arc::new(pillar(PILLAR));
    Evaluator::new(
        &host,
        &pillar,
        known.then(facts).as_ref(),
        &[("web".to_owned(), 3)],
        &BTreeMap::new(),
        budget,
    )
}

#[test]
fn many_expressions_that_are_cheap_each_are_not_cheap_together() {
    let place = |line| Place::new("states/a.toml", line);
    for text in [
        "{{ 'x' * 900000 }}",
        "{{ ('x' * 5000000) | length }}",
        "{{ ('x' * 5000000) | nosuch }}",
        "{{ [0] * 9999999 }}",
    ] {
        let evaluator = evaluator(true);
        let is_over = |problem: &Problem| problem.what.contains("of this run take too much");
        let over = (1..20_000_u32).find_map(|line| {
            let problems = evaluator.string(text, &place(line)).err()?;
            let over = problems.iter().any(is_over);
            over.then_some((line, problems))
        });
        let (line, problems) = over.unwrap_or_else(|| panic!("{text} goes on"));
        assert_eq!(problems.iter().next().expect("one").place, Some(place(line)));
        // It is said once, whatever comes after.
        assert_eq!(evaluator.string("{{ 1 }}", &place(line + 1)).expect_err("nothing is left"), problems);
    }
    let evaluator = evaluator(true);
    for line in 1..20_000 {
        evaluator.string("{{ pillar.api.port | default(1) }}", &place(line)).expect("cheap");
    }
}

#[test]
fn an_expression_is_one_by_itself() {
    for text in ["{{ 1) + (2 }}", "{{ 1) | upper | (lower }}", "{{ pillar.api.port | pillarbox_steps( }}"] {
        assert!(failure(text).contains("expression"), "{text}: {}", failure(text));
    }
}

fn evaluate(text: &str) -> Result<ArgValue, Problems> {
    evaluator(true).string(text, &Place::new("states/a.toml", 3)).map(|(value, _)| value)
}

/// The result as JSON-like text, secrets masked.
fn shown(value: &ArgValue) -> String {
    let join = |items: Vec<String>| items.join(", ");
    match value {
        ArgValue::Unset => "None".to_owned(),
        ArgValue::Text(text) => format!("\"{text}\""),
        ArgValue::Bytes(bytes) => format!("{bytes:?}"),
        ArgValue::Integer(number) => number.to_string(),
        ArgValue::Float(number) => format!("{:?}", number.value),
        ArgValue::Boolean(truth) => truth.to_string(),
        ArgValue::Array(items) => {
            format!("[{}]", join(items.iter().map(|item| shown(&item.value)).collect()))
        }
        ArgValue::Table(table) => {
            let entries = table.iter().map(|(key, item)| format!("{key}: {}", shown(&item.value)));
            format!("{{{}}}", join(entries.collect()))
        }
    }
}

fn failure(text: &str) -> String {
    let found = evaluate(text).expect_err(text);
    found.iter().map(printed).collect()
}

#[test]
fn expressions_compute_and_keep_their_type() {
    let cases = [
        ("plain", "\"plain\""),
        ("{{ pillar.api.port }}", "8080"),
        ("{{ pillar.api.port }}/tcp", "\"8080/tcp\""),
        ("{{ pillar.api.ratio }}", "0.5"),
        ("{{ pillar.api.on }} and {{ true }}", "\"true and true\""),
        ("{{ none }}", "None"),
        ("{{ pillar.api.hosts }}", "[\"a\", \"b\"]"),
        ("{{ pillar.api.hosts | join(',') }}", "\"a,b\""),
        ("{{ pillar.api.hosts[1] }}", "\"b\""),
        ("{{ pillar.api.deep }}", "{er: {key: \"value\"}}"),
        ("{{ [host.cpus // 2, 1] | max }}", "4"),
        ("{{ host.memory // 8 }}", "2147483648"),
        ("{{ grains.cpus if host.os == 'linux' else 1 }}", "8"),
        ("{{ host.name }} {{ host.hostname }} {{ host.labels.zone }}", "\"web1 web1.example.com a\""),
        ("{{ 'web' in host.groups }}", "true"),
        ("{{ pillar.keys['with.dot'] }}", "1"),
        ("{{ pillar.get('api:deep:er:key') }}", "\"value\""),
        ("{{ pillar.get('api:nothing:there', 7) }}", "7"),
        ("{{ pillar.get(['keys', 'h:5000']) }}", "\"colon\""),
        ("{{ pillar.has('api:user') }} {{ pillar.has('api:usr') }}", "\"true false\""),
        ("{{ pillar.api.nothing | default('x') }}", "\"x\""),
        ("{{ pillar.api.user | upper ~ '!' }}", "\"DEPLOY!\""),
        ("{{ '{{' }} {{ '}}' }}", "\"{{ }}\""),
        ("{{ 'a/b c' | urlencode }}", "\"a%2Fb%20c\""),
        ("{{ 'ab?' | b64encode }}", "\"YWI/\""),
        ("{{ {'b': [1, 'x'], 'a': none} | tojson }}", "\"{\"a\":null,\"b\":[1,\"x\"]}\""),
        ("{{ pillar.api.deep | tojson }}", "\"{\"er\":{\"key\":\"value\"}}\""),
        (
            "{{ [3, 1, 2] | sort | join }}{{ ['b', 'a', 'b'] | unique | join }}{{ [2, 9] | min }}",
            "\"123ba2\"",
        ),
        ("{{ [1, 2, 3] | select('ge', 2) | reject('in', [3]) | list }}", "[2]"),
        ("{{ 1 is eq(1) }} {{ 'a' is in('abc') }}", "\"true true\""),
        ("{{ pillar.api | list | length }}", "8"),
        ("{{ pillar.keys | items | length }}", "2"),
    ];
    for (text, result) in cases {
        assert_eq!(shown(&evaluate(text).unwrap_or_else(|why| panic!("{text}: {why}"))), result, "{text}");
    }
}

#[test]
fn a_secret_can_be_placed_joined_chosen_and_encoded() {
    let cases = [
        ("{{ pillar.api.db_password }}", "\"(sealed 9f2c)\""),
        ("postgres://u:{{ pillar.api.db_password | urlencode }}@db", "\"postgres://u:(sealed 9f2c)@db\""),
        ("{{ pillar.api.db_password }}{{ pillar.api.other }}", "\"(sealed 9f2c)(sealed 1111)\""),
        ("{{ pillar.api.missing | default(pillar.api.other) }}", "\"(sealed 1111)\""),
        ("{{ pillar.api.db_password | default('x') }}", "\"(sealed 9f2c)\""),
        ("{{ pillar.api.db_password | default(pillar.api.other) }}", "\"(sealed 9f2c)\""),
        ("{{ pillar.api.db_password or pillar.api.other }}", "\"(sealed 9f2c)\""),
        ("{{ pillar.api.db_password if pillar.api.on else pillar.api.other }}", "\"(sealed 9f2c)\""),
        ("{{ pillar.get('api:db_password', 'x') }}", "\"(sealed 9f2c)\""),
        ("{{ pillar.get('api:nothing', pillar.api.other) }}", "\"(sealed 1111)\""),
        ("{{ pillar.get('api:db_password', pillar.api.other) }}", "\"(sealed 9f2c)\""),
        ("{{ pillar.api.db_password if pillar.api.db_password is defined else '' }}", "\"(sealed 9f2c)\""),
        ("{{ pillar.api.db_password if pillar.has('api:db_password') else '' }}", "\"(sealed 9f2c)\""),
        ("{{ [pillar.api.db_password, 'x'] }}", "[\"(sealed 9f2c)\", \"x\"]"),
        ("{{ {'k': pillar.api.db_password} }}", "{k: \"(sealed 9f2c)\"}"),
        ("{{ pillar.secrets }}", "{a: \"(sealed aaaa)\", plain: \"p\"q\"}"),
        ("{{ pillar.secrets | items | length }}", "2"),
        ("{{ pillar.secrets | tojson }}", "\"{\"a\":(sealed aaaa),\"plain\":\"p\\\"q\"}\""),
        ("{{ [pillar.api.other] | tojson }}", "\"[(sealed 1111)]\""),
    ];
    for (text, result) in cases {
        assert_eq!(shown(&evaluate(text).unwrap_or_else(|why| panic!("{text}: {why}"))), result, "{text}");
    }
}

#[test]
fn encoders_are_kept_in_the_reference_in_their_order() {
    let value =
        evaluate("{{ pillar.api.db_password | b64encode | urlencode | tojson }}").expect("a reference");
    let ArgValue::Text(text) = value else { panic!("text") };
    let secret = text.secrets().next().expect("a secret");
    assert_eq!(secret.encoders, [Encoder::B64Encode, Encoder::UrlEncode, Encoder::ToJson]);
    let value = evaluate("{{ pillar.secrets | tojson }}").expect("joined");
    let ArgValue::Text(text) = value else { panic!("text") };
    assert_eq!(text.secrets().next().expect("a secret").encoders, [Encoder::ToJson]);
}

/// Everything here would look into a secret, drop one that was read, or print one.
const HOSTILE: &[&str] = &[
    "pillar.api.db_password == 'prod'",
    "'prod' == pillar.api.db_password",
    "pillar.api.db_password != 'prod'",
    "pillar.api.db_password == pillar.api.db_password",
    "pillar.api.db_password == pillar.api.other",
    "pillar.api.db_password < 'm'",
    "pillar.api.db_password >= pillar.api.other",
    "pillar.api.db_password in ['a', 'b']",
    "'a' in pillar.api.db_password",
    "pillar.api.db_password in 'abc'",
    "pillar.api.db_password[0]",
    "pillar.api.db_password[1:]",
    "pillar.api.db_password[::-1]",
    "pillar.api.db_password.length",
    "pillar.api.db_password.x.y",
    "pillar.api.db_password | length",
    "pillar.api.db_password | upper",
    "pillar.api.db_password | lower",
    "pillar.api.db_password | title",
    "pillar.api.db_password | trim",
    "pillar.api.db_password | replace('a', 'b')",
    "pillar.api.db_password | first",
    "pillar.api.db_password | last",
    "pillar.api.db_password | list",
    "pillar.api.db_password | sort",
    "pillar.api.db_password | unique",
    "pillar.api.db_password | reverse",
    "pillar.api.db_password | string",
    "pillar.api.db_password | int",
    "pillar.api.db_password | float",
    "pillar.api.db_password | bool",
    "pillar.api.db_password | abs",
    "pillar.api.db_password | split('a')",
    "pillar.api.db_password | lines",
    "pillar.api.db_password | batch(1)",
    "pillar.api.db_password | map('upper')",
    "[pillar.api.db_password] | map('upper') | list",
    "[pillar.api.db_password] | join(',')",
    "['a', 'b'] | join(pillar.api.db_password)",
    "[pillar.api.db_password, pillar.api.other] | sort",
    "[pillar.api.db_password, pillar.api.other] | min",
    "[pillar.api.db_password, 'x'] | length",
    "[pillar.api.db_password] | first == 'x'",
    "[pillar.api.db_password] | string",
    "[pillar.api.db_password] == ['x']",
    "[pillar.api.db_password] | select('equalto', 'x') | list",
    "[[pillar.api.db_password]] | groupby(0) | list",
    "{pillar.api.db_password: 1}",
    "{'a': pillar.api.db_password} | string",
    "{'a': pillar.api.db_password} == {'a': 'x'}",
    "{'a': pillar.api.db_password}.b",
    "{'a': 1}[pillar.api.db_password]",
    "pillar[pillar.api.db_password]",
    "pillar.get(pillar.api.db_password)",
    "pillar.get(pillar.api.db_password, 'x')",
    "pillar.has(pillar.api.db_password)",
    "'%s' % pillar.api.db_password",
    "pillar.api.db_password ~ ''",
    "'a' ~ pillar.api.db_password",
    "pillar.api.db_password + 'a'",
    "pillar.api.db_password * 3",
    "-pillar.api.db_password",
    "not pillar.api.db_password",
    "1 if pillar.api.db_password else 2",
    "pillar.api.other if pillar.api.db_password else 'x'",
    "pillar.api.db_password and 'x'",
    "pillar.api.db_password if pillar.api.db_password == 'x' else pillar.api.db_password",
    "[pillar.api.db_password, pillar.api.db_password == 'x']",
    "pillar.api.db_password is eq('x')",
    "pillar.api.db_password is string",
    "pillar.api.db_password is startingwith('a')",
    "pillar.api.db_password is in(['a'])",
    "pillar.api.db_password()",
    "pillar.api.db_password.upper()",
    "pillar.api.db_password | urlencode | length",
    "pillar.api.db_password | b64encode == 'YQ=='",
    "pillar.secrets | tojson | length",
    "pillar.secrets | tojson == '{}'",
    "pillar.secrets | tojson | urlencode",
    "pillar.secrets | string",
    "pillar.secrets ~ ''",
    "pillar.secrets == {'a': 'x', 'plain': 'p'}",
    "pillar.secrets | items | list | length",
    "pillar.secrets | items | sort(attribute=1)",
    "[pillar.api.db_password, 'x'] | sort",
    "[pillar.api.db_password, 'x'] | max",
    "['x', pillar.api.db_password] | min",
    "[[1, pillar.api.db_password], [1, 'x']] | max",
    "[pillar.api.db_password, pillar.api.db_password] | unique",
    "[pillar.api.db_password, 'x'] | unique | list",
    "[pillar.api.db_password] | reject('equalto', 'x') | list",
    "[{'a': pillar.api.db_password}] | reject('equalto', {'a': 'x'}) | list",
    "[{'a': pillar.api.db_password}] | rejectattr('a', '==', 'x') | list",
    "[pillar.api.db_password] | reject('in', ['x']) | list",
    "[pillar.api.db_password] | select('!=', 'x') | list",
    "[pillar.api.db_password] | select('ge', 'x') | list",
    "pillar.api | items | map('last') | map('string') | list",
    "('a' if pillar.api.db_password > 'm' else 'b')",
];

#[test]
fn nothing_looks_into_a_secret() {
    for expression in HOSTILE {
        for text in [format!("{{{{ {expression} }}}}"), format!("x{{{{ {expression} }}}}")] {
            let found = match evaluate(&text) {
                Ok(value) => panic!("{text} gives {}", shown(&value)),
                Err(found) => found,
            };
            let printed: String = found.iter().map(printed).collect();
            assert!(!printed.contains("Q0FOQVJZ"), "{text}: {printed}");
            assert!(printed.contains("looks into the secret `pillar."), "{text}: {printed}");
        }
    }
}

#[test]
fn a_secret_that_is_looked_into_is_named_with_the_ways_that_are_open() {
    insta::assert_snapshot!(failure("{{ pillar.api.db_password ~ '@db' }}"), @r#"
    error: states/a.toml:3: `pillar.api.db_password ~ '@db'` looks into the secret `pillar.api.db_password`
    caused by: a secret may be placed, joined, chosen and encoded; its content is not known while compiling
    hint: join by text around it ("user:{{ … }}", not `~`), choose with `| default` or `a if b else c`
    hint: encode with `| urlencode`, `| b64encode` or `| tojson`; ask whether it exists with `pillar.has("a:b")`
    "#);
}

#[test]
fn credentials_of_registries_are_not_visible() {
    let ways = [
        "{{ pillar.registries }}",
        "{{ pillar.registries['ghcr.io'].username }}",
        "{{ pillar['registries'] | default('x') }}",
        "{{ pillar['regis' ~ 'tries'] | default({}) | length }}",
        "{{ pillar.get('registries:ghcr.io:username', 'x') }}",
        "{{ pillar.get(['registries', 'ghcr.io', 'password']) }}",
        "{{ pillar.has('registries') }}",
        "{{ registries }}",
        "{{ 'registries' in pillar }}",
    ];
    for text in ways {
        assert!(failure(text).contains("`registries` is not visible to states"), "{text}: {}", failure(text));
    }
    for text in ["{{ pillar | list }}", "{{ pillar }}", "{{ pillar | items | list }}"] {
        let whole = shown(&evaluate(text).expect(text));
        assert!(
            whole.contains("keys") && !whole.contains("registries") && !whole.contains("robot"),
            "{whole}"
        );
    }
}

#[test]
fn what_is_missing_is_named_with_its_nearest_neighbour() {
    insta::assert_snapshot!(failure("{{ pillar.api.usr }}"), @r#"
    error: states/a.toml:3: `pillar.api.usr` does not exist for host web1
    hint: did you mean `pillar.api.user`?
    "#);
    insta::assert_snapshot!(failure("{{ pillar.apii.user }}"), @r#"
    error: states/a.toml:3: `pillar.apii` does not exist for host web1
    hint: did you mean `pillar.api`?
    "#);
    insta::assert_snapshot!(failure("{{ pillar.api.nothing_like_it }}"), @r#"
    error: states/a.toml:3: `pillar.api.nothing_like_it` does not exist for host web1
    hint: write `| default(…)` or `pillar.get("a:b", …)` where it may be missing
    "#);
    insta::assert_snapshot!(failure("{{ pilar.api.user }}"), @r#"
    error: states/a.toml:3: `pilar` is not a name in expressions
    hint: did you mean `pillar`?
    "#);
    insta::assert_snapshot!(failure("{{ host.cpu }}"), @r#"
    error: states/a.toml:3: `host.cpu` does not exist for host web1
    hint: did you mean `host.cpus`?
    "#);
    insta::assert_snapshot!(failure("{{ pillar.get('api:usr') }}"), @r#"
    error: states/a.toml:3: `pillar.api.usr` does not exist for host web1
    hint: did you mean `pillar.api.user`?
    "#);
    insta::assert_snapshot!(failure("{{ [pillar.api.usr] }}"), @r#"
    error: states/a.toml:3: `pillar.api.usr` does not exist for host web1
    hint: did you mean `pillar.api.user`?
    "#);
    insta::assert_snapshot!(failure("{{ pillar.keys.with }}"), @r#"
    error: states/a.toml:3: `pillar.keys.with` does not exist for host web1
    hint: write `| default(…)` or `pillar.get("a:b", …)` where it may be missing
    "#);
}

#[test]
fn what_is_no_expression_or_has_no_place_in_text_is_said() {
    insta::assert_snapshot!(failure("{{.Name}}"), @r#"
    error: states/a.toml:3: `.Name` is not an expression
    caused by: unexpected `.`
    hint: a `{{` that is meant as text is written `{{ '{{' }}`
    "#);
    insta::assert_snapshot!(failure("{{ a b }}"), @r#"
    error: states/a.toml:3: `a b` is not an expression
    caused by: unexpected input after expression
    "#);
    insta::assert_snapshot!(failure("{{ 1"), @r#"
    error: states/a.toml:3: `{{` begins an expression that does not end with `}}`
    hint: a `{{` that is meant as text is written `{{ '{{' }}`
    "#);
    insta::assert_snapshot!(failure("{% if a %}x{% endif %}"), @r#"
    error: states/a.toml:3: `{% … %}` is not available: a string may contain only expressions
    hint: choose with `{{ a if b else c }}`; a `{%` that is meant as text is written `{{ '{%' }}`
    "#);
    insta::assert_snapshot!(failure("x{{ pillar.api.hosts }}"), @r#"
    error: states/a.toml:3: `pillar.api.hosts` gives a value of type array, which has no place within text
    hint: join it: `| join(",")`
    "#);
    insta::assert_snapshot!(failure("x{{ none }}"), @r#"
    error: states/a.toml:3: `none` gives a value of type None, which has no place within text
    hint: write `| default(…, true)` where it may be None
    "#);
    insta::assert_snapshot!(failure("{{ 1 // 0 }}"), @r#"
    error: states/a.toml:3: `1 // 0` cannot be evaluated
    caused by: unable to calculate 1 // 0
    "#);
    insta::assert_snapshot!(failure("{{ 1 | nothing }}"), @r#"
    error: states/a.toml:3: `1 | nothing` cannot be evaluated
    caused by: filter nothing is unknown
    "#);
    insta::assert_snapshot!(failure("{{ 99999999999999999999 }}"), @r#"
    error: states/a.toml:3: `99999999999999999999` cannot be evaluated
    caused by: the number is too large
    "#);
}

#[test]
fn facts_of_an_engine_that_was_not_asked_are_an_error_that_says_so() {
    let found =
        evaluator(false).string("{{ host.cpus }}", &Place::new("states/a.toml", 3)).expect_err("no facts");
    let printed: String = found.iter().map(printed).collect();
    insta::assert_snapshot!(printed, @"error: states/a.toml:3: `host.cpus` is not known: the Engine of web1 was not asked");
    let name = evaluator(false).string("{{ host.name }}", &Place::new("states/a.toml", 3)).expect("a name");
    assert_eq!(shown(&name.0), "\"web1\"");
}

#[test]
fn only_what_needs_an_engine_asks_for_facts() {
    for text in [
        "{{ host.cpus }}",
        "{{ grains['os'] }}",
        "{{ host }}",
        "a{{ [host.memory] | max }}",
        "{{ host.get('os') }}",
    ] {
        assert!(asks_for_facts(text, &BTreeMap::new()), "{text}");
    }
    for text in
        ["host.cpus", "{{ host.name }}", "{{ 'web' in host.groups }}", "{{ pillar.host.cpus }}", "{{ host."]
    {
        assert!(!asks_for_facts(text, &BTreeMap::new()), "{text}");
    }
}

#[test]
fn labels_of_the_inventory_are_facts_and_grains_without_an_engine() {
    let labels =
        BTreeMap::from([("os".to_owned(), "Debian".to_owned()), ("roles".to_owned(), "web, db".to_owned())]);
    let host = HostName::parse("web1").expect("a name");
    let budget = Budget::of(1);
    let evaluator = Evaluator::new(&host, &Arc::new(pillar(PILLAR)), None, &[], &labels, &budget);
    for (text, expected) in [
        ("{{ host.labels.os }}", "\"Debian\""),
        ("{{ grains.os }}", "\"Debian\""),
        ("{{ 'db' in grains.roles }}", "true"),
        ("{{ grains.roles | join('+') }}", "\"web+db\""),
    ] {
        assert!(!asks_for_facts(text, &labels), "{text}");
        let (value, _) = evaluator.string(text, &Place::new("states/a.toml", 3)).expect(text);
        assert_eq!(shown(&value), expected, "{text}");
    }
    for text in
        ["{{ host.labels.rack }}", "{{ host.labels }}", "{{ grains.os_family }}", "{{ grains.num_cpus }}"]
    {
        assert!(asks_for_facts(text, &labels), "{text}");
    }
}

#[test]
fn reads_are_kept_as_causes() {
    let place = Place::new("states/a.toml", 3);
    let read = |text: &str| {
        let (value, mut read) = evaluator(true).string(text, &place).expect(text);
        let arg = crate::state::Arg { value, place: place.clone(), read: std::mem::take(&mut read) };
        arg.sources().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        read("{{ pillar.api.user }}:{{ pillar.api.port }}"),
        ["pillar/apps.toml:3", "pillar/apps.toml:4", "states/a.toml:3"]
    );
    assert_eq!(read("{{ pillar.api.deep }}"), ["pillar/apps.toml:11", "states/a.toml:3"]);
    assert_eq!(
        read("{{ pillar.secrets | tojson }}"),
        ["pillar/apps.toml:16", "pillar/apps.toml:17", "states/a.toml:3"]
    );
    assert_eq!(read("{{ host.cpus }}"), ["states/a.toml:3"]);
    assert_eq!(read("{{ pillar.api.db_password }}"), ["pillar/apps.toml:8", "states/a.toml:3"]);
}

#[test]
fn a_strangers_expression_costs_little() {
    let long = format!("{{{{ '{}' }}}}", "x".repeat(5000));
    let expensive = [
        "{{ 'x' * 4000000000 }}",
        "{{ ('x' * 1000000) | replace('x', 'y' * 1000000) }}",
        "{{ [0] * 90000000 }}",
        "{{ ([0] * 90000000)[1:] }}",
        "{{ ('x' * 1000000) | list | join('y' * 1000000) }}",
        "{{ ('x' * 2000000) }}",
        "{{ (('x' * 100000) | list) | map('upper') | list | sort | join }}",
        "{{ 10 ** 10000000 }}",
        long.as_str(),
    ];
    for text in expensive {
        assert!(evaluate(text).is_err(), "{text}");
    }
    let deep = format!("{{{{ {}1{} }}}}", "[".repeat(1000), "]".repeat(1000));
    assert!(evaluate(&deep).is_err());
    let nested = format!("{{{{ {}1{} }}}}", "[".repeat(100), "]".repeat(100));
    assert!(evaluate(&nested).is_err());
}

proptest! {
    /// Pieces of expressions in any order: an error or a value, never a panic, and a secret never in clear.
    #[test]
    fn no_expression_panics_or_leaks(pieces in prop::collection::vec(prop::sample::select(vec![
        "pillar", ".api", ".db_password", "[0]", "[", "]", "(", ")", "{", "}", "'a'", "1", " == ", " in ", " ~ ", " + ",
        " * ", " | length", " | upper", " | tojson", " | urlencode", " | join", " | string", " | list", " | default(1)",
        " if ", " else ", " not ", " and ", " or ", ",", ":", ".secrets", "pillar.api.db_password", " is defined",
        " | map('upper')", " | sort", "host.cpus", " | items", " | dictsort", "[1:]", " | first", "\"", "'", "%", " is ",
    ]), 0..9)) {
        let text = format!("{{{{ {} }}}}", pieces.concat());
        let outcome = match evaluate(&text) {
            Ok(value) => shown(&value),
            Err(found) => found.iter().map(printed).collect(),
        };
        prop_assert!(!outcome.contains("Q0FOQVJZ"), "{}: {}", text, outcome);
    }

    #[test]
    fn text_without_braces_is_kept_as_it_is(text in "[^{}]{0,60}") {
        prop_assert_eq!(evaluate(&text).expect("text"), ArgValue::Text(Text::clear(text.as_str())));
    }

    #[test]
    fn a_clear_value_comes_through_unchanged(text: String) {
        let table = Table::from([("key".to_owned(), Node::new(Leaf::String(text.clone()), &Place::new("pillar/a.toml", 1)))]);
        let root = Node::new(Leaf::Table(table), &Place::new("pillar/a.toml", 0));
        let host = HostName::parse("web1").expect("a name");
        let budget = Budget::of(1);
        let evaluator = Evaluator::new(&host, &Arc::new(root), None, &[], &BTreeMap::new(), &budget);
        let place = Place::new("states/a.toml", 1);
        let whole = evaluator.string("{{ pillar.key }}", &place).expect("a value").0;
        prop_assert_eq!(whole, ArgValue::Text(Text::clear(text.as_str())));
        let joined = evaluator.string("<{{ pillar.key }}>", &place).expect("a value").0;
        prop_assert_eq!(joined, ArgValue::Text(Text::clear(format!("<{text}>"))));
    }
}
