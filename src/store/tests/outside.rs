//! Identities and other personal files.

use super::*;
use crate::store::{
    Environment, PersonalPaths, Scratch, create_private, read_identity, read_identity_if_there, read_private,
    write_private,
};
use std::os::unix::fs::symlink;

fn mode(path: &Path) -> u32 {
    path.metadata().expect("a file").permissions().mode() & 0o7777
}

#[test]
fn an_identity_that_others_may_read_is_refused_with_the_command_that_helps() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("it's mine.txt");
    create_private(&path, b"AGE-SECRET-KEY-1X\n").expect("made");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(read_identity(&path, None).expect("read").reveal(), b"AGE-SECRET-KEY-1X\n");
    for open in [0o640, 0o604, 0o610, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("a mode");
        let problem = read_identity(&path, None).expect_err("refused").into_vec().remove(0);
        assert!(!format!("{problem:?}").contains("SECRET"), "{problem:?}");
        let done = std::process::Command::new("sh").args(["-c", &problem.hints[0]]).status();
        assert!(done.expect("a shell").success());
        assert!(read_identity(&path, None).is_ok());
    }
}

#[test]
fn an_identity_in_the_workspace_is_refused_also_by_a_detour() {
    let folder = shop(&[]);
    let path = folder.path().join("identity.txt");
    create_private(&path, b"x").expect("made");
    let elsewhere = tempfile::tempdir().expect("a folder");
    symlink(&path, elsewhere.path().join("link")).expect("a link");
    for path in [path, elsewhere.path().join("link")] {
        let problem = read_identity(&path, Some(folder.path())).expect_err("refused").into_vec().remove(0);
        assert!(problem.what.ends_with("is in the workspace"), "{problem:?}");
    }
}

#[test]
fn an_identity_may_come_through_a_pipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg("-m644").arg(&path).status().expect("mkfifo").success());
    std::thread::scope(|scope| {
        scope.spawn(|| fs::write(&path, b"AGE-SECRET-KEY-1X\n").expect("a writer"));
        assert_eq!(read_identity(&path, None).expect("read").len(), 18);
    });
}

#[test]
fn an_identity_is_never_overwritten_and_a_huge_one_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("identity.txt");
    create_private(&path, &[b'x'; (64 << 10) + 1]).expect("made");
    assert!(create_private(&path, b"other").is_err());
    assert!(read_identity(&path, None).is_err());
    assert!(read_identity(folder.path(), None).is_err(), "a folder");
    let none = folder.path().join("none");
    assert!(read_identity_if_there(&none, None).expect("not there").is_none());
    let problems = read_identity(&none, None).expect_err("not there");
    assert_eq!(problems.code(), crate::problem::Code::NoIdentity);
}

#[test]
fn a_private_file_is_0600_whatever_was_there_and_a_link_to_it_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, link) = (folder.path().join("plan.json"), folder.path().join("link"));
    fs::write(&path, "old").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
    symlink(&path, &link).expect("a link");
    write_private(&link, b"new").expect("written");
    assert_eq!((mode(&path), fs::read(&path).expect("bytes").as_slice()), (0o600, b"new".as_slice()));
    assert!(link.symlink_metadata().expect("a link").is_symlink());
    assert_eq!(read_private(&folder.path().join("none")).expect("not there"), None);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing is left beside it");
}

#[test]
fn personal_paths_follow_the_xdg_specification() {
    let environment = |pairs: &[(&str, &str)]| {
        let of = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        PersonalPaths::of(&Environment {
            home: of("HOME"),
            config_home: of("CONFIG"),
            state_home: of("STATE"),
            data_home: of("DATA"),
            runtime_dir: of("RUN"),
            known: of("KNOWN"),
        })
    };
    let usual =
        environment(&[("HOME", "/h"), ("STATE", "relative"), ("DATA", ""), ("KNOWN", "")]).expect("paths");
    assert_eq!(usual.identity, Path::new("/h/.config/pillarbox/identity.txt"));
    assert_eq!(usual.known, Path::new("/h/.local/state/pillarbox/known.toml"));
    assert_eq!(usual.overlay, Path::new("/h/.local/share/pillarbox/personal"));
    assert_eq!(usual.runtime, None);
    let other =
        environment(&[("HOME", "/h"), ("CONFIG", "/c"), ("STATE", "/s"), ("KNOWN", "k.toml"), ("RUN", "/r")])
            .expect("paths");
    assert_eq!(other.identity, Path::new("/c/pillarbox/identity.txt"));
    assert_eq!(other.known, Path::new("k.toml"));
    assert_eq!(other.expand("~/certs", Path::new("/w")), Path::new("/h/certs"));
    assert_eq!(other.expand("certs", Path::new("/w")), Path::new("/w/certs"));
    assert!(environment(&[]).is_err());
}

#[test]
fn plaintext_lies_in_a_private_folder_that_is_wiped() {
    let place = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::new(Some(place.path())).expect("a folder");
    let path = scratch.write("apps.toml", &"a = \"canary\"\n".to_owned().into()).expect("written");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().expect("a folder")), 0o700);
    fs::write(&path, "a = \"other\"\n").expect("an editor");
    assert_eq!(scratch.read("apps.toml").expect("read").reveal(), b"a = \"other\"\n");
    let (kept, swap) = (place.path().join("kept"), path.with_file_name(".apps.swp"));
    fs::write(&swap, "canary").expect("an editor");
    fs::hard_link(&swap, &kept).expect("a second name");
    drop(scratch);
    assert_eq!(fs::read(&kept).expect("bytes"), [0; 6], "wiped, not only removed");
    assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
    let scratch = Scratch::new(Some(place.path())).expect("a folder");
    scratch.write("x", &"y".to_owned().into()).expect("written");
    scratch.wipe().expect("wiped");
    assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
}
