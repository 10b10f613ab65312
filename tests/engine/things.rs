//! Networks, volumes, images that go, and watches, on a real Engine.

use crate::shop::Shop;
use serde_json::{Value, json};

/// States, with `@` for the workspace's name and `IMAGE` for its image.
fn states(shop: &Shop, text: &str) {
    let image = format!("{}:1.0.0", shop.repository);
    shop.env.write("states/web.toml", text.replace('@', &shop.name).replace("IMAGE", &image));
}

fn network(shop: &Shop, name: &str) -> Option<Value> {
    let wanted = format!("{}-{name}", shop.name);
    shop.engine.networks().into_iter().find(|network| network["Name"] == wanted.as_str())
}

fn volume(shop: &Shop, name: &str) -> Option<Value> {
    let wanted = format!("pillarbox-{}.{}.{name}", shop.name, shop.name);
    shop.engine.volumes().into_iter().find(|volume| volume["Name"] == wanted.as_str())
}

/// A wide range of its own for each test, so that tests do not take each other's.
const FULL: &str = r#"
[full.network.present]
name = "@-full"
driver = "bridge"
driver_opts = { "com.docker.network.driver.mtu" = "1400", "com.docker.network.bridge.enable_icc" = "true" }
internal = true
attachable = true
enable_ipv6 = true
scope = "local"
labels = { team = "shop", "com.example.two" = "2" }
[full.network.present.ipam]
driver = "default"
config = [
  { subnet = "10.231.0.0/16", gateway = "10.231.0.254", ip_range = "10.231.8.0/21", aux_addresses = { router = "10.231.0.253" } },
  { subnet = "FD00:231::/64" },
]

[flat.network.present]
name = "@-flat"
subnet = "10.232.5.0/24"
gateway = "10.232.5.1"
internal = false

[plain.docker_network.present]
name = "@-plain"

[kept.volume.present]
name = "pillarbox-@.@.kept"
driver = "local"
driver_opts = { type = "tmpfs", device = "tmpfs", o = "size=1m,uid=1000" }
labels = { team = "shop" }

[bare.docker_volume.present]
name = "pillarbox-@.@.bare"
"#;

#[test]
fn with_every_option_of_networks_and_volumes_the_second_plan_is_empty() {
    let Some(shop) = Shop::new() else { return };
    states(&shop, FULL);
    shop.env.run(&["plan"]).ok().says("+ network").says("+ volume").says("5 to create");
    shop.apply().ok();
    shop.rests();
    let found = network(&shop, "full").expect("made");
    let expected = [
        ("/Internal", json!(true)),
        ("/Attachable", json!(true)),
        ("/EnableIPv6", json!(true)),
        ("/Options/com.docker.network.driver.mtu", json!("1400")),
        ("/Labels/team", json!("shop")),
        ("/Labels/io.pillarbox.workspace", json!(shop.name)),
        ("/IPAM/Config/0/Gateway", json!("10.231.0.254")),
        ("/IPAM/Config/0/IPRange", json!("10.231.8.0/21")),
        ("/IPAM/Config/0/AuxiliaryAddresses/router", json!("10.231.0.253")),
    ];
    for (pointer, value) in expected {
        assert_eq!(found.pointer(pointer), Some(&value), "{pointer} in {found}");
    }
    assert_eq!(volume(&shop, "kept").expect("made")["Options"]["o"], "size=1m,uid=1000");

    // Without our labels the Engine's own words say the same: what others made is compared field by field.
    for name in ["full", "flat"] {
        let mut body = network(&shop, name).expect("made");
        shop.engine.delete(&format!("/networks/{}", body["Id"].as_str().expect("an id")));
        body["Labels"] = json!({ "team": "shop", "com.example.two": "2", "io.pillarbox.test": shop.name });
        shop.engine.post("/networks/create", &body);
    }
    shop.env.run(&["plan", "-v", "--detailed-exitcode"]).ok().says("not managed by pillarbox");
    // And where they do not, nothing is touched.
    let before = network(&shop, "flat");
    states(&shop, &FULL.replace("gateway = \"10.232.5.1\"", "gateway = \"10.232.5.9\""));
    let refused = shop.env.run(&["apply", "-y"]).exits(1);
    refused.explains("was not made by workspace").explains("differs: ipam.pools");
    assert_eq!(network(&shop, "flat"), before);
    for name in ["full", "flat"] {
        let id = network(&shop, name).expect("there")["Id"].clone();
        shop.engine.delete(&format!("/networks/{}", id.as_str().expect("an id")));
    }
}

const USED: &str = r#"
[web.container.running]
name = "@-web"
image = "IMAGE"
monitor = "1s"
stop_timeout = "1s"
networks = ["@-front"]
volumes = ["pillarbox-@.@.data:/data"]

[front.network.present]
name = "@-front"
driver_opts = { "com.docker.network.driver.mtu" = "1400" }

[data.volume.present]
name = "pillarbox-@.@.data"
"#;

#[test]
fn a_network_and_a_volume_live_and_go_with_what_uses_them_and_data_is_never_lost() {
    let Some(shop) = Shop::new() else { return };
    states(&shop, USED);
    shop.apply().ok();
    shop.rests();
    let made = volume(&shop, "data").expect("made");

    // It is in use: neither can be recreated, and the plan says who and what to do.
    states(&shop, &USED.replace("\"1400\"", "\"1300\""));
    let refused = shop.env.run(&["apply", "-y"]).exits(1);
    refused.explains("declared differently now").explains("-web").explains("under another name");
    states(
        &shop,
        &USED.replace("data\"\n", "data\"\ndriver_opts = { type = \"tmpfs\", device = \"tmpfs\" }\n"),
    );
    shop.env.run(&["apply", "-y"]).exits(1).explains("its data would be lost");
    assert_eq!(volume(&shop, "data"), Some(made.clone()));

    // Stopped on the host, it joins the new network before it starts again.
    let web = format!("{}-web", shop.name);
    shop.engine.post(&format!("/containers/{web}/stop?t=1"), &Value::Null);
    states(&shop, &USED.replace("\"1400\"", "\"1300\""));
    shop.env.run(&["plan"]).ok().says("-/+ network");
    shop.apply().ok();
    let front = network(&shop, "front").expect("recreated");
    assert_eq!(front["Options"]["com.docker.network.driver.mtu"], "1300");
    assert_eq!(shop.inspect(&web)["State"]["Running"], json!(true));
    shop.rests();

    // A foreign container keeps both from going.
    let image = shop.inspect(&web)["Image"].clone();
    let body = json!({
        "Image": image, "Cmd": ["sleep", "1000"],
        "HostConfig": { "Binds": [format!("pillarbox-{0}.{0}.data:/data", shop.name)] },
        "NetworkingConfig": { "EndpointsConfig": { format!("{}-front", shop.name): {} } },
    });
    let other = format!("{}-other", shop.name);
    shop.engine.post(&format!("/containers/create?name={other}"), &body);
    shop.engine.post(&format!("/containers/{other}/start"), &Value::Null);
    let gone = "[web.container.absent]\nname = \"@-web\"\n[front.network.absent]\nname = \"@-front\"\n\
                [data.volume.absent]\nname = \"pillarbox-@.@.data\"\n";
    states(&shop, gone);
    let refused = shop.env.run(&["apply", "-y"]).exits(1);
    refused.explains("declared absent and in use").explains(&other);
    assert_eq!(shop.names(), [web.as_str()]);
    shop.engine.delete(&format!("/containers/{other}?force=1"));

    // Undeclared, the network can be pruned and the volume stays.
    states(&shop, "[web.container.absent]\nname = \"@-web\"\n");
    shop.env.run(&["apply", "-y", "--prune"]).ok().says("stays with its data");
    assert!(network(&shop, "front").is_none());
    assert_eq!(volume(&shop, "data"), Some(made));
    states(&shop, gone);
    shop.env.run(&["plan"]).ok().says("- volume").says("its data is lost");
    shop.apply().ok();
    assert!(volume(&shop, "data").is_none());
    shop.rests();
}

#[test]
fn another_network_is_joined_in_place_and_a_container_that_leaves_its_first_network_is_replaced() {
    let Some(shop) = Shop::new() else { return };
    let networks = |names: &str, more: &str| {
        let state = USED.replace("\"@-front\"]", names);
        states(&shop, &format!("{state}\n[aside.network.present]\nname = \"@-aside\"\n{more}"));
    };
    let web = format!("{}-web", shop.name);
    states(&shop, USED);
    shop.apply().ok();
    let first = shop.identity(&web);

    networks("\"@-aside\", \"@-front\"]", "");
    shop.env.run(&["plan"]).ok().says("~ container");
    shop.apply().ok();
    assert_eq!(shop.identity(&web), first);
    shop.rests();

    networks("\"@-aside\"]", "");
    let state = shop.env.read("states/web.toml");
    let present = format!(
        "[front.network.present]\nname = \"{}-front\"\ndriver_opts = {{ \"com.docker.network.driver.mtu\" = \"1400\" }}\n",
        shop.name
    );
    let absent = format!("[front.network.absent]\nname = \"{}-front\"\n", shop.name);
    assert!(state.contains(&present), "{state}");
    shop.env.write("states/web.toml", state.replace(&present, &absent));
    shop.env
        .run(&["plan"])
        .ok()
        .says("-/+ container")
        .says("networks changed")
        .says(&format!("networks  {}-aside", shop.name))
        .says("declared absent");
    shop.apply().ok();
    assert_ne!(shop.identity(&web), first);
    assert!(network(&shop, "front").is_none());
    shop.rests();
    // What a crash, or an Engine that starts again, asks of it.
    shop.engine.post(&format!("/containers/{web}/restart?t=1"), &Value::Null);
    assert_eq!(shop.inspect(&web)["State"]["Running"], json!(true));
}

#[test]
fn what_watches_is_replaced_restarted_or_told() {
    let Some(shop) = Shop::new() else { return };
    let text = |level: &str| {
        let one = |name: &str, more: &str| {
            format!(
                "[{name}.container.running]\nname = \"@-{name}\"\nimage = \"IMAGE\"\nmonitor = \"1s\"\n\
                 stop_timeout = \"1s\"\n{more}\n"
            )
        };
        [
            one("db", &format!("env.LEVEL = \"{level}\"")),
            one("anew", "watch = [\"db\"]"),
            one("again", "watch = { db = \"restart\" }"),
            one("told", "watch = { db = \"signal:CONT\" }"),
            one("apart", ""),
        ]
        .concat()
    };
    states(&shop, &text("1"));
    shop.apply().ok();
    shop.rests();
    let names = ["anew", "again", "told", "apart"].map(|name| format!("{}-{name}", shop.name));
    let before = names.each_ref().map(|name| shop.identity(name));
    states(&shop, &text("2"));
    let plan = shop.env.run(&["plan", "-v"]).ok();
    plan.says("watch: container").says("send SIGCONT to");
    shop.apply().ok();
    let after = names.each_ref().map(|name| shop.identity(name));
    assert_ne!(before[0][0], after[0][0], "replaced");
    assert_eq!(before[1][0], after[1][0], "the same container");
    assert_ne!(before[1][1], after[1][1], "started again");
    assert_eq!(before[2], after[2], "told, and that is all");
    assert_eq!(before[3], after[3], "not touched");
    shop.rests();

    // What is owed is seen on the host: also where another apply made the watched container.
    states(&shop, &text("3").replace("watch = [\"db\"]", "").replace("watch = { db = \"restart\" }", ""));
    shop.apply().ok();
    states(&shop, &text("3"));
    shop.env.run(&["plan"]).ok().says("1 to replace").says("1 to change");
    shop.apply().ok();
    shop.rests();
}

#[test]
fn conditions_and_images_that_go() {
    let Some(shop) = Shop::deployed() else { return };
    let text = shop.env.read("states/web.toml");
    let image = format!("{}:1.0.0", shop.repository);
    shop.env.write(
        "states/web.toml",
        format!(
            "{text}\n[never.network.present]\nname = \"{0}-never\"\nonlyif = \"{{{{ host.cpus > 100000 }}}}\"\n\
             [here.network.present]\nname = \"{0}-here\"\nunless = \"{{{{ host.os != 'linux' }}}}\"\n",
            shop.name
        ),
    );
    shop.env.run(&["plan", "-v"]).ok().says("left out on this host: `onlyif` is false").says("1 to create");
    shop.apply().ok();
    assert!(network(&shop, "never").is_none() && network(&shop, "here").is_some());
    shop.rests();

    // The container's image has a tag of its own, so this one can go; then the container goes, and its image.
    shop.env.write(
        "states/web.toml",
        format!(
            "[gone.image.absent]\nname = \"{image}\"\n[here.network.absent]\nname = \"{}-here\"\n",
            shop.name
        ),
    );
    shop.apply().ok();
    shop.rests();
    assert_eq!(shop.inspect(&shop.web)["State"]["Running"], json!(true));
    shop.absent();
    shop.apply().ok();
    shop.rests();
}
