use super::*;
use crate::pillar::value::{Origin, SealId};
use proptest::prelude::*;

mod clear;
mod moving;

const APPS: &str = r#"# What runs.

[deploy.nginx]          # the front
image = "registry.example.com/web/nginx"
version = "1.27"        # reviewed by ops
replicas = 2
# hold = "frozen"

[api]
env.LOG = "info"
env.TZ = 'UTC'
limits = { memory = "1g", cpus = 1.5 }   # per replica
db_password = { sealed = "YWdl", id = "9f2c41d70b6e83aa" }

# Reports run at night.
[reports.nightly]
at = [ 1,
       2 ]
"#;

fn key(text: &str) -> KeyPath {
    KeyPath::parse(text).expect("a key")
}

fn apps() -> Document {
    Document::parse("apps.toml", APPS).expect("a file")
}

fn sealed(file: &str, at: &str, id: &str) -> Sealed {
    Sealed {
        sealed: "bmV3".to_owned(),
        id: SealId::parse(id).expect("an id"),
        origin: Origin { file: file.to_owned(), key: key(at) },
    }
}

fn set(document: &mut Document, at: &str, value: &str) -> Result<()> {
    document.set(&key(at), Written::Plain(value))
}

fn problem<T: std::fmt::Debug>(result: Result<T>) -> Problem {
    result.expect_err("a problem").into_vec().remove(0)
}

/// The lines that one text has and the other has not, as `-old` and `+new`.
fn changes(old: &str, new: &str) -> Vec<String> {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let old = a[start..a.len() - end].iter().map(|line| format!("-{}", line.trim_end()));
    old.chain(b[start..b.len() - end].iter().map(|line| format!("+{}", line.trim_end()))).collect()
}

#[test]
fn every_value_knows_its_file_and_line() {
    let document = apps();
    let place = |at: &str| document.get(&key(at)).expect(at).place.to_string();
    assert_eq!(place("deploy.nginx"), "pillar/apps.toml:3");
    assert_eq!(place("deploy.nginx.version"), "pillar/apps.toml:5");
    assert_eq!(place("api.env.TZ"), "pillar/apps.toml:11");
    assert_eq!(place("api.limits.cpus"), "pillar/apps.toml:12");
    assert_eq!(place("api.db_password"), "pillar/apps.toml:13");
    match &document.get(&key("reports.nightly.at")).expect("a list").value {
        Value::Array(values) => assert_eq!(values[1].place.line, 18),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sealed_value_is_a_leaf_that_knows_its_place() {
    let document = apps();
    let all = document.sealed();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].origin.to_string(), "api.db_password in pillar/apps.toml");
    assert_eq!(all[0].id.short(), "9f2c");
    assert!(document.get(&key("api.db_password.id")).is_none());
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    let found = problem(Document::parse("apps.toml", "a = 1\nb = \n"));
    assert_eq!(found.place.as_ref().map(ToString::to_string).as_deref(), Some("pillar/apps.toml:2"));
    assert!(!found.causes.is_empty());
    let found = problem(Document::parse("apps.toml", "a = 1\na = 2\n"));
    let other = "the other one is in pillar/apps.toml:1";
    assert_eq!(found.causes, ["column 1: a = …", "duplicate key", other]);
    for (number, cause) in
        [("99999999999999999999", "integer number overflowed"), ("1e999", "floating-point number overflowed")]
    {
        let found = problem(Document::parse("apps.toml", format!("a = 1\nb = [{number}]\n")));
        let causes = vec!["column 6: b = …".to_owned(), cause.to_owned()];
        assert_eq!((found.place.map(|place| place.line), found.causes), (Some(2), causes));
    }
    let infinite = Document::parse("apps.toml", "a = [inf, -inf, 0x10, 1_000]").expect("TOML");
    assert!(infinite.tree().is_ok());
}

#[test]
fn unsound_sealed_values_are_all_named_with_their_lines() {
    let text = r#"list = [{ sealed = "YQ==", id = "9f2c41d70b6e83aa" }]
more = { sealed = "YQ==", id = "9f2c41d70b6e83aa", rev = 3 }
short = { sealed = "YQ==", id = "9f2c" }
alone = { sealed = "YQ==" }
[long]
sealed = "YQ=="
id = "9f2c41d70b6e83aa"
[[rows]]
pw = { sealed = "YQ==", id = "9f2c41d70b6e83aa" }
"#;
    let document = Document::parse("apps.toml", text).expect("TOML");
    let lines: Vec<u32> = document
        .tree()
        .expect_err("problems")
        .iter()
        .map(|problem| problem.place.as_ref().map_or(0, |place| place.line))
        .collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 9]);
    assert!(Document::parse("apps.toml", "sealed = 1").expect("TOML").tree().is_err());
}

#[test]
fn a_registry_password_in_clear_is_refused_and_can_be_sealed_in_place() {
    let text = "[registries.\"ghcr.io\"]\nusername = \"bot\"\npassword = \"hunter2\" # oops\n";
    let mut document = Document::parse("registries/ghcr.io.toml", text).expect("TOML");
    let found = problem(document.tree().cloned());
    assert_eq!(found.place.as_ref().map(|place| place.line), Some(3));
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    assert!(
        found.hints[0].ends_with("pillarbox seal 'registries.\"ghcr.io\".password'"),
        "{:?}",
        found.hints
    );
    let new = sealed("registries/ghcr.io.toml", r#"registries."ghcr.io".password"#, "0011223344556677");
    document.set_sealed(&new).expect("sealed");
    assert!(document.tree().is_ok());
    assert_eq!(
        changes(text, document.text()),
        [
            "-password = \"hunter2\" # oops",
            "+password = { sealed = \"bmV3\", id = \"0011223344556677\" } # oops"
        ]
    );
}

#[test]
fn a_secret_of_a_registry_cannot_be_set_in_clear() {
    let mut document = Document::parse("r.toml", "").expect("TOML");
    assert!(set(&mut document, r#"registries."ghcr.io".password"#, "x").is_err());
    assert!(set(&mut document, r#"registries."ghcr.io".identity_token"#, "x").is_err());
    let table = Written::Toml(r#"{ username = "a", password = "x" }"#);
    assert!(document.set(&key(r#"registries."ghcr.io""#), table).is_err());
    let table = Written::Toml(r#"{ sealed = "x", id = "9f2c41d70b6e83aa" }"#);
    assert!(document.set(&key("a.b"), table).is_err());
    assert_eq!(document.text(), "");
}

#[test]
fn a_version_stays_a_string_and_a_number_stays_a_number() {
    let mut document = apps();
    set(&mut document, "deploy.nginx.version", "1.10").expect("set");
    set(&mut document, "deploy.nginx.replicas", "3").expect("set");
    set(&mut document, "api.limits.cpus", "2").expect("set");
    assert_eq!(
        changes(APPS, document.text()).iter().filter(|line| line.starts_with('+')).collect::<Vec<_>>()[..2],
        ["+version = \"1.10\"        # reviewed by ops", "+replicas = 3"]
    );
    assert!(document.text().contains("limits = { memory = \"1g\", cpus = 2.0 }   # per replica\n"));
    let found = problem(set(&mut document, "deploy.nginx.replicas", "many"));
    assert_eq!(found.hints, ["to change its type: pillarbox set --toml 'deploy.nginx.replicas' '\"many\"'"]);
    document.set(&key("deploy.nginx.replicas"), Written::Toml("\"many\"")).expect("another type");
}

#[test]
fn a_sealed_value_is_not_overwritten_in_clear() {
    let mut document = apps();
    assert!(set(&mut document, "api.db_password", "x").is_err());
    assert!(document.set(&key("api.db_password"), Written::Toml("1")).is_err());
    assert!(set(&mut document, "api.db_password.id", "x").is_err());
    assert!(set(&mut document, "api.db_password.more", "x").is_err());
    assert!(set(&mut document, "deploy.nginx", "x").is_err());
    assert!(set(&mut document, "deploy.nginx.version.major", "x").is_err());
    assert_eq!(document.text(), APPS);
}

#[test]
fn new_keys_stand_beside_their_kin() {
    let added = |at: &str| {
        let mut document = apps();
        set(&mut document, at, "v").expect(at);
        assert_eq!(document.get(&key(at)).and_then(Node::as_str), Some("v"), "{at}");
        let (line, _) = document
            .text()
            .split_inclusive('\n')
            .zip(APPS.split_inclusive('\n'))
            .enumerate()
            .find(|(_, (new, old))| new != old)
            .unwrap_or((APPS.lines().count(), ("", "")));
        (line + 1, changes(APPS, document.text()))
    };
    assert_eq!(added("deploy.nginx.digest"), (7, vec!["+digest = \"v\"".to_owned()]));
    assert_eq!(added("api.env.DB"), (12, vec!["+env.DB = \"v\"".to_owned()]));
    assert_eq!(
        added("api.limits.pids").1,
        [
            "-limits = { memory = \"1g\", cpus = 1.5 }   # per replica",
            "+limits = { memory = \"1g\", cpus = 1.5, pids = \"v\" }   # per replica"
        ]
    );
    assert_eq!(
        added("deploy.api.version"),
        (9, vec!["+[deploy.api]".into(), "+version = \"v\"".into(), "+".into()])
    );
    assert_eq!(added("deploy.on"), (3, vec!["+[deploy]".into(), "+on = \"v\"".into(), "+".into()]));
    assert_eq!(added("owner"), (3, vec!["+owner = \"v\"".into(), "+".into()]));
    assert_eq!(added("new.one"), (19, vec!["+".into(), "+[new]".into(), "+one = \"v\"".into()]));
    assert_eq!(added("api.more.x").0, 15);
    assert_eq!(added("reports.on").0, 15);
}

#[test]
fn new_registries_stand_in_order() {
    let text = "# ours\n[registries.\"a.io\"]\nusername = \"a\"\n\n# theirs\n[registries.\"m.io\"]\nusername = \"m\"\n";
    let after = |host: &str| {
        let mut document = Document::parse("r.toml", text).expect("TOML");
        set(&mut document, &format!("registries.\"{host}\".username"), "x").expect(host);
        document.text().to_owned()
    };
    let new = |host: &str| format!("[registries.\"{host}\"]\nusername = \"x\"\n");
    assert_eq!(after("z.io"), format!("{text}\n{}", new("z.io")));
    assert_eq!(after("b.io"), text.replace("# theirs", &format!("{}\n# theirs", new("b.io"))));
    assert_eq!(after("0.io"), format!("{}\n{text}", new("0.io")));
}

#[test]
fn the_first_key_of_an_empty_file_makes_its_table() {
    let mut document = Document::parse("apps.toml", "").expect("TOML");
    set(&mut document, r#"registries."ghcr.io/acme".username"#, "bot").expect("set");
    assert_eq!(document.text(), "[registries.\"ghcr.io/acme\"]\nusername = \"bot\"\n");
    let mut document = Document::parse("apps.toml", "# only words").expect("TOML");
    set(&mut document, "a", "1").expect("set");
    assert_eq!(document.text(), "# only words\na = \"1\"\n");
}

#[test]
fn unset_takes_the_key_and_leaves_the_rest() {
    let without = |at: &str| {
        let mut document = apps();
        document.unset(&key(at)).expect(at);
        assert!(document.get(&key(at)).is_none(), "{at}");
        changes(APPS, document.text())
    };
    assert_eq!(without("deploy.nginx.replicas"), ["-replicas = 2"]);
    assert_eq!(without("api.env"), ["-env.LOG = \"info\"", "-env.TZ = 'UTC'"]);
    assert_eq!(without("api.limits.memory")[1], "+limits = { cpus = 1.5 }   # per replica");
    assert_eq!(without("api.limits.cpus")[1], "+limits = { memory = \"1g\" }   # per replica");
    assert_eq!(without("reports.nightly.at"), ["-at = [ 1,", "-       2 ]"]);
    assert_eq!(without("reports").len(), 3);
    assert_eq!(without("api").len(), 6);
    let found = problem(apps().unset(&key("deploy.nginx.verison")));
    assert_eq!(found.hints, ["did you mean `deploy.nginx.version`?"]);
}

#[test]
fn windows_line_ends_survive() {
    let text = APPS.replace('\n', "\r\n");
    let mut document = Document::parse("apps.toml", text.clone()).expect("TOML");
    set(&mut document, "deploy.nginx.version", "2").expect("set");
    set(&mut document, "new.key", "3").expect("set");
    assert!(
        document.text().split('\n').all(|line| line.is_empty() || line.ends_with('\r')),
        "{:?}",
        document.text()
    );
    document.unset(&key("new")).expect("unset");
    document.set(&key("deploy.nginx.version"), Written::Plain("1.27")).expect("set");
    assert_eq!(document.text(), text);
}

#[test]
fn a_rekey_replaces_all_sealed_values_in_one_pass() {
    let many: String = (0..2_000)
        .map(|n| format!("[app{n}]\npw = {{ sealed = \"b2xk\", id = \"{n:016x}\" }} # {n}\n"))
        .collect();
    let mut document = Document::parse("apps.toml", many.clone()).expect("TOML");
    let new: Vec<Sealed> = document
        .sealed()
        .into_iter()
        .map(|old| Sealed { sealed: "bmV3".to_owned(), ..old.clone() })
        .collect();
    document.reseal(&new).expect("resealed");
    assert_eq!(document.text(), many.replace("b2xk", "bmV3"));
    assert!(document.reseal([&sealed("apps.toml", "app1.none", "0011223344556677")]).is_err());
    assert!(document.reseal([&sealed("other.toml", "app1.pw", "0011223344556677")]).is_err());
}

#[test]
fn quotes_that_the_shell_ate_are_found_again() {
    let document = Document::parse("r.toml", "[registries.\"ghcr.io\"]\nusername = \"a\"\n[registries.\"x\"]\nusername = \"b\"\n[\"registries.x\"]\nusername = \"c\"\n").expect("TOML");
    let keys = document.keys();
    let found = resolve_key("registries.ghcr.io.username", &keys).expect("one fits");
    assert_eq!(found, key(r#"registries."ghcr.io".username"#));
    assert_eq!(resolve_key("registries.x.username", &keys).expect("exact"), key("registries.x.username"));
    assert_eq!(resolve_key("new.key", &keys).expect("new"), key("new.key"));
    assert!(resolve_key("registries.ghcr.io/acme.username", &keys).is_err());
    let two = [key(r#"a."b.c".d"#), key(r#"a.b."c.d""#)];
    let found = problem(resolve_key("a.b.c.d", &two));
    assert_eq!(found.hints.len(), 2);
}

#[test]
fn sealed_values_are_shown_short_and_control_characters_escaped() {
    let shown = show("# hi\u{202e}\n[api]\n\tpw = { sealed = \"YWdl\", id = \"9f2c41d70b6e83aa\" } # c\n");
    assert_eq!(shown, "# hi\\u{202e}\n[api]\n\tpw = (sealed 9f2c) # c\n");
    assert_eq!(show("a = \u{1b}[1m\r\nb"), "a = \\u{1b}[1m\nb");
}

#[test]
fn a_file_of_the_command_line_stays_in_the_pillar() {
    assert_eq!(file_name("registries/ghcr.io").expect("a file"), "registries/ghcr.io.toml");
    assert_eq!(file_name("apps.toml").expect("a file"), "apps.toml");
    for bad in ["../x", "/etc/x", "", "a//b", ".hidden", "box", "prod/box.toml", "-x", "a\nb", "a/", "a\\b"] {
        assert!(file_name(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_key_goes_to_the_file_that_has_it_or_its_longest_table() {
    let file = |name: &str, text: &str| Document::parse(name, text).expect("TOML");
    let all = [
        file("apps.toml", APPS),
        file("base.toml", "[deploy.api]\nversion = \"1\"\n"),
        file("hosts/web1.toml", "[deploy.nginx]\nversion = \"2\"\n"),
        file("registries/ghcr.io.toml", "[registries.\"ghcr.io/acme\"]\nusername = \"a\"\n"),
    ];
    let chosen = |at: &str| choose_file(&all, &key(at)).expect("keys of files");
    let file = |name: &str| Choice::File(name.to_owned());
    assert_eq!(chosen("deploy.nginx.version"), file("apps.toml"));
    assert_eq!(chosen("deploy.api.hold"), file("base.toml"));
    assert_eq!(chosen(r#"registries."ghcr.io/acme".email"#), file("registries/ghcr.io.toml"));
    assert_eq!(chosen(r#"registries."ghcr.io/other".email"#), file("registries/ghcr.io.toml"));
    assert_eq!(chosen(r#"registries."localhost:5000".username"#), file("registries/localhost_5000.toml"));
    let ask = |files: &[&str]| Choice::Ask(files.iter().map(|file| (*file).to_owned()).collect());
    assert_eq!(chosen("deploy.web.version"), ask(&["apps.toml", "base.toml"]));
    assert_eq!(chosen("new.key"), ask(&["apps.toml", "base.toml", "registries/ghcr.io.toml"]));
    assert_eq!(choose_file(&all[..1], &key("new.key")).expect("fine"), file("apps.toml"));
    assert_eq!(choose_file(&[], &key("new.key")).expect("fine"), ask(&[]));
}

const POOL: [&str; 9] = [
    "[deploy.nginx]   # the front\nversion = \"1\" # now\n  # a note\n  hold = true\n\n",
    "[deploy.api]\nversion = '2'\n\n\n",
    "# above\n[api]\nenv.A = \"1\"\nenv.\"B C\".d = 2\nt = { a = 1, b.c = \"x\", }\n",
    "[\"registries\".\"m.io\"]\n\tusername = \"m\"\n# tail\n\n",
    "[registries.\"a.io/b\"]\nusername = \"\"\"a\nb\"\"\"\npassword = { sealed = \"YQ==\", id = \"9f2c41d70b6e83aa\" }\n",
    "[[rows]]\na = 1\n[rows.sub]\nb = 1\n[[rows]]\na = 2\n\n",
    "[x.y.z]\nlist = [1, # one\n  2]\n",
    "[x]\nw = 1979-05-27 # then\n",
    "   # only a comment\n\n",
];

const KEYS: [&str; 22] = [
    "top",
    "deploy.nginx.version",
    "deploy.nginx.hold",
    "deploy.api.version",
    "deploy.web.version",
    "deploy.on",
    "api.env.A",
    "api.env.\"B C\".d",
    "api.env.\"B C\".e",
    "api.t.a",
    "api.t.b.c",
    "api.t.b.d",
    "api.t.n.m",
    "api.n",
    "registries.\"m.io\".username",
    "registries.\"c.io\".username",
    "registries.\"a.io/b\".email",
    "x.y.z.list",
    "x.w",
    "x.y.v",
    "rows.a",
    "\"k\\ney\".\"\u{e9}\"",
];

fn texts() -> impl Strategy<Value = String> {
    let pieces = Just(POOL.to_vec()).prop_shuffle();
    (pieces, 0..=POOL.len(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(pieces, n, head, windows, cut)| {
            let mut text = if head { "# head\n\nroot = 1\n\"a.b\" = 2\n\n" } else { "" }.to_owned();
            text.extend(pieces.into_iter().take(n));
            if cut {
                text.truncate(text.trim_end().len());
            }
            if windows { text.replace('\n', "\r\n") } else { text }
        },
    )
}

fn is_subsequence(small: &[&str], big: &[&str]) -> bool {
    let mut rest = big.iter();
    small.iter().all(|line| rest.any(|other| other == line))
}

/// Lines that are not blank, without the line end: an edit may add a missing last newline, and takes
/// the gap above a table along with it.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

proptest! {
    #[test]
    fn edits_leave_all_other_lines_as_they_were(
        text in texts(),
        edits in prop::collection::vec((0..KEYS.len(), 0..3_usize, "[ -~é\n]{0,12}"), 1..12),
    ) {
        let mut document = Document::parse("f.toml", text.clone()).expect("the pool is TOML");
        prop_assert_eq!(document.text(), &text);
        for (at, verb, value) in edits {
            let (at, before) = (key(KEYS[at]), document.clone());
            let had = before.get(&at).is_some();
            let done = match verb {
                0 => document.set(&at, Written::Plain(&value)),
                1 => document.set_sealed(&sealed("f.toml", &at.to_string(), "0011223344556677")),
                _ => document.unset(&at),
            };
            let (old, new) = (lines(before.text()), lines(document.text()));
            match (done, verb) {
                (Err(_), _) => prop_assert_eq!(before.text(), document.text()),
                (Ok(()), 2) => {
                    prop_assert!(document.get(&at).is_none());
                    if at.parts()[..at.parts().len() - 1].iter().all(|part| part != "t") {
                        prop_assert!(is_subsequence(&new, &old), "{at}\n{}\n---\n{}", before.text(), document.text());
                    }
                }
                (Ok(()), _) => {
                    let stands = &document.get(&at).expect("it was set").value;
                    match (verb, stands) {
                        (1, Value::Sealed(now)) => prop_assert_eq!(now.id.short(), "0011"),
                        (0, Value::String(now)) => prop_assert_eq!(now, &value),
                        (0, _) => prop_assert!(had, "a new key is a string"),
                        _ => prop_assert!(false, "{stands:?}"),
                    }
                    let inline = at.parts().starts_with(&["api".to_owned(), "t".to_owned()]);
                    if !had && !inline {
                        prop_assert!(is_subsequence(&old, &new), "{at}\n{}\n---\n{}", before.text(), document.text());
                    }
                }
            }
            // Whatever was done: all other keys have the values that they had.
            for other in before.keys() {
                let apart = !at.is_within(&other) && !other.is_within(&at);
                if apart && before.get(&other).is_some_and(|node| node.as_table().is_none()) {
                    let then = before.get(&other).map(|node| &node.value);
                    let now = document.get(&other).map(|node| &node.value);
                    prop_assert_eq!(plain(then), plain(now), "{} after {}", other, at);
                }
            }
        }
    }

    #[test]
    fn a_value_replaced_changes_its_own_bytes_alone(text in texts(), at in 0..KEYS.len(), value in "[a-z]{1,5}") {
        let mut document = Document::parse("f.toml", text.clone()).expect("the pool is TOML");
        let at = key(KEYS[at]);
        let old = document.get(&at).and_then(Node::as_str).map(ToOwned::to_owned);
        if let (Some(old), Ok(())) = (old, document.set(&at, Written::Plain(&value))) {
            let expected = if old == value { 0 } else { 2 + old.matches('\n').count() };
            let changed = changes(&text, document.text()).len();
            prop_assert!(changed == expected || (old == value && changed == 2), "{}", document.text());
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z\\[\\]{}.=\"'#\n ,0-9]{0,80}", at in 0..KEYS.len()) {
        show(&text);
        if let Ok(mut document) = Document::parse("f.toml", text) {
            let before = document.clone();
            if document.set(&key(KEYS[at]), Written::Plain("v")).is_ok() && before.get(&key(KEYS[at])).is_none() {
                document.unset(&key(KEYS[at])).expect("what was set can be unset");
            }
        }
    }
}

/// A value without its lines, which edits above it move.
fn plain(value: Option<&Value>) -> Option<String> {
    fn print(value: &Value) -> String {
        match value {
            Value::Array(all) => {
                format!("{:?}", all.iter().map(|node| print(&node.value)).collect::<Vec<_>>())
            }
            Value::Table(all) => {
                format!("{:?}", all.iter().map(|(key, node)| (key, print(&node.value))).collect::<Vec<_>>())
            }
            other => format!("{other:?}"),
        }
    }
    value.map(print)
}
