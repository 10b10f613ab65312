//! A project of Docker Compose 2 on a real Engine: deployed from nothing, and taken over where it stands.

use crate::env::Output;
use crate::secret_files::docker;
use crate::shop::Shop;
use serde_json::json;

/// The project is called as the workspace.
struct Project {
    shop: Shop,
    file: String,
}

impl Project {
    /// Two containers without a state and one with a volume, published on a port of the test.
    fn new() -> Option<Self> {
        let shop = Shop::new()?;
        let file = format!(
            r#"services:
  web:
    image: {repository}:${{TAG}}
    deploy: {{replicas: 2}}
    environment: {{MODE: production, PASSWORD: "${{PASSWORD}}", PORT: 80}}
    depends_on: [db]
    restart: always
    networks: {{default: , back: {{aliases: [front]}}}}
  db:
    image: {repository}:1.0.0
    user: "0:0"
    volumes: ["data:/data", "/cache"]
    ports: ["{port}:80"]
    networks: [back]
    healthcheck: {{test: [CMD, "true"], interval: 1s, retries: 3}}
networks: {{back: {{labels: {{team: shop}}}}}}
volumes: {{data: }}
"#,
            repository = shop.repository,
            port = shop.port,
        );
        shop.env.write("compose.yaml", &file);
        let inventory = shop.env.read("pillarbox.toml");
        let hosts = inventory.find("[groups.all]").expect("the group");
        let (before, after) = inventory.split_at(hosts);
        let after = after.replace("states = [\"web\"]", &format!("compose = [\"{}\"]", shop.name));
        shop.env.write("pillarbox.toml", format!("{before}[compose.{}]\n\n{after}", shop.name));
        shop.set(&format!("vars.{}.TAG", shop.name), "1.0.0");
        shop.seal(&format!("vars.{}.PASSWORD", shop.name), "~?>\"'\\ÄÖÜ$x");
        Some(Self { shop, file })
    }

    fn container(&self, name: &str) -> String {
        format!("{}-{name}", self.shop.name)
    }

    /// The image is on the host: Compose has no credential here.
    fn pulled(&self) {
        let shop = &self.shop;
        let pulled = format!("[i.image.pulled]\nname = \"{}\"\ntag = \"1.0.0\"\n", shop.repository);
        shop.env.write("states/image.toml", pulled);
        let inventory = shop.env.read("pillarbox.toml");
        let compose = format!("compose = [\"{}\"]", shop.name);
        shop.env.write("pillarbox.toml", inventory.replace(&compose, "states = [\"image\"]"));
        shop.apply().ok();
        shop.env.write("pillarbox.toml", inventory);
    }

    fn adopt(&self, more: &[&str]) -> Output {
        let all: Vec<&str> = ["adopt", "--compose", &self.shop.name, "--host", "local", "-y"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        self.shop.env.run(&all)
    }

    /// Compose 2 with the values in its environment.
    fn compose(&self, arguments: &[&str]) -> Output {
        let program = std::env::var("PILLARBOX_TEST_COMPOSE").expect("scripts/testbed up sets it");
        let all: Vec<&str> = ["-p", &self.shop.name, "-f", "compose.yaml"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let run = self.shop.env.program(&program, &all);
        run.var("DOCKER_HOST", self.shop.engine.address())
            .var("TAG", "1.0.0")
            .var("PASSWORD", "~?>\"'\\ÄÖÜ$x")
            .run()
    }

    fn env(&self, name: &str) -> Vec<String> {
        let inspect = self.shop.inspect(&self.container(name));
        let env = inspect["Config"]["Env"].as_array().cloned().unwrap_or_default();
        env.iter().filter_map(|line| line.as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // Its network and volume carry no label of ours where Compose made them.
        self.shop.env.write("compose.yaml", &self.file);
        let _ = self.compose(&["down", "-v", "-t", "0"]);
    }
}

#[test]
fn a_compose_file_is_deployed_from_nothing_and_the_second_plan_is_empty() {
    let Some(project) = Project::new() else { return };
    let shop = &project.shop;
    shop.apply().ok();
    shop.rests();
    shop.answers(shop.port, "web 1.0.0");
    assert!(project.env("web-2").contains(&"PASSWORD=~?>\"'\\ÄÖÜ$x".to_owned()));
    shop.release("serve", "1.1.0");
    shop.set(&format!("vars.{}.TAG", shop.name), "1.1.0");
    shop.apply().ok();
    shop.rests();
    shop.env.run(&["history", &project.container("web")]).ok().says("1.1.0").says("kept (2)");
    // Neither file of Compose nor plan nor label holds the secret.
    shop.env.run(&["plan", "--json"]).ok().lacks("ÄÖÜ");
    let inspect = shop.inspect(&project.container("web-1"));
    assert!(!inspect["Config"]["Labels"].to_string().contains("ÄÖÜ"));
}

#[test]
fn containers_of_compose_are_taken_over_without_a_restart_and_the_plan_is_empty() {
    let Some(project) = Project::new() else { return };
    let shop = &project.shop;
    project.pulled();
    project.compose(&["up", "-d"]).ok();
    let containers = ["web-1", "web-2", "db-1"];
    let identity = || containers.map(|name| shop.identity(&project.container(name)));
    let before = identity();
    // What the file says otherwise is shown, and stops all of it.
    shop.env.write("compose.yaml", project.file.replace("MODE: production", "MODE: test"));
    let adopt = |more: &[&str]| project.adopt(more);
    let web = project.container("web-1");
    let refused = adopt(&[]).exits(1);
    refused
        .explains(&format!("the next apply would replace container {web} on host local"))
        .explains("env.MODE is not what runs")
        .explains("nothing was recorded")
        .says("≠ env.MODE")
        .says(&format!("≠ {web}"))
        .says("6 of 7 fields agree")
        .says("compose.yaml:5")
        .lacks("adopted");
    shop.env.write("compose.yaml", &project.file);
    let said = adopt(&[]).ok();
    said.says(&format!("= {web}  7 fields"))
        .says("All that is declared agrees")
        .explains("adopted on host local, without a restart: ")
        .explains("Docker Compose still knows them")
        .explains(&format!(
            "local: mv {0}/compose.yaml {0}/compose.yaml.old",
            shop.env.workspace().display()
        ));
    adopt(&[]).ok().explains("all 3 containers of the project on host local: already managed by pillarbox");
    shop.rests();
    assert_eq!(identity(), before, "nothing was restarted");
    project.compose(&["up", "-d"]).ok();
    assert_eq!(identity(), before, "Compose sees no difference either");
    shop.release("serve", "1.1.0");
    shop.set(&format!("vars.{}.TAG", shop.name), "1.1.0");
    shop.apply().ok().says("carries the labels of Docker Compose");
    shop.rests();
    assert_eq!(shop.identity(&project.container("db-1")), before[2], "what did not change stays");

    // A later `docker compose up` starts what is kept: it is in no network, and a finding that is mended.
    let kept = ["web-1.g1.kept", "web-2.g1.kept"].map(|name| project.container(name));
    let networks = |name: &str| shop.inspect(name)["NetworkSettings"]["Networks"].clone();
    assert_eq!(kept.each_ref().map(|name| networks(name)), [json!({}), json!({})]);
    project.compose(&["up", "-d"]).ok();
    for name in &kept {
        let inspect = shop.inspect(name);
        assert_eq!((&inspect["State"]["Running"], networks(name)), (&json!(true), json!({})));
    }
    let plan = shop.env.run(&["plan", "--detailed-exitcode"]).exits(2);
    plan.says(&format!("container {}", kept[0])).says("it was started by docker compose, or by hand");
    shop.env.run(&["status", "--exit-code"]).exits(2).says(&kept[1]);
    shop.apply().ok();
    shop.rests();
    // A rollback joins the networks again, with the names and aliases that were declared.
    shop.set(&format!("vars.{}.TAG", shop.name), "1.0.0");
    shop.env.run(&["rollback", &project.container("web"), "--once", "-y"]).ok();
    assert_eq!(shop.identity(&project.container("web-1"))[0], before[0][0], "the same container");
    let endpoints = networks(&project.container("web-1"));
    let back = endpoints[format!("{}_back", shop.name)]["Aliases"].to_string();
    assert!(back.contains("front") && back.contains("\"web\""), "{endpoints}");
    assert_eq!(endpoints.as_object().map(serde_json::Map::len), Some(2), "{endpoints}");
    shop.rests();
}

#[test]
fn what_is_not_the_project_s_is_named_and_stops_all_of_it() {
    let Some(project) = Project::new() else { return };
    let shop = &project.shop;
    let [web, second, db] = ["web-1", "web-2", "db-1"].map(|name| project.container(name));
    let docker = |arguments: &[&str]| {
        shop.env.program("docker", arguments).var("DOCKER_HOST", shop.engine.address()).run().ok()
    };
    let records = || {
        let volumes = shop.engine.volumes();
        let names = volumes.iter().filter_map(|volume| volume["Name"].as_str());
        names.filter(|name| name.starts_with(&format!("pillarbox-adopted.{}.", shop.name))).count()
    };
    project.pulled();
    project.adopt(&[]).exits(1).explains("no container of the Compose project").explains("pillarbox apply");
    let other = shop.env.run(&["adopt", "--compose", "shpo", "--host", "local", "-y"]);
    other.exits(64).explains("no Compose project shpo is declared for local");

    // Half of it runs, a one-off and a third replica beside it, one stopped.
    project.compose(&["up", "-d", "--scale", "web=3", "--no-deps", "web"]).ok();
    project.compose(&["run", "-d", "--no-deps", "--name", &project.container("once"), "web"]).ok();
    docker(&["stop", "-t", "0", &second]);
    // Compose 1 would have called it so.
    docker(&["rename", &web, &format!("{}_web_1", shop.name)]);
    project
        .adopt(&[])
        .exits(1)
        .explains(&format!("container {web} on host local is called {}_web_1 there", shop.name))
        .explains(&format!("docker rename {}_web_1 {web}", shop.name));
    docker(&["rename", &format!("{}_web_1", shop.name), &web]);
    // Made by hand under a name of the project, and by another project.
    let image = format!("{}:1.0.0", shop.repository);
    docker(&["run", "-d", "--name", &db, &image]);
    let alone = format!("pillarbox adopt {db} --host 'local'");
    project.adopt(&[]).exits(1).explains("was not made by Docker Compose").explains(&alone);
    docker(&["rm", "-f", &db]);
    let labels = [
        "com.docker.compose.project=other",
        "com.docker.compose.service=db",
        "com.docker.compose.oneoff=False",
    ];
    let labels: Vec<&str> = labels.iter().flat_map(|label| ["--label", label]).collect();
    let run = [["run", "-d", "--name", &db].as_slice(), &labels, &[image.as_str()]].concat();
    docker(&run);
    project.adopt(&[]).exits(1).explains("is of the Compose project other").explains("[compose.other]");
    docker(&["rm", "-f", &db]);
    assert_eq!(records(), 0);

    let json = project.adopt(&["--json"]).ok().json();
    let host = &json["hosts"][0];
    assert_eq!((&json["project"], &host["missing"]), (&json!(shop.name), &json!([db])), "{json}");
    assert_eq!(host["containers"].as_array().map(Vec::len), Some(2), "{json}");
    assert_eq!(records(), 2);
    let said = project.adopt(&[]).ok();
    said.says(&format!("+ {db}  is not there"))
        .says(&format!("container {}: made by 'docker compose run'", project.container("once")))
        .says(&format!("container {}: of the service web of the project", project.container("web-3")));
    shop.env.run(&["plan"]).ok().says("it is exited").says("will be created");

    // Another workspace cannot take what is adopted.
    let inventory = format!(
        "workspace = \"theirs\"\n[hosts.local]\nengine = \"{}\"\nstates = [\"web\"]\n",
        shop.engine.address()
    );
    shop.env.write("theirs/pillarbox.toml", inventory);
    let state = format!("[w.container.running]\nname = \"{web}\"\nimage = \"{image}\"\npull = \"never\"\n");
    shop.env.write("theirs/states/web.toml", state);
    let theirs = shop.env.run(&["-C", "theirs", "adopt", &web, "--host", "local", "-y"]);
    theirs.exits(1).explains(&format!("workspace {} adopted it", shop.name));
}

#[test]
fn configs_and_shipped_files_are_read_in_the_container_and_a_changed_one_replaces_it() {
    let Some(project) = Project::new() else { return };
    let shop = &project.shop;
    let web = project.container("web-1");
    let file = format!(
        "services:\n  web:\n    image: {}:1.0.0\n    stop_grace_period: 1s\n    configs:\n      \
         - {{source: app, target: /etc/app.cfg, uid: \"7\", gid: \"8\", mode: 0440}}\n      \
         - {{source: motd, target: /etc/motd}}\n    x-pillarbox: {{ship: [./conf], update: {{monitor: 1s}}}}\n    \
         volumes: [\"./conf:/etc/web:ro\"]\nconfigs:\n  app: {{file: ./app.cfg}}\n  \
         motd: {{content: \"tag ${{TAG}} ${{PASSWORD}}\\n\"}}\n",
        shop.repository
    );
    shop.env.write("compose.yaml", &file).write("app.cfg", "listen 80\n");
    shop.env.write("conf/web.conf", "one\n").write("conf/sites/shop.conf", "two\n");
    shop.apply().ok();
    let read =
        |path: &str| String::from_utf8_lossy(&docker(shop, &["exec", &web, "cat", path]).1).into_owned();
    let id = || shop.inspect(&web)["Id"].clone();
    assert_eq!(read("/etc/app.cfg"), "listen 80\n");
    assert_eq!(read("/etc/motd"), "tag 1.0.0 ~?>\"'\\ÄÖÜ$x\n");
    assert_eq!(
        (read("/etc/web/web.conf"), read("/etc/web/sites/shop.conf")),
        ("one\n".into(), "two\n".into())
    );
    let (_, listed) = docker(shop, &["exec", &web, "ls", "-ln", "/etc/app.cfg"]);
    assert!(String::from_utf8_lossy(&listed).starts_with("-r--r-----    1 7        8"), "{listed:?}");
    shop.rests();
    for (path, text, inside) in [
        ("app.cfg", "listen 81\n", "/etc/app.cfg"),
        ("conf/sites/shop.conf", "three\n", "/etc/web/sites/shop.conf"),
    ] {
        let before = id();
        shop.env.write(path, text);
        let plan = shop.env.run(&["plan"]).ok();
        plan.says(&format!("files.{inside} changed")).says(&format!("+{}", text.trim_end())).lacks("ÄÖÜ");
        shop.apply().ok();
        assert_ne!(id(), before, "{path}");
        assert_eq!(read(inside), text);
        shop.rests();
    }
    // What cannot be brought along is refused, and what runs stays.
    let before = shop.identity(&web);
    let large = shop.env.workspace().join("conf/large.bin");
    std::fs::write(&large, vec![b'x'; 9 << 20]).expect("written");
    shop.apply().exits(1).explains("compose.yaml").explains("large");
    std::fs::remove_file(&large).expect("removed");
    let link = shop.env.workspace().join("conf/passwd");
    std::os::unix::fs::symlink("/etc/passwd", &link).expect("a link");
    shop.apply().exits(1).explains("passwd").explains("a symbolic link").lacks("root:");
    std::fs::remove_file(&link).expect("removed");
    shop.rests();
    assert_eq!(shop.identity(&web), before);
}

#[test]
fn a_compose_file_that_changes_after_its_plan_makes_the_plan_stale() {
    let Some(project) = Project::new() else { return };
    let shop = &project.shop;
    let web = project.container("web-1");
    let file = |mode: &str| {
        format!(
            "services:\n  web:\n    image: {}:1.0.0\n    stop_grace_period: 1s\n    environment: {{MODE: {mode}}}\n    \
             x-pillarbox: {{update: {{monitor: 1s}}}}\n",
            shop.repository
        )
    };
    shop.env.write("compose.yaml", file("production"));
    shop.apply().ok();
    shop.env.write("compose.yaml", file("test"));
    shop.env.run(&["plan", "-o", "plan.json"]).ok();
    let before = shop.identity(&web);
    for changed in [file("another"), file("production")] {
        shop.env.write("compose.yaml", changed);
        shop.env.run(&["apply", "plan.json"]).exits(5).explains("no longer fits; nothing was changed");
        assert_eq!(shop.identity(&web), before, "it was touched");
    }
    shop.env.write("compose.yaml", file("test"));
    shop.env.run(&["apply", "plan.json"]).ok();
    assert!(project.env("web-1").contains(&"MODE=test".to_owned()));
    shop.rests();
}
