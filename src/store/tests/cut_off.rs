use super::*;

const OLD: [(&str, &str); 4] = [
    ("pillar/apps.toml", "a = 1\n"),
    ("pillar/box.toml", "slot = \"old\"\n"),
    ("pillar/gone.toml", "c = 1\n"),
    ("keys/frank.pub", "age1frank\n"),
];

/// Replaces two files, removes two, makes two, one in a new folder; one stays as it is.
fn change() -> Change {
    let mut change = Change::new();
    change.put("pillar/apps.toml", "a = 2 # longer than it was\n");
    change.put("pillar/box.toml", "slot = \"new\"\n");
    change.put("pillar/prod/eu/apps.toml", "d = 1\n");
    change.put("pillar/registries/x.toml", "e = 1\n");
    change.put("pillarbox.toml", SHOP);
    change.remove("pillar/gone.toml");
    change.remove("keys/frank.pub");
    change.remove("pillar/never-there.toml");
    change
}

fn before() -> TempDir {
    let folder = shop(&OLD);
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(folder.path().join("pillar/apps.toml"), mode).expect("a mode");
    folder
}

/// What the files are after the change, without any fault.
fn after() -> BTreeMap<String, (u32, String)> {
    let folder = before();
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    write(&workspace, &change()).expect("written");
    state(folder.path())
}

#[test]
fn a_change_without_a_fault_is_whole_and_leaves_nothing_behind() {
    let folder = before();
    let workspace = Workspace::open(folder.path()).expect("a workspace");
    write(&workspace, &change()).expect("written");
    let now = state(folder.path());
    assert_eq!(now["pillar/apps.toml"], (0o640, "a = 2 # longer than it was\n".to_owned()));
    let names: Vec<&str> = now.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "pillar/apps.toml",
            "pillar/box.toml",
            "pillar/prod/eu/apps.toml",
            "pillar/registries/x.toml",
            "pillarbox.toml"
        ]
    );
    assert_eq!(own(folder.path()), [".gitignore", "lock"]);
}

#[test]
fn cut_off_at_any_step_and_again_while_finishing_the_workspace_is_the_old_or_the_new_one() {
    let (new, mut tried, mut mixed, mut news) = (after(), 0, 0, 0);
    for steps in 0.. {
        // Every step at which the change can end, and within it every step at which finishing can.
        let mut over = false;
        for again in 0.. {
            let folder = before();
            let old = state(folder.path());
            let workspace = open_with(folder.path(), steps, Fault::Crash).expect("nothing to finish yet");
            let made = write(&workspace, &change());
            over = !workspace.disk().faults.has_come();
            drop(workspace);
            let between = state(folder.path());
            mixed += usize::from(between != old && between != new);
            let second = open_with(folder.path(), again, Fault::Crash);
            let finished = second.is_ok_and(|workspace| !workspace.disk().faults.has_come());
            let third = Workspace::open(folder.path()).expect("a workspace");
            let now = state(folder.path());
            assert!(now == old || now == new, "after {steps} and {again} steps: {now:#?}");
            assert!(made.is_err() || now == new, "done but not there, after {steps}");
            news += usize::from(now == new);
            tried += 1;
            write(&third, &change()).expect("the same change again");
            assert_eq!(state(folder.path()), new);
            assert_eq!(own(folder.path()), [".gitignore", "lock"], "after {steps} and {again} steps");
            if finished || over {
                break;
            }
        }
        if over {
            break;
        }
    }
    // The test is worth something only if it met all kinds of states.
    assert!(tried > 100 && mixed > 10 && news > 20, "{tried} tried, {mixed} mixed, {news} new");
}

#[test]
fn a_disk_that_is_full_at_any_step_leaves_the_old_or_the_new_one_and_a_way_on() {
    let new = after();
    for steps in 0.. {
        let folder = before();
        let old = state(folder.path());
        let workspace = open_with(folder.path(), steps, Fault::Full).expect("nothing to finish yet");
        let made = write(&workspace, &change());
        if !workspace.disk().faults.has_come() {
            assert!(made.is_ok());
            break;
        }
        match &made {
            Ok(()) => assert_eq!(state(folder.path()), new),
            Err(problems) => {
                let said = format!("{problems:?}");
                let unchanged =
                    state(folder.path()) == old && !folder.path().join(".pillarbox/commit").exists();
                let hint = if unchanged { "make some room" } else { "finishes it" };
                assert!(said.contains(hint), "after {steps}: {said}");
            }
        }
        drop(workspace);
        let workspace = Workspace::open(folder.path()).expect("room again");
        let now = state(folder.path());
        assert!(now == old || now == new, "after {steps} steps: {now:#?}");
        write(&workspace, &change()).expect("the same change again");
        assert_eq!(state(folder.path()), new);
    }
}

#[test]
fn one_file_cut_off_at_any_step_is_the_old_or_the_new_one() {
    for steps in 0.. {
        let folder = before();
        let old = state(folder.path());
        let workspace = open_with(folder.path(), steps, Fault::Crash).expect("nothing to finish");
        let mut change = Change::new();
        change.put("pillar/apps.toml", "a = 3\n");
        let made = write(&workspace, &change);
        let over = !workspace.disk().faults.has_come();
        let now = state(folder.path());
        let mut new = old.clone();
        new.insert("pillar/apps.toml".to_owned(), (0o640, "a = 3\n".to_owned()));
        assert!(now == old || now == new, "after {steps} steps: {now:#?}");
        assert!(made.is_err() || now == new);
        let third = Workspace::open(folder.path()).expect("a workspace");
        write(&third, &change).expect("again");
        assert_eq!(state(folder.path()), new);
        assert_eq!(own(folder.path()), [".gitignore", "lock"]);
        if over {
            break;
        }
    }
}

/// A workspace whose change was cut off right after the moment of change.
fn half_done() -> TempDir {
    for steps in 0.. {
        let folder = before();
        let workspace = open_with(folder.path(), steps, Fault::Crash).expect("nothing to finish");
        assert!(write(&workspace, &change()).is_err(), "the change is over");
        if state(folder.path())["pillar/apps.toml"].1.contains("a = 2") {
            return folder;
        }
    }
    unreachable!("the change never came")
}

#[test]
fn where_nothing_can_be_written_an_unfinished_change_is_read_as_if_finished() {
    let folder = half_done();
    let now = state(folder.path());
    let workspace = open_with(folder.path(), 0, Fault::ReadOnly).expect("readable");
    assert_eq!(workspace.read("pillar/box.toml").expect("text"), "slot = \"new\"\n");
    assert_eq!(
        workspace.pillar_files().expect("files"),
        ["apps.toml", "prod/eu/apps.toml", "registries/x.toml"]
    );
    assert!(workspace.key_files().expect("files").is_empty());
    assert_eq!(workspace.documents().expect("files").len(), 3);
    assert!(workspace.read_if_there("keys/frank.pub").expect("gone").is_none());
    let problems = write(&workspace, &change()).expect_err("read-only");
    assert!(format!("{problems:?}").contains("read-only"), "{problems:?}");
    assert_eq!(state(folder.path()), now);
    Workspace::open(folder.path()).expect("writable again");
    assert_eq!(state(folder.path()), after());
}

#[test]
fn a_file_that_is_neither_old_nor_new_stops_with_commands_that_help() {
    let folder = half_done();
    fs::write(folder.path().join("pillar/box.toml"), "slot = \"mine\"\n").expect("an editor");
    let now = state(folder.path());
    let problem = Workspace::open(folder.path()).expect_err("stops").into_vec().remove(0);
    assert!(problem.what.starts_with("pillar/box.toml was changed"), "{problem:?}");
    let finish = problem.hints[0].rsplit_once(": ").expect("a command").1;
    assert_eq!(state(folder.path()), now, "nothing was moved");
    let done = std::process::Command::new("sh").args(["-c", finish]).current_dir(folder.path()).status();
    assert!(done.expect("a shell").success(), "{finish}");
    Workspace::open(folder.path()).expect("finished");
    assert_eq!(state(folder.path()), after());
}

#[test]
fn a_change_that_came_with_a_clone_is_not_taken_for_our_own() {
    let (folder, clone) = (half_done(), tempfile::tempdir().expect("a folder"));
    let copied = std::process::Command::new("cp")
        .args(["-r", &format!("{}/.", folder.path().display())])
        .arg(clone.path())
        .status();
    assert!(copied.expect("cp").success());
    let now = state(clone.path());
    let problem = Workspace::open(clone.path()).expect_err("stops").into_vec().remove(0);
    assert!(problem.what.contains("came with a copy or a clone"), "{problem:?}");
    assert_eq!(state(clone.path()), now);
}

#[test]
fn a_damaged_journal_stops_before_anything_is_moved() {
    let folder = half_done();
    let staged = folder.path().join(".pillarbox/commit");
    let now = state(folder.path());
    for entry in fs::read_dir(&staged).expect("a folder") {
        let path = entry.expect("an entry").path();
        let good = fs::read(&path).expect("bytes");
        fs::remove_file(&path).expect("a file of its own: its content is linked elsewhere");
        fs::write(&path, &good[..good.len() / 2]).expect("a torn file");
        let opened = Workspace::open(folder.path());
        // What already stands in its place is not needed any more.
        assert!(opened.is_err() || state(folder.path()) == after());
        if opened.is_ok() {
            return;
        }
        assert_eq!(state(folder.path()), now);
        fs::write(&path, &good).expect("repaired");
    }
    Workspace::open(folder.path()).expect("finished");
    assert_eq!(state(folder.path()), after());
}
