use super::*;

fn renamed(text: &str, from: &str, to: &str) -> String {
    let mut document = Document::parse("apps.toml", text).expect("TOML");
    assert!(document.rename(&key(from), &key(to)).expect("renamed"), "{from}");
    document.text().to_owned()
}

fn moved(text: &str, from: &str, to: &str) -> String {
    let mut document = Document::parse("apps.toml", text).expect("TOML");
    let pieces = document.cut(&key(from)).expect("cut");
    document.paste(&key(to), &pieces).expect("pasted");
    document.text().to_owned()
}

#[test]
fn a_new_name_beside_the_old_one_changes_nothing_else() {
    let one = |from: &str, to: &str| changes(APPS, &renamed(APPS, from, to));
    assert_eq!(
        one("deploy.nginx.version", "deploy.nginx.tag"),
        ["-version = \"1.27\"        # reviewed by ops", "+tag = \"1.27\"        # reviewed by ops"]
    );
    assert_eq!(
        one("deploy.nginx", "deploy.\"web.1\""),
        ["-[deploy.nginx]          # the front", "+[deploy.\"web.1\"]          # the front"]
    );
    assert_eq!(one("api.env.LOG", "api.env.LEVEL"), ["-env.LOG = \"info\"", "+env.LEVEL = \"info\""]);
    assert_eq!(
        one("api.env", "api.vars"),
        ["-env.LOG = \"info\"", "-env.TZ = 'UTC'", "+vars.LOG = \"info\"", "+vars.TZ = 'UTC'"]
    );
    assert_eq!(one("reports", "jobs"), ["-[reports.nightly]", "+[jobs.nightly]"]);
    let odd = "[[ \"a]=#\" . b ]] # x\n[c]\n'k=\"' . d = 1 # y\n";
    assert_eq!(renamed(odd, "\"a]=#\"", "n"), "[[ n.b ]] # x\n[c]\n'k=\"' . d = 1 # y\n");
    assert_eq!(renamed(odd, "c.'k=\"'", "c.n"), "[[ \"a]=#\" . b ]] # x\n[c]\nn.d = 1 # y\n");
}

#[test]
fn comments_go_with_a_key_that_changes_its_table() {
    let text = "[a]\n# why\n# so\nx = { p = 1 } # now\ny = 2\n\n[b]\nz = 3\n";
    assert_eq!(moved(text, "a.x", "b.x"), "[a]\ny = 2\n\n[b]\nz = 3\n# why\n# so\nx = { p = 1 } # now\n");
    assert_eq!(moved(text, "a.x.p", "b.p"), "[a]\n# why\n# so\nx = {} # now\ny = 2\n\n[b]\nz = 3\np = 1\n");
}

#[test]
fn a_table_moves_with_its_headers_and_comments() {
    let text =
        "# the api\n[api] # ours\n# level\nlog = 'info'\n[api.db]\nhost = 'db' # main\n\n[web]\nport = 1\n";
    assert_eq!(
        moved(text, "api", "apps.api"),
        "[web]\nport = 1\n\n# the api\n[apps.api] # ours\n# level\nlog = 'info'\n\n[apps.api.db]\nhost = 'db' # main\n"
    );
}

#[test]
fn lists_of_tables_are_left_to_people() {
    let mut document = Document::parse("a.toml", "[x]\n[[x.rows]]\na = 1\n").expect("TOML");
    assert!(problem(document.cut(&key("x"))).what.contains("list of tables"));
    assert_eq!(document.text(), "[x]\n[[x.rows]]\na = 1\n");
}

/// All values with their keys; places do not count.
fn leaves(document: &Document, from: &str, to: &str) -> Vec<(String, String)> {
    let shown = |node: &crate::pillar::Node| match &node.value {
        Value::Sealed(sealed) => format!("sealed {}", sealed.id),
        Value::Array(values) => format!("{} values", values.len()),
        other => format!("{other:?}"),
    };
    let named = |key: &KeyPath| match key.is_within(&super::key(from)) {
        true => {
            let below = &key.parts()[super::key(from).parts().len()..];
            below.iter().fold(super::key(to), |key, part| key.child(part.as_str())).to_string()
        }
        false => key.to_string(),
    };
    let mut all: Vec<(String, String)> = document
        .keys()
        .iter()
        .filter_map(|key| document.get(key).filter(|node| node.as_table().is_none()).map(|node| (key, node)))
        .map(|(key, node)| (named(key), shown(node)))
        .collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn moving_keeps_every_value_and_every_comment(text in texts(), from in 0..KEYS.len(), deep in any::<bool>()) {
        let Ok(mut document) = Document::parse("x.toml", text.as_str()) else { return Ok(()) };
        let mut from = key(KEYS[from]);
        if let (true, Some(parent)) = (deep, from.parent()) {
            from = parent;
        }
        prop_assume!(document.get(&from).is_some());
        let before = leaves(&document, &from.to_string(), "fresh.place");
        if let Ok(pieces) = document.cut(&from) {
            prop_assert!(document.get(&from).is_none_or(|node| node.as_table().is_some_and(|t| t.is_empty())));
            document.paste(&key("fresh.place"), &pieces).expect("pasted");
            prop_assert_eq!(leaves(&document, &from.to_string(), "fresh.place"), before);
        } else {
            prop_assert_eq!(document.text(), text);
        }
    }

    #[test]
    fn a_rename_there_and_back_is_nothing(text in texts(), from in 0..KEYS.len(), deep in any::<bool>()) {
        let Ok(mut document) = Document::parse("x.toml", text.as_str()) else { return Ok(()) };
        let mut from = key(KEYS[from]);
        if let (true, Some(parent)) = (deep, from.parent()) {
            from = parent;
        }
        prop_assume!(document.get(&from).is_some());
        let to = from.parent().map_or_else(|| key("fresh"), |parent| parent.child("fresh"));
        if document.rename(&from, &to).expect("beside") {
            prop_assert!(document.get(&from).is_none() && document.get(&to).is_some());
            document.rename(&to, &from).expect("beside");
            let again = Document::parse("x.toml", text.as_str()).expect("TOML");
            prop_assert_eq!(document.text().lines().count(), text.lines().count());
            prop_assert_eq!(leaves(&document, "none", "none"), leaves(&again, "none", "none"));
        } else {
            prop_assert_eq!(document.text(), text);
        }
    }
}
