//! Compose files as states: what a project gives, and what is refused.
//!
//! Every form by itself is compared with Compose in `compose_differential`, what is made to cost is in `compose_hostile`.

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
    let all = json["hosts"][0]["states"].as_array().expect("states");
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
    let api = resource(&json, "container shop-api-1");
    assert_eq!(api["image"], "registry.example.com/api:1.0.0");
    assert_eq!(api["env"], json!({ "MODE": "production", "WORKERS": "4" }));
    assert_eq!(api["options"]["command"], json!(["serve", "--port", "80"]));
    assert_eq!(api["options"]["restart"], "no", "Compose restarts nothing unless it is told to");
    assert_eq!(
        api["options"]["networks"],
        json!({ "shop_back": { "Aliases": ["api"] }, "shop_default": { "Aliases": ["api"] } })
    );
    assert_eq!(api["declared"][0], json!({ "id": "shop.api", "place": "compose.yaml:3" }));
    assert!(api["needs"].as_array().is_some_and(|needs| needs.contains(&json!("container shop-db-1"))));
    let db = resource(&json, "container shop-db-1");
    assert_eq!(db["options"]["volumes"]["/var/lib/db"]["source"], "shop_data");
    assert_eq!(db["options"]["networks"]["shop_back"]["Aliases"], json!(["database", "db"]));
    assert_eq!(resource(&json, "network shop_back")["options"]["internal"], true);
    resource(&json, "volume shop_data");
    assert!(!json.to_string().contains("shop_unused"), "a network that no service uses is not made");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_line() {
    let env = project(
        r#"services:
  api:
    image: registry.example.com/api:${TAG}
    command: a | b
    volumes: ["d:/d", "data:/x:foo", "./conf:/etc/app", "nowhere:/y"]
    depend_on: [db]
    restart: never
  web:
    build: .
  worker:
    image: registry.example.com/worker:1
    depends_on: [missing]
    networks: [back]
  tool:
    image: registry.example.com/tool:1
    provider: {type: x}
volumes: {data: }
"#,
        "",
        "",
    );
    let said = env.run(&["compile"]).exits(1);
    for text in [
        "compose.yaml:3: the variable `TAG` has no value",
        "pillarbox set vars.shop.TAG VALUE",
        "compose.yaml:4: `command` holds `|`, and no shell runs it",
        "compose.yaml:5: `d:/d` is read as a drive of Windows by Compose",
        "compose.yaml:5: `foo` is no mode of a mount",
        "compose.yaml:5: ./conf is a path of this machine, and the hosts do not have it",
        "dir = \"/srv/shop\"",
        "compose.yaml:5: there is no volume nowhere",
        "compose.yaml:6: the service api has no key `depend_on` in Compose",
        "did you mean `depends_on`?",
        "compose.yaml:9: web is built, not pulled: it has no image",
        "compose.yaml:12: there is no service missing",
        "compose.yaml:13: there is no network back",
        "compose.yaml:16: `provider` of the service tool cannot be done",
    ] {
        assert!(said.stderr().contains(text), "{text}\n--- said\n{}", said.stderr());
    }
}

#[test]
fn variables_come_from_the_inventory_then_the_pillar_and_never_from_the_shell() {
    let mut env = project(
        "services: {api: {image: 'registry.example.com/api:1', environment: {A: '${A}', B: '${B:-none}', C: '${C:-none}', D: '', E: }}}\n",
        "vars.A = \"{{ host.name }}\"\n",
        "[vars.shop]\nA = \"pillar\"\nB = \"~?>\\\"'\\\\äöü$X\"\nE = 1\n",
    );
    env.set_var("C", "shell");
    let json = compiled(&env);
    let expected = json!({ "A": "web1", "B": "~?>\"'\\äöü$X", "C": "none", "D": "", "E": "1" });
    assert_eq!(resource(&json, "container shop-api-1")["env"], expected);
}

#[test]
fn a_sealed_variable_may_stand_in_the_environment_and_in_secrets_and_nowhere_else() {
    let file = |command: &str| {
        format!(
            "services:\n  db:\n    image: registry.example.com/db:1\n{command}    environment: {{URL: 'postgres://${{DB_PASSWORD}}@db/', EMPTY: '${{DB_PASSWORD:+set}}'}}\n    secrets: [{{source: pw, mode: 0400}}]\nsecrets:\n  pw: {{environment: DB_PASSWORD}}\n"
        )
    };
    let env = project(&file(""), "", "");
    let password = "~?>\"'\\ÄÖÜ-canary";
    env.run_with_input(&["seal", "vars.shop.DB_PASSWORD", "--in", "shop"], password).ok();
    let json = compiled(&env);
    let db = resource(&json, "container shop-db-1");
    assert_eq!(db["env"]["EMPTY"], "set");
    assert!(db["env"]["URL"].to_string().contains("sealed"), "{}", db["env"]);
    assert_eq!(db["secrets"]["pw"]["mode"], "0400", "{}", db["secrets"]);
    assert!(!json.to_string().contains("canary"));
    env.write("compose.yaml", file("    command: ['--password', '${DB_PASSWORD}']\n"));
    env.run(&["compile"]).exits(1).explains("compose.yaml:4").explains("command");
}

#[test]
fn a_gate_takes_the_place_of_the_image_and_a_laptop_keeps_the_image() {
    let env = project(
        "services:\n  api:\n    image: registry.example.com/api:latest\n    deploy: {replicas: 2}\n    x-pillarbox: {gate: api, retain: 5, update: {order: stop-first}}\n",
        "",
        "[deploy.api]\nimage = \"registry.example.com/api\"\nversion = \"1.10.0\"\n",
    );
    let json = compiled(&env);
    for name in ["container shop-api-1", "container shop-api-2"] {
        assert_eq!(resource(&json, name)["image"], "registry.example.com/api:1.10.0");
    }
    env.write("compose.yaml", "services:\n  api:\n    x-pillarbox: {gates: api}\n    image: a/b:1\n");
    env.run(&["compile"])
        .exits(1)
        .explains("`x-pillarbox` has no key `gates`")
        .explains("did you mean `gate`?");
}

#[test]
fn later_files_are_laid_over_earlier_ones_each_key_by_its_own_rule() {
    let env = project(
        r#"
x-base: &base {restart: always, environment: {A: "1", B: "1"}}
services:
  api:
    <<: *base
    image: registry.example.com/api:1
    command: one two
    ports: ["80:80"]
    volumes: ["first:/data", "other:/other"]
    environment: [A=1, B=1, C=1]
    labels: {x: "1"}
    cap_add: [NET_ADMIN]
  gone: {image: "registry.example.com/gone:1"}
volumes: {first: , other: , third: }
"#,
        "files = [\"compose.yaml\", \"compose.prod.yaml\"]\n",
        "",
    );
    env.write(
        "compose.prod.yaml",
        r#"
services:
  api:
    command: three
    ports: ["80:80", "81:81"]
    volumes: ["third:/data:ro"]
    environment: {B: "2", C: , D: "4"}
    labels: !override {y: "1"}
    cap_add: !reset null
  gone: !reset null
"#,
    );
    let json = compiled(&env);
    let api = resource(&json, "container shop-api-1");
    assert_eq!(api["options"]["command"], json!(["three"]));
    assert_eq!(api["options"]["restart"], "always", "a merge key");
    assert_eq!(api["env"], json!({ "A": "1", "B": "2", "D": "4" }), "C is passed through, and is not set");
    assert_eq!((&api["options"]["labels.y"], &api["options"]["labels.x"]), (&json!("1"), &Value::Null));
    assert_eq!(api["options"]["cap_add"], Value::Null);
    assert_eq!(api["options"]["volumes"]["/data"], json!({ "source": "shop_third", "options": ["ro"] }));
    let ports: Vec<&String> = api["options"]["ports"].as_object().expect("ports").keys().collect();
    assert_eq!(ports, ["80/tcp", "81/tcp"]);
    assert!(!json.to_string().contains("gone"));
}

#[test]
fn profiles_extends_and_include_choose_what_is_there() {
    let env = project(
        r#"
include: [parts/db.yaml]
services:
  api: {extends: {file: parts/base.yaml, service: base}, image: "registry.example.com/api:1", depends_on: [db]}
  debug: {image: "registry.example.com/debug:1", profiles: [dev]}
  admin: {image: "registry.example.com/admin:1", profiles: [prod, dev]}
"#,
        "profiles = [\"prod\"]\n",
        "",
    );
    env.write("parts/db.yaml", "services: {db: {image: 'registry.example.com/db:1', env_file: db.env}}\n");
    env.write(
        "parts/base.yaml",
        "services: {base: {image: 'x/y:1', environment: {BASE: '1'}, restart: always}}\n",
    );
    env.write("parts/db.env", "A=1\nB=\"${A} two\" # comment\n");
    let json = compiled(&env);
    assert_eq!(resource(&json, "container shop-api-1")["env"], json!({ "BASE": "1" }));
    assert_eq!(resource(&json, "container shop-db-1")["env"], json!({ "A": "1", "B": "1 two" }));
    resource(&json, "container shop-admin-1");
    assert!(!json.to_string().contains("debug"));
    env.write("parts/db.yaml", "include: [../compose.yaml]\n");
    env.run(&["compile"]).exits(1).explains("parts/db.yaml:1: compose.yaml includes itself");
}

#[test]
fn paths_are_those_of_the_host_where_the_inventory_says_so_and_files_stay_in_the_workspace() {
    let file = "services: {api: {image: 'registry.example.com/api:1', volumes: ['./conf:/etc/app:ro', '/abs:/abs']}}\n";
    let env = project(file, "dir = \"/srv/shop\"\n", "");
    let json = compiled(&env);
    let volumes = &resource(&json, "container shop-api-1")["options"]["volumes"];
    assert_eq!(volumes["/etc/app"], json!({ "source": "/srv/shop/conf", "options": ["ro"] }));
    for path in ["../secret.env", "/etc/passwd", ".git/config", "~/x.env"] {
        env.write("compose.yaml", format!("services: {{api: {{image: 'a/b:1', env_file: '{path}'}}}}\n"));
        env.run(&["compile"]).exits(1).explains("compose.yaml:1");
    }
}

#[test]
fn a_file_that_is_made_to_cost_is_refused_at_once() {
    let env = project("services: {}\n", "", "");
    let bomb: String = (0..9)
        .map(|level| {
            let items = vec![format!("*a{level}"); 10].join(",");
            format!("x-{level}: &a{} [{items}]\n", level + 1)
        })
        .collect();
    let hostile = [
        format!("x: &a0 [lol]\n{bomb}services: {{}}\n"),
        "[".repeat(10_000),
        "x: &a {<<: *a}\n".to_owned(),
        format!("services: {{a: {{image: '{}'}}}}\n", "${A:-".repeat(5000)),
        format!("services:\n  a:\n    image: {}\n", "x".repeat(2_000_000)),
        "services:\n\ta: 1\n".to_owned(),
        "services: {a: {image: 'x/y:1'}, a: {image: 'x/y:2'}}\n".to_owned(),
        "services: {a: {image: 'x/y:1', ports: ['1-65535:1-65535']}}\n".to_owned(),
        "services: {1: {image: 'x/y:1'}}\n".to_owned(),
        "services: {a: {extends: a}}\n".to_owned(),
        "a: !!binary x\n".to_owned(),
        String::new(),
        "\u{0}".to_owned(),
    ];
    for text in hostile {
        env.write("compose.yaml", &text);
        let start = std::time::Instant::now();
        let said = env.run(&["compile"]).exits(1);
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "{text:.40}");
        said.explains("compose.yaml");
    }
}

#[test]
fn what_is_awaited_to_its_end_is_a_task_and_a_restart_follows_what_it_depends_on() {
    let env = project(
        r#"
services:
  api:
    image: registry.example.com/api:1
    depends_on:
      migrate: {condition: service_completed_successfully}
      db: {condition: service_healthy, restart: true}
  migrate: {image: "registry.example.com/api:1", command: ["migrate"], depends_on: [db]}
  db: {image: "registry.example.com/db:1", healthcheck: {test: NONE}}
  sidecar: {image: "registry.example.com/sidecar:1", network_mode: "service:db"}
"#,
        "",
        "",
    );
    let json = compiled(&env);
    let task = resource(&json, "task shop-migrate");
    assert_eq!(task["image"], "registry.example.com/api:1");
    let sidecar = resource(&json, "container shop-sidecar-1");
    assert_eq!(sidecar["options"]["network_mode"], "container:shop-db-1");
}

#[test]
fn extends_that_is_reset_extends_nothing_and_a_rule_for_devices_stands_in_one_file_only() {
    let env = project(
        "services: {api: {image: 'a/b:1', init: true}}\n",
        "files = [\"compose.yaml\", \"over.yaml\"]\n",
        "",
    );
    env.write(
        "over.yaml",
        "services: {api: {extends: !reset {file: none.yaml, service: thing}, tty: true}}\n",
    );
    let json = compiled(&env);
    let options = &resource(&json, "container shop-api-1")["options"];
    assert_eq!((&options["init"], &options["tty"]), (&json!(true), &json!(true)));
    // The same rule in two files is a mistake to Compose.
    env.write("compose.yaml", "services: {api: {image: 'a/b:1', device_cgroup_rules: ['c 1:3 mr']}}\n");
    env.write("over.yaml", "services: {api: {device_cgroup_rules: ['c 1:3 mr']}}\n");
    drop(env.run(&["compile"]).exits(1).explains("`c 1:3 mr` is in two files"));
}

#[test]
fn what_is_awaited_to_its_end_and_has_no_container_is_not_run() {
    let file = "services:\n  api: {image: 'a/b:1', depends_on: {migrate: {condition: service_completed_successfully}}}\n  \
                migrate: {image: 'a/b:1', scale: 0}\n";
    let json = compiled(&project(file, "", ""));
    let all: Vec<&str> = json["hosts"][0]["states"]
        .as_array()
        .expect("states")
        .iter()
        .filter_map(|state| state["address"].as_str())
        .collect();
    assert_eq!(
        all,
        ["service shop-migrate", "network shop_default", "container shop-api-1", "service shop-api"]
    );
}

#[test]
fn a_line_of_an_env_file_refers_to_the_project_to_environment_to_the_lines_before_and_to_the_files_before() {
    let file = "services:\n  api:\n    image: a/b:1\n    env_file: [first.env, second.env]\n    environment: {OWN: own, BOTH: own}\n";
    let env = project(file, "", "[vars.shop]\nBOTH = \"project\"\n");
    env.write("first.env", "EARLIER=first\nLINE=first\nOWN=first\n");
    env.write("second.env", "LINE=second\nALL=${BOTH} ${OWN} ${LINE} ${EARLIER} ${NOWHERE}.\n");
    // Labels are those of the files alone.
    env.write("labels.env", "A=$BOTH.\nBOTH\nB=${A}b\n");
    env.write("compose.yaml", file.replace("    environment", "    label_file: labels.env\n    environment"));
    let json = compiled(&env);
    let labels = &resource(&json, "container shop-api-1")["options"];
    assert_eq!(
        (&labels["labels.A"], &labels["labels.B"], labels.get("labels.BOTH")),
        (&json!("."), &json!(".b"), None)
    );
    let variables = &resource(&json, "container shop-api-1")["env"];
    assert_eq!(variables["ALL"], "project own second first .");
    assert_eq!((&variables["BOTH"], &variables["LINE"]), (&json!("own"), &json!("second")));
}

#[test]
fn a_path_of_the_host_in_the_long_form_is_made_there_unless_the_file_says_otherwise() {
    let mounts = [
        ("{type: bind, source: /a, target: /b}", json!({ "source": "/a", "options": [] })),
        (
            "{type: bind, source: /a, target: /b, read_only: true, bind: {create_host_path: true, propagation: rslave}}",
            json!({ "source": "/a", "options": ["ro", "rslave"] }),
        ),
        (
            "{type: bind, source: /a, target: /b, bind: {selinux: Z}}",
            json!({ "source": "/a", "options": ["Z"] }),
        ),
    ];
    for (mount, wanted) in mounts {
        let json = compiled(&project(
            &format!("services: {{api: {{image: 'a/b:1', volumes: [{mount}]}}}}\n"),
            "",
            "",
        ));
        assert_eq!(resource(&json, "container shop-api-1")["options"]["volumes"]["/b"], wanted, "{mount}");
    }
    let mounts = [
        ("create_host_path: false", "type", json!("bind")),
        ("recursive: disabled", "non_recursive", json!(true)),
        ("recursive: writable", "read_only_non_recursive", json!(true)),
        ("recursive: readonly", "read_only_force_recursive", json!(true)),
    ];
    for (bind, field, wanted) in mounts {
        let file = format!(
            "services: {{api: {{image: 'a/b:1', volumes: [{{type: bind, source: /a, target: /b, bind: {{{bind}}}}}]}}}}\n"
        );
        let json = compiled(&project(&file, "", ""));
        assert_eq!(
            resource(&json, "container shop-api-1")["options"]["mounts"]["/b"][field],
            wanted,
            "{bind}"
        );
    }
    let file = "services: {api: {image: 'a/b:1', volumes: [{type: bind, source: /a, target: /b, bind: {recursive: all}}]}}\n";
    let said = project(file, "", "").run(&["compile"]).exits(1);
    said.explains("compose.yaml:1: `volumes.bind.recursive` wants enabled, disabled, writable or readonly");
}

#[test]
fn a_line_of_an_env_file_that_is_wrong_is_named_and_not_shown() {
    let env = project("services: {api: {image: 'a/b:1', env_file: keys.env}}\n", "", "");
    env.write("keys.env", "A=1\nB=\"open\nCANARY/x+y==\n");
    let said = env.run(&["compile"]).exits(1).lacks("CANARY");
    said.explains("keys.env:2: a quoted value does not end");
}

#[test]
fn a_secret_is_refused_wherever_a_text_is_looked_into() {
    let env = project("services: {}\n", "", "");
    env.run_with_input(&["seal", "vars.shop.S", "--in", "shop"], "CANARY").ok();
    for (key, named) in [
        ("network_mode: '${S}'", "network_mode"),
        ("pid: 'service:${S}'", "pid"),
        ("links: ['${S}:x']", "links"),
        ("volumes_from: ['${S}']", "volumes_from"),
        ("volumes: ['${S}:/data']", "volumes"),
        ("pull_policy: '${S}'", "pull_policy"),
        ("secrets: [{source: '${S}'}]", "secrets.source"),
        ("env_file: '${S}'", "env_file"),
    ] {
        env.write("compose.yaml", format!("services: {{a: {{image: 'x/y:1', {key}}}}}\n"));
        let said = env.run(&["compile"]).exits(1).lacks("CANARY");
        assert!(
            said.stderr().contains("a secret is in") && said.stderr().contains(named),
            "{key}: {}",
            said.stderr()
        );
    }
}

#[test]
fn many_services_may_share_one_file_of_variables_and_too_many_services_are_refused() {
    let services = |count: usize, more: &str| {
        let one = |number| format!("  s{number}: {{image: 'x/y:1', {more}}}\n");
        format!("services:\n{}", (0..count).map(one).collect::<String>())
    };
    let env = project(&services(100, "env_file: all.env"), "", "");
    env.write("all.env", "A=1\n");
    assert_eq!(resource(&compiled(&env), "container shop-s99-1")["env"], json!({ "A": "1" }));
    env.write("compose.yaml", services(1001, "extends: s0"));
    env.run(&["compile"]).exits(1).explains("the project has 1001 services, and 1000 are read at most");
}

#[test]
fn compose_show_prints_the_resolved_project_and_no_secret_and_needs_no_private_key() {
    let env = project(
        r#"
x-common: &common {restart: always, labels: {team: shop}}
services:
  api:
    <<: *common
    image: registry.example.com/api:${TAG}
    environment: {URL: "db://${PASSWORD}@db", MODE: "no"}
    ports: ["8080:80"]
    depends_on: {db: {condition: service_healthy}}
    mem_limit: 64m
    stop_grace_period: 1m30s
  db:
    image: registry.example.com/db:16
    volumes: ["data:/data", "./conf:/conf:ro"]
    healthcheck: {test: [CMD, "true"], interval: 1m30s}
    deploy: {replicas: 2}
    secrets: [pass]
    networks: [outer]
  tool: {image: tool, profiles: [dev]}
volumes: {data: , unused: }
networks: {outer: {external: true}}
secrets: {pass: {environment: PASSWORD}}
"#,
        "dir = \"/srv/shop\"\n",
        "[vars.shop]\nTAG = \"1.0\"\n",
    );
    env.run_with_input(&["seal", "vars.shop.PASSWORD", "--in", "shop"], "canary-of-compose-show").ok();
    let shown = env.run(&["--no-identity", "compose", "show"]).ok();
    assert!(!format!("{}{}", shown.stdout(), shown.stderr()).contains("canary-of-compose-show"));
    assert!(env.read("pillar/shop.toml").contains("PASSWORD = { sealed = "));
    let masked: String = {
        let at = shown.stdout().find("(sealed ").expect("masked");
        shown.stdout()[at..].split_inclusive(')').next().expect("its end").to_owned()
    };
    assert_eq!(
        shown.stdout().replace(&masked, "(sealed)"),
        r#"# shop on web1
name: shop
services:
  api:
    image: registry.example.com/api:1.0
    depends_on:
      db:
        condition: service_healthy
    environment:
      MODE: "no"
      URL: "db://(sealed)@db"
    labels:
      team: shop
    mem_limit: 67108864
    networks:
      default:
        aliases: [api]
    ports:
      - target: 80
        protocol: tcp
        published: "8080"
    restart: always
    stop_grace_period: "90s"
  db:
    image: registry.example.com/db:16
    healthcheck:
      interval: "90s"
      test: [CMD, "true"]
    networks:
      outer:
        aliases: [db]
    restart: "no"
    scale: 2
    secrets:
      - target: /run/secrets/pass
        value: "(sealed)"
    volumes:
      - type: bind
        target: /conf
        source: /srv/shop/conf
        read_only: true
      - type: volume
        target: /data
        source: data
networks:
  default:
    name: shop_default
  outer:
    name: outer
    external: true
volumes:
  data:
    name: shop_data
"#
    );
    let json = env.run(&["--no-identity", "compose", "show", "shop", "--json"]).ok().json();
    let project = &json["projects"][0];
    assert_eq!((&project["name"], &project["hosts"]), (&json!("shop"), &json!(["web1"])));
    assert_eq!(project["config"]["services"]["api"]["mem_limit"], 67_108_864);
    assert!(!json.to_string().contains("canary-of-compose-show"));
}

#[test]
fn compose_show_names_the_project_that_is_not_there_and_the_one_that_no_host_has() {
    let env = project("services: {api: {image: registry.example.com/api:1}}", "[compose.spare]\n", "");
    env.run(&["compose", "show", "shp"])
        .exits(1)
        .explains("there is no [compose.shp]")
        .explains("did you mean `shop`?")
        .explains("pillarbox compose add compose.yaml");
    env.run(&["compose", "show", "spare"])
        .exits(1)
        .explains("pillarbox.toml:4: no host has the project spare")
        .explains("compose = [\"spare\"]");
    let none = TestEnv::initialised();
    none.run(&["compose", "show"]).exits(1).explains("pillarbox.toml names no project of Compose");
}

#[test]
fn paths_of_a_file_that_is_extended_or_included_begin_at_its_own_folder() {
    let env = project(
        r#"
include:
  - parts/cache/compose.yaml
  - {path: parts/other.yaml, project_directory: ., env_file: parts/other.env}
services:
  api:
    extends: {file: parts/base.yaml, service: base}
    image: registry.example.com/api:1
    volumes: ["./own:/own"]
"#,
        "dir = \"/srv/shop\"\n",
        "[vars.shop]\nTAG = \"1.0\"\n",
    );
    env.write(
        "parts/base.yaml",
        "services: {base: {image: base, env_file: [base.env], volumes: [\"./conf:/conf\", \"../up:/up\"]}}",
    )
    .write("parts/base.env", "FROM=base\n")
    .write(
        "parts/cache/compose.yaml",
        "services: {cache: {image: \"cache:${TAG}\", volumes: [\"./data:/data\"]}}",
    )
    .write(
        "parts/other.yaml",
        "services: {other: {image: \"other:${TAG}-${MORE}\", volumes: [\"./data:/data\"]}}",
    )
    .write("parts/other.env", "MORE=more\nTAG=lost\n");
    let json = env.run(&["compose", "show", "--json"]).ok().json();
    let services = &json["projects"][0]["config"]["services"];
    let sources = |service: &str| {
        let mounts = services[service]["volumes"].as_array().cloned().unwrap_or_default();
        mounts.iter().map(|mount| mount["source"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sources("api"), ["/srv/shop/parts/conf", "/srv/shop/own", "/srv/shop/up"]);
    assert_eq!(services["api"]["environment"], json!({ "FROM": "base" }));
    assert_eq!(sources("cache"), ["/srv/shop/parts/cache/data"]);
    assert_eq!(sources("other"), ["/srv/shop/data"]);
    assert_eq!(services["other"]["image"], "other:1.0-more", "variables of the project win");
}

#[test]
fn what_a_variable_fills_is_a_text_also_where_it_is_empty() {
    let env = project(
        r#"services:
  api:
    image: registry.example.com/api:1
    environment: {EMPTY: "${E}", PLAIN: $E, UNSET: , NUMBER: $N, x-own: "${N}"}
    x-any: ${NOT A VARIABLE}
    deploy: {replicas: "${N}"}
    extra_hosts: {db: [10.0.0.5, 10.0.0.6]}
    volumes: [{type: tmpfs, target: /tmp, tmpfs: {mode: 01777}}, {type: bind, source: conf, target: /conf}]
"#,
        "dir = \"/srv/shop\"\n",
        "[vars.shop]\nE = \"\"\nN = \"2\"\n",
    );
    let json = env.run(&["compose", "show", "--json"]).ok().json();
    let api = &json["projects"][0]["config"]["services"]["api"];
    assert_eq!(api["environment"], json!({ "EMPTY": "", "PLAIN": "", "NUMBER": "2", "x-own": "2" }));
    assert_eq!(api["scale"], 2);
    assert_eq!(api["extra_hosts"], json!(["db:10.0.0.5", "db:10.0.0.6"]));
    assert_eq!(api["volumes"][0]["source"], "/srv/shop/conf", "a bind names no volume");
    assert_eq!(api["volumes"][1]["tmpfs"]["mode"], 0o1777);
}

#[test]
fn what_compose_refuses_is_refused_too() {
    let env = project(
        r#"services:
  api:
    image: registry.example.com/api:1
    init:
    stop_grace_period: "90"
    healthcheck: {test: "true", timeout: "5"}
    ports: ["::1:80:80"]
    volumes: [{type: tmpfs, target: /tmp, tmpfs: {mode: "1777"}}]
"#,
        "",
        "",
    );
    let said = env.run(&["compose", "show"]).exits(1);
    for text in [
        "compose.yaml:4: `init` has no value",
        "compose.yaml:5: `stop_grace_period` has no unit",
        "compose.yaml:6: `healthcheck.timeout` has no unit",
        "compose.yaml:7: `::1:80:80` is no port",
        "[::1]:8080:80",
        "compose.yaml:8: `volumes.tmpfs.mode` wants a number",
    ] {
        assert!(said.stderr().contains(text), "{text}\n--- said\n{}", said.stderr());
    }
}

/// What stands below `image` of a service, and what is said of its first line.
const REFUSED: [(&str, &str); 51] = [
    ("command: a | b", "`command` holds `|`, and no shell runs it"),
    ("command: [a, 1]", "`command` wants a text"),
    ("environment: {\"A \": x}", "ends with a blank"),
    ("environment: {A: 2024-01-01}", "`environment.A` wants a text"),
    ("environment: {A: [x]}", "`environment.A` wants a text"),
    ("env_file: none.env", "there is no file none.env"),
    ("env_file: [{path: none.env, format: ini}]", "there is no format `ini`"),
    ("ports: [\"::1:80:80\"]", "`::1:80:80` is no port"),
    ("ports: [\"80:http\"]", "a port is a number"),
    ("ports: [http]", "a port is a number"),
    ("ports: [\"0o120:80\"]", "a port is a number"),
    ("ports: [\"1e3\"]", "a port is a number"),
    ("volumes: [\"~/a:/b\"]", "is a path in a home folder"),
    ("volumes: [\"d:/d\"]", "is read as a drive of Windows by Compose"),
    ("volumes: [\"data:/d:foo\"]", "`foo` is no mode of a mount"),
    ("volumes: [\"d/e:/d\"]", "`d/e` is no mount"),
    ("volumes: [{type: tmpfs, target: /t, tmpfs: {mode: \"1777\"}}]", "wants a number"),
    ("volumes: [\"none:/d\"]", "there is no volume none"),
    ("networks: [none]", "there is no network none"),
    ("networks: {back: {interface_name: eth1}}", "`interface_name` cannot be chosen"),
    ("network_mode: \"container:other\"", "names other, which no state of this host declares"),
    ("external_links: [other]", "`external_links` of the service"),
    ("depends_on: {none: {condition: service_started, required: false}}", "there is no service none"),
    ("depends_on: {good: {condition: service_ready}}", "there is no condition `service_ready`"),
    ("depends_on: [off]", "the service off is off, and is needed here"),
    ("healthcheck: {test: [echo, a]}", "begins with \"CMD\""),
    ("healthcheck: {test: a, timeout: 5}", "`healthcheck.timeout` wants a text"),
    ("healthcheck: {test: a, timeout: \"5\"}", "`healthcheck.timeout` has no unit"),
    ("container_name: a", "`a` is too short for a container"),
    ("restart: never", "restart"),
    ("extends: {service: none}", "there is no service none to extend"),
    ("pull_policy: build", "pull_policy `build` cannot be done"),
    ("pull_policy: refresh", "pull_policy `refresh` cannot be done"),
    ("secrets: [none]", "there is no secret none"),
    ("post_start: [{command: a}]", "`post_start` of the service"),
    ("pre_start: [{command: a}]", "`pre_start` of the service"),
    ("pre_stop: [{command: a}, {command: b}]", "`pre_stop` has more than one command"),
    ("pre_stop: [{command: a, user: root}]", "`user` of `pre_stop` cannot be done"),
    ("credential_spec: {file: a}", "`credential_spec` of the service"),
    ("provider: {type: a}", "`provider` of the service"),
    ("use_api_socket: true", "`use_api_socket` of the service"),
    ("models: [a]", "`models` of the service"),
    ("init: 1", "`init` wants true or false"),
    ("privileged: maybe", "`privileged` wants true or false"),
    ("mem_limit: 1Gi", "mem_limit"),
    ("stop_grace_period: 90", "`stop_grace_period` wants a text"),
    ("user: 1000", "`user` wants a text"),
    ("ports:", "`ports` has no value"),
    ("restart:", "`restart` has no value"),
    ("hostname: [a]", "`hostname` wants a text"),
    ("depend_on: [good]", "has no key `depend_on` in Compose"),
];

#[test]
fn every_refusal_of_a_service_is_said_in_one_run_with_its_line() {
    let mut file =
        "services:\n  good: {image: registry.example.com/good:1}\n  off: {image: x, profiles: [dev]}\n"
            .to_owned();
    let mut wanted = Vec::new();
    for (number, (line, said)) in REFUSED.iter().enumerate() {
        wanted.push((file.lines().count() + 3, *said));
        file.push_str(&format!("  s{number}:\n    image: registry.example.com/s:1\n    {line}\n"));
    }
    let more = [
        (
            "  both:\n    image: x\n    scale: 2\n    deploy: {replicas: 3}\n",
            3,
            "`scale` and `deploy.replicas` differ",
        ),
        (
            "  limit:\n    image: x\n    mem_limit: 64m\n    deploy: {resources: {limits: {memory: 128m}}}\n",
            4,
            "differ",
        ),
        (
            "  mode:\n    image: x\n    network_mode: host\n    networks: [back]\n",
            4,
            "`network_mode` and `networks` exclude each other",
        ),
        ("  built:\n    build: .\n", 2, "built is built, not pulled"),
        ("  clear:\n    image: x\n    secrets: [in-a-file]\n", 0, ""),
        ("  itself:\n    image: x\n    extends: itself\n", 3, "the service itself extends itself"),
    ];
    for (text, line, said) in more {
        if line > 0 {
            wanted.push((file.lines().count() + line, said));
        }
        file.push_str(text);
    }
    file.push_str("volumes:\n  data:\nnetworks:\n  back:\n");
    wanted.push((file.lines().count() + 1, "`enable_ipv4` of networks cannot be done"));
    file.push_str("  old: {enable_ipv4: false}\n");
    wanted.push((file.lines().count() + 1, "`foo` of networks cannot be done"));
    file.push_str("  odd: {foo: bar}\n");
    wanted.push((file.lines().count() + 2, "the value of the secret in-a-file is not in the pillar"));
    file.push_str("secrets:\n  in-a-file: {file: a.txt}\n");
    wanted.push((file.lines().count() + 1, "`models` cannot be done"));
    file.push_str("models: {a: {model: x}}\n");
    wanted.push((file.lines().count() + 1, "a file of Compose has no key `service`"));
    file.push_str("service: {}\n");
    let env = project(&file, "", "");
    let said = env.run(&["compose", "show"]).exits(1);
    let lines: Vec<&str> = said.stderr().lines().collect();
    let missing: Vec<String> = wanted
        .iter()
        .map(|(line, text)| (format!("compose.yaml:{line}: "), text))
        .filter(|(place, text)| {
            !lines.iter().any(|line| line.contains(place.as_str()) && line.contains(*text))
        })
        .map(|(place, text)| {
            let there: Vec<&&str> = lines.iter().filter(|line| line.contains(place.as_str())).collect();
            format!("{place}{text}\n    said: {there:?}")
        })
        .collect();
    assert!(missing.is_empty(), "{}\n--- all\n{}", missing.join("\n"), said.stderr());
}

#[test]
fn what_ends_the_reading_of_a_file_is_said_with_both_lines() {
    for (file, said) in [
        (
            "services:\n  api: {image: x}\n  api: {image: y}\n",
            "compose.yaml:3: `api` is written twice\n  caused by: the other one is in compose.yaml:2",
        ),
        (
            "x-a: &a {b: 1}\nservices:\n  api:\n    <<: *a\n    <<: *a\n",
            "compose.yaml:5: `<<` is written twice\n  caused by: the other one is in compose.yaml:4\n  hint: `<<: [*one, *other]` merges both",
        ),
        ("services:\n\tapi: {image: x}\n", "compose.yaml:2: this is not YAML"),
        (
            "services: {1: {image: x}}\n",
            "compose.yaml:1: the key `1` is a number, not a text\n  hint: write it in quotes",
        ),
        ("services: {api: {image: !foo x}}\n", "compose.yaml:1: the tag `!foo` is not read"),
        ("", "compose.yaml: the file is empty"),
    ] {
        project(file, "", "").run(&["compose", "show"]).exits(1).explains(said);
    }
}

#[test]
fn namespaces_links_and_volumes_of_another_service_are_those_of_its_first_container() {
    let env = project(
        r#"services:
  base: {image: registry.example.com/base:1, volumes: ["data:/data"]}
  net: {image: registry.example.com/net:1, network_mode: "service:base"}
  pid: {image: registry.example.com/pid:1, pid: "service:base", ipc: "service:base"}
  from: {image: registry.example.com/from:1, volumes_from: ["base:ro"]}
  linked: {image: registry.example.com/linked:1, links: [base, "base:db"]}
volumes: {data: }
"#,
        "",
        "",
    );
    let json = compiled(&env);
    let option = |service: &str, name: &str| {
        resource(&json, &format!("container shop-{service}-1"))["options"][name].clone()
    };
    assert_eq!(option("net", "network_mode"), "container:shop-base-1");
    assert_eq!(
        (option("pid", "pid"), option("pid", "ipc")),
        (json!("container:shop-base-1"), json!("container:shop-base-1"))
    );
    assert_eq!(option("from", "volumes_from"), json!(["shop-base-1:ro"]));
    assert_eq!(
        option("linked", "networks")["shop_default"]["Links"],
        json!(["shop-base-1:base", "shop-base-1:base-1", "shop-base-1:db", "shop-base-1:shop-base-1"])
    );
    for service in ["net", "pid", "from", "linked"] {
        let needs = &resource(&json, &format!("container shop-{service}-1"))["needs"];
        assert!(needs.to_string().contains("container shop-base-1"), "{service}: {needs}");
    }
}

#[test]
fn a_limit_that_is_said_twice_in_other_words_is_the_same_limit() {
    let env = project(
        r#"services:
  api:
    image: registry.example.com/api:1
    mem_limit: 67108864
    mem_reservation: 32m
    cpus: 0.5
    deploy: {resources: {limits: {memory: 64M, cpus: "0.50"}, reservations: {memory: 33554432}}}
  web:
    image: registry.example.com/web:1
    mem_limit: 0
    deploy: {resources: {limits: {memory: 64M}}}
"#,
        "",
        "",
    );
    let json = env.run(&["compose", "show", "--json"]).ok().json();
    let services = &json["projects"][0]["config"]["services"];
    assert_eq!(services["api"]["cpus"], 0.5);
    assert_eq!(
        (&services["api"]["mem_limit"], &services["web"]["mem_limit"]),
        (&json!(67_108_864), &json!(67_108_864))
    );
    let env = project(
        "services: {api: {image: x, mem_reservation: 32m, deploy: {resources: {reservations: {memory: 16m}}}}}\n",
        "",
        "",
    );
    env.run(&["compose", "show"])
        .exits(1)
        .explains("`mem_reservation` and `deploy.resources.reservations.memory` differ");
}

#[test]
fn configs_are_files_of_the_container_with_the_owner_and_mode_of_compose() {
    let file = r#"
services:
  proxy:
    image: registry.example.com/proxy:1
    configs:
      - proxy.cfg
      - {source: motd, target: /etc/motd, uid: "99", gid: "99", mode: 0440}
      - {source: token, target: etc/token}
configs:
  proxy.cfg: {file: ./conf/proxy.cfg}
  motd: {content: "served by ${NAME}\n"}
  token: {environment: TOKEN}
"#;
    let env = project(file, "", "[vars.shop]\nNAME = \"shop\"\n");
    env.write("conf/proxy.cfg", "listen 80\n");
    env.run_with_input(&["seal", "vars.shop.TOKEN", "--in", "shop"], "letmein\n").ok();
    let json = compiled(&env);
    let files = &resource(&json, "container shop-proxy-1")["files"];
    assert_eq!(files["/proxy.cfg"]["size"], 10);
    assert_eq!(files["/etc/motd"]["size"], 15);
    assert_eq!((&files["/etc/motd"]["uid"], &files["/etc/motd"]["mode"]), (&json!(99), &json!("0440")));
    assert!(
        files["/etc/token"]["secrets"][0].as_str().is_some_and(|secret| secret.starts_with("(sealed ")),
        "{files}"
    );
    let before = resource(&json, "container shop-proxy-1")["spec"].clone();
    env.write("conf/proxy.cfg", "listen 81\n");
    let after = resource(&compiled(&env), "container shop-proxy-1")["spec"].clone();
    assert!(before.is_string() && before != after, "one byte: {before} {after}");
}

#[test]
fn a_relative_mount_is_brought_along_where_ship_names_it_and_nowhere_else() {
    let file = r#"
services:
  web:
    image: registry.example.com/web:1
    x-pillarbox: {ship: ["./conf", "./motd"]}
    volumes:
      - ./conf:/etc/web:ro
      - {type: bind, source: ./motd, target: /etc/motd}
      - ./data:/data
"#;
    let env = project(file, "", "[vars.shop]\n");
    env.write("conf/web.conf", "a").write("conf/sites/one.conf", "b").write("motd", "c");
    let refused = env.run(&["compile"]).exits(1);
    refused.explains("compose.yaml:9: ./data is a path of this machine").explains("ship: [\"./data\"]");
    env.write("compose.yaml", file.replace("      - ./data:/data\n", ""));
    let json = compiled(&env);
    let web = resource(&json, "container shop-web-1");
    let paths: Vec<&String> = web["files"].as_object().expect("files").keys().collect();
    assert_eq!(paths, ["/etc/motd", "/etc/web/sites/one.conf", "/etc/web/web.conf"]);
    assert!(web["options"].get("volumes").is_none_or(|volumes| volumes == &json!({})), "{web}");
    env.write("compose.yaml", file.replace("./data:/data", "../../etc:/data"));
    env.run(&["compile"]).exits(1).explains("is not in the workspace");
}

#[test]
fn what_is_wrong_with_configs_is_said_with_its_line() {
    let file = r#"
services:
  web:
    image: registry.example.com/web:1
    configs: [none, {target: /x}, outer, gone]
configs:
  outer: {external: true}
  gone: {file: ./gone.conf}
"#;
    let env = project(file, "", "[vars.shop]\n");
    let failed = env.run(&["compile"]).exits(1);
    failed
        .explains("compose.yaml:5: there is no config none")
        .explains("an entry of `configs` has no `source`")
        .explains("compose.yaml:7: the config outer has no `file`, `content` or `environment`");
}

#[test]
fn an_env_file_that_is_missing_and_names_that_are_taken_are_said_with_their_lines() {
    let env = project("services: {api: {image: 'a/b:1', env_file: keys.env}}\n", "", "");
    let said = env.run(&["compile"]).exits(1).explains("compose.yaml:1");
    said.explains("there is no file keys.env");
    env.write(
        "compose.yaml",
        "services: {api: {image: 'a/b:1', env_file: {path: keys.env, required: false}}}\n",
    );
    env.run(&["compile"]).ok();

    // A state that has the id of the service, or the name of its container.
    let inventory = env.read("pillarbox.toml");
    env.write(
        "pillarbox.toml",
        inventory.replace("compose = [\"shop\"]", "compose = [\"shop\"]\nstates = [\"web\"]"),
    );
    assert!(env.read("pillarbox.toml").contains("states"), "{inventory}");
    env.write("states/web.toml", "[other.container.running]\nname = \"shop-api-1\"\nimage = \"a/c:1\"\n");
    let said = env.run(&["compile"]).exits(1);
    said.explains("container shop-api-1").explains("states/web.toml:1").explains("compose.yaml:1");
    env.write("states/web.toml", "[shop.network.present]\nname = \"shop_default\"\n");
    let said = env.run(&["compile"]).exits(1);
    said.explains("shop_default").explains("states/web.toml:1");
}

#[test]
fn a_misspelt_key_below_deploy_is_refused_with_the_one_that_was_meant() {
    for (deploy, key, meant) in [
        ("{replica: 2}", "replica", "replicas"),
        ("{resources: {limit: {memory: 64m}}}", "limit", "limits"),
        ("{resources: {limits: {memry: 64m}}}", "memry", "memory"),
        ("{restart_policy: {conditon: any}}", "conditon", "condition"),
        ("{update_config: {paralelism: 1}}", "paralelism", "parallelism"),
    ] {
        let env = project(&format!("services: {{api: {{image: 'a/b:1', deploy: {deploy}}}}}\n"), "", "");
        let said = env.run(&["compile"]).exits(1).explains("compose.yaml:1");
        said.explains(&format!("has no key `{key}`")).explains(meant);
    }
    let deploy = "services: {api: {image: 'a/b:1', deploy: {restart_policy: {condition: allways}}}}\n";
    let said = project(deploy, "", "").run(&["compile"]).exits(1).explains("compose.yaml:1");
    said.explains("no condition `allways`").explains("none, on-failure and any");
    for wrong in [
        "deploy: {resources: {limits: [1]}}",
        "deploy: {resources: {reservations: much}}",
        "volumes: [{type: bind, source: /a, target: /b, bind: nonsense}]",
    ] {
        let env = project(&format!("services: {{api: {{image: 'a/b:1', {wrong}}}}}\n"), "", "");
        env.run(&["compile"]).exits(1).explains("compose.yaml:1").explains("a mapping");
    }
}
