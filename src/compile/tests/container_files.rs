//! `files.PATH`.

use super::{compiled, container, problems};
use crate::desired::{DesiredState, OnChange};

const PILLAR: &str = "port = 8080\n[api]\ndb_password = { sealed = 'YQ==', id = '9f2c41d70b6e83aa' }\n";

#[test]
fn a_file_is_content_or_a_file_of_the_workspace_with_owner_and_mode() {
    let state = r#"
[api.container.running]
image = "r.example.com/api:1"
files."/etc/short" = "port {{ pillar.port }}"
files."/etc/content" = { content = "a\n", mode = "0640", uid = 1000, gid = "70", on_change = "signal:HUP" }
files."/etc/plain.conf" = { source = "files/plain.conf", on_change = "restart" }
files."/etc/binary" = { source = "files/binary" }
files."/etc/template.conf" = { source = "files/template.conf", template = true }
files."/etc/none" = "{{ None }}"
"#;
    let want = container(state, PILLAR);
    let files = &want.spec.files;
    let bytes = |path: &str| files[path].clear().expect("clear").bytes().to_vec();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["/etc/binary", "/etc/content", "/etc/plain.conf", "/etc/short", "/etc/template.conf"]
    );
    assert_eq!(bytes("/etc/short"), b"port 8080");
    assert_eq!(bytes("/etc/plain.conf"), b"listen {{ port }}\n", "it is no template");
    assert_eq!(bytes("/etc/binary"), b"\0\xff\xfe");
    assert_eq!(bytes("/etc/template.conf"), b"# for web1\nlisten 8080\n");
    let content = &files["/etc/content"];
    assert_eq!((content.uid, content.gid, content.mode), (1000, 70, 0o640));
    assert_eq!(content.on_change, OnChange::Signal("SIGHUP".to_owned()));
    assert_eq!((files["/etc/short"].mode, &files["/etc/plain.conf"].on_change), (0o444, &OnChange::Restart));
    let lines: Vec<String> =
        want.sources["files./etc/template.conf"].iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["files/template.conf", "pillar/apps.toml:1", "states/a.toml:8"]);
}

#[test]
fn a_template_with_a_secret_is_a_file_with_a_secret() {
    let state = "[api.service.deployed]\nimage = 'r.example.com/api:1'\n\
                 files.'/etc/db.conf' = { source = 'files/secret.conf', template = true }\n";
    let want = container(state, PILLAR);
    let file = &want.spec.files["/etc/db.conf"];
    assert_eq!(file.sealed().map(ToString::to_string).as_deref(), Some("user api\npassword (sealed 9f2c)\n"));
    assert!(file.clear().is_none() && want.spec.is_mounted("/etc/db.conf"));
}

#[test]
fn programs_declare_files_too() {
    let state = "def run():\n    return {'api': {'container.running': {\n        'image': 'r.example.com/api:1',\n        \
                 'files': {'/etc/a': {'source': 'files/template.conf', 'template': True}, '/etc/b': 'x' + pillar['api']['db_password']},\n    }}}\n";
    let desired = compiled(&[("states/a.star", state)], PILLAR).expect("compiled");
    let DesiredState::Container(want) = &desired.items[0].want else { panic!("no container") };
    assert_eq!(want.spec.files["/etc/a"].clear().expect("clear").bytes(), b"# for web1\nlisten 8080\n");
    assert!(want.spec.files["/etc/b"].sealed().is_some());
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let state = r#"
[api.container.running]
image = "r.example.com/api:1"
files."etc/x" = "x"
files."/etc/../x" = "x"
files."/etc/hosts" = "x"
files."/a" = { source = "files/nothing" }
files."/b" = { source = "files/plain.conf", content = "x" }
files."/c" = { content = "x", template = true }
files."/d" = { source = "files/binary", template = true }
files."/e" = { source = "files/wrong.conf", template = true }
files."/f" = { source = "files/statement.conf", template = true }
files."/g" = { source = "files/unclosed.conf", template = true }
files."/h" = { source = "{{ pillar.api.db_password }}" }
"#;
    insta::assert_snapshot!(problems(&[("states/a.toml", state)], PILLAR));
}

#[test]
fn fields_of_a_file_are_checked() {
    let state = r#"
[api.container.running]
image = "r.example.com/api:1"
files."/a" = { mode = "0400" }
files."/b" = { content = "x", mode = 400 }
files."/c" = { content = "x", on_change = "reload" }
files."/d" = { content = "x", on_change = "signal:NONE SUCH" }
files."/e" = { content = "x", uid = "root" }
files."/f" = { content = "x", gid = "{{ pillar.api.db_password }}" }
files."/g" = { content = "x", contents = "y" }
files."etc/x" = "x"
files."/etc/../x" = "x"
files."/etc/hosts" = "x"
files."/proc/x" = "x"
"#;
    insta::assert_snapshot!(problems(&[("states/a.toml", state)], PILLAR));
}

#[test]
fn what_cannot_be_rewritten_in_place_says_the_way_on() {
    let state = r#"
[api.container.running]
image = "r.example.com/api:1"
read_only = true
tmpfs = ["/run/x"]
secrets.a = "x"
files."/etc/a" = { content = "x", on_change = "signal:HUP" }
files."/etc/b" = { content = "x", on_change = "restart" }
files."/run/x" = "x"
files."/run/secrets/b" = "x"
files."/etc/a/b" = "x"
[other.container.running]
image = "r.example.com/api:1"
tmpfs = ["/run/x"]
files."/run/x/a" = { content = "x", on_change = "signal:HUP" }
files."/etc/s" = { content = "{{ pillar.api.db_password }}", on_change = "signal:HUP" }
[task.task.ran]
image = "r.example.com/api:1"
files."/etc/a" = { content = "x", on_change = "restart" }
"#;
    insta::assert_snapshot!(problems(&[("states/a.toml", state)], PILLAR));
}
