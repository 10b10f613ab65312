//! A browser that tests look with: headless Chromium, spoken to over its pipe (Chrome DevTools Protocol).

use crate::env::{TestEnv, has_program};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// As root it needs `--no-sandbox`; the others keep it from asking anything of a network.
const FLAGS: &str = "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe";

/// A page in a browser of its own.
pub(crate) struct Browser {
    chromium: Child,
    orders: File,
    answers: BufReader<File>,
    session: String,
    last: u64,
    /// Everything that happened, as the browser tells it.
    pub(crate) events: Vec<Value>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}

impl Browser {
    /// Opens a file; `None` where there is no Chromium.
    pub(crate) fn open(env: &TestEnv, file: &Path) -> Option<Self> {
        if !has_program("chromium") {
            return None;
        }
        let folder = env.home().join("browser");
        fs::create_dir_all(&folder).expect("a folder");
        let script = format!(
            "mkfifo orders answers && exec chromium {FLAGS} --user-data-dir=\"$PWD/data\" about:blank \
             3<orders 4>answers"
        );
        let log = File::create(folder.join("log")).expect("a log");
        let mut chromium = Command::new("sh");
        chromium.args(["-c", &script]).current_dir(&folder).env("HOME", &folder).stdin(Stdio::null());
        chromium.stdout(Stdio::null()).stderr(log).env_remove("DBUS_SESSION_BUS_ADDRESS");
        let chromium = chromium.spawn().expect("sh starts");
        while !folder.join("answers").exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // In the order in which the shell opens them: each waits for the other end.
        let orders = File::options().write(true).open(folder.join("orders")).expect("the pipe to it");
        let answers = BufReader::new(File::open(folder.join("answers")).expect("the pipe from it"));
        let mut browser =
            Self { chromium, orders, answers, session: String::new(), last: 0, events: Vec::new() };
        let target = browser.tell("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.tell("Target.attachToTarget", attach)["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.tell(&format!("{domain}.enable"), json!({}));
        }
        let url = format!("file://{}", file.display());
        let went = browser.tell("Page.navigate", json!({ "url": url }));
        assert!(went.get("errorText").is_none(), "{went}");
        while !browser.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = browser.hear();
            browser.events.push(event);
        }
        Some(browser)
    }

    /// One call of the protocol, and its answer.
    #[track_caller]
    pub(crate) fn tell(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut order = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_empty() {
            order["sessionId"] = json!(self.session);
        }
        let mut order = order.to_string().into_bytes();
        order.push(0);
        self.orders.write_all(&order).expect("it hears");
        loop {
            let mut said = self.hear();
            if said["id"] == self.last {
                assert!(said.get("error").is_none(), "{method}: {said}");
                return said["result"].take();
            }
            self.events.push(said);
        }
    }

    /// What a function of JavaScript gives.
    #[track_caller]
    pub(crate) fn ask(&mut self, function: &str) -> Value {
        let call = json!({ "expression": format!("({function})()"), "returnByValue": true });
        let mut said = self.tell("Runtime.evaluate", call);
        assert!(said.get("exceptionDetails").is_none(), "{said}");
        said["result"]["value"].take()
    }

    fn hear(&mut self) -> Value {
        let mut said = Vec::new();
        self.answers.read_until(0, &mut said).expect("it answers");
        assert_eq!(said.pop(), Some(0), "Chromium ended");
        serde_json::from_slice(&said).expect("JSON")
    }
}
