//! What a declaration says and what the Engine makes of it.

use crate::shop::Shop;

#[test]
fn an_empty_entrypoint_leaves_the_command_of_the_image() {
    let Some(shop) = Shop::new() else { return };
    shop.options("entrypoint = []\n");
    shop.apply().ok();
    shop.answers(shop.port, "web 1.0.0");
    shop.rests();
    shop.env.run(&["plan", "-v"]).ok().lacks("drift");
}

#[test]
fn of_a_range_of_the_host_a_free_port_is_taken_and_the_plan_says_to_whom_it_is_open() {
    let Some(shop) = Shop::new() else { return };
    let state = shop.env.read("states/web.toml").replace("{{ pillar.web.port }}:80", "28000-28999:80");
    shop.env.write("states/web.toml", &state);
    let says = "0.0.0.0:(one of 28000-28999) -> 80/tcp, all interfaces";
    shop.env.run(&["plan"]).ok().says("publishes").says(says);
    let plan = shop.env.run(&["plan", "--json"]).ok().stdout().to_owned();
    assert!(plan.contains(says), "{plan}");
    shop.apply().ok();
    let chosen = &shop.inspect(&shop.web)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"];
    let chosen: u16 = chosen.as_str().expect("a port").parse().expect("a number");
    shop.answers(chosen, "web 1.0.0");
    shop.rests();
}

#[test]
fn the_plan_and_its_page_show_how_a_clear_variable_was_and_never_a_secret() {
    let Some(shop) = Shop::new() else { return };
    shop.env.run_with_input(&["seal", "web.key", "--in", "apps"], "hunter2-canary").ok();
    shop.options(
        "env.LOG = \"info\"\nenv.KEY = \"{{ pillar.web.key }}\"\nenv.SOON_SEALED = \"letmein-canary\"\n",
    );
    shop.apply().ok();
    shop.options(
        "env.LOG = \"debug\"\nenv.KEY = \"no longer\"\nenv.SOON_SEALED = \"{{ pillar.web.key }}\"\n",
    );
    let page = shop.env.workspace().join("plan.html");
    let page = page.to_str().expect("a path");
    let text = shop.env.run(&["plan", "--html", page]).ok().says("info → debug").stdout().to_owned();
    let json = shop.env.run(&["plan", "--json"]).ok().stdout().to_owned();
    let html = std::fs::read_to_string(page).expect("a page");
    assert!(html.contains("info") && html.contains("publishes"), "{html}");
    for said in [text, json, html] {
        assert!(!said.contains("hunter2-canary") && !said.contains("letmein-canary"), "{said}");
    }
}
