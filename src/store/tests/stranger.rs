//! A clone of a stranger's workspace must be safe to look at.

use super::*;
use crate::store::search::upwards;
use crate::store::{Search, find};
use std::os::unix::fs::{MetadataExt, symlink};

#[test]
fn a_symbolic_link_below_pillar_keys_or_states_is_refused_wherever_it_points() {
    for link in ["pillar/x.toml", "pillar/deep/x.toml", "keys/x.pub", "states/x.toml", "pillar/README"] {
        let folder = shop(&[("pillar/deep/a.toml", ""), ("keys/a.pub", ""), ("states/a.toml", "")]);
        symlink("/etc/hostname", folder.path().join(link)).expect("a link");
        let workspace = Workspace::open(folder.path()).expect("a workspace");
        let all = [workspace.pillar_files(), workspace.key_files(), workspace.state_files()];
        assert_eq!(all.iter().filter(|list| list.is_err()).count(), 1, "{link}");
        assert!(link.ends_with("README") || workspace.read(link).is_err(), "{link}");
        let mut change = Change::new();
        change.put(link, "x");
        assert!(write(&workspace, &change).is_err(), "{link}");
        assert_ne!(fs::read_to_string("/etc/hostname").expect("text"), "x");
    }
}

#[test]
fn a_folder_that_is_a_symbolic_link_is_refused() {
    let (folder, elsewhere) = (shop(&[]), tempfile::tempdir().expect("a folder"));
    fs::write(elsewhere.path().join("a.toml"), "a = 1\n").expect("a file");
    symlink(elsewhere.path(), folder.path().join("pillar")).expect("a link");
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    assert!(workspace.pillar_files().is_err());
    assert!(workspace.read("pillar/a.toml").is_err());
    let mut change = Change::new();
    change.put("pillar/b.toml", "b = 1\n");
    assert!(write(&workspace, &change).is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 1);
}

#[test]
fn the_tools_own_folder_may_not_be_a_symbolic_link() {
    let (folder, elsewhere) = (shop(&[]), tempfile::tempdir().expect("a folder"));
    fs::remove_dir_all(folder.path().join(".pillarbox")).expect("removed");
    symlink(elsewhere.path(), folder.path().join(".pillarbox")).expect("a link");
    let workspace = Workspace::open(folder.path()).expect("reading needs none of it");
    assert!(workspace.lock(&mut || {}).is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 0);
}

#[test]
fn a_pipe_in_the_place_of_a_file_does_not_hang() {
    let folder = shop(&[("pillar/a.toml", "")]);
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pillar/b.toml")).status();
    assert!(made.expect("mkfifo").success());
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    assert!(workspace.pillar_files().is_err());
    assert!(workspace.read("pillar/b.toml").is_err());
}

#[test]
fn no_path_leads_out_of_the_workspace() {
    let folder = shop(&[]);
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    for path in [
        "../x",
        "/etc/passwd",
        "pillar/../../x",
        "pillar//x",
        "pillar/",
        "pillar",
        "",
        ".git/config",
        "pillar/./x",
        "pillar/.x",
        ".pillarbox/lock",
        "src/main.rs",
        "pillar/a\\b",
        "pillar/a\0b",
    ] {
        assert!(workspace.read_if_there(path).is_err(), "{path}");
        let mut change = Change::new();
        change.put(path, "x");
        assert!(write(&workspace, &change).is_err(), "{path}");
    }
}

#[test]
fn what_is_no_text_is_said_with_its_line() {
    let folder = shop(&[]);
    fs::create_dir(folder.path().join("pillar")).expect("a folder");
    fs::write(folder.path().join("pillar/a.toml"), b"a = 1\nb = \"\xff\"\n").expect("a file");
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    let problem = workspace.document("a.toml").expect_err("not UTF-8").into_vec().remove(0);
    assert_eq!(problem.to_string(), "pillar/a.toml:2: this is not UTF-8");
}

#[test]
fn lists_are_sorted_and_leave_out_what_is_not_theirs() {
    let folder = shop(&[
        ("pillar/b.toml", ""),
        ("pillar/a/b.toml", ""),
        ("pillar/box.toml", ""),
        ("pillar/prod/box.toml", ""),
        ("pillar/README.md", ""),
        ("states/n.toml", ""),
        ("states/m.star", ""),
        ("keys/bob.pub", ""),
        ("keys/alice.pub", ""),
    ]);
    fs::write(folder.path().join("pillar/.b.toml.swp"), "").expect("an editor's file");
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    assert_eq!(workspace.pillar_files().expect("files"), ["a/b.toml", "b.toml"]);
    assert_eq!(workspace.box_files().expect("files"), ["box.toml", "prod/box.toml"]);
    assert_eq!(workspace.state_files().expect("files"), ["m.star", "n.toml"]);
    assert_eq!(workspace.key_files().expect("files"), ["alice.pub", "bob.pub"]);
}

#[test]
fn the_search_goes_upwards_to_the_home_folder_and_no_further() {
    let folder = shop(&[]);
    let home = folder.path().join("home");
    let deep = home.join("a/b");
    fs::create_dir_all(&deep).expect("folders");
    let search = |home: Option<&Path>, start: &Path| {
        find(&Search { given: None, start: start.to_owned(), home: home.map(Path::to_owned) })
    };
    assert!(search(Some(&home), &deep).is_err(), "above the home folder");
    let real = folder.path().canonicalize().expect("a path");
    assert_eq!(search(None, &deep).expect("found").root(), real);
    assert_eq!(search(Some(folder.path()), &deep).expect("in the home folder itself").root(), real);
    fs::write(home.join("a/pillarbox.toml"), "workspace = \"inner\"\n").expect("a file");
    assert_eq!(search(Some(&home), &deep).expect("found").inventory().owner.name.as_str(), "inner");
    let given = Search { given: Some(home), start: deep, home: None };
    let problem = find(&given).expect_err("no inventory there").into_vec().remove(0);
    assert!(problem.what.contains("is not a workspace"), "{problem:?}");
}

#[test]
fn the_search_stops_at_an_inventory_of_another_user() {
    let folder = shop(&[]);
    let file = folder.path().join("pillarbox.toml");
    let user = file.metadata().expect("a file").uid();
    let stranger = 54_321;
    if user == 0 {
        std::os::unix::fs::chown(&file, Some(stranger), None).expect("root may");
        let problem = upwards(folder.path(), None, 0).expect_err("stops").into_vec().remove(0);
        assert!(problem.hints[0].contains("pillarbox -C '"), "{problem:?}");
        assert!(upwards(folder.path(), None, stranger).expect("root's folder is fine").is_some());
        assert!(upwards(folder.path(), None, 12_345).is_err());
    } else {
        assert!(upwards(folder.path(), None, user).expect("my own").is_some());
        assert!(upwards(folder.path(), None, user + 1).is_err());
    }
}
