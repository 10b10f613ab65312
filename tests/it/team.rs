//! A team of four with two boxes: people join and leave, keys are replaced, a branch posts to an old slot,
//! and CI seals what it cannot open. Each has a clone, a home and a private key of their own.

use crate::env::{Output, Run, TestEnv};
use crate::sealing::box_file;
use crate::search::holds;
use std::fs;
use std::path::{Path, PathBuf};

/// One of the team on a machine of their own.
pub(crate) struct Member<'e> {
    env: &'e TestEnv,
    pub(crate) home: PathBuf,
    clone: PathBuf,
}

impl<'e> Member<'e> {
    /// With a clone of the team's repository.
    pub(crate) fn joins(env: &'e TestEnv, name: &str) -> Self {
        let home = env.home().join("team").join(name);
        fs::create_dir_all(&home).expect("a home");
        let member = Self { env, clone: home.join("shop"), home };
        member
            .set(env.program("git", &["clone", "-q", &origin(env), "shop"]))
            .within(&member.home)
            .run()
            .ok();
        member
    }

    /// As `joins`, with a private key; returns the public one.
    pub(crate) fn with_key(env: &'e TestEnv, name: &str) -> (Self, String) {
        let member = Self::joins(env, name);
        let key = member.runs(&["-q", "identity", "new"]).ok().stdout().trim().to_owned();
        (member, key)
    }

    fn set(&self, run: Run) -> Run {
        let name = self.home.file_name().expect("a name").to_owned();
        run.var("HOME", &self.home)
            .var("USER", &name)
            .var("XDG_CONFIG_HOME", self.home.join(".config"))
            .var("XDG_DATA_HOME", self.home.join(".local/share"))
            .var("XDG_STATE_HOME", self.home.join(".local/state"))
            .var("GIT_AUTHOR_NAME", &name)
            .var("GIT_COMMITTER_NAME", &name)
    }

    pub(crate) fn runs(&self, arguments: &[&str]) -> Output {
        self.gives(arguments, "")
    }

    /// As `runs`, with a standard input. Whatever is run: `reveal` alone prints a secret, on standard output.
    pub(crate) fn gives(&self, arguments: &[&str], input: &str) -> Output {
        let output = self.set(self.env.command(arguments)).within(&self.clone).input(input).run();
        let revealed = arguments.contains(&"reveal") && !holds(output.stderr.as_bytes(), "CANARY");
        let shown = holds(format!("{}{}", output.stdout, output.stderr).as_bytes(), "CANARY");
        assert!(revealed || !shown, "a secret was printed\n{output}");
        output
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> Output {
        self.set(self.env.program("git", arguments)).within(&self.clone).run()
    }

    pub(crate) fn pulls(&self) {
        self.git(&["pull", "-q", "--no-rebase", "--no-edit", "origin", "main"]).ok();
    }

    /// Commits everything and pushes it as a branch.
    pub(crate) fn pushes(&self, branch: &str) {
        self.git(&["add", "-A"]).ok();
        self.git(&["commit", "-q", "-m", branch]).ok();
        self.git(&["push", "-q", "origin", &format!("HEAD:{branch}")]).ok();
    }

    /// Merges the branch of another person, as a button would.
    pub(crate) fn merges(&self, branch: &str) {
        self.git(&["fetch", "-q"]).ok();
        self.git(&["merge", "-q", "--no-ff", "--no-edit", &format!("origin/{branch}")]).ok();
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.clone.join(path)
    }

    pub(crate) fn reveals(&self, key: &str, secret: &str) {
        assert_eq!(self.runs(&["reveal", key]).ok().stdout(), secret);
    }
}

pub(crate) fn origin(env: &TestEnv) -> String {
    env.home().join("origin.git").to_str().expect("a path").to_owned()
}

pub(crate) fn fingerprint(said: &str) -> String {
    let hint = said.split("--accept-readers ").nth(1).expect("a hint with a fingerprint");
    hint.split_whitespace().next().expect("a fingerprint").to_owned()
}

pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Alice's workspace, pushed; she has a clone as everybody else.
fn founded(env: &TestEnv) -> Member<'_> {
    env.program("git", &["init", "-q", "--bare", "-b", "main", &origin(env)]).run().ok();
    let (alice, _) = Member::with_key(env, "alice");
    alice.runs(&["init", "--name", "shop"]).ok();
    alice.git(&["checkout", "-q", "-b", "main"]).ok();
    alice.gives(&["seal", "--in", "apps", "api.db_password"], "staging-CANARY").ok();
    alice
        .runs(&["box", "new", "prod", "--readers", "alice"])
        .ok()
        .explains("pillar/prod/ has one reader, alice");
    alice.gives(&["seal", "--in", "prod/apps", "api.db_password"], "prod-CANARY").ok();
    let add = ["registry", "add", "ghcr.io", "-u", "robot", "--password-stdin"];
    alice.gives(&add, "token-CANARY").ok();
    alice.pushes("main");
    alice
}

#[test]
fn a_team_of_four_lives_through_joining_leaving_new_keys_old_branches_and_ci() {
    let env = TestEnv::new();
    let alice = founded(&env);

    // Bob and Carol tell Alice their keys; Carol is for production too.
    let (bob, bobs_key) = Member::with_key(&env, "bob");
    let (carol, carols_key) = Member::with_key(&env, "carol");
    bob.runs(&["verify", "--require-open"]).exits(10);
    alice.runs(&["reader", "add", "bob", &bobs_key]).ok().explains("bob can open pillar/");
    alice.runs(&["reader", "add", "carol", &carols_key, "--box", "pillar/", "--box", "prod"]).ok();
    let inventory = text(&alice.file("pillarbox.toml")).replace(
        "default = [\"alice\"]",
        "default = [\"@ops\", \"dave\"]\n\n[readers.groups]\nops = [\"alice\", \"carol\"] # may open production",
    );
    fs::write(alice.file("pillarbox.toml"), &inventory).expect("written");
    alice.pushes("main");
    for member in [&bob, &carol] {
        member.pulls();
        member.reveals("registries.ghcr.io.password", "token-CANARY");
    }
    bob.runs(&["reveal", "--in", "apps", "api.db_password"]).ok();
    bob.runs(&["reveal", "--in", "prod/apps", "api.db_password"]).exits(10).lacks("CANARY");
    carol.runs(&["reveal", "--in", "prod/apps", "api.db_password"]).ok();

    // Dave asks with a pull request that has his key in it: seen without a key, accepted by fingerprint.
    let (dave, daves_key) = Member::with_key(&env, "dave");
    dave.git(&["checkout", "-q", "-b", "dave-joins"]).ok();
    fs::write(dave.file("keys/dave.pub"), format!("{daves_key}\n")).expect("written");
    dave.pushes("dave-joins");
    let ci = Member::joins(&env, "ci");
    ci.git(&["fetch", "-q"]).ok();
    ci.git(&["checkout", "-q", "origin/dave-joins"]).ok();
    ci.runs(&["--no-identity", "verify", "--against", "origin/main"])
        .ok()
        .says("new key of a reader: keys/dave.pub");
    alice.merges("dave-joins");
    let asked = alice.runs(&["reader", "add", "dave"]).exits(9).explains(&format!("+ dave  {daves_key}"));
    alice.runs(&["reader", "add", "dave", "--accept-readers", &fingerprint(asked.stderr())]).ok();
    alice.pushes("main");
    dave.git(&["checkout", "-q", "main"]).ok();
    dave.pulls();
    dave.reveals("registries.ghcr.io.password", "token-CANARY");

    // A new box for the group. Alice's machine knows all of these keys from boxes that she opened.
    alice.runs(&["box", "new", "prod/eu", "--readers", "@opps"]).exits(1).explains("did you mean `ops`?");
    alice.runs(&["box", "new", "prod/eu", "--readers", "@ops"]).ok().explains("its readers are alice, carol");
    alice.gives(&["seal", "--in", "prod/eu/apps", "eu.token"], "eu-CANARY").ok();
    alice.pushes("main");

    // Bob's laptop is gone. He brings a new key; CI says so, Alice accepts it by fingerprint.
    bob.pulls();
    let old = bob.home.join("old.txt");
    fs::rename(bob.home.join(".config/pillarbox/identity.txt"), &old).expect("moved");
    let new_key = bob.runs(&["-q", "identity", "new"]).ok().stdout().trim().to_owned();
    bob.git(&["checkout", "-q", "-b", "bobs-new-key"]).ok();
    fs::write(bob.file("keys/bob.pub"), format!("{new_key}\n")).expect("written");
    bob.pushes("bobs-new-key");
    ci.git(&["fetch", "-q"]).ok();
    ci.git(&["checkout", "-q", "origin/bobs-new-key"]).ok();
    // The lock still has the old key: pending, and grave for a reviewer.
    ci.runs(&["--no-identity", "verify", "--against", "origin/main"])
        .exits(8)
        .says("key of a reader changed: keys/bob.pub");
    alice.merges("bobs-new-key");
    alice.runs(&["verify"]).exits(1).explains("keys/bob.pub has another key");
    let asked = alice.runs(&["reader", "rekey"]).exits(9).explains(&format!("- bob  {bobs_key}"));
    alice
        .runs(&["reader", "rekey", "--accept-readers", &fingerprint(asked.stderr())])
        .ok()
        .explains("removed readers could read")
        .explains("(registry ghcr.io, user robot)")
        .lacks("CANARY");
    alice.pushes("main");
    bob.git(&["checkout", "-q", "main"]).ok();
    bob.pulls();
    bob.reveals("registries.ghcr.io.password", "token-CANARY");
    let with_old =
        bob.set(env.command(&["--identity", old.to_str().expect("a path"), "verify", "--require-open"]));
    with_old.var("XDG_CONFIG_HOME", bob.home.join("nothing")).within(&bob.clone).run().exits(10);

    // Carol works on a branch for a while and posts there; meanwhile Dave leaves.
    carol.pulls();
    carol.git(&["checkout", "-q", "-b", "carols-work"]).ok();
    carol.gives(&["seal", "--in", "queue", "queue.token"], "late-CANARY").ok();
    carol.pushes("carols-work");
    let slot = slot_of(&alice, "");
    let left = alice.runs(&["--json", "-q", "reader", "remove", "dave"]).ok();
    let json = left.json();
    assert_eq!(json["new_slots"], serde_json::json!(["pillar/"]));
    assert_eq!(json["rotate"][1]["registry"], "registry ghcr.io, user robot", "{json:#}");
    left.explains("dave could read").explains("api.db_password in pillar/apps.toml").lacks("CANARY");
    assert_ne!(slot_of(&alice, ""), slot);
    assert!(!alice.file("keys/dave.pub").exists());
    let inventory = text(&alice.file("pillarbox.toml"));
    assert!(
        inventory.contains("default = [\"@ops\"]") && inventory.contains("# may open production"),
        "{inventory}"
    );
    alice.pushes("main");
    dave.pulls();
    dave.runs(&["verify", "--require-open"]).exits(8).explains("known accept");

    // Her branch is merged: git sees no conflict, pillarbox sees the old slot.
    alice.merges("carols-work");
    alice
        .runs(&["verify"])
        .exits(1)
        .explains("queue.token in pillar/queue.toml")
        .explains("slot that has retired");
    alice.runs(&["reader", "rekey"]).ok().explains("queue.token in pillar/queue.toml").lacks("CANARY");
    alice.runs(&["verify"]).ok();
    alice.reveals("queue.token", "late-CANARY");
    alice.pushes("main");
    carol.git(&["checkout", "-q", "main"]).ok();
    carol.pulls();
    carol.reveals("queue.token", "late-CANARY");
    carol.runs(&["verify", "--require-open"]).ok();

    // CI rotates a token that it cannot read, to the slot that its settings name.
    let slot = slot_of(&alice, "");
    ci.git(&["checkout", "-q", "-B", "rotation", "origin/main"]).ok();
    ci.pulls();
    let seal = |slot: &str| {
        ci.gives(&["--no-identity", "--strict", "seal", "--slot", slot, "queue.token"], "ci-CANARY")
    };
    seal(&bobs_key).exits(8).explains("is not the given one");
    seal(&slot).ok().explains("is the given one").explains("sealed again").lacks("CANARY");
    // The box of an older commit is put back, with the slot that has retired.
    let now = text(&ci.file("pillar/box.toml"));
    ci.git(&["fetch", "-q"]).ok();
    ci.git(&["checkout", "-q", "origin/dave-joins", "--", "pillar/box.toml"]).ok();
    let old = slot_of(&ci, "");
    seal(&old).exits(8).explains("pillar/");
    fs::write(ci.file("pillar/box.toml"), now).expect("written");
    ci.runs(&["reveal", "queue.token"]).exits(10);
    ci.runs(&["--no-identity", "verify", "--against", "origin/main"]).ok().says("secret replaced by another");
    ci.pushes("rotation");
    alice.merges("rotation");
    alice.reveals("queue.token", "ci-CANARY");

    // The last but one leaves production.
    alice
        .runs(&["reader", "remove", "carol", "--box", "prod", "--box", "prod/eu"])
        .ok()
        .explains("pillar/prod/ has one reader, alice")
        .explains("pillar/prod/eu/ has one reader, alice")
        .explains("eu.token in pillar/prod/eu/apps.toml");
    alice.runs(&["verify", "--require-open"]).ok().explains("has one reader");
    assert!(text(&alice.file("pillarbox.toml")).contains("\"carol\""), "she still reads pillar/");
}

pub(crate) fn slot_of(member: &Member<'_>, folder: &str) -> String {
    let path = member.file("pillar").join(folder).join("box.toml");
    let text = text(&path);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("slot = ").or_else(|| line.strip_prefix("slot    = ")));
    line.expect("a slot").trim().trim_matches('"').to_owned()
}

#[test]
fn groups_that_hold_groups_are_refused_and_empty_or_unknown_ones_where_they_are_used() {
    let env = TestEnv::initialised();
    let inventory = |groups: &str| {
        env.write(
            "pillarbox.toml",
            format!("workspace = \"shop\"\n[readers]\ndefault = [\"alice\"]\n[readers.groups]\n{groups}"),
        );
    };
    inventory("ops = [\"alice\"]\nall = [\"@ops\", \"bob\"]\nown = [\"@own\"]\n");
    env.run(&["box", "list"])
        .exits(1)
        .explains("pillarbox.toml:6: the group of readers `@all` holds another group")
        .explains("pillarbox.toml:7: the group of readers `@own` holds another group");
    inventory("ops = []\n");
    env.run(&["box", "new", "prod", "--readers", "@ops"])
        .exits(1)
        .explains("the group of readers `@ops` is empty");
    env.run(&["box", "new", "prod", "--readers", "alice,@ghosts"])
        .exits(1)
        .explains("no group of readers `@ghosts`");
    inventory("ops = [\"alice\"]\n");
    env.run(&["box", "new", "prod", "--readers", "@ops,alice,@ops"]).ok().explains("its readers are alice\n");
    assert_eq!(box_file(&env, "prod").readers.len(), 1);
}

#[test]
fn a_reader_who_is_only_named_in_lists_is_taken_out_of_them() {
    let env = TestEnv::initialised();
    env.write("pillarbox.toml", "workspace = \"shop\"\n[readers]\ndefault = [\"alice\", \"zoe\"]\n[readers.groups]\nops = [\"zoe\"]\n");
    env.run(&["reader", "remove", "zoe"]).ok().explains("zoe was a reader of no box");
    assert_eq!(
        env.read("pillarbox.toml"),
        "workspace = \"shop\"\n[readers]\ndefault = [\"alice\"]\n[readers.groups]\nops = []\n"
    );
    env.run(&["reader", "remove", "zoe"]).exits(1).explains("zoe is not a reader of any box");
}
