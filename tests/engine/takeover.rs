//! One realistic project from Compose to pillarbox and back: taken over where it stands, upgraded and rolled back
//! under load, and given back with its data.

use crate::env::Output;
use crate::testbed::EngineEnv;
use serde_json::{Value, json};
use std::fs;

/// Services of the project, two of one of them, and one that runs to its end.
const CONTAINERS: [&str; 6] = ["web-1", "web-2", "worker-1", "db-1", "cache-1", "lb-1"];

const PASSWORD: &str = "~?>\"'\\ÄÖÜ correct-horse";

struct Project {
    bed: EngineEnv,
    port: u16,
    file: String,
}

impl Project {
    fn new() -> Option<Self> {
        let bed = EngineEnv::initialised(&[])?;
        bed.add_registry();
        for version in ["1.0.0", "1.1.0"] {
            bed.push("healthy", "web", version);
        }
        let (image, _) = bed.push("serve", "store", "1.0.0");
        let web = image.replace("/store", "/web");
        let port = bed.port();
        // As docs/services.md, with the name of the service.
        let page = fs::read_to_string(crate::env::repository().join("docs/services.md")).expect("the page");
        let config = page.split("```haproxy\n").nth(1).and_then(|rest| rest.split("```").next());
        bed.env.write("haproxy.cfg", config.expect("the configuration").replace("api:80", "web:80"));
        let config = bed.env.workspace().join("haproxy.cfg");
        let file = format!(
            r#"x-store: &store
  image: {image}:1.0.0
  restart: unless-stopped
  stop_grace_period: 1s
services:
  web:
    image: {web}:${{WEB_TAG}}
    restart: always
    environment: {{DATABASE_URL: "postgres://web:${{DB_PASSWORD}}@db/shop", WORKERS: "2"}}
    depends_on:
      migrate: {{condition: service_completed_successfully}}
      cache: {{condition: service_started}}
    deploy: {{replicas: 2, resources: {{limits: {{memory: 64m}}}}}}
    networks: [front, default]
    x-pillarbox: {{gate: web, update: {{drain: 3s, monitor: 1s}}}}
  worker:
    <<: *store
    depends_on: [db, cache]
    environment: [QUEUE=mail]
    ulimits: {{nofile: {{soft: 1024, hard: 2048}}}}
  db:
    <<: *store
    secrets: [db-password]
    volumes: ["data:/data", "/scratch"]
    healthcheck: {{test: [CMD, "true"], interval: 1s, retries: 3}}
    networks: {{default: {{aliases: [database]}}}}
  migrate:
    image: {image}:1.0.0
    entrypoint: [sh, -c, "echo migrated >> /data/migrations"]
    volumes: ["data:/data"]
    depends_on: {{db: {{condition: service_healthy}}}}
  cache:
    <<: *store
    tmpfs: [/cache]
  lb:
    image: {image}:1.0.0
    entrypoint: [/usr/sbin/haproxy, -db, -f, /haproxy.cfg]
    ports: ["{port}:80"]
    networks: [front]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro", "{config}:/haproxy.cfg:ro"]
secrets:
  db-password: {{environment: DB_PASSWORD}}
networks: {{front: {{labels: {{team: shop}}}}}}
volumes: {{data: }}
"#,
            config = config.display(),
        );
        bed.env.write("compose.yaml", &file);
        let project = Self { bed, port, file };
        project.inventory("states = [\"images\"]");
        let pulled = [("web", &web, "1.0.0"), ("store", &image, "1.0.0")];
        let pulled = pulled
            .map(|(id, image, tag)| format!("[{id}.image.pulled]\nname = \"{image}\"\ntag = \"{tag}\"\n"));
        project.bed.env.write("states/images.toml", pulled.concat());
        project.bed.env.write("pillar/apps.toml", "");
        project.pillarbox(&["apply", "-y"]).ok();
        project.inventory(&format!("compose = [\"{}\"]", project.bed.name));
        let variable = |name: &str| format!("vars.{}.{name}", project.bed.name);
        project.pillarbox(&["set", &variable("WEB_TAG"), "1.0.0", "--in", "apps"]).ok();
        let seal = ["seal", &variable("DB_PASSWORD"), "--in", "apps"];
        project.bed.env.run_with_input(&seal, format!("{PASSWORD}\n")).ok();
        project.pillarbox(&["gate", "set", "web", "1.0.0", "--image", &web, "--in", "apps", "-y"]).ok();
        Some(project)
    }

    /// What the one host gets.
    fn inventory(&self, of_host: &str) {
        let inventory = self.bed.env.read("pillarbox.toml");
        let kept = inventory.split("[groups.").next().unwrap_or_default();
        let (name, engine) = (&self.bed.name, self.bed.engine.address());
        let kept = kept.split("[compose.").next().unwrap_or_default();
        self.bed.env.write(
            "pillarbox.toml",
            format!(
                "{kept}[compose.{name}]\n[groups.all]\npillar = [\"registries/*\", \"apps\"]\n{of_host}\n\
                 [hosts.local]\nengine = \"{engine}\"\ngroups = [\"all\"]\n"
            ),
        );
    }

    fn pillarbox(&self, arguments: &[&str]) -> Output {
        self.bed.env.run(arguments)
    }

    /// Compose 2, with the values in its environment as a `.env` would give them.
    fn compose(&self, arguments: &[&str]) -> Output {
        let program = std::env::var("PILLARBOX_TEST_COMPOSE").expect("scripts/testbed up sets it");
        let all = [["-p", &self.bed.name, "-f", "compose.yaml"].as_slice(), arguments].concat();
        let run = self.bed.env.program(&program, &all);
        run.var("DOCKER_HOST", self.bed.engine.address())
            .var("WEB_TAG", "1.0.0")
            .var("DB_PASSWORD", PASSWORD)
            .run()
    }

    fn container(&self, name: &str) -> String {
        format!("{}-{name}", self.bed.name)
    }

    fn inspect(&self, name: &str) -> Value {
        self.bed.engine.container(&self.container(name))
    }

    /// Id, process and start of all of them.
    fn identities(&self) -> Vec<Value> {
        let of = |name| {
            let one = self.inspect(name);
            json!([one["Id"], one["State"]["Pid"], one["State"]["StartedAt"]])
        };
        CONTAINERS.iter().map(|name| of(*name)).collect()
    }

    /// Lines of the file in the database's volume.
    fn data(&self) -> String {
        let name = self.container("db-1");
        let run = self.bed.env.program("docker", &["exec", &name, "cat", "/data/migrations", "/data/mine"]);
        run.var("DOCKER_HOST", self.bed.engine.address()).run().ok().stdout().to_owned()
    }

    /// Four clients ask through the balancer while something is done.
    #[track_caller]
    fn under_load(&self, work: impl FnOnce() -> Output) -> crate::env::Checked {
        let (done, asked, failed) = self.bed.while_asked(self.port, work);
        let done = done.ok();
        assert!(failed.is_empty() && asked > 100, "{asked} asked, {failed:?}");
        done
    }

    #[track_caller]
    fn rests(&self) {
        self.pillarbox(&["plan", "--detailed-exitcode"]).ok().says("no changes");
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.bed.env.write("compose.yaml", &self.file);
        let _ = self.compose(&["down", "-v", "-t", "0"]);
    }
}

#[test]
fn a_project_is_taken_over_upgraded_and_rolled_back_under_load_and_given_back_with_its_data() {
    let Some(project) = Project::new() else { return };
    let name = project.bed.name.clone();
    project.compose(&["up", "-d"]).ok();
    project.bed.answers(project.port, "web 1.0.0");
    let write = ["exec", &project.container("db-1"), "sh", "-c", "echo mine > /data/mine"];
    project.bed.env.program("docker", &write).var("DOCKER_HOST", project.bed.engine.address()).run().ok();
    let before = project.identities();

    // Adopt: nothing is restarted, nothing is left to do, and what was migrated is not migrated again.
    let adopt = || project.pillarbox(&["adopt", "--compose", &name, "--host", "local", "-y"]);
    let said = adopt().ok();
    said.says(&format!("= {}", project.container("db-1")))
        .says(&format!("= {}", project.container("migrate-1")))
        .says("it is not run again")
        .says("All that is declared agrees")
        .explains("local: mv ")
        .lacks("≠")
        .lacks("correct-horse");
    project.rests();
    assert_eq!(project.identities(), before);

    // Upgrade.
    project.pillarbox(&["gate", "set", "web", "1.1.0"]).ok();
    project.under_load(|| project.pillarbox(&["apply", "-y"])).says("+/- container");
    project.bed.answers(project.port, "web 1.1.0");
    project.rests();
    assert_eq!(project.identities()[2..], before[2..], "what was not upgraded was not touched");

    // Someone runs Compose again: what it starts serves nothing, and is a finding.
    let _ = project.compose(&["up", "-d"]);
    let old = project.inspect("web-1.g1.kept");
    assert_eq!((&old["State"]["Running"], &old["NetworkSettings"]["Networks"]), (&json!(true), &json!({})));
    for _ in 0..20 {
        assert_eq!(project.bed.http(project.port), Ok("web 1.1.0".to_owned()));
    }
    let plan = project.pillarbox(&["plan", "--detailed-exitcode"]).exits(2);
    plan.says("web-1.g1.kept").says("started by docker compose, or by hand").says("2 to change");
    project.pillarbox(&["apply", "-y"]).ok();
    project.rests();

    // Roll back.
    let back = || project.pillarbox(&["rollback", &project.container("web"), "-y"]);
    project.under_load(back).says("its container is started again");
    project.bed.answers(project.port, "web 1.0.0");
    assert_eq!(project.inspect("web-1")["Id"], before[0][0], "the container that Compose made");
    project.rests();

    // Give it back, as docs/compose.md says.
    project.inventory("");
    project.pillarbox(&["apply", "-y", "--prune"]).ok();
    for left in CONTAINERS {
        let path = format!("/containers/{}/json", project.container(left));
        assert!(matches!(project.bed.engine.get(&path), Ok((404, _))), "{left} is still there");
    }
    let records = project.bed.engine.volumes();
    let ours = |volume: &&Value| volume["Labels"]["io.pillarbox.adopted"] == name.as_str();
    assert_eq!(records.iter().filter(ours).count(), 0);
    project.compose(&["up", "-d"]).ok();
    project.bed.answers(project.port, "web 1.0.0");
    // Compose ran what ends with each of three `up`, and pillarbox did not.
    assert_eq!(project.data(), "migrated\nmigrated\nmigrated\nmine\n");
}
