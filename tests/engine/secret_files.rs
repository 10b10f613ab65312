//! Secrets as files: whole in the container, with owner and mode, in a volume that goes with it.

use crate::cut::killed;
use crate::env::Output;
use crate::secret_env::forms;
use crate::shop::Shop;
use crate::testbed::EngineEnv;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The docker client on the Engine of a test.
pub(crate) fn docker(bed: &EngineEnv, arguments: &[&str]) -> (bool, Vec<u8>) {
    let output = Command::new("docker")
        .args(["-H", &bed.engine.address()])
        .args(arguments)
        .env("DOCKER_CONFIG", bed.env.home().join("docker-config"))
        .env("HOME", bed.env.home())
        .output()
        .expect("the docker client");
    let mut said = output.stdout;
    said.extend_from_slice(&output.stderr);
    (output.status.success(), said)
}

/// The volumes of secrets of a workspace, and what remembers its tasks.
pub(crate) fn volumes(bed: &EngineEnv) -> Vec<String> {
    let all = bed.engine.volumes();
    let ours = ["secrets", "ran"].map(|kind| format!("pillarbox-{kind}.{}.", bed.name));
    let names = all.iter().filter_map(|volume| volume["Name"].as_str());
    let mut names: Vec<String> =
        names.filter(|name| ours.iter().any(|ours| name.starts_with(ours))).map(str::to_owned).collect();
    names.sort();
    names
}

/// A file of a container, running or not: its mode and owner as `tar` lists them, and its bytes.
fn file(bed: &EngineEnv, container: &str, path: &str) -> (String, Vec<u8>) {
    let folder = bed.env.home().join("copied");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let script = format!(
        "docker -H '{}' cp '{container}:{path}' - >'{1}/file.tar' && tar -C '{1}' -xf '{1}/file.tar' && \
         tar --numeric-owner -tvf '{1}/file.tar'",
        bed.engine.address(),
        folder.display()
    );
    let output = Command::new("sh").args(["-c", &script]).env("HOME", bed.env.home()).output();
    let output = output.expect("sh");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).expect("text");
    let words: Vec<&str> = listed.split_whitespace().take(2).collect();
    let name = path.rsplit('/').next().expect("a name");
    (words.join(" "), fs::read(folder.join(name)).expect("the file"))
}

#[test]
fn files_have_their_bytes_owner_and_mode_with_a_read_only_root_and_another_user() {
    let Some(shop) = Shop::new() else { return };
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let key = shop.env.home().join("key.bin");
    fs::write(&key, &bytes).expect("a file");
    shop.env.run(&["seal", "web.key", "--in", "apps", "--file", key.to_str().expect("a path")]).ok();
    shop.seal("web.password", "pass € word");
    let options = "read_only = true\nuser = \"1000\"\nsecrets.key = \"{{ pillar.web.key }}\"\n\
                   secrets.conf = { value = \"p={{ pillar.web.password | urlencode }}\\n\", uid = 1000, gid = 7, mode = \"0400\" }\n";
    shop.options(options);
    let plan = shop.env.run(&["plan"]).ok();
    plan.says(&format!("web.key → local, {}, file /run/secrets/key", shop.web)).lacks("€");
    shop.apply().ok();
    shop.only("web 1.0.0");
    assert_eq!(file(&shop, &shop.web, "/run/secrets/key"), ("-r--r--r-- 0/0".to_owned(), bytes));
    let conf = b"p=pass%20%E2%82%AC%20word\n".to_vec();
    assert_eq!(file(&shop, &shop.web, "/run/secrets/conf"), ("-r-------- 1000/7".to_owned(), conf));
    let (_, read) = docker(&shop, &["exec", &shop.web, "cat", "/run/secrets/conf"]);
    assert_eq!(String::from_utf8_lossy(&read), "p=pass%20%E2%82%AC%20word\n");
    let (written, _) = docker(&shop, &["exec", "-u", "0", &shop.web, "touch", "/run/secrets/new"]);
    assert!(!written, "it can be written");
    let volume = format!("pillarbox-secrets.{}.{}.g1", shop.name, shop.web);
    assert_eq!(volumes(&shop), [volume.as_str()]);
    shop.rests();

    // It is still there after a restart, by the Engine or by hand.
    docker(&shop, &["restart", "-t", "1", &shop.web]);
    let (_, read) = docker(&shop, &["exec", &shop.web, "cat", "/run/secrets/conf"]);
    assert_eq!(String::from_utf8_lossy(&read), "p=pass%20%E2%82%AC%20word\n");

    // Another secret: another container, with a volume of its own.
    shop.seal("web.password", "another");
    shop.env.run(&["plan"]).ok().says("-/+").says("secrets.conf changed");
    shop.apply().ok();
    assert_eq!(file(&shop, &shop.web, "/run/secrets/conf").1, b"p=another\n");
    assert_eq!(volumes(&shop), [format!("pillarbox-secrets.{}.{}.g2", shop.name, shop.web)]);
    shop.rests();
    shop.absent();
    shop.apply().ok();
    assert_eq!(volumes(&shop), [""; 0]);
    assert_eq!(shop.names(), [""; 0]);
}

#[test]
fn an_image_without_a_shell_a_command_or_a_plain_run_folder_gets_its_files() {
    let Some(shop) = Shop::new() else { return };
    shop.seal("web.key", "the key");
    let copies = || {
        let volumes = shop.engine.socket().parent().expect("its folder").join("docker/volumes");
        let all = fs::read_dir(volumes).expect("volumes").filter_map(|entry| Some(entry.ok()?.path()));
        all.filter(|volume| volume.join("_data/secrets/old").is_file())
    };
    let before: Vec<PathBuf> = copies().collect();
    for (kind, version) in [("bare", "2.0.0"), ("linked", "3.0.0")] {
        shop.release(kind, version);
        shop.options(
            "command = [\"/tail\", \"-f\", \"/run/secrets/key\"]\nread_only = true\n\
             secrets.key = { value = \"{{ pillar.web.key }}\\n\", uid = 1000, mode = \"0400\" }\n",
        );
        shop.apply().ok();
        let (_, log) = docker(&shop, &["logs", &shop.web]);
        assert_eq!(String::from_utf8_lossy(&log), "the key\n", "{kind}");
        let (there, _) = docker(&shop, &["cp", &format!("{}:/run/secrets/old", shop.web), "-"]);
        assert!(!there, "{kind}: a file of the image");
        shop.rests();
        assert_eq!(shop.names(), [shop.web.as_str()]);
        // The volume that its image declares has what the image has there: one, and none of what filled it.
        let copies: Vec<PathBuf> = copies().filter(|volume| !before.contains(volume)).collect();
        assert_eq!(copies.len(), 1, "{kind}: {copies:?}");
    }
}

#[test]
fn a_commit_of_a_container_holds_no_secret() {
    let Some(shop) = Shop::new() else { return };
    let secret = format!("canary-{}-secret", shop.name);
    shop.seal("web.key", &secret);
    shop.options("secrets.key = \"{{ pillar.web.key }}\"\n");
    shop.apply().ok();
    let image = format!("copy/{}/web:1", shop.name);
    assert!(docker(&shop, &["commit", &shop.web, &image]).0);
    let (done, archive) = docker(&shop, &["save", &image]);
    assert!(done && archive.len() > 10_000);
    let (_, exported) = docker(&shop, &["export", &shop.web]);
    let (_, history) = docker(&shop, &["history", "--no-trunc", &image]);
    let (_, inspected) = docker(&shop, &["inspect", &image, &shop.web]);
    for (what, bytes) in
        [("image", archive), ("export", exported), ("history", history), ("inspect", inspected)]
    {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for form in forms(&secret) {
            assert!(!text.contains(&form), "the {what} holds {form:?}");
        }
    }
    shop.engine.delete(&format!("/images/{image}?force=1"));
}

#[test]
fn a_secret_in_a_file_is_in_no_output_label_or_argument() {
    let Some(shop) = Shop::new() else { return };
    let secret = format!("canary~?>file/{}", shop.name);
    let forms = forms(&secret);
    let absent = |what: &str, text: &str| {
        for form in &forms {
            assert!(!text.contains(form.as_str()), "{what} holds {form:?}");
        }
    };
    shop.seal("web.key", &secret);
    let files =
        "secrets.key = \"{{ pillar.web.key }}\"\nsecrets.b64 = \"x={{ pillar.web.key | b64encode }}\"\n";
    shop.options(files);
    let ran = |output: &Output| absent("the output", &output.to_string());
    for command in [
        &["plan", "-v"][..],
        &["plan", "-v", "--json"],
        &["plan", "-o", "plan.json", "--html", "plan.html"],
        &["compile", "--json"],
        &["status", "--json"],
    ] {
        ran(&shop.env.run(command));
    }
    absent("the page", &shop.env.read("plan.html"));
    let plan = shop.env.read("plan.json");
    absent("the plan", &plan);
    assert!(plan.contains("\"sealed\": \"web.key\""), "{plan}");
    let mut child = shop.env.command(&["apply", "plan.json", "-v"]).var("RUST_LOG", "trace").spawn();
    while child.try_wait().expect("it ends").is_none() {
        for process in fs::read_dir("/proc").expect("/proc").filter_map(|entry| Some(entry.ok()?.path())) {
            let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
            absent("arguments of a process", &String::from_utf8_lossy(&arguments));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    absent("the output", &String::from_utf8_lossy(&output.stdout));
    absent("the output", &String::from_utf8_lossy(&output.stderr));

    // It tells it as its last words.
    shop.release("serve", "1.1.0");
    let tells = "command = [\"sh\", \"-c\", \"cat /run/secrets/key /run/secrets/b64; exit 3\"]\n";
    shop.options(&format!("{files}{tells}"));
    let failed = shop.env.run(&["apply", "-y", "-v"]);
    assert!(failed.code == 3 && failed.stderr.contains("[secret]"), "{failed}");
    ran(&failed);
    assert_eq!(volumes(&shop).len(), 2, "the attempt that was kept has its own");
    for name in shop.names() {
        absent("what the Engine says of it", &shop.inspect(&name).to_string());
    }
    for path in ["/images/json", "/volumes", "/info"] {
        absent(path, &shop.engine.inspect(path).to_string());
    }
}

#[test]
fn what_was_left_is_removed_and_a_foreign_volume_is_not() {
    let Some(shop) = Shop::deployed() else { return };
    shop.seal("web.key", "the key");
    let ours = |name: &str, value: &str| json!({ "io.pillarbox.workspace": shop.name, name: value });
    let whose = format!("{}.g9", shop.web);
    let volume = format!("pillarbox-secrets.{}.{whose}", shop.name);
    let create = |name: &str, labels: &Value| {
        shop.engine.post("/volumes/create", &json!({ "Name": name, "Labels": labels }));
    };
    create(&volume, &ours("io.pillarbox.secrets", &whose));
    let theirs = format!("{}-data", shop.name);
    create(&theirs, &ours("io.pillarbox.secrets", &whose));
    let image = format!("{}:1.0.0", shop.repository);
    let filler = json!({ "Image": image, "Labels": ours("io.pillarbox.fills", &whose) });
    shop.engine.post(&format!("/containers/create?name={volume}"), &filler);
    let plan = shop.env.run(&["plan"]).ok();
    plan.says(&format!("- container {volume}")).says(&format!("- volume {volume}")).lacks("--prune");
    shop.apply().ok();
    shop.only("web 1.0.0");
    assert_eq!(volumes(&shop), [""; 0]);
    assert!(shop.engine.volumes().iter().any(|volume| volume["Name"] == theirs));
    shop.rests();
    shop.engine.delete(&format!("/volumes/{theirs}"));

    // A volume that has the name that ours would have.
    let next = format!("pillarbox-secrets.{}.{}.g2", shop.name, shop.web);
    create(&next, &json!({ "mine": "yes" }));
    shop.options("secrets.key = \"{{ pillar.web.key }}\"\n");
    let before = shop.identity(&shop.web);
    shop.apply().exits(1).explains("a volume of that name exists that is not managed by pillarbox");
    assert_eq!(shop.identity(&shop.web), before);
    shop.engine.delete(&format!("/volumes/{next}"));
    shop.apply().ok();
    shop.answers(shop.port, "web 1.0.0");
    assert_eq!(volumes(&shop), [next]);
}

#[test]
fn an_apply_that_is_killed_after_any_line_leaves_no_volume_and_no_filler() {
    let Some(shop) = Shop::deployed() else { return };
    shop.seal("web.key", "the key");
    shop.hasty();
    let mut cut = 0;
    for (turn, lines) in (1..60).enumerate() {
        let mode = if turn % 2 == 0 { "0400" } else { "0444" };
        let files = format!("secrets.key = {{ value = \"{{{{ pillar.web.key }}}}\", mode = \"{mode}\" }}\n");
        shop.options(&files);
        shop.hasty();
        let seen = killed(shop.env.command(&["apply", "-y", "-v"]), lines).is_some();
        cut += usize::from(seen);
        shop.lease_is_over();
        shop.apply().ok();
        shop.answers(shop.port, "web 1.0.0");
        assert_eq!(shop.names(), [shop.web.as_str()], "after {lines} lines");
        let generation = shop.label(&shop.web, "generation");
        let volume = format!("pillarbox-secrets.{}.{}.g{generation}", shop.name, shop.web);
        assert_eq!(volumes(&shop), [volume], "after {lines} lines");
        let (_, key) = docker(&shop, &["exec", &shop.web, "cat", "/run/secrets/key"]);
        assert_eq!(key, b"the key");
        if !seen {
            break;
        }
    }
    assert!(cut > 10, "only {cut} moments");
}
