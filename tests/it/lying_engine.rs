//! A small Engine that lies where a test says so, and otherwise answers as a real one would.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    /// `GET /containers/json`, without version and query.
    pub(crate) name: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Asked {
    /// What is in `X-Registry-Auth`, as it came.
    pub(crate) fn auth(&self) -> String {
        self.headers.get("x-registry-auth").cloned().unwrap_or_default()
    }

    /// Its body.
    pub(crate) fn body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Writes an answer.
type Lie = Box<dyn Fn(&Asked, &mut dyn Write) -> io::Result<()> + Send + Sync>;

#[derive(Default)]
struct World {
    lies: Vec<(String, Lie)>,
    asked: Vec<Asked>,
    volumes: BTreeMap<String, Value>,
    containers: Vec<Value>,
    pulled: bool,
}

/// The Engine; it ends with the test.
pub(crate) struct LyingEngine {
    socket: PathBuf,
    world: Arc<Mutex<World>>,
}

/// What an Engine answers for an image.
pub(crate) const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

impl LyingEngine {
    /// Listens in a folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let socket = folder.join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let world = Arc::new(Mutex::new(World::default()));
        let shared = Arc::clone(&world);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&shared);
                thread::spawn(move || while let Ok(true) = serve(&stream, &world) {});
            }
        });
        Self { socket, world }
    }

    /// Its address.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Answers every request of this name with what is written here: it begins so, and ends with what stands
    /// behind a `*`.
    pub(crate) fn lies(
        &self,
        name: &str,
        lie: impl Fn(&Asked, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) {
        self.world().lies.insert(0, (name.to_owned(), Box::new(lie)));
    }

    /// Answers so with a status and a body.
    pub(crate) fn says(&self, name: &str, status: u16, body: impl Into<String>) {
        let body = body.into();
        self.lies(name, move |_, out| answer(out, status, body.as_bytes()));
    }

    /// Is honest again.
    pub(crate) fn repents(&self) {
        self.world().lies.clear();
    }

    /// Puts a volume there, as another made it now.
    pub(crate) fn put_volume(&self, name: &str, labels: &Value) {
        let (_, body) = create_volume(&json!({ "Name": name, "Labels": labels }), &mut self.world());
        assert_eq!(body["Labels"], *labels, "{name} is there already");
    }

    /// The requests whose name begins so.
    pub(crate) fn asked(&self, name: &str) -> Vec<Asked> {
        self.world().asked.iter().filter(|asked| asked.name.starts_with(name)).cloned().collect()
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().expect("its state")
    }
}

/// Writes an answer with a length.
pub(crate) fn answer(out: &mut dyn Write, status: u16, body: &[u8]) -> io::Result<()> {
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&jiff::Timestamp::now())
        .expect("a date");
    write!(
        out,
        "HTTP/1.1 {status} X\r\nApi-Version: 1.47\r\nDate: {date}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )?;
    out.write_all(body)?;
    out.flush()
}

/// Begins an answer that has no length.
pub(crate) fn endless(out: &mut dyn Write, status: u16) -> io::Result<()> {
    write!(out, "HTTP/1.1 {status} X\r\nApi-Version: 1.47\r\nConnection: close\r\n\r\n")
}

fn serve(stream: &UnixStream, world: &Mutex<World>) -> io::Result<bool> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(false);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path.strip_prefix("/v1.") {
        Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => path,
    };
    let mut asked = Asked { name: format!("{method} {path}"), query: query.to_owned(), ..Asked::default() };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        asked.headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = asked.headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    asked.body = vec![0; length];
    reader.read_exact(&mut asked.body)?;
    let mut out = stream;
    let honest = {
        let mut world = world.lock().expect("its state");
        world.asked.push(asked.clone());
        let told = |name: &str| {
            let (begin, end) = name.split_once('*').unwrap_or((name, ""));
            asked.name.starts_with(begin) && asked.name.ends_with(end)
        };
        match world.lies.iter().find(|(name, _)| told(name)) {
            Some((_, lie)) => {
                lie(&asked, &mut out)?;
                return Ok(true);
            }
            None => honest(&asked, &mut world),
        }
    };
    let (status, body) = honest;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    answer(&mut out, status, body.as_bytes())?;
    Ok(true)
}

fn honest(asked: &Asked, world: &mut World) -> (u16, Value) {
    let parameter = |name: &str| {
        let value = asked.query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        value.unwrap_or_default().to_owned()
    };
    let missing = || (404, json!({ "message": "no such thing" }));
    let (method, path) = asked.name.split_once(' ').expect("both");
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    match (method, parts.as_slice()) {
        ("GET", ["_ping"]) => (200, Value::Null),
        ("GET", ["info"]) => (
            200,
            json!({ "ID": "lying", "ServerVersion": "27.0.0", "OSType": "linux", "Architecture": "x86_64",
                    "NCPU": 2, "MemTotal": 4_000_000_000_i64, "Name": "lying", "Labels": [] }),
        ),
        ("GET", ["containers", "json"]) => (200, world.containers.iter().map(listed).collect()),
        ("POST", ["containers", "create"]) => {
            let id = format!("{:064x}", world.containers.len() + 1);
            world.containers.push(json!({
                "Id": id, "Name": format!("/{}", parameter("name")), "Image": DIGEST, "Config": body,
                "HostConfig": body["HostConfig"], "Created": "2026-01-01T00:00:00Z", "RestartCount": 0,
                "Mounts": [], "NetworkSettings": { "Networks": {} },
                "State": { "Status": "created", "Running": false, "ExitCode": 0 },
            }));
            (201, json!({ "Id": id, "Warnings": null }))
        }
        (_, ["containers", id, call @ ..]) => {
            let named = format!("/{id}");
            let at =
                world.containers.iter().position(|one| one["Id"] == *id || one["Name"] == named.as_str());
            let Some(at) = at else { return missing() };
            let one = &mut world.containers[at];
            match (method, call) {
                ("GET", ["json"]) => (200, one.clone()),
                // What is started here crashes at once.
                ("POST", ["start"]) => {
                    one["State"] = json!({ "Status": "exited", "Running": false, "ExitCode": 3 });
                    (204, Value::Null)
                }
                ("POST", ["rename"]) => {
                    one["Name"] = format!("/{}", parameter("name")).into();
                    (204, Value::Null)
                }
                ("POST", ["update"]) => (200, json!({ "Warnings": null })),
                ("DELETE", []) => {
                    world.containers.remove(at);
                    (204, Value::Null)
                }
                ("GET" | "PUT", ["archive"]) => (200, Value::Null),
                ("POST", ["stop" | "kill"]) => (204, Value::Null),
                _ => missing(),
            }
        }
        ("GET", ["networks"]) => (200, json!([])),
        ("GET", ["images", "json"]) => (200, json!([])),
        ("POST", ["images", "create"]) => {
            world.pulled = true;
            (200, json!({ "status": "done" }))
        }
        ("GET", ["images", .., "json"]) if world.pulled => (
            200,
            json!({ "Id": DIGEST, "RepoDigests": [format!("registry.example.com/web@{DIGEST}")],
                    "RepoTags": [], "Os": "linux", "Architecture": "amd64", "Config": {} }),
        ),
        ("POST", ["images", .., "tag"]) => (201, Value::Null),
        ("DELETE", ["images", ..]) => (200, json!([])),
        ("GET", ["distribution", ..]) => {
            (200, json!({ "Descriptor": { "digest": DIGEST }, "Platforms": [] }))
        }
        ("POST", ["auth"]) => (200, json!({ "Status": "Login Succeeded" })),
        ("GET", ["volumes"]) => {
            let all: Vec<&Value> = world.volumes.values().collect();
            (200, json!({ "Volumes": all, "Warnings": null }))
        }
        ("POST", ["volumes", "create"]) => create_volume(&body, world),
        ("DELETE", ["volumes", name]) => {
            world.volumes.remove(*name);
            (204, Value::Null)
        }
        _ => missing(),
    }
}

fn create_volume(body: &Value, world: &mut World) -> (u16, Value) {
    let name = body["Name"].as_str().unwrap_or_default().to_owned();
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).expect("now");
    let made = json!({ "Name": name, "Labels": body["Labels"], "CreatedAt": now.to_string(),
                       "Driver": "local", "Options": body["DriverOpts"] });
    (201, world.volumes.entry(name).or_insert(made).clone())
}

fn listed(one: &Value) -> Value {
    json!({ "Id": one["Id"], "Names": [one["Name"]], "ImageID": one["Image"], "State": one["State"]["Status"],
            "Labels": one["Config"]["Labels"], "NetworkSettings": one["NetworkSettings"],
            "HostConfig": { "NetworkMode": "default" }, "Mounts": [] })
}
