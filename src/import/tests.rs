use super::*;

fn read(text: &str) -> Source {
    read_as(text, Format::told(text, "source").expect("a known format"))
}

fn read_as(text: &str, format: Format) -> Source {
    Source::read(text, "source", format).expect("a source")
}

fn shown(source: &Source) -> Vec<String> {
    let one = |(scope, item): (&Scope, &Item)| match &item.gives {
        Gives::Basic { username, password } => {
            format!("{scope} {username} {}", password.reveal_text().expect("text"))
        }
        Gives::Token(token) => format!("{scope} token {}", token.reveal_text().expect("text")),
        Gives::Helper(helper) => format!("{scope} helper {helper}"),
    };
    source.items().map(one).collect()
}

fn bad(source: &Source) -> Vec<String> {
    source.bad().map(ToString::to_string).collect()
}

#[test]
fn a_config_of_docker_is_told_by_its_content_with_all_that_is_in_it() {
    let source = read(
        "{\n\"auths\": {\n  \"https://index.docker.io/v1/\": {\"auth\": \"aHViOnB3\"},\n  \"ghcr.io\": {\"identitytoken\": \"tok\"},\n  \"x.io\": {}\n},\n\
         \"credHelpers\": {\n  \"1.dkr.ecr.eu-west-1.amazonaws.com\": \"ecr-login\",\n  \"kept.io\": \"pass\",\n  \"own.io\": \"pillarbox\",\n  \"odd.io\": \"../x\"\n},\n\"credsStore\": \"secretservice\" }",
    );
    // `credsStore` answers for these two, whatever `auths` still has.
    assert_eq!(shown(&source), ["1.dkr.ecr.eu-west-1.amazonaws.com helper ecr-login"]);
    let notes: Vec<&str> = source.notes().collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].starts_with("source:3: `https://index.docker.io/v1/`: left out: the helper `secretservice`")
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
    let hub = source.items().next().expect("the Hub").1;
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
    assert_eq!((bad.len(), source.items().count()), (5, 0));
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
        let read = Format::told(text, "f").map(|format| Source::read(text, "f", format));
        assert!(!matches!(read, Some(Ok(_))), "{text:?}");
    }
}

#[test]
fn a_helper_wins_over_an_entry_of_its_registry_and_over_nothing_else() {
    let text = "{\"auths\": {\"https://quay.io/v1/\": {\"auth\": \"YTpi\"}, \"ghcr.io\": {\"auth\": \"YTpi\"}, \"own.io\": {\"auth\": \"YTpi\"},\n\
                \"quay.io\": {\"auth\": \"%\"}, \"file.io\": {\"auth\": \"YTpi\"}},\n\
                \"credHelpers\": {\"quay.io\": \"pass\", \"own.io\": \"pillarbox\", \"file.io\": \"\"}}";
    let source = read_as(text, Format::Docker);
    assert_eq!(shown(&source), ["file.io a b", "ghcr.io a b", "own.io a b"]);
    let ours: Vec<bool> = source.items().map(|(_, item)| item.is_ours).collect();
    assert_eq!(ours, [false, false, true]);
    assert!(bad(&source).is_empty() && source.notes().count() == 2, "what no client reads is no error");
    // podman knows no `credsStore`; docker's word for the file is an empty name.
    let store = text.replacen("\"auths\"", "\"credsStore\": \"desktop\", \"auths\"", 1);
    assert_eq!(shown(&read_as(&store, Format::Docker)), ["file.io a b", "own.io a b"]);
    assert_eq!(shown(&read_as(&store, Format::Podman)).len(), 3);
}

#[test]
fn twins_for_plain_http_are_one_with_the_same_secret_and_left_out_with_another() {
    let text = "{\"auths\": {\"http://a.io\": {\"auth\": \"YTpi\"}, \"https://a.io\": {\"auth\": \"YTpi\"}, \"a.io\": {\"auth\": \"YTpi\"},\n\
                \"http://b.io\": {\"auth\": \"YTpj\"}, \"b.io\": {\"auth\": \"YTpi\"},\n\"http://c.io\": {\"auth\": \"YTpi\"}}}";
    let source = read(text);
    assert_eq!(shown(&source), ["a.io a b", "b.io a b"]);
    let entries = &source.items().next().expect("a.io").1.entries;
    assert_eq!(entries.len(), 3, "{entries:?}");
    let bad = bad(&source);
    assert!(bad[0].starts_with("source:2:") && bad[0].contains("`b.io` has another credential"), "{bad:?}");
    assert!(bad[1].starts_with("source:3:") && bad[1].contains("plain HTTP"), "{bad:?}");
    assert_eq!(bad.len(), 2);
}

#[test]
fn the_key_that_a_client_looks_up_first_wins_wherever_it_stands() {
    let source = read_as(
        "{\"auths\": {\"quay.io/acme\": {\"auth\": \"YTpj\"}, \"https://quay.io\": {\"auth\": \"YTpk\"}, \"quay.io\": {\"auth\": \"YTpi\"},\n\
         \"docker.io\": {\"auth\": \"YTpj\"}, \"https://index.docker.io/v1/\": {\"auth\": \"YTpi\"}}}",
        Format::Docker,
    );
    assert_eq!(shown(&source), ["docker.io a b", "quay.io a b"]);
    assert_eq!(bad(&source).len(), 3);
}

#[test]
fn what_only_stands_for_a_secret_is_left_out_by_itself() {
    let source = read(
        "docker-registries:\n  a.io:\n    username: u\n    password: '{{ pillar.pw }}'\n  b.io:\n    username: u\n    password: \"ENC[AES256_GCM,data:CANARY]\"\n  c.io:\n    username: u\n    password: |\n      -----BEGIN PGP MESSAGE-----\n      CANARY\n  d.io:\n    username: u\n    password: p\n",
    );
    assert_eq!(shown(&source), ["d.io u p"]);
    let bad = bad(&source);
    for said in ["`a.io` cannot be imported: it is a template", "SOPS or eyaml", "encrypted with PGP"] {
        assert!(bad.iter().any(|line| line.contains(said) && !line.contains("CANARY")), "{said}: {bad:?}");
    }
    assert_eq!(bad.len(), 3);
}

#[test]
fn secrets_of_kubernetes_are_read_in_every_form() {
    // {"auths":{"quay.io/acme":{"auth":"YTpi"}}} and {"ghcr.io":{"auth":"YTpj"}}
    let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: one\n  namespace: shop\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: |\n    eyJhdXRocyI6eyJxdWF5LmlvL2FjbWUiOnsi\n    YXV0aCI6IllUcGkifX19\n\
        ---\napiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  metadata: {name: two}\n  type: kubernetes.io/dockercfg\n  data: {.dockercfg: eyJnaGNyLmlvIjp7ImF1dGgiOiJZVHBqIn19}\n\
        - kind: Secret\n  metadata: {name: tls}\n  type: kubernetes.io/tls\n- kind: ConfigMap\n- kind: Secret\n  metadata: {name: open}\n  type: kubernetes.io/dockerconfigjson\n  stringData:\n    .dockerconfigjson: '{\"auths\": {\"d.io\": {\"username\": \"u\", \"password\": \"p\"}}}'\n  data: {.dockerconfigjson: '%'}\n\
        - kind: Secret\n  metadata: {name: chart}\n  type: kubernetes.io/dockerconfigjson\n  data: {.dockerconfigjson: '{{ .Values.x }}'}\n- kind: Secret\n  metadata: {name: bad}\n  type: kubernetes.io/dockerconfigjson\n  data: {.dockerconfigjson: 'CANARY%'}\n- kind: SealedSecret\n  metadata: {name: sealed}\n";
    let source = read(text);
    assert_eq!(shown(&source), ["d.io u p", "ghcr.io a c", "quay.io/acme a b"]);
    let (_, first) = source.items().nth(2).expect("quay.io/acme");
    assert_eq!((first.from.as_deref(), first.place.line), (Some("secret shop/one"), 9));
    let bad = bad(&source);
    for said in ["`chart`", "template", "`bad`", "not base64", "encrypted for its cluster"] {
        assert!(bad.iter().any(|line| line.contains(said) && !line.contains("CANARY")), "{said}: {bad:?}");
    }
    assert_eq!(bad.len(), 3, "{bad:?}");
    assert!(source.notes().any(|note| note.contains("kubernetes.io/tls")));
    let json = "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"Secret\",\n    \"metadata\": {\"name\": \"x\"},\n    \"type\": \"kubernetes.io/dockercfg\",\n    \"data\": {\".dockercfg\": \"eyJnaGNyLmlvIjp7ImF1dGgiOiJZVHBqIn19\"}\n}";
    assert_eq!(shown(&read(json)), ["ghcr.io a c"]);
    assert!(Source::read("apiVersion: v1\nkind: ConfigMap\n", "f", Format::Kubernetes).is_err());
}

#[test]
fn variables_are_paired_by_a_common_beginning_and_the_pairs_are_said() {
    let source = read(
        "# of the project\nexport CI_REGISTRY=registry.example.com/team\nCI_REGISTRY_USER=ci\nCI_REGISTRY_PASSWORD='p w'\nAPP_REGISTRY_URL=https://quay.io/x\nAPP_USERNAME=bot\nAPP_TOKEN=\"a\\nb\"\n\
         LOST_REGISTRY=lost.io\nLOST_REGISTRY_USER=u\nTWO_REGISTRY=two.io\nTWO_USER=u\nTWO_PASSWORD=a\nTWO_TOKEN=b\nREF_REGISTRY=ref.io\nREF_USER=u\nREF_PASSWORD=${OTHER}\nOTHER=CANARY\n\
         DOCKER_AUTH_CONFIG={\"auths\": {\"ghcr.io\": {\"auth\": \"YTpi\"}}}\n",
    );
    assert_eq!(shown(&source), ["ghcr.io a b", "quay.io bot a\nb", "registry.example.com/team ci p w"]);
    let from: Vec<&str> = source.items().filter_map(|(_, item)| item.from.as_deref()).collect();
    assert_eq!(
        from,
        [
            "DOCKER_AUTH_CONFIG",
            "APP_REGISTRY_URL, APP_USERNAME, APP_TOKEN",
            "CI_REGISTRY, CI_REGISTRY_USER, CI_REGISTRY_PASSWORD"
        ]
    );
    let bad = bad(&source);
    for said in [
        "there is `LOST_REGISTRY_USER` and no password",
        "`TWO_PASSWORD` and `TWO_TOKEN` could both",
        "`REF_PASSWORD` stands for",
    ] {
        assert!(bad.iter().any(|line| line.contains(said) && !line.contains("CANARY")), "{said}: {bad:?}");
    }
    assert_eq!(bad.len(), 3);
    // The value of the variable alone, and in base64.
    assert_eq!(shown(&read("{\"auths\":{\"quay.io/acme\":{\"auth\":\"YTpi\"}}}")), ["quay.io/acme a b"]);
    assert_eq!(
        shown(&read("eyJhdXRocyI6eyJxdWF5LmlvL2FjbWUiOnsi\nYXV0aCI6IllUcGkifX19\n")),
        ["quay.io/acme a b"]
    );
    assert_eq!(
        shown(&read("DOCKER_AUTH_CONFIG=eyJhdXRocyI6eyJxdWF5LmlvL2FjbWUiOnsiYXV0aCI6IllUcGkifX19")),
        ["quay.io/acme a b"]
    );
    for text in ["A=1\n", "REGISTRY=a.io\n", "REGISTRY_USER=u\nREGISTRY_PASSWORD=p\n"] {
        assert!(Source::read(text, "f", Format::Env).is_err(), "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_read_over_and_said() {
    let source = read("\u{feff}{\"a.io\": {\"auth\": \"YTpi\"}}".trim_start_matches('\u{feff}'));
    assert_eq!(source.notes().count(), 0);
    let source = read_as("\u{feff}{\"a.io\": {\"auth\": \"YTpi\"}}", Format::Dockercfg);
    assert_eq!(shown(&source), ["a.io a b"]);
    assert!(source.notes().any(|note| note.contains("byte order mark")));
}
