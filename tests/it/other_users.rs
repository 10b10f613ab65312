//! What other users of the machine can write, or look into.

use crate::env::{TestEnv, mode};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
}

#[test]
fn a_known_file_that_others_may_write_is_not_believed() {
    let env = TestEnv::initialised();
    let known = env.home().join(".local/state/pillarbox/known.toml");
    env.run(&["known", "list"]).ok();
    for wrong in [0o666, 0o620, 0o602] {
        chmod(&known, wrong);
        for command in [&["known", "list"][..], &["verify"], &["plan"], &["set", "a.b", "c"]] {
            env.run(command)
                .exits(1)
                .explains("known.toml may be written by others")
                .explains("chmod go-w '");
        }
    }
    chmod(&known, 0o600);
    let folder = known.parent().expect("a folder");
    chmod(folder, 0o777);
    env.run(&["verify"])
        .exits(1)
        .explains("is in a folder that every user may write")
        .explains("chmod o-w '");
    chmod(folder, 0o1777);
    env.run(&["verify"]).ok();
    chmod(folder, 0o700);
    env.run(&["set", "a.b", "c"]).ok();
    assert_eq!(mode(&known), 0o600);
}

#[test]
fn a_config_that_others_may_write_names_no_workspace() {
    let env = TestEnv::initialised();
    env.set_standing_workspace();
    env.run_with_input(&["registry", "add", "registry.example.com", "-u", "bot", "--password-stdin"], "pw")
        .ok();
    env.helper("get", "registry.example.com").ok().says("pw");
    chmod(&env.home().join(".config/pillarbox/config.toml"), 0o666);
    env.helper("get", "registry.example.com").exits(1).lacks("\"pw\"");
}

#[test]
fn a_workspace_is_not_made_where_everybody_can_write() {
    let env = TestEnv::new();
    let open = env.home().join("open");
    fs::create_dir(&open).expect("a folder");
    for wrong in [0o777, 0o1777] {
        chmod(&open, wrong);
        let said = env.run(&["init", open.to_str().expect("UTF-8"), "--name", "open"]);
        said.exits(1).explains("is not a safe place for a workspace").explains("every user may write");
    }
    chmod(&open, 0o777);
    let below = open.join("shop");
    fs::create_dir(&below).expect("a folder");
    env.run(&["init", below.to_str().expect("UTF-8")]).exits(1).explains("not a safe place");
    assert_eq!(fs::read_dir(&below).expect("a folder").count(), 0, "nothing was made");
    // Where only its owner can take something away, a folder of one's own is safe.
    chmod(&open, 0o1777);
    env.run(&["init", below.to_str().expect("UTF-8")]).ok();
}

#[test]
fn another_process_of_the_same_user_cannot_look_into_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let other_user = 65534;
    let mut helper = Command::new("setpriv")
        .args([
            "--reuid",
            &other_user.to_string(),
            "--clear-groups",
            env!("CARGO_BIN_EXE_docker-credential-pillarbox"),
            "get",
        ])
        .env("PILLARBOX_AGE_KEY", "CANARY")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("setpriv");
    let proc = std::path::PathBuf::from(format!("/proc/{}", helper.id()));
    let is_hardened = || {
        let status = fs::read_to_string(proc.join("status")).unwrap_or_default();
        let is_other_user =
            status.lines().any(|line| line.starts_with("Uid:") && line.contains(&other_user.to_string()));
        is_other_user && fs::metadata(proc.join("environ")).is_ok_and(|data| data.uid() == 0)
    };
    let hardened = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        is_hardened()
    });
    drop(helper.stdin.take());
    let _ = helper.wait();
    assert!(hardened, "its environment in /proc belongs to its user");
}
