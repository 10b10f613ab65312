//! Engines by unix, tcp with TLS, and ssh, through the binary; and hosts that are not who they were.

use crate::env::TestEnv;
use crate::shop::Shop;
use crate::testbed::testbed_var;
use std::net::TcpListener;
use std::time::Duration;

/// The address of the testbed's sshd, with the Engine's socket behind it.
fn ssh(shop: &Shop) -> String {
    format!("{}{}", testbed_var("PILLARBOX_TEST_SSH"), shop.engine.socket().display())
}

/// A workspace whose `ssh` knows the keys of the testbed.
fn with_ssh() -> Option<Shop> {
    let mut shop = Shop::new()?;
    env(&mut shop).path_first(testbed_var("PILLARBOX_TEST_SSH_BIN"));
    Some(shop)
}

fn env(shop: &mut Shop) -> &mut TestEnv {
    &mut shop.bed.env
}

/// Gives `local` another address.
fn moves(shop: &Shop, engine: &str, tls: Option<&str>) {
    shop.set_inventory(&[("local", engine)], &["web"]);
    if let Some(folder) = tls {
        let text = shop.env.read("pillarbox.toml");
        shop.env.write("pillarbox.toml", format!("{text}tls = \"{folder}\"\n"));
    }
}

#[test]
fn an_engine_behind_ssh_is_deployed_to() {
    let Some(shop) = with_ssh() else { return };
    moves(&shop, &ssh(&shop), None);
    // It is new here, so it must be accepted before it is sent the credential.
    let said = shop.env.run(&["plan"]).exits(9).explains("not known on this machine");
    said.explains("pillarbox known accept local");
    shop.env.run(&["--strict", "apply", "-y"]).exits(8);
    assert!(shop.names().is_empty());
    shop.env.run(&["known", "accept", "local"]).ok();
    shop.env.run(&["--strict", "apply", "-y"]).ok();
    shop.only("web 1.0.0");
    shop.release("serve", "1.1.0");
    shop.apply().ok();
    shop.only("web 1.1.0");
    shop.rests();
}

#[test]
fn an_engine_behind_tls_is_deployed_to() {
    let Some(shop) = Shop::new() else { return };
    let folder = testbed_var("PILLARBOX_TEST_TLS_DIR");
    let engine = testbed_var("PILLARBOX_TEST_TLS_ENGINE");
    moves(&shop, &engine, Some(&folder));
    shop.env.run(&["plan"]).exits(9);
    // -y says yes to the plan alone.
    shop.apply().exits(9).explains("--accept-new-hosts").explains("certificate authority is sha256:");
    assert!(shop.names().is_empty());
    let accepting = ["apply", "-y", "--accept-new-hosts"];
    shop.env.run(&accepting).ok().explains("is accepted with --accept-new-hosts");
    shop.only("web 1.0.0");
    shop.env.run(&["--strict", "apply", "-y"]).ok().says("no changes");
    // The same by the variable that docker has for it.
    moves(&shop, &engine, None);
    shop.env.run(&["plan"]).exits(8).explains("its TLS was ");
    shop.env.command(&["plan"]).var("DOCKER_CERT_PATH", &folder).run().ok().says("no changes");
    // One host reached in another way is another address.
    moves(&shop, &shop.engine.address(), None);
    shop.apply().exits(8).explains("pillarbox known accept local");
    shop.env.run(&["known", "accept", "local"]).ok();
    shop.rests();
}

#[test]
fn an_address_that_was_changed_is_not_even_asked() {
    let Some(shop) = Shop::deployed() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("no waiting");
    let port = listener.local_addr().expect("its address").port();
    moves(&shop, &format!("tcp://127.0.0.1:{port}"), None);
    for command in [&["plan"][..], &["apply", "-y"], &["status"]] {
        let said = shop.env.run(command).exits(8).explains(&port.to_string());
        said.explains(&shop.engine.address()).explains("pillarbox known accept local");
    }
    assert!(listener.accept().is_err(), "a call came");
    shop.answers(shop.port, "web 1.0.0");
}

#[test]
fn a_host_that_is_sent_no_secret_needs_no_consent() {
    let Some(shop) = with_ssh() else { return };
    let open = shop.repository.replacen(&shop.registry, &testbed_var("PILLARBOX_TEST_OPEN_REGISTRY"), 1);
    shop.set("deploy.web.image", &open);
    moves(&shop, &ssh(&shop), None);
    shop.env.run(&["--strict", "plan"]).ok().says("+ container");
    shop.seal("web.key", "secret");
    shop.options("env.KEY = \"{{ pillar.web.key }}\"");
    shop.env.run(&["--strict", "plan"]).exits(8);
}

#[test]
fn ssh_that_does_not_get_through_says_why() {
    let Some(shop) = with_ssh() else { return };
    let address = ssh(&shop).replace("root@", "missing@");
    moves(&shop, &address, None);
    let began = std::time::Instant::now();
    shop.env.run(&["plan"]).exits(1).explains("host local").explains("Permission denied");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn logs_exec_and_run_are_the_same_behind_ssh_and_behind_tls() {
    let Some(shop) = with_ssh() else { return };
    shop.seal("web.key", "CANARY-far-away");
    shop.options(
        "env.KEY = \"{{ pillar.web.key }}\"\n\
         command = [\"sh\", \"-c\", \"trap 'exit 0' TERM; echo key is $KEY; while :; do sleep 0.1; done\"]\n",
    );
    shop.apply().ok();
    let (web, text) = (shop.web.as_str(), (0..50_000).map(|n| format!("{n}\n")).collect::<String>());
    let tls = testbed_var("PILLARBOX_TEST_TLS_DIR");
    for (engine, tls) in [(ssh(&shop), None), (testbed_var("PILLARBOX_TEST_TLS_ENGINE"), Some(tls.as_str()))]
    {
        moves(&shop, &engine, tls);
        shop.env.run(&["known", "accept", "local"]).ok();
        shop.env.run(&["logs", web, "--no-prefix"]).ok().says_only("key is [secret]\n");
        let said =
            shop.env.run(&["exec", web, "-T", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]).exits(7);
        said.says_only("out\n").explains("err\n");
        let back = shop.env.run_with_input(&["exec", web, "-T", "-q", "--", "cat"], &text).ok();
        assert!(back.stdout() == text, "{engine}: {} bytes came back", back.stdout().len());
        let back = shop.env.run_with_input(&["run", web, "-T", "-q", "--", "cat"], &text).ok();
        assert!(back.stdout() == text, "{engine}: {} bytes came back", back.stdout().len());
        let said = shop.env.run(&["run", web, "-T", "--", "sh", "-c", "echo $KEY; exit 5"]).exits(5);
        said.says_only("CANARY-far-away\n").explains("in local/pillarbox-run.");
        assert_eq!(shop.names(), [web], "{engine}");
    }
}
