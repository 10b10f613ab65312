//! What every Engine must do, each as one run: the rows of `scripts/matrix`. The host is that of
//! `PILLARBOX_TEST_PODMAN`, which may be any Engine.

use crate::shop::Shop;
use serde_json::{Value, json};

/// A service on the host, in version 1.0.0.
fn deployed() -> Option<Shop> {
    let shop = Shop::on_podman()?;
    service(&shop, "");
    let digest = shop.image().split_once('@').expect("a digest").1.to_owned();
    let set =
        ["gate", "set", "shop", "1.0.0", "--image", &shop.repository, "--in", "apps", "--digest", &digest];
    shop.env.run(&set).ok();
    shop.apply().ok();
    shop.answers(shop.port, "web 1.0.0");
    Some(shop)
}

fn service(shop: &Shop, more: &str) {
    let (web, port) = (&shop.web, shop.port);
    shop.env.write(
        "states/web.toml",
        format!(
            "[web.service.deployed]\nname = \"{web}\"\ngate = \"shop\"\nports = [\"{port}:80\"]\nstop_timeout = \"1s\"\n\
             update = {{ monitor = \"1s\", drain = \"0s\" }}\n{more}\n"
        ),
    );
}

fn wants(shop: &Shop, kind: &str, version: &str) {
    let (_, digest) = shop.push(kind, "web", version);
    shop.env.run(&["gate", "set", "shop", version, "--digest", &digest]).ok();
}

fn is_podman(shop: &Shop) -> bool {
    shop.engine.inspect("/version")["Components"][0]["Name"] == "Podman Engine"
}

#[test]
fn first_deploy() {
    let Some(shop) = deployed() else { return };
    shop.rests();
}

#[test]
fn upgrade() {
    let Some(shop) = deployed() else { return };
    wants(&shop, "serve", "1.1.0");
    shop.apply().ok();
    shop.answers(shop.port, "web 1.1.0");
    shop.rests();
}

#[test]
fn failed_upgrade() {
    let Some(shop) = deployed() else { return };
    let before = shop.inspect(&shop.web)["Id"].clone();
    wants(&shop, "exits", "1.1.0");
    shop.apply().exits(3).explains("did not come up");
    shop.answers(shop.port, "web 1.0.0");
    assert_eq!(shop.inspect(&shop.web)["Id"], before);
}

#[test]
fn rollback() {
    let Some(shop) = deployed() else { return };
    wants(&shop, "serve", "1.1.0");
    shop.apply().ok();
    shop.env.run(&["rollback", &shop.web, "-y"]).ok();
    shop.answers(shop.port, "web 1.0.0");
    shop.rests();
}

#[test]
fn secret_files() {
    let Some(shop) = Shop::on_podman() else { return };
    shop.seal("web.password", "canary-in-a-file");
    let (web, image) = (&shop.web, shop.image());
    // It ends at once where the file is not whole.
    let script = "test $(wc -c </run/secrets/password) = 16 && exec sleep 1000";
    let state = format!(
        "[web.container.running]\nname = \"{web}\"\nimage = \"{image}\"\nmonitor = \"1s\"\nstop_signal = \"KILL\"\n\
         command = [\"sh\", \"-c\", \"{script}\"]\nsecrets.password = \"{{{{ pillar.web.password }}}}\"\n"
    );
    shop.env.write("states/web.toml", state);
    shop.apply().ok();
    shop.rests();
}

#[test]
fn adopt() {
    let Some(shop) = Shop::on_podman() else { return };
    let (web, image) = (&shop.web, shop.image());
    let memory = if shop.has_limits() { 64 << 20 } else { 0 };
    let state = || {
        let limit = if memory > 0 { "memory = \"64m\"\n" } else { "" };
        format!(
            "[web.container.running]\nname = \"{web}\"\nimage = \"{image}\"\nmonitor = \"0s\"\nstop_signal = \"KILL\"\n\
             command = [\"sleep\", \"1000\"]\n{limit}volumes = [\"/etc/hostname:/etc/outside:ro\"]\n"
        )
    };
    shop.env.write("states/web.toml", state());
    shop.apply().ok();
    let image = shop.inspect(web)["Image"].clone();
    shop.engine.delete(&format!("/containers/{web}?force=1"));
    let body = json!({
        "Image": image, "Cmd": ["sleep", "1000"], "StopSignal": "SIGKILL",
        "HostConfig": { "Memory": memory, "Binds": ["/etc/hostname:/etc/outside:ro"] },
    });
    let made = shop.engine.post(&format!("/containers/create?name={web}"), &body);
    let id = made["Id"].as_str().expect("an id").to_owned();
    shop.engine.post(&format!("/containers/{id}/start"), &Value::Null);
    shop.apply().exits(1).explains("pillarbox adopt");
    shop.env.run(&["adopt", web, "--host", "pod", "-y"]).ok().says("All that is declared agrees");
    shop.env.run(&["plan", "--detailed-exitcode"]).ok();
    assert_eq!(shop.inspect(web)["Id"], json!(id));
}

#[test]
fn absent() {
    let Some(shop) = deployed() else { return };
    shop.absent();
    shop.apply().ok();
    assert_eq!(shop.names(), Vec::<String>::new());
}

#[test]
fn networks_and_a_fixed_address() {
    let Some(shop) = Shop::on_podman() else { return };
    let third = std::process::id() % 250;
    let name = format!("{}-fixed", shop.name);
    let state = |last: u8| {
        format!(
            "[back.network.present]\nname = \"{name}\"\nsubnet = \"10.211.{third}.0/24\"\n\n\
             [web.container.running]\nname = \"{}\"\nimage = \"{}\"\nmonitor = \"0s\"\nstop_signal = \"KILL\"\n\
             command = [\"sleep\", \"1000\"]\nrequire = [\"back\"]\n\
             networks = {{ \"{name}\" = {{ ipv4_address = \"10.211.{third}.{last}\", aliases = \"api\" }} }}\n",
            shop.web,
            shop.image()
        )
    };
    for last in [7, 8] {
        shop.env.write("states/web.toml", state(last));
        shop.apply().ok();
        shop.rests();
        let networks = shop.inspect(&shop.web)["NetworkSettings"]["Networks"].clone();
        assert_eq!(networks[&name]["IPAddress"], format!("10.211.{third}.{last}"));
    }
}

#[test]
fn task_with_a_secret_in_memory_or_its_refusal() {
    let Some(shop) = Shop::on_podman() else { return };
    shop.seal("web.password", "canary-in-memory");
    let (image, task) = (shop.image(), format!("{}-migrate", shop.name));
    let state = |store: &str| {
        format!(
            "[{task}.task.ran]\nimage = \"{image}\"\ncommand = [\"sh\", \"-c\", \"wc -c </run/secrets/password | grep -q 16\"]\n\
             secrets.password = {{ value = \"{{{{ pillar.web.password }}}}\"{store} }}\n"
        )
    };
    let version = shop.engine.inspect("/version")["Version"].as_str().expect("a version").to_owned();
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let keeps = !is_podman(&shop) || (numbers.next(), numbers.next()) >= (Some(5), Some(4));
    shop.env.write("states/web.toml", state(", store = \"memory\""));
    if keeps {
        shop.apply().ok();
    } else {
        let said = shop.apply().exits(1);
        said.explains("has the secret `password` in memory")
            .explains(&format!("Podman {version}"))
            .explains("states/web.toml:4")
            .explains("leave out `store = \"memory\"`")
            .lacks("canary");
        assert_eq!(shop.names(), Vec::<String>::new());
        shop.env.write("states/web.toml", state(""));
        shop.apply().ok();
    }
    shop.rests();
}
