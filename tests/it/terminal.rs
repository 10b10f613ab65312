//! Commands on a terminal of their own, and a person who types.

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
            && (!["secret", "password", "passphrase"].iter().any(|word| prompt.contains(word))
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
