use super::*;
use proptest::prelude::*;

const SHOP: &str = r#"workspace = "shop"
[readers]
default = ["alice", "@ops"]
[readers.groups]
ops = ["bob", "alice"]
[groups.base]
pillar = ["base", "registries/*"]
states = ["log"]
[groups.web]
pillar = ["apps", "base"]
states = ["nginx", "api"]
[hosts.web1]
engine = "ssh://deploy@web1.example.com:2222"
groups = ["base", "web"]
pillar = ["extra"]
labels = { zone = "a" }
[hosts.web2]
engine = "unix:///var/run/docker.sock"
groups = ["web"]
[hosts.db]
engine = "tcp://db.example.com"
tls = "~/certs/db"
"#;

fn files(all: &[&str]) -> Vec<String> {
    all.iter().map(|file| (*file).to_owned()).collect()
}

fn host<'a>(inventory: &'a Inventory, name: &str) -> &'a Host {
    &inventory.hosts[&HostName::parse(name).expect("a name")]
}

fn found(text: &str) -> Vec<String> {
    Inventory::parse(text).expect_err("problems").iter().map(ToString::to_string).collect()
}

#[test]
fn the_inventory_of_the_design_is_read() {
    let shop = Inventory::parse(SHOP).expect("sound");
    assert_eq!(shop.owner.name.as_str(), "shop");
    let readers: Vec<&str> = shop.readers.default.iter().map(ReaderName::as_str).collect();
    assert_eq!(readers, ["alice", "bob"]);
    assert_eq!(host(&shop, "web1").engine.to_string(), "ssh://deploy@web1.example.com:2222");
    assert_eq!(host(&shop, "web1").labels["zone"], "a");
    assert_eq!(
        host(&shop, "db").engine,
        EngineAddress::Tcp {
            host: "db.example.com".to_owned(),
            port: 2376,
            tls: Tls::Folder("~/certs/db".to_owned())
        }
    );
    assert!(shop.expand_readers(["carol", "@ops"]).is_ok());
    assert!(shop.expand_readers(["@oops"]).is_err());
}

#[test]
fn pillar_files_come_from_groups_then_the_host_then_its_own_file() {
    let shop = Inventory::parse(SHOP).expect("sound");
    let all = files(&[
        "apps.toml",
        "base.toml",
        "extra.toml",
        "hosts/web1.toml",
        "registries/a.toml",
        "registries/b.toml",
        "registries/deep/c.toml",
    ]);
    assert_eq!(
        pillar_files(&shop, host(&shop, "web1"), &all).expect("files"),
        ["base.toml", "registries/a.toml", "registries/b.toml", "apps.toml", "extra.toml", "hosts/web1.toml"]
    );
    assert_eq!(pillar_files(&shop, host(&shop, "web2"), &all).expect("files"), ["apps.toml", "base.toml"]);
    assert!(pillar_files(&shop, host(&shop, "db"), &all).expect("files").is_empty());
}

#[test]
fn files_that_are_not_there_are_all_named_with_line_and_nearest() {
    let shop = Inventory::parse(SHOP).expect("sound");
    let problems =
        pillar_files(&shop, host(&shop, "web1"), &files(&["app.toml", "base.toml"])).expect_err("two");
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        all,
        [
            "pillarbox.toml:10: there is no pillar/apps.toml",
            "pillarbox.toml:15: there is no pillar/extra.toml"
        ]
    );
    assert_eq!(problems.iter().next().expect("one").hints, ["did you mean `app`?"]);
}

#[test]
fn states_are_toml_or_starlark_but_not_both() {
    let shop = Inventory::parse(SHOP).expect("sound");
    let web = host(&shop, "web1");
    let all = files(&["api.star", "log.toml", "nginx.toml", "other.toml"]);
    assert_eq!(state_files(&shop, web, &all).expect("files"), ["log.toml", "nginx.toml", "api.star"]);
    let all = files(&["api.star", "api.toml", "log.toml", "nginx.toml"]);
    assert!(state_files(&shop, web, &all).is_err());
}

#[test]
fn globs_of_the_inventory_do_not_reach_the_files_of_single_hosts() {
    let text = "workspace = \"s\"\n[hosts.a]\nengine = \"context:x\"\npillar = [\"*\", \"hosts/*\"]\n";
    let inventory = Inventory::parse(text).expect("sound");
    let all = files(&["apps.toml", "hosts/a.toml", "hosts/b.toml"]);
    assert_eq!(
        pillar_files(&inventory, host(&inventory, "a"), &all).expect("files"),
        ["apps.toml", "hosts/a.toml"]
    );
}

#[test]
fn all_faults_are_told_at_once_with_their_lines() {
    let text = r#"workspace = "Shop"
hots = 1
[readers]
default = ["@opps"]
[readers.groups]
ops = ["-x"]
[groups.web]
pilar = []
states = ["../x", "a", "a"]
[hosts.web1]
groups = ["wbe", "web", "web"]
[hosts.web2]
engine = 7
[hosts."-oProxyCommand=x"]
engine = "ssh://-oProxyCommand=x"
[hosts.web3]
engine = "unix:///run/docker.sock"
tls = true
labels = { n = 1 }
"#;
    assert_eq!(
        found(text),
        [
            "pillarbox.toml:1: `Shop` is not a workspace name",
            "pillarbox.toml:2: unknown key `hots` in pillarbox.toml",
            "pillarbox.toml:4: there is no group of readers `@opps`",
            "pillarbox.toml:6: `-x` is not a reader name",
            "pillarbox.toml:8: unknown key `pilar` in [groups.web]",
            "pillarbox.toml:9: `../x` is not a path within its folder",
            "pillarbox.toml:9: `a` is listed twice",
            "pillarbox.toml:10: [hosts.web1] has no `engine`",
            "pillarbox.toml:11: there is no group `wbe`",
            "pillarbox.toml:11: the group `web` is listed twice",
            "pillarbox.toml:13: `engine` in [hosts.web2] must be a string, not an integer",
            "pillarbox.toml:14: `-oProxyCommand=x` is not a host name",
            "pillarbox.toml:15: `ssh://-oProxyCommand=x` is not the address of an Engine: a host has letters, digits, `.`, `_` and `-`, and does not begin with `-`",
            "pillarbox.toml:18: `tls` in [hosts.web3] must be the folder of the certificates, or false",
            "pillarbox.toml:19: the label `n` in [hosts.web3] must be a string, not an integer",
        ]
    );
    assert_eq!(found(""), ["pillarbox.toml:1: pillarbox.toml has no `workspace`"]);
    assert_eq!(
        found("workspace = \"s\"\nhosts = 1"),
        ["pillarbox.toml:2: `hosts` in pillarbox.toml must be a table, not an integer"]
    );
    let duplicate =
        "workspace = \"s\"\n[hosts.a]\nengine = \"context:x\"\n[hosts.a]\nengine = \"context:y\"\n";
    assert_eq!(found(duplicate), ["pillarbox.toml:4: this is not valid TOML"]);
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_known_one() {
    let problems = Inventory::parse("workspace = \"s\"\n[host.a]\n").expect_err("one");
    assert_eq!(problems.iter().next().expect("one").hints[0], "did you mean `hosts`?");
}

#[test]
fn addresses_are_read_and_printed_in_one_form() {
    for text in [
        "unix:///var/run/docker.sock",
        "tcp://10.0.0.1:2376",
        "tcp://[fe80::1]:2376",
        "ssh://web1",
        "ssh://root@web1:22",
        "ssh://a@b/run/user/1000/docker.sock",
        "context:prod.eu_1",
    ] {
        assert_eq!(EngineAddress::parse(text).expect(text).to_string(), text);
    }
    assert_eq!(EngineAddress::parse("tcp://localhost").expect("plain").to_string(), "tcp://localhost:2375");
    assert_eq!(
        EngineAddress::parse("tcp://Web.example.com/").expect("TLS").to_string(),
        "tcp://web.example.com:2376"
    );
}

#[test]
fn no_address_can_smuggle_an_option_or_a_command() {
    for text in [
        "",
        "web1",
        "http://x",
        "unix://",
        "unix://run/x",
        "unix:///a\nb",
        "tcp://",
        "tcp://:1",
        "tcp://a:0",
        "tcp://a:99999",
        "tcp://-x",
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://-l@host",
        "ssh://a b",
        "ssh://a;b",
        "ssh://u@-h",
        "ssh://h:-1",
        "ssh://h/$(x)",
        "ssh://@h",
        "context:",
        "context:-x",
        "context:a/b",
        "ssh://[::1",
        "ssh://h:22:33",
    ] {
        assert!(EngineAddress::parse(text).is_err(), "{text}");
    }
    assert!(EngineAddress::with_tls("tcp://10.0.0.1", Some(&address::TlsKey::Off)).is_err());
    assert!(EngineAddress::with_tls("tcp://127.0.0.1", Some(&address::TlsKey::Off)).is_ok());
    assert!(EngineAddress::with_tls("ssh://h", Some(&address::TlsKey::Folder("x".to_owned()))).is_err());
}

proptest! {
    #[test]
    fn a_glob_matches_as_the_plain_definition_does(glob in "[ab*?/]{0,6}", text in "[ab/]{0,6}") {
        fn slow(glob: &[u8], text: &[u8]) -> bool {
            match (glob.first(), text.first()) {
                (None, None) => true,
                (Some(b'*'), _) => slow(&glob[1..], text) || (text.first().is_some_and(|c| *c != b'/') && slow(glob, &text[1..])),
                (Some(b'?'), Some(c)) if *c != b'/' => slow(&glob[1..], &text[1..]),
                (Some(g), Some(c)) if g == c => slow(&glob[1..], &text[1..]),
                _ => false,
            }
        }
        prop_assert_eq!(matches_glob(&glob, &text), slow(glob.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn an_address_that_is_read_is_printed_so_that_it_reads_the_same(text in "(unix|tcp|ssh)://[a-z@:./\\[\\]0-9-]{0,16}") {
        if let Ok(address) = EngineAddress::parse(&text) {
            prop_assert_eq!(EngineAddress::parse(&address.to_string()), Ok(address));
        }
    }
}

#[test]
fn groups_say_in_which_order_hosts_are_changed() {
    let text = r#"workspace = "shop"
[groups.cache]
after = ["db"]
[groups.db]
batch = 1
[groups.web]
after = ["cache", "db"]
canary = "web-c*"
batch = "10%"
[hosts.db1]
engine = "ssh://a@b"
groups = ["db"]
[hosts.both]
engine = "ssh://a@b"
groups = ["web", "db"]
canary = true
[hosts.web-c1]
engine = "ssh://a@b"
groups = ["web"]
[hosts.alone]
engine = "ssh://a@b"
"#;
    let inventory = Inventory::parse(text).expect("sound");
    let of = |name: &str| {
        let host = host(&inventory, name);
        let bounds = inventory.bounds_of(host).into_iter().map(|(group, share)| format!("{group} {share}"));
        (inventory.wave(host), inventory.is_canary(host), bounds.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(of("db1"), (0, false, "db 1".to_owned()));
    assert_eq!(of("both"), (2, true, "web 10%, db 1".to_owned()));
    assert_eq!(of("web-c1"), (2, true, "web 10%".to_owned()));
    assert_eq!(of("alone"), (0, false, String::new()));
}

#[test]
fn an_order_that_cannot_be_is_refused_with_its_line() {
    let text = r#"workspace = "shop"
[groups.a]
after = ["b"]
[groups.b]
after = ["c", "wep"]
batch = 0
[groups.c]
after = ["a"]
batch = "half"
[groups.web]
batch = true
[hosts.one]
engine = "ssh://a@b"
canary = "yes"
"#;
    insta::assert_snapshot!(found(text).join("\n"), @r#"
    pillarbox.toml:2: groups come after each other in a cycle: a after b after c after a
    pillarbox.toml:5: [groups.b] is to come after `wep`, which is no group
    pillarbox.toml:6: `batch` in [groups.b]: a batch has at least one host
    pillarbox.toml:9: `batch` in [groups.c]: `half` is no number of hosts, such as 2 or 10%
    pillarbox.toml:11: `batch` in [groups.web] must be a number of hosts or a text such as "10%", not a boolean
    pillarbox.toml:14: `canary` in [hosts.one] must be true or false, not a string
    "#);
}

#[test]
fn a_canary_that_is_none_of_its_groups_hosts_is_refused() {
    let text = |glob: &str| {
        format!(
            "workspace = \"shop\"\n[groups.web]\ncanary = \"{glob}\"\n[groups.empty]\ncanary = \"x\"\n\
             [hosts.web1]\nengine = \"ssh://a@b\"\ngroups = [\"web\"]\n[hosts.db1]\nengine = \"ssh://a@b\"\n"
        )
    };
    assert!(Inventory::parse(&text("web*")).is_ok());
    for glob in ["wbe1", "db1"] {
        let said = found(&text(glob)).join("\n");
        assert!(
            said.starts_with(&format!("pillarbox.toml:2: `canary` in [groups.web] is `{glob}`")),
            "{said}"
        );
    }
}

#[test]
fn waves_of_thousands_of_groups_are_counted_at_once_and_a_long_cycle_is_no_trouble() {
    // Each group comes after two that each come after the same two: the ways double with every row.
    let mut text = "workspace = \"shop\"\n[groups.a0]\n[groups.b0]\n".to_owned();
    for row in 1..3000 {
        for side in ["a", "b"] {
            text.push_str(&format!("[groups.{side}{row}]\nafter = [\"a{0}\", \"b{0}\"]\n", row - 1));
        }
    }
    text.push_str("[hosts.one]\nengine = \"ssh://a@b\"\ngroups = [\"b2999\"]\n");
    let inventory = Inventory::parse(&text).expect("sound");
    assert_eq!(inventory.wave(host(&inventory, "one")), 2999);
    let cycle = text.replacen("[groups.a0]\n", "[groups.a0]\nafter = [\"a2999\"]\n", 1);
    assert!(found(&cycle)[0].contains("come after each other in a cycle: "));
    assert!(
        found(&text.replace("after = [\"a0\", \"b0\"]", "after = [\"a0\", \"a0\"]"))[0]
            .contains("listed twice")
    );
}
