//! Compose files as states: what a project gives, and what is refused.

use crate::env::TestEnv;
use serde_json::{Value, json};

const HOSTS: &str = "workspace = \"shop\"\n\n[compose.shop]\n";
const HOST: &str =
    "\n[hosts.web1]\nengine = \"ssh://deploy@web1.example.com\"\npillar = [\"shop\"]\ncompose = [\"shop\"]\n";

/// A workspace with this project, what the inventory says of it, and its pillar.
fn project(file: &str, inventory: &str, pillar: &str) -> TestEnv {
    let env = TestEnv::initialised();
    env.write("pillarbox.toml", format!("{HOSTS}{inventory}{HOST}"));
    env.write("pillar/shop.toml", pillar).write("compose.yaml", file);
    env
}

fn compiled(env: &TestEnv) -> Value {
    env.run(&["compile", "--json"]).ok().json()
}

/// What is wanted of a resource, by its address.
fn resource<'j>(json: &'j Value, address: &str) -> &'j Value {
    let all = json["hosts"][0]["resources"].as_array().expect("resources");
    let found = all.iter().find(|resource| resource["address"] == address);
    found.unwrap_or_else(|| panic!("{address} is not in {json:#}"))
}

#[test]
fn a_project_gives_services_networks_and_volumes_under_its_own_names() {
    let env = project(
        r#"
services:
  api:
    image: registry.example.com/api:${API_TAG}
    command: serve --port 80
    environment:
      MODE: production
      WORKERS: 4
    ports: ["127.0.0.1:8080:80"]
    depends_on: [db]
    networks: [default, back]
    healthcheck: {test: curl -f http://127.0.0.1/, interval: 5s}
  db:
    image: registry.example.com/db:16
    restart: always
    volumes: ["data:/var/lib/db"]
    networks: {back: {aliases: [database]}}
networks:
  back: {internal: true}
  unused:
volumes:
  data:
"#,
        "",
        "[vars.shop]\nAPI_TAG = \"1.0.0\"\n",
    );
    let json = compiled(&env);
    println!("{json:#}");
    let api = resource(&json, "container shop-api");
    assert_eq!(api["image"], json!("registry.example.com/api:1.0.0"), "{api:#}");
}
