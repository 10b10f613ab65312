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
    let (_, key) = crate::sealing::person(&env, "bob");
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
    run(&["-v", "who-can-read", "service"], "", "");
    run(&["-v", "--json", "who-can-read", "service"], "", "");
    run(&["-v", "reader", "add", "bob", &key], "", "");
    run(&["-v", "reader", "remove", "bob", "--to", "bob.txt"], "", "");
    run(&["-v", "reader", "leavers"], "", "");
    run(&["-v", "unset", "service.db.password"], "", "");
    run(&["-v", "registry", "remove", "ghcr.io"], "", "");
    let expected = [
        0, 0, 0, 64, 64, 8, 64, 1, 0, 1, 1, 10, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 64, 0, 10, 0, 0, 0, 0, 1, 0,
        0,
    ];
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

#[test]
fn a_secret_that_salt_rendered_is_nowhere_but_where_it_was_asked_for() {
    const SECRETS: [&str; 4] =
        ["CANARY-pässword~?>", "CANARY-in-a-text-02", "CANARY-registry-03", "CANARY-no-pillar-04"];
    let env = TestEnv::initialised();
    let [password, token, registry, own] = SECRETS;
    let states = serde_json::json!({"web1": {"web": {"docker_container": [
        {"image": "registry.example.com/web:1"}, "running", {"order": 10000},
        {"environment": [{"DB_PASSWORD": password}, {"URL": format!("https://x:{token}@api/")}, {"API_KEY": own}]},
    ], "__sls__": "shop"}, "labelled": {"docker_container": [
        {"image": "registry.example.com/web:1"}, {"labels": [{"token": token}]}, {"command": format!("run {password}")}, "running", {"order": 10001},
    ], "__sls__": "shop"}}});
    let pillar = serde_json::json!({"web1": {
        "db": {"password": password, "tokens": [token], "api_token": token},
        "docker-registries": {"registry.example.com": {"username": "me", "password": registry}},
    }});
    // They hold the secrets, and are removed before all is searched.
    let outside = env.home().join("salt");
    fs::create_dir_all(&outside).expect("a folder");
    let file = |name: &str, value: &serde_json::Value| {
        let path = outside.join(name);
        fs::write(&path, value.to_string()).expect("written");
        path.display().to_string()
    };
    let (states, pillar) = (file("states.json", &states), file("pillar.json", &pillar));
    let wrong = file("wrong.json", &serde_json::json!({"web1": {"x": password}}));
    let mut said = Vec::new();
    let mut run = |arguments: &[&str], code: i32| {
        let output = env.command(arguments).var("RUST_LOG", "trace").run();
        assert_eq!(output.code, code, "{arguments:?}: {}", output.stderr);
        said.push((arguments.join(" "), format!("{}{}", output.stdout, output.stderr)));
    };
    run(&["-v", "import", "salt", &wrong, "--pillar", &pillar], 1);
    run(&["-v", "import", "salt", &states, "--pillar", &pillar], 9);
    run(&["-v", "--json", "import", "salt", &states, "--pillar", &pillar], 9);
    run(&["-v", "import", "salt", &states, "--pillar", &wrong, "--seal", "nothing", "-y"], 64);
    // The labelled one is left out: who can use the Engine reads labels and commands.
    run(&["-v", "--json", "import", "salt", &states, "--pillar", &pillar, "-y"], 1);
    run(&["-v", "import", "salt", &states, "--pillar", &pillar, "-y"], 1);
    run(&["-v", "registry", "import", &pillar, "-y"], 0);
    run(&["-v", "--no-identity", "compile"], 0);
    fs::remove_dir_all(&outside).expect("removed");
    for (command, text) in &said {
        for secret in SECRETS {
            assert!(!holds(text.as_bytes(), secret), "{secret} in the output of {command}:\n{text}");
        }
    }
    for secret in SECRETS {
        let mut found = Vec::new();
        files_with(env.home().parent().expect("the root of the test"), secret, &mut found);
        assert!(found.is_empty(), "{secret} in {found:?}");
    }
    assert_eq!(env.run(&["reveal", "db.password"]).ok().stdout(), password);
}
