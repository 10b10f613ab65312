//! Helpers that are small scripts.

use super::*;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

/// Runs a script as the helper; `PATH` is not touched, other tests run beside this one.
fn asked(script: &str, limit: Duration) -> Result<Answer> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("docker-credential-fake");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let child = loop {
        match start(&path, "get", "r.example.com") {
            // A test beside this one forked while the script was open for writing.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {}
            other => break other.expect("started"),
        }
    };
    let helper = HelperName::parse("fake").expect("a name");
    Call { helper, server: "r.example.com".to_owned(), child }.finish(limit)
}

fn text(script: &str) -> String {
    let problems = asked(script, Duration::from_secs(20)).expect_err("a problem");
    let problem = problems.into_vec().remove(0);
    [vec![problem.what], problem.causes, problem.hints].concat().join("\n")
}

#[test]
fn a_good_helper_is_given_the_server_and_its_answer_is_taken() {
    let answer = asked(
        r#"[ "$1" = get ] || exit 9; s=$(cat); printf '{"ServerURL":"%s","Username":"%s","Secret":"s"}' "$s" "$(pwd)""#,
        LIMIT,
    )
    .expect("an answer");
    assert_eq!((answer.username.as_str(), answer.secret.reveal_text()), ("/", Some("s")));
    let large = asked(
        r#"printf '{"Username":"u","Secret":"'; head -c 300000 /dev/zero | tr '\0' x; printf '"}'"#,
        LIMIT,
    );
    assert_eq!(large.expect("an answer").secret.len(), 300_000);
}

#[test]
fn failures_are_told_apart_and_say_what_the_helper_said() {
    let missing = text("echo 'credentials not found in native keychain'; exit 1");
    assert!(missing.contains("has no credential for r.example.com"), "{missing}");
    assert!(missing.contains("docker-credential-fake list"), "{missing}");
    let failed = text("echo 'token expired'; echo 'run: aws sso login' >&2; exit 3");
    for part in ["failed for r.example.com", "token expired", "run: aws sso login", "ended with 3"] {
        assert!(failed.contains(part), "{failed}");
    }
    assert!(text("kill -SEGV $$").contains("a signal ended it: 11"));
    assert!(text("echo rubbish").contains("is not JSON"));
    assert!(text("true").contains("answered nothing"));
    assert!(text("yes | head -c 2000000").contains("answers too much"));
    assert!(text("yes '{\"Username\":\"u\"' ; sleep 60").contains("answers too much"));
}

#[test]
fn what_stands_in_an_answer_stands_in_no_error() {
    for script in [
        r#"printf '{"Username":"u","Secret":"CANARY-1"}'; echo 'sent CANARY-1' >&2; exit 1"#,
        r#"printf '{"Username":"u","Secret":"CANARY-1"'; echo 'sent CANARY-1' >&2"#,
        r#"printf '{"ServerURL":"other","Username":"u","Secret":"CANARY-1"}'; echo 'CANARY-1' >&2"#,
        r#"printf '{"Username":"u","Secret":"CANARY-1"} '; yes CANARY-1 | head -c 900000"#,
    ] {
        let said = text(script);
        assert!(!said.contains("CANARY"), "{script}: {said}");
    }
}

#[test]
fn a_helper_that_hangs_is_killed_with_its_children() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("mark");
    let began = Instant::now();
    let script = format!("(sleep 2; touch '{}') & sleep 60", mark.display());
    let problems = asked(&script, Duration::from_millis(300)).expect_err("too long");
    assert!(problems.to_string().contains("did not answer"), "{problems}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!mark.exists(), "its child lived on");
}

#[test]
fn one_that_leaves_an_agent_behind_is_not_waited_for() {
    let began = Instant::now();
    let answer = asked(r#"sleep 20 & printf '{"Username":"u","Secret":"s"}'"#, LIMIT).expect("an answer");
    assert_eq!(answer.username, "u");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn who_is_not_waited_for_any_more_is_ended() {
    let helper = HelperName::parse("fake").expect("a name");
    let child = start(&process::find("sleep").expect("a program"), "60", "").expect("started");
    let call = Call { helper, server: "r".to_owned(), child };
    let stopper = call.stopper();
    let waiting = std::thread::spawn(move || call.finish(LIMIT));
    drop(stopper);
    assert!(waiting.join().expect("its end").expect_err("killed").to_string().contains("crashed"));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let helper = HelperName::parse("is-not-there-at-all").expect("a name");
    let problems = get(&helper, "r.example.com", LIMIT).expect_err("missing");
    let problem = problems.into_vec().remove(0);
    assert!(problem.causes[0].contains("docker-credential-is-not-there-at-all in PATH"), "{problem:?}");
    assert!(problem.hints[0].contains("on this machine"));
}
