//! A team's week: five people, each with a home, a private key and a clone of one repository.

use crate::env::{Output, TestEnv};
use crate::team::{Member, fingerprint, origin, slot_of, text};
use serde_json::Value;
use std::fs;

const DATABASE: (&str, &str) = ("api.db_password", "CANARY-database");
const TOKEN: (&str, &str) = ("registries.\"ghcr.io\".password", "CANARY-ghcr");
const QUEUE: (&str, &str) = ("queue.token", "CANARY-queue");
const LATE: (&str, &str) = ("late.token", "CANARY-late");
const AFTER: (&str, &str) = ("after.token", "CANARY-after");
const NEW_AFTER: (&str, &str) = (AFTER.0, "CANARY-new-after");
/// What came in place of what Dave had read.
const NEW: [(&str, &str); 4] = [
    (DATABASE.0, "CANARY-new-database"),
    (TOKEN.0, "CANARY-new-ghcr"),
    (QUEUE.0, "CANARY-new-queue"),
    (LATE.0, "CANARY-new-late"),
];

/// Someone with a clone whose git merges with `pillarbox`, and their public key.
fn person<'e>(env: &'e TestEnv, name: &str) -> (Member<'e>, String) {
    let (member, key) = Member::with_key(env, name);
    let driver = format!("{} merge-driver %O %A %B %P", env!("CARGO_BIN_EXE_pillarbox"));
    member.git(&["config", "merge.pillarbox.driver", &driver]).ok();
    (member, key)
}

fn seals(member: &Member<'_>, file: &str, (key, secret): (&str, &str)) -> Output {
    member.gives(&["seal", "--in", file, key], secret)
}

fn adds_the_registry(member: &Member<'_>, token: &str) {
    member.gives(&["registry", "add", "ghcr.io", "-u", "robot", "--password-stdin"], token).ok();
}

/// On a new branch from what `main` is at the origin.
fn branches(member: &Member<'_>, name: &str) {
    member.git(&["fetch", "-q"]).ok();
    member.git(&["checkout", "-q", "-B", name, "origin/main"]).ok();
}

/// Back on `main`, as it is at the origin.
fn returns(member: &Member<'_>) {
    member.git(&["checkout", "-q", "main"]).ok();
    member.pulls();
}

/// After a pull each of them reveals exactly these secrets.
fn all_read(team: &[&Member<'_>], secrets: &[(&str, &str)]) {
    for member in team {
        returns(member);
        member.runs(&["--strict", "verify", "--require-open"]).ok();
        secrets.iter().for_each(|(key, secret)| member.reveals(key, secret));
    }
}

/// After a pull no secret opens for this one, who is told so.
fn reads_nothing(member: &Member<'_>, secrets: &[(&str, &str)]) {
    returns(member);
    for (key, _) in secrets {
        assert!(member.runs(&["reveal", key]).exits(10).lacks("CANARY").stdout().is_empty(), "{key}");
    }
    assert_ne!(member.runs(&["verify", "--require-open"]).code, 0);
}

/// The keys of a list of what a leaver could read.
fn keys(leaver: &Value, list: &str) -> Vec<String> {
    let all = leaver[list].as_array().expect("a list").iter();
    all.map(|one| one["key"].as_str().expect("a key").to_owned()).collect()
}

fn leaver(member: &Member<'_>, name: &str) -> Value {
    member.runs(&["--json", "reader", "leavers", name]).ok().json()["leavers"][0].clone()
}

/// Names of those who can read a secret, and of those who could.
fn who(member: &Member<'_>, arguments: &[&str]) -> [Vec<String>; 2] {
    let said = member.runs(&[&["--json", "who-can-read"], arguments].concat()).ok().json();
    ["readers", "former"].map(|list| {
        let all = said["secrets"][0][list].as_array().expect("a list").iter();
        all.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    })
}

#[test]
fn a_team_of_five_has_a_week_of_joining_leaving_merging_rewinding_and_an_audit() {
    let env = TestEnv::new();
    env.program("git", &["init", "-q", "--bare", "-b", "main", &origin(&env)]).run().ok();

    // Monday: Alice founds the workspace, and takes in Bob and Dave by the keys that they tell her.
    let (alice, _) = person(&env, "alice");
    alice.runs(&["init", "--name", "shop"]).ok();
    alice.git(&["checkout", "-q", "-b", "main"]).ok();
    assert!(text(&alice.file(".gitattributes")).contains("merge=pillarbox"));
    seals(&alice, "apps", DATABASE).ok();
    adds_the_registry(&alice, TOKEN.1);
    alice.pushes("main");
    let [(bob, bobs), (carol, carols), (dave, daves), (erin, erins)] =
        ["bob", "carol", "dave", "erin"].map(|name| person(&env, name));
    for stranger in [&bob, &carol, &dave, &erin] {
        reads_nothing(stranger, &[DATABASE, TOKEN]);
    }
    for (name, key) in [("bob", &bobs), ("dave", &daves)] {
        alice.runs(&["reader", "add", name, key]).ok();
    }
    alice.pushes("main");
    // Carol and Erin ask on branches with their keys; Alice compares the fingerprints, then accepts them.
    for (asking, name, key) in [(&carol, "carol", &carols), (&erin, "erin", &erins)] {
        branches(asking, name);
        fs::write(asking.file(&format!("keys/{name}.pub")), format!("{key}\n")).expect("written");
        asking.pushes(name);
        alice.merges(name);
        let asked = alice.runs(&["reader", "add", name]).exits(9).explains(&format!("+ {name}  {key}"));
        alice.runs(&["reader", "add", name, "--accept-readers", &fingerprint(asked.stderr())]).ok();
        alice.pushes("main");
    }
    // Erin replaces her key: the box is locked anew for it alone.
    let old = erin.home.join("old.txt");
    returns(&erin);
    fs::rename(erin.home.join(".config/pillarbox/identity.txt"), &old).expect("moved");
    let new = erin.runs(&["-q", "identity", "new"]).ok().stdout().trim().to_owned();
    reads_nothing(&erin, &[DATABASE, TOKEN]);
    alice.pulls();
    fs::write(alice.file("keys/erin.pub"), format!("{new}\n")).expect("written");
    let asked = alice.runs(&["reader", "rekey"]).exits(9).explains(&format!("- erin  {erins}"));
    alice.runs(&["reader", "rekey", "--accept-readers", &fingerprint(asked.stderr())]).ok();
    alice.pushes("main");
    alice.git(&["tag", "monday"]).ok();
    alice.git(&["push", "-q", "origin", "monday"]).ok();
    all_read(&[&alice, &bob, &carol, &dave, &erin], &[DATABASE, TOKEN]);

    // Tuesday: Dave leaves on a branch of Carol's; Bob and Erin go on with the old slot, Erin on a branch.
    branches(&carol, "dave-leaves");
    carol
        .runs(&["reader", "remove", "dave"])
        .ok()
        .explains("dave could read, also in older commits")
        .explains("api.db_password in pillar/apps.toml")
        .explains("(registry ghcr.io, user robot)")
        .explains("pillarbox reader leavers dave");
    carol.pushes("dave-leaves");
    seals(&bob, "queue", QUEUE).ok();
    bob.pushes("main");
    branches(&erin, "late");
    seals(&erin, "late", LATE).ok();
    erin.pushes("late");
    let mondays = slot_of(&bob, "");
    all_read(&[&alice, &bob, &dave, &erin], &[DATABASE, TOKEN, QUEUE]);
    dave.git(&["fetch", "-q"]).ok();
    dave.git(&["checkout", "-q", "origin/dave-leaves"]).ok();
    dave.runs(&["reveal", DATABASE.0]).exits(10).explains("reader");

    // Wednesday: main is rotated as well, and the two locks are joined; then Erin's branch comes.
    alice.pulls();
    alice.runs(&["reader", "rekey", "--new-slot"]).ok();
    alice.pushes("main");
    all_read(&[&alice, &bob, &dave, &erin], &[DATABASE, TOKEN, QUEUE]);
    // Carol's machine knows the rotation of her branch, which this one is not over.
    returns(&carol);
    carol
        .runs(&["verify", "--require-open"])
        .exits(8)
        .explains("pillar/ is not the box that this machine knows: 3 sealed values checked in form alone")
        .explains("pillarbox reader rekey --also REF")
        .lacks("a reader can add this identity");
    seals(&carol, "trap", ("trap.token", "CANARY-trap")).exits(8);
    alice.git(&["fetch", "-q"]).ok();
    alice
        .git(&["merge", "-q", "--no-edit", "origin/dave-leaves"])
        .exits(1)
        .says("CONFLICT (content): Merge conflict in pillar/box.toml")
        .lacks("conflict in pillar/apps.toml")
        .explains("pillarbox reader rekey --also MERGE_HEAD");
    alice.runs(&["reveal", DATABASE.0]).exits(1).explains("pillarbox reader rekey --also MERGE_HEAD");
    alice
        .runs(&["reader", "rekey", "--also", "MERGE_HEAD"])
        .ok()
        .explains("has one lock for both branches; its readers are alice, bob, carol, erin")
        .explains("queue.token in pillar/queue.toml");
    alice.pushes("main");
    all_read(&[&alice, &bob, &carol, &erin], &[DATABASE, TOKEN, QUEUE]);
    alice.merges("late");
    alice.runs(&["verify"]).exits(1).explains("late.token in pillar/late.toml").explains("retired");
    alice.runs(&["reader", "rekey"]).ok().explains("late.token in pillar/late.toml");
    alice.pushes("main");
    returns(&bob);
    seals(&bob, "after", AFTER).ok();
    bob.pushes("main");
    let everything = [DATABASE, TOKEN, QUEUE, LATE, AFTER];
    all_read(&[&alice, &bob, &carol, &erin], &everything);
    reads_nothing(&dave, &everything);

    // Thursday: Dave may still push, and puts Monday's pillar back, to read what others will seal.
    dave.git(&["rm", "-rq", "pillar"]).ok();
    dave.git(&["checkout", "-q", "monday", "--", "pillar"]).ok();
    assert_eq!(slot_of(&dave, ""), mondays);
    dave.pushes("main");
    let rewound = "an older branch, or a rewind?";
    for member in [&bob, &carol, &erin] {
        member.pulls();
        seals(member, "trap", ("trap.token", "CANARY-trap")).exits(8).explains(rewound);
        assert!(!member.file("pillar/trap.toml").exists());
        let read = member.runs(&["reveal", DATABASE.0]).ok().explains("warning").explains(rewound);
        assert_eq!(read.stdout(), DATABASE.1);
        member.runs(&["--strict", "reveal", DATABASE.0]).exits(8).explains(rewound).lacks("CANARY");
        member.runs(&["verify", "--require-open"]).exits(8).explains(rewound);
    }
    bob.git(&["revert", "--no-edit", "HEAD"]).ok();
    bob.git(&["push", "-q", "origin", "HEAD:main"]).ok();
    all_read(&[&alice, &bob, &carol, &erin], &everything);
    reads_nothing(&dave, &everything);
    // A switch to an older branch is the same to a machine, and is asked about once.
    carol.git(&["checkout", "-q", "monday"]).ok();
    carol.runs(&["verify"]).exits(8).explains(rewound).explains("pillarbox known accept pillar/");
    carol
        .runs(&["known", "accept", "pillar/"])
        .ok()
        .explains("beside the newer one")
        .explains("dave can open what is sealed to the older slot");
    for _ in 0..2 {
        carol.runs(&["--strict", "verify"]).ok();
        carol.reveals(DATABASE.0, DATABASE.1);
        all_read(&[&carol], &everything);
        carol.git(&["checkout", "-q", "monday"]).ok();
    }
    carol.git(&["checkout", "-q", "main"]).ok();

    // Friday: what Dave and the old key of Erin could read is changed, until nothing is left to change.
    let left = leaver(&bob, "dave");
    // Thursday's box names Dave again, and its lock opens no more than on Monday.
    let readable = [DATABASE.0, LATE.0, QUEUE.0, TOKEN.0];
    assert_eq!(keys(&left, "rotate"), readable);
    assert_eq!(keys(&leaver(&bob, "erin"), "rotate"), [DATABASE.0, TOKEN.0]);
    bob.runs(&["reader", "leavers"]).ok().says("  4 to change").says("  2 to change");
    branches(&bob, "rotation");
    for (file, new) in [("apps", NEW[0]), ("queue", NEW[2]), ("late", NEW[3])] {
        seals(&bob, file, new).ok();
    }
    adds_the_registry(&bob, NEW[1].1);
    bob.pushes("rotation");
    // The pull request is looked at without a key, from a clone that is ahead of where the branch began.
    seals(&alice, "after", NEW_AFTER).ok();
    alice.pushes("main");
    let ci = Member::joins(&env, "ci");
    ci.git(&["checkout", "-q", "origin/rotation"]).ok();
    let seen = ci.runs(&["--no-identity", "verify", "--against", "origin/main"]).ok();
    let seen = seen.says("secret replaced by another: ").stdout().to_owned();
    assert_eq!(seen.matches("secret replaced by another").count(), NEW.len(), "{seen}");
    ci.runs(&["--no-identity", "verify", "--require-open"]).exits(10);
    alice.merges("rotation");
    alice.git(&["push", "-q", "origin", "main"]).ok();
    let now = [NEW[0], NEW[1], NEW[2], NEW[3], NEW_AFTER];
    all_read(&[&alice, &bob, &carol, &erin], &now);
    reads_nothing(&dave, &now);
    for name in ["dave", "erin"] {
        assert!(keys(&leaver(&alice, name), "rotate").is_empty(), "{name}");
    }
    assert_eq!(keys(&leaver(&alice, "dave"), "replaced"), readable);
    alice.runs(&["reader", "leavers"]).ok().says("  0 to change");

    // The auditor asks who could read what, and when; a clone without a key answers as well.
    let members = ["alice", "bob", "carol", "erin"].map(str::to_owned).to_vec();
    let former = vec!["dave".to_owned(), "erin".to_owned()];
    for member in [&alice, &ci] {
        returns(member);
        assert_eq!(who(member, &[AFTER.0]), [members.clone(), Vec::new()]);
        assert_eq!(who(member, &[DATABASE.0]), [members.clone(), Vec::new()]);
        let [readers, gone] = who(member, &[DATABASE.0, "--at", "monday"]);
        assert_eq!((readers.len(), &gone), (5, &former[1..].to_vec()), "{readers:?}");
        let before = who(member, &[DATABASE.0, "--at", "origin/main~1"]);
        assert_eq!(before, [members.clone(), former.clone()]);
    }
    alice.runs(&["verify", "--against", "origin/main"]).ok();
}
