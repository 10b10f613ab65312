//! Secrets: whole in the container, and nowhere else.

use crate::env::Output;
use crate::shop::Shop;
use crate::testbed::encoded;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// All that can be printed, what encoders change, and more than one line.
fn awkward() -> String {
    let printable: String = (b' '..=b'~').map(char::from).collect();
    format!("{printable} äöüß € 🔑\n\tsecond line\\n\n{{{{ 7 * 7 }}}} end")
}

/// A variable of a container, as the Engine has it.
fn variable(shop: &Shop, name: &str) -> String {
    let inspect = shop.inspect(&shop.web);
    let all = inspect["Config"]["Env"].as_array().expect("variables");
    let found = all.iter().filter_map(Value::as_str).find_map(|one| one.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name}")).to_owned()
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[test]
fn a_secret_of_any_characters_arrives_exactly() {
    let Some(shop) = Shop::new() else { return };
    let secret = awkward();
    shop.env.run_with_input(&["seal", "web.key", "--in", "apps"], format!("{secret}\n")).ok();
    shop.options(
        r#"env.KEY = "{{ pillar.web.key }}"
env.URL = "db://u:{{ pillar.web.key | urlencode }}@h/{{ pillar.web.port }}"
env.BASE = "{{ pillar.web.key | b64encode }}"
env.JSON = "{\"key\": {{ pillar.web.key | tojson }}}"
env.CHOSEN = "{{ pillar.web.other | default(pillar.web.key) }}"
"#,
    );
    let plan = shop.env.run(&["plan"]).ok();
    plan.says(&format!("web.key → local, {}, env KEY", shop.web)).says("env URL").lacks("second line");
    shop.apply().ok();
    assert_eq!(variable(&shop, "KEY"), secret);
    assert_eq!(variable(&shop, "CHOSEN"), secret);
    assert_eq!(variable(&shop, "URL"), format!("db://u:{}@h/{}", percent(&secret), shop.port));
    assert_eq!(variable(&shop, "BASE"), base64::engine::general_purpose::STANDARD.encode(&secret));
    let json: Value = serde_json::from_str(&variable(&shop, "JSON")).expect("JSON");
    assert_eq!(json, json!({ "key": secret }));
    shop.rests();

    // The same secret again under a new id, and another: both replace, and only who receives it.
    shop.seal("web.key", "another");
    shop.env.run(&["plan"]).ok().says("-/+").says("env.KEY").lacks("another");
    shop.apply().ok();
    assert_eq!(variable(&shop, "KEY"), "another");
    shop.rests();
}

/// Forms in which a secret may turn up.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let hex = |upper: bool| -> String {
        secret.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let mut forms = vec![secret.to_owned(), percent(secret), encoded(secret), hex(true), hex(false)];
    for offset in 0..3 {
        let mut bytes = vec![b'x'; offset];
        bytes.extend_from_slice(secret.as_bytes());
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes);
            // What stands beside it changes the first and the last digits.
            forms.push(text[[0, 2, 3][offset]..text.len() - 2].to_owned());
        }
    }
    forms
}

/// Now, in seconds.
pub(crate) fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The events of an Engine from then until now.
pub(crate) fn events(engine: &Path, since: u64) -> String {
    let until = clock() + 1;
    let mut events = std::os::unix::net::UnixStream::connect(engine).expect("the Engine");
    let request = format!("GET /events?since={since}&until={until} HTTP/1.0\r\nHost: engine\r\n\r\n");
    std::io::Write::write_all(&mut events, request.as_bytes()).expect("a request");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut events, &mut said).expect("events");
    said
}

/// Two secrets and everything that was seen while they were used.
struct Hunt {
    forms: Vec<String>,
}

impl Hunt {
    #[track_caller]
    fn absent_from(&self, what: &str, text: &str) {
        for form in &self.forms {
            assert!(!text.contains(form.as_str()), "{what} holds {form:?}");
        }
    }

    #[track_caller]
    fn ran(&self, output: &Output) {
        self.absent_from("the output", &output.to_string());
    }

    /// Every file below a folder that can be read.
    fn absent_from_files(&self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let Ok(kind) = fs::symlink_metadata(&path).map(|data| data.file_type()) else { continue };
            if kind.is_dir() {
                self.absent_from_files(&path);
            } else if kind.is_file()
                && let Ok(bytes) = fs::read(&path)
            {
                self.absent_from(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
            }
        }
    }

    /// What processes were started with, but for those inside of containers.
    fn absent_from_processes(&self) {
        let Ok(processes) = fs::read_dir("/proc") else { return };
        for process in processes.filter_map(|entry| Some(entry.ok()?.path())) {
            let read = |file: &str| fs::read(process.join(file)).unwrap_or_default();
            let arguments = String::from_utf8_lossy(&read("cmdline")).into_owned();
            self.absent_from("arguments of a process", &arguments);
            if arguments.contains("pillarbox") {
                self.absent_from("its environment", &String::from_utf8_lossy(&read("environ")));
            }
        }
    }
}

#[test]
fn a_secret_is_in_no_output_file_label_event_or_argument() {
    let Some(shop) = Shop::without_credential() else { return };
    let secret = format!("canary~?>secret/{}", shop.name);
    let password = format!("canary~?>password/{}", shop.name);
    let user = format!("{}-robot", shop.name);
    let hunt = Hunt { forms: [&secret, &password].into_iter().flat_map(|secret| forms(secret)).collect() };
    let since = clock();
    shop.add_registry_user(&user, &password);
    shop.credential(&user, &password);
    shop.seal("web.key", &secret);
    let env = "env.KEY = \"{{ pillar.web.key }}\"\nenv.URL = \"db://{{ pillar.web.key | urlencode }}@h\"\n\
               env.BASE = \"{{ pillar.web.key | b64encode }}\"\n";
    shop.options(env);
    let plan_file = shop.env.workspace().join("plan.json");
    for command in [
        &["plan"][..],
        &["plan", "-v", "--json"],
        &["plan", "-v", "-o", "plan.json", "--html", "plan.html"],
        &["plan", "--html", "-"],
        &["compile"],
        &["compile", "--json"],
        &["verify"],
        &["show", "apps"],
        &["status"],
    ] {
        hunt.ran(&shop.env.run(command));
    }
    assert!(plan_file.is_file());
    let page = shop.env.read("plan.html");
    assert!(page.contains("(sealed ") && page.contains("<svg"), "{page}");
    hunt.absent_from("the page", &page);
    let mut child = shop.env.command(&["apply", "-y", "-v"]).var("RUST_LOG", "trace").spawn();
    while child.try_wait().expect("it ends").is_none() {
        hunt.absent_from_processes();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success());
    hunt.absent_from("the output", &String::from_utf8_lossy(&output.stdout));
    hunt.absent_from("the output", &String::from_utf8_lossy(&output.stderr));
    shop.only("web 1.0.0");
    let web = shop.web.as_str();
    for command in [
        &["-v", "exec", web, "-T", "--", "true"][..],
        &["-v", "exec", web, "--all", "--json", "--", "no-such-program"],
        &["-v", "run", web, "-T", "--", "true"],
        &["-v", "run", web, "-T", "--", "no-such-program"],
        &["-v", "logs", web],
        &["-v", "logs", web, "--json"],
        &["status", "--prometheus"],
        &["df", "--json"],
        &["clean", "-y", "--json"],
        &["stop", web, "-y", "--json"],
        &["start", web, "--json"],
    ] {
        hunt.ran(&shop.env.run(command));
    }
    // What it publishes is a line of the plan.
    shop.options(&format!("{env}env.MORE = \"{{{{ pillar.web.key }}}}\"\n"));
    for command in [&["plan", "-v"][..], &["plan", "--json"]] {
        let plan = shop.env.run(command);
        assert!(plan.stdout.contains("publishes"), "{plan}");
        hunt.ran(&plan);
    }

    // It prints its environment in every form and ends: its last words are shown.
    shop.release("serve", "1.1.0");
    let tells = "command = [\"sh\", \"-c\", \"env; env | while read line; do echo \\\"said: $line\\\"; done; exit 3\"]\n";
    shop.options(&format!("{env}{tells}"));
    let failed = shop.env.run(&["apply", "-y", "-v"]);
    assert!(failed.code == 3 && failed.stderr.contains("KEY=[secret]"), "{failed}");
    hunt.ran(&failed);
    hunt.ran(&shop.env.run(&["apply", "-y", "--json"]));
    hunt.ran(&shop.env.run(&["status", "--json"]));
    hunt.ran(&shop.env.run(&["plan", "-v"]));

    for name in shop.names() {
        let mut inspect = shop.inspect(&name);
        inspect["Config"]["Env"] = json!([]);
        hunt.absent_from("what the Engine says of it", &inspect.to_string());
    }
    let said = events(shop.engine.socket(), since);
    assert!(said.contains(&shop.web), "no events");
    hunt.absent_from("events", &said);
    for path in ["/images/json", "/volumes", "/info"] {
        hunt.absent_from(path, &shop.engine.inspect(path).to_string());
    }
    let home = shop.env.home();
    hunt.absent_from_files(home.parent().expect("the folder of the test"));
    // The host keeps what a container is given, and no credential.
    let credential = Hunt { forms: forms(&password) };
    let engine: PathBuf = shop.engine.socket().parent().expect("its folder").to_owned();
    for folder in ["docker/image", "docker/containers", "docker/volumes", "run", "log"] {
        credential.absent_from_files(&engine.join(folder));
    }
}

#[test]
fn a_secret_that_no_environment_can_hold_stops_before_anything_is_changed() {
    let Some(shop) = Shop::deployed() else { return };
    let before = shop.identity(&shop.web);
    let file = shop.env.home().join("key.bin");
    fs::write(&file, [0xff, 0xfe, b'x']).expect("a file");
    shop.env.run(&["seal", "web.key", "--in", "apps", "--file", file.to_str().expect("a path")]).ok();
    shop.options("env.KEY = \"{{ pillar.web.key }}\"");
    shop.apply().exits(1).explains("b64encode");
    assert_eq!(shop.identity(&shop.web), before);
    assert_eq!(shop.names(), [shop.web.as_str()]);
    shop.options("env.KEY = \"{{ pillar.web.key | b64encode }}\"");
    shop.apply().ok();
    assert_eq!(variable(&shop, "KEY"), "//54");
}

#[test]
fn a_secret_that_was_moved_or_changed_stops_before_anything_is_changed() {
    let Some(shop) = Shop::deployed() else { return };
    shop.seal("web.key", "secret");
    shop.options("env.KEY = \"{{ pillar.web.key }}\"");
    let text = shop.env.read("pillar/apps.toml");
    let before = shop.identity(&shop.web);
    shop.env.write("pillar/apps.toml", text.replace("key = {", "other = {"));
    shop.options("env.KEY = \"{{ pillar.web.other }}\"");
    shop.apply().exits(8).explains("web.other");
    shop.env.run(&["--no-identity", "apply", "-y"]).exits(10);
    assert_eq!(shop.identity(&shop.web), before);
    assert_eq!(shop.names(), [shop.web.as_str()]);
}
