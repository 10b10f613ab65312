//! `registry check`: what the registry says to each host, before anything is planned.

use crate::shop::Shop;

#[test]
fn every_entry_is_tried_from_the_host_for_the_images_of_its_states() {
    let Some(shop) = Shop::without_credential() else { return };
    let image = format!("{}:1.0.0", shop.repository);
    let missing = shop.env.run(&["registry", "check"]).exits(7);
    missing.says("anonymous  refused").explains("wants a credential").explains("pillarbox registry add");
    let add = ["registry", "add", &shop.registry, "-u", &shop.user, "--password-stdin"];
    shop.env.run_with_input(&add, &shop.password).ok().lacks(&shop.password);
    let works = shop.env.run(&["registry", "check"]).ok();
    works.says(&format!("{}  works  {image}\n", shop.registry)).lacks(&shop.password);
    let json = shop.env.run(&["--json", "registry", "check"]).ok().json();
    let asked = &json["hosts"][0]["asked"];
    assert_eq!(asked.as_array().expect("a list").len(), 1, "{json}");
    assert!(asked[0]["digest"].as_str().expect("a digest").starts_with("sha256:"));
    assert_eq!(
        (asked[0]["answer"].as_str(), asked[0]["image"].as_str()),
        (Some("works"), Some(image.as_str()))
    );

    shop.env.run_with_input(&add, "wrong-CANARY").ok();
    let refused = shop.env.run(&["registry", "check"]).exits(7);
    refused.says("refused").explains("refused the credential").explains(&image).lacks("CANARY");
    // The password is right again, and the tag is one that nobody pushed.
    shop.env.run_with_input(&add, &shop.password).ok();
    let other = format!("{}:9.9.9", shop.repository);
    shop.env.run(&["registry", "check", &other]).exits(1).says("failed").explains("has no image");
    shop.env.run(&["registry", "check", &image, &image]).ok();
    shop.env.run(&["registry", "check", "not an image"]).exits(64);
    shop.env.run(&["--no-identity", "registry", "check"]).exits(10).says("not opened");
    assert!(shop.containers().is_empty(), "nothing was made");
}

#[test]
fn an_entry_that_no_state_needs_is_said_not_to_have_been_asked() {
    let Some(shop) = Shop::new() else { return };
    let add = ["registry", "add", "unused.example.com/team", "-u", "u", "--password-stdin"];
    shop.env.run_with_input(&add, "x").ok();
    let said = shop.env.run(&["registry", "check"]).ok();
    said.says("unused.example.com/team  not asked").explains("pillarbox registry check IMAGE");
}
