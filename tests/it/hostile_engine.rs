//! An Engine that lies harms nothing but itself: nothing hangs, nothing grows without end, no secret that it
//! repeats is shown, and what it says wrongly is an error and not an empty host.

use crate::env::{Checked, TestEnv};
use crate::lying_engine::{Asked, DIGEST, LyingEngine, answer, endless};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// With characters that every encoding writes in another way.
const PASSWORD: &str = "CANARY#p\"w<1>/é\\ 2?~end";

struct Shop {
    env: TestEnv,
    engine: LyingEngine,
}

/// A workspace with one host, one container, and this in its state.
fn shop(more: &str) -> Shop {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    env.write(
        "pillarbox.toml",
        format!(
            "workspace = \"shop\"\n[hosts.web1]\nengine = \"{}\"\npillar = [\"apps\", \"registries/*\"]\n\
             states = [\"web\"]\n",
            engine.address()
        ),
    )
    .write("pillar/apps.toml", "[web]\nname = \"web\"\n")
    .write(
        "states/web.toml",
        format!(
            "[web.container.running]\nname = \"web\"\nimage = \"registry.example.com/web@{DIGEST}\"\n{more}\n"
        ),
    );
    Shop { env, engine }
}

/// The same with a credential.
fn guarded() -> Shop {
    let shop = shop("");
    let add = ["registry", "add", "registry.example.com", "-u", "bot", "--password-stdin"];
    shop.env.run_with_input(&add, PASSWORD).ok();
    shop
}

/// Nothing of a text that was repeated in any way is in what was said.
#[track_caller]
fn lacks_echoes(said: Checked, secret: &str, encoded: &[String]) {
    let mut said = said.lacks("CANARY");
    for echo in echoes(secret).iter().chain(encoded) {
        // A piece that no other text has.
        let piece: String = echo.chars().skip(4).take(12).collect();
        said = said.lacks(&piece);
    }
}

/// A text in the ways in which programs write one.
fn echoes(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    let url: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let wrapped: Vec<String> = STANDARD
        .encode(secret)
        .as_bytes()
        .chunks(9)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    vec![
        secret.to_owned(),
        json.clone(),
        Value::from(json).to_string(),
        url,
        hex,
        STANDARD.encode(secret),
        URL_SAFE.encode(secret),
        STANDARD.encode(format!("bot:{secret}")),
        wrapped.join("\n"),
        secret.chars().rev().collect(),
    ]
}

/// The password within a header, and the header itself in some ways.
fn repeated(asked: &Asked) -> Vec<String> {
    let header = asked.auth();
    let opened = URL_SAFE.decode(&header).unwrap_or_default();
    let credential: Value = serde_json::from_slice(&opened).unwrap_or_default();
    let mut all = echoes(credential["password"].as_str().unwrap_or_default());
    all.extend([STANDARD.encode(&opened), String::from_utf8_lossy(&opened).into_owned(), header]);
    all
}

#[test]
fn a_list_that_is_none_is_an_error_that_names_the_call_and_not_an_empty_host() {
    let shop = shop("");
    for (call, answers) in [
        (
            "GET /containers/json",
            ["{\"a\":[1]}", "[1]", "[{}]", "[{\"Id\":\"1\",\"Id\":\"2\"}]", "[{\"Id\":\"1\",\"Labels\":[]}]"],
        ),
        ("GET /info", ["[]", "1", "{\"Name\":1}", "{\"NCPU\":\"2\"}", "{\"ID\":\"1\",\"ID\":\"2\"}"]),
    ] {
        for text in answers {
            shop.engine.says(call, 200, text);
            shop.env
                .run(&["plan"])
                .exits(1)
                .explains(&format!("its answer to {call} is not what an Engine says"));
            shop.engine.repents();
        }
        for text in ["", "<html>", "{\"a\":", "\"\u{1b}[2J\""] {
            shop.engine.says(call, 200, text);
            shop.env.run(&["status"]).exits(1).explains(call).lacks("\u{1b}");
            shop.engine.repents();
        }
    }
    shop.env.run(&["plan"]).ok().says("registry.example.com/web");
}

#[test]
fn every_read_of_an_apply_takes_a_wrong_type_for_an_error() {
    let shop = shop("");
    for call in ["GET /volumes", "GET /images/", "POST /volumes/create", "POST /containers/create"] {
        shop.engine.says(call, 200, "{\"Id\":[1],\"Name\":[1],\"Volumes\":{\"a\":1}}");
        let said = shop.env.run(&["apply", "-y"]);
        assert!([1, 3].contains(&said.code), "{call}: {said}");
        assert!(said.stderr.contains("not what an Engine says"), "{call}: {said}");
        shop.engine.repents();
    }
}

#[test]
fn an_answer_without_an_end_ends_at_its_bound_in_little_memory() {
    let shop = shop("");
    let flood = |piece: &'static str, status: u16| {
        move |_: &Asked, out: &mut dyn Write| {
            endless(out, status)?;
            out.write_all(b"[")?;
            let block = piece.repeat(1 + (64 << 10) / piece.len());
            while out.write_all(block.as_bytes()).is_ok() {}
            Ok(())
        }
    };
    let tight = |arguments: &str| {
        let script = format!("ulimit -v 1200000; exec {} {arguments}", env!("CARGO_BIN_EXE_pillarbox"));
        let began = Instant::now();
        let said = shop.env.program("sh", &["-c", &script]).run();
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        said
    };
    for piece in ["{\"Id\":\"\"},", "[[[[", "{\"Id\":\"1\",\"Labels\":{}},", "                "] {
        shop.engine.lies("GET /containers/json", flood(piece, 200));
        let said = tight("plan").exits(1);
        assert!(said.stderr().contains("longer than 32 MiB"), "{piece}: {}", said.stderr());
        shop.engine.repents();
    }
    shop.engine.lies("GET /info", flood("1,", 200));
    tight("plan").exits(1).explains("longer than 16 MiB");
    shop.engine.repents();
    shop.engine.lies("GET /containers/json", flood("no ", 500));
    let said = tight("plan").exits(1).explains("no no no");
    assert!(said.stderr().len() < 10_000, "{}", said.stderr().len());
    shop.engine.repents();
    shop.engine.lies("POST /images/create", flood("{\"status\":\"x\",\"id\":\"y\"}\n", 200));
    // Its first byte is no JSON.
    tight("apply -y").exits(1).explains("is not JSON");
    shop.engine.repents();
    shop.engine.lies("POST /images/create", |_, out| {
        endless(out, 200)?;
        for layer in 0_u64.. {
            if writeln!(out, "{{\"status\":\"Downloading\",\"id\":\"{layer}\"}}").is_err() {
                break;
            }
        }
        Ok(())
    });
    tight("apply -y").exits(1).explains("too many layers");
}

#[test]
fn half_an_answer_and_none_at_all_are_lost_connections() {
    let shop = shop("");
    for raw in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[",
        "\u{1b}[2Jno HTTP\r\n\r\n",
        "HTTP/9.9 200\r\n\r\n",
    ] {
        shop.engine.lies("GET /containers/json", move |_, out| {
            out.write_all(raw.as_bytes())?;
            Err(std::io::ErrorKind::Other.into())
        });
        shop.env.run(&["plan"]).exits(1).lacks("\u{1b}").explains("web1");
        shop.engine.repents();
    }
}

#[test]
fn a_redirect_leads_nowhere() {
    let shop = guarded();
    for status in [301, 302, 307, 308] {
        shop.engine.lies("POST /images/create", move |_, out| {
            write!(out, "HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        });
        let said = shop.env.run(&["apply", "-y"]);
        assert_ne!(said.code, 0, "{said}");
        shop.engine.repents();
    }
    assert!(
        shop.engine.asked("GET /elsewhere").is_empty() && shop.engine.asked("POST /elsewhere").is_empty()
    );
}

#[test]
fn a_credential_that_comes_back_in_any_form_is_not_shown() {
    let shop = guarded();
    let mut headers = Vec::new();
    let count = echoes("").len() + 3;
    for number in 0..count {
        for in_stream in [false, true] {
            shop.engine.lies("POST /images/create", move |asked, out| {
                let echo = repeated(asked).remove(number);
                let words = format!("unauthorized: {echo} is wrong, sent {echo}");
                match in_stream {
                    true => answer(out, 200, format!("{}\n", json!({ "error": words })).as_bytes()),
                    false => answer(out, 500, json!({ "message": words }).to_string().as_bytes()),
                }
            });
            let said = shop.env.run(&["-v", "apply", "-y"]).exits(7).explains("unauthorized");
            headers = shop.engine.asked("POST /images/create").iter().map(Asked::auth).collect();
            assert!(headers.last().is_some_and(|header| header.len() > 20), "a credential was sent");
            lacks_echoes(said, PASSWORD, &headers);
            let json = shop.env.run(&["--json", "apply", "-y"]).exits(7);
            lacks_echoes(json, PASSWORD, &headers);
            shop.engine.repents();
        }
    }
    // Without a word that is known: what to do is said all the same.
    shop.engine
        .lies("POST /images/create", |asked, out| answer(out, 500, repeated(asked).concat().as_bytes()));
    let said =
        shop.env.run(&["apply", "-y"]).exits(1).explains("status 500").explains("journalctl -u docker");
    lacks_echoes(said, PASSWORD, &headers);
    shop.engine.repents();
    // While planning, and while trying it.
    shop.env.write("states/web.toml", shop.env.read("states/web.toml").replace(&format!("@{DIGEST}"), ":1"));
    shop.engine.lies("GET /distribution", |asked, out| answer(out, 401, repeated(asked).concat().as_bytes()));
    lacks_echoes(shop.env.run(&["plan"]).exits(7), PASSWORD, &headers);
    shop.engine.lies("POST /auth", |asked, out| {
        let body = asked.body();
        answer(
            out,
            500,
            [body.clone(), STANDARD.encode(&body), echoes(PASSWORD).concat()].concat().as_bytes(),
        )
    });
    let said = shop.env.run(&["registry", "check"]);
    assert_ne!(said.code, 0, "{said}");
    let code = said.code;
    lacks_echoes(said.exits(code), PASSWORD, &headers);
}

const IN_ENV: &str = "env.PASSWORD = \"{{ pillar.web.pw }}\"";
const IN_FILE: &str = "secrets.conf = \"pw={{ pillar.web.pw }}\"";

/// The shop with a secret.
fn with_secret(place: &str) -> Shop {
    let shop = shop(place);
    shop.env.run_with_input(&["seal", "web.pw"], PASSWORD).ok();
    shop
}

#[test]
fn a_secret_of_a_container_that_comes_back_in_any_form_is_not_shown() {
    for (place, call) in [(IN_ENV, "POST /containers/create"), (IN_FILE, "PUT /containers")] {
        let shop = with_secret(place);
        for number in 0..echoes("").len() {
            shop.engine.lies(call, move |asked, out| {
                let words = format!("no space left on device: {} {}", echoes(PASSWORD)[number], asked.body());
                answer(out, 500, json!({ "message": words }).to_string().as_bytes())
            });
            let said = shop.env.run(&["-v", "apply", "-y"]);
            assert!([1, 3].contains(&said.code), "{said}");
            let code = said.code;
            lacks_echoes(said.exits(code).explains("no space left on device"), PASSWORD, &[]);
            shop.engine.repents();
        }
    }
    // A warning goes the same way.
    let shop = with_secret(IN_ENV);
    shop.engine.lies("POST /containers/create", |_, out| {
        answer(out, 201, json!({ "Id": "1", "Warnings": echoes(PASSWORD) }).to_string().as_bytes())
    });
    let said = shop.env.run(&["-v", "apply", "-y"]);
    let code = said.code;
    lacks_echoes(said.exits(code), PASSWORD, &[]);
}

#[test]
fn a_secret_in_the_log_of_a_container_is_not_shown_however_it_is_wrapped() {
    let long: String = std::iter::repeat_n(PASSWORD, 6).collect();
    let lines = |text: &str, wide: usize| -> String {
        text.as_bytes().chunks(wide).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
    };
    let rows: String = long
        .as_bytes()
        .chunks(16)
        .enumerate()
        .map(|(at, row)| {
            let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
            let seen: String =
                row.iter().map(|b| if (32..127).contains(b) { char::from(*b) } else { '.' }).collect();
            format!("{:08x}  {}  |{seen}|\n", at * 16, hex.join(" "))
        })
        .collect();
    for log in
        [lines(&STANDARD.encode(&long), 76), rows, format!("{:?}\n", json!({ "pw": long }).to_string())]
    {
        let shop = with_secret(IN_ENV);
        shop.env.run_with_input(&["seal", "web.pw"], &long).ok();
        shop.engine.says("GET /containers/*/logs", 200, format!("cannot start\n{log}bye\n"));
        let said = shop.env.run(&["apply", "-y"]).exits(3).explains("cannot start").explains("bye");
        let text = STANDARD.encode(&long);
        for piece in
            [&long[..12], &long[20..32], &text[..12], &text[60..72], &text[76..88], "43 41 4e 41", "CANARY"]
        {
            assert!(!said.stderr().contains(piece), "{piece}: {}", said.stderr());
        }
        shop.engine.repents();
    }
}

#[test]
fn a_container_that_was_there_before_has_no_secret_in_its_log_either() {
    let shop = with_secret(IN_ENV);
    shop.engine.says(
        "GET /containers/*/logs",
        200,
        format!("cannot start\n{}\nbye\n", STANDARD.encode(PASSWORD)),
    );
    shop.env.run(&["apply", "-y"]).exits(3).explains("bye").lacks("Q0FOQVJZ");
    // Nothing is created now, so that nothing had to be opened.
    let again = shop.env.run(&["apply", "-y"]).exits(3).explains("bye").lacks("Q0FOQVJZ");
    assert!(!again.stderr().contains("create "), "{}", again.stderr());
    assert_eq!(shop.engine.asked("POST /containers/create").len(), 1);
    shop.env
        .run(&["--no-identity", "apply", "-y"])
        .exits(3)
        .explains("docker logs web")
        .lacks("Q0FOQVJZ")
        .lacks("bye");
}

#[test]
fn names_and_labels_of_a_host_move_no_cursor() {
    let shop = shop("");
    let evil = "web\u{1b}[2J\u{9b}1A\u{202e}\u{2066}\u{feff}\u{e0041}\n";
    shop.engine.says(
        "GET /containers/json",
        200,
        json!([{ "Id": evil, "Names": [format!("/{evil}")], "ImageID": evil, "State": evil,
                 "Labels": { "io.pillarbox.workspace": "shop", "io.pillarbox.service": evil, evil: evil } }])
        .to_string(),
    );
    shop.engine.says(
        "GET /info",
        200,
        json!({ "ID": evil, "ServerVersion": evil, "OSType": "linux", "Architecture": evil, "Name": evil,
                "Labels": [evil] })
        .to_string(),
    );
    for arguments in [
        &["-v", "plan"][..],
        &["--json", "plan"],
        &["-v", "status"],
        &["--json", "status"],
        &["plan", "--prune"],
        &["-v", "history"],
        &["--json", "history"],
        &["doctor"],
        &["--json", "doctor"],
    ] {
        let said = shop.env.run(arguments);
        let text = format!("{}{}", said.stdout, said.stderr);
        let raw = ['\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}'];
        assert!(!text.contains(raw), "{arguments:?}: {text:?}");
    }
}

#[test]
fn a_pull_whose_layer_goes_with_another_image_is_tried_again() {
    let shop = guarded();
    let words = format!("writing blob: adding layer with blob \"{DIGEST}\": layer not known");
    let failing = json!({ "error": words, "errorDetail": { "message": words } }).to_string();
    let pulls = Arc::new(AtomicUsize::new(0));
    let pulled = Arc::clone(&pulls);
    let stream = failing.clone();
    shop.engine.lies("POST /images/create", move |_, out| match pulled.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => answer(out, 200, stream.as_bytes()),
        _ => answer(out, 200, b"{\"status\":\"done\"}"),
    });
    let there = Arc::clone(&pulls);
    shop.engine.lies("GET /images/registry", move |_, out| match there.load(Ordering::Relaxed) {
        0..3 => answer(out, 404, b"{\"message\":\"no such image\"}"),
        _ => answer(
            out,
            200,
            json!({ "Id": DIGEST, "RepoDigests": [format!("registry.example.com/web@{DIGEST}")],
                    "RepoTags": [], "Os": "linux", "Architecture": "amd64", "Config": {} })
            .to_string()
            .as_bytes(),
        ),
    });
    // Its containers crash; the image was there for them.
    shop.env.run(&["apply", "-y"]).exits(3).lacks("layer not known");
    assert_eq!(pulls.load(Ordering::Relaxed), 3);
    // One that never comes is said, in words that hold no secret.
    let shop = guarded();
    shop.engine.says("POST /images/create", 200, failing);
    shop.env.run(&["apply", "-y"]).exits(1).explains("layer not known");
    assert_eq!(shop.engine.asked("POST /images/create").len(), 5);
}
