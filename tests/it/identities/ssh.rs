//! ssh-ed25519 keys as readers and as identities.

use super::{private, ssh_key, without_comment};
use crate::env::{TestEnv, has_program};
use crate::sealing::{box_file, person, post, sealed};
use crate::terminal::typed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A workspace whose only reader has an ssh key, which every command uses.
fn with_ssh_key() -> (TestEnv, String, String) {
    let mut env = TestEnv::new();
    let (path, public) = ssh_key(&env, "id_work", "", &["-t", "ed25519"]);
    env.set_var("PILLARBOX_IDENTITY", path.clone());
    env.run(&["init"]).ok().explains(&without_comment(&public));
    (env, path, public)
}

#[test]
fn an_ssh_key_makes_a_workspace_and_opens_it() {
    let (env, path, public) = with_ssh_key();
    let key = without_comment(&public);
    assert_eq!(env.read("keys/alice.pub"), format!("{key}\n"));
    assert!(!env.identity().exists(), "no other key was made");
    env.run(&["identity", "public"]).ok().says(&key).lacks("PRIVATE KEY");
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "s3cret");
    env.run(&["reader", "list"]).ok().says("alice").says(&key);
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    env.run_with_input(&["seal", "--in", "prod/apps", "web.pw"], "pr0d").ok();
    assert_eq!(env.run(&["reveal", "web.pw"]).ok().stdout(), "pr0d");
    env.run(&["known", "list"]).ok().says("pillar/prod/");
    env.run(&["verify", "--require-open"]).ok();
    // Another key, or no key at all, does not open it.
    env.run(&["--no-identity", "reveal", "api.pw"]).exits(10);
    let (other, _) = ssh_key(&env, "other", "", &["-t", "ed25519"]);
    env.command(&["reveal", "api.pw"])
        .var("PILLARBOX_IDENTITY", &other)
        .run()
        .exits(10)
        .explains(&format!("PILLARBOX_IDENTITY ({other}) was tried"));
    let _ = path;
}

#[test]
fn ssh_keys_come_and_go_as_readers() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    let (bob, bob_public) = ssh_key(&env, "bob", "", &["-t", "ed25519"]);
    // A host's own key, as `/etc/ssh/ssh_host_ed25519_key` has it.
    let (host, host_public) = ssh_key(&env, "ssh_host_ed25519_key", "", &["-t", "ed25519"]);
    env.run(&["reader", "add", "bob", &bob_public]).ok().explains("bob can open pillar/");
    env.write("keys/web1.pub", format!("# web1\n{host_public}\n"));
    let shown = env.run(&["reader", "add", "web1"]).exits(9).stderr().to_owned();
    let fingerprint = shown.split("--accept-readers ").nth(1).expect("a hint").split_whitespace().next();
    let fingerprint = fingerprint.expect("a fingerprint").trim_matches('\'');
    env.run(&["reader", "add", "web1", "--accept-readers", fingerprint]).ok();
    for file in [&bob, &host] {
        assert_eq!(env.run(&["--identity", file, "reveal", "api.pw"]).ok().stdout(), "s3cret");
    }
    env.run(&["verify", "--require-open"]).ok();

    // Another comment is no other key, and one key is not two readers.
    env.write("keys/bob.pub", format!("  {}   bob@desktop\n", without_comment(&bob_public)));
    env.run(&["verify"]).ok();
    env.run(&["reader", "add", "bob", &without_comment(&bob_public)]).ok().explains("already");
    env.run(&["reader", "add", "bobby", &format!("{} else", without_comment(&bob_public))])
        .exits(1)
        .explains("the same key");

    env.run(&["reader", "remove", "bob"]).ok();
    std::fs::remove_file(env.identity()).expect("gone");
    env.run(&["--identity", &bob, "reveal", "api.pw"]).exits(10);
    assert_eq!(env.run(&["--identity", &host, "reveal", "api.pw"]).ok().stdout(), "s3cret");
    env.run(&["--identity", &host, "reader", "rekey", "--new-slot"]).ok();
    env.run(&["--identity", &host, "verify", "--require-open"]).ok();
}

#[test]
fn the_age_program_recovers_a_secret_with_an_ssh_key() {
    if !has_program("age") {
        return;
    }
    let (env, identity, _) = with_ssh_key();
    let (_, bob) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &bob]).ok();
    post(&env, "apps.toml", "api.pw", "correct horse");
    let file = |name: &str, text: &str| {
        let bytes = STANDARD.decode(text).expect("base64");
        private(&env, name, &bytes).to_str().expect("a path").to_owned()
    };
    let lock = file("lock.age", &box_file(&env, "").lock);
    let key = env.program("age", &["-d", "-i", &identity, &lock]).run().ok().stdout().to_owned();
    let key = private(&env, "box.key", key.as_bytes());
    let value = file("value.age", &sealed(&env, "apps.toml", "api.pw").sealed);
    let key = key.to_str().expect("a path");
    env.program("age", &["-d", "-i", key, &value]).run().ok().says("correct horse");
}

#[test]
fn other_keys_are_refused_with_a_way_on() {
    let env = TestEnv::initialised();
    let before = env.files();
    let refused = |name: &str, options: &[&str], said: &str| {
        let (path, public) = ssh_key(&env, name, "", options);
        let out = env.run(&["reader", "add", "bob", &public]).exits(1);
        out.explains(said).explains("hint:").lacks(public.split(' ').nth(1).expect("the key"));
        env.run(&["--identity", &path, "identity", "public"])
            .exits(1)
            .explains("only ssh-ed25519")
            .lacks("BEGIN");
        (path, public)
    };
    refused("rsa", &["-t", "rsa", "-b", "2048"], "RSA keys are not supported");
    refused("ecdsa", &["-t", "ecdsa"], "other kinds than ssh-ed25519");
    refused("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], "RSA keys are not supported");
    // A certificate of an ssh-ed25519 key.
    let (key, _) = ssh_key(&env, "id_ed25519", "", &["-t", "ed25519"]);
    let (ca, _) = ssh_key(&env, "ca", "", &["-t", "ed25519"]);
    env.program("ssh-keygen", &["-q", "-s", &ca, "-I", "alice", "-n", "alice", &format!("{key}.pub")])
        .run()
        .ok();
    let certificate = std::fs::read_to_string(format!("{key}-cert.pub")).expect("a certificate");
    env.run(&["reader", "add", "bob", certificate.trim()]).exits(1).explains("certificates");
    let hardware = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA== a";
    env.run(&["reader", "add", "bob", hardware]).exits(1).explains("on hardware");
    // The public half, which is what ssh-agent has besides.
    env.program("chmod", &["600", &format!("{key}.pub")]).run().ok();
    env.run(&["--identity", &format!("{key}.pub"), "identity", "public"])
        .exits(1)
        .explains("ssh-agent cannot help");
    assert_eq!(env.files(), before);
}

#[test]
fn a_key_that_others_may_read_or_that_lies_in_a_workspace_is_refused() {
    let env = TestEnv::initialised();
    let (path, _) = ssh_key(&env, "id_ed25519", "", &["-t", "ed25519"]);
    env.program("chmod", &["644", &path]).run().ok();
    for from in ["--identity", "PILLARBOX_IDENTITY"] {
        let run = match from {
            "--identity" => env.command(&["--identity", &path, "reader", "list"]),
            _ => env.command(&["reader", "list"]).var(from, &path),
        };
        run.run().exits(1).explains("0644").explains(&format!("chmod 600 '{path}'"));
    }
    env.run(&["identity", "unlock", &path]).exits(1).explains("chmod 600");
    let inside = env.workspace().join("id_ed25519");
    std::fs::copy(&path, &inside).expect("copied");
    env.program("chmod", &["600", "id_ed25519"]).run().ok();
    let inside = inside.to_str().expect("a path");
    env.run(&["--identity", inside, "reader", "list"]).exits(1).explains("is in the workspace");
    env.run(&["identity", "unlock", inside]).exits(1).explains("must not be in a workspace");
    env.run(&["verify"]).exits(8).explains("id_ed25519:1: a private key is in the workspace");
}

#[test]
fn a_protected_ssh_key_is_asked_for_only_where_it_is_of_use() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    let (path, public) = ssh_key(&env, "id_ed25519", "pass-CANARY", &["-t", "ed25519"]);
    let reveal = format!("--identity '{path}' reveal api.pw");
    // Its public half is told without it.
    env.run(&["--identity", &path, "identity", "public"]).ok().says(&without_comment(&public));
    // Another key opens the box: nothing is asked, though there is a terminal.
    let (code, said) = typed(&env, &reveal, &[]);
    assert!(code == 0 && said.contains("s3cret") && !said.contains("passphrase"), "{said}");
    std::fs::rename(env.identity(), env.home().join("away")).expect("moved");
    // It is no reader: asking would be in vain.
    let (code, said) = typed(&env, &reveal, &[]);
    assert!(code == 10 && said.contains("is no reader's") && !said.contains("passphrase of"), "{said}");
    std::fs::rename(env.home().join("away"), env.identity()).expect("moved back");
    env.run(&["reader", "add", "bob", &public]).ok();
    std::fs::remove_file(env.identity()).expect("gone");
    // Without a terminal.
    env.run(&["--identity", &path, "reveal", "api.pw"])
        .exits(10)
        .explains("there is no terminal to ask for it on")
        .explains(&format!("pillarbox identity unlock '{path}'"));
    let prompt = format!("passphrase of --identity ({path})");
    let (code, said) = typed(&env, &reveal, &[(&prompt, "wrong"), (&prompt, "pass-CANARY")]);
    assert!(code == 0 && said.contains("this is not its passphrase") && said.contains("s3cret"), "{said}");
    assert!(!said.contains("CANARY"), "{said}");
    let wrong = (prompt.as_str(), "wrong");
    let (code, said) = typed(&env, &reveal, &[wrong, wrong, wrong]);
    assert!(code == 1 && said.contains("was wrong 3 times"), "{said}");
}

#[test]
fn the_ssh_key_of_this_user_opens_where_it_is_a_reader_and_is_named_where_it_is_not() {
    let env = TestEnv::initialised();
    env.set_standing_workspace();
    env.run_with_input(&["registry", "add", "ghcr.io", "-u", "bot", "--password-stdin"], "s3cret").ok();
    let (path, public) = ssh_key(&env, "id_ed25519", "", &["-t", "ed25519"]);
    let away = env.home().join("away.txt");
    std::fs::rename(env.identity(), &away).expect("moved");
    let away = away.to_str().expect("a path");
    let reveal = ["reveal", "registries.ghcr.io.password"];
    env.run(&reveal).exits(10).explains(&format!("{path} is no reader's"));
    // It is no identity by itself: `init` makes one.
    env.run(&["identity", "public"]).exits(10);
    env.run(&["--identity", away, "reader", "add", "bob", &public]).ok();
    assert_eq!(env.run(&reveal).ok().stdout(), "s3cret");
    assert_eq!(env.helper("get", "ghcr.io").ok().json()["Secret"], "s3cret");
    env.run(&["verify", "--require-open"]).ok();
    let doctor = env.run(&["doctor", "--offline"]);
    assert!(doctor.stdout.contains("used where it is a reader"), "{doctor}");
    env.run(&["--no-identity", "reveal", "registries.ghcr.io.password"]).exits(10).lacks(&path);
    // What is wrong with it is no reason to fail where another key opens.
    env.program("chmod", &["644", &path]).run().ok();
    env.run(&reveal).exits(10).explains("was passed over: others may read");
    assert_eq!(
        env.run(&["--identity", away, "reveal", "registries.ghcr.io.password"]).ok().stdout(),
        "s3cret"
    );
}

#[test]
fn the_passphrase_of_this_users_ssh_key_is_asked_for_on_a_terminal_only() {
    let env = TestEnv::initialised();
    env.set_standing_workspace();
    env.run_with_input(&["registry", "add", "ghcr.io", "-u", "bot", "--password-stdin"], "s3cret").ok();
    let (path, public) = ssh_key(&env, "id_ed25519", "pass phrase", &["-t", "ed25519"]);
    env.run(&["reader", "add", "bob", &public]).ok();
    std::fs::remove_file(env.identity()).expect("removed");
    let helped = env.helper("get", "ghcr.io").exits(1);
    helped.says("").explains("is protected by a passphrase").explains(&format!("identity unlock '{path}'"));
    let prompt = "passphrase";
    let (code, said) = typed(&env, "reveal registries.ghcr.io.password", &[(prompt, "pass phrase")]);
    assert!(code == 0 && said.contains("s3cret"), "{said}");
    // It is not asked for in vain.
    let other = TestEnv::initialised();
    ssh_key(&other, "id_ed25519", "pass phrase", &["-t", "ed25519"]);
    other.run_with_input(&["seal", "--in", "apps", "api.pw"], "x").ok();
    std::fs::remove_file(other.identity()).expect("removed");
    let (code, said) = typed(&other, "reveal api.pw", &[]);
    assert!(code == 10 && said.contains("is no reader's"), "{said}");
}
