//! The first day of one who knows Compose: README, first-deploy, a version that does not start, a rollback, a
//! container that was renamed by hand, a port that another one has. What is printed at each step is what is looked at.

use crate::env::Output;
use crate::testbed::EngineEnv;
use serde_json::json;

struct Day {
    bed: EngineEnv,
    web: String,
    port: u16,
    /// Of version 1.0.0.
    digest: String,
}

impl Day {
    /// After `init`, with its own files: only image, port, Engine and the name on the host are of this test.
    fn begins() -> Option<Self> {
        let bed = EngineEnv::new()?;
        let (web, port) = (format!("{}-web", bed.name), bed.port());
        let (_, digest) = bed.push("serve", "nginx", "1.0.0");
        bed.push("serve", "nginx", "1.1.0");
        bed.push("exits", "nginx", "1.2.0");
        let day = Self { bed, web, port, digest };
        day.run(&["init", "--git"])
            .ok()
            .explains("made the workspace")
            .explains("made a git repository")
            .explains("next:")
            .lacks("git config");
        let env = &day.bed.env;
        env.program("git", &["config", "diff.pillarbox.textconv"]).run().ok().says("pillarbox show");
        env.program("git", &["check-attr", "merge", "pillar/apps.toml"]).run().ok().says("merge: pillarbox");
        let inventory = env.read("pillarbox.toml");
        env.write(
            "pillarbox.toml",
            inventory.replace("unix:///var/run/docker.sock", &day.bed.engine.address()),
        );
        let state = env.read("states/nginx.toml");
        let named = format!("[nginx.service.deployed]\nname = \"{}\"\nstop_timeout = \"1s\"\n", day.web);
        env.write("states/nginx.toml", state.replace("[nginx.service.deployed]\n", &named));
        let image = format!("{}/{}/nginx", day.bed.registry, day.bed.name);
        day.run(&["set", "deploy.nginx.image", &image]).ok();
        day.run(&["set", "nginx.port", &port.to_string()]).ok();
        Some(day)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.bed.env.run(arguments)
    }

    fn answers(&self, version: &str) {
        self.bed.answers(self.port, &format!("nginx {version}"));
    }

    /// Nothing is pending, and `status` says what runs.
    #[track_caller]
    fn rests(&self, version: &str) {
        self.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
        self.run(&["status"]).ok().says(&self.web).says(version).says("running").lacks("pending ");
        self.answers(version);
    }
}

#[test]
fn a_newcomers_day_has_no_surprise() {
    let Some(day) = Day::begins() else { return };
    let (web, env) = (day.web.as_str(), &day.bed.env);

    // A gate without a credential: the registry's answer, and what to do.
    day.run(&["gate", "set", "nginx", "1.0.0", "-y"]).exits(7).explains("pillarbox registry add");
    day.bed.add_registry();
    day.run(&["gate", "set", "nginx", "1.0.0", "-y"]).ok().explains("nginx is 1.0.0 (");
    day.run(&["plan"]).ok().says(&format!("container {web}")).says("1 to create");
    day.run(&["apply", "-y"]).ok().says(&format!("container {web}"));
    day.rests("1.0.0");

    // A new version.
    day.run(&["gate", "set", "nginx", "1.1.0", "-y"]).ok();
    day.run(&["plan", "--detailed-exitcode"]).exits(2).says("version 1.0.0 → 1.1.0, pillar/apps.toml:");
    day.run(&["apply", "-y"]).ok().explains("replaced (1.0.0 → 1.1.0)");
    day.rests("1.1.0");

    // One that does not start.
    day.run(&["gate", "set", "nginx", "1.2.0", "-y"]).ok();
    day.run(&["apply", "-y"])
        .exits(3)
        .explains("failed, rolled back")
        .explains("cannot start: no such table: users")
        .explains("pillarbox status");
    day.answers("1.1.0");
    day.run(&["status"]).ok().says("1.1.0").says("version 1.1.0 → 1.2.0");
    day.run(&["history", web]).ok().says("failed attempt").says("runs");

    // Back: to what runs, and from there to what ran before.
    day.run(&["rollback", web, "-y"]).ok();
    assert!(env.read("pillar/apps.toml").contains("version = \"1.1.0\""), "{}", env.read("pillar/apps.toml"));
    day.rests("1.1.0");
    day.run(&["rollback", web, "-y"]).ok();
    day.rests("1.0.0");
    day.run(&["history", web]).ok().says("runs").says("kept");

    // A port that another container has: it is said which port, and what runs goes on running.
    let taken = day.bed.port().to_string();
    let stranger = format!("{}-stranger", day.bed.name);
    let image = format!("{}/{}/nginx@{}", day.bed.registry, day.bed.name, day.digest);
    let body = json!({
        "Image": image,
        "ExposedPorts": { "80/tcp": {} },
        "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": taken }] } },
    });
    day.bed.engine.post(&format!("/containers/create?name={stranger}"), &body);
    day.bed.engine.post(&format!("/containers/{stranger}/start"), &json!({}));
    day.run(&["set", "nginx.port", &taken]).ok();
    day.run(&["apply", "-y"])
        .exits(1)
        .explains(&format!("port {taken}/tcp of host local is taken"))
        .explains(&format!("container {stranger} publishes it"))
        .explains("docker stop");
    day.answers("1.0.0");
    day.run(&["set", "nginx.port", &day.port.to_string()]).ok();
    day.run(&["apply", "-y"]).ok();
    day.rests("1.0.0");

    // A container that was renamed by hand gets its name back, and none is made beside it.
    let running = day.bed.engine.container(web)["Id"].clone();
    day.bed.engine.post(&format!("/containers/{web}/rename?name={web}-old"), &json!({}));
    day.run(&["plan", "--detailed-exitcode"]).exits(2).says(&format!("{web}-old"));
    day.run(&["apply", "-y"]).ok().explains("renamed");
    assert_eq!(day.bed.engine.container(web)["Id"], running);
    day.rests("1.0.0");

    // What git shows holds no secret.
    env.program("git", &["add", "-A"]).run().ok();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_pillarbox")).parent().expect("a folder");
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let diff = env.program("git", &["diff", "--cached"]).var("PATH", path).run().ok();
    diff.says("(sealed").lacks(&day.bed.password);
}
