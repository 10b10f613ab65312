//! States of many services and containers, each a little different from the others.

use crate::env::TestEnv;
use crate::simulated::Engines;

/// A service or a container of this name.
pub(crate) fn one(name: &str, state: &str, image: &str) -> String {
    format!(
        "[{name}.{state}]\nimage = \"{image}\"\nenv = {{ NAME = \"{name}\", LOG = \"info\" }}\n\
         labels = {{ team = \"shop\" }}\nmemory = \"64m\"\nrestart = \"unless-stopped\"\n"
    )
}

/// So many of them.
pub(crate) fn many(count: usize, state: &str, image: &str) -> String {
    (0..count).map(|number| one(&format!("app{number}"), state, image)).collect()
}

/// A workspace. All have one id: what one of them would make is what another finds on its Engine.
pub(crate) fn workspace() -> TestEnv {
    let env = TestEnv::initialised();
    let inventory = env.read("pillarbox.toml");
    let (head, rest) = inventory.split_once("id = \"").expect("init gives an id");
    let (id, rest) = rest.split_once('"').expect("it ends");
    env.write("pillarbox.toml", format!("{head}id = \"0123456789abcdef\"{rest}"));
    env.run(&["known", "rename", id, "shop"]).ok();
    env
}

/// Makes these states what is wanted on all hosts that are simulated.
pub(crate) fn declare(env: &TestEnv, engines: &Engines, states: &str) {
    let inventory = env.read("pillarbox.toml");
    let head = inventory.split("[groups").next().unwrap_or_default();
    let group = "[groups.all]\nstates = [\"apps\"]\n";
    env.write("pillarbox.toml", format!("{head}{group}{}", engines.hosts("all")));
    env.write("states/apps.toml", states);
}
