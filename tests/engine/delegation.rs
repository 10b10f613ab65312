//! Credentials that another credential helper knows: small scripts in `PATH`, a real registry, a real Engine.

use crate::shop::Shop;
use crate::testbed::eventually;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

/// A shop whose registry's entry names a helper, and the folder that helpers lie in.
struct Delegated {
    shop: Shop,
    folder: PathBuf,
}

impl Delegated {
    fn new() -> Option<Self> {
        let mut shop = Shop::without_credential()?;
        let folder = shop.env.home().join("helpers");
        fs::create_dir_all(&folder).expect("a folder");
        shop.bed.env.path_first(&folder);
        shop.env
            .run(&["registry", "add", &shop.registry, "--helper", "fake"])
            .ok()
            .explains("the helper fake");
        Some(Self { shop, folder })
    }

    /// What the helper does. It writes down each call before: argument, standard input, folder, variables.
    fn helper(&self, script: &str) {
        let path = self.folder.join("docker-credential-fake");
        let log = self.folder.join("calls");
        let text = format!(
            "#!/bin/sh\nserver=$(cat)\necho \"$1 $server in $(pwd)\" >> '{log}'\nenv > '{env}'\n{script}\n",
            log = log.display(),
            env = self.folder.join("env").display()
        );
        // Written beside and renamed: a file that is open for writing cannot be executed.
        fs::write(path.with_extension("new"), text).expect("a script");
        fs::set_permissions(path.with_extension("new"), fs::Permissions::from_mode(0o755))
            .expect("executable");
        fs::rename(path.with_extension("new"), path).expect("renamed");
    }

    /// Answers with the registry's own user.
    fn knows(&self) {
        self.answers(&self.shop.user, &self.shop.password);
    }

    fn answers(&self, user: &str, secret: &str) {
        let answer =
            serde_json::json!({ "ServerURL": self.shop.registry, "Username": user, "Secret": secret });
        self.helper(&format!("cat <<'END'\n{answer}\nEND"));
    }

    /// The calls since the last time.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.folder.join("calls"));
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_helper_is_asked_once_when_planning_and_once_more_when_pulling() {
    let Some(it) = Delegated::new() else { return };
    it.knows();
    let shop = &it.shop;
    let (other, _) = shop.push("serve", "other", "1");
    shop.env.write("states/more.toml", format!("[other.image.pulled]\nname = \"{other}\"\ntag = \"1\"\n"));
    let address = shop.engine.address();
    shop.set_inventory(&[("local", &address), ("again", &address)], &["web", "more"]);
    let plan = shop.env.command(&["plan"]).var("PILLARBOX_AGE_KEY", "AGE-SECRET-KEY-1CANARY").run();
    plan.ok().lacks(&shop.password);
    let expected = format!("get {} in /", shop.registry);
    assert_eq!(it.calls(), [expected.as_str()], "two hosts and two images");
    let variables = fs::read_to_string(it.folder.join("env")).expect("its environment");
    assert!(variables.contains("HOME=") && !variables.contains("PILLARBOX_"), "{variables}");

    shop.set_inventory(&[("local", &address)], &["web", "more"]);
    shop.env.run(&["-v", "apply", "-y"]).ok().lacks(&shop.password);
    assert_eq!(it.calls(), [expected.as_str(), expected.as_str()]);
    shop.answers(shop.port, "web 1.0.0");

    // What a helper said is kept nowhere.
    shop.release("serve", "1.1.0");
    shop.env.run(&["plan", "-o", "plan.json"]).ok();
    shop.env.run(&["apply", "plan.json"]).ok();
    for (path, bytes) in shop.env.files() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&shop.password), "in {}", path.display());
    }
    let label = shop.inspect(&shop.web).to_string();
    assert!(!label.contains(&shop.password));
    // Nothing needs the registry now, so no helper is asked.
    it.calls();
    shop.env.run(&["status"]).ok();
    shop.env.run(&["compile"]).ok();
    shop.env.run(&["registry", "list"]).ok().says("helper fake");
    shop.env.run(&["verify"]).ok();
    shop.env.run(&["plan", "--offline"]).ok();
    assert_eq!(it.calls(), [] as [&str; 0]);
}

#[test]
fn a_helper_that_fails_is_never_taken_for_anonymous() {
    let Some(it) = Delegated::new() else { return };
    let shop = &it.shop;
    let file = format!("pillar/registries/{}.toml:", shop.registry.replace(':', "_"));
    for (script, says) in [
        ("echo 'credentials not found in native keychain'; exit 1", "has no credential for"),
        ("echo 'run: fake login' >&2; echo 'the store is locked'; exit 1", "run: fake login"),
        ("echo 'the store is locked'; exit 1", "the store is locked"),
        ("kill -KILL $$", "crashed"),
        ("echo '<html>sign in</html>'", "is not JSON"),
        ("echo '{}'", "`Username` and `Secret`"),
        ("true", "answered nothing"),
        ("yes CANARY | head -c 3000000", "gave too long an answer"),
        (
            "echo '{\"Username\":\"u\",\"Secret\":\"CANARY-1\"}'; echo 'I said CANARY-1' >&2; exit 4",
            "I said [secret]",
        ),
    ] {
        it.helper(script);
        let said = shop.env.run(&["plan"]).exits(1);
        said.explains(says).explains(&file).explains(&shop.repository).lacks("CANARY");
    }
    fs::remove_file(it.folder.join("docker-credential-fake")).expect("removed");
    shop.env
        .run(&["plan"])
        .exits(1)
        .explains("no program docker-credential-fake in PATH")
        .explains("install");

    // A part of PATH that is relative does not lead into a workspace.
    let ran = it.folder.join("ran");
    let evil = shop.env.workspace().join("docker-credential-fake");
    fs::write(&evil, format!("#!/bin/sh\ntouch '{}'\n", ran.display())).expect("a script");
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).expect("executable");
    let path = format!(".::{}", std::env::var("PATH").expect("a PATH"));
    shop.env
        .command(&["plan"])
        .var("PATH", path)
        .run()
        .exits(1)
        .explains("no program docker-credential-fake");
    assert!(!ran.exists() && shop.containers().is_empty());
}

#[test]
fn docker_hub_is_asked_for_by_its_old_address_and_a_prefix_by_its_host() {
    let Some(it) = Delegated::new() else { return };
    it.helper("echo 'the store is locked'; exit 1");
    for registry in ["docker.io", "registry-1.docker.io/acme", "ghcr.io/acme"] {
        it.shop.env.run(&["registry", "add", registry, "--helper", "fake"]).ok();
    }
    it.shop.env.run(&["registry", "check"]).exits(1).says("4 helper failed").explains("the store is locked");
    let mut calls = it.calls();
    calls.sort();
    let own = format!("get {} in /", it.shop.registry);
    assert_eq!(calls, [own.as_str(), "get ghcr.io in /", "get https://index.docker.io/v1/ in /"]);
}

#[test]
fn what_a_helper_answers_may_be_refused_and_may_be_an_identity_token() {
    let Some(it) = Delegated::new() else { return };
    let shop = &it.shop;
    it.answers(&shop.user, "CANARY-wrong");
    let said = shop.apply().exits(7).lacks("CANARY");
    said.explains("what docker-credential-fake answered was sent").explains("log in again with the tool");
    // The registry of the testbed has passwords alone.
    it.answers("<token>", "CANARY-token");
    shop.apply().exits(7).explains("takes no identity token").lacks("CANARY");
    it.knows();
    shop.apply().ok();
    shop.only("web 1.0.0");
}

#[test]
fn a_token_that_is_over_when_it_comes_to_pulling_changes_nothing() {
    let Some(it) = Delegated::new() else { return };
    let shop = &it.shop;
    it.knows();
    shop.apply().ok();
    shop.release("serve", "1.1.0");
    // It answers right once, to the planning.
    let answer = |secret: &str| serde_json::json!({ "Username": shop.user, "Secret": secret }).to_string();
    let first = it.folder.join("first");
    it.helper(&format!(
        "if mkdir '{}' 2>/dev/null; then cat <<'END'\n{}\nEND\nelse cat <<'END'\n{}\nEND\nfi",
        first.display(),
        answer(&shop.password),
        answer("CANARY-over")
    ));
    let before = shop.identity(&shop.web);
    shop.apply().exits(7).explains("what docker-credential-fake answered").lacks("CANARY");
    assert_eq!(shop.identity(&shop.web), before, "it was touched");
    it.knows();
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_slow_helper_does_not_hold_up_an_interrupt_and_ends_with_it() {
    let Some(it) = Delegated::new() else { return };
    let shop = &it.shop;
    let mark = it.folder.join("pid");
    it.helper(&format!("echo $$ > '{}'; exec sleep 25", mark.display()));
    let child = shop.env.command(&["plan"]).spawn();
    let mut pid = String::new();
    let running = eventually(|| {
        pid = fs::read_to_string(&mark).unwrap_or_default().trim().to_owned();
        !pid.is_empty()
    });
    assert!(running, "the helper was not started");
    let began = std::time::Instant::now();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    let alive = || {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z")
    };
    assert!(eventually(|| !alive()), "the helper lives on");
}
