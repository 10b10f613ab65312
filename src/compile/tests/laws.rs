//! What holds for any text.

use super::*;
use crate::state::Text;
use proptest::prelude::*;

/// A TOML basic string of any text without NUL and without the beginning of an expression.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

proptest! {
    #[test]
    fn any_text_in_the_environment_arrives_as_it_is(text in "[^\\x00{]{0,60}") {
        let state = format!("[web.container.running]\nimage = 'a'\nenv.A = {}\nenvironment = [{}]\n", quoted(&text), quoted(&format!("B={text}")));
        let want = container(&state, "");
        prop_assert_eq!(&want.spec.env["A"], &Text::clear(text.as_str()));
        prop_assert_eq!(&want.spec.env["B"], &Text::clear(text.as_str()));
    }

    #[test]
    fn any_value_of_the_pillar_arrives_in_the_environment_as_it_is(text in "[^\\x00]{0,60}") {
        let pillar = format!("v = {}\n", quoted(&text));
        let want = container("[web.container.running]\nimage = 'a'\nenv.A = '{{ pillar.v }}'\nenv.B = '<{{ pillar.v }}>'\n", &pillar);
        prop_assert_eq!(&want.spec.env["A"], &Text::clear(text.as_str()));
        prop_assert_eq!(&want.spec.env["B"], &Text::clear(format!("<{text}>")));
    }

    #[test]
    fn no_text_makes_the_compiler_panic(text: String) {
        let _ = compiled(&[("states/a.toml", &text)], "");
    }

    /// Lines of states in any order: a result or problems, never a panic, and the same each time.
    #[test]
    fn no_states_make_the_compiler_panic(lines in prop::collection::vec(prop::sample::select(vec![
        "[a.container.running]", "[b.container.installed]", "[c.container.absent]", "[d.image.pulled]", "[a.container.stopped]",
        "[a.image.absent]", "[e.docker.running]", "[[a.container.running]]", "[a]", "a.b.c.d = 1", "[a.container.running.env]",
        "name = 'a'", "name = 1", "name = ''", "image = 'a'", "image = 'a:{{ pillar.v }}'", "image = '{{ pillar.s }}'",
        "require = ['a', 'b']", "require = [{ pip = 'x' }, { docker = 'b' }, 1]", "require = { a = [] }", "order = 1", "order = 'x'",
        "env = { A = '{{ pillar.s }}' }", "env = ['A=1', '{{ pillar.s }}']", "env = 1", "labels = ['a', 'b=c', '=']",
        "ports = [80, '1-2:3-4', '::1:80', '[::1]:1:1', '65535-1', ':::', '/', '1/']", "ports = [[1], {}]", "volumes = ['a:/b:c:d', '', ':', '/']",
        "mounts = [{}, 1, { type = 'x' }]", "networks = { a = { aliases = 1 }, b = 'x' }", "networks = [1, '']", "memory = nan", "memory = -1",
        "cpus = inf", "cpus = 9e99", "memory = '9e99g'", "cpuset = '0-99999999'", "health = { interval = -1.5, test = [] }", "health = 1",
        "stop = 1", "stop_signal = ''", "log = { options = 1 }", "restart = 'on-failure:-1'", "tmpfs = { a = 1 }", "extra_hosts = [1, {}]",
        "dns = [1]", "cap_add = [1, '']", "user = 2020-01-01", "when = 'outdated'", "when = 1", "tag = '{{ 1 }}'", "tag = '{{'", "force = 1",
        "monitor = 1e300", "start_timeout = '99999999999h'", "memory_swap = -1", "network_mode = 'host'", "sysctls = [1]", "mode = '{{ pillar }}'",
    ]), 0..14)) {
        let state = lines.join("\n");
        let pillar = "v = '1'\ns = { sealed = 'Q0FOQVJZ', id = '9f2c41d70b6e83aa' }\n";
        let outcome = || match compiled(&[("states/a.toml", &state)], pillar) {
            Ok(desired) => desired.to_json().to_string(),
            Err(found) => found.iter().map(printed).collect(),
        };
        let first = outcome();
        prop_assert!(!first.contains("Q0FOQVJZ"), "{}", first);
        prop_assert_eq!(first, outcome());
    }
}
