//! Commands on a terminal of their own, and somebody who types.

use crate::env::TestEnv;
use std::io::{Read as _, Write as _};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Runs a command on a terminal of its own and types a line at each prompt, once that is there and, for
/// a secret, the echo is off.
pub(crate) fn typed(env: &TestEnv, arguments: &str, lines: &[(&str, &str)]) -> (i32, String) {
    typed_to(env, &format!("exec '{}' {arguments}", env!("CARGO_BIN_EXE_pillarbox")), lines)
}

/// As [`typed`], of any command of sh.
pub(crate) fn typed_to(env: &TestEnv, command: &str, lines: &[(&str, &str)]) -> (i32, String) {
    let device = env.home().join("terminal");
    let _ = std::fs::remove_file(&device);
    let script = format!("tty > '{}'; {command}", device.display());
    let mut child = env.program("script", &["-qec", &script, "/dev/null"]).spawn();
    let (mut stdin, mut stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let reader = {
        let seen = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut chunk = [0; 512];
            while let Ok(count @ 1..) = stdout.read(&mut chunk) {
                seen.lock().expect("the text").extend_from_slice(&chunk[..count]);
            }
        })
    };
    let so_far = || String::from_utf8_lossy(&seen.lock().expect("the text")).into_owned();
    let mut from = 0;
    for (prompt, line) in lines {
        let until = Instant::now() + Duration::from_secs(60);
        let is_hidden = || {
            let device = std::fs::read_to_string(&device).unwrap_or_default();
            let state = Command::new("stty").args(["-F", device.trim(), "-a"]).output().expect("stty");
            String::from_utf8_lossy(&state.stdout).contains(" -echo ")
        };
        while !(so_far()[from..].contains(prompt)
            && (!["secret", "password", "passphrase", "same"].iter().any(|word| prompt.contains(word))
                || is_hidden()))
        {
            assert!(Instant::now() < until, "no prompt {prompt:?}: {}", so_far());
            std::thread::sleep(Duration::from_millis(10));
        }
        // The same prompt may come again.
        from = so_far().len();
        stdin.write_all(format!("{line}\n").as_bytes()).expect("typed");
    }
    let ended = child.wait().expect("its end");
    reader.join().expect("all of it");
    (ended.code().unwrap_or(-1), so_far())
}

#[test]
fn a_prompt_asks_twice_and_echoes_nothing() {
    let env = TestEnv::initialised();
    let (code, text) = typed(&env, "seal api.pw", &[("secret: ", "hunter2"), ("secret again: ", "hunter2")]);
    assert!(code == 0 && !text.contains("hunter2"), "{text}");
    assert_eq!(bytes(&env, &["reveal", "api.pw"]), b"hunter2");
    let (code, text) = typed(&env, "seal api.pw", &[("secret: ", "hunter2"), ("secret again: ", "hunter3")]);
    assert!(code == 9 && text.contains("not the same") && !text.contains("hunter"), "{text}");
    assert_eq!(bytes(&env, &["reveal", "api.pw"]), b"hunter2");
    // A newline is added on a terminal, where bytes that are no text are not printed.
    assert_eq!(typed(&env, "reveal api.pw", &[]), (0, "hunter2\r\n".to_owned()));
    env.run_with_input(&["seal", "--file", "-", "api.raw"], [0xff, 0x00]).ok();
    let (code, text) = typed(&env, "reveal api.raw", &[]);
    assert!(code == 1 && text.contains("pillarbox reveal 'api.raw' > FILE"), "{text}");
    // What is wrong with the key is said before anybody types.
    assert_eq!(typed(&env, "seal registries.quay.io.password", &[]).0, 64);
    let prompts = [("user name: ", "bot"), ("password: ", "t0ken"), ("password again: ", "t0ken")];
    let (code, text) = typed(&env, "registry add ghcr.io", &prompts);
    assert!(code == 0 && text.contains("bot") && !text.contains("t0ken"), "{text}");
    assert_eq!(bytes(&env, &["reveal", "registries.ghcr.io.password"]), b"t0ken");
}

#[test]
fn git_shows_what_changed_with_sealed_values_short() {
    let env = TestEnv::initialised();
    let bin = env!("CARGO_BIN_EXE_pillarbox");
    let git = |arguments: &[&str]| env.program("git", arguments).run().ok().stdout().to_owned();
    env.run_with_input(&["seal", "api.pw"], "one").ok();
    git(&["init", "-q"]);
    git(&["config", "diff.pillarbox.textconv", &format!("'{bin}' show")]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    env.run(&["set", "api.log", "debug"]).ok();
    env.run_with_input(&["seal", "api.pw"], "two").ok();
    let diff = git(&["diff"]);
    let changed: Vec<&str> = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
        .collect();
    assert_eq!(changed.len(), 3, "{diff}");
    assert!(changed[0].starts_with("-pw = (sealed ") && changed[1].starts_with("+pw = (sealed "), "{diff}");
    assert_eq!(changed[2], "+log = \"debug\"");
    // Any revision can be shown, also one that is broken or no text.
    env.write("../old.toml", b"a = = \xff \x1b[31m\n");
    let old = env.home().join("old.toml");
    env.run(&["show", old.to_str().expect("a path")]).ok().says("a = = \u{fffd} \\u{1b}[31m\n");
    env.command(&["show", "apps.toml"])
        .within(env.workspace().join("pillar"))
        .run()
        .ok()
        .says("pw = (sealed");
    env.run(&["show", "pillar/box.toml"]).ok().says("slot");
    env.run(&["show", "appz"]).exits(1).explains("did you mean `apps.toml`?");
    env.run(&["show", "/no/such/file"]).exits(1);
}
