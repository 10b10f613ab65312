//! What others hold, or what is not there, is known before anything is stopped.

use crate::shop::Shop;
use serde_json::{Value, json};

/// A container that was made by hand; it goes with the test.
struct Stranger<'s> {
    shop: &'s Shop,
    name: String,
}

impl<'s> Stranger<'s> {
    fn new(shop: &'s Shop, name: &str, host: &Value, more: &Value) -> Self {
        let name = format!("{}-{name}", shop.name);
        let web = shop.engine.inspect(&format!("/containers/{}/json", shop.web));
        let mut body = json!({ "Image": web["Image"], "HostConfig": host });
        for (field, value) in more.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        shop.engine.post(&format!("/containers/create?name={name}"), &body);
        shop.engine.post(&format!("/containers/{name}/start"), &json!({}));
        Self { shop, name }
    }
}

impl Drop for Stranger<'_> {
    fn drop(&mut self) {
        self.shop.engine.delete(&format!("/containers/{}?force=true", self.name));
    }
}

/// `web` runs as it did before.
#[track_caller]
fn untouched(shop: &Shop, id: &Value) {
    assert_eq!(&shop.engine.inspect(&format!("/containers/{}/json", shop.web))["Id"], id);
    shop.answers(shop.port, "web 1.0.0");
}

#[test]
fn a_port_that_a_container_of_others_has_is_named_in_the_plan() {
    let Some(shop) = Shop::deployed() else { return };
    let id = shop.engine.inspect(&format!("/containers/{}/json", shop.web))["Id"].clone();
    let port = shop.port();
    let bound = json!({ "PortBindings": { "80/tcp": [{ "HostPort": port.to_string() }] } });
    let proxy = Stranger::new(&shop, "proxy", &bound, &json!({ "ExposedPorts": { "80/tcp": {} } }));
    shop.set("web.port", &port.to_string());
    let taken = format!("port {port}/tcp of host local is taken");
    let plan = shop.env.run(&["plan"]).exits(1);
    plan.explains(&taken).explains(&format!("container {} publishes it", proxy.name)).explains("docker stop");
    shop.apply().exits(1).explains(&taken);
    untouched(&shop, &id);
    drop(proxy);
    shop.apply().ok();
    shop.answers(port, "web 1.0.0");
}

#[test]
fn a_network_that_is_nowhere_and_an_address_that_is_taken_are_said_in_the_plan() {
    let Some(shop) = Shop::deployed() else { return };
    let id = shop.engine.inspect(&format!("/containers/{}/json", shop.web))["Id"].clone();
    let net = format!("{}-net", shop.name);
    shop.options(&format!("networks = {{ \"{net}\" = {{ ipv4_address = \"10.213.7.5\" }} }}\n"));
    shop.env
        .run(&["plan"])
        .exits(1)
        .explains(&format!("is to be in network {net}, which is not on host local"));
    shop.apply().exits(1).explains("docker network create");
    untouched(&shop, &id);
    shop.engine.post(
        "/networks/create",
        &json!({ "Name": net, "IPAM": { "Config": [{ "Subnet": "10.213.7.0/24" }] } }),
    );
    let fixed = json!({ net.as_str(): { "IPAMConfig": { "IPv4Address": "10.213.7.5" } } });
    let more = json!({ "NetworkingConfig": { "EndpointsConfig": fixed } });
    let other = Stranger::new(&shop, "other", &json!({ "NetworkMode": net }), &more);
    let plan = shop.env.run(&["plan"]).exits(1);
    plan.explains("address 10.213.7.5 in network").explains(&format!("container {} has it", other.name));
    untouched(&shop, &id);
    drop(other);
    shop.apply().ok();
    shop.env.write("states/web.toml", format!("[gone.container.absent]\nname = \"{}\"\n", shop.web));
    shop.apply().ok();
    shop.engine.delete(&format!("/networks/{net}"));
}

#[test]
fn an_image_of_another_processor_that_is_pinned_is_found_before_the_old_one_stops() {
    let Some(shop) = Shop::deployed() else { return };
    let id = shop.engine.inspect(&format!("/containers/{}/json", shop.web))["Id"].clone();
    let (_, digest) = shop.push_for("arm64", "web", "2.0.0");
    shop.version("2.0.0");
    shop.set("deploy.web.digest", &digest);
    shop.apply().exits(1).explains("is not made for host local").explains("linux/arm64");
    untouched(&shop, &id);
}
