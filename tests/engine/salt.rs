//! What Salt deployed becomes managed by the page docs/from-salt.md: its containers are made as Salt 3007 makes
//! them (`tests/salt`), and taken over without a restart.

use crate::env::repository;
use crate::harness::{header, pull};
use crate::testbed::EngineEnv;
use serde_json::{Map, Value, json};
use std::fs;

/// A file of `tests/salt`.
pub(crate) fn recorded(path: &str) -> String {
    fs::read_to_string(repository().join("tests/salt").join(path)).expect("what Salt rendered")
}

/// An Engine and a workspace without hosts.
pub(crate) fn bed() -> Option<EngineEnv> {
    let bed = EngineEnv::initialised(&[])?;
    let text = bed.env.read("pillarbox.toml");
    bed.env.write("pillarbox.toml", text.split("[groups").next().expect("its head"));
    Some(bed)
}

/// Runs a container as Salt does: create, its networks instead of the default one, start.
pub(crate) fn run(
    bed: &EngineEnv,
    name: &str,
    body: &Value,
    networks: &Map<String, Value>,
) -> Result<(), Value> {
    let create = format!("/containers/create?name={name}");
    let (status, made) = bed.engine.request("POST", &create, Some(body)).expect("an answer");
    if status != 201 {
        return Err(made);
    }
    if !networks.is_empty() {
        for (network, endpoint) in networks {
            let joined = json!({"Container": name, "EndpointConfig": {"Aliases": endpoint["Aliases"]}});
            bed.engine.post(&format!("/networks/{network}/connect"), &joined);
        }
        bed.engine.post("/networks/bridge/disconnect", &json!({"Container": name}));
    }
    let start = format!("/containers/{name}/start");
    match bed.engine.request("POST", &start, Some(&json!({}))).expect("an answer") {
        (204, _) => Ok(()),
        (_, said) => Err(said),
    }
}

/// What tells whether a container was touched.
pub(crate) fn identity(bed: &EngineEnv, name: &str) -> Value {
    let inspect = bed.engine.container(name);
    json!([inspect["Id"], inspect["State"]["StartedAt"], inspect["State"]["Running"]])
}

/// The create body of a recorded container, and the networks that it joins.
pub(crate) fn body(image: &str, fields: &Map<String, Value>) -> (Value, Map<String, Value>) {
    let (mut body, mut networks) = (json!({"Image": image, "HostConfig": {}}), Map::new());
    for (pointer, value) in fields {
        match pointer.trim_start_matches('/').split('/').collect::<Vec<_>>().as_slice() {
            ["Config", key] => body[*key] = value.clone(),
            // The Engine decides them for a privileged container.
            ["HostConfig", "MaskedPaths" | "ReadonlyPaths"] => {}
            ["HostConfig", key] => body["HostConfig"][*key] = value.clone(),
            ["NetworkSettings", "Networks"] if fields.get("/HostConfig/NetworkMode").is_none() => {
                networks.extend(value.as_object().expect("networks").clone());
            }
            _ => {}
        }
    }
    (body, networks)
}

#[test]
fn containers_with_every_option_that_salt_made_are_taken_over_without_a_restart() {
    let Some(bed) = bed() else { return };
    let serve = bed.env.home().join("serve");
    fs::write(&serve, "#!/bin/sh\nexec /bin/start\n").expect("a program");
    fs::set_permissions(&serve, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its mode");
    let script = "trap 'exit 0' TERM INT QUIT; while :; do sleep 1 & wait $!; done";
    let file = format!("{}:/bin/serve", serve.display());
    let repository = bed.push_programs(&["--file", &file], script, "web", "1.0.0");
    let pulled = pull(&bed, &repository, "1.0.0", &header(&bed, &bed.password));
    assert!(pulled.contains("Digest:"), "{pulled}");

    // Names and ports of this test alone.
    let ports: Vec<u16> = (0..3).map(|_| bed.port()).collect();
    let own = |text: String| {
        let text = text.replace("registry.example.com/demo/web", &repository);
        let text = text.replace("\"salt-", &format!("\"{}-", bed.name));
        let changed = |text: String, (old, new): (&str, &u16)| text.replace(old, &new.to_string());
        ["38080", "38081", "38082"].into_iter().zip(&ports).fold(text, changed)
    };
    let inspected: Map<String, Value> =
        serde_json::from_str(&own(recorded("options/inspect.json"))).expect("JSON");
    let states: Value = serde_json::from_str(&own(recorded("options/highstate.json"))).expect("JSON");

    // Salt makes them.
    let labels = json!({"io.pillarbox.workspace": bed.name});
    let front = format!("{}-front", bed.name);
    bed.engine.post("/networks/create", &json!({"Name": front, "Driver": "bridge", "Labels": labels}));
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    let image = format!("{repository}:1.0.0");
    // What others share comes first.
    let mut order: Vec<(&String, &Value)> = inspected.iter().collect();
    order.sort_by_key(|(name, _)| (*name == "volumes-from", (*name).clone()));
    for (option, fields) in order {
        let none = Map::new();
        let fields = if option == "plain" { &none } else { fields.as_object().expect("fields") };
        let (body, networks) = body(&image, fields);
        let name = format!("{}-{option}", bed.name);
        match run(&bed, &name, &body, &networks) {
            Ok(()) => made.push(name),
            Err(why) => {
                bed.engine.delete(&format!("/containers/{name}?force=1"));
                refused.push((option.clone(), why));
            }
        }
    }
    assert!(made.len() >= 40, "this Engine refused {refused:?}");

    // The way of the page.
    let mut left = states["local"].clone();
    let left = left.as_object_mut().expect("states");
    left.retain(|name, _| made.contains(name) || *name == front);
    let address = format!("web1={}", bed.engine.address());
    bed.env.write("../highstate.json", json!({"local": left}).to_string());
    bed.env.run(&["import", "salt", "../highstate.json", "--host", &address, "-y"]).ok();
    bed.add_registry();
    let text = bed.env.read("pillarbox.toml");
    bed.env
        .write("pillarbox.toml", text.replace("[hosts.web1]", "[hosts.web1]\npillar = [\"registries/*\"]"));
    let before: Vec<Value> = made.iter().map(|name| identity(&bed, name)).collect();
    let names: Vec<&str> = made.iter().map(String::as_str).collect();
    let adopt = [&["adopt"], names.as_slice(), &["--host", "web1", "-y"]].concat();
    let said = bed.env.run(&adopt);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    assert!(!said.stdout.contains('≠'), "{}", said.stdout);
    let plan = bed.env.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
    bed.env.run(&["apply", "-y"]).ok();
    let after: Vec<Value> = made.iter().map(|name| identity(&bed, name)).collect();
    assert_eq!(before, after, "one of them was touched");

    // Volumes with names are of no workspace, and stay where their containers go.
    for name in &made {
        bed.engine.delete(&format!("/containers/{name}?force=1&v=1"));
    }
    for volume in bed.engine.volumes() {
        let name = volume["Name"].as_str().unwrap_or_default();
        if name.starts_with(&format!("{}-", bed.name)) {
            bed.engine.delete(&format!("/volumes/{name}?force=1"));
        }
    }
}

#[test]
fn the_articles_nginx_of_a_private_registry_goes_from_salt_to_a_managed_workspace() {
    let Some(bed) = bed() else { return };
    let (repository, _) = bed.push("serve", "nginx", "latest");
    let (port, nginx) = (bed.port(), format!("{}-ournginx", bed.name));
    let pulled = pull(&bed, &repository, "latest", &header(&bed, &bed.password));
    assert!(pulled.contains("Digest:"), "{pulled}");
    let body = json!({
        "Image": format!("{repository}:latest"),
        "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]}},
    });
    run(&bed, &nginx, &body, &Map::new()).expect("it runs");
    let before = identity(&bed, &nginx);

    let own = |text: String| {
        text.replace("registry.example.com/web/nginx", &repository)
            .replace("registry.example.com", &bed.registry)
            .replace("\"ournginx\"", &format!("\"{nginx}\""))
            .replace("stop -t 10 ournginx", &format!("stop -t 10 {nginx}"))
            .replace("rm -f ournginx", &format!("rm -f {nginx}"))
            .replace("8080", &port.to_string())
            .replace("canary-article-password", &bed.password)
            .replace("accountname", &bed.user)
    };
    for file in ["highstate.json", "pillar.json", "grains.json"] {
        bed.env.write(&format!("../{file}"), own(recorded(&format!("article/{file}"))));
    }
    let address = format!("article1={}", bed.engine.address());
    let import =
        ["import", "salt", "../highstate.json", "--pillar", "../pillar.json", "--grains", "../grains.json"];
    let said = bed.env.run(&[&import[..], &["--host", &address, "-y"]].concat()).ok();
    said.explains("pillarbox registry import ../pillar.json").lacks(&bed.password);
    bed.env.run(&["registry", "import", "../pillar.json", "-y"]).ok().lacks(&bed.password);
    bed.env.run(&["adopt", &nginx, "--host", "article1", "-y"]).ok();
    let plan = bed.env.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
    bed.env.run(&["apply", "-y"]).ok();
    assert_eq!(identity(&bed, &nginx), before, "it was restarted");

    // A new image under the tag: the article's script is not needed.
    bed.push_page("serve", "nginx", "latest", "nginx next");
    bed.env.run(&["apply", "-y"]).ok();
    let after = identity(&bed, &nginx);
    assert!(after != before && after[2] == json!(true), "{before} {after}");
}
