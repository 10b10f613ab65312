use super::*;
use crate::docker_config::{Edit, Wired};
use proptest::prelude::*;

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn wired(text: &str, names: &[&str]) -> String {
    let (splices, _) = wire(text, "f", Want::Hosts(&hosts(names)), true).expect("wired");
    apply(text, &splices).expect("fits")
}

/// Installs several times and takes all of it back.
fn there_and_back(text: &str, steps: &[Want<'_>]) -> String {
    let (mut now, mut memory) = (text.to_owned(), Wired::default());
    for want in steps {
        let (splices, replaced) = wire(&now, "f", *want, true).expect("wired");
        let after = apply(&now, &splices).expect("fits");
        serde_json::from_str::<serde_json::Value>(&after).expect("JSON");
        memory.remember("f", false, Edit::new(&after, splices, replaced));
        now = after;
    }
    let kept = Wired::parse(memory.text().as_deref(), "wired.json").expect("reads back");
    let mut memory = kept;
    memory.take_back("f", "f", &now).expect("taken back").expect("a text")
}

#[test]
fn a_new_file_is_written_as_docker_writes_it() {
    assert_eq!(
        wired("", &["ghcr.io", "a.io"]),
        "{\n\t\"credHelpers\": {\n\t\t\"ghcr.io\": \"pillarbox\",\n\t\t\"a.io\": \"pillarbox\"\n\t}\n}\n"
    );
}

#[test]
fn entries_follow_the_layout_of_the_file() {
    for (before, after) in [
        ("{}", "{\n\t\"credHelpers\": {\n\t\t\"a.io\": \"pillarbox\"\n\t}\n}"),
        ("{\"auths\":{}}", "{\"auths\":{},\"credHelpers\":{\"a.io\":\"pillarbox\"}}"),
        ("{\"auths\": {}}", "{\"auths\": {}, \"credHelpers\": {\"a.io\": \"pillarbox\"}}"),
        (
            "{\r\n  \"auths\": {}\r\n}\r\n",
            "{\r\n  \"auths\": {},\r\n  \"credHelpers\": {\r\n    \"a.io\": \"pillarbox\"\r\n  }\r\n}\r\n",
        ),
        (
            "{\n    \"credHelpers\": {\n        \"b.io\": \"pass\"\n    },\n    \"z\": [1,  2]\n}",
            "{\n    \"credHelpers\": {\n        \"b.io\": \"pass\",\n        \"a.io\": \"pillarbox\"\n    },\n    \"z\": [1,  2]\n}",
        ),
        ("{\n  \"CredHelpers\": {}\n}", "{\n  \"CredHelpers\": {\n    \"a.io\": \"pillarbox\"\n  }\n}"),
        ("{\n  \"credHelpers\": null\n}", "{\n  \"credHelpers\": {\n    \"a.io\": \"pillarbox\"\n  }\n}"),
    ] {
        assert_eq!(wired(before, &["a.io"]), after);
        assert_eq!(wired(after, &["a.io"]), after, "a second time changes nothing");
    }
}

#[test]
fn another_helper_is_replaced_only_when_asked_and_all_of_them_are_named() {
    let text = "{\n  \"credHelpers\": {\n    \"a.io\": \"pass\",\n    \"b.io\": \"ecr-login\"\n  }\n}";
    let names = hosts(&["a.io", "b.io", "c.io"]);
    let problems = wire(text, "config.json", Want::Hosts(&names), false).expect_err("two others");
    assert_eq!(
        problems.to_string(),
        "config.json:3: another helper answers for a.io: `pass`\nconfig.json:4: another helper answers for b.io: `ecr-login`"
    );
    let (_, replaced) = wire(text, "config.json", Want::Hosts(&names), true).expect("replaced");
    assert_eq!(replaced.by_host.values().collect::<Vec<_>>(), ["pass", "ecr-login"]);
    let problems = wire("{\"credsStore\":\"desktop\"}", "c", Want::Store, false).expect_err("another");
    assert!(problems.to_string().contains("`desktop`"));
}

#[test]
fn our_name_leaves_a_file_that_somebody_wrote_again_meanwhile() {
    let cut = |text: &str, replaced: &Replaced| unwire(text, "f", replaced).expect("sound");
    let none = Replaced::default();
    assert_eq!(cut("{\"auths\": {}}", &none), None);
    assert_eq!(cut("{\"credHelpers\": {}}", &none), None);
    assert_eq!(cut("{\"credHelpers\": {\"a\": \"pillarbox\"}}", &none).as_deref(), Some("{}"));
    assert_eq!(
        cut(
            "{\n\t\"credsStore\": \"pillarbox\",\n\t\"x\": 1,\n\t\"credHelpers\": {\"a\": \"pillarbox\"}\n}",
            &none
        )
        .as_deref(),
        Some("{\n\t\"x\": 1\n}")
    );
    assert_eq!(
        cut("{\"credHelpers\": {\"a\": \"pillarbox\", \"b\": \"pass\", \"c\": \"pillarbox\", \"d\": \"pillarbox\"}}", &none)
            .as_deref(),
        Some("{\"credHelpers\": {\"b\": \"pass\"}}")
    );
    let before = Replaced {
        by_host: BTreeMap::from([("a".to_owned(), "pass".to_owned())]),
        store: Some("desktop".to_owned()),
    };
    assert_eq!(
        cut(
            "{\"credsStore\": \"pillarbox\", \"credHelpers\": {\"a\": \"pillarbox\", \"b\": \"pillarbox\"}}",
            &before
        )
        .as_deref(),
        Some("{\"credsStore\": \"desktop\", \"credHelpers\": {\"a\": \"pass\"}}")
    );
}

#[test]
fn a_file_that_was_not_there_is_to_be_removed() {
    let (splices, replaced) = wire("", "f", Want::Store, false).expect("wired");
    let text = apply("", &splices).expect("fits");
    let mut memory = Wired::default();
    memory.remember("f", true, Edit::new(&text, splices, replaced));
    assert_eq!(memory.clone().take_back("f", "f", &text).expect("taken back"), None);
    // Unless somebody put more into it.
    let more = text.replace('{', "{\"auths\": {\"x\": {}},");
    let left = memory.take_back("f", "f", &more).expect("taken back").expect("a text");
    assert!(left.contains("auths") && !left.contains("pillarbox"));
    assert_eq!(memory.text(), None);
}

/// JSON objects in many layouts.
fn files() -> impl Strategy<Value = String> {
    let white = prop_oneof![Just(""), Just(" "), Just("\n"), Just("\n  "), Just("\r\n\t"), Just(" \n ")];
    let host = prop_oneof![Just("a.io"), Just("b.io"), Just("c.io:5000"), Just("é\\u0041")];
    let helper = prop_oneof![Just("\"pass\""), Just("\"ecr-login\""), Just("\"\""), Just("null")];
    let entries = prop::collection::btree_map(host, helper, 0..4);
    let list = |pairs: Vec<(String, String)>, white: [&str; 4]| {
        let [open, between, colon, close] = white;
        let all: Vec<String> =
            pairs.into_iter().map(|(name, value)| format!("\"{name}\"{colon}:{colon}{value}")).collect();
        if all.is_empty() {
            format!("{{{open}}}")
        } else {
            format!("{{{open}{}{close}}}", all.join(&format!(",{between}")))
        }
    };
    let whites = [white.clone(), white.clone(), white.clone(), white];
    (whites.clone(), whites, entries, any::<[bool; 4]>()).prop_map(move |(outer, inner, entries, has)| {
        let entries: Vec<(String, String)> =
            entries.into_iter().map(|(host, helper)| (host.to_owned(), helper.to_owned())).collect();
        let fields = [
            ("auths", "{ \"a.io\" : {\"auth\":\"eDp5\"} }".to_owned()),
            ("credHelpers", list(entries, inner)),
            ("credsStore", "\"desktop\"".to_owned()),
            ("psFormat", "\"{{.ID}}\"".to_owned()),
        ];
        let kept = fields.into_iter().zip(has).filter(|(_, has)| *has);
        let end = outer[0];
        format!("{}{end}", list(kept.map(|((name, value), _)| (name.to_owned(), value)).collect(), outer))
    })
}

proptest! {
    #[test]
    fn what_was_installed_is_taken_back_to_the_byte(text in files()) {
        let (first, second) = (hosts(&["a.io", "new.io"]), hosts(&["b.io", "c.io:5000", "another.io"]));
        let steps = [Want::Hosts(&first), Want::Store, Want::Hosts(&second), Want::Hosts(&first)];
        prop_assert_eq!(there_and_back(&text, &steps), text);
    }

    #[test]
    fn after_an_installation_the_file_names_us_and_nothing_else_differs(text in files()) {
        let names = hosts(&["a.io", "new.io"]);
        let (splices, _) = wire(&text, "f", Want::Hosts(&names), true).expect("wired");
        let after = apply(&text, &splices).expect("fits");
        let mut before: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let found: serde_json::Value = serde_json::from_str(&after).expect("JSON");
        if !before["credHelpers"].is_object() {
            before["credHelpers"] = serde_json::json!({});
        }
        for name in &names {
            before["credHelpers"][name] = HELPER.into();
        }
        prop_assert_eq!(found, before);
    }
}
