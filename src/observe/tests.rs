use super::what::Need;
use super::*;
use crate::name::{ImageName, ImageRef, RegistryHost, WorkspaceName};
use crate::observed::{Label, ResolvedBy};
use crate::pillar::SealId;
use crate::problem::{Code, Place, Problem};
use crate::registry::{self, AuthHeader, Credential, CredentialId};
use crate::testing::fake::{Behaviour, Fake};
use futures_util::FutureExt as _;
use futures_util::future::ready;
use serde_json::{Value, json};

const IMAGE: &str = "r.example.com/web/nginx:1";

fn image(text: &str) -> ImageRef {
    ImageRef::parse(text).expect("a reference")
}

fn what(names: &[&str], images: &[(&str, Need)]) -> What {
    What {
        files: BTreeMap::new(),
        workspace: WorkspaceName::parse("shop").expect("a name").into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        images: images.iter().map(|(text, need)| (image(text), *need)).collect(),
        networks: Default::default(),
        volumes: Default::default(),
    }
}

fn labels(instance: &str) -> Value {
    json!({
        Label::WORKSPACE: "shop", Label::SERVICE: "nginx", Label::INSTANCE: instance, Label::GENERATION: "1",
        Label::SPEC: "v1:sha256:00", Label::IMAGE: format!("r.example.com/web/nginx@sha256:{}", "b".repeat(64)),
        Label::VERSION: "1",
    })
}

fn no_login(_: &ImageName) -> Result<Option<Credential>> {
    Ok(None)
}

type Credentials<'a> = &'a dyn Fn(&ImageName) -> Result<Option<Credential>>;

async fn seen(fake: &Fake, what: &What, credentials: Credentials<'_>, offline: bool) -> Result<Observed> {
    let resolved = Resolved::default();
    let keychain = |image: &ImageName| ready(credentials(image)).boxed_local();
    let ask = Ask { offline, keychain: &keychain, resolved: &resolved, waits: &|_| {} };
    let host = HostName::parse("web1").expect("a name");
    let facts = fake.facts().await.expect("facts");
    fake.forget_calls();
    observe(fake, &host, facts, what, &ask).await
}

#[tokio::test]
async fn a_host_with_nothing_to_do_costs_four_lists_an_inspect_for_each_container_and_one_for_each_image() {
    let fake = Fake::new();
    let digest = fake.publish(IMAGE, "one", Behaviour::fine());
    fake.preload(IMAGE);
    let pinned = format!("r.example.com/web/nginx:1@{digest}");
    for n in 0..20 {
        let body = json!({ "Image": pinned, "Labels": labels(&format!("nginx{n}.g1")) });
        fake.add_container(&format!("nginx{n}"), body, true);
    }
    for n in 0..50 {
        fake.add_container(&format!("other{n}"), json!({ "Image": pinned }), true);
    }
    let observed = seen(&fake, &what(&[], &[(&pinned, Need::Digest)]), &no_login, false).await.expect("read");
    assert_eq!(observed.containers.len(), 70);
    assert_eq!(observed.containers.iter().filter(|container| container.ours.is_some()).count(), 20);
    assert_eq!(observed.resolved[&image(&pinned)].by, ResolvedBy::Pinned);
    assert!(observed.images.contains_key(&image(&pinned).by_digest(&digest)));
    let calls = fake.calls();
    assert_eq!(calls.len(), 25, "{calls:?}");
    assert!(!calls.iter().any(|call| call.starts_with("resolve")), "{calls:?}");
}

#[tokio::test]
async fn a_container_made_of_a_commit_of_ours_is_reported_and_not_ours() {
    let fake = Fake::new();
    let inherited = labels("nginx.g1");
    let inherited = inherited.as_object().expect("labels").iter();
    let inherited = inherited.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect();
    fake.build("plain:1", "plain", Behaviour::fine());
    fake.build("commit:1", "commit", Behaviour { labels: inherited, ..Behaviour::fine() });
    fake.add_container("nginx", json!({ "Image": "plain:1", "Labels": labels("nginx.g1") }), true);
    fake.add_container("stranger", json!({ "Image": "commit:1" }), true);
    let observed = seen(&fake, &what(&["nginx"], &[]), &no_login, false).await.expect("read");
    let of = |name: &str| observed.containers.iter().find(|c| c.name == name).expect("there");
    assert!(of("nginx").ours.is_some() && !of("nginx").impostor);
    assert!(of("stranger").ours.is_none() && of("stranger").impostor);
}

#[tokio::test]
async fn every_host_is_asked_for_a_tag_once_and_its_digest_looked_up() {
    let fake = Fake::new();
    let digest = fake.publish(IMAGE, "one", Behaviour::fine());
    let resolved = Resolved::default();
    let keychain = |image: &ImageName| ready(no_login(image)).boxed_local();
    let ask = Ask { offline: false, keychain: &keychain, resolved: &resolved, waits: &|_| {} };
    let what = what(&[], &[(IMAGE, Need::Digest)]);
    for name in ["web1", "web2"] {
        let host = HostName::parse(name).expect("a name");
        let facts = fake.facts().await.expect("facts");
        let observed = observe(&fake, &host, facts, &what, &ask).await.expect("read");
        let resolution = &observed.resolved[&image(IMAGE)];
        assert_eq!((&resolution.digest, resolution.by), (&digest, ResolvedBy::Registry));
        assert!(observed.images.is_empty());
        fake.preload("r.example.com/web/nginx:1");
        fake.untag("r.example.com/web/nginx:1").await.expect("gone again");
    }
    assert_eq!(fake.calls().iter().filter(|call| call.starts_with("resolve")).count(), 2);
    assert!(resolved.disagreements().is_empty());
}

#[tokio::test]
async fn hosts_that_are_told_different_images_are_named_with_what_each_was_told() {
    let (honest, other, liar) = (Fake::new(), Fake::new(), Fake::new());
    let digest = honest.publish(IMAGE, "one", Behaviour::fine());
    assert_eq!(other.publish(IMAGE, "one", Behaviour::fine()), digest);
    let evil = liar.publish(IMAGE, "evil", Behaviour::fine());
    let resolved = Resolved::default();
    let keychain = |image: &ImageName| ready(no_login(image)).boxed_local();
    let ask = Ask { offline: false, keychain: &keychain, resolved: &resolved, waits: &|_| {} };
    let what = what(&[], &[(IMAGE, Need::Digest)]);
    for (fake, name) in [(&honest, "web1"), (&other, "web2"), (&liar, "web3")] {
        let host = HostName::parse(name).expect("a name");
        let facts = fake.facts().await.expect("facts");
        observe(fake, &host, facts, &what, &ask).await.expect("read");
    }
    let problems = resolved.disagreements();
    let [(hosts, problem)] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.what.contains(IMAGE) && hosts.len() == 3, "{problem:?}");
    let mut expected = [format!("web1, web2: {digest}"), format!("web3: {evil}")];
    expected.sort_by_key(|line| line.rsplit(' ').next().map(str::to_owned));
    assert_eq!(problem.causes[..2], expected);
}

#[tokio::test]
async fn a_tag_that_is_there_is_asked_for_only_with_force() {
    let fake = Fake::new();
    fake.publish(IMAGE, "one", Behaviour::fine());
    fake.preload(IMAGE);
    let moved = fake.publish(IMAGE, "two", Behaviour::fine());
    let observed = seen(&fake, &what(&[], &[(IMAGE, Need::IfAbsent)]), &no_login, false).await.expect("read");
    assert!(observed.resolved.is_empty() && observed.images.contains_key(&image(IMAGE)));
    let observed = seen(&fake, &what(&[], &[(IMAGE, Need::Digest)]), &no_login, false).await.expect("read");
    assert_eq!(observed.resolved[&image(IMAGE)].digest, moved);
    assert!(!observed.images.contains_key(&image(IMAGE).by_digest(&moved)));
}

#[tokio::test]
async fn an_image_of_the_host_alone_is_known_by_its_id() {
    let fake = Fake::new();
    let id = fake.build("built:1", "one", Behaviour::fine());
    let wanted = what(&[], &[("built:1", Need::Local), ("missing:1", Need::Local)]);
    let observed = seen(&fake, &wanted, &no_login, false).await.expect("read");
    let resolution = &observed.resolved[&image("built:1")];
    assert_eq!((resolution.digest.as_str(), resolution.by), (id.as_str(), ResolvedBy::ImageId));
    assert!(!observed.resolved.contains_key(&image("missing:1")));
}

#[tokio::test]
async fn offline_asks_no_registry_and_takes_what_lies_or_runs_there() {
    let fake = Fake::new();
    let lying = fake.publish(IMAGE, "one", Behaviour::fine());
    fake.preload(IMAGE);
    fake.publish(IMAGE, "two", Behaviour::fine());
    let panics = |_: &ImageName| -> Result<Option<Credential>> { panic!("no credential is asked for") };
    let observed = seen(&fake, &what(&[], &[(IMAGE, Need::Digest)]), &panics, true).await.expect("read");
    assert_eq!(observed.resolved[&image(IMAGE)].digest, lying);
    fake.build("plain:1", "plain", Behaviour::fine());
    fake.add_container("nginx", json!({ "Image": "plain:1", "Labels": labels("nginx.g1") }), true);
    fake.untag(IMAGE).await.expect("gone");
    let observed = seen(&fake, &what(&[], &[(IMAGE, Need::Digest)]), &panics, true).await.expect("read");
    let resolution = &observed.resolved[&image(IMAGE)];
    assert_eq!(resolution.digest.as_str(), format!("sha256:{}", "b".repeat(64)));
    assert_eq!(resolution.by, ResolvedBy::Offline);
}

#[tokio::test]
async fn a_refused_credential_is_exit_7_and_names_its_entry() {
    let fake = Fake::new();
    fake.publish(IMAGE, "one", Behaviour::fine());
    let host = RegistryHost::parse("r.example.com").expect("a host");
    fake.guard(&host, Some(&AuthHeader::basic(&host, "u", "right")));
    let wrong = |_: &ImageName| {
        Ok(Some(Credential {
            header: AuthHeader::basic(&host, "u", "wrong-secret"),
            id: CredentialId::Sealed { username: "u".to_owned(), id: SealId::from_bits([1; 8]) },
            kind: registry::Kind::Password,
            key: "registries.\"r.example.com\".password".to_owned(),
            place: Place::new("pillar/registries/r.example.com.toml", 3),
        }))
    };
    let wanted = what(&[], &[(IMAGE, Need::Digest)]);
    let said = async |keychain| {
        let observed = seen(&fake, &wanted, keychain, false).await.expect("read");
        assert!(observed.resolved.is_empty());
        observed.unresolved[&image(IMAGE)].clone()
    };
    let refused = said(&wrong).await;
    assert_eq!(refused.code(), Code::Refused);
    let text = format!("{refused:?}");
    assert!(text.contains("registries.\\\"r.example.com\\\".password was sent"), "{text}");
    assert!(!text.contains("wrong-secret"));
    let missing = said(&no_login).await;
    assert_eq!(missing.code(), Code::Refused);
    assert!(missing.to_string().contains("wants a credential"), "{missing}");
}

#[tokio::test]
async fn every_tag_that_cannot_be_asked_for_without_an_identity_is_listed() {
    let fake = Fake::new();
    let locked = |_: &ImageName| -> Result<Option<Credential>> {
        Err(Problem::new(Code::NoIdentity, "no identity here opens the box").into())
    };
    let wanted = what(&[], &[("r.example.com/a:1", Need::Digest), ("r.example.com/b:2", Need::Digest)]);
    let problems = seen(&fake, &wanted, &locked, false).await.expect_err("no identity");
    assert_eq!(problems.code(), Code::NoIdentity);
    let causes: Vec<&String> = problems.iter().flat_map(|problem| &problem.causes).collect();
    assert!(causes[0].contains("r.example.com/a:1") && causes[1].contains("r.example.com/b:2"), "{causes:?}");
}
