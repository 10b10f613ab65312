//! `edit` and the ways of editors: none, one that returns at once, one that changes line ends.

use crate::edit::{edit, wiped, with_secrets};
use crate::env::TestEnv;
use crate::terminal::typed_to;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn without_a_terminal_and_an_editor_nothing_is_written_in_clear() {
    let env = with_secrets();
    let said = env.run(&["edit", "apps"]).exits(9);
    wiped(&env, said)
        .explains("no EDITOR is set")
        .explains("pillarbox seal KEY")
        .says_only("")
        .lacks("CANARY");
    // On a terminal it is vi.
    let bin = env.home().join("bin");
    fs::create_dir(&bin).expect("a folder");
    fs::write(bin.join("vi"), "#!/bin/sh\necho this-is-vi\n").expect("written");
    fs::set_permissions(bin.join("vi"), fs::Permissions::from_mode(0o755)).expect("its mode");
    let mut env = env;
    env.path_first(&bin);
    let command = format!("exec '{}' edit apps", env!("CARGO_BIN_EXE_pillarbox"));
    let (code, said) = typed_to(&env, &command, &[]);
    assert!(code == 0 && said.contains("this-is-vi"), "{said}");
}

#[test]
fn the_box_is_checked_before_the_editor_opens() {
    let env = with_secrets();
    env.write("pillar/clear.toml", "a = 1\n");
    let seen = env.home().join("seen");
    let touch = format!("touch '{}'", seen.display());
    // A slot that was swapped, and with it every box that opens.
    let other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let text = env.read("pillar/box.toml");
    let own = text.lines().find_map(|line| line.strip_prefix("slot")).expect("a slot").to_owned();
    env.write("pillar/box.toml", text.replace(own.split('"').nth(1).expect("a key"), other));
    for file in ["apps", "clear", "new"] {
        let said = edit(&env, &touch, &[file]).exits(8);
        wiped(&env, said);
    }
    env.write("pillar/box.toml", &text);
    // A value that was sealed for another place.
    env.write("pillar/apps.toml", env.read("pillar/apps.toml").replace("pw = {", "moved = {"));
    edit(&env, &touch, &["apps"]).exits(8);
    assert!(!seen.exists(), "the editor was opened");
    edit(&env, &touch, &["clear"]).ok();
    assert!(seen.exists());
}

#[test]
fn an_editor_that_returns_at_once_is_told_how_to_wait() {
    let env = with_secrets();
    let said = edit(&env, "true", &["apps"]).ok();
    wiped(&env, said).explains("returned at once").explains("--wait");
    let bin = env.home().join("bin");
    fs::create_dir(&bin).expect("a folder");
    for name in ["code", "kate"] {
        fs::write(bin.join(name), "#!/bin/sh\n").expect("written");
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let mut env: TestEnv = env;
    env.path_first(&bin);
    let run = |editor: &str| env.command(&["edit", "apps"]).var("EDITOR", editor).run().ok();
    run("code").explains("EDITOR='code --wait' pillarbox edit FILE");
    run("code -n").explains("EDITOR='code -n --wait' pillarbox edit FILE");
    run("kate").explains("EDITOR='kate --block' pillarbox edit FILE");
    run("code --wait").lacks("at once");
    // One that took its time, or changed something, is believed.
    edit(&env, "sleep 1.1", &["apps"]).ok().lacks("at once");
    edit(&env, "echo 'x = 1' >> \"$1\"", &["clear"]).ok().lacks("at once");
}

#[test]
fn line_ends_of_windows_change_neither_the_file_nor_a_secret() {
    let env = with_secrets();
    env.run_with_input(&["seal", "--file", "-", "api.mixed"], "one\r\ntwo\nthree\r").ok();
    let before = env.files();
    let to_crlf = "sed -i 's/\\r*$/\\r/' \"$1\"";
    edit(&env, to_crlf, &["apps"]).ok().explains("nothing was changed");
    assert_eq!(env.files(), before);
    edit(&env, &format!("sed -i 's/\"info\"/\"debug\"/' \"$1\"; {to_crlf}"), &["apps"]).ok();
    let text = env.read("pillar/apps.toml");
    assert!(text.contains("log = \"debug\" # level\n") && !text.contains('\r'), "{text}");
    let reveal = |key: &str| env.run(&["reveal", key]).ok().stdout().to_owned();
    let key = "-----BEGIN-----\nCANARY\n-----END-----\n";
    assert_eq!((reveal("api.key").as_str(), reveal("api.mixed").as_str()), (key, "one\r\ntwo\nthree\r"));
    // A new secret of several lines is as it would be with an editor of this system.
    let new = format!("printf 'new = {{ secret = \"\"\"\\na\\nb\\n\"\"\" }}\\n' >> \"$1\"; {to_crlf}");
    edit(&env, &new, &["apps"]).ok().explains("one value sealed");
    assert_eq!(reveal("api.new"), "a\nb\n");
    // A file that has them keeps them, whatever the editor writes.
    let windows = env.read("pillar/apps.toml").replace('\n', "\r\n");
    env.write("pillar/apps.toml", &windows);
    for script in ["sed -i 's/\\r$//' \"$1\"", to_crlf] {
        edit(&env, script, &["apps"]).ok().explains("nothing was changed");
        assert_eq!(env.read("pillar/apps.toml"), windows);
    }
    edit(&env, "sed -i 's/\"debug\"/\"info\"/' \"$1\"", &["apps"]).ok();
    assert_eq!(env.read("pillar/apps.toml"), windows.replace("\"debug\"", "\"info\""));
    assert_eq!((reveal("api.key").as_str(), reveal("api.mixed").as_str()), (key, "one\r\ntwo\nthree\r"));
}
