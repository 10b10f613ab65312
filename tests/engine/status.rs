//! `status` on a real Engine: what cannot be compared hides nothing, and monitoring learns what does not run.

use crate::service::Service;
use serde_json::Value;

#[test]
fn one_thing_that_cannot_be_compared_hides_nothing_and_monitoring_learns_what_is_down() {
    let Some(service) = Service::deployed(1, "") else { return };
    let (env, name) = (&service.bed.env, service.name.as_str());
    let status = |more: &[&str]| {
        let command: Vec<&str> =
            ["--no-identity", "status", "--exit-code"].into_iter().chain(more.iter().copied()).collect();
        env.run(&command)
    };
    drop(status(&[]).ok());
    // An unpinned task whose image is not on the host, and a service that is not deployed yet.
    let state = env.read("states/api.toml");
    let migrate = format!("\n[migrate.task.ran]\nimage = \"{}:9.9.9\"\n", service.repository);
    env.write("states/api.toml", format!("{state}{migrate}"));
    let said = status(&[]).exits(2).says("task migrate cannot be compared: cannot resolve image");
    drop(said.says("running, healthy"));
    let stop = |name: &str| service.bed.engine.post(&format!("/containers/{name}/stop?t=1"), &Value::Null);
    stop(name);
    let said = status(&[]).exits(3).says("exited").says("it is exited");
    drop(said.says("task migrate cannot be compared"));
    // Its own image cannot be compared either, and it is gone.
    service.bed.engine.delete(&format!("/containers/{name}"));
    let other = state.replace("gate = \"api\"", &format!("image = \"{}:9.9.8\"", service.repository));
    env.write("states/api.toml", other);
    drop(status(&[]).exits(3).says(&format!("container {name}: is not there")));
    let works = format!("service=\"{name}\",container=\"{name}\",version=\"\"}} 0");
    let metrics = status(&["--prometheus"]).exits(3).says(&works).says("pillarbox_host_read{");
    drop(metrics.says("pillarbox_not_compared{").lacks("CONTAINER"));
    // Into a file, wholly or not at all, that the exporter may read.
    let file = env.workspace().join("shop.prom");
    std::fs::write(&file, "old").expect("written");
    let to = format!("--prometheus={}", file.display());
    drop(env.run(&["--no-identity", "status", &to]).ok());
    let metrics = std::fs::read_to_string(&file).expect("a file");
    assert!(metrics.contains(&works) && metrics.ends_with('\n') && !metrics.contains("old"), "{metrics}");
    drop(env.run(&["status", "--json", "--prometheus"]).exits(64));
    let object = env.run(&["--no-identity", "status", "--json"]).ok().json();
    assert_eq!(object["hosts"][0]["wanted"][0]["works"], false);
    assert!(!object["hosts"][0]["not_compared"].as_array().expect("a list").is_empty());
}

#[test]
fn what_containers_use_is_shown_for_each_that_runs() {
    let Some(service) = crate::service::Service::deployed(2, "memory = \"64m\"") else { return };
    let env = &service.bed.env;
    service.release("healthy", "1.1.0");
    service.apply().ok();
    let said = env.run(&["--no-identity", "ps", "--stats"]).ok();
    said.says("CPU").says("MEMORY").says("RECEIVED").says("of 64.00 MiB").lacks(".kept");
    let json = env.run(&["--no-identity", "ps", "--stats", "--json"]).ok().json();
    let containers = json["hosts"][0]["containers"].as_array().expect("containers");
    let used: Vec<_> = containers.iter().filter(|one| !one["usage"].is_null()).collect();
    assert_eq!(used.len(), 2, "those that run: {json}");
    for one in used {
        let usage = &one["usage"];
        assert_eq!(usage["memory_limit"], 64 << 20, "{one}");
        assert!(usage["memory"].as_u64() > Some(0) && usage["processes"].as_u64() > Some(0), "{one}");
        assert!(usage["cpu_percent"].as_f64().is_some_and(|share| share >= 0.0), "{one}");
        assert!(usage["received"].is_u64() && usage["sent"].is_u64(), "{one}");
    }
    let plain = env.run(&["--no-identity", "ps", "--json"]).ok().json();
    assert!(plain["hosts"][0]["containers"][0].get("usage").is_none(), "{plain}");
}
