//! Tasks on a real Engine: once, before anything else, and judged by what is there.

use crate::env::Output;
use crate::secret_files::{docker, volumes};
use crate::testbed::{EngineEnv, eventually};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// A service whose migration writes a line into a volume each time that it runs.
struct Migrated {
    bed: EngineEnv,
    web: String,
}

impl Migrated {
    fn new() -> Option<Self> {
        let bed = EngineEnv::initialised(&["web"])?;
        bed.add_registry();
        let (repository, _) = bed.push("serve", "web", "1.0.0");
        let web = format!("{}-web", bed.name);
        let gate = format!("[deploy.web]\nimage = \"{repository}\"\nversion = \"1.0.0\"\n");
        bed.env.write("pillar/apps.toml", gate);
        let labels = json!({ "io.pillarbox.workspace": bed.name });
        bed.engine.post("/volumes/create", &json!({ "Name": bed.name, "Labels": labels }));
        let migrated = Self { bed, web };
        migrated.task("", "");
        Some(migrated)
    }

    /// The states: what the migration does beside writing its line, and more options of it.
    fn task(&self, script: &str, more: &str) {
        let (web, volume) = (&self.web, &self.bed.name);
        let state = format!(
            r#"
[migrate.task.ran]
gate = "web"
command = ["sh", "-c", "echo $VERSION >>/data/ran; {script}"]
env.VERSION = "{{{{ pillar.deploy.web.version }}}}"
volumes = ["{volume}:/data"]
stop_timeout = "1s"
{more}

[web.service.deployed]
name = "{web}"
gate = "web"
volumes = ["{volume}:/data:ro"]
stop_timeout = "2s"
retain = 0
update = {{ monitor = "1s", drain = "0s" }}
require = ["migrate"]
"#
        );
        self.bed.env.write("states/web.toml", state);
    }

    fn release(&self, version: &str) {
        self.bed.push("serve", "web", version);
        self.bed.env.run(&["set", "deploy.web.version", version]).ok();
    }

    fn apply(&self) -> Output {
        self.bed.env.run(&["apply", "-y"])
    }

    fn inspect(&self, name: &str) -> Value {
        self.bed.engine.container(name)
    }

    fn version(&self) -> Value {
        self.inspect(&self.web)["Config"]["Labels"]["io.pillarbox.version"].clone()
    }

    fn container(&self) -> String {
        format!("pillarbox-task.{}.migrate", self.bed.name)
    }

    /// The versions that were migrated to, in order.
    fn ran(&self) -> Vec<String> {
        let (_, text) = docker(&self.bed, &["exec", &self.web, "cat", "/data/ran"]);
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    fn names(&self) -> Vec<String> {
        let names = self.bed.containers();
        let mut names: Vec<String> = names
            .iter()
            .map(|one| one["Names"][0].as_str().unwrap_or_default().trim_start_matches('/').to_owned())
            .collect();
        names.sort();
        names
    }

    #[track_caller]
    fn rests(&self) {
        self.bed.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
    }
}

impl Drop for Migrated {
    fn drop(&mut self) {
        for name in self.names() {
            self.bed.engine.delete(&format!("/containers/{name}?force=1&v=1"));
        }
        for volume in volumes(&self.bed).iter().chain([&self.bed.name]) {
            self.bed.engine.delete(&format!("/volumes/{volume}"));
        }
    }
}

#[test]
fn a_task_runs_once_for_a_version_before_the_service_and_never_again() {
    let Some(shop) = Migrated::new() else { return };
    let plan = shop.bed.env.run(&["plan"]).ok();
    plan.says("+ task migrate").says("run once: it has not run yet");
    shop.apply().ok();
    assert_eq!(shop.ran(), ["1.0.0"]);
    assert_eq!(shop.names(), [shop.web.as_str()]);
    shop.rests();
    let tasks = shop.inspect(&shop.web)["Config"]["Labels"]["io.pillarbox.tasks"].clone();
    let print = tasks.as_str().and_then(|text| text.strip_prefix("migrate=")).expect("its label").to_owned();
    assert_eq!(volumes(&shop.bed), [format!("pillarbox-ran.{}.migrate.{print}", shop.bed.name)]);
    shop.release("1.1.0");
    shop.bed.env.run(&["plan"]).ok().says("version 1.0.0 → 1.1.0");
    shop.apply().ok();
    assert_eq!((shop.ran(), shop.version()), (vec!["1.0.0".to_owned(), "1.1.0".to_owned()], json!("1.1.0")));
    // Back, and forth again: both have had it.
    for version in ["1.0.0", "1.1.0"] {
        shop.bed.env.run(&["set", "deploy.web.version", version]).ok();
        shop.apply().ok();
        assert_eq!(shop.version(), json!(version));
    }
    assert_eq!(shop.ran().len(), 2);
    // What remembers it is lost: what was made after it remembers it too.
    for volume in volumes(&shop.bed) {
        shop.bed.engine.delete(&format!("/volumes/{volume}"));
    }
    shop.bed.env.run(&["plan"]).ok().says("as containers made after it say");
    shop.apply().ok();
    assert_eq!(shop.ran().len(), 2);
    shop.rests();
}

#[test]
fn a_task_that_fails_shows_its_last_words_and_nothing_is_replaced() {
    let Some(shop) = Migrated::new() else { return };
    shop.bed.env.run_with_input(&["seal", "web.password", "--in", "apps"], "canary/word\n").ok();
    shop.apply().ok();
    let before = shop.inspect(&shop.web)["Id"].clone();
    shop.release("1.1.0");
    let secrets =
        "env.PASSWORD = \"{{ pillar.web.password }}\"\nsecrets.password = \"{{ pillar.web.password }}\"\n";
    shop.task("echo cannot log in with $PASSWORD; cat /run/secrets/password; exit 4", secrets);
    let failed = shop.apply();
    let said = failed.to_string();
    failed.exits(3).explains("cannot log in with [secret]").explains("exit code 4").explains("docker logs");
    assert!(!said.contains("canary"), "{said}");
    assert_eq!(shop.inspect(&shop.web)["Id"], before);
    assert_eq!(shop.names(), [shop.container().as_str(), &shop.web]);
    shop.bed.env.run(&["plan"]).ok().says("run once: the last attempt is exited (4)");
    shop.bed.env.run(&["apply", "-y", "--json"]).exits(3);
    assert_eq!(shop.ran(), ["1.0.0", "1.1.0", "1.1.0"]);
    // It does not end either.
    shop.task("sleep 60", "timeout = \"1s\"\n");
    shop.apply().exits(3).explains("did not end within 1 seconds and was stopped");
    assert_eq!(shop.names(), [format!("{}.stopped", shop.container()).as_str(), &shop.web]);
    assert_eq!(shop.inspect(&shop.web)["Id"], before);
    // It has no such program: nothing has run.
    shop.task("true", "entrypoint = [\"/nothing\"]\n");
    shop.apply().exits(3).explains("no such file");
    assert_eq!(shop.inspect(&shop.web)["Id"], before);
    shop.task("true", secrets);
    shop.apply().ok();
    assert_eq!((shop.version(), shop.names()), (json!("1.1.0"), vec![shop.web.clone()]));
    assert_eq!(volumes(&shop.bed).len(), 2, "{:?}", volumes(&shop.bed));
    shop.rests();
}

#[test]
fn a_task_that_runs_when_the_apply_is_killed_is_waited_for_and_not_started_twice() {
    let Some(shop) = Migrated::new() else { return };
    for (version, pause) in [("1.1.0", 0), ("1.2.0", 4)] {
        shop.release(version);
        shop.task("sleep 3", "");
        let mut child = shop.bed.env.command(&["apply", "-y"]).spawn();
        let runs = || {
            let found = shop.bed.engine.find_container(&shop.container());
            found.is_some_and(|found| found["State"]["Running"] == true)
        };
        assert!(eventually(runs), "it does not run");
        child.kill().expect("killed");
        child.wait().expect("ended");
        let locks = shop.bed.engine.volumes();
        let ours = format!("pillarbox-lock.{}.", shop.bed.name);
        for name in locks.iter().filter_map(|one| one["Name"].as_str()).filter(|name| name.starts_with(&ours))
        {
            shop.bed.engine.delete(&format!("/volumes/{name}"));
        }
        std::thread::sleep(Duration::from_secs(pause));
        let expected = if pause == 0 { "it runs already" } else { "it ended well" };
        shop.bed.env.run(&["plan"]).ok().says(expected);
        shop.apply().ok();
        assert_eq!(shop.version(), json!(version));
        assert_eq!(shop.names(), [shop.web.as_str()]);
    }
    assert_eq!(shop.ran(), ["1.1.0", "1.2.0"]);
    shop.rests();
}

#[test]
fn secrets_of_a_task_can_lie_in_memory_alone() {
    let Some(shop) = Migrated::new() else { return };
    let secret = format!("canary-in-memory-{}", shop.bed.name);
    shop.bed.env.run_with_input(&["seal", "web.password", "--in", "apps"], format!("{secret}\n")).ok();
    let file = "user = \"1000\"\nread_only = true\n\
                secrets.password = { value = \"{{ pillar.web.password }}\", uid = 1000, mode = \"0400\", store = \"memory\" }\n";
    // It is there at the first instruction, and only its length is told.
    shop.task("sleep 2", &file.replace("user = \"1000\"\n", ""));
    let state = shop.bed.env.read("states/web.toml");
    let reads = "[\"sh\", \"-c\", \"wc -c </run/secrets/password >/data/length; sleep 2\"]";
    let line = state.lines().find(|line| line.starts_with("command")).expect("a command").to_owned();
    shop.bed.env.write("states/web.toml", state.replace(&line, &format!("command = {reads}")));
    let child = shop.bed.env.command(&["apply", "-y"]).spawn();
    let volume = format!("pillarbox-secrets.{}.migrate.task", shop.bed.name);
    let runs = || {
        let found = shop.bed.engine.find_container(&shop.container());
        found.is_some_and(|found| found["State"]["Running"] == true)
    };
    assert!(eventually(runs), "it does not run");
    let engine = shop.bed.engine.socket().parent().expect("its folder").join("docker");
    let on_disk = |folder: &str| {
        // Not what is mounted below it: memory is, under the name of its volume.
        let find = Command::new("find")
            .arg(engine.join(folder))
            .args(["-xdev", "-type", "f", "-exec", "grep", "-lF", &secret, "{}", "+"])
            .output()
            .expect("find");
        String::from_utf8_lossy(&find.stdout).into_owned()
    };
    let data = engine.join("volumes").join(&volume).join("_data");
    let kind = Command::new("stat").args(["-f", "-c", "%T"]).arg(&data).output().expect("stat");
    assert_eq!(String::from_utf8_lossy(&kind.stdout).trim(), "tmpfs");

    for folder in ["volumes", "containers", "overlay2", "vfs"] {
        if engine.join(folder).is_dir() {
            assert_eq!(on_disk(folder), "", "{folder}");
        }
    }
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (_, length) = docker(&shop.bed, &["exec", &shop.web, "cat", "/data/length"]);
    assert_eq!(String::from_utf8_lossy(&length).trim(), secret.len().to_string());
    assert!(!volumes(&shop.bed).contains(&volume));
    assert_eq!(shop.names(), [shop.web.as_str()]);
    shop.rests();
}
