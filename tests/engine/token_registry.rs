//! Registries with token authentication: what an Engine needs is a credential, where its tokens come from
//! is between it and the issuer.

use crate::guarded::Guarded;
use crate::issuer::{Asked, Refusal};
use crate::shop::Shop;

const PASSWORD: &str = "CANARY-pässword~?>";

/// A workspace that wants `web` from a registry with tokens, and the registry.
fn shop() -> Option<(Shop, Guarded)> {
    let shop = Shop::without_credential()?;
    let guarded = Guarded::new();
    let repository = guarded.push(&shop, "web", "1.0.0");
    shop.set("deploy.web.image", &repository);
    guarded.issuer.user("bot", PASSWORD, &[&format!("{}/web", shop.name)]);
    guarded.issuer.user("other", PASSWORD, &["elsewhere/"]);
    Some((shop, guarded))
}

fn add(shop: &Shop, registry: &str, user: &str, secret: &str) {
    let arguments = ["registry", "add", registry, "-u", user, "--password-stdin"];
    shop.env.run_with_input(&arguments, secret).ok();
}

fn token(shop: &Shop, registry: &str, token: &str) {
    shop.env.run_with_input(&["registry", "add", registry, "--identity-token-stdin"], token).ok();
}

/// The registry's entry is named, and so is what was refused.
#[track_caller]
fn refused(shop: &Shop, guarded: &Guarded, field: &str) -> crate::env::Checked {
    let file = format!("pillar/registries/{}.toml:", guarded.registry.replace(':', "_"));
    let named = format!("registries.\"{}\".{field} was sent", guarded.registry);
    shop.env.run(&["plan"]).exits(7).explains(&file).explains(&named).lacks("CANARY");
    shop.apply().exits(7).explains(&file).explains(&named).lacks("CANARY")
}

#[test]
fn a_password_gets_a_token_for_the_repository_alone() {
    let Some((shop, guarded)) = shop() else { return };
    add(&shop, &guarded.registry, "bot", PASSWORD);
    shop.env.run(&["plan"]).ok().says("+ ");
    let scope = format!("repository:{}/web:pull", shop.name);
    let asked = guarded.issuer.asked();
    let expected = Asked { by: "basic".into(), user: "bot".into(), scopes: vec![scope], answered: true };
    assert!(!asked.is_empty() && asked.iter().all(|one| *one == expected), "{asked:?}");
    shop.apply().ok().lacks("CANARY");
    shop.only("web 1.0.0");
    guarded.push(&shop, "web", "1.1.0");
    shop.version("1.1.0").apply().ok();
    shop.only("web 1.1.0");
    shop.rests();
}

#[test]
fn an_identity_token_alone_pulls_and_a_user_called_token_is_one() {
    let Some((shop, guarded)) = shop() else { return };
    token(&shop, &guarded.registry, &guarded.issuer.refresh_token("bot"));
    shop.apply().ok();
    shop.only("web 1.0.0");
    let asked = guarded.issuer.asked();
    assert!(
        asked.iter().all(|one| one.by == "refresh_token" && one.user == "bot" && one.answered),
        "{asked:?}"
    );
    add(&shop, &guarded.registry, "<token>", &guarded.issuer.refresh_token("bot"));
    let text = shop.env.read(&format!("pillar/registries/{}.toml", guarded.registry.replace(':', "_")));
    assert!(text.contains("identity_token = {") && !text.contains("username"), "{text}");
    guarded.push(&shop, "web", "1.1.0");
    shop.version("1.1.0").apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_wrong_password_and_a_wrong_token_are_refused_with_their_entry() {
    let Some((shop, guarded)) = shop() else { return };
    add(&shop, &guarded.registry, "bot", "CANARY-wrong");
    refused(&shop, &guarded, "password").explains("pillarbox seal 'registries.");
    // A registry that repeats what it refuses does not make us repeat it.
    guarded.issuer.echoes();
    refused(&shop, &guarded, "password").explains("incorrect username or password").lacks("CANARY");
    token(&shop, &guarded.registry, "CANARY-wrong");
    refused(&shop, &guarded, "identity_token").explains("get a new one");
    assert!(shop.containers().is_empty());
}

#[test]
fn a_credential_without_a_right_on_the_repository_is_a_refusal() {
    let Some((shop, guarded)) = shop() else { return };
    add(&shop, &guarded.registry, "other", PASSWORD);
    refused(&shop, &guarded, "password")
        .explains("refused the credential for")
        .explains("lack the right to pull");
    assert!(guarded.issuer.asked().iter().all(|one| one.user == "other" && one.answered));
}

#[test]
fn what_is_public_needs_nothing_and_what_is_not_wants_a_credential() {
    let Some((shop, guarded)) = shop() else { return };
    shop.apply().exits(7).explains("wants a credential").explains("pillarbox registry add");
    guarded.issuer.public(&format!("{}/", shop.name));
    shop.env.run(&["--no-identity", "apply", "-y"]).ok();
    shop.only("web 1.0.0");
    let asked = guarded.issuer.asked();
    assert!(asked.iter().all(|one| one.by == "anonymous"), "{asked:?}");
}

#[test]
fn an_identity_token_that_ends_is_said_to_be_over() {
    let Some((shop, guarded)) = shop() else { return };
    token(&shop, &guarded.registry, &guarded.issuer.refresh_token("bot"));
    shop.apply().ok();
    guarded.push(&shop, "web", "1.1.0");
    shop.version("1.1.0");
    let over = Refusal::Unauthorized("the refresh token has expired".to_owned());
    guarded.issuer.refuses(0, Some(over));
    refused(&shop, &guarded, "identity_token").explains("has expired");
    guarded.issuer.refuses(0, Some(Refusal::InvalidGrant));
    refused(&shop, &guarded, "identity_token").explains("get a new one");
    shop.only("web 1.0.0");
    guarded.issuer.refuses(0, None);
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn a_credential_that_ends_between_plan_and_pull_changes_nothing() {
    let Some((shop, guarded)) = shop() else { return };
    add(&shop, &guarded.registry, "bot", PASSWORD);
    shop.apply().ok();
    guarded.push(&shop, "web", "1.1.0");
    shop.version("1.1.0");
    guarded.issuer.asked();
    shop.env.run(&["plan"]).ok();
    let for_a_plan = guarded.issuer.asked().len();
    let before = shop.identity(&shop.web);
    let over = Refusal::Unauthorized("authentication required".to_owned());
    guarded.issuer.refuses(for_a_plan, Some(over));
    shop.apply().exits(7).explains("refused the credential").explains("registries.").lacks("CANARY");
    assert_eq!(shop.identity(&shop.web), before, "it was touched");
    shop.only("web 1.0.0");
    guarded.issuer.refuses(0, None);
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn tokens_that_are_over_when_they_are_given_are_a_refusal_too() {
    let Some((shop, guarded)) = shop() else { return };
    add(&shop, &guarded.registry, "bot", PASSWORD);
    guarded.issuer.lifetime(-600);
    refused(&shop, &guarded, "password");
    guarded.issuer.lifetime(1);
    shop.apply().ok();
    shop.only("web 1.0.0");
}

#[test]
fn a_registry_that_gives_no_more_is_no_refusal_and_says_until_when() {
    let Some((shop, guarded)) = shop() else { return };
    add(&shop, &guarded.registry, "bot", PASSWORD);
    let words = "toomanyrequests: retry-after: 90s, allowed: 100/hour".to_owned();
    guarded.issuer.refuses(0, Some(Refusal::TooMany(words)));
    let said =
        shop.apply().exits(1).explains("limits the rate of host local").explains("try again in 1m 30s");
    said.explains("@sha256:…").lacks("CANARY");
}

#[test]
fn no_token_is_left_anywhere() {
    let Some((shop, guarded)) = shop() else { return };
    let refresh = guarded.issuer.refresh_token("bot");
    token(&shop, &guarded.registry, &refresh);
    let mut said = String::new();
    for arguments in [
        &["-v", "plan", "-o", "plan.json"][..],
        &["-v", "apply", "plan.json"],
        &["-v", "registry", "check"],
        &["--json", "registry", "check"],
        &["--json", "plan"],
    ] {
        let output = shop.env.run(arguments).ok();
        said.push_str(output.stdout());
        said.push_str(output.stderr());
    }
    add(&shop, &guarded.registry, "bot", PASSWORD);
    said.push_str(shop.env.run(&["-v", "registry", "check"]).ok().stdout());
    let files = shop.env.files();
    let labels = shop.inspect(&shop.web).to_string();
    let tokens = guarded.issuer.tokens();
    assert!(tokens.len() > 3, "{}", tokens.len());
    for token in &tokens {
        assert!(!said.contains(token.as_str()) && !labels.contains(token.as_str()), "{token}");
        for (path, bytes) in &files {
            let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
            assert!(!found, "{token} in {}", path.display());
        }
    }
}
