//! The article's states in Starlark, as they stand in the repository, deployed on a real Engine.

use crate::env::repository;
use crate::shop::Shop;
use std::fs;

/// The example of the repository for this shop: its names are unique on the Engine.
fn example(shop: &Shop) -> String {
    let text = fs::read_to_string(repository().join("states/article.star")).expect("the example");
    text.replace("ournginx", &shop.web)
        .replace("pillar['deploy']['nginx']", "pillar['deploy']['web']")
        .replace("pillar['nginx']['port']", "pillar['web']['port']")
        .replace("{'mem_limit': None},", "{'mem_limit': None}, {'monitor': '1s'}, {'stop_timeout': 2},")
}

#[test]
fn the_articles_example_deploys_upgrades_by_the_pillar_and_rests() {
    let Some(shop) = Shop::new() else { return };
    fs::remove_file(shop.env.workspace().join("states/web.toml")).expect("the states in TOML");
    let text = example(&shop);
    shop.env.write("states/web.star", &text);
    let line = |what: &str| text.lines().position(|line| line.contains(what)).expect("a line") + 1;
    let container = format!("container {}", shop.web);
    shop.env.run(&["plan", "--detailed-exitcode"]).exits(2).says(&format!("+ {container}")).says("docker-py");
    shop.apply().ok();
    shop.only("web 1.0.0");
    shop.rests();
    let compiled = shop.env.run(&["compile"]).ok();
    compiled.says(&format!("states/web.star:{}", line("'docker.installed'")));

    shop.push("serve", "web", "1.1.0");
    shop.version("1.1.0");
    let apps = shop.env.read("pillar/apps.toml");
    let version = apps.lines().position(|line| line.contains("1.1.0")).expect("it") + 1;
    let plan = shop.env.run(&["plan"]).ok().says(&format!("-/+ {container}"));
    plan.says(&format!("version 1.0.0 → 1.1.0, pillar/apps.toml:{version}"));
    let old = shop.inspect(&shop.web)["Id"].clone();
    shop.apply().ok();
    shop.only("web 1.1.0");
    assert_ne!(shop.inspect(&shop.web)["Id"], old, "the outdated container is absent");
    shop.rests();

    // What is written in the file is a cause by its line.
    let changed = text.replace("pillar.get('nginx:greeting', 'hello')", "'good morning'");
    shop.env.write("states/web.star", &changed);
    shop.env.run(&["plan"]).ok().says(&format!("states/web.star:{}", line("'environment'")));
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_secret_of_a_program_reaches_the_container_and_nothing_else() {
    let Some(shop) = Shop::new() else { return };
    fs::remove_file(shop.env.workspace().join("states/web.toml")).expect("the states in TOML");
    shop.seal("web.secret", "CANARY/of?the program");
    let joined = "{'environment': {'URL': 'db://' + pillar['web']['secret'].urlencode() + '@db', 'CPUS': str(host['cpus'])}},";
    let text = example(&shop)
        .replace("{'environment': {'GREETING': pillar.get('nginx:greeting', 'hello')}},", joined);
    shop.env.write("states/web.star", text);
    let plan = shop.env.run(&["plan"]).ok();
    assert!(!plan.stdout().contains("CANARY") && !plan.stderr().contains("CANARY"));
    let applied = shop.apply().ok();
    assert!(!applied.stdout().contains("CANARY") && !applied.stderr().contains("CANARY"));
    let inspect = shop.inspect(&shop.web);
    let env = inspect["Config"]["Env"].to_string();
    assert!(env.contains("URL=db://CANARY%2Fof%3Fthe%20program@db"), "{env}");
    assert!(env.contains("CPUS="), "{env}");
    assert!(!inspect["Config"]["Labels"].to_string().contains("CANARY"));
    shop.rests();
}
