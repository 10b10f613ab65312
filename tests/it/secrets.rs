//! `seal` and `reveal`: every byte that goes in comes out, and only its readers get it.

use crate::env::TestEnv;
use crate::terminal::typed;
use std::io::Write as _;
use std::process::Output;
use std::time::Duration;

/// Passwords that have broken something somewhere.
const ODD: [&str; 12] = [
    "~?>\"'\\",
    "pässwörd–ßÆ🦀",
    "$HOME `id` $(id) ${x}",
    " leading and trailing ",
    "-o--dash",
    "a\tb",
    "two\nlines\n\n",
    "\r\n",
    "'''\"\"\"",
    "#not=a[comment]",
    "\u{feff}bom\u{200b}",
    "%s%n\u{0}\u{1b}[31m",
];

/// The bytes that a command printed; it must end with 0.
fn bytes(env: &TestEnv, arguments: &[&str]) -> Vec<u8> {
    let mut child = env.command(arguments).spawn();
    drop(child.stdin.take());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("its end");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    stdout
}

/// The sealed value of a key as it stands in a file.
fn sealed(env: &TestEnv, file: &str, key: &str) -> String {
    let text = env.read(file);
    let line = text.lines().find(|line| line.starts_with(&format!("{key} = "))).expect("the key");
    line.to_owned()
}

#[test]
fn every_byte_that_goes_in_comes_out() {
    let env = TestEnv::initialised();
    let long: String = (0..64 << 10).map(|n| char::from(b' ' + (n % 95) as u8)).collect();
    for secret in ODD.iter().copied().chain([long.as_str()]) {
        for end in ["", "\n", "\r\n"] {
            // One final newline is taken off, and only where there is one.
            if end.is_empty() && secret.ends_with('\n') {
                continue;
            }
            let said = env.run_with_input(&["seal", "api.odd"], format!("{secret}{end}")).ok();
            if secret.trim().len() > 3 {
                said.lacks(secret.trim());
            }
            assert_eq!(bytes(&env, &["reveal", "api.odd"]), secret.as_bytes(), "{secret:?} {end:?}");
        }
    }
    assert!(!env.read("pillar/apps.toml").contains("odd = \""));
}

#[test]
fn a_file_is_sealed_with_its_final_newline_and_may_hold_any_bytes() {
    let env = TestEnv::initialised();
    let all: Vec<u8> = (0..=255).cycle().take(70_000).chain([b'\r', b'\n', b'\n']).collect();
    env.write("../data.bin", &all);
    env.run(&["seal", "--file", "../data.bin", "api.data"]).ok();
    assert_eq!(bytes(&env, &["reveal", "api.data"]), all);
    let json = env.run(&["--json", "reveal", "api.data"]).ok().json();
    assert!(json["base64"].as_str().expect("base64").starts_with("AAECAwQF") && json["value"].is_null());
    env.run_with_input(&["seal", "--file", "-", "api.data"], "as it is\n").ok();
    assert_eq!(bytes(&env, &["reveal", "api.data"]), b"as it is\n");
    assert_eq!(env.run(&["--json", "reveal", "api.data"]).ok().json()["value"], "as it is\n");
    env.run(&["seal", "--file", "../missing", "api.data"]).exits(1).explains("../missing");
    env.run(&["seal", "--file", "..", "api.data"]).exits(1);
    assert_eq!(bytes(&env, &["reveal", "api.data"]), b"as it is\n");
}

#[test]
fn an_empty_secret_must_be_meant() {
    let env = TestEnv::initialised();
    let before = env.files();
    for input in ["", "\n"] {
        env.run_with_input(&["seal", "api.empty"], input).exits(1).explains("--allow-empty");
    }
    assert_eq!(env.files(), before);
    env.run_with_input(&["seal", "--allow-empty", "api.empty"], "\n").ok();
    assert_eq!(bytes(&env, &["reveal", "api.empty"]), b"");
}

#[test]
fn a_secret_is_never_an_argument() {
    let env = TestEnv::initialised();
    env.run(&["seal", "api.pw", "hunter2"]).exits(64);
    env.run(&["registry", "add", "ghcr.io", "-u", "x", "-p", "hunter2"]).exits(64);
    env.run(&["registry", "add", "ghcr.io", "-u", "x", "--password", "hunter2"]).exits(64);
}

#[test]
fn posting_needs_no_private_key_and_opening_does() {
    let env = TestEnv::initialised();
    env.run_with_input(&["--no-identity", "seal", "api.pw"], "s3cret\n").ok().explains("for alice");
    env.run(&["--no-identity", "show", "apps"]).ok().says("pw = (sealed ");
    let said = env.run(&["--no-identity", "reveal", "api.pw"]).exits(10);
    said.explains("--no-identity was given").lacks("s3cret");
    std::fs::rename(env.identity(), env.home().join("away")).expect("renamed");
    env.run(&["reveal", "api.pw"]).exits(10);
    env.run(&["--identity", env.home().join("away").to_str().expect("a path"), "reveal", "api.pw"])
        .ok()
        .says("s3cret");
}

#[test]
fn an_id_is_new_whenever_a_secret_is_posted() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "api.pw"], "one\n").ok();
    let first = sealed(&env, "pillar/apps.toml", "pw");
    env.run_with_input(&["seal", "api.pw"], "one\n").ok().explains("sealed again");
    let second = sealed(&env, "pillar/apps.toml", "pw");
    let id = |line: &str| line[line.find("id = ").expect("an id")..].to_owned();
    assert_ne!(id(&first), id(&second));
    assert_eq!(env.read("pillar/apps.toml").matches("pw = ").count(), 1);
}

#[test]
fn a_value_in_clear_is_replaced_with_a_word_about_the_history() {
    let env = TestEnv::initialised();
    env.run(&["set", "api.pw", "oops"]).ok();
    env.run_with_input(&["-q", "seal", "api.pw"], "s3cret\n").ok().explains("in clear").explains("history");
    assert!(!env.read("pillar/apps.toml").contains("oops"));
    assert_eq!(bytes(&env, &["reveal", "api.pw"]), b"s3cret");
    // By hand in clear, where it must be sealed: seal is the way to put it right.
    env.write(
        "pillar/registries/x.io.toml",
        "[registries.\"x.io\"]\nusername = \"u\"\npassword = \"oops\"\n",
    );
    env.run(&["registry", "list"]).exits(1).explains("must be sealed");
    env.run_with_input(&["seal", "registries.\"x.io\".password"], "s3cret\n").ok();
    env.run(&["registry", "list"]).ok().says("user u (sealed");
}

#[test]
fn a_slot_given_by_hand_is_the_check_for_machines_that_know_nothing() {
    let env = TestEnv::initialised();
    let text = env.read("pillar/box.toml");
    let slot = text.split('"').find(|word| word.starts_with("age1")).expect("the slot").to_owned();
    let before = env.files();
    let other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let ci = |arguments: &[&str]| {
        env.command(arguments).var("PILLARBOX_KNOWN", env.home().join("ci-known.toml")).input("x").run()
    };
    ci(&["--no-identity", "--strict", "seal", "api.pw"]).exits(8);
    ci(&["--no-identity", "--strict", "seal", "--slot", other, "api.pw"]).exits(8).explains(&slot);
    ci(&["--no-identity", "--strict", "seal", "--slot", "age1nonsense", "api.pw"]).exits(64);
    assert_eq!(env.files(), before);
    ci(&["--no-identity", "--strict", "seal", "--slot", &slot, "api.pw"]).ok();
}

#[test]
fn sealing_into_another_box_is_for_its_readers() {
    let env = TestEnv::initialised();
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    env.run_with_input(&["seal", "--in", "prod/apps", "api.pw"], "s3cret").ok();
    env.run_with_input(&["seal", "--in", "prod/apps", "api"], "x").exits(64).explains("`api` is a table");
    assert_eq!(bytes(&env, &["reveal", "--in", "prod/apps", "api.pw"]), b"s3cret");
    assert_eq!(bytes(&env, &["reveal", "api.pw"]), b"s3cret");
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "other").ok();
    env.run(&["reveal", "api.pw"]).exits(64).explains("pillarbox reveal --in prod/apps 'api.pw'");
}

#[test]
fn twenty_at_once_lose_nothing() {
    let env = TestEnv::initialised();
    let mut running = Vec::new();
    for n in 0..20 {
        let key = format!("many.s{n}");
        let mut child = match n % 4 {
            0 => env.command(&["set", "--in", "apps", &key, "v"]).spawn(),
            _ => env.command(&["seal", "--in", "apps", &key]).spawn(),
        };
        let mut stdin = child.stdin.take().expect("its standard input");
        let _ = stdin.write_all(format!("secret {n}\n").as_bytes());
        running.push(child);
    }
    for child in running {
        let Output { status, stderr, .. } = child.wait_with_output().expect("its end");
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    }
    for n in 0..20 {
        let key = format!("many.s{n}");
        match n % 4 {
            0 => assert_eq!(bytes(&env, &["get", &key]), b"v\n"),
            _ => assert_eq!(bytes(&env, &["reveal", &key]), format!("secret {n}").as_bytes()),
        }
    }
    env.run(&["verify"]).ok();
}

#[test]
fn killed_at_any_moment_a_value_is_the_old_or_the_new_one() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "api.pw"], "0").ok();
    let mut last: Vec<u8> = b"0".to_vec();
    for round in 1..=24_u64 {
        let mut child = env.command(&["seal", "--file", "-", "api.pw"]).spawn();
        {
            let mut stdin = child.stdin.take().expect("its standard input");
            let _ = stdin.write_all(round.to_string().as_bytes());
        }
        std::thread::sleep(Duration::from_millis(round * 3 % 70));
        let _ = child.kill();
        let ended = child.wait().expect("its end");
        let now = bytes(&env, &["reveal", "api.pw"]);
        let new = round.to_string().into_bytes();
        assert!(now == new || (now == last && !ended.success()), "round {round}: {now:?} after {last:?}");
        last = now;
    }
    env.run(&["verify"]).ok();
    let left: Vec<_> = env.files().into_keys().filter(|path| path.starts_with(".pillarbox")).collect();
    assert!(left.iter().all(|path| !path.to_string_lossy().contains("commit")), "{left:?}");
}

#[test]
fn a_prompt_asks_twice_and_echoes_nothing() {
    let env = TestEnv::initialised();
    let (code, text) = typed(&env, "seal api.pw", &[("secret: ", "hunter2"), ("secret again: ", "hunter2")]);
    assert!(code == 0 && !text.contains("hunter2"), "{text}");
    assert_eq!(bytes(&env, &["reveal", "api.pw"]), b"hunter2");
    let (code, text) = typed(&env, "seal api.pw", &[("secret: ", "hunter2"), ("secret again: ", "hunter3")]);
    assert!(code == 9 && text.contains("not the same") && !text.contains("hunter"), "{text}");
    assert_eq!(bytes(&env, &["reveal", "api.pw"]), b"hunter2");
    // A newline is added on a terminal, where bytes that are no text are not printed.
    assert_eq!(typed(&env, "reveal api.pw", &[]), (0, "hunter2\r\n".to_owned()));
    env.run_with_input(&["seal", "--file", "-", "api.raw"], [0xff, 0x00]).ok();
    let (code, text) = typed(&env, "reveal api.raw", &[]);
    assert!(code == 1 && text.contains("pillarbox reveal -o FILE 'api.raw'"), "{text}");
    // What is wrong with the key is said before anybody types.
    assert_eq!(typed(&env, "seal registries.quay.io.password", &[]).0, 64);
    let prompts = [("user name: ", "bot"), ("password: ", "t0ken"), ("password again: ", "t0ken")];
    let (code, text) = typed(&env, "registry add ghcr.io", &prompts);
    assert!(code == 0 && text.contains("bot") && !text.contains("t0ken"), "{text}");
    assert_eq!(bytes(&env, &["reveal", "registries.ghcr.io.password"]), b"t0ken");
}

#[test]
fn git_shows_what_changed_with_sealed_values_short() {
    let env = TestEnv::initialised();
    let bin = env!("CARGO_BIN_EXE_pillarbox");
    let git = |arguments: &[&str]| env.program("git", arguments).run().ok().stdout().to_owned();
    env.run_with_input(&["seal", "api.pw"], "one").ok();
    git(&["init", "-q"]);
    git(&["config", "diff.pillarbox.textconv", &format!("'{bin}' show")]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    env.run(&["set", "api.log", "debug"]).ok();
    env.run_with_input(&["seal", "api.pw"], "two").ok();
    let diff = git(&["diff"]);
    let changed: Vec<&str> = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
        .collect();
    assert_eq!(changed.len(), 3, "{diff}");
    assert!(changed[0].starts_with("-pw = (sealed ") && changed[1].starts_with("+pw = (sealed "), "{diff}");
    assert_eq!(changed[2], "+log = \"debug\"");
    // Any revision can be shown, also one that is broken or no text.
    env.write("../old.toml", b"a = = \xff \x1b[31m\n");
    let old = env.home().join("old.toml");
    env.run(&["show", old.to_str().expect("a path")]).ok().says("a = = \u{fffd} \\u{1b}[31m\n");
    env.command(&["show", "apps.toml"])
        .within(env.workspace().join("pillar"))
        .run()
        .ok()
        .says("pw = (sealed");
    env.run(&["show", "pillar/box.toml"]).ok().says("slot");
    env.run(&["show", "appz"]).exits(1).explains("did you mean `apps.toml`?");
    env.run(&["show", "/no/such/file"]).exits(1);
}

#[test]
fn many_secrets_are_sealed_at_once_or_not_at_all() {
    let env = TestEnv::initialised();
    env.write("pillar/apps.toml", "# ours\n[api]\nlog = \"info\"\npw = \"in clear\"\n")
        .write("pillar/web.toml", "[web]\nport = 80\n");
    let many =
        "api.pw = \"CANARY-1\"\napi.\"to ken\" = 'CANARY-2'\n[web]\nkey = \"\"\"\nline\nCANARY-3\n\"\"\"\n";
    let file = env.home().join("many.toml");
    std::fs::write(&file, many).expect("written");
    let path = file.to_str().expect("a path");
    let said = env.run(&["--no-identity", "seal", "--from", path]).ok();
    said.explains("sealed 2 values in pillar/apps.toml for alice")
        .explains("sealed one value in pillar/web.toml for alice")
        .explains("in clear before: api.pw in pillar/apps.toml")
        .lacks("CANARY");
    let reveal = |key: &str| env.run(&["reveal", key]).ok().stdout().to_owned();
    assert_eq!((reveal("api.pw").as_str(), reveal("web.key").as_str()), ("CANARY-1", "line\nCANARY-3\n"));
    assert_eq!(reveal("api.\"to ken\""), "CANARY-2");
    assert!(env.read("pillar/apps.toml").starts_with("# ours\n[api]\nlog = \"info\"\n"));
    env.run_with_input(&["seal", "--from", "-", "--in", "web"], "web.a = \"x\"\nb = \"y\"\n").ok();
    assert_eq!(reveal("b"), "y");
    // One that cannot be keeps all of them out, and every reason is said without a value.
    let before = env.files();
    for (many, why) in [
        ("web.ok = \"CANARY\"\nweb.port = 80\nweb.e = \"\"\nweb.list = [\"CANARY\"]\n", "`web.port` is a"),
        ("web.ok = \"CANARY\"\nweb = \"CANARY\"\n", "not valid TOML"),
        ("DB_PASSWORD=CANARY\n", "write each secret as KEY = \"SECRET\""),
        ("web.ok = \"CANARY\"\nregistries.\"ghcr.io\".usename = \"CANARY\"\n", "usename"),
        ("web.ok = \"CANARY\"\napi = \"CANARY\"\n", "is a table"),
        ("[web]\n", "there is no secret in"),
        ("", "there is no secret in"),
    ] {
        let said = env.run_with_input(&["seal", "--from", "-"], many);
        assert!(said.code == 1 || said.code == 64, "{said}");
        assert!(said.stderr.contains(why) && !said.stderr.contains("CANARY"), "{many}: {said}");
    }
    assert_eq!(env.files(), before);
    env.run(&["seal"]).exits(64);
    env.run(&["seal", "--from", path, "api.x"]).exits(64);
    env.run(&["verify", "--require-open"]).ok();
}

#[test]
fn a_revealed_file_is_for_its_owner_alone_and_never_half_written() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "--file", "-", "api.key"], [0xff, 0, b'C', b'\n']).ok();
    let file = env.home().join("out/key.bin");
    let path = file.to_str().expect("a path");
    env.run(&["reveal", "-o", path, "api.key"]).ok().says_only("").explains("its mode is 0600");
    assert_eq!(std::fs::read(&file).expect("a file"), [0xff, 0, b'C', b'\n']);
    assert_eq!(crate::env::mode(&file), 0o600);
    // One that others could read is for its owner alone from then on.
    std::fs::write(&file, "old").expect("written");
    env.program("chmod", &["644", path]).run().ok();
    let json = env.run(&["--json", "reveal", "--output", path, "api.key"]).ok().json();
    assert_eq!((json["file"].as_str(), &json["value"]), (Some(path), &serde_json::Value::Null));
    assert_eq!(crate::env::mode(&file), 0o600);
    // What cannot be opened leaves it as it was, and what is no file is not replaced.
    env.run(&["--no-identity", "reveal", "-o", path, "api.key"]).exits(10);
    assert_eq!(std::fs::read(&file).expect("a file"), [0xff, 0, b'C', b'\n']);
    env.run(&["reveal", "-o", "/dev/null", "api.key"]).exits(1).explains("is not a regular file");
    env.run(&["reveal", "-o", env.home().to_str().expect("a path"), "api.key"]).exits(1);
    env.run(&["reveal", "-o", "key.bin", "api.key"]).exits(1).explains("is in the workspace");
}
