//! Registries that refuse, are down, lack the tag, or want nothing: the container that worked works on.

use crate::shop::Shop;
use crate::testbed::testbed_var;

/// An apply that fails with this code touches nothing.
#[track_caller]
fn refused(shop: &Shop, code: i32) -> crate::env::Checked {
    let before = shop.identity(&shop.web);
    let checked = shop.apply().exits(code);
    assert_eq!(shop.identity(&shop.web), before, "it was touched");
    shop.only("web 1.0.0");
    shop.env.run(&["plan"]).exits(code);
    checked
}

#[test]
fn a_wrong_password_is_named_with_its_entry_and_nothing_is_touched() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("serve", "1.1.0");
    shop.credential(&shop.user, "not-the-password");
    let file = format!("pillar/registries/{}.toml", shop.registry.replace(':', "_"));
    let said = refused(&shop, 7).explains("refused").explains(&file);
    said.explains(&format!("registries.\"{}\"", shop.registry)).lacks("not-the-password");
    shop.credential(&shop.user, &shop.password);
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_digest_that_is_there_needs_no_registry() {
    let Some(shop) = Shop::deployed() else { return };
    let digest = shop.label(&shop.web, "image");
    let (_, digest) = digest.split_once('@').expect("by digest");
    let text = shop.env.read("states/web.toml");
    let (_, made) = text.split_once("[web_old").expect("the second state");
    let version = "{{ pillar.deploy.web.version }}\"";
    let made = made.replace(version, &format!("{{{{ pillar.deploy.web.version }}}}@{digest}\""));
    shop.env.write("states/web.toml", format!("[web_old{}", made.replace("require = [\"web_image\"]", "")));
    shop.credential(&shop.user, "not-the-password");
    shop.rests();
    shop.env.run(&["--no-identity", "apply", "-y"]).ok().says("no changes");
}

#[test]
fn passwords_of_all_kinds_work_from_end_to_end() {
    let Some(shop) = Shop::without_credential() else { return };
    for (number, password) in
        ["~?>\"'\\", "äöü ß 🔑 ~~~???", "  spaces at both ends ", "a", "{{ 7 * 7 }} $HOME `id`"]
            .iter()
            .enumerate()
    {
        let user = format!("{}-{number}", shop.name);
        shop.add_registry_user(&user, password);
        shop.credential(&user, password);
        let version = format!("1.0.{number}");
        shop.push("serve", "web", &version);
        shop.version(&version);
        shop.apply().ok();
        shop.only(&format!("web {version}"));
    }
}

#[test]
fn a_registry_that_wants_nothing_is_asked_without_a_credential() {
    let Some(shop) = Shop::without_credential() else { return };
    let open = shop.repository.replacen(&shop.registry, &testbed_var("PILLARBOX_TEST_OPEN_REGISTRY"), 1);
    shop.set("deploy.web.image", &open);
    shop.env.run(&["--no-identity", "apply", "-y"]).ok();
    shop.only("web 1.0.0");
    shop.rests();
}

#[test]
fn a_public_prefix_of_a_private_registry_is_asked_anonymously() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("serve", "1.1.0");
    let prefix = format!("{}/{}", shop.registry, shop.name);
    shop.env.run(&["registry", "add", &prefix, "--anonymous"]).ok();
    // This one is not public: the longer entry wins, and there is no fallback to the shorter one.
    let before = shop.identity(&shop.web);
    shop.apply().exits(7);
    assert_eq!(shop.identity(&shop.web), before);
    shop.env.run(&["registry", "remove", &prefix]).ok();
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_registry_that_is_down_is_no_refusal() {
    let Some(shop) = Shop::deployed() else { return };
    shop.set("deploy.web.image", &format!("{}:1/web", shop.address));
    refused(&shop, 1).explains(&format!("{}:1", shop.address));
}

#[test]
fn a_tag_that_the_registry_lacks_is_named() {
    let Some(shop) = Shop::deployed() else { return };
    shop.version("9.9.9");
    refused(&shop, 1).explains(&format!("{}:9.9.9", shop.repository));
}

#[test]
fn without_an_entry_that_covers_the_image_the_hint_says_how_to_add_one() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("serve", "1.1.0");
    let file = format!("pillar/registries/{}.toml", shop.registry.replace(':', "_"));
    // A prefix that is the beginning of the repository's name, and not of its path.
    let text = shop.env.read(&file);
    let (_, sealed) = text.split_once("username").expect("a user");
    shop.env.write(&file, format!("[registries.\"{}/{}x\"]\nusername{sealed}", shop.registry, shop.name));
    let before = shop.identity(&shop.web);
    let said = shop.apply().exits(7);
    said.explains("wants a credential").explains(&format!("pillarbox registry add '{}'", shop.registry));
    assert_eq!(shop.identity(&shop.web), before);
    shop.answers(shop.port, "web 1.0.0");
}

#[test]
fn without_an_identity_a_private_tag_cannot_be_asked_for() {
    let Some(shop) = Shop::deployed() else { return };
    let before = shop.identity(&shop.web);
    shop.env.run(&["--no-identity", "apply", "-y"]).exits(10).explains(&shop.repository);
    shop.env.run(&["--no-identity", "plan"]).exits(10).explains("--offline");
    shop.env.run(&["--no-identity", "plan", "--offline"]).ok();
    shop.env.run(&["--no-identity", "compile"]).ok();
    assert_eq!(shop.identity(&shop.web), before);
}
