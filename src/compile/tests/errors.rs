//! Every kind of error in a state, as it is printed.

use super::*;

fn one(state: &str) -> String {
    problems(
        &[("states/a.toml", state)],
        "[api]\nuser = 'deploy'\npw = { sealed = 'Q0FOQVJZ', id = '9f2c41d70b6e83aa' }\n",
    )
}

#[test]
fn what_is_no_toml_or_no_declaration() {
    insta::assert_snapshot!(one("[a.container.running]\nname = \n"), @r#"
    error: states/a.toml:2: this is not valid TOML
    caused by: column 8: name =
    caused by: string values must be quoted, expected literal string
    "#);
    insta::assert_snapshot!(one("a = 1\n[b]\nc = 2\n[d.image]\npulled = 3\n[[e]]\n"), @r#"
    error: states/a.toml:1: `a` is not a declaration
    hint: a declaration is a table `[ID.FUNCTION.NAME]`, for example `[web.container.running]`
    error: states/a.toml:3: `b` is not a declaration
    hint: a declaration is a table `[ID.FUNCTION.NAME]`, for example `[web.container.running]`
    error: states/a.toml:5: `d` is not a declaration
    hint: a declaration is a table `[ID.FUNCTION.NAME]`, for example `[web.container.running]`
    error: states/a.toml:6: `e` is not a declaration
    hint: a declaration is a table `[ID.FUNCTION.NAME]`, for example `[web.container.running]`
    "#);
    insta::assert_snapshot!(one("[a.container.runing]\n[b.docker.pulld]\n[c.pkg.installed]\n[d.task.ran]\n"), @r#"
    error: states/a.toml:1: `container.runing` is not a state function
    hint: did you mean `container.running`?
    error: states/a.toml:2: `docker.pulld` is not a state function
    hint: did you mean `docker.pulled`?
    error: states/a.toml:4: container d has no image
    hint: write `image` or `gate` in one of its declarations
    "#);
}

#[test]
fn unknown_fields_and_fields_of_later_versions() {
    insta::assert_snapshot!(one("[a.image.pulled]\ntagg = 'x'\nzzz = 1\n"), @r#"
    error: states/a.toml:2: image.pulled has no field `tagg`
    hint: did you mean `tag`?
    error: states/a.toml:3: image.pulled has no field `zzz`
    hint: it has name, onchanges, onlyif, order, require, unless, force, gate, tag
    "#);
    insta::assert_snapshot!(one("[a.container.running]\nimage = 'a'\nmemmory = '1g'\nauto_remove = true\nwatch = ['x']\nulimits = [1]\nfrobnicate = 1\n"), @r#"
    error: states/a.toml:3: container.running has no field `memmory`
    hint: did you mean `memory`?
    error: states/a.toml:4: `auto_remove` is refused
    caused by: the Engine would remove the container when it stops, so it could not be rolled back to
    hint: leave it out; `container.absent` removes a container
    error: states/a.toml:6: `ulimits` has `1` without a value
    hint: write it like "nofile=1024:2048"
    error: states/a.toml:7: container.running has no field `frobnicate`
    "#);
    insta::assert_snapshot!(one("[a.container.absent]\nimage = 'a'\n"), @r#"
    error: states/a.toml:2: container.absent has no field `image`
    hint: it has name, onchanges, onlyif, order, require, unless, shutdown_timeout, stop, stop_grace_period, stop_signal, stop_timeout, timeout, when
    "#);
}

#[test]
fn names_images_and_tags() {
    insta::assert_snapshot!(one("['-x'.container.running]\nimage = 'a'\n[b.container.running]\nimage = 'A B'\n[c.container.running]\nname = ''\nimage = 'a'\n"), @r#"
    error: states/a.toml:1: `-x` is not a container name
    hint: use up to 200 letters, digits, `.`, `_` and `-`, beginning with a letter or digit
    error: states/a.toml:4: `A B` is not an image name: every part begins and ends with a lower-case letter or digit
    hint: write it as [HOST[:PORT]/]PATH in lower case, for example 'registry.example.com/web/nginx'
    error: states/a.toml:6: `name` is empty
    hint: leave it out to unset it
    "#);
    insta::assert_snapshot!(one("[a.image.pulled]\ntag = 'a b'\n[b.image.pulled]\nname = 'x:1'\ntag = '2'\n[c.image.absent]\nname = 'UPPER'\n[d.image.pulled]\nname = 'd'\nforce = 'yes'\n"), @r#"
    error: states/a.toml:2: `a b` is not a tag
    hint: a tag has up to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`
    error: states/a.toml:5: `name` and `tag` name different tags
    error: states/a.toml:7: `UPPER` is not an image name: every part begins and ends with a lower-case letter or digit
    hint: write it as [HOST[:PORT]/]PATH in lower case, for example 'registry.example.com/web/nginx'
    error: states/a.toml:10: `force` must be true or false, not a string
    "#);
    insta::assert_snapshot!(one("[a.container.running]\n"), @r#"
    error: states/a.toml:1: container a has no image
    hint: write `image` or `gate` in one of its declarations
    "#);
}

#[test]
fn a_secret_may_end_in_the_environment_alone() {
    let places = [
        "name = '{{ pillar.api.pw }}'\nimage = 'a'",
        "image = 'evil.example.com/{{ pillar.api.pw }}'",
        "image = 'a'\ncommand = ['x', '{{ pillar.api.pw }}']",
        "image = 'a'\nentrypoint = 'x {{ pillar.api.pw }}'",
        "image = 'a'\nlabels = { x = '{{ pillar.api.pw }}' }",
        "image = 'a'\nlabels = '{{ pillar.api }}'",
        "image = 'a'\nhealth = { test = 'curl -u {{ pillar.api.pw }}' }",
        "image = 'a'\nhostname = '{{ pillar.api.pw }}'",
        "image = 'a'\nuser = '{{ pillar.api.pw }}'",
        "image = 'a'\nvolumes = ['{{ pillar.api.pw }}:/x']",
        "image = 'a'\nmounts = [{ source = '{{ pillar.api.pw }}', target = '/x' }]",
        "image = 'a'\nnetworks = { x = { aliases = ['{{ pillar.api.pw }}'] } }",
        "image = 'a'\nlog = { driver = 'splunk', options = { token = '{{ pillar.api.pw }}' } }",
        "image = 'a'\nports = ['{{ pillar.api.pw }}']",
        "image = 'a'\nmemory = '{{ pillar.api.pw }}'",
        "image = 'a'\nextra_hosts = { x = '{{ pillar.api.pw }}' }",
        "image = 'a'\nrequire = ['{{ pillar.api.pw }}']",
        "image = 'a'\norder = '{{ pillar.api.pw }}'",
        "image = 'a'\npull = '{{ pillar.api.pw }}'",
        "image = 'a'\nmonitor = '{{ pillar.api.pw }}'",
        "image = 'a'\nstop = { signal = '{{ pillar.api.pw }}' }",
        "image = 'a'\nenv = ['{{ pillar.api.pw }}']",
        "image = 'a'\nenv = ['{{ pillar.api.pw }}=x']",
    ];
    for place in places {
        let printed = one(&format!("[a.container.running]\n{place}\n"));
        let said = printed.contains("would hold the secret api.pw in pillar/apps.toml")
            || printed.contains("a name in clear");
        assert!(said && !printed.contains("Q0FOQVJZ"), "{place}: {printed}");
    }
    insta::assert_snapshot!(one("[a.container.running]\nimage = 'a'\nlabels.x = 'a{{ pillar.api.pw }}'\n"), @r#"
    error: states/a.toml:3: `labels` would hold the secret api.pw in pillar/apps.toml
    caused by: anyone who can use the Engine can read everything of a container; only its environment and the files of `secrets` may hold secrets
    hint: put it in `env.NAME` or `secrets.NAME`
    "#);
    insta::assert_snapshot!(one("[a.image.pulled]\ntag = '{{ pillar.api.pw }}'\n[b.container.absent]\nwhen = '{{ pillar.api.pw }}'"), @r#"
    error: states/a.toml:2: `tag` would hold the secret api.pw in pillar/apps.toml
    caused by: anyone who can use the Engine can read everything of a container; only its environment and the files of `secrets` may hold secrets
    hint: put it in `env.NAME` or `secrets.NAME`
    error: states/a.toml:4: `when` would hold the secret api.pw in pillar/apps.toml
    caused by: anyone who can use the Engine can read everything of a container; only its environment and the files of `secrets` may hold secrets
    hint: put it in `env.NAME` or `secrets.NAME`
    "#);
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_once() {
    insta::assert_snapshot!(
        problems(
            &[
                ("states/a.toml", "[a.container.running]\nimage = 'x:{{ pillar.api.usr }}'\nports = ['x']\nuser = '{{ 1 +'\n"),
                ("states/b.toml", "[b.container.runing]\n[c.container.running]\nimage = 'x'\nrequire = ['aa']\n"),
                ("states/c.toml", "oops"),
            ],
            "[api]\nuser = 'deploy'\n"
        ),
        @r#"
    error: states/a.toml:2: `pillar.api.usr` does not exist for host web1
    hint: did you mean `pillar.api.user`?
    error: states/a.toml:3: `ports` has `x`: a port is a number from 1 to 65535
    hint: write it like "8080:80", "127.0.0.1:8080:80/udp" or "8000-8002:9000-9002"
    error: states/a.toml:4: `{{` begins an expression that does not end with `}}`
    hint: a `{{` that is meant as text is written `{{ '{{' }}`
    error: states/b.toml:1: `container.runing` is not a state function
    hint: did you mean `container.running`?
    error: states/b.toml:4: no state of this host has the id `aa`
    hint: did you mean `a`?
    error: states/c.toml:1: this is not valid TOML
    caused by: column 5: oops
    caused by: key with no value, expected `=`
    "#
    );
}

#[test]
fn options_that_do_not_fit_each_other() {
    insta::assert_snapshot!(one(
        "[a.container.running]
image = 'a'
memory = '512m'
memory_swap = '256m'
memory_reservation = '1g'
network_mode = 'host'
networks = ['x']
ports = ['80:80']
log_opt = ['a=b']
volumes = ['data:/data']
tmpfs = ['/data']
[b.container.running]
image = 'b'
memory_swap = '1g'
"
    ), @r#"
    error: states/a.toml:4: `memory_swap` is less than `memory`
    hint: it is memory and swap together
    error: states/a.toml:5: `memory_reservation` is more than `memory`
    hint: reserve less, or raise `memory`
    error: states/a.toml:6: `network_mode` is host and `networks` are declared too
    hint: leave one of them out
    error: states/a.toml:8: `ports` are published in network mode host, where the Engine drops them
    hint: leave `ports` or `network_mode` out
    error: states/a.toml:9: log options are declared without a driver
    hint: write log = { driver = "json-file", options = { … } }
    error: states/a.toml:11: `volumes` and `tmpfs` both mount `/data`
    error: states/a.toml:14: `memory_swap` is declared without `memory`
    hint: declare `memory` too
    "#);
}
