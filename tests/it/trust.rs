//! What this machine knows of workspaces and hosts, and who tries to get around it.

use crate::env::TestEnv;
use crate::lying_engine::{DIGEST, LyingEngine};
use crate::sealing::person;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

const ID: &str = "0123456789abcdef";

/// The id of the workspace.
fn id(env: &TestEnv) -> String {
    let text = env.read("pillarbox.toml");
    let line = text.lines().find(|line| line.starts_with("id = ")).expect("an id");
    line.split('"').nth(1).expect("a text").to_owned()
}

fn replace(env: &TestEnv, from: &str, to: &str) {
    let text = env.read("pillarbox.toml");
    assert!(text.contains(from), "{text}");
    env.write("pillarbox.toml", text.replace(from, to));
}

/// Puts a slot and lock in the place of the workspace's that another reader's key opens alone.
fn swap_the_slot(env: &TestEnv, workspace: &str) {
    let mallory = TestEnv::named("mallory");
    mallory.run(&["init", "--name", workspace]).ok();
    env.write("pillar/box.toml", mallory.read("pillar/box.toml").replace("\"me\"", "\"alice\""));
}

#[test]
fn a_new_workspace_has_an_id_of_its_own() {
    let (env, other) = (TestEnv::initialised(), TestEnv::initialised());
    assert_eq!(id(&env).len(), 16);
    assert_ne!(id(&env), id(&other));
    let folder = env.workspace().canonicalize().expect("its real path");
    env.run(&["known", "list"]).ok().says(&format!(
        "shop  id {}\n  in {}\n  pillar/  age1",
        id(&env),
        folder.display()
    ));
    env.write("pillarbox.toml", env.read("pillarbox.toml").replace(&id(&env), "x"));
    env.run(&["verify"]).exits(1).explains("pillarbox.toml").explains("is not the id of a workspace");
}

#[test]
fn a_new_name_or_id_makes_no_new_workspace_of_a_known_one() {
    let env = TestEnv::initialised();
    let own = id(&env);
    for (from, to) in [
        ("workspace = \"shop\"".to_owned(), "workspace = \"shop2\"".to_owned()),
        (format!("id = \"{own}\""), format!("id = \"{ID}\"")),
    ] {
        let before = env.files();
        replace(&env, &from, &to);
        swap_the_slot(&env, if to.starts_with("workspace") { "shop2" } else { "shop" });
        // The secret would be sealed to the attacker's slot, without a word but a first use.
        for identity in [&["--no-identity"][..], &[]] {
            let mut arguments = identity.to_vec();
            arguments.extend(["seal", "api.password", "--in", "apps"]);
            let said = env.run_with_input(&arguments, "s3cret").exits(8);
            said.explains("has another").explains("pillarbox known rename");
        }
        assert_eq!(env.read("pillar/apps.toml").as_bytes(), before[Path::new("pillar/apps.toml")]);
        for (path, text) in before {
            fs::write(env.workspace().join(path), text).expect("as it was");
        }
    }
    env.run_with_input(&["seal", "api.password", "--in", "apps"], "s3cret").ok();
}

#[test]
fn a_rename_that_is_meant_has_a_command() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "api.password", "--in", "apps"], "s3cret").ok();
    replace(&env, "workspace = \"shop\"", "workspace = \"store\"");
    env.run(&["verify"]).exits(8);
    env.run(&["known", "rename", "shop", "stor"]).exits(64).explains("this workspace is not named `stor`");
    env.run(&["known", "rename", "shp", "store"]).exits(64).explains("did you mean `shop`");
    env.run(&["known", "rename", "shop", "store"]).ok().explains("do not open under the new name");
    env.run(&["known", "list"]).ok().says("store  id ").lacks("shop  id");
    // The lock of a box is bound to the name.
    env.run(&["verify"]).exits(8).explains("it was made for the workspace shop, not store");
    replace(&env, "workspace = \"store\"", "workspace = \"shop\"");
    env.run(&["known", "rename", "store", "shop"]).ok();
    env.run(&["--strict", "verify"]).ok().explains("1 sealed value in 1 box: 1 opened");
    let old = id(&env);
    replace(&env, &old, ID);
    env.run(&["verify"]).exits(8).explains(&format!("pillarbox known rename {old} shop"));
    env.run(&["known", "rename", &old, "shop"]).ok();
    env.run(&["--strict", "verify"]).ok();
}

#[test]
fn a_workspace_from_before_ids_goes_on_and_gets_one_with_a_hint() {
    let env = TestEnv::initialised();
    replace(&env, &format!("id = \"{}\"\n", id(&env)), "");
    // As an older version left it.
    let known = env.home().join(".local/state/pillarbox/known.toml");
    let text = fs::read_to_string(&known).expect("known.toml");
    let text: String = text
        .lines()
        .filter(|line| !["[[", "name =", "id =", "folders ="].iter().any(|start| line.starts_with(start)))
        .map(|line| format!("{line}\n"))
        .collect();
    let text =
        text.replace("format = 2", "format = 1").replace("[workspaces.boxes", "[workspaces.shop.boxes");
    fs::write(&known, text).expect("written");
    env.run(&["--strict", "verify"]).ok();
    env.run(&["--json", "doctor", "--offline"]).ok().says("it has no id").says("pillarbox init --id");
    env.run(&["init", "--id"]).ok().explains("has the id");
    let text = env.read("pillarbox.toml");
    assert!(text.contains("owns_without_id = true"), "{text}");
    env.run(&["--strict", "verify"]).ok();
    env.run(&["init", "--id"]).ok().explains("has an id already");
    assert_eq!(env.read("pillarbox.toml"), text);
    env.run(&["known", "list"]).ok().says(&format!("shop  id {}", id(&env)));
    replace(&env, &id(&env), ID);
    env.run(&["verify"]).exits(8).explains("has another id");
}

#[test]
fn what_decides_who_receives_a_secret_is_shown_against_a_revision() {
    let env = TestEnv::initialised();
    let (a, b) = (env.home().join("a"), env.home().join("b"));
    for (folder, letter) in [(&a, "A"), (&b, "B")] {
        fs::create_dir(folder).expect("made");
        certificate(&env, folder, letter);
    }
    let hosts = format!(
        "[hosts.tls]\nengine = \"tcp://web1.example.com\"\ntls = \"{}\"\n[hosts.local2]\nengine = \"tcp://127.0.0.1:2375\"\n",
        a.display()
    );
    env.write("pillarbox.toml", env.read("pillarbox.toml") + &hosts);
    for arguments in [&["init", "-q", "."][..], &["add", "-A"], &["commit", "-qm", "first"]] {
        env.program("git", arguments).run().ok();
    }
    env.run(&["verify", "--against", "HEAD"]).ok().explains("nothing that protects a secret differs");
    let before = env.read("pillarbox.toml");
    replace(&env, &a.display().to_string(), &b.display().to_string());
    let said = env.run(&["verify", "--against", "HEAD"]).exits(8).says("! engine changed: tls\n");
    let prints: Vec<&str> =
        said.stdout().split("authority sha256:").skip(1).map(|text| &text[..64]).collect();
    assert!(prints.len() == 2 && prints[0] != prints[1], "{}", said.stdout());
    env.write("pillarbox.toml", &before);
    replace(&env, "web1.example.com", "root@web1.example.com");
    env.run(&["verify", "--against", "HEAD"]).exits(1);
    env.write("pillarbox.toml", &before);
    replace(&env, "tcp://web1.example.com\"\n", "tcp://web1.example.com:2377\"\n");
    env.run(&["verify", "--against", "HEAD"]).exits(8).says("! engine changed: tls");
    env.write("pillarbox.toml", &before);
    replace(
        &env,
        "engine = \"tcp://127.0.0.1:2375\"\n",
        "engine = \"tcp://127.0.0.1:2375\"\ntls = \"~/.docker\"\n",
    );
    env.run(&["verify", "--against", "HEAD"]).exits(8).says("TLS none").says("! engine changed: local2");
    env.write("pillarbox.toml", &before);
    let old = id(&env);
    replace(&env, &old, ID);
    replace(&env, "groups = [\"web\"]", "groups = []");
    env.run(&["known", "rename", &old, "shop"]).ok();
    env.run(&["verify", "--against", "HEAD"])
        .exits(8)
        .says(&format!("! id of the workspace changed: shop\n    {old} → {ID}"))
        .says(
            "  files of a host changed: local\n    pillar registries/* apps; states nginx → pillar ; states ",
        );
    env.write("pillarbox.toml", before.replace("workspace = \"shop\"", "workspace = \"shop2\""));
    env.run(&["known", "rename", "shop", "shop2"]).ok();
    let said = env.run(&["--no-identity", "verify", "--against", "HEAD"]);
    assert!(said.stdout.contains("! workspace renamed: shop2\n    shop → shop2"), "{}", said.stdout);
}

/// Makes `ca.pem`.
fn certificate(env: &TestEnv, folder: &Path, name: &str) {
    let (key, ca) = (folder.join("ca-key.pem"), folder.join("ca.pem"));
    let subject = format!("/CN={name}");
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        &subject,
        "-keyout",
        key.to_str().expect("a path"),
        "-out",
        ca.to_str().expect("a path"),
    ];
    env.program("openssl", &arguments).run().ok();
}

#[test]
fn another_authority_or_other_certificates_are_not_those_of_the_known_host() {
    let env = TestEnv::initialised();
    let certs = env.home().join("certs");
    fs::create_dir(&certs).expect("made");
    certificate(&env, &certs, "A");
    let hosts =
        |tls: &str| format!("[hosts.web1]\nengine = \"tcp://127.0.0.1:1\"\n{tls}groups = [\"web\"]\n");
    let plain = env.read("pillarbox.toml");
    let with = |tls: &str| env.write("pillarbox.toml", format!("{plain}{}", hosts(tls)));
    with(&format!("tls = \"{}\"\n", certs.display()));
    env.run(&["known", "accept", "web1"]).ok().explains("certificate authority sha256:");
    env.run(&["known", "list"]).ok().says("  web1  tcp://127.0.0.1:1\n    TLS ");
    env.run(&["plan", "--host", "web1"]).exits(1).explains("does not answer");
    certificate(&env, &certs, "B");
    env.run(&["plan", "--host", "web1"]).exits(8).explains("its certificate authority was sha256:");
    with("tls = false\n");
    env.run(&["plan", "--host", "web1"]).exits(8).explains("its TLS is none");
    let elsewhere = env.home().join("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    with(&format!("tls = \"{}\"\n", elsewhere.display()));
    env.run(&["plan", "--host", "web1"]).exits(8).explains("its TLS was ");
    // Not even where nothing is known.
    fs::create_dir(env.workspace().join("certs")).expect("made");
    certificate(&env, &env.workspace().join("certs"), "C");
    std::os::unix::fs::symlink(env.workspace().join("certs"), env.home().join("link")).expect("a link");
    env.run(&["known", "forget", "web1"]).ok();
    for folder in ["certs", "./certs", "../shop/certs", "~/link"] {
        with(&format!("tls = \"{folder}\"\n"));
        env.run(&["plan", "--host", "web1"])
            .exits(1)
            .explains("the certificates of host web1 lie in the workspace");
        env.run(&["known", "accept", "web1"]).exits(1);
    }
}

#[test]
fn what_a_docker_context_stands_for_belongs_to_what_is_known() {
    let env = TestEnv::initialised();
    // sha256 of `lab`.
    let sum = env.program("sh", &["-c", "printf lab | sha256sum | cut -d' ' -f1"]).run().stdout;
    let meta = env.home().join(".docker/contexts/meta").join(sum.trim());
    fs::create_dir_all(&meta).expect("made");
    let stands_for = |address: &str| {
        let text = format!(r#"{{"Name":"lab","Endpoints":{{"docker":{{"Host":"{address}"}}}}}}"#);
        fs::write(meta.join("meta.json"), text).expect("written");
    };
    let plain = env.read("pillarbox.toml");
    env.write(
        "pillarbox.toml",
        format!("{plain}[hosts.lab]\nengine = \"context:lab\"\ngroups = [\"web\"]\n"),
    );
    stands_for("tcp://127.0.0.1:1");
    env.run(&["known", "accept", "lab"]).ok().explains("docker context tcp://127.0.0.1:1");
    stands_for("tcp://127.0.0.1:2");
    env.run(&["plan", "--host", "lab"]).exits(8).explains("its docker context is tcp://127.0.0.1:2");
}

#[test]
fn the_socket_of_another_user_is_an_unknown_host() {
    let env = TestEnv::initialised();
    let open = env.home().join("open");
    fs::create_dir(&open).expect("made");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("set");
    let socket = open.join("docker.sock");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    replace(&env, "unix:///var/run/docker.sock", &format!("unix://{}", socket.display()));
    env.run(&["known", "accept", "local"]).ok().explains("socket owner anyone (");
    env.run(&["known", "list"]).ok().says("    socket owner anyone (");
    // Known as a socket of root's, and of somebody else's now.
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("set");
    env.run(&["known", "accept", "local"]).ok();
    env.run(&["known", "list"]).ok().lacks("socket owner");
    if std::os::unix::fs::chown(&socket, Some(12345), None).is_ok() {
        env.run(&["known", "accept", "local"]).ok().explains("socket owner uid 12345 (owns ");
    }
}

#[test]
fn an_older_known_file_is_read_and_another_workspace_of_the_name_is_told_apart() {
    let env = TestEnv::initialised();
    let (_, bob) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &bob]).ok();
    // A second workspace of the name, made elsewhere, comes by as a clone.
    let other = TestEnv::initialised();
    let clone = env.home().join("clone/shop");
    fs::create_dir_all(clone.parent().expect("a folder")).expect("made");
    let from = other.workspace();
    env.program("cp", &["-r", from.to_str().expect("a path"), clone.to_str().expect("a path")]).run().ok();
    env.command(&["--no-identity", "verify"])
        .within(&clone)
        .run()
        .ok()
        .explains("was not known on this machine")
        .explains("it is not the workspace shop that this machine knows");
    env.run(&["--strict", "verify"]).ok();
    let all = env.run(&["--json", "known", "list"]).ok().json();
    assert_eq!(all["workspaces"].as_object().expect("workspaces").len(), 2, "{all}");
}

/// A workspace with a registry's credential, and an image by its tag on hosts with an Engine each in folders of
/// their own.
fn hosts<const N: usize>() -> (TestEnv, [(LyingEngine, PathBuf); N]) {
    let env = TestEnv::initialised();
    let engines = std::array::from_fn(|at| {
        let folder = env.home().join(format!("web{}", at + 1));
        fs::create_dir(&folder).expect("made");
        (LyingEngine::new(&folder), folder)
    });
    let text = env.read("pillarbox.toml");
    let (head, _) = text.split_once("[groups").expect("the inventory of init");
    let mut text = head.to_owned();
    for (at, (engine, _)) in engines.iter().enumerate() {
        text += &format!(
            "[hosts.web{}]\nengine = \"{}\"\npillar = [\"registries/*\"]\nstates = [\"web\"]\n",
            at + 1,
            engine.address()
        );
    }
    env.write("pillarbox.toml", text);
    env.write(
        "states/web.toml",
        "[web.container.running]\nname = \"web\"\nimage = \"registry.example.com/web:1\"\nmonitor = \"0s\"\n",
    );
    let add = ["registry", "add", "registry.example.com", "-u", "bot", "--password-stdin"];
    env.run_with_input(&add, "CANARY").ok();
    (env, engines)
}

/// How often an Engine was sent a credential.
fn sent(engine: &LyingEngine) -> usize {
    engine.asked("").iter().filter(|asked| !asked.auth().is_empty()).count()
}

#[test]
fn a_stranger_behind_a_socket_is_sent_nothing_before_somebody_accepts_them() {
    let (env, [(engine, folder)]) = hosts();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("set");
    let who = "its socket owner is anyone (";
    env.run(&["plan"]).exits(9).explains("not known on this machine").explains(who);
    let line = "pillarbox known accept web1";
    env.run(&["apply", "-y"]).exits(9).explains("--accept-new-hosts").explains(line);
    env.run(&["--strict", "apply", "-y", "--accept-new-hosts"]).exits(8).explains(who);
    env.run(&["registry", "check", "-y"]).exits(9).explains(line);
    assert_eq!(sent(&engine), 0);
    env.run(&["plan", "--accept-new-hosts"]).ok().explains("it is accepted with --accept-new-hosts");
    assert_eq!(sent(&engine), 1);
    env.run(&["known", "list"]).ok().says("    socket owner anyone (");
    env.run(&["--strict", "plan"]).ok();
    // A folder that only this user can write is no other host.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("set");
    env.run(&["--strict", "plan"]).ok();
    if std::os::unix::fs::chown(&folder, Some(12345), None).is_ok() {
        env.run(&["plan"]).exits(8).explains("its socket owner is uid 12345 (owns ");
    }
}

#[test]
fn a_socket_of_this_user_needs_no_consent_and_is_another_one_when_a_stranger_owns_it() {
    let (env, [(engine, folder)]) = hosts();
    env.run(&["--strict", "plan"]).ok();
    let before = sent(&engine);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("set");
    env.run(&["plan"]).exits(9);
    env.run(&["--strict", "plan"]).exits(8);
    assert_eq!(sent(&engine), before);
}

#[test]
fn one_engine_does_not_choose_the_image_for_the_others() {
    let (env, [(one, _), (two, _), (three, _)]) = hosts();
    let evil = format!("sha256:{}", "e".repeat(64));
    let manifest = format!(r#"{{"Descriptor":{{"digest":"{evil}"}},"Platforms":[]}}"#);
    env.run(&["plan"]).ok();
    for engine in [&one, &two, &three] {
        assert_eq!(engine.asked("GET /distribution/").len(), 1);
    }
    three.says("GET /distribution/", 200, manifest);
    for command in [&["plan"][..], &["apply", "-y"]] {
        env.run(command)
            .exits(1)
            .explains("hosts are told different images for registry.example.com/web:1")
            .explains(&format!("web1, web2: {DIGEST}"))
            .explains(&format!("web3: {evil}"));
    }
    for engine in [&one, &two, &three] {
        assert!(
            engine.asked("POST /containers/create").is_empty() && engine.asked("POST /images").is_empty()
        );
    }
    env.run(&["plan", "--host", "web1"]).ok();
}
