//! Children that do not behave: programs in the place of ours.

use super::*;
use crate::script::{Given, Host};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// What came of `states/a.star` and `states/b.star` of one host, with this shell text as the child.
fn with_child(text: &str, limit: Duration) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("child");
    fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it may be run");
    let nothing = || Given::Table(BTreeMap::new());
    let files = ["states/a.star", "states/b.star"].map(|file| (file.to_owned(), String::new()));
    let host = Host {
        name: "web1".to_owned(),
        runs: files.iter().map(|(file, _)| file.clone()).collect(),
        pillar: nothing(),
        host: nothing(),
        grains: nothing(),
        asked: false,
    };
    let request = Request { files: files.into_iter().collect(), hosts: vec![host] };
    let all = evaluate(&program, request, limit);
    let [came] = all.as_slice() else { panic!("one host: {all:?}") };
    let said = |file: &str| match &came[file] {
        EvalResult::Of(Ok(_)) => "it ran".to_owned(),
        EvalResult::Of(Err(wrong)) => {
            let problem = wrong.iter().next().expect("one");
            format!("{problem} ({})", problem.causes.join("; "))
        }
        EvalResult::NeedsFacts => "it needs facts".to_owned(),
    };
    (said("states/a.star"), said("states/b.star"))
}

const LONG: Duration = Duration::from_secs(20);

const BEGIN_A: &str = r#"echo '{"Begin":{"host":0,"file":"states/a.star"}}'"#;

/// Answers for `b` where `a` is not asked for any more.
fn second(rest: &str) -> String {
    format!(
        "if grep -q 'runs\":\\[\"states/a'; then {BEGIN_A}; {rest}; fi\n\
         echo '{{\"Begin\":{{\"host\":0,\"file\":\"states/b.star\"}}}}'; echo '{{\"End\":\"NeedsFacts\"}}'; echo '\"Done\"'"
    )
}

#[test]
fn a_child_that_dies_is_told_by_the_file_that_it_was_at_and_the_others_are_run() {
    for (rest, said) in [
        ("kill -9 $$", "states/a.star: it did not run to the end (the child that runs Starlark was killed"),
        (
            "kill -SEGV $$",
            "states/a.star: it did not run to the end (the child that runs Starlark was ended by signal 11)",
        ),
        ("kill -XCPU $$", "states/a.star: it computes too long: 10 s is the limit"),
        ("exit 3", "states/a.star: it did not run to the end (the child that runs Starlark ended with 3)"),
        (
            "echo memory allocation of 9 bytes failed >&2; kill -ABRT $$",
            "states/a.star: it needs too much memory: 512 MiB is the limit",
        ),
        (
            "echo thread has overflowed its stack >&2; kill -ABRT $$",
            "states/a.star: it nests too deep to be read",
        ),
        (
            "echo panicked at x.rs:1 >&2; exit 70",
            "states/a.star: it makes the interpreter fail (panicked at x.rs:1)",
        ),
        ("echo rubbish; exit 0", "states/a.star: it ran, but its answer is not valid"),
        ("printf '{\"End\":'; exit 0", "states/a.star: it ran, but its answer is not valid"),
        ("head -c 80000000 /dev/zero", "states/a.star: its result is too large: 64 MiB is the limit"),
    ] {
        let (a, b) = with_child(&second(rest), LONG);
        assert!(a.starts_with(said), "{rest}: {a}");
        assert_eq!(b, "it needs facts", "{rest}");
    }
}

#[test]
fn a_build_without_starlark_names_the_feature() {
    let answers = r#"printf '{"Begin":{"host":0,"file":"states/a.star"}}\n{"End":"NotBuiltIn"}\n'
printf '{"Begin":{"host":0,"file":"states/b.star"}}\n{"End":"NotBuiltIn"}\n"Done"\n'"#;
    let (a, b) = with_child(answers, LONG);
    assert!(a.starts_with("states/a.star: ") && a.contains("without the feature `starlark`"), "{a}");
    assert!(b.starts_with("states/b.star: "), "{b}");
}

#[test]
fn a_child_that_hangs_is_killed_and_what_it_did_not_come_to_is_said() {
    let begun = Instant::now();
    let (a, b) = with_child(&second("exec sleep 60"), Duration::from_secs(1));
    assert!(begun.elapsed() < Duration::from_secs(20), "it was waited for");
    assert!(a.starts_with("states/a.star: it takes too long"), "{a}");
    assert_eq!(b, "states/b.star: it was not run (states/a.star used up the time)");
}

#[test]
fn a_child_that_cannot_be_started_or_begins_nothing_is_an_error_of_every_file() {
    for (text, said) in [
        ("exit 7", "ended with 7"),
        ("echo '\"Done\"' | tr D d", "ended with 0"),
        ("echo no >&2; exit 1", "no"),
    ] {
        let (a, b) = with_child(text, LONG);
        assert!(a.starts_with("states/a.star: it was not run") && a.contains(said), "{a}");
        assert!(b.starts_with("states/b.star: it was not run"), "{b}");
    }
    let request = Request { hosts: Vec::new(), ..Request::default() };
    assert!(evaluate(Path::new("/nonexistent"), request, LONG).is_empty());
}

#[test]
fn a_child_has_no_environment_and_only_the_three_streams() {
    let text = r#"cat > /dev/null; env | grep -v '^PWD=\|^_=\|^SHLVL=\|^OLDPWD=' >&2; exit 5"#;
    let (a, _) = with_child(text, LONG);
    assert_eq!(a, "states/a.star: it was not run (the child that runs Starlark ended with 5)");
}
