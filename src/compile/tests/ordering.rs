//! The order of items.

use super::*;

fn order(files: &[(&str, &str)]) -> Vec<String> {
    let desired = compiled(files, "").expect("it compiles");
    desired
        .items
        .iter()
        .map(|item| {
            let needs: Vec<String> = item.needs.iter().map(|need| need.name.clone()).collect();
            let after = if needs.is_empty() { String::new() } else { format!(" after {}", needs.join(", ")) };
            format!("{}{after}", item.address.name)
        })
        .collect()
}

fn one(state: &str) -> String {
    problems(&[("states/a.toml", state)], "")
}

#[test]
fn what_is_free_goes_by_order_then_as_written() {
    let states = [
        (
            "states/b.toml",
            "[last.container.absent]\norder = -1\n[z.container.absent]\n[first.container.absent]\norder = 1\n",
        ),
        (
            "states/a.toml",
            "[a.container.absent]\n[image.image.absent]\nname = 'i'\n[second.container.absent]\norder = 200\n[end.container.absent]\n",
        ),
    ];
    assert_eq!(order(&states), ["first", "second", "z", "a", "end", "i:latest", "last"]);
}

#[test]
fn require_goes_before_order_and_reaches_other_files() {
    let states = [
        ("states/a.toml", "[web.container.running]\nimage = 'w'\norder = 1\nrequire = ['db', 'img']\n"),
        (
            "states/b.toml",
            "[db.container.running]\nimage = 'd'\norder = 9\n[img.image.pulled]\nname = 'other'\n",
        ),
    ];
    assert_eq!(order(&states), ["db", "other:latest", "web after other:latest, db"]);
}

#[test]
fn a_container_needs_the_image_it_is_made_from() {
    let state = "[web.container.running]\nimage = 'docker.io/library/w:latest'\n[i.image.pulled]\nname = 'w'\n[j.image.pulled]\nname = 'w'\ntag = '2'\n";
    assert_eq!(order(&[("states/a.toml", state)]), ["w:latest", "web after w:latest", "w:2"]);
}

#[test]
fn requisites_of_salt_are_met_or_ignored_with_a_note() {
    let state = "[w.docker.pulled]\nrequire = [{ pip = 'docker-py' }, { file = 'x' }]\n\
                 [web.docker.running]\nimage = 'w'\nrequire = [{ docker = 'w' }]\n[x.docker.absent]\nrequire = 'web'\n";
    let desired = compiled(&[("states/a.toml", state)], "").expect("it compiles");
    insta::assert_snapshot!(desired.notes.join("\n"), @r#"
    states/a.toml:2: the requisite on pip `docker-py` is not managed by pillarbox and was ignored
    states/a.toml:2: the requisite on file `x` is not managed by pillarbox and was ignored
    "#);
    assert_eq!(order(&[("states/a.toml", state)]), ["w:latest", "web after w:latest", "x after web"]);
}

#[test]
fn ids_that_no_state_has() {
    insta::assert_snapshot!(one("[web.container.running]\nimage = 'w'\nrequire = ['wbe', 'nothing_like_it']\n[x.container.absent]\nrequire = [{ docker = 'y' }]\n"), @r#"
    error: states/a.toml:3: no state of this host has the id `wbe`
    hint: did you mean `web`?
    error: states/a.toml:3: no state of this host has the id `nothing_like_it`
    error: states/a.toml:5: no state of this host has the id `y`
    hint: did you mean `x`?
    "#);
}

#[test]
fn a_declaration_with_an_error_still_counts_as_declared() {
    insta::assert_snapshot!(one("[a.container.running]\nimage = 'A'\n[b.container.running]\nimage = 'b'\nrequire = ['a']\n"), @r#"
    error: states/a.toml:2: `A` is not an image name: every part begins and ends with a lower-case letter or digit
    hint: write it as [HOST[:PORT]/]PATH in lower case, for example 'registry.example.com/web/nginx'
    "#);
}

#[test]
fn dependency_cycles_are_printed() {
    insta::assert_snapshot!(one("[a.container.running]\nimage = 'a'\nrequire = ['b']\n[b.container.running]\nimage = 'b'\nrequire = ['c']\n[c.container.absent]\nrequire = ['a']\n[d.container.absent]\nrequire = ['a']\n"), @r#"
    error: states/a.toml:3: dependency cycle: container a → container b → container c → container a
    caused by: container a requires container b, states/a.toml:3
    caused by: container b requires container c, states/a.toml:6
    caused by: container c requires container a, states/a.toml:8
    "#);
    insta::assert_snapshot!(one("[i.image.pulled]\nname = 'web'\nrequire = ['c']\n[c.container.running]\nimage = 'web'\n"), @r#"
    error: states/a.toml:3: dependency cycle: image web:latest → container c → image web:latest
    caused by: image web:latest requires container c, states/a.toml:3
    caused by: container c is created from image web:latest
    "#);
}

#[test]
fn states_of_one_container_may_require_each_other() {
    let state = "[made.container.installed]\nname = 'web'\nimage = 'w'\n[up.container.running]\nname = 'web'\nrequire = ['made', 'up']\n";
    assert_eq!(order(&[("states/a.toml", state)]), ["web"]);
}

#[test]
fn facts_are_asked_for_only_where_a_state_needs_them() {
    let needs = |text: &str| {
        crate::compile::needs_facts(
            &[("states/a.toml".to_owned(), text.to_owned())],
            &[],
            &|_| Ok(None),
            &std::collections::BTreeMap::new(),
        )
    };
    assert!(needs("[a.container.running]\nmemory = '{{ host.memory // 8 }}'\n"));
    assert!(needs("[a.container.running]\nenv = { A = ['{{ grains.os }}'] }\n"));
    assert!(!needs("[a.container.running]\nname = '{{ host.name }}'\nimage = 'host.cpus'\n"));
    assert!(!needs("oops = {{ host.cpus }}"));
}

#[test]
fn a_requisite_by_any_name_of_a_function_is_on_a_state_of_ours() {
    for kind in ["docker", "dockerng", "docker_container", "container"] {
        let state = format!(
            "[a.container.running]\nimage = 'a'\n[b.dockerng.running]\nimage = 'b'\nwatch = [{{ {kind} = 'a' }}]\n"
        );
        let desired = compiled(&[("states/a.toml", &state)], "").expect("it compiles");
        assert_eq!(desired.notes, [""; 0], "{kind}");
        assert!(desired.items.iter().any(|item| !item.requisites.watch.is_empty()), "{kind}");
    }
}

#[test]
fn an_unknown_fact_is_an_error_also_with_a_default() {
    for (text, says) in [
        ("grains.os", "host.os"),
        ("grains.roles | default('x')", "host.labels.NAME"),
        ("grains.get('os_family', 'x')", "host.labels.NAME"),
        ("host.gpus or 0", "did you mean `host.cpus`?"),
    ] {
        let state = format!("[a.container.running]\nimage = 'a'\nenv.A = \"{{{{ {text} }}}}\"\n");
        let said = problems(&[("states/a.toml", &state)], "");
        assert!(said.contains("does not exist for host web1") && said.contains(says), "{text}: {said}");
    }
    let fine = "[a.container.running]\nimage = 'a'\nenv.A = \"{{ host.labels.rack | default('x') }}{{ grains.get('labels:x', 'y') }}{{ host.os }}\"\n";
    compiled(&[("states/a.toml", fine)], "").expect("it compiles");
}
