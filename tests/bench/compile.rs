//! Compiling a thousand services: from TOML, and from Starlark, which runs in a child; two hundred from a Compose file.

use crate::env::TestEnv;
use crate::project::Project;
use crate::table;
use std::time::Instant;

const SERVICES: usize = 1000;

/// Services of the Compose project.
const COMPOSE: usize = 200;

pub(crate) fn run(rounds: usize) {
    let env = TestEnv::initialised();
    env.write(
        "pillar/apps.toml",
        "[deploy.web]\nimage = \"registry.example.com/web\"\nversion = \"1.0.0\"\n[vars.shop]\nTAG = \"1.0.0\"\n",
    );
    let head = env.read("pillarbox.toml");
    let mut inventory = head.split("[groups").next().expect("its head").to_owned();
    for (host, file) in
        [("few", "few.toml"), ("toml", "many.toml"), ("written", "written.star"), ("looped", "looped.star")]
    {
        inventory.push_str(&format!(
            "[hosts.{host}]\nengine = \"unix:///nowhere\"\npillar = [\"apps\"]\nstates = [\"{file}\"]\n"
        ));
    }
    inventory.push_str(
        "[compose.shop]\n[hosts.compose]\nengine = \"unix:///nowhere\"\npillar = [\"apps\"]\ncompose = [\"shop\"]\n\
         [hosts.alike]\nengine = \"unix:///nowhere\"\npillar = [\"apps\"]\nstates = [\"alike.toml\"]\n",
    );
    env.write("pillarbox.toml", inventory);
    let project = Project {
        name: "shop",
        services: COMPOSE,
        image: "registry.example.com/web:${TAG}",
        image_in_toml: "registry.example.com/web:{{ pillar.vars.shop.TAG }}",
        published: Some(10_000),
    };
    env.write("compose.yaml", project.compose()).write("states/alike.toml", project.toml());
    env.write("states/few.toml", toml(1)).write("states/many.toml", toml(SERVICES));
    env.write("states/written.star", written()).write("states/looped.star", looped());
    let wanted = |host: &str| -> serde_json::Value {
        let mut compiled = env.run(&["compile", "--host", host]).ok().json()["hosts"][0]["states"].take();
        for state in compiled.as_array_mut().expect("states") {
            state.as_object_mut().expect("a state").remove("declared");
        }
        compiled
    };
    assert!(
        wanted("toml") == wanted("written") && wanted("toml") == wanted("looped"),
        "they are not the same"
    );

    let options = |host: &str| -> Vec<serde_json::Value> {
        let states = wanted(host);
        let states = states.as_array().into_iter().flatten().filter(|state| state["env"].is_object());
        states
            .map(|state| serde_json::json!([state["name"], state["image"], state["env"], state["options"]]))
            .collect()
    };
    assert!(
        options("compose").len() == COMPOSE && options("compose") == options("alike"),
        "they are not the same"
    );

    let mut times = [const { Vec::new() }; 6];
    for _ in 0..rounds {
        let hosts = ["few", "toml", "written", "looped", "compose", "alike"];
        for (host, times) in hosts.into_iter().zip(&mut times) {
            let start = Instant::now();
            env.run(&["compile", "--host", host]).ok();
            times.push(start.elapsed());
        }
    }
    let [few, toml, written, looped, composed, alike] = &mut times;
    table::row("compile 1,000 services in TOML (process)", toml, "compile one service in TOML", few);
    table::row("the same in Starlark, each written out", written, "in TOML", toml);
    table::row("the same in Starlark, in a loop", looped, "in TOML", toml);
    table::row("compile 200 services of a Compose file", composed, "the same in TOML", alike);
}

fn toml(services: usize) -> String {
    let one = |number: usize| {
        format!(
            "[web{number}.service.deployed]\nimage = \"registry.example.com/web:{{{{ pillar.deploy.web.version }}}}\"\n\
             ports = [\"{}:80\"]\nenv.NUMBER = \"{number}\"\nenv.LOG = \"{{{{ pillar.log | default('info') }}}}\"\nmemory = \"64m\"\n",
            10_000 + number
        )
    };
    (0..services).map(one).collect()
}

fn written() -> String {
    let one = |number: usize| {
        format!(
            "    config[\"web{number}\"] = {{\n        \"service.deployed\": {{\n            \
             \"image\": \"registry.example.com/web:\" + pillar[\"deploy\"][\"web\"][\"version\"],\n            \
             \"ports\": [\"{}:80\"],\n            \"env\": {{\"NUMBER\": \"{number}\", \"LOG\": pillar.get(\"log\", \"info\")}},\n            \
             \"memory\": \"64m\",\n        }},\n    }}\n",
            10_000 + number
        )
    };
    format!(
        "def run():\n    config = {{}}\n{}    return config\n",
        (0..SERVICES).map(one).collect::<String>()
    )
}

fn looped() -> String {
    format!(
        "def service(number):\n    return {{\"service.deployed\": {{\n        \
         \"image\": \"registry.example.com/web:\" + pillar[\"deploy\"][\"web\"][\"version\"],\n        \
         \"ports\": [\"%d:80\" % (10000 + number)],\n        \
         \"env\": {{\"NUMBER\": str(number), \"LOG\": pillar.get(\"log\", \"info\")}},\n        \"memory\": \"64m\",\n    }}}}\n\n\
         def run():\n    return {{\"web%d\" % number: service(number) for number in range({SERVICES})}}\n"
    )
}
