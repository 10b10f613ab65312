//! `registry add`, `list`, `remove`.

use crate::env::TestEnv;

fn add(env: &TestEnv, arguments: &[&str], secret: &str) -> crate::env::Output {
    env.run_with_input(&[&["registry", "add"], arguments].concat(), secret)
}

#[test]
fn a_credential_is_one_file_per_registry_and_one_table_per_prefix() {
    let env = TestEnv::initialised();
    add(&env, &["ghcr.io/acme", "-u", "acme-bot", "--password-stdin"], "t0ken\n")
        .ok()
        .explains("pillar/registries/ghcr.io.toml for alice")
        .lacks("t0ken");
    add(&env, &["ghcr.io", "-u", "bot", "--password-stdin", "--email", "a@b.c"], "t1ken").ok();
    add(&env, &["Localhost:5000", "-u", "u", "--password-stdin"], "pw").ok();
    add(&env, &["ghcr.io/acme/public", "--anonymous"], "").ok().explains("anonymous rule");
    add(&env, &["quay.io", "--identity-token-stdin"], "tok").ok().explains("identity token");
    let shown = env.run(&["show", "registries/ghcr.io"]).ok();
    let ids: Vec<&str> = shown.stdout().lines().filter(|line| line.starts_with("password")).collect();
    let expected = format!(
        "[registries.\"ghcr.io\"]\nusername = \"bot\"\nemail = \"a@b.c\"\n{}\n\n\
         [registries.\"ghcr.io/acme\"]\nusername = \"acme-bot\"\n{}\n\n\
         [registries.\"ghcr.io/acme/public\"]\nanonymous = true\n",
        ids[0], ids[1]
    );
    assert_eq!(shown.stdout(), expected);
    env.run(&["show", "registries/localhost_5000"]).ok().says("[registries.\"localhost:5000\"]");
    let list = env.run(&["--no-identity", "registry", "list"]).ok();
    let rows: Vec<Vec<&str>> = list.stdout().lines().map(|row| row.split_whitespace().collect()).collect();
    let keys: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(keys, ["ghcr.io", "ghcr.io/acme", "ghcr.io/acme/public", "localhost:5000", "quay.io"]);
    assert_eq!(rows[2][1], "anonymous");
    let json = env.run(&["--json", "registry", "list"]).ok().json();
    assert_eq!(json["registries"][0]["username"], "bot");
    assert_eq!(json["registries"][0]["file"], "pillar/registries/ghcr.io.toml");
    assert_eq!(json["registries"][0]["id"].as_str().expect("an id").len(), 16);
    assert_eq!(env.run(&["reveal", "registries.ghcr.io/acme.password"]).ok().stdout(), "t0ken");
}

#[test]
fn an_entry_that_is_there_is_replaced_however_its_key_is_spelled() {
    let env = TestEnv::initialised();
    env.write(
        "pillar/registries/docker.io.toml",
        "# the Hub\n[registries.\"index.docker.io\"]\nusername = \"old\" # robot\nanonymous = true\n",
    );
    add(&env, &["docker.io", "-u", "new", "--password-stdin"], "pw").ok().explains("replaced");
    let text = env.read("pillar/registries/docker.io.toml");
    assert!(
        text.starts_with(
            "# the Hub\n[registries.\"index.docker.io\"]\nusername = \"new\" # robot\npassword = {"
        ),
        "{text}"
    );
    assert!(!text.contains("anonymous"));
    add(&env, &["https://index.docker.io/v1/", "--identity-token-stdin"], "tok").ok().explains("replaced");
    let text = env.read("pillar/registries/docker.io.toml");
    assert!(text.contains("identity_token = {") && !text.contains("username") && !text.contains("password"));
    add(&env, &["registry-1.docker.io", "--anonymous"], "").ok().explains("replaced");
    assert_eq!(
        env.read("pillar/registries/docker.io.toml"),
        "# the Hub\n[registries.\"index.docker.io\"]\nanonymous = true\n"
    );
    env.run(&["registry", "remove", "docker.io"]).ok();
    env.run(&["registry", "list"]).ok().explains("no registries yet");
}

#[test]
fn a_helper_is_named_and_takes_the_place_of_a_secret() {
    let env = TestEnv::initialised();
    let file = "pillar/registries/ghcr.io.toml";
    add(&env, &["ghcr.io", "-u", "bot", "--password-stdin", "--email", "a@b.c"], "pw").ok();
    add(&env, &["ghcr.io", "--helper", "gcloud"], "").ok().explains("replaced the helper gcloud for ghcr.io");
    assert_eq!(env.read(file), "[registries.\"ghcr.io\"]\nhelper = \"gcloud\"\n");
    env.run(&["registry", "list"]).ok().says("helper gcloud");
    for name in ["../x", "-x", "Gcloud", "", "pillarbox"] {
        add(&env, &["ghcr.io", &format!("--helper={name}")], "").exits(64);
    }
    add(&env, &["ghcr.io", "--helper", "x", "-u", "bot"], "").exits(64);
    add(&env, &["ghcr.io", "--helper", "x", "--anonymous"], "").exits(64);
    assert_eq!(env.read(file), "[registries.\"ghcr.io\"]\nhelper = \"gcloud\"\n");
    // As `docker login` calls it.
    add(&env, &["ghcr.io", "-u", "<token>", "--password-stdin"], "tok")
        .ok()
        .explains("identity token of ghcr.io");
    let text = env.read(file);
    assert!(
        text.contains("identity_token = {") && !text.contains("helper") && !text.contains("<token>"),
        "{text}"
    );
    assert_eq!(env.run(&["reveal", "registries.ghcr.io.identity_token"]).ok().stdout(), "tok");
}

#[test]
fn another_box_gets_its_own_entry() {
    let env = TestEnv::initialised();
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    let prod = ["ghcr.io", "--in", "prod/registries", "-u", "prod-bot", "--password-stdin"];
    add(&env, &prod, "one").ok().explains("no host gets pillar/prod/registries.toml");
    add(&env, &["ghcr.io", "-u", "bot", "--password-stdin"], "two").ok().explains("replaced");
    assert!(!env.workspace().join("pillar/registries").exists());
    let base = ["ghcr.io", "--in", "registries/ghcr.io", "-u", "dev-bot", "--password-stdin"];
    add(&env, &base, "three").ok().explains("added").lacks("no host gets");
    add(&env, &["ghcr.io", "-u", "bot", "--password-stdin"], "x")
        .exits(64)
        .explains("pillarbox registry add --in prod/registries 'ghcr.io'");
    env.run(&["registry", "remove", "ghcr.io"])
        .exits(64)
        .explains("pillarbox registry remove --in registries/ghcr.io 'ghcr.io'");
    env.run(&["registry", "remove", "--in", "registries/ghcr.io", "ghcr.io"]).ok();
    assert!(!env.workspace().join("pillar/registries/ghcr.io.toml").exists());
    env.run(&["registry", "remove", "ghcr.io"]).ok().explains("older commits");
}

#[test]
fn what_cannot_be_a_credential_is_refused_before_anything_is_written() {
    let env = TestEnv::initialised();
    let before = env.files();
    let stdin = |registry: &str, user: &str, secret: &str| {
        add(&env, &[registry, "-u", user, "--password-stdin"], secret)
    };
    for registry in ["acme", "acme/api", "ghcr.io/Acme", "ghcr.io/a:1", "-x.io", "", "a b.io", "ghcr.io/../x"]
    {
        let said = stdin(registry, "u", "CANARY").exits(64);
        said.lacks("CANARY");
    }
    for user in ["", "a:b", "a\nb"] {
        stdin("ghcr.io", user, "CANARY").exits(64).lacks("CANARY");
    }
    for secret in ["", "\n", "CANARY\0", "CAN\u{1b}ARY"] {
        stdin("ghcr.io", "u", secret).exits(1).lacks("CANARY");
    }
    add(&env, &["ghcr.io", "-u", "u"], "CANARY").exits(9).explains("--password-stdin").lacks("CANARY");
    add(&env, &["ghcr.io", "--password-stdin"], "x").exits(64);
    add(&env, &["ghcr.io", "--anonymous", "-u", "u"], "").exits(64);
    add(&env, &["ghcr.io", "--identity-token-stdin", "--password-stdin"], "").exits(64);
    add(&env, &["ghcr.io", "--in", "box", "--anonymous"], "").exits(64);
    env.run(&["registry", "remove", "ghcr.io"]).exits(1).explains("pillarbox registry list");
    assert_eq!(env.files(), before);
}
