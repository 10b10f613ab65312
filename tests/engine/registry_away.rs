//! One registry that refuses, limits, is overloaded or down does not stop what does not need it.

use crate::proxy::{Fault, Proxy};
use crate::shop::Shop;
use std::time::{Duration, Instant};

const REFUSES: Fault = Fault::Status(
    401,
    "WWW-Authenticate: Basic realm=\"closed\"\r\n",
    r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
);
const FORBIDS: Fault = Fault::Status(
    403,
    "",
    r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#,
);
const LIMITS: Fault = Fault::Status(
    429,
    "Retry-After: 1\r\n",
    r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 1s, allowed: 100/minute"}]}"#,
);
const OVERLOADED: Fault = Fault::Status(503, "", "overloaded");

/// A shop whose `web` comes from one registry; beside it `side`, from another one that can fail.
struct Two {
    shop: Shop,
    side: String,
    proxy: Proxy,
    digest: String,
}

impl Two {
    fn new() -> Option<Self> {
        let shop = Shop::new()?;
        let (repository, digest) = shop.push("serve", "side", "1.0.0");
        let (side, proxy) = (format!("{}-side", shop.name), Proxy::new());
        let here = proxy.here(&repository);
        let apps = shop.env.read("pillar/apps.toml");
        let gate = format!("\n[deploy.side]\nimage = \"{here}\"\nversion = \"1.0.0\"\n");
        shop.env.write("pillar/apps.toml", apps + &gate);
        let states = shop.env.read("states/web.toml");
        let more = format!(
            "\n[side.container.running]\nname = \"{side}\"\ngate = \"side\"\n\
             stop_timeout = \"1s\"\nmonitor = \"0s\"\n"
        );
        shop.env.write("states/web.toml", states + &more);
        Some(Self { shop, side, proxy, digest })
    }

    /// The digest is known before.
    fn pinned(self) -> Self {
        self.shop.set("deploy.side.digest", &self.digest);
        self
    }

    fn runs(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .shop
            .containers()
            .iter()
            .filter_map(|one| Some(one["Names"][0].as_str()?[1..].to_owned()))
            .collect();
        names.sort();
        names
    }

    /// `web` is deployed, `side` is not, and the plan says so before.
    #[track_caller]
    fn goes_on_without(&self, code: i32, why: &str) {
        let plan = self.shop.env.run(&["plan"]).exits(code).explains(why);
        plan.says(&format!("! container {}", self.side)).says(&format!("container {}", self.shop.web));
        self.shop.apply().exits(3).explains(why).explains("did not do everything");
        assert_eq!(self.runs(), [self.shop.web.as_str()]);
        self.proxy.recovers();
        self.shop.apply().ok();
        assert_eq!(self.runs(), [self.side.as_str(), self.shop.web.as_str()]);
    }
}

#[test]
fn a_registry_that_refuses_stops_only_what_needs_it() {
    let Some(two) = Two::new() else { return };
    two.proxy.fails(REFUSES, None);
    two.goes_on_without(7, "wants a credential");
}

#[test]
fn a_registry_that_forbids_stops_only_what_needs_it() {
    let Some(two) = Two::new() else { return };
    two.proxy.fails(FORBIDS, None);
    two.goes_on_without(7, "wants a credential");
}

#[test]
fn a_registry_that_stays_overloaded_is_said_to_be_so_and_stops_only_what_needs_it() {
    let Some(two) = Two::new() else { return };
    two.proxy.fails(OVERLOADED, None);
    two.goes_on_without(1, "does not work for now");
}

#[test]
fn a_registry_that_is_down_stops_only_what_needs_it() {
    let Some(two) = Two::new() else { return };
    let text = two.shop.env.read("pillar/apps.toml");
    let down = two.proxy.registry.rsplit_once(':').expect("a port").0.to_owned() + ":9";
    two.shop.env.write("pillar/apps.toml", text.replace(&two.proxy.registry, &down));
    two.shop.env.run(&["plan"]).exits(1).explains("cannot reach the registry").says("! container");
    two.shop.apply().exits(3).explains("cannot reach the registry");
    assert_eq!(two.runs(), [two.shop.web.as_str()]);
}

#[test]
fn a_pull_that_a_registry_refuses_leaves_out_what_needs_the_image() {
    let Some(two) = Two::new().map(Two::pinned) else { return };
    two.proxy.fails(REFUSES, None);
    two.shop.env.run(&["plan"]).ok().says(&format!("+ container {}", two.side));
    two.shop.apply().exits(3).explains("wants a credential").explains("skipped");
    assert_eq!(two.runs(), [two.shop.web.as_str()]);
    two.shop.apply().exits(7).explains("wants a credential");
    two.proxy.recovers();
    two.shop.apply().ok();
    assert_eq!(two.runs(), [two.side.as_str(), two.shop.web.as_str()]);
    two.shop.rests();
}

#[test]
fn a_limit_is_waited_for_while_resolving_and_while_pulling() {
    for pinned in [false, true] {
        let Some(two) = Two::new() else { return };
        let two = if pinned { two.pinned() } else { two };
        two.proxy.fails(LIMITS, Some(2));
        let began = Instant::now();
        let asked = two.proxy.asked();
        let applied = two.shop.apply().ok();
        // Where containerd pulls it asks again by itself, and says nothing of that.
        let by_itself = pinned && !applied.stderr().contains("limits the rate");
        if by_itself {
            assert!(two.proxy.asked() > asked + 2, "it was refused twice");
        } else {
            applied.explains("limits the rate").explains("asked again in");
            assert!(began.elapsed() > Duration::from_secs(2));
        }
        assert_eq!(two.runs(), [two.side.as_str(), two.shop.web.as_str()]);
    }
}

#[test]
fn a_short_overload_is_waited_for() {
    let Some(two) = Two::new() else { return };
    two.proxy.fails(OVERLOADED, Some(2));
    two.shop.apply().ok().explains("does not work for now");
    assert_eq!(two.runs(), [two.side.as_str(), two.shop.web.as_str()]);
}

#[test]
fn a_layer_that_is_cut_off_is_pulled_to_its_end() {
    let Some(two) = Two::new().map(Two::pinned) else { return };
    two.proxy.fails(Fault::Cut(500), Some(1));
    two.shop.apply().ok();
    assert_eq!(two.runs(), [two.side.as_str(), two.shop.web.as_str()]);
}

#[test]
fn only_asks_no_other_registry_and_changes_nothing_else() {
    let Some(two) = Two::new() else { return };
    two.proxy.fails(REFUSES, None);
    let web = two.shop.web.as_str();
    let printed = format!("container {web}");
    two.shop.env.run(&["plan", "--only", &printed]).ok().says(&printed).says("image ").lacks(&two.side);
    assert_eq!(two.proxy.asked(), 0);
    let plan = two.shop.env.home().join("web.json").display().to_string();
    two.shop.env.run(&["plan", "--only", web, "-o", &plan]).ok();
    two.shop.env.run(&["apply", &plan]).ok();
    assert_eq!((two.runs(), two.proxy.asked()), (vec![web.to_owned()], 0));
    two.shop.env.run(&["plan", "--only", "wbe"]).exits(64).explains("no host of this run declares `wbe`");
    two.shop.env.run(&["apply", "-y", "--only", web, "--prune"]).exits(64);
    two.proxy.recovers();
    two.shop.env.run(&["apply", "-y", "--only", &two.side]).ok();
    assert_eq!(two.runs(), [two.side.as_str(), web]);
    two.shop.rests();
}

#[test]
fn offline_applies_what_is_on_the_host_and_asks_nothing() {
    let Some(two) = Two::new() else { return };
    two.shop.apply().ok();
    two.proxy.fails(REFUSES, None);
    let asked = two.proxy.asked();
    let states = two.shop.env.read("states/web.toml");
    two.shop.env.write("states/web.toml", states + "env.LEVEL = \"debug\"\n");
    two.shop.apply().exits(7);
    assert!(two.proxy.asked() > asked);
    let asked = two.proxy.asked();
    two.shop.env.run(&["plan", "--offline"]).ok().says(&format!("container {}", two.side));
    two.shop.env.run(&["apply", "-y", "--offline"]).ok();
    let env = two.shop.engine.inspect(&format!("/containers/{}/json", two.side));
    assert!(env["Config"]["Env"].to_string().contains("LEVEL=debug"), "{env}");
    assert_eq!(two.proxy.asked(), asked);
    // What is pinned is pulled all the same; of another tag nothing is known.
    two.shop.set("deploy.side.digest", &format!("sha256:{}", "0".repeat(64)));
    two.shop.env.run(&["plan", "--offline"]).ok().says(&format!("container {}", two.side));
    two.shop.env.run(&["apply", "-y", "--offline"]).exits(7);
    let text = two.shop.env.read("pillar/apps.toml");
    let lines = text.lines().filter(|line| !line.starts_with("digest ="));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    two.shop.env.write("pillar/apps.toml", text.replacen("version = \"1.0.0\"", "version = \"9\"", 2));
    let asked = two.proxy.asked();
    let unknown = "no registry is asked what";
    two.shop.env.run(&["plan", "--offline"]).exits(1).says("! container").explains(unknown);
    two.shop.env.run(&["apply", "-y", "--offline"]).exits(1).explains("leave --offline out");
    assert_eq!(two.proxy.asked(), asked);
}
