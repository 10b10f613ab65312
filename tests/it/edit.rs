//! `edit`: a fake editor sees secrets in clear; only what changed is sealed again; no plaintext stays.

use crate::env::{Checked, Output, TestEnv, has_program};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// A workspace with a password, a key of several lines and a secret that is not text.
pub(crate) fn with_secrets() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("pillar/apps.toml", "# the api\n[api]\nlog = \"info\" # level\n");
    env.run_with_input(&["seal", "api.pw"], "s3cret-CANARY").ok();
    env.run_with_input(&["seal", "--file", "-", "api.key"], "-----BEGIN-----\nCANARY\n-----END-----\n").ok();
    env.run_with_input(&["seal", "--file", "-", "api.data"], [0xff, 0, b'C']).ok();
    env
}

/// Runs `edit` with a script of sh as the editor; `$1` is the file.
pub(crate) fn edit(env: &TestEnv, script: &str, arguments: &[&str]) -> Output {
    env.command(&[&["edit"], arguments].concat()).var("EDITOR", editor(env, script)).run()
}

fn editor(env: &TestEnv, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = env.home().join("fake editor's");
    std::fs::write(&path, format!("#!/bin/sh\nset -e\n{script}\n")).expect("the script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    // A variable is a piece of shell: a name with a blank and a quote is quoted in it.
    PathBuf::from(format!("\"{}\"", path.display()))
}

/// Nothing is left where plaintext was.
pub(crate) fn wiped(env: &TestEnv, said: Checked) -> Checked {
    let left: Vec<_> = std::fs::read_dir(env.runtime()).expect("the folder").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    said
}

fn lines(env: &TestEnv) -> Vec<String> {
    env.read("pillar/apps.toml").lines().map(str::to_owned).collect()
}

fn changed(before: &[String], after: &[String]) -> Vec<String> {
    after
        .iter()
        .filter(|line| !before.contains(line))
        .map(|line| line[..line.len().min(12)].to_owned())
        .collect()
}

#[test]
fn secrets_are_seen_in_clear_in_memory_by_this_user_alone() {
    let env = with_secrets();
    let before = env.files();
    let said = edit(&env, "cat \"$1\"; stat -c '%a %n' \"$1\" \"$(dirname \"$1\")\"", &["apps"]).ok();
    let said = wiped(&env, said)
        .says("pw = { secret = \"s3cret-CANARY\" }\n")
        .says("key = { secret = \"\"\"\n-----BEGIN-----\nCANARY\n-----END-----\n\"\"\" }\n")
        .says("data = { secret = \"/wBD\", encoding = \"base64\" }\n")
        .says("# the api\n[api]\nlog = \"info\" # level\n")
        .says(&format!("600 {}", env.runtime().display()))
        .says(&format!("700 {}", env.runtime().display()))
        .explains("nothing was changed")
        .explains("does not wipe swap files");
    assert!(said.stdout().starts_with("#: pillar/apps.toml"));
    assert_eq!(env.files(), before);
}

#[test]
fn only_what_changed_is_sealed_again() {
    let env = with_secrets();
    let before = lines(&env);
    edit(&env, "sed -i 's/s3cret-CANARY/n3w/; s/\"info\"/\"debug\"/' \"$1\"", &["pillar/apps.toml"])
        .ok()
        .explains("one value sealed");
    assert_eq!(changed(&before, &lines(&env)), ["log = \"debug", "pw = { seale"]);
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "n3w");
    assert_eq!(env.run(&["reveal", "api.key"]).ok().stdout(), "-----BEGIN-----\nCANARY\n-----END-----\n");
    env.run(&["verify"]).ok();
}

#[test]
fn a_new_secret_is_written_like_the_others() {
    let env = with_secrets();
    let before = lines(&env);
    let script = "printf '%s\\n' 'token = { secret = \"tök\\u0065n\" } # new' \
                  'raw = { secret = \"AAE=\", encoding = \"base64\" }' '[web]' 'port = 1' >> \"$1\"";
    edit(&env, script, &["apps"]).ok().explains("2 values sealed");
    assert_eq!(changed(&before, &lines(&env)), ["token = { se", "raw = { seal", "[web]", "port = 1"]);
    assert!(env.read("pillar/apps.toml").contains(" } # new\n"));
    assert_eq!(env.run(&["reveal", "api.token"]).ok().stdout(), "töken");
    assert_eq!(env.run(&["--json", "reveal", "api.raw"]).ok().json()["value"], "\u{0}\u{1}");
    // Also in a file that is not there yet.
    edit(&env, "echo 'a = { secret = \"x\" }' >> \"$1\"", &["fresh"]).ok();
    assert_eq!(env.run(&["reveal", "a"]).ok().stdout(), "x");
}

#[test]
fn a_key_renamed_by_hand_keeps_its_id_and_one_made_clear_is_said() {
    let env = with_secrets();
    let id = |name: &str| {
        let text = env.read("pillar/apps.toml");
        let line = text.lines().find(|line| line.starts_with(name)).expect("the key").to_owned();
        line[line.find("id = ").expect("an id")..].to_owned()
    };
    let before = id("pw");
    edit(&env, "sed -i 's/^pw = /password = /' \"$1\"", &["apps"]).ok();
    assert_eq!(id("password"), before);
    assert_eq!(env.run(&["reveal", "api.password"]).ok().stdout(), "s3cret-CANARY");
    edit(&env, "sed -i 's/^password = .*/password = \"public\"/; /^data/d' \"$1\"", &["apps"])
        .ok()
        .explains("no longer sealed: api.password");
    assert_eq!(env.run(&["get", "api.password"]).ok().stdout(), "public\n");
    env.run(&["reveal", "api.data"]).exits(1);
}

#[test]
fn what_cannot_be_taken_is_dropped_without_a_terminal_to_ask_on() {
    let env = with_secrets();
    let before = env.files();
    for script in [
        "echo 'x = = 1' >> \"$1\"",
        "echo 'x = { secret = \"CANARY' >> \"$1\"",
        "echo 'x = { secret = CANARY }' >> \"$1\"",
        "echo 'x = [{ secret = \"CANARY\" }]' >> \"$1\"",
        "echo 'x = { secret = \"!\", encoding = \"base64\" }' >> \"$1\"",
        "echo 'x = { sealed = \"CANARY\", id = \"9f2c41d70b6e83aa\" }' >> \"$1\"",
        "printf '[registries.\"x.io\"]\\npassword = \"CANARY\"\\n' >> \"$1\"",
        "printf '[registries.\"x.io\"]\\nusername = { secret = \"CANARY\" }\\n' >> \"$1\"",
        "printf '[deploy.x]\\nport = 1\\n' >> \"$1\"",
        "printf '\\377' >> \"$1\"",
        "rm \"$1\"",
        "exit 3",
        "kill -9 $$",
    ] {
        let said = edit(&env, script, &["apps"]).exits(1);
        wiped(&env, said).lacks("CANARY");
        assert_eq!(env.files(), before, "{script}");
    }
    let said = env.command(&["edit", "apps"]).var("EDITOR", "/no/such/editor").run().exits(1);
    wiped(&env, said).explains("/no/such/editor").lacks("CANARY");
    edit(&env, "true", &["--no-identity", "apps"]).exits(10).lacks("CANARY");
    env.run(&["edit", "box"]).exits(64);
    assert_eq!(env.files(), before);
}

#[test]
fn on_a_terminal_a_mistake_goes_back_to_the_editor_with_the_work_in_it() {
    let env = with_secrets();
    let script = "if grep -q '= = 1' \"$1\"; then sed -i 's/= = 1/= 1/' \"$1\"; \
                  else echo 'x = = 1' >> \"$1\"; sed -i 's/s3cret-CANARY/n3w/' \"$1\"; fi";
    let command = format!("{} edit apps", env!("CARGO_BIN_EXE_pillarbox"));
    let on_terminal = |answers: &str| {
        env.program("script", &["-qec", &command, "/dev/null"])
            .var("EDITOR", editor(&env, script))
            .input(answers)
            .run()
    };
    let before = env.files();
    let said = on_terminal("n\n").exits(1);
    wiped(&env, said)
        .says("is not valid TOML")
        .says("Open the editor again?")
        .says("dropped")
        .lacks("CANARY");
    assert_eq!(env.files(), before);
    let said = on_terminal("\n").ok();
    wiped(&env, said).says("one value sealed");
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "n3w");
    assert_eq!(env.run(&["get", "api.x"]).ok().stdout(), "1\n");
}

#[test]
fn a_change_by_another_command_meanwhile_is_not_undone() {
    let env = with_secrets();
    let bin = env!("CARGO_BIN_EXE_pillarbox");
    let script = format!("'{bin}' set api.log meanwhile; sed -i 's/s3cret-CANARY/n3w/' \"$1\"");
    let said = edit(&env, &script, &["apps"]).exits(1);
    wiped(&env, said).explains("changed while you edited it").explains("api.log").lacks("CANARY");
    assert_eq!(env.run(&["get", "api.log"]).ok().stdout(), "meanwhile\n");
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "s3cret-CANARY");
    // On a terminal the text comes back, and what is saved then counts.
    let script = format!(
        "if grep -q 'Meanwhile' \"$1\"; then sed -i 's/^log = .*/log = \"both\"/' \"$1\"; \
         else '{bin}' -q set api.log again; sed -i 's/s3cret-CANARY/n3w/' \"$1\"; fi"
    );
    env.program("script", &["-qec", &format!("{bin} edit apps"), "/dev/null"])
        .var("EDITOR", editor(&env, &script))
        .input("y\n")
        .run()
        .ok();
    assert_eq!(env.run(&["get", "api.log"]).ok().stdout(), "both\n");
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "n3w");
    assert!(!env.read("pillar/apps.toml").contains("#:"));
}

#[test]
fn a_signal_ends_the_editor_and_wipes_the_plaintext() {
    let env = with_secrets();
    let before = env.files();
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 143)] {
        let (child, pid) = sleeping(&env);
        assert!(std::fs::read_dir(env.runtime()).expect("the folder").next().is_some());
        assert!(send(&["-s", signal, &child.id().to_string()]));
        let ended = child.wait_with_output().expect("its end");
        assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(std::fs::read_dir(env.runtime()).expect("the folder").next().is_none(), "{signal}");
        assert!(!send(&["-0", &pid]), "the editor lives on after {signal}");
        assert_eq!(env.files(), before);
    }
}

/// Starts `edit` with an editor that sleeps, and returns it with the editor's process id.
fn sleeping(env: &TestEnv) -> (std::process::Child, String) {
    let mark = env.home().join("editor.pid");
    let _ = std::fs::remove_file(&mark);
    let script = format!("echo $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 60", mark.display());
    // Without a blank in its name the program is started itself, and can be ended.
    let plain = env.home().join("sleeper");
    std::fs::copy(editor(env, &script).to_str().expect("a path").trim_matches('"'), &plain).expect("copied");
    let child = env.command(&["edit", "apps"]).var("EDITOR", &plain).spawn();
    let until = Instant::now() + Duration::from_secs(60);
    while !mark.exists() {
        assert!(Instant::now() < until, "the editor did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    (child, std::fs::read_to_string(&mark).expect("the editor's id").trim().to_owned())
}

fn send(arguments: &[&str]) -> bool {
    let sent = Command::new("kill").args(arguments).stderr(std::process::Stdio::null()).status();
    sent.expect("kill").success()
}

#[test]
fn what_a_killed_edit_left_is_wiped_by_the_next_one_and_a_living_one_is_left_alone() {
    let env = with_secrets();
    let folders = || std::fs::read_dir(env.runtime()).expect("the folder").count();
    let (mut killed, its_editor) = sleeping(&env);
    killed.kill().expect("killed");
    killed.wait().expect("its end");
    assert!(send(&["-9", &its_editor]));
    assert_eq!(folders(), 1);
    let (living, other_editor) = sleeping(&env);
    assert_eq!(folders(), 1);
    edit(&env, "true", &["apps"]).ok();
    assert_eq!(folders(), 1);
    assert!(send(&["-0", &other_editor]) && send(&["-TERM", &living.id().to_string()]));
    assert_eq!(living.wait_with_output().expect("its end").status.code(), Some(143));
    assert_eq!(folders(), 0);
}

#[test]
fn the_editor_does_not_get_the_private_key_and_vim_keeps_no_copies() {
    let mut env = with_secrets();
    let key = std::fs::read_to_string(env.identity()).expect("the identity");
    let key = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).expect("a key").to_owned();
    std::fs::remove_file(env.identity()).expect("removed");
    env.set_var("PILLARBOX_AGE_KEY", key.clone());
    edit(&env, "env; tr '\\0' '\\n' < /proc/$(cut -d' ' -f4 /proc/$PPID/stat)/cmdline", &["apps"])
        .ok()
        .says("edit\napps\n")
        .lacks(&key)
        .lacks("CANARY");
    let bin = env.home().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let script = editor(&env, "printf '%s ' \"$@\"");
    std::fs::copy(script.to_str().expect("a path").trim_matches('"'), bin.join("vim")).expect("copied");
    env.path_first(bin);
    let said = env.command(&["edit", "apps"]).var("VISUAL", "vim").var("EDITOR", "false").run().ok();
    said.says("-n -i NONE ").says("noundofile").lacks("swap files");
}

#[test]
fn vim_itself_leaves_nothing_behind() {
    if !has_program("vim") {
        return;
    }
    let mut env = with_secrets();
    std::fs::write(
        env.home().join(".vimrc"),
        "set backup backupdir=~ undofile undodir=~ directory=~ viminfofile=~/.viminfo\n",
    )
    .expect("written");
    env.set_var("EDITOR", "vim -es -c '%s/s3cret-CANARY/n3w-CANARY/' -c wq");
    let said = env.run(&["edit", "apps"]);
    wiped(&env, said.ok()).explains("one value sealed");
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "n3w-CANARY");
    let found = env.program("grep", &["-rl", "CANARY", env.home().to_str().expect("a path")]).run();
    assert_eq!(found.stdout, "", "{}", found.stderr);
}

#[test]
fn a_file_that_is_not_toml_can_be_put_right() {
    let env = with_secrets();
    let sound = env.read("pillar/apps.toml");
    env.write("pillar/apps.toml", sound.replace("\"info\"", "info"));
    edit(&env, "grep -q 'not valid TOML' \"$1\" && sed -i 's/= info/= \"info\"/' \"$1\"", &["apps"]).ok();
    assert_eq!(env.read("pillar/apps.toml"), sound);
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "s3cret-CANARY");
}

#[test]
fn without_a_folder_in_memory_the_plaintext_goes_to_a_disk_only_if_that_is_meant() {
    let env = with_secrets();
    let bin = env!("CARGO_BIN_EXE_pillarbox");
    let editor = editor(&env, "echo \"at $1\"");
    std::fs::write(env.home().join("editor"), editor.to_str().expect("a path")).expect("written");
    let script = format!(
        "mount -t tmpfs -o ro none /dev/shm && unset XDG_RUNTIME_DIR && export EDITOR=\"$(cat ../editor)\"; \
         {bin} edit apps; echo \"$?\"; {bin} edit --on-disk apps; echo \"$?\"; ls -A \"$TMPDIR\""
    );
    let Some(run) = crate::env::within_mounts(&env, &script) else { return };
    let said = run.ok().explains("pillarbox edit --on-disk FILE").lacks("CANARY");
    assert!(said.stdout().starts_with("1\nat /"), "{}", said.stdout());
    assert!(said.stdout().ends_with("0\n"), "{}", said.stdout());
}
