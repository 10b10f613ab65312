use super::*;

fn read(text: &str) -> Source {
    Source::read(&Secret::from(text.to_owned()), "source", None).expect("a source")
}

fn shown(source: &Source) -> Vec<String> {
    let one = |(scope, item): (&Scope, &Item)| match &item.gives {
        Gives::Basic { username, password } => {
            format!("{scope} {username} {}", password.reveal_text().expect("text"))
        }
        Gives::Token(token) => format!("{scope} token {}", token.reveal_text().expect("text")),
        Gives::Helper(helper) => format!("{scope} helper {helper}"),
    };
    source.items().iter().map(one).collect()
}

fn bad(source: &Source) -> Vec<String> {
    source.bad().iter().map(ToString::to_string).collect()
}

#[test]
fn a_config_of_docker_is_told_by_its_content_with_all_that_is_in_it() {
    let source = read(
        "{\n\"auths\": {\n  \"https://index.docker.io/v1/\": {\"auth\": \"aHViOnB3\"},\n  \"ghcr.io\": {\"identitytoken\": \"tok\"},\n  \"x.io\": {}\n},\n\
         \"credHelpers\": {\n  \"1.dkr.ecr.eu-west-1.amazonaws.com\": \"ecr-login\",\n  \"kept.io\": \"pass\",\n  \"own.io\": \"pillarbox\",\n  \"odd.io\": \"../x\"\n},\n\"credsStore\": \"secretservice\" }",
    );
    assert_eq!(
        shown(&source),
        ["1.dkr.ecr.eu-west-1.amazonaws.com helper ecr-login", "docker.io hub pw", "ghcr.io token tok"]
    );
    assert_eq!(source.asks.len(), 1);
    assert_eq!((source.asks[0].key.as_str(), source.asks[0].place.line), ("kept.io", 9));
    assert_eq!(
        source.store.as_ref().map(|(name, place)| (name.as_str(), place.line)),
        Some(("secretservice", 13))
    );
    assert_eq!(bad(&source).len(), 1, "{:?}", bad(&source));
}

#[test]
fn prefixes_of_podman_are_kept_and_forms_of_one_registry_are_one() {
    let source = read(
        "{\"auths\": {\"quay.io/acme/api\": {\"auth\": \"YTpi\"}, \"quay.io\": {\"auth\": \"YTpj\"},\n\
         \"https://quay.io/v2/\": {\"auth\": \"YTpj\"}, \"https://quay.io\": {\"auth\": \"YTpk\"}}}",
    );
    assert_eq!(shown(&source), ["quay.io a c", "quay.io/acme/api a b"]);
    assert_eq!(
        bad(&source),
        ["source:2: `quay.io` and `https://quay.io` are one registry and have two credentials"]
    );
}

#[test]
fn what_no_pillar_can_hold_is_named_and_never_shown() {
    let source = read(
        "{\"auths\": {\n\"http://plain.io\": {\"auth\": \"YTpDQU5BUlk=\"},\n\"https://index.docker.io/v1/refresh-token\": {\"auth\": \"YTpDQU5BUlk=\"},\n\
         \"a b\": {\"auth\": \"YTpDQU5BUlk=\"},\n\"\": {\"auth\": \"YTpDQU5BUlk=\"},\n\"z.io\": {\"auth\": \"CANARY\"}}}",
    );
    let bad = bad(&source);
    let said = ["source:6", "plain HTTP", "login in the browser", "`a b`", "``"];
    assert_eq!(bad.len(), 5, "{bad:?}");
    for (line, said) in bad.iter().zip(said) {
        assert!(line.contains(said) || bad.iter().any(|line| line.contains(said)), "{said}: {bad:?}");
        assert!(!line.contains("CANARY"));
    }
    assert!(shown(&source).is_empty());
}

#[test]
fn a_pillar_of_salt_has_registries_under_every_key_that_ends_so() {
    let pillar = "base: 1\ndocker-registries:\n  https://index.docker.io/v1/:\n    email: ops@example.com\n    password: 'docker-registry-password'\n    username: accountname\n\
                  team-docker-registries:\n  quay.io: {username: bot, password: 12345}\n  registry.example.com:5000:\n    username: u\n    password: \"a\\u00e9~?>\"\n";
    let source = read(pillar);
    let expected = [
        "docker.io accountname docker-registry-password",
        "quay.io bot 12345",
        "registry.example.com:5000 u aé~?>",
    ];
    assert_eq!(shown(&source), expected);
    assert!(bad(&source).is_empty());
    let hub = source.items().values().next().expect("the Hub");
    assert_eq!((hub.email.as_deref(), hub.place.line), (Some("ops@example.com"), 4));
    // As salt-call prints it, in YAML and in JSON.
    let rendered: String = pillar.lines().map(|line| format!("    {line}\n")).collect();
    assert_eq!(shown(&read(&format!("local:\n{rendered}"))), expected);
    let json = "{\"local\": {\"docker-registries\": {\"hub\": {\"username\": \"u\", \"password\": \"p\"}}}}";
    assert_eq!(shown(&read(json)), ["docker.io u p"]);
}

#[test]
fn entries_of_salt_that_are_wrong_are_all_named_with_their_lines() {
    let source = read(
        "docker-registries:\n  a.io:\n    username: u\n  b.io:\n    username: u\n    password: 0123\n  c.io: [1]\n  d.io:\n    username: u\n    password: ''\n  '':\n    username: u\n    password: p\n",
    );
    let bad = bad(&source);
    for said in [
        "source:3: the entry of `a.io`",
        "`b.io` cannot be imported: its `password` is not a text for Salt",
        "source:7",
        "secret is empty",
        "entry of ``",
    ] {
        assert!(bad.iter().any(|line| line.contains(said)), "{said}: {bad:?}");
    }
    assert_eq!((bad.len(), source.items().len()), (5, 0));
}

#[test]
fn what_is_neither_is_said() {
    for text in [
        "",
        "hello",
        "[1]",
        "docker-registries: *x",
        "#!py\ndef run():\n    base_pillar['docker-registries'] = {\n",
        "{{ x }}-docker-registries",
    ] {
        assert!(Source::read(&Secret::from(text.to_owned()), "f", None).is_err(), "{text:?}");
    }
    assert!(Source::read(&Secret::new(vec![0xff]), "f", None).is_err());
}
