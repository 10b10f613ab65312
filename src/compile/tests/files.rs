//! `secrets.NAME`.

use super::{compiled, container, problems};
use crate::desired::{DesiredState, Store};

const PILLAR: &str = "[api]\ntls_key = { sealed = 'YQ==', id = '9f2c41d70b6e83aa' }\nuser = 'bob'\n";

#[test]
fn a_file_is_its_value_or_a_table_with_owner_and_mode() {
    let state = r#"
[api.container.running]
image = "r.example.com/api:1"
secrets.tls_key = "{{ pillar.api.tls_key }}"
secrets.conf = { value = "user={{ pillar.api.user }}", uid = 1000, gid = "70", mode = "0400" }
secrets.none = "{{ None }}"
"#;
    let want = container(state, PILLAR);
    let files = &want.spec.secrets;
    assert_eq!(files.keys().collect::<Vec<_>>(), ["conf", "tls_key"]);
    assert_eq!(files["tls_key"].value.to_string(), "(sealed 9f2c)");
    assert_eq!((files["tls_key"].uid, files["tls_key"].mode), (0, 0o444));
    assert_eq!(files["conf"].value.as_clear(), Some("user=bob"));
    assert_eq!((files["conf"].uid, files["conf"].gid, files["conf"].mode), (1000, 70, 0o400));
    assert_eq!(files["conf"].store, Store::Disk);
    let prints = want.spec.field_fingerprints();
    assert!(prints.contains_key("secrets.tls_key") && prints.contains_key("secrets.conf"), "{prints:?}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let state = r#"
[api.container.running]
image = "r.example.com/api:1"
volumes = ["data:/run/secrets/data"]
secrets."a/b" = "x"
secrets.".." = "x"
secrets.long = { value = "x", mode = "0999" }
secrets.number = { value = "x", mode = 400 }
secrets.owner = { value = "x", uid = -1 }
secrets.leak = { value = "x", uid = "{{ pillar.api.tls_key }}" }
secrets.empty = { mode = "0400" }
secrets.memory = { value = "x", store = "memory" }
secrets.unknown = { value = "x", name = "y" }
secrets.list = ["x"]
command = "{{ pillar.api.tls_key }}"
"#;
    insta::assert_snapshot!(problems(&[("states/a.toml", state)], PILLAR), @r#"
    error: states/a.toml:4: `volumes` mounts `/run/secrets/data`, where the files of `secrets` are
    hint: mount it elsewhere
    error: states/a.toml:5: the file name `a/b` of `secrets` has a `/` in it
    error: states/a.toml:6: the file name `..` of `secrets` is a folder
    error: states/a.toml:7: `secrets.long.mode` must be permission bits from "0000" to "0777", in quotes
    error: states/a.toml:8: `secrets.number.mode` must be permission bits from "0000" to "0777", in quotes
    error: states/a.toml:9: `secrets.owner.uid` is -1, but must be from 0 to 2147483647
    error: states/a.toml:10: `secrets.leak.uid` would hold the secret api.tls_key in pillar/apps.toml
    caused by: anyone who can use the Engine can read everything of a container; only its environment and the files of `secrets` may hold secrets
    hint: put it in `env.NAME` or `secrets.NAME`
    error: states/a.toml:11: `secrets.empty` has no `value`
    hint: write secrets.empty = { value = "{{ pillar.x }}", mode = "0400" }
    error: states/a.toml:12: `secrets.memory` has store = "memory" in a container that may be started again
    caused by: nothing on the host could restore it after a crash or a reboot
    hint: leave `store` out; only a `task.ran` can have a file in memory
    error: states/a.toml:13: `secrets.unknown` has no field `name`
    hint: it has value, uid, gid, mode, store
    error: states/a.toml:14: `secrets.list` must be a string, not a value of type array
    hint: write `| tojson` or `| join(",")`
    error: states/a.toml:15: `command` would hold the secret api.tls_key in pillar/apps.toml
    caused by: anyone who can use the Engine can read everything of a container; only its environment and the files of `secrets` may hold secrets
    hint: put it in `env.NAME` or `secrets.NAME`
    "#);
}

#[test]
fn a_value_that_is_not_there_is_one_error() {
    let state = "[api.container.running]\nimage = 'x/api:1'\nsecrets.a = { value = '{{ pillar.no }}' }\n";
    let said = problems(&[("states/a.toml", state)], PILLAR);
    assert_eq!(said.matches("error:").count(), 1, "{said}");
}

#[test]
fn in_memory_only_for_a_task_and_all_files_of_one_in_one_place() {
    let state = |function: &str, more: &str| {
        format!(
            "[api.{function}]\nimage = 'r.example.com/api:1'\n{more}\nsecrets.a = {{ value = 'x', store = 'memory' }}\n"
        )
    };
    let desired = compiled(&[("states/a.toml", &state("task.ran", ""))], PILLAR).expect("it compiles");
    let DesiredState::Task(task) = &desired.items[0].want else { panic!("no task") };
    assert_eq!(task.container.spec.store(), Some(Store::Memory));
    let two = problems(&[("states/a.toml", &state("task.ran", "secrets.b = 'x'"))], PILLAR);
    assert!(two.contains("`secrets.b` and `secrets.a` of one container have different stores"), "{two}");
    for (function, more) in [("service.deployed", ""), ("container.running", "restart = 'no'")] {
        let said = problems(&[("states/a.toml", &state(function, more))], PILLAR);
        assert!(said.contains("states/a.toml:4: `secrets.a` has store = \"memory\""), "{said}");
    }
}
