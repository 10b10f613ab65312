use super::*;
use crate::name::KeyPath;
use crate::pillar::document::Written;
use crate::problem::{Problem, Result};
use crate::store::{create_private, update_private};

#[test]
fn writers_at_once_lose_nothing() {
    let folder = shop(&[("pillar/apps.toml", "# counts\n"), ("pillar/copy.toml", "# counts\n")]);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let root = folder.path();
            scope.spawn(move || {
                for number in 0..12 {
                    let workspace = Workspace::open(root).expect("a workspace");
                    let writer_lock = workspace.lock(&mut || {}).expect("the lock");
                    let mut change = Change::new();
                    for file in ["apps.toml", "copy.toml"] {
                        let mut document = writer_lock.document(file).expect("a file");
                        let key = KeyPath::parse(&format!("w{writer}.n{number}")).expect("a key");
                        document.set(&key, Written::Plain("x")).expect("set");
                        change.put_document(&document);
                    }
                    writer_lock.commit(&change).expect("written");
                }
            });
        }
    });
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    for document in workspace.documents().expect("files") {
        assert_eq!(document.keys().len(), 4 + 4 * 12, "{}", document.file());
    }
}

#[test]
fn readers_never_see_half_of_a_change() {
    let files = ["a.toml", "b.toml", "c.toml"];
    let folder = shop(&files.map(|file| (&*format!("pillar/{file}").leak(), "n = 0\n")));
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    std::thread::scope(|scope| {
        let root = folder.path();
        let writer = scope.spawn(move || {
            let workspace = Workspace::open(root).expect("a workspace");
            for number in 1..40 {
                let mut change = Change::new();
                for file in files {
                    change.put(format!("pillar/{file}"), format!("n = {number}\n"));
                }
                write(&workspace, &change).expect("written");
            }
        });
        let mut seen = 0;
        while !writer.is_finished() {
            let all = workspace.documents().expect("files");
            let texts: Vec<&str> = all.iter().map(|document| document.text()).collect();
            assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
            seen += 1;
        }
        assert!(seen > 0);
    });
}

#[test]
fn who_waits_for_the_lock_is_told_and_then_gets_it() {
    let folder = shop(&[]);
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    let first = workspace.lock(&mut || {}).expect("the lock");
    let (send, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let root = folder.path();
        let second = scope.spawn(move || {
            let workspace = Workspace::open(root).expect("a workspace");
            workspace.lock(&mut || send.send(()).expect("a listener")).map(|_| ())
        });
        told.recv().expect("told that it waits");
        assert!(!second.is_finished());
        drop(first);
        second.join().expect("no panic").expect("the lock");
    });
}

#[test]
fn a_file_that_an_editor_changed_meanwhile_is_not_overwritten() {
    let folder = shop(&[("pillar/apps.toml", "a = 1\n")]);
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    let writer = workspace.lock(&mut || {}).expect("the lock");
    let document = writer.document("apps.toml").expect("a file");
    fs::write(folder.path().join("pillar/apps.toml"), "a = 7\n").expect("an editor");
    let mut change = Change::new();
    change.put_document(&document);
    let problem = writer.commit(&change).expect_err("refused").into_vec().remove(0);
    assert_eq!(problem.what, "pillar/apps.toml was changed meanwhile, say in an editor");
    assert_eq!(fs::read_to_string(folder.path().join("pillar/apps.toml")).expect("text"), "a = 7\n");
}

#[test]
fn a_personal_file_changed_by_many_at_once_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state/known.toml");
    std::thread::scope(|scope| {
        for number in 0..16 {
            let path = &path;
            scope.spawn(move || {
                update_private(path, |old| Ok(Some(format!("{}n{number}\n", old.unwrap_or_default()))))
                    .expect("written");
            });
        }
    });
    assert_eq!(fs::read_to_string(&path).expect("text").lines().count(), 16);
    assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let refused: Result<()> = update_private(&path, |_| Err(Problem::failed("no").into()));
    assert!(refused.is_err());
    assert_eq!(fs::read_to_string(&path).expect("text").lines().count(), 16);
}

#[test]
fn of_two_identities_made_at_once_one_is_there_and_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config/identity.txt");
    let made: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn({
                    let path = &path;
                    move || create_private(path, format!("key {number}").repeat(100).as_bytes()).is_ok()
                })
            })
            .collect();
        tries.into_iter().map(|thread| usize::from(thread.join().expect("no panic"))).sum()
    });
    assert_eq!(made, 1);
    assert_eq!(fs::read(&path).expect("bytes").len(), 500);
    assert_eq!(fs::read_dir(folder.path().join("config")).expect("a folder").count(), 1);
    assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
}
