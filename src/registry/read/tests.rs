use super::*;
use crate::name::ImageName;
use crate::name::KeyPath;
use crate::pillar::{Origin, SealId};
use crate::problem::Place;
use crate::registry::{AuthHeader, Kind, Lookup};
use crate::secret::Secret;

fn node(value: Value, line: u32) -> Node {
    Node::new(value, &Place::new("pillar/registries/x.toml", line))
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn sealed(registry: &str, field: &str) -> Value {
    Value::Sealed(Box::new(Sealed {
        sealed: "YWdl".to_owned(),
        id: SealId::from_bits([1; 8]),
        origin: Origin {
            file: "registries/x.toml".to_owned(),
            key: KeyPath::from_parts([TABLE, registry, field].map(str::to_owned).into()).expect("a key"),
        },
    }))
}

/// A pillar with these registries, one entry a line.
fn pillar(entries: &[(&str, Vec<(&str, Value)>)]) -> Node {
    let table = |fields: &[(&str, Value)], line| {
        fields.iter().map(|(name, value)| ((*name).to_owned(), node(value.clone(), line))).collect()
    };
    let entries: Table = entries
        .iter()
        .zip(1..)
        .map(|((key, fields), line)| ((*key).to_owned(), node(Value::Table(table(fields, line)), line)))
        .collect();
    node(Value::Table(Table::from([(TABLE.to_owned(), node(Value::Table(entries), 1))])), 1)
}

fn basic(registry: &str, user: &str) -> Vec<(&'static str, Value)> {
    vec![("username", text(user)), ("password", sealed(registry, "password"))]
}

fn problem(entries: &[(&str, Vec<(&str, Value)>)]) -> Problem {
    let problems = Credentials::read(&pillar(entries)).expect_err("a problem");
    problems.into_vec().remove(0)
}

#[test]
fn the_longest_match_of_whole_segments_wins() {
    let credentials = Credentials::read(&pillar(&[
        ("ghcr.io", basic("ghcr.io", "all")),
        ("ghcr.io/acme", basic("ghcr.io/acme", "acme")),
        ("ghcr.io/acme/public", vec![("anonymous", Value::Boolean(true))]),
        ("https://index.docker.io/v1/", basic("https://index.docker.io/v1/", "hub")),
    ]))
    .expect("credentials");
    let user = |image: &str| match credentials.lookup(&ImageName::parse(image).expect("a name")) {
        Lookup::Entry(Entry { how: How::Basic { username, .. }, .. }) => username.clone(),
        _ => "nobody".to_owned(),
    };
    assert_eq!(user("ghcr.io/acme/api"), "acme");
    assert_eq!(user("ghcr.io/acme-evil/api"), "all");
    assert_eq!(user("ghcr.io/acme/public/page"), "nobody");
    assert_eq!(user("nginx"), "hub");
    assert_eq!(user("quay.io/x/y"), "nobody");
}

#[test]
fn the_address_of_a_header_is_that_of_its_entry() {
    let credentials = Credentials::read(&pillar(&[("ghcr.io/acme", basic("ghcr.io/acme", "acme"))]));
    let credentials = credentials.expect("credentials");
    let entry = credentials.iter().next().expect("one");
    let expected = AuthHeader::basic(entry.scope.host(), "acme", "p~?>");
    let credential = entry.credential(&Secret::from("p~?>".to_owned())).expect("a credential");
    assert_eq!(credential.header.reveal(), expected.reveal());
    assert_eq!(credential.key, "registries.\"ghcr.io/acme\".password");
    assert!(entry.credential(&Secret::new(vec![0xff])).is_err());
}

#[test]
fn two_names_of_one_registry_are_an_error_that_names_both_places() {
    let hub = problem(&[
        ("docker.io", basic("docker.io", "a")),
        ("index.docker.io", basic("index.docker.io", "b")),
    ]);
    assert!(hub.what.contains("docker.io") && hub.what.contains("index.docker.io"), "{hub}");
    assert!(hub.causes[0].contains("x.toml:1") && hub.place.expect("a place").line == 2);
}

#[test]
fn a_clear_password_is_an_error_that_does_not_show_it() {
    let mut entry = basic("r.example.com", "u");
    entry[1].1 = text("hunter2");
    let clear = problem(&[("r.example.com", entry)]);
    assert_eq!(clear.what, "registries.\"r.example.com\".password stands in clear");
    assert!(!format!("{clear:?}").contains("hunter2"));
    let token = problem(&[("r.example.com", vec![("identity_token", text("hunter2"))])]);
    assert!(token.what.ends_with("identity_token stands in clear"));
}

#[test]
fn a_sealed_value_of_another_registry_is_refused() {
    let moved = problem(&[("evil.example.com", basic("r.example.com", "u"))]);
    assert_eq!(moved.code, Code::Seal);
    assert!(moved.causes[0].contains("r.example.com"), "{moved:?}");
}

#[test]
fn a_slip_in_a_name_is_found_and_comes_first() {
    let problems = Credentials::read(&pillar(&[(
        "r.example.com",
        vec![("user_name", text("u")), ("password", sealed("r.example.com", "password"))],
    )]))
    .expect_err("problems");
    let all: Vec<&Problem> = problems.iter().collect();
    assert!(all[0].what.ends_with("user_name is not known") && all[0].hints[0].contains("`username`"));
    assert!(all[1].what.ends_with("no user name"), "{}", all[1]);
}

#[test]
fn half_and_doubled_entries_are_refused() {
    let host = "r.example.com";
    let cases: Vec<Vec<(&str, Value)>> = vec![
        vec![],
        vec![("username", text("u"))],
        vec![("password", sealed(host, "password"))],
        vec![("anonymous", text("yes"))],
        vec![("anonymous", Value::Boolean(true)), ("helper", text("ecr-login"))],
        vec![("helper", text("../evil"))],
        vec![("helper", text("-x"))],
        vec![("helper", text("pillarbox"))],
        vec![("username", text("a:b")), ("password", sealed(host, "password"))],
        vec![("username", Value::Integer(1)), ("password", sealed(host, "password"))],
        [basic(host, "u"), vec![("identity_token", sealed(host, "identity_token"))]].concat(),
    ];
    for case in cases {
        assert!(Credentials::read(&pillar(&[(host, case.clone())])).is_err(), "{case:?}");
    }
}

#[test]
fn tokens_emails_and_helpers_are_read_and_a_helper_is_not_silently_anonymous() {
    let credentials = Credentials::read(&pillar(&[
        ("a.example.com", vec![("identity_token", sealed("a.example.com", "identity_token"))]),
        ("b.example.com", [basic("b.example.com", "u"), vec![("email", text("u@example.com"))]].concat()),
        ("c.example.com", vec![("helper", text("ecr-login"))]),
        ("d.example.com", basic("d.example.com", "<token>")),
    ]))
    .expect("credentials");
    let entry = |image: &str| match credentials.lookup(&ImageName::parse(image).expect("a name")) {
        Lookup::Entry(entry) => entry,
        Lookup::Anonymous => panic!("{image} is anonymous"),
    };
    assert!(matches!(entry("a.example.com/x").how, How::IdentityToken(_)));
    let token = entry("d.example.com/x").credential(&Secret::from("t".to_owned())).expect("a credential");
    assert_eq!(
        (token.kind, token.key.as_str()),
        (Kind::IdentityToken, "registries.\"d.example.com\".password")
    );
    assert_eq!(token.header.reveal_json(), br#"{"identitytoken":"t","serveraddress":"d.example.com"}"#);
    let helper = entry("c.example.com/x");
    assert!(helper.credential(&Secret::from("s".to_owned())).is_err(), "nothing is sealed there");
    let asked = helper.answered("AWS", &Secret::from("s".to_owned())).expect("a credential");
    assert_eq!(asked.key, "registries.\"c.example.com\".helper");
    let expected = AuthHeader::basic(helper.scope.host(), "AWS", "s");
    assert_eq!(asked.header.reveal(), expected.reveal());
    assert!(entry("b.example.com/x").answered("u", &Secret::from("s".to_owned())).is_err());
}

#[test]
fn a_pillar_without_registries_is_anonymous() {
    let empty = node(Value::Table(Table::new()), 1);
    let credentials = Credentials::read(&empty).expect("none");
    let image = ImageName::parse("r.example.com/x").expect("a name");
    assert_eq!(credentials.lookup(&image), Lookup::Anonymous);
}
