//! Files in containers: with their bytes, owner and mode, whatever the image and the root are; replaced, rewritten and
//! rolled back.

use crate::secret_env::forms;
use crate::secret_files::{docker, volumes};
use crate::shop::Shop;
use crate::testbed::eventually;

/// What a program in the container reads.
fn read(shop: &Shop, path: &str) -> String {
    let (done, said) = docker(shop, &["exec", &shop.web, "cat", path]);
    assert!(done, "{path}: {}", String::from_utf8_lossy(&said));
    String::from_utf8_lossy(&said).into_owned()
}

fn id(shop: &Shop) -> String {
    shop.inspect(&shop.web)["Id"].as_str().expect("an id").to_owned()
}

const COUNTS: &str = "command = [\"sh\", \"-c\", \"trap 'cat /etc/app/app.cfg' HUP; cat /etc/app/app.cfg; while :; do sleep 0.1; done\"]\n";

#[test]
fn files_are_there_before_the_start_and_after_every_restart_for_another_user_too() {
    let Some(shop) = Shop::new() else { return };
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    shop.env.write("files/data.bin", &bytes);
    shop.env.write("files/app.cfg", "port {{ pillar.web.port }}\n");
    for root in ["", "read_only = true\n"] {
        shop.options(&format!(
            "user = \"1000\"\n{root}files.\"/srv/new/folder/data\" = {{ source = \"files/data.bin\", uid = 1000, mode = \"0400\" }}\n\
             files.\"/etc/app.cfg\" = {{ source = \"files/app.cfg\", template = true }}\n"
        ));
        shop.apply().ok();
        let port = format!("port {}\n", shop.port);
        assert_eq!(read(&shop, "/etc/app.cfg"), port);
        let (_, listed) = docker(&shop, &["exec", &shop.web, "ls", "-ln", "/srv/new/folder/data"]);
        let listed = String::from_utf8_lossy(&listed).into_owned();
        assert!(listed.starts_with("-r--------    1 1000     0") && listed.contains(" 70000 "), "{listed}");
        let (_, there) = docker(&shop, &["exec", &shop.web, "cat", "/srv/new/folder/data"]);
        assert_eq!(there, bytes, "{root}");
        docker(&shop, &["restart", "-t", "0", &shop.web]);
        assert_eq!(read(&shop, "/etc/app.cfg"), port, "{root}");
        shop.rests();
        assert_eq!(volumes(&shop).len(), usize::from(!root.is_empty()), "{root}");
    }
    shop.absent();
    shop.apply().ok();
    assert_eq!(volumes(&shop), [""; 0]);
}

#[test]
fn a_changed_file_replaces_the_container_and_the_plan_shows_the_difference() {
    let Some(shop) = Shop::new() else { return };
    shop.env.write("files/app.cfg", "global\n  maxconn 100\n");
    shop.options("files.\"/etc/app.cfg\" = { source = \"files/app.cfg\" }\n");
    shop.apply().ok();
    let before = id(&shop);
    shop.env.write("files/app.cfg", "global\n  maxconn 200\n");
    let plan = shop.env.run(&["plan", "--html", "plan.html"]).ok();
    plan.says("-/+")
        .says("files./etc/app.cfg changed (files/app.cfg)")
        .says("-  maxconn 100")
        .says("+  maxconn 200");
    assert!(shop.env.read("plan.html").contains("<span class=\"comes\">+  maxconn 200</span>"));
    shop.env
        .run(&["plan", "--json"])
        .ok()
        .says("\"diff\": \"@@ -1,2 +1,2 @@\\n global\\n-  maxconn 100\\n+  maxconn 200\\n\"");
    shop.env.run(&["plan", "-o", "stored.json"]).ok();
    shop.env.run(&["apply", "stored.json"]).ok();
    assert_eq!(read(&shop, "/etc/app.cfg"), "global\n  maxconn 200\n");
    assert_ne!(id(&shop), before);
    shop.rests();
}

#[test]
fn a_signal_follows_a_file_that_is_rewritten_in_the_container_that_stays() {
    let Some(shop) = Shop::new() else { return };
    let options = |content: &str, does: &str| {
        format!(
            "{COUNTS}files.\"/etc/app/app.cfg\" = {{ content = \"{content}\\n\", on_change = \"{does}\" }}\n"
        )
    };
    shop.options(&options("one", "signal:HUP"));
    shop.apply().ok();
    let before = id(&shop);
    shop.options(&options("two", "signal:HUP"));
    shop.env.run(&["plan"]).ok().says("~").says("it gets SIGHUP").says("+two");
    shop.apply().ok();
    assert_eq!(id(&shop), before);
    assert!(
        eventually(|| String::from_utf8_lossy(&docker(&shop, &["logs", &shop.web]).1).ends_with("two\n"))
    );
    shop.rests();
    // Someone edits it: it is found, not shown, and put right.
    docker(&shop, &["exec", &shop.web, "sh", "-c", "echo letmein > /etc/app/app.cfg"]);
    shop.env.run(&["plan"]).ok().says("changed in the container").lacks("letmein");
    shop.apply().ok();
    assert_eq!(read(&shop, "/etc/app/app.cfg"), "two\n");
    assert_eq!(id(&shop), before);
    // Another way to change it changes nothing by itself.
    shop.options(&options("two", "restart"));
    shop.rests();
    shop.options(&options("three", "restart"));
    shop.apply().ok();
    assert_eq!((id(&shop), read(&shop, "/etc/app/app.cfg").as_str()), (before, "three\n"));
    shop.rests();
}

#[test]
fn a_restart_sees_the_new_file_that_is_mounted() {
    let Some(shop) = Shop::new() else { return };
    shop.seal("web.key", "first secret");
    shop.options(
        "read_only = true\nfiles.\"/etc/app/app.cfg\" = { content = \"key {{ pillar.web.key }}\\n\", on_change = \"restart\" }\n",
    );
    shop.apply().ok();
    let before = id(&shop);
    assert_eq!(read(&shop, "/etc/app/app.cfg"), "key first secret\n");
    shop.seal("web.key", "second secret");
    let plan = shop.env.run(&["plan"]).ok();
    plan.says("it is restarted").says("file /etc/app/app.cfg").lacks("secret secret");
    shop.apply().ok();
    assert_eq!((id(&shop), read(&shop, "/etc/app/app.cfg").as_str()), (before, "key second secret\n"));
    shop.rests();
}

#[test]
fn an_image_without_a_shell_gets_its_files_and_a_volume_of_it_does_not_hide_them() {
    let Some(shop) = Shop::new() else { return };
    for (kind, version) in [("bare", "2.0.0"), ("linked", "3.0.0")] {
        shop.release(kind, version);
        for root in ["", "read_only = true\n"] {
            shop.options(&format!(
                "command = [\"/tail\", \"-f\", \"/etc/deep/key\"]\n{root}files.\"/etc/deep/key\" = {{ content = \"{kind}{}\\n\", uid = 1000, mode = \"0400\" }}\n",
                root.len()
            ));
            shop.apply().ok();
            let (_, log) = docker(&shop, &["logs", &shop.web]);
            assert_eq!(String::from_utf8_lossy(&log), format!("{kind}{}\n", root.len()));
            shop.rests();
        }
    }
}

#[test]
fn a_rollback_brings_the_old_file_back() {
    let Some(shop) = Shop::new() else { return };
    let service = |content: &str| {
        shop.env.write(
            "states/web.toml",
            format!(
                "[web.service.deployed]\nname = \"{}\"\ngate = \"web\"\nretain = 2\nupdate = {{ order = \"start-first\", monitor = \"1s\" }}\n\
                 files.\"/etc/app.cfg\" = \"{content}\\n\"\n",
                shop.web
            ),
        );
    };
    service("one");
    shop.apply().ok();
    service("two");
    shop.env.run(&["plan"]).ok().says("+/-").says("+two");
    shop.apply().ok();
    assert_eq!(read(&shop, "/etc/app.cfg"), "two\n");
    shop.env.run(&["rollback", &shop.web, "-y"]).ok();
    assert_eq!(read(&shop, "/etc/app.cfg"), "one\n");
}

#[test]
fn a_secret_in_a_file_is_in_no_output_label_layer_or_commit() {
    let Some(shop) = Shop::new() else { return };
    let secret = format!("canary~?>template/{}", shop.name);
    let absent = |what: &str, text: &str| {
        for form in forms(&secret) {
            assert!(!text.contains(form.as_str()), "{what} holds {form:?}");
        }
    };
    shop.seal("web.key", &secret);
    shop.env.write("files/app.cfg", "key {{ pillar.web.key }}\n");
    shop.options("files.\"/etc/app.cfg\" = { source = \"files/app.cfg\", template = true }\n");
    shop.apply().ok();
    assert_eq!(read(&shop, "/etc/app.cfg"), format!("key {secret}\n"));
    // From a secret to a clear text, and back: both times one side of the difference is a secret.
    for template in ["key none\n", "key again {{ pillar.web.key }}\n"] {
        shop.env.write("files/app.cfg", template);
        for command in [
            &["plan", "-v"][..],
            &["plan", "-v", "--json"],
            &["plan", "-o", "p.json", "--html", "p.html"],
            &["compile", "--json"],
        ] {
            absent("the output", &shop.env.run(command).to_string());
        }
        absent("the page", &shop.env.read("p.html"));
        absent("the plan", &shop.env.read("p.json"));
        let applied = shop.env.run(&["apply", "p.json", "-v"]);
        assert_eq!(applied.code, 0, "{applied}");
        absent("the output", &applied.to_string());
    }
    let image = format!("copy/{}/files:1", shop.name);
    assert!(docker(&shop, &["commit", &shop.web, &image]).0);
    let (_, archive) = docker(&shop, &["save", &image]);
    let (_, exported) = docker(&shop, &["export", &shop.web]);
    for (what, bytes) in [("image", archive), ("export", exported)] {
        absent(what, &String::from_utf8_lossy(&bytes));
    }
    absent("inspect", &shop.inspect(&shop.web).to_string());
    shop.engine.delete(&format!("/images/{image}?force=1"));
}
