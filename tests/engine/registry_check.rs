//! `registry check`: what each registry says to each host, before anything is planned.

use crate::guarded::Guarded;
use crate::issuer::Refusal;
use crate::shop::Shop;
use crate::testbed::testbed_var;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// The cells of a table's rows.
fn rows(text: &str) -> Vec<Vec<String>> {
    let table = text.lines().skip(1).take_while(|line| !line.is_empty());
    table
        .map(|line| {
            line.split("  ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
        })
        .collect()
}

fn add(shop: &Shop, registry: &str, user: &str, secret: &str) {
    shop.env.run_with_input(&["registry", "add", registry, "-u", user, "--password-stdin"], secret).ok();
}

fn place(registry: &str) -> String {
    format!("pillar/registries/{}.toml:1", registry.replace(':', "_"))
}

#[test]
fn every_credential_is_tried_from_the_host_and_then_for_the_images_of_its_states() {
    let Some(shop) = Shop::without_credential() else { return };
    let image = format!("{}:1.0.0", shop.repository);
    let missing = shop.env.run(&["registry", "check"]).exits(7);
    let expected = ["local", "anonymous", &image, "refused"];
    assert_eq!(rows(missing.stdout()), [expected]);
    missing.explains("wants a credential").explains("pillarbox registry add");
    add(&shop, &shop.registry, &shop.user, &shop.password);
    let works = shop.env.run(&["registry", "check"]).ok();
    let (user, from) = (format!("user {}", shop.user), place(&shop.registry));
    let row =
        |what: &str, answer: &str| ["local", &shop.registry, what, answer, &from].map(str::to_owned).to_vec();
    assert_eq!(rows(works.stdout()), [row(&user, "works"), row(&image, "works")]);
    works.says("1 host, 2 asked: 2 work\n").lacks(&shop.password);
    let json = shop.env.run(&["--json", "registry", "check"]).ok().json();
    let asked = json["hosts"][0]["asked"].as_array().expect("a list");
    assert_eq!((asked.len(), &asked[0]["image"], &asked[0]["answer"]), (2, &Value::Null, &"works".into()));
    assert_eq!(asked[0]["place"]["line"], 1);
    assert_eq!(asked[1]["image"], image.as_str());
    assert!(asked[1]["digest"].as_str().expect("a digest").starts_with("sha256:"));

    // One line and one error for one wrong password, however many images it is for.
    add(&shop, &shop.registry, &shop.user, "wrong-CANARY");
    let refused = shop.env.run(&["registry", "check"]).exits(7);
    assert_eq!(rows(refused.stdout()), [row(&user, "refused")]);
    assert_eq!(refused.stderr().matches("error:").count(), 1, "{}", refused.stderr());
    refused.explains("refused the credential").explains(&from).lacks("CANARY");
    // The password is right again, and the tag is one that was never pushed.
    add(&shop, &shop.registry, &shop.user, &shop.password);
    let other = format!("{}:9.9.9", shop.repository);
    let failed = shop.env.run(&["registry", "check", &other]).exits(1).explains("has no image");
    assert_eq!(rows(failed.stdout()), [row(&other, "failed")], "the image alone");
    shop.env.run(&["registry", "check", &image, &image]).ok();
    shop.env.run(&["registry", "check", "not an image"]).exits(64);
    let closed = shop.env.run(&["--no-identity", "registry", "check"]).exits(10);
    assert_eq!(rows(closed.stdout()), [row(&user, "not opened")]);
    assert!(shop.containers().is_empty(), "nothing was made");
}

#[test]
fn each_way_of_not_working_has_its_word() {
    let Some(mut shop) = Shop::without_credential() else { return };
    shop.absent();
    let guarded = Guarded::new();
    let (down, open) = (format!("{}:1", shop.address), testbed_var("PILLARBOX_TEST_OPEN_REGISTRY"));
    let folder = shop.env.home().join("helpers");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("docker-credential-locked"), "#!/bin/sh\necho 'the store is locked'\nexit 1\n")
        .expect("a script");
    fs::set_permissions(folder.join("docker-credential-locked"), fs::Permissions::from_mode(0o755))
        .expect("executable");
    shop.bed.env.path_first(&folder);
    let shop = shop;
    guarded.issuer.user("bot", "CANARY-1", &["x/"]);
    add(&shop, &shop.registry, &shop.user, &shop.password);
    add(&shop, &guarded.registry, "bot", "CANARY-1");
    add(&shop, &down, "u", "CANARY-2");
    add(&shop, &open, "u", "CANARY-3");
    shop.env.run(&["registry", "add", &format!("{open}/locked"), "--helper", "locked"]).ok();
    shop.env.run(&["registry", "add", &format!("{open}/public"), "--anonymous"]).ok();
    let answer = |stdout: &str, scope: &str| {
        let rows = rows(stdout);
        let row = rows.iter().find(|row| row[1] == scope).unwrap_or_else(|| panic!("{scope}:\n{stdout}"));
        assert!(row.last().expect("a place").starts_with("pillar/registries/"), "{row:?}");
        row[3].clone()
    };
    let check = |code: i32| shop.env.run(&["registry", "check"]).exits(code).lacks("CANARY");
    let said = check(1);
    let text = said.stdout();
    assert_eq!(answer(text, &shop.registry), "works");
    assert_eq!(answer(text, &guarded.registry), "works");
    assert_eq!(answer(text, &down), "unreachable");
    assert_eq!(answer(text, &open), "works");
    assert_eq!(answer(text, &format!("{open}/locked")), "helper failed");
    assert_eq!(answer(text, &format!("{open}/public")), "not asked");
    said.says("5 asked: 3 work, 1 helper failed, 1 unreachable; 1 not asked").explains("the store is locked");

    // The same question to the token registry, which answers in other ways.
    for entry in [&down, &format!("{open}/locked")] {
        shop.env.run(&["registry", "remove", entry]).ok();
    }
    check(0);
    let over = |words: &str| Some(Refusal::Unauthorized(words.to_owned()));
    guarded.issuer.refuses(0, over("incorrect username or password"));
    assert_eq!(answer(check(7).stdout(), &guarded.registry), "refused");
    guarded.issuer.refuses(0, over("your authorization token has expired"));
    assert_eq!(answer(check(7).stdout(), &guarded.registry), "expired");
    guarded.issuer.refuses(0, Some(Refusal::TooMany("retry-after: 3600s, allowed: 100/hour".to_owned())));
    let limited = check(1);
    let until = answer(limited.stdout(), &guarded.registry);
    let until = until.strip_prefix("rate-limited until ").expect("a time").parse::<jiff::Timestamp>();
    let left = until.expect("a time").as_second() - jiff::Timestamp::now().as_second();
    assert!((3500..3700).contains(&left), "{left}");
    guarded.issuer.refuses(0, Some(Refusal::TooMany("slow down".to_owned())));
    assert_eq!(answer(check(1).stdout(), &guarded.registry), "rate-limited");
    guarded.issuer.refuses(0, None);
    let token = guarded.issuer.refresh_token("bot");
    let arguments = ["registry", "add", &guarded.registry, "--identity-token-stdin"];
    shop.env.run_with_input(&arguments, &token).ok();
    assert_eq!(answer(check(0).lacks(&token).stdout(), &guarded.registry), "works");
    let before = guarded.issuer.asked();
    assert!(before.iter().any(|one| one.by == "refresh_token" && one.scopes.is_empty()), "{before:?}");
    shop.env.run_with_input(&arguments, "CANARY-token").ok();
    assert_eq!(answer(check(7).stdout(), &guarded.registry), "refused");
    guarded.issuer.refuses(0, Some(Refusal::InvalidGrant));
    assert_eq!(answer(check(7).stdout(), &guarded.registry), "refused");
    assert!(shop.containers().is_empty());
}

#[test]
fn an_entry_that_was_tampered_with_does_not_hold_and_the_others_are_asked_all_the_same() {
    let Some(shop) = Shop::new() else { return };
    let open = testbed_var("PILLARBOX_TEST_OPEN_REGISTRY");
    add(&shop, &open, "u", "CANARY");
    let file = format!("pillar/registries/{}.toml", open.replace(':', "_"));
    let text = shop.env.read(&file);
    let (head, id) = text.split_once("id = \"").expect("an id");
    let other = if id.starts_with('0') { '1' } else { '0' };
    shop.env.write(&file, format!("{head}id = \"{other}{}", &id[1..]));
    let said = shop.env.run(&["registry", "check"]).exits(8);
    let rows = rows(said.stdout());
    assert!(rows.iter().any(|row| row[1] == open && row[3] == "does not hold"), "{rows:?}");
    assert!(rows.iter().any(|row| row[1] == shop.registry && row[3] == "works"), "{rows:?}");
    said.lacks("CANARY");
}

#[test]
fn images_of_docker_hub_are_asked_for_only_by_name() {
    let Some(shop) = Shop::new() else { return };
    shop.set("deploy.web.image", "nginx");
    let said = shop.env.run(&["registry", "check"]).ok();
    assert_eq!(rows(said.stdout())[1], ["local", "anonymous", "nginx:1.0.0", "not asked"]);
    said.explains("pillarbox registry check 'nginx:1.0.0'");
}
