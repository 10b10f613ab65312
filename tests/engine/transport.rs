//! Engines over ssh and TLS, against a real sshd and a real Engine.

use crate::testbed::{EngineEnv, eventually, testbed_var};
use pillarbox::engine::docker::Docker;
use pillarbox::engine::{Address, Engine as _, EngineError, ErrorKind};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The parts of `SCHEME://[USER@]HOST:PORT`.
fn parts(name: &str) -> (Option<String>, String, u16) {
    let text = testbed_var(name);
    let (_, rest) = text.split_once("://").expect("an address");
    let (user, rest) =
        rest.split_once('@').map_or((None, rest), |(user, rest)| (Some(user.to_owned()), rest));
    let (host, port) = rest.rsplit_once(':').expect("a port");
    (user, host.to_owned(), port.parse().expect("a number"))
}

fn ssh_address(path: &Path) -> Address {
    let (user, host, port) = parts("PILLARBOX_TEST_SSH");
    Address::Ssh { user, host, port: Some(port), path: Some(path.to_string_lossy().into_owned()) }
}

async fn refused(address: Address) -> EngineError {
    Docker::connect(&address).await.err().expect("refused")
}

/// Runs a test again in a process of its own whose PATH has the `ssh` of the testbed first: the ssh of
/// these tests knows its keys, and the variables of a running process cannot be changed.
fn in_own_process(name: &str) -> bool {
    const MARK: &str = "PILLARBOX_TEST_IN_OWN_PROCESS";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let path =
        format!("{}:{}", testbed_var("PILLARBOX_TEST_SSH_BIN"), std::env::var("PATH").expect("a PATH"));
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args([&format!("transport::{name}"), "--exact", "--nocapture"])
        .envs([(MARK, "1"), ("PATH", &path), ("PILLARBOX_AGE_KEY", "AGE-SECRET-KEY-CANARY")])
        .output()
        .expect("start it again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// Processes called `ssh` that this process started.
fn own_ssh() -> Vec<PathBuf> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").expect("/proc").filter_map(|entry| Some(entry.ok()?.path()));
    processes
        .filter(|process| {
            let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
            let Some((head, tail)) = stat.rsplit_once(')') else { return false };
            let mut fields = tail.split_whitespace();
            let (state, parent) = (fields.next(), fields.next());
            head.ends_with("(ssh") && parent == Some(own.as_str()) && state != Some("Z")
        })
        .collect()
}

#[tokio::test]
async fn an_engine_behind_ssh_answers_over_one_connection_that_ends_with_it() {
    let Some(env) = EngineEnv::new() else { return };
    if !in_own_process("an_engine_behind_ssh_answers_over_one_connection_that_ends_with_it") {
        return;
    }
    let docker = Docker::connect(&ssh_address(env.engine.socket())).await.expect("through ssh");
    let there = docker.facts().await.expect("facts");
    let here = crate::docker::connect(&env).await.facts().await.expect("facts");
    assert_eq!(there, here);
    let calls = futures_util::future::join_all((0..20).map(|_| docker.now())).await;
    assert!(calls.iter().all(Result::is_ok), "{calls:?}");
    // A call whose body needs more than one packet.
    let labels =
        [("io.pillarbox.workspace".to_owned(), env.name.clone()), ("big".to_owned(), "x".repeat(200_000))];
    let volume = docker.create_volume(&format!("{}-big", env.name), &labels.into()).await.expect("made");
    assert_eq!(volume.labels["big"].len(), 200_000);

    let running = own_ssh();
    assert_eq!(running.len(), 1, "{running:?}");
    let environment = fs::read(running[0].join("environ")).expect("its environment");
    assert!(!String::from_utf8_lossy(&environment).contains("AGE-SECRET-KEY"), "the key went to a child");
    let arguments = fs::read_to_string(running[0].join("cmdline")).expect("its arguments");
    let arguments: Vec<&str> = arguments.split_terminator('\0').collect();
    assert_eq!(arguments[arguments.len() - 2], "--", "{arguments:?}");
    let forward = arguments.iter().skip_while(|word| **word != "-L").nth(1).expect("a forward");
    let (socket, _) = forward.split_once(':').expect("two sockets");
    let folder = Path::new(socket).parent().expect("a folder").to_owned();
    assert_eq!(crate::env::mode(&folder), 0o700);
    let group = |process: &str| {
        let stat = fs::read_to_string(Path::new("/proc").join(process).join("stat")).expect("its state");
        stat.rsplit_once(')').expect("a name").1.split_whitespace().nth(2).expect("a group").to_owned()
    };
    let pid = running[0].file_name().expect("a number").to_string_lossy().into_owned();
    assert_ne!(group(&pid), group("self"), "Ctrl-C at the terminal must not reach it");

    drop(docker);
    assert!(eventually(|| own_ssh().is_empty()), "ssh outlives its connection");
    assert!(!folder.exists(), "its folder stays");
}

#[tokio::test]
async fn ssh_that_fails_says_why_in_its_own_words() {
    let Some(env) = EngineEnv::new() else { return };
    if !in_own_process("ssh_that_fails_says_why_in_its_own_words") {
        return;
    }
    let no_socket = refused(ssh_address(Path::new("/nonexistent/docker.sock"))).await;
    assert_eq!(no_socket.kind, ErrorKind::Unreachable);
    assert!(
        no_socket.message.contains("; ssh: ") && no_socket.message.contains("open failed"),
        "{}",
        no_socket.message
    );

    let (_, host, _) = parts("PILLARBOX_TEST_SSH");
    let closed = Address::Ssh { user: None, host: host.clone(), port: Some(1), path: None };
    let closed = refused(closed).await;
    assert!(closed.message.contains("Connection refused"), "{}", closed.message);
    assert!(closed.hints[0].contains("ssh -o BatchMode=yes"), "{:?}", closed.hints);

    let (_, host, port) = parts("PILLARBOX_TEST_SSH");
    let stranger = Address::Ssh { user: Some("no-such-user".to_owned()), host, port: Some(port), path: None };
    let stranger = refused(stranger).await;
    assert!(stranger.message.contains("Permission denied"), "{}", stranger.message);

    let option =
        Address::Ssh { user: None, host: "-oProxyCommand=touch x".to_owned(), port: None, path: None };
    assert_eq!(refused(option).await.kind, ErrorKind::Unreachable);
    assert!(!Path::new("x").exists());
    let expanded = ssh_address(Path::new("/run/%h/docker.sock"));
    assert!(refused(expanded).await.message.contains("cannot forward"));
    assert!(eventually(|| own_ssh().is_empty()), "a failed ssh stays");
    drop(env);
}

#[tokio::test]
async fn an_engine_over_tls_answers_only_with_both_certificates() {
    let Some(env) = EngineEnv::new() else { return };
    let (_, host, port) = parts("PILLARBOX_TEST_TLS_ENGINE");
    let folder = PathBuf::from(testbed_var("PILLARBOX_TEST_TLS_DIR"));
    let with = |tls: Option<&Path>| Address::Tcp { host: host.clone(), port, tls: tls.map(Path::to_owned) };
    let docker = Docker::connect(&with(Some(&folder))).await.expect("through TLS");
    let here = crate::docker::connect(&env).await.facts().await.expect("facts");
    assert_eq!(docker.facts().await.expect("facts"), here);
    let calls = futures_util::future::join_all((0..20).map(|_| docker.now())).await;
    assert!(calls.iter().all(Result::is_ok), "{calls:?}");

    assert!(refused(with(None)).await.message.contains("plain tcp"), "not in clear");

    // Another authority with another client: neither side may trust the other.
    let other = tempfile::tempdir().expect("a folder");
    let openssl = |arguments: &[&str]| {
        let output =
            Command::new("openssl").args(arguments).current_dir(other.path()).output().expect("openssl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    for name in ["ca", "cert"] {
        let (key, pem) = (if name == "ca" { "ca-key.pem" } else { "key.pem" }, format!("{name}.pem"));
        let subject = format!("/CN={name}");
        openssl(&[
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", &subject, "-keyout", key,
            "-out", &pem,
        ]);
    }
    let engine_unknown = refused(with(Some(other.path()))).await;
    assert!(engine_unknown.message.contains("UnknownIssuer"), "{}", engine_unknown.message);
    assert_eq!(engine_unknown.kind, ErrorKind::Unreachable);
    fs::copy(folder.join("ca.pem"), other.path().join("ca.pem")).expect("its authority");
    let client_unknown = refused(with(Some(other.path()))).await;
    assert_eq!(client_unknown.kind, ErrorKind::Unreachable, "{}", client_unknown.message);

    fs::write(other.path().join("key.pem"), "not a key").expect("a file");
    assert!(refused(with(Some(other.path()))).await.message.contains("key.pem"));
}
