//! A secret that goes through every command stands nowhere but in what was asked for: not in an output,
//! an error, a file, an argument or an environment; neither as it is, nor in base64 or hex.

use crate::env::TestEnv;
use crate::search::{files_with, holds};
use std::fs;

#[test]
fn a_secret_is_nowhere_but_where_it_was_asked_for() {
    const SECRETS: [&str; 4] =
        ["CANARY-pässword~?>", "CANARY-token-0002", "CANARY-third-0003", "CANARY-fourth-04"];
    let env = TestEnv::initialised();
    let script = env.home().join("editor");
    fs::write(
        &script,
        format!(
            "#!/bin/sh\n{{ for p in $PPID $(cut -d' ' -f4 /proc/$PPID/stat); do cat /proc/$p/cmdline /proc/$p/environ; done; cat /proc/$$/cmdline; env; }} >> '{0}/seen'\n\
             sed -i 's/{1}/{2}/' \"$1\"\n[ -z \"$BREAK\" ] || echo 'x = = {{ secret = \"{2}\" }}' >> \"$1\"\n",
            env.home().display(),
            SECRETS[2],
            SECRETS[3],
        ),
    )
    .expect("a script");
    let mut said = Vec::new();
    let mut run = |arguments: &[&str], input: &str, breaks: &str| {
        let output = env
            .command(arguments)
            .var("EDITOR", format!("sh '{}'", script.display()))
            .var("BREAK", breaks)
            .var("RUST_LOG", "trace")
            .input(input)
            .run();
        said.push((arguments.join(" "), output.code, format!("{}{}", output.stdout, output.stderr)));
    };
    run(&["-v", "seal", "api.pw"], SECRETS[0], "");
    run(&["-v", "registry", "add", "ghcr.io", "-u", "bot", "--password-stdin"], SECRETS[1], "");
    run(&["-v", "seal", "api.third"], SECRETS[2], "");
    run(&["-v", "seal", "api"], SECRETS[0], "");
    run(&["-v", "seal", "deploy.x.version"], SECRETS[0], "");
    run(
        &[
            "-v",
            "--strict",
            "seal",
            "--slot",
            "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
            "api.x",
        ],
        SECRETS[0],
        "",
    );
    run(&["-v", "registry", "add", "bad host", "-u", "bot", "--password-stdin"], SECRETS[1], "");
    run(
        &["-v", "registry", "add", "ghcr.io", "-u", "bot", "--password-stdin"],
        &format!("{0}\0{0}", SECRETS[1]),
        "",
    );
    let multi = format!("{0}\n{0}\n", SECRETS[1]);
    run(&["-v", "registry", "add", "lines.example.com", "-u", "bot", "--password-stdin"], &multi, "");
    run(&["-v", "registry", "export", "--format", "env"], "", "");
    run(&["-v", "registry", "export", "--format", "docker", "--to", "in-here.json"], "", "");
    run(&["-v", "--no-identity", "registry", "export", "--format", "podman"], "", "");
    run(&["-v", "get", "api"], "", "");
    run(&["-v", "--json", "get", "api"], "", "");
    run(&["-v", "get", "api.pw"], "", "");
    run(&["-v", "get", "--host", "local", "api"], "", "");
    run(&["-v", "show", "apps"], "", "");
    run(&["-v", "--json", "registry", "list"], "", "");
    run(&["-v", "edit", "apps"], "", "yes");
    run(&["-v", "edit", "apps"], "", "");
    run(&["-v", "move", "api.pw", "api.db.password"], "", "");
    run(&["-v", "move", "api", "service"], "", "");
    run(&["-v", "move", "apps.toml", "services.toml"], "", "");
    run(&["-v", "set", "service.db.password", "x"], "", "");
    run(&["-v", "verify"], "", "");
    run(&["-v", "--no-identity", "reveal", "service.third"], "", "");
    run(&["-v", "unset", "service.db.password"], "", "");
    run(&["-v", "registry", "remove", "ghcr.io"], "", "");
    let expected = [0, 0, 0, 64, 64, 8, 64, 1, 0, 1, 1, 10, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 64, 0, 10, 0, 0];
    let codes: Vec<i32> = said.iter().map(|(_, code, _)| *code).collect();
    assert_eq!(codes, expected, "{said:#?}");
    for (command, _, text) in &said {
        for secret in SECRETS {
            assert!(!holds(text.as_bytes(), secret), "{secret} in the output of {command}:\n{text}");
        }
    }
    // The script of the fake editor names two of them itself.
    fs::remove_file(&script).expect("removed");
    assert!(fs::read(env.home().join("seen")).expect("what the editor saw").len() > 200);
    for secret in SECRETS {
        let mut found = Vec::new();
        files_with(env.home().parent().expect("the root of the test"), secret, &mut found);
        assert!(found.is_empty(), "{secret} in {found:?}");
    }
    assert_eq!(env.run(&["reveal", "service.third"]).ok().stdout(), SECRETS[3]);
}
