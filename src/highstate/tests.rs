//! What Salt renders, as files.

use super::*;
use crate::name::KeyPath;
use std::fmt::Write as _;

struct Nothing;

impl Finds for Nothing {
    fn content(&self, _: Option<&str>, _: &str, _: &[String], _: bool) -> Content {
        Content::Missing
    }

    fn files(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// The states of an answer as texts, and what is left out.
fn imported(json: &str) -> (String, String) {
    let minions = rendered("high.json", json).expect("states");
    let mut given = GivenFiles::default();
    let (mut texts, mut left) = (String::new(), String::new());
    for minion in &minions {
        let sorted = sorted(minion, Some(&Nothing));
        let mut left_out = sorted.left_out;
        for one in &sorted.states {
            match state(one, &mut Secrets::default(), &mut given, None, None) {
                Ok(text) => texts.push_str(&text),
                Err(found) => left_out.push(*found),
            }
        }
        for one in left_out {
            let _ = writeln!(left, "{}: {} {}: {} | {}", one.place, one.word, one.id, one.why, one.hint);
        }
    }
    (texts, left)
}

fn refused(file: &str, text: &str) -> String {
    rendered(file, text).expect_err("it is refused").to_string()
}

#[test]
fn an_answer_that_holds_no_states_is_told_from_one_that_does() {
    insta::assert_snapshot!(refused("a.json", r#"{"local": ["Rendering SLS 'base:bad' failed: Jinja variable 'nope' is undefined; line 1\n---"]}"#), @"a.json: Salt could not render the states of local");
    insta::assert_snapshot!(refused("a.json", r#"{"local": {"test_|-a_|-a_|-nop": {"name": "a", "__sls__": "ok"}}}"#), @"a.json: these are no states that Salt has rendered");
    insta::assert_snapshot!(refused("a.json", r#"{"local": [{"state": "test", "fun": "nop"}]}"#), @"a.json: these are no states that Salt has rendered");
    insta::assert_snapshot!(refused("a.json", r#"{"web1": "Minion did not return. [No response]"}"#), @"a.json: web1 gave no states and no values");
    insta::assert_snapshot!(refused("a.json", "{\"local\": {\n  \"l\": Infinity}}"), @"a.json:2: this is not JSON");
    insta::assert_snapshot!(refused("a.json", " \n"), @"a.json: the file is empty");
    insta::assert_snapshot!(refused("a.json", r#"{"local": {"shop": {"image": "x"}}}"#), @"a.json: these are no states that Salt has rendered");
    assert!(refused("a.json", "[1]").contains("no answer of a minion"));
    assert!(rendered("a.json", r#"{"local": {}}"#).expect("a minion without states")[0].states.is_empty());
}

#[test]
fn several_objects_and_states_without_their_answer_are_read() {
    let state = r#"{"web": {"docker_container": [{"image": "a:1"}, "running", {"order": 10000}], "__sls__": "shop"}}"#;
    let minions =
        rendered("a.json", &format!("{{\"web1\": {state}}}\n{{\"web2\": {state}}}\n")).expect("states");
    assert_eq!(
        minions.iter().map(|minion| minion.name.as_deref()).collect::<Vec<_>>(),
        [Some("web1"), Some("web2")]
    );
    let bare = rendered("a.json", state).expect("states");
    assert_eq!((bare[0].name.as_deref(), bare[0].states.len()), (None, 1));
    assert_eq!(bare[0].states[0].place.to_string(), "a.json:1");
}

#[test]
fn an_extension_adds_requisites_and_replaces_all_else() {
    let (texts, left) = imported(
        r#"{"local": {
        "web": {"docker_container": [{"image": "a:1"}, {"require": [{"docker_image": "x"}]}, "running", {"order": 10001}], "__sls__": "a"},
        "x": {"docker_image": ["present", {"order": 10000}], "__sls__": "a"},
        "y": {"docker_image": ["present", {"order": 10002}], "__sls__": "a"},
        "gone": {"docker_image": ["present"], "__sls__": "a"},
        "__exclude__": ["gone"],
        "__extend__": [{"web": {"docker_container": [{"image": "a:2"}, {"require": [{"docker_image": "y"}, {"sls": "a"}, {"pkg": "vim"}]}], "__sls__": "b"}}]
        }}"#,
    );
    assert_eq!(left, "");
    insta::assert_snapshot!(texts, @r#"
# docker_image.present
[x.image.pulled]
# docker_container.running
# it required pkg `vim`, which is not imported
[web.container.running]
image = "a:2"
require = ["x", "y"]
# docker_image.present
[y.image.pulled]
"#);
}

#[test]
fn a_state_that_cannot_be_what_it_was_is_left_out_with_the_way_on() {
    let (texts, left) = imported(
        r#"{"local": {
        "a": {"docker_container": [{"image": "a:1"}, {"unless": "docker ps | grep a"}, "running"], "__sls__": "s"},
        "b": {"docker_container": [{"image": "a:1"}, {"onfail": [{"docker_container": "a"}]}, "running"], "__sls__": "s"},
        "c": {"docker_container": ["stopped"], "__sls__": "s"},
        "d": {"docker_container": ["running"], "__sls__": "s"},
        "e": {"docker_image": [{"build": "/srv/e"}, "present"], "__sls__": "s"},
        "not a name": {"docker_container": [{"image": "a:1"}, "running"], "__sls__": "s"},
        "f": {"docker_container": [{"image": "a:1"}, {"skip_translate": true}, "running"], "__sls__": "s"},
        "g": {"docker_container": [{"image": "a:1"}, {"binds": "/etc/app.conf:/app.conf:ro"}, "running"], "__sls__": "s"},
        "h": {"docker_container": [{"image": "a:1"}, {"environment": [{"TOKEN": "ENC[AES256_GCM,data:x]"}]}, "running"], "__sls__": "s"},
        "i": {"docker_container": [{"image": "a:1"}, {"command": "serve postgres://a:pw@db/x"}, "running"], "__sls__": "s"},
        "/etc/app.conf": {"file": [{"source": "salt://app.conf"}, "managed"], "__sls__": "s"},
        "k": {"docker_container": ["run", {"image": "a:1"}], "__sls__": "s"}
        }}"#,
    );
    assert_eq!(texts, "");
    insta::assert_snapshot!(left, @r#"
high.json:2: docker_container.running a: `unless`: commands on a host decide whether it counts, and pillarbox runs none | write the state by hand, with onlyif = "{{ … }}" over the pillar and host.labels
high.json:3: docker_container.running b: `onfail`: it is for the failure of another state | a failed replacement is rolled back by itself; for all else act on the exit code of apply
high.json:4: docker_container.stopped c: it says nothing but that the container does not run | write [ID.container.absent], or [ID.container.stopped] with its image and options
high.json:5: docker_container.running d: it starts a container that is there already, and does not say of which image it is | say `image` in the state, and render it again
high.json:6: docker_image.present e: the image is made on the host | build and push it elsewhere: docker buildx build --push, and write [ID.image.pulled]
high.json:8: docker_container.running f: `skip_translate` of docker_container.running is refused: it hands values to a library of Python in that library's own form | leave it out, and write the options as docs/options.md has them
high.json:12: file.managed /etc/app.conf: files of the host stay with Salt; one that a container mounts is written as its `files.PATH` | 
high.json:13: docker_container.run k: `docker_container.run` is not available | a container that runs to its end, once for a version, is `task.ran`: [ID.task.ran] image = "…"
high.json:7: docker_container.running not a name: `not a name` is no name that an Engine takes for a container | give the state a `name`, and render it again
high.json:9: docker_container.running g: /etc/app.conf is mounted into the container, and its content was not found | give Salt's tree with app.conf: --files FOLDER, or take the file from the host, and give its folder: scp HOST:/etc/app.conf DIR/etc/app.conf, then --rendered DIR
high.json:10: docker_container.running h: `TOKEN`: it is encrypted with SOPS or eyaml, and Salt did not decrypt it | decrypt it with its own tool, and seal it: pillarbox seal KEY
high.json:11: docker_container.running i: `command` holds a password in clear | everyone who can use the Engine reads it there: hand it over in `env` or `secrets`
"#);
}

#[test]
fn braces_that_salt_left_stay_braces() {
    let (texts, left) = imported(
        r#"{"local": {"a": {"docker_container": [{"image": "a:1"}, {"log_driver": "json-file"}, {"log_opt": "tag={{.Name}}"}, {"command": "x {%y%}"}, "running"], "__sls__": "s"}}}"#,
    );
    assert_eq!(left, "");
    insta::assert_snapshot!(texts, @r#"
# docker_container.running
[a.container.running]
image = "a:1"
command = "x {{ '{%' }}y%}"
log_driver = "json-file"
log_options = { tag = "{{ '{{' }}.Name}}" }
"#);
}

#[test]
fn secrets_of_the_pillar_are_found_in_states_and_others_get_keys() {
    let pillar: serde_json::Value = serde_json::from_str(
        r#"{"db": {"password": "canary-pw", "pw2": "canary-other", "port": 5432}, "users": [{"password": "x"}], "list": ["a", null],
            "gpg": "-----BEGIN PGP MESSAGE-----\n", "nacl": "NACL[MRN3cc=]", "deploy": {"x": 1}, "none": null, "tag": 1.10, "b-c": {"token": ""}}"#,
    )
    .expect("JSON");
    let leaves = leaves("p.json", &pillar, &[], &[]).expect("a pillar");
    let said: Vec<String> = leaves
        .iter()
        .map(|leaf| match (&leaf.left_out, &leaf.value) {
            (Some((why, hint)), _) => format!("{}: {why} | {hint}", leaf.key),
            (None, value) => format!("{} {value:?} sealed={}", leaf.key, leaf.is_sealed),
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
db.password Text("canary-pw") sealed=true
db.pw2 Text("canary-other") sealed=false
db.port Toml("5432") sealed=false
users: a list cannot hold sealed values | give each of them a name, and seal it: pillarbox seal users.NAME
list Toml("[\"a\"]") sealed=false
gpg: it is encrypted with PGP | decrypt it with its own tool, then: pillarbox seal gpg
nacl: it is encrypted with Salt's nacl | decrypt it with its own tool, then: pillarbox seal nacl
deploy: `deploy` has a meaning of its own in a pillar here | give it another name in Salt, and render it again
none: it has no value | 
tag Toml("1.10") sealed=false
b-c.token Text("") sealed=false
"#);
    let minions = rendered(
        "a.json",
        r#"{"local": {"a": {"docker_container": [{"image": "a:1"}, {"environment": [
            {"URL": "postgres://a:canary-pw@db/x"}, {"PW": "canary-pw"}, {"API_KEY": "canary-other"}, {"SESSION_SECRET": "canary-third"}]}, "running"], "__sls__": "s"}}}"#,
    )
    .expect("states");
    let mut secrets = Secrets::of(&leaves);
    let sorted = sorted(&minions[0], None);
    let text =
        state(&sorted.states[0], &mut secrets, &mut GivenFiles::default(), None, None).expect("written");
    insta::assert_snapshot!(text, @r#"
# docker_container.running
[a.container.running]
image = "a:1"

[a.container.running.env]
API_KEY = "{{ pillar.db.pw2 }}"
PW = "{{ pillar.db.password }}"
SESSION_SECRET = "{{ pillar.env.a.SESSION_SECRET }}"
URL = "postgres://a:{{ pillar.db.password }}@db/x"
"#);
    let new: Vec<String> = secrets.new_ones().keys().map(KeyPath::to_string).collect();
    assert_eq!(new, ["env.a.SESSION_SECRET"]);
    assert!(secrets.sealed().iter().any(|key| key.to_string() == "db.pw2"), "a state says that it is secret");
}

#[test]
fn a_file_in_yaml_has_the_types_of_salts_reader() {
    let text = "web:\n  docker_container.running:\n    - image: a:1\n    - name: 0644\n    - port_bindings: [\"80:80\"]\n    - tty: yes\n    - x: [~, n, 0x10, 089, 1_000, 1.50, 1e3, '1', 0b11, Off, oN]\nold: docker_container.absent\n\
                extend:\n  web:\n    docker_container:\n      - stop_timeout: 3\n";
    let minion = sls("a.sls", "a", text).expect("states");
    let said: Vec<String> = minion
        .states
        .iter()
        .map(|state| {
            let args: Vec<String> =
                state.args.iter().map(|(name, arg)| format!("{name}={}", shown(&arg.value))).collect();
            format!("{} {}.{} {}", state.id, state.module, state.function, args.join(" "))
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
web docker_container.running image="a:1" name=644 port_bindings=["80:80"] stop_timeout=3 tty=true x=[None,"n",16,"089",1000,1.50f,"1e3","1",3,false,"oN"]
old docker_container.absent
"#);
}

fn shown(value: &crate::state::ArgValue) -> String {
    use crate::state::ArgValue;
    match value {
        ArgValue::Array(items) => {
            format!("[{}]", items.iter().map(|item| shown(&item.value)).collect::<Vec<_>>().join(","))
        }
        ArgValue::Text(text) => format!("{:?}", text.to_string()),
        ArgValue::Integer(number) => number.to_string(),
        ArgValue::Float(number) => format!("{}f", number.written),
        ArgValue::Boolean(truth) => truth.to_string(),
        other => other.kind().to_owned(),
    }
}

#[test]
fn what_a_file_in_yaml_cannot_be_is_said_with_its_line() {
    let wrong = |text: &str| sls("a.sls", "a", text).expect_err("it is refused").to_string();
    insta::assert_snapshot!(wrong("a:\n  docker_container.running:\n    - image: {{ pillar['x'] }}\n{% if x %}\n"), @"
a.sls:3: this line holds Jinja, which is not rendered here
a.sls:4: this line holds Jinja, which is not rendered here
");
    insta::assert_snapshot!(wrong("#!py\ndef run():\n    return {}\n"), @"a.sls:1: this file is for Salt's renderer `py`");
    insta::assert_snapshot!(wrong("a:\n  docker_container.running:\n    - image: a:1\n    - port_bindings:\n      - 2222:22\n"), @"a.sls:5: `2222:22` is the number 133342 for Salt");
    insta::assert_snapshot!(wrong("include:\n  - docker\n"), @"a.sls:1: `include` is not followed");
    insta::assert_snapshot!(wrong("a:\n  docker_container.running:\n    image: x\n"), @"a.sls:2: the arguments of `docker_container.running` are a mapping, and no list");
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    assert!(wrong(bomb).contains("more than 100000 values"), "{}", wrong(bomb));
}

#[test]
fn what_minions_have_in_common_is_written_once() {
    let texts = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(sls, text)| ((*sls).to_owned(), (*text).to_owned())).collect()
    };
    let minion = |name: &str, pairs: &[(&str, &str)]| (Some(name.to_owned()), texts(pairs));
    let placed = placed(
        &[
            minion("a", &[("web.nginx", "1"), ("db", "x")]),
            minion("b", &[("web.nginx", "1"), ("db", "x")]),
            minion("c", &[("web.nginx", "2")]),
        ],
        |_| None,
    );
    assert_eq!(placed.files.keys().collect::<Vec<_>>(), ["db", "hosts/c/web/nginx", "web/nginx"]);
    let [group] = placed.groups.as_slice() else { panic!("{:?}", placed.groups) };
    assert_eq!(
        (group.name.as_str(), group.minions.as_slice()),
        ("web", ["a".to_owned(), "b".to_owned()].as_slice())
    );
    assert_eq!(group.files, ["web/nginx", "db"]);
    assert_eq!(placed.minions[2].1, ["hosts/c/web/nginx"]);
}

#[test]
fn the_work_grows_with_the_number_of_states_and_not_with_its_square() {
    let many = |count: usize| {
        let mut json = "{\"local\": {".to_owned();
        for number in 0..count {
            let comma = if number > 0 { "," } else { "" };
            let _ = write!(
                json,
                "{comma}\n\"web{number}\": {{\"docker_container\": [{{\"image\": \"a:1\"}}, {{\"environment\": [{{\"N\": {number}}}]}}, {{\"require\": [{{\"docker_container\": \"web{}\"}}]}}, \"running\", {{\"order\": {}}}], \"__sls__\": \"s{}\"}}",
                number.saturating_sub(1),
                10_000 + number,
                number % 20
            );
        }
        json.push_str("}}");
        let begun = std::time::Instant::now();
        let (texts, left) = imported(&json);
        assert_eq!((texts.matches(".container.running]").count(), left.as_str()), (count, ""));
        begun.elapsed().as_secs_f64()
    };
    // The quickest of three: beside other work each of them may have to wait.
    let quickest = |count: usize| (0..3).map(|_| many(count)).fold(f64::INFINITY, f64::min);
    let (some, more) = (quickest(500), quickest(4000));
    assert!(more < some * 8.0 * 5.0, "500 take {some} s, 4000 take {more} s");
}
