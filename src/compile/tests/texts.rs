//! Numbers where text is wanted: 1.10 is a version, and the number 1.1.

use super::*;

/// A state's error, with versions in the pillar that are numbers.
fn said(state: &str) -> String {
    problems(&[("states/a.toml", state)], PILLAR)
}

fn star(run: &str) -> String {
    problems(&[("states/a.star", &format!("def run():\n    return {run}\n"))], PILLAR)
}

const PILLAR: &str = "[app]\nversion = 1.10\nratio = 0.5\nport = 8080\non = true\n";

#[test]
fn a_number_with_a_fraction_is_not_text_wherever_text_is_wanted() {
    insta::assert_snapshot!(said("[a.image.pulled]\ntag = 1.10\n"), @r#"
    error: states/a.toml:2: `tag` must be text, not the number 1.10
    caused by: a number does not keep its last zeros: 1.10 is 1.1, which is another version
    hint: put it in quotes, with all its digits: "1.10"
    "#);
    insta::assert_snapshot!(said("[a.image.pulled]\ntag = '{{ pillar.app.version }}'\n"), @r#"
    error: states/a.toml:2: `tag` must be text, not the number 1.10
    caused by: a number does not keep its last zeros: 1.10 is 1.1, which is another version
    hint: put it in quotes, with all its digits: "1.10" in pillar/apps.toml:2
    "#);
    insta::assert_snapshot!(said("[a.container.running]\nimage = 'web:{{ pillar.app.version }}'\n"), @r#"
    error: states/a.toml:2: `pillar.app.version` gives the number 1.10, and text is wanted here
    caused by: a number does not keep its last zeros: 1.10 is 1.1, which is another version
    hint: put it in quotes, with all its digits: "1.10" in pillar/apps.toml:2
    "#);
    let places = [
        "env.PY = 3.10",
        "env = { PY = '{{ pillar.app.version }}' }",
        "env = ['PY={{ pillar.app.version }}']",
        "env = '{{ pillar.app }}'",
        "labels = { version = 3.10 }",
        "labels = ['version={{ pillar.app.version }}']",
        "command = ['serve', 3.10]",
        "entrypoint = 3.10",
        "user = 1.10",
        "hostname = 1.10",
        "ports = [80.80]",
        "ports = [{ target = 80.1 }]",
        "expose = [80.1]",
        "networks = { x = { aliases = [1.10] } }",
        "log = { driver = 'x', options = { tag = 1.10 } }",
        "sysctls = { x = 1.10 }",
        "healthcheck = { test = ['CMD', 1.10] }",
        "volumes = [1.10]",
        "tmpfs = { '/run' = 1.10 }",
        "mounts = [{ target = '/x', source = 1.10 }]",
        "secrets.x = 1.10",
        "name = 1.10",
        "runtime = 1.10",
        "gate = 1.10",
        "require = [1.10]",
    ];
    for place in places {
        let said = said(&format!("[a.container.running]\nimage = 'a'\n{place}\n"));
        assert!(said.contains("put it in quotes, with all its digits: \""), "{place}: {said}");
        assert!(!said.contains("1.1\""), "{place}: {said}");
    }
}

#[test]
fn programs_have_the_same_rule() {
    insta::assert_snapshot!(star("{'a': {'image.pulled': {'tag': 1.5}}}"), @r#"
    error: states/a.star:2: `tag` must be text, not the number 1.5
    caused by: a number does not keep its last zeros: 1.10 is 1.1, which is another version
    hint: put it in quotes, with all its digits: "1.5"
    "#);
    insta::assert_snapshot!(star("{'a': {'image.pulled': {'tag': pillar['app']['version']}}}"), @r#"
    error: states/a.star:2: `tag` must be text, not the number 1.10
    caused by: a number does not keep its last zeros: 1.10 is 1.1, which is another version
    hint: put it in quotes, with all its digits: "1.10" in pillar/apps.toml:2
    "#);
    insta::assert_snapshot!(star("{'a': {'container.running': {'image': 'a:%s' % pillar['app']['version']}}}"), @r#"
    error: states/a.star:2: the number 1.10 of the pillar became 1.1 in a text
    caused by: a number does not keep its last zeros: 1.10 is 1.1, which is another version
    hint: put it in quotes, with all its digits: "1.10" in pillar/apps.toml:2
    "#);
    for text in [
        "str(pillar['app']['version'])",
        "'v{}'.format(pillar['app']['version'])",
        "'%r-x' % pillar['app']['version']",
    ] {
        let said =
            star(&format!("{{'a': {{'container.running': {{'image': 'a', 'env': {{'V': {text}}}}}}}}}"));
        assert!(said.contains("\"1.10\" in pillar/apps.toml:2"), "{text}: {said}");
    }
}

#[test]
fn an_expression_that_prints_a_number_of_the_pillar_keeps_its_digits_or_fails() {
    for text in
        ["\"v\" ~ pillar.app.version", "pillar.app.version | string", "[pillar.app.version] | join(\"-\")"]
    {
        let said = said(&format!("[a.container.running]\nimage = 'a'\nenv.V = '{{{{ {text} }}}}'\n"));
        assert!(said.contains("\"1.10\" in pillar/apps.toml:2"), "{text}: {said}");
    }
    let whole = "[a.container.running]\nimage = 'a'\nenv.V = '{{ \"replica 1 of \" ~ pillar.one }}'\n";
    compiled(&[("states/a.toml", whole)], "one = 1.0\n").expect("it compiles");
    let fine = "[a.container.running]\nimage = 'a'\nenv.V = '{{ \"v\" ~ pillar.app.ratio }}'\ncpus = '{{ pillar.app.ratio }}'\nmemory = '{{ host.memory / 8 }}'\n";
    compiled(&[("states/a.toml", fine)], PILLAR).expect("it compiles");
}

#[test]
fn whole_numbers_and_truth_values_are_text_as_they_are() {
    let state = "[a.container.running]\nimage = 'web:16'\nenv = { PORT = 8080, P = '{{ pillar.app.port }}', T = '{{ pillar.app.on }}', B = 'x-{{ pillar.app.port }}' }\nlabels = { on = true }\n";
    let desired = compiled(&[("states/a.toml", state)], PILLAR).expect("it compiles").to_json();
    let env = &desired["items"][0]["env"];
    assert_eq!(env["PORT"], "8080");
    assert_eq!(env["P"], "8080");
    assert_eq!(env["T"], "true");
    assert_eq!(env["B"], "x-8080");
    assert_eq!(desired["items"][0]["options"]["labels.on"], "true");
}

#[test]
fn a_file_mode_is_never_a_number() {
    for mode in ["777", "0o1777", "1777.0"] {
        let said = said(&format!(
            "[a.container.running]\nimage = 'a'\nmounts = [{{ type = 'tmpfs', target = '/run', mode = {mode} }}]\n"
        ));
        assert!(
            said.contains("`mounts.mode` must be permission bits from \"0000\" to \"7777\", in quotes"),
            "{said}"
        );
    }
}
