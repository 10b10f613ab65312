//! `compose add` and `init --from`: a Compose project and its variables into a workspace.

use crate::env::TestEnv;
use crate::lying_engine::LyingEngine;
use crate::terminal::typed;
use serde_json::json;
use std::fs;

const FILE: &str = r#"services:
  api:
    image: registry.example.com/api:${API_TAG}
    build: .
    environment:
      DATABASE_URL: ${DATABASE_URL}
      S3_SECRET_KEY:
      MODE: ${MODE:-production}
    depends_on: [db]
  db:
    image: registry.example.com/postgres:16
    environment: {POSTGRES_PASSWORD: "${DB_PASSWORD}"}
    volumes: ["data:/var/lib/postgresql/data"]
volumes:
  data:
"#;

const ENV: &str = "# shop\nAPI_TAG=1.0.0\nDB_PASSWORD='canary-one # x'\nexport S3_SECRET_KEY=canary-two\nDATABASE_URL=\"postgres://shop:canary-three@db/shop\"\nEDITOR_OF_MINE=vi\nCOMPOSE_PROFILES=\n";

const CANARIES: [&str; 3] = ["canary-one", "canary-two", "canary-three"];

/// A workspace without hosts, with these files.
fn workspace(files: &[(&str, &str)]) -> TestEnv {
    let env = TestEnv::initialised();
    env.write("pillarbox.toml", "# the shop\nworkspace = \"shop\" # its name\n");
    for (path, text) in files {
        env.write(path, text);
    }
    env
}

#[test]
fn a_project_is_added_with_its_variables_and_can_be_planned() {
    let env = workspace(&[("compose.yaml", FILE), (".env", ENV)]);
    let added = env.run(&["compose", "add", "compose.yaml", "--host", "vm1=ssh://deploy@vm1", "-y"]).ok();
    for text in [
        "compose shop: 2 services, 1 network, 1 volume",
        ".env: 4 variables to pillar/shop.toml, 3 sealed (DATABASE_URL, DB_PASSWORD, S3_SECRET_KEY)",
        ".env: no file refers to EDITOR_OF_MINE",
        "left out: compose.yaml:4: `build` is ignored: the image is pulled",
        ".env still holds these secrets in clear",
        "git rm --cached .env",
        "pillarbox plan",
    ] {
        assert!(added.stderr().contains(text), "{text}\n---\n{}", added.stderr());
    }
    assert_eq!(
        env.read("pillarbox.toml"),
        "# the shop\nworkspace = \"shop\" # its name\n\n[compose.shop]\nfiles = [\"compose.yaml\"]\n\n[hosts.vm1]\nengine = \"ssh://deploy@vm1\"\npillar = [\"shop\"]\ncompose = [\"shop\"]\n"
    );
    let pillar = env.read("pillar/shop.toml");
    assert!(pillar.contains("[vars.shop]") && pillar.contains("API_TAG = \"1.0.0\""), "{pillar}");
    assert_eq!(pillar.matches("sealed = ").count(), 3, "{pillar}");
    assert_eq!((env.read(".env").as_str(), env.read("compose.yaml").as_str()), (ENV, FILE), "they stay");
    let shown = env.run(&["--no-identity", "compose", "show"]).ok();
    for canary in CANARIES {
        assert!(!format!("{pillar}{}{}", added.stdout(), added.stderr()).contains(canary), "{canary}");
        assert!(!shown.stdout().contains(canary), "{canary}");
    }
    let revealed = env.run(&["reveal", "vars.shop.DB_PASSWORD"]).ok();
    assert_eq!(revealed.stdout().trim_end(), "canary-one # x");
    let revealed = env.run(&["reveal", "vars.shop.DATABASE_URL"]).ok();
    assert_eq!(revealed.stdout().trim_end(), "postgres://shop:canary-three@db/shop");
    env.run(&["compile"]).ok();

    let files = env.files();
    env.run(&["compose", "add", "compose.yaml", "--host", "vm1", "-y"])
        .ok()
        .explains("all of it is there already");
    env.run(&["compose", "add"]).ok().explains("all of it is there already");
    assert_eq!(env.files(), files, "a second time changes nothing");
}

#[test]
fn nothing_is_written_without_an_answer_and_nothing_that_is_there_is_overwritten() {
    let env = workspace(&[("compose.yaml", FILE), (".env", ENV)]);
    let files = env.files();
    env.run(&["compose", "add", "compose.yaml", "--host", "vm1=ssh://deploy@vm1"]).exits(9);
    let (code, said) = typed(
        &env,
        "compose add compose.yaml --host vm1=ssh://deploy@vm1",
        &[("Add the project shop, and seal 3 variables?", "n")],
    );
    assert!(code != 0, "{said}");
    assert_eq!(env.files(), files);

    env.write("pillarbox.toml", "workspace = \"shop\"\n[compose.shop]\nfiles = [\"other.yaml\"]\n");
    env.run(&["compose", "add", "compose.yaml", "-y"])
        .exits(1)
        .explains("pillarbox.toml:2: [compose.shop] is there already and says otherwise")
        .explains("--name NAME");
    env.write("pillarbox.toml", "workspace = \"shop\"\n[hosts.vm1]\nengine = \"ssh://deploy@other\"\n");
    env.run(&["compose", "add", "compose.yaml", "--host", "vm1=ssh://deploy@vm1", "-y"])
        .exits(1)
        .explains("host vm1 is there already with another Engine")
        .explains("--host vm1");
    env.write("pillar/shop.toml", "[vars.shop]\nDB_PASSWORD = \"mine\" # stays\n");
    env.run(&["compose", "add", "compose.yaml", "--host", "vm1", "-y"])
        .ok()
        .explains("1 there already, left as they are (DB_PASSWORD)");
    let pillar = env.read("pillar/shop.toml");
    assert!(pillar.starts_with("[vars.shop]\nDB_PASSWORD = \"mine\" # stays\n"), "{pillar}");
    env.run(&["compile"]).ok();
}

#[test]
fn which_variables_are_sealed_can_be_said() {
    let env = workspace(&[("compose.yaml", FILE), (".env", ENV)]);
    env.run(&["compose", "add", "--seal", "API_TGA", "--clear", "EDITOR_OF_MINE", "-y"])
        .exits(64)
        .explains("there is no variable API_TGA that the files refer to")
        .explains("did you mean `API_TAG`?")
        .explains("there is no variable EDITOR_OF_MINE");
    // A secret may not stand in an image: that is said, and how it goes.
    let sealed = env.run(&[
        "compose",
        "add",
        "--seal",
        "API_TAG",
        "--clear",
        "DB_PASSWORD",
        "--host",
        "vm1=ssh://a@vm1",
        "-y",
    ]);
    sealed.exits(1).explains("before a plan can be made:").explains("compose.yaml:3: ");
    let pillar = env.read("pillar/shop.toml");
    assert!(pillar.contains("DB_PASSWORD = \"canary-one # x\""), "{pillar}");
    assert!(pillar.contains("API_TAG = { sealed"), "{pillar}");
}

#[test]
fn what_lacks_before_a_plan_is_said_with_the_command_that_mends_it() {
    let env = workspace(&[(
        "compose.yaml",
        "services:\n  api:\n    image: registry.example.com/api:${API_TAG}\n    volumes: [\"./conf:/etc/api:ro\"]\n",
    )]);
    env.run(&["compose", "add", "--host", "vm1=ssh://a@127.0.0.1:1", "-y"])
        .exits(1)
        .explains("it is not known where the files lie")
        .explains("compose.yaml:3: the variable `API_TAG` has no value")
        .explains("pillarbox set vars.shop.API_TAG VALUE")
        .explains("compose.yaml:4: ./conf is a path of this machine")
        .explains("dir = \"/srv/shop\"");
    env.run(&["set", "vars.shop.API_TAG", "1.0.0"]).ok();
    let inventory = env.read("pillarbox.toml");
    env.write(
        "pillarbox.toml",
        inventory.replace("[compose.shop]\n", "[compose.shop]\ndir = \"/srv/shop\"\n"),
    );
    env.run(&["compile"]).ok();
    env.run(&["compose", "add", "-y"]).ok().explains("all of it is there already");
}

#[test]
fn the_folder_on_the_host_comes_from_the_containers_that_run() {
    let env = workspace(&[(
        "compose.yaml",
        "services:\n  api:\n    image: registry.example.com/api:1\n    volumes: [\"./conf:/etc/api:ro\"]\n",
    )]);
    let engine = LyingEngine::new(&env.home());
    let labels = json!({ "com.docker.compose.project": "shop", "com.docker.compose.project.working_dir": "/opt/shop" });
    let other = json!({ "com.docker.compose.project": "else", "com.docker.compose.project.working_dir": "/opt/else" });
    let listed = |name: &str, labels: &serde_json::Value| {
        json!({ "Id": format!("{name:0>64}"), "Names": [format!("/{name}")], "ImageID": "sha256:aa", "State": "running", "Labels": labels,
                "NetworkSettings": { "Networks": {} }, "HostConfig": { "NetworkMode": "default" }, "Mounts": [] })
    };
    let all = json!([listed("shop-api-1", &labels), listed("else-api-1", &other)]);
    engine.says("GET /containers/json", 200, all.to_string());
    let host = format!("vm1={}", engine.address());
    env.run(&["compose", "add", "compose.yaml", "--host", &host, "-y"])
        .ok()
        .explains("dir: /opt/shop on vm1 (from the running containers)")
        .explains("pillarbox adopt --compose shop --host vm1");
    assert!(
        env.read("pillarbox.toml")
            .contains("[compose.shop]\nfiles = [\"compose.yaml\"]\ndir = \"/opt/shop\"\n")
    );
    let json = env.run(&["compose", "show", "--json"]).ok().json();
    assert_eq!(json["projects"][0]["config"]["services"]["api"]["volumes"][0]["source"], "/opt/shop/conf");
}

#[test]
fn a_project_is_called_as_compose_calls_it_and_goes_to_groups() {
    let file = "name: ${STAGE:-My.Shop}\nservices: {api: {image: registry.example.com/api:1}}\n";
    let env = workspace(&[
        ("deploy/My.App Dir/compose.yml", "services: {api: {image: registry.example.com/api:1}}\n"),
        ("named.yaml", file),
    ]);
    let group = "workspace = \"shop\"\n[groups.web]\npillar = [\"apps\"] # all\n[hosts.a]\nengine = \"ssh://a@a\"\ngroups = [\"web\"]\n";
    env.write("pillarbox.toml", group);
    env.run(&["compose", "add", "deploy/My.App Dir/compose.yml", "--group", "web", "-y"]).ok();
    let inventory = env.read("pillarbox.toml");
    assert!(
        inventory.contains("[groups.web]\npillar = [\"apps\"] # all\ncompose = [\"myappdir\"]\n"),
        "{inventory}"
    );
    assert!(
        inventory.contains("[compose.myappdir]\nfiles = [\"deploy/My.App Dir/compose.yml\"]\n"),
        "{inventory}"
    );
    env.run(&["compose", "add", "named.yaml", "--host", "a", "-y"])
        .ok()
        .explains("compose myshop: 1 service");
    env.write("deploy/.env", "COMPOSE_PROJECT_NAME=third\nCOMPOSE_PROFILES=dev,ops\n");
    env.run(&["compose", "add", "named.yaml", "--env", "deploy/.env", "-y"])
        .ok()
        .explains("the file calls its project `My.Shop`");
    let inventory = env.read("pillarbox.toml");
    assert!(
        inventory.contains("[compose.third]\nfiles = [\"named.yaml\"]\nprofiles = [\"dev\", \"ops\"]\n"),
        "{inventory}"
    );
    env.run(&["compose", "add", "named.yaml", "--name", "Shop!", "-y"]).exits(64).explains("--name shop");
    env.run(&["compose", "add", "named.yaml", "--group", "wbe", "-y"])
        .exits(64)
        .explains("did you mean `web`?");
    env.run(&["compose", "add", "named.yaml", "--name", "four", "--host", "b", "-y"])
        .exits(64)
        .explains("--host b=ssh://deploy@b");
}

#[test]
fn what_cannot_be_added_leaves_the_workspace_as_it_is() {
    let env = workspace(&[
        ("broken.yaml", "services: [\n"),
        ("empty.yaml", "services: {api: {image: x, profiles: [dev]}}\n"),
        ("good.yaml", "services: {api: {image: registry.example.com/api:1}}\n"),
        ("bad.env", "a line with canary-four\n"),
    ]);
    fs::write(env.home().join("outside.yaml"), "services: {}\n").expect("a file");
    let files = env.files();
    env.run(&["compose", "add", "broken.yaml", "-y"])
        .exits(1)
        .explains("broken.yaml:")
        .explains("this is not YAML");
    env.run(&["compose", "add", "empty.yaml", "-y"])
        .exits(1)
        .explains("no service that is on")
        .explains("--profile NAME");
    env.run(&["compose", "add", "missing.yaml", "-y"]).exits(1).explains("missing.yaml cannot be read");
    env.run(&["compose", "add", "-y"]).exits(1).explains("the workspace has no compose.yaml");
    env.run(&["compose", "add", "../outside.yaml", "-y"])
        .exits(1)
        .explains("../outside.yaml is not in the workspace");
    env.run(&["compose", "add", "good.yaml", "--env", "bad.env", "-y"])
        .exits(1)
        .explains("bad.env:1: ")
        .lacks("canary-four");
    env.run(&["compose", "add", "good.yaml", "--host", "vm1=nonsense", "-y"]).exits(1);
    assert_eq!(env.files(), files);
}

#[test]
fn an_env_file_that_holds_the_secrets_of_env_is_warned_of() {
    let env = workspace(&[
        (
            "compose.yaml",
            "services: {api: {image: \"registry.example.com/api:1\", env_file: .env, environment: {A: \"${APP_KEY}\"}}}\n",
        ),
        (".env", "APP_KEY=canary-five\n"),
    ]);
    env.run(&["compose", "add", "--host", "vm1=ssh://a@vm1", "-y"])
        .ok()
        .explains("`env_file` names .env")
        .lacks("canary-five");
}

#[test]
fn init_from_a_compose_file_makes_a_workspace_with_the_project_and_no_example() {
    let env = TestEnv::new();
    env.write("compose.yaml", FILE).write(".env", ENV);
    env.run(&["init", "--host", "vm1"]).exits(64).explains("pillarbox init --from compose.yaml");
    env.run(&["init", "--from", "none.yaml"]).exits(1).explains("none.yaml cannot be read");
    assert!(!env.workspace().join("pillarbox.toml").exists());
    let made =
        env.run(&["init", "--from", "compose.yaml", "--host", "vm1=ssh://deploy@vm1", "-y", "--no-git"]).ok();
    for text in [
        "made the workspace shop",
        "compose shop: 2 services",
        "3 sealed",
        "added the project shop",
        "pillarbox plan",
    ] {
        assert!(made.stderr().contains(text), "{text}\n---\n{}", made.stderr());
    }
    for canary in CANARIES {
        assert!(!made.stderr().contains(canary), "{canary}");
    }
    let inventory = env.read("pillarbox.toml");
    assert!(!inventory.contains("nginx") && inventory.contains("[hosts.vm1]"), "{inventory}");
    assert!(!env.workspace().join("states").exists() && !env.workspace().join("pillar/apps.toml").exists());
    env.run(&["compile"]).ok();

    let asked = TestEnv::new();
    asked.write("compose.yaml", FILE).write(".env", ENV);
    asked
        .run(&["init", "--no-git"])
        .ok()
        .explains("there is a compose.yaml: pillarbox compose add compose.yaml");
}
