//! What other tools write and states do not.

use super::*;

fn said(argument: &str) -> String {
    problems(&[("states/a.toml", &format!("[a.container.running]\nimage = 'a'\n{argument}\n"))], "")
}

#[test]
fn keys_of_other_tools_are_answered_with_ours() {
    for (key, ours) in [
        ("depends_on = ['db']", "require = [\"ID\"]"),
        ("container_name = 'web'", "name = \"…\""),
        ("pull_policy = 'always'", "pull = \"missing\""),
        ("build = '.'", "image = \"REGISTRY/NAME:TAG\""),
        ("profiles = ['dev']", "[groups.NAME] states"),
        ("configs = ['x']", "files."),
        ("deploy = { replicas = 2 }", "`service.deployed` with `replicas`"),
        ("scale = 2", "`service.deployed` with `replicas`"),
        ("env_file = '.env'", "pillarbox seal KEY"),
        ("kill_signal = 'HUP'", "stop_signal"),
        ("drain_timeout = 30", "stop_timeout"),
        ("insecure-registry = true", "pillarbox.toml"),
        ("extends = 'x'", ".star file"),
        ("recreate = true", "--fix-drift"),
    ] {
        let said = said(key);
        assert!(said.contains("is refused") && said.contains(ours), "{key}: {said}");
    }
    insta::assert_snapshot!(said("depends_on = ['db']"), @r#"
    error: states/a.toml:3: `depends_on` is refused
    caused by: the order of states is declared with `require`
    hint: write require = ["ID"], with the id of the other state; its container is then up, and healthy if it has a health check
    "#);
}

#[test]
fn a_variable_of_this_machine_stays_as_it_is_and_is_noted() {
    let state = "[a.container.running]\nimage = 'a'\nenv = { H = '${HOME}/x', P = '$${x', Q = '${', R = 'a$b' }\n\
                 [b.container.running]\nimage = 'b'\nenvironment = ['X=${Y:-z}']\n";
    let notes = compiled(&[("states/a.toml", state)], "").expect("it compiles").notes;
    insta::assert_snapshot!(notes.join("\n"), @r"
    states/a.toml:3: env.H has ${HOME}, which stays as it is: no variables of this machine or of the host are read
    states/a.toml:6: environment has ${Y:-z}, which stays as it is: no variables of this machine or of the host are read
    ");
}

#[test]
fn a_version_that_no_gate_says_is_asked_for_where_it_is_written() {
    let toml = problems(
        &[("states/a.toml", "[a.container.running]\nimage = 'a:{{ pillar.deploy.web.version }}'\n")],
        "",
    );
    insta::assert_snapshot!(toml, @r#"
    error: states/a.toml:2: `pillar.deploy` does not exist for host web1
    hint: say in the pillar which version runs: [deploy.APP] version = "…", or: pillarbox gate set 'APP' VERSION
    "#);
    let pillar = "[deploy.web]\nimage = 'a'\n";
    for (file, state) in [
        ("states/a.toml", "[a.container.running]\nimage = 'a:{{ pillar.deploy.web.version }}'\n"),
        ("states/a.toml", "[a.container.running]\ngate = 'web'\n"),
        (
            "states/a.star",
            "def run():\n    return {'a': {'container.running': {'image': pillar['deploy']['web']['version']}}}\n",
        ),
    ] {
        let said = problems(&[(file, state)], pillar);
        assert!(said.contains("[deploy.web] version = \"…\""), "{said}");
        assert!(said.contains("pillarbox gate set 'web' VERSION"), "{said}");
    }
}

#[test]
fn an_owner_of_a_file_by_name_is_told_how_to_find_the_number() {
    insta::assert_snapshot!(said("secrets.x = { value = 'y', uid = 'postgres', gid = 'staff' }"), @r"
    error: states/a.toml:3: `secrets.x.uid` must be a whole number, not a string
    caused by: names of users belong to the image, and the file is written before its container runs
    hint: find the number: docker run --rm --entrypoint id IMAGE -u 'postgres'
    error: states/a.toml:3: `secrets.x.gid` must be a whole number, not a string
    caused by: names of users belong to the image, and the file is written before its container runs
    hint: find the number: docker run --rm --entrypoint id IMAGE -g 'staff'
    ");
}

#[test]
fn a_range_of_the_host_for_one_port_is_the_first_free_one() {
    let state = "[a.container.running]\nimage = 'a'\nports = ['8000-8009:80', '9000:90']\n\
                 [b.container.running]\nimage = 'b'\nports = ['8000-8009:80']\n";
    let desired = compiled(&[("states/a.toml", state)], "").expect("it compiles").to_json();
    let ports = &desired["items"][0]["options"]["ports"];
    assert_eq!(ports["80/tcp"], serde_json::json!([{ "HostIp": "", "HostPort": "8000-8009" }]));
    let clash = problems(&[("states/a.toml", &state.replace("'8000-8009:80']\n", "'9000:80']\n"))], "");
    insta::assert_snapshot!(clash, @r"
    error: states/a.toml:6: port 9000/tcp of the host is published twice
    caused by: for port 90/tcp of container a, states/a.toml:3
    caused by: and for port 80/tcp of container b
    ");
}
