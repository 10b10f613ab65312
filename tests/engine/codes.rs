//! How commands end: exit codes, questions that cannot be asked, two at once.

use crate::shop::Shop;
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn detailed_exit_codes_tell_changes_from_rest() {
    let Some(shop) = Shop::new() else { return };
    shop.env.run(&["plan"]).ok();
    shop.env.run(&["plan", "--detailed-exitcode"]).exits(2);
    shop.env.run(&["apply", "-y", "--detailed-exitcode"]).exits(2);
    shop.env.run(&["plan", "--detailed-exitcode"]).ok();
    shop.env.run(&["apply", "-y", "--detailed-exitcode"]).ok();
}

#[test]
fn without_a_terminal_nobody_can_agree() {
    let Some(shop) = Shop::new() else { return };
    shop.env.run(&["apply"]).exits(9).explains("-y");
    shop.env.run_with_input(&["apply"], "yes\n").exits(9);
    assert!(shop.names().is_empty());
    shop.apply().ok();
    // With nothing to do there is nothing to ask.
    shop.env.run(&["apply"]).ok().says("no changes");
}

#[test]
fn of_two_applies_at_once_one_works_and_the_other_names_it() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("serve", "1.1.0");
    let text = shop.env.read("states/web.toml").replace("monitor = \"1s\"", "monitor = \"4s\"");
    shop.env.write("states/web.toml", text);
    let both: Vec<_> = (0..2).map(|_| shop.env.command(&["apply", "-y"]).spawn()).collect();
    let mut ends: Vec<(Option<i32>, String)> = both
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().expect("it ends");
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        })
        .collect();
    ends.sort();
    assert_eq!((ends[0].0, ends[1].0), (Some(0), Some(6)), "{ends:?}");
    let refused = &ends[1].1;
    assert!(refused.contains("locked by alice on ") && refused.contains("pillarbox apply"), "{refused}");
    shop.only("web 1.1.0");
    shop.rests();
}

#[test]
fn json_says_on_standard_output_what_was_done_and_what_went_wrong() {
    let Some(shop) = Shop::new() else { return };
    let plan = shop.env.run(&["plan", "--json"]).ok().json();
    assert_eq!((&plan["format_version"], &plan["hosts"][0]["host"]), (&json!("1.0"), &json!("local")));
    let done = shop.env.run(&["apply", "-y", "--json"]).ok().json();
    assert_eq!((&done["changed"], &done["hosts"][0]["changed"]), (&json!(true), &json!(true)), "{done}");
    let rest = shop.env.run(&["apply", "-y", "--json"]).ok().json();
    assert_eq!(rest["changed"], json!(false));
    let status = shop.env.run(&["status", "--json"]).ok().json();
    let container = &status["hosts"][0]["containers"][0];
    assert_eq!((&container["version"], &container["works"]), (&json!("1.0.0"), &json!(true)), "{status}");
    shop.release("exits", "1.1.0");
    let failed = shop.env.run(&["apply", "-y", "--json"]).exits(3).json();
    assert_eq!((&failed["error"]["code"], &failed["changed"]), (&json!("partial"), &json!(true)), "{failed}");
}

#[test]
fn an_engine_that_is_down_is_said_at_once_with_what_to_look_at() {
    let Some(shop) = Shop::new() else { return };
    let nobody = shop.env.runtime().join("nobody.sock");
    shop.set_inventory(&[("local", &format!("unix://{}", nobody.display()))], &["web"]);
    let began = Instant::now();
    for command in [&["plan"][..], &["apply", "-y"], &["status"]] {
        let said =
            shop.env.run(command).exits(1).explains("host local").explains(&nobody.display().to_string());
        assert!(said.stderr().contains("hint:"), "{}", said.stderr());
    }
    // A socket without a listener, and a file that is none.
    drop(std::os::unix::net::UnixListener::bind(&nobody).expect("a socket"));
    shop.env.run(&["plan"]).exits(1).explains("hint:");
    fs::remove_file(&nobody).expect("the socket");
    fs::write(&nobody, "").expect("a file");
    shop.env.run(&["plan"]).exits(1);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // Compiling asks nobody.
    shop.env.run(&["compile"]).ok();
}

#[test]
fn of_several_hosts_those_that_answer_are_planned_and_nothing_is_applied() {
    let Some(shop) = Shop::new() else { return };
    let down = format!("unix://{}", shop.env.runtime().join("nobody.sock").display());
    shop.set_inventory(&[("local", &shop.engine.address()), ("other", &down)], &["web"]);
    shop.env.run(&["plan"]).exits(1).says("+ container").explains("host other");
    shop.apply().exits(1).explains("host other");
    assert!(shop.names().is_empty());
    shop.env.run(&["apply", "-y", "--host", "local"]).ok();
    shop.only("web 1.0.0");
    shop.env.run(&["plan", "--host", "nobody"]).exits(64);
}
