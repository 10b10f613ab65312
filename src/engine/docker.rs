//! An Engine over its HTTP API: Docker from 20.10 (API 1.41) on, and Podman, which offers the same.
//!
//! Bodies and answers are plain JSON, so that nothing an Engine says or a plan asks for is lost in
//! somebody's model of it.

mod answer;
mod call;
mod connection;
mod dial;
mod filled;
mod logs;
mod progress;
mod refusal;
mod ssh;
mod tls;
mod version;

use super::{
    Address, CreateBody, Engine, EngineError, EngineResult, ErrorKind, Filling, Inspected, Manifest, Network,
    PullProgress, Summary, Tag, Volume,
};
use crate::name::{ImageRef, RegistryHost};
use crate::observed::{Facts, Image};
use crate::registry::AuthHeader;
use crate::secret::Secret;
use call::{Call, query, segment};
use connection::Http;
use hyper::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use version::Api;

pub use tls::authorities;

/// How long a call may take that does its work before it answers.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long an Engine may be silent that talks to a registry.
const REGISTRY_PATIENCE: Duration = Duration::from_secs(600);
/// How long a stop may take that has no timeout of its own here: the container's may be long.
const STOP_PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// How long after a crash Podman may take to start a container again.
const RESTARTS: Duration = Duration::from_secs(2);
/// How often one looks meanwhile.
const GLANCE: Duration = Duration::from_millis(100);

/// A connection to an Engine.
pub struct Docker {
    http: Http,
    api: Api,
    /// The version of Podman, if it is one.
    podman: Option<String>,
}

impl Docker {
    /// Connects and agrees on a version of the API.
    ///
    /// # Errors
    /// `Unreachable` with what to do, where nobody answers; `TooOld` with both numbers.
    pub async fn connect(address: &Address) -> EngineResult<Self> {
        let http = Http::new(dial::Dial::new(address).await?);
        let answer = http.send(Call::new(Method::GET, "/_ping"), PATIENCE).await?;
        let api = Api::agree(answer.header("Api-Version"));
        let podman = answer.header("Libpod-API-Version").map(str::to_owned);
        answer.drain(PATIENCE).await?;
        Ok(Self { http, api: api?, podman })
    }

    /// Stops a container; answers whether it ran.
    async fn stopped(&self, id: &str, timeout: Option<u32>) -> EngineResult<bool> {
        let seconds = timeout.map(|seconds| seconds.to_string());
        let wanted = seconds.as_deref().map_or(String::new(), |seconds| query(&[("t", seconds)]));
        let call = self.call(Method::POST, &format!("/containers/{}/stop{wanted}", segment(id)));
        let patience = timeout.map_or(STOP_PATIENCE, |t| Duration::from_secs(u64::from(t)) + PATIENCE);
        let answer = self.http.send(call, patience).await?;
        let did = answer.is_new();
        answer.drain(patience).await?;
        Ok(did)
    }

    /// A call of the agreed version.
    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(method, &format!("/v{}{path}", self.api))
    }

    async fn get(&self, path: &str) -> EngineResult<Value> {
        self.http.json(self.call(Method::GET, path), PATIENCE).await
    }

    async fn post(&self, path: &str, body: Option<&Value>) -> EngineResult<Value> {
        let call = self.call(Method::POST, path);
        let call = match body {
            Some(body) => call.body(body)?,
            None => call,
        };
        self.http.json(call, PATIENCE).await
    }
}

/// `Ok(None)` for what is not there.
fn absent<T>(answer: EngineResult<T>) -> EngineResult<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Engine for Docker {
    async fn facts(&self) -> EngineResult<Facts> {
        Ok(answer::facts(&self.get("/info").await?, self.api, self.podman.as_deref()))
    }

    async fn now(&self) -> EngineResult<i64> {
        let answer = self.http.send(self.call(Method::GET, "/_ping"), PATIENCE).await?;
        let date = answer.date();
        answer.drain(PATIENCE).await?;
        date.ok_or_else(|| EngineError::new(ErrorKind::Other, 200, "its answer has no Date header"))
    }

    async fn containers(&self) -> EngineResult<Vec<Summary>> {
        Ok(answer::summaries(&self.get("/containers/json?all=1").await?))
    }

    async fn container(&self, id: &str) -> EngineResult<Option<Inspected>> {
        let answer = self.get(&format!("/containers/{}/json", segment(id))).await;
        Ok(absent(answer)?.map(answer::inspected))
    }

    async fn image(&self, reference: &str) -> EngineResult<Option<Image>> {
        let answer = self.get(&format!("/images/{}/json", segment(reference))).await;
        Ok(absent(answer)?.as_ref().map(answer::image))
    }

    async fn tags(&self, folder: &str) -> EngineResult<Vec<Tag>> {
        let filters = json!({ "reference": [format!("{folder}/*")] }).to_string();
        let path = format!("/images/json{}", query(&[("filters", &filters)]));
        // With containerd's store a list is "not found" while an image on it is just going (28.5.2).
        for _ in 0..2 {
            match self.get(&path).await {
                Err(error) if error.kind == ErrorKind::NotFound => {}
                answer => return Ok(answer::tags(&answer?, folder)),
            }
        }
        Ok(answer::tags(&self.get(&path).await?, folder))
    }

    async fn resolve(&self, image: &ImageRef, auth: Option<&AuthHeader>) -> EngineResult<Manifest> {
        let path = format!("/distribution/{}/json", segment(&image.to_string()));
        let call = self.call(Method::GET, &path).auth(auth)?;
        let answer = self.http.json(call, REGISTRY_PATIENCE).await;
        let answer = answer.map_err(|error| refusal::of_resolve(error, image, auth.is_some()))?;
        match answer["Descriptor"]["digest"].as_str() {
            Some(digest) => {
                let platforms = answer::platforms(&answer["Platforms"]);
                Ok(Manifest { digest: digest.to_owned(), platforms })
            }
            None => Err(EngineError::new(ErrorKind::Other, 200, "it named no digest")),
        }
    }

    async fn login(&self, registry: &RegistryHost, auth: &AuthHeader) -> EngineResult<()> {
        let call = self.call(Method::POST, "/auth").json(auth.reveal_json());
        let refused = |error| refusal::of_login(error, registry);
        let answer = self.http.send(call, REGISTRY_PATIENCE).await.map_err(refused)?;
        // It may hold a token: nobody looks at it.
        answer.drain(REGISTRY_PATIENCE).await
    }

    async fn pull(
        &self,
        image: &ImageRef,
        platform: Option<&str>,
        auth: Option<&AuthHeader>,
        progress: &dyn Fn(PullProgress),
    ) -> EngineResult<()> {
        let tag = match (&image.digest, &image.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        };
        let name = image.name.to_string();
        let mut asked = vec![("fromImage", name.as_str()), ("tag", tag)];
        asked.extend(platform.map(|platform| ("platform", platform)));
        let path = format!("/images/create{}", query(&asked));
        let call = self.call(Method::POST, &path).auth(auth)?;
        let refused = |error| refusal::of_pull(error, image, auth.is_some());
        let answer = self.http.send(call, REGISTRY_PATIENCE).await.map_err(refused)?;
        progress::follow(answer, REGISTRY_PATIENCE, progress).await.map_err(refused)
    }

    async fn tag(&self, source: &str, name: &str) -> EngineResult<()> {
        let Ok(tagged) = ImageRef::parse(name) else {
            return Err(EngineError::new(ErrorKind::Other, 0, &format!("{name} is not an image reference")));
        };
        let tag = tagged.tag.as_deref().unwrap_or("latest");
        let named = query(&[("repo", &tagged.name.to_string()), ("tag", tag)]);
        self.post(&format!("/images/{}/tag{named}", segment(source)), None).await.map(drop)
    }

    async fn untag(&self, name: &str) -> EngineResult<()> {
        let call = self.call(Method::DELETE, &format!("/images/{}", segment(name)));
        self.http.json(call, PATIENCE).await.map(drop)
    }

    async fn create(&self, name: &str, body: CreateBody) -> EngineResult<(String, Vec<String>)> {
        let mut body = body.0;
        let platform = body.as_object_mut().and_then(|body| body.remove("Platform"));
        let mut asked = vec![("name", name)];
        asked.extend(platform.as_ref().and_then(Value::as_str).map(|platform| ("platform", platform)));
        let path = format!("/containers/create{}", query(&asked));
        let answer = self.post(&path, Some(&body)).await?;
        match answer["Id"].as_str() {
            Some(id) => Ok((id.to_owned(), answer::warnings(&answer))),
            None => Err(EngineError::new(ErrorKind::Other, 201, "it named no container")),
        }
    }

    async fn connect(&self, id: &str, network: &str, endpoint: &Value) -> EngineResult<()> {
        let body = json!({ "Container": id, "EndpointConfig": endpoint });
        self.post(&format!("/networks/{}/connect", segment(network)), Some(&body)).await.map(drop)
    }

    async fn disconnect(&self, id: &str, network: &str, force: bool) -> EngineResult<()> {
        let body = json!({ "Container": id, "Force": force });
        self.post(&format!("/networks/{}/disconnect", segment(network)), Some(&body)).await.map(drop)
    }

    async fn start(&self, id: &str) -> EngineResult<()> {
        self.post(&format!("/containers/{}/start", segment(id)), None).await.map(drop)
    }

    async fn stop(&self, id: &str, timeout: Option<u32>) -> EngineResult<()> {
        let did = self.stopped(id, timeout).await?;
        if did || self.podman.is_none() {
            return Ok(());
        }
        // Podman calls one that crashed stopped, and starts it again by its restart policy all the same; only
        // a stop while it runs ends that (4.3.1).
        for _ in 0..RESTARTS.as_millis() / GLANCE.as_millis() {
            tokio::time::sleep(GLANCE).await;
            let Some(found) = self.container(id).await? else { break };
            if found.state.running && self.stopped(id, timeout).await? {
                break;
            }
        }
        Ok(())
    }

    async fn update(&self, id: &str, body: &Value) -> EngineResult<Vec<String>> {
        let answer = self.post(&format!("/containers/{}/update", segment(id)), Some(body)).await?;
        Ok(answer::warnings(&answer))
    }

    async fn exec(&self, id: &str, command: &[String], patience: Duration) -> EngineResult<i64> {
        let body = json!({ "Cmd": command, "AttachStdout": true, "AttachStderr": true });
        let made = self.post(&format!("/containers/{}/exec", segment(id)), Some(&body)).await?;
        let Some(exec) = made["Id"].as_str() else {
            return Err(EngineError::new(ErrorKind::Other, 201, "it named no exec"));
        };
        let start = json!({ "Detach": false, "Tty": false });
        let call = self.call(Method::POST, &format!("/exec/{}/start", segment(exec))).body(&start)?;
        // Its output ends with it; nobody reads what it says.
        let answer = self.http.send(call, patience).await?;
        drop(answer.bytes(patience).await?);
        let ended = self.get(&format!("/exec/{}/json", segment(exec))).await?;
        ended["ExitCode"].as_i64().ok_or_else(|| {
            EngineError::new(
                ErrorKind::Other,
                200,
                &format!("it did not end within {} s", patience.as_secs()),
            )
        })
    }

    async fn signal(&self, id: &str, signal: &str) -> EngineResult<()> {
        let path = format!("/containers/{}/kill{}", segment(id), query(&[("signal", signal)]));
        self.post(&path, None).await.map(drop)
    }

    async fn rename(&self, id: &str, name: &str) -> EngineResult<()> {
        let path = format!("/containers/{}/rename{}", segment(id), query(&[("name", name)]));
        self.post(&path, None).await.map(drop)
    }

    async fn remove(&self, id: &str) -> EngineResult<()> {
        let call = self.call(Method::DELETE, &format!("/containers/{}", segment(id)));
        self.http.json(call, PATIENCE).await.map(drop)
    }

    async fn log_tail(&self, id: &str, lines: u32) -> EngineResult<Vec<String>> {
        let lines = lines.to_string();
        let wanted = query(&[("stdout", "1"), ("stderr", "1"), ("tail", &lines)]);
        let call = self.call(Method::GET, &format!("/containers/{}/logs{wanted}", segment(id)));
        let bytes = self.http.send(call, PATIENCE).await?.bytes(PATIENCE).await?;
        Ok(logs::lines(&bytes))
    }

    async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> EngineResult<Volume> {
        let body = json!({ "Name": name, "Labels": labels });
        answer::volume(&self.post("/volumes/create", Some(&body)).await?)
    }

    async fn volumes(&self, label: &str, value: &str) -> EngineResult<Vec<Volume>> {
        let filters = json!({ "label": [format!("{label}={value}")] }).to_string();
        let answer = self.get(&format!("/volumes{}", query(&[("filters", &filters)]))).await?;
        answer["Volumes"].as_array().into_iter().flatten().map(answer::volume).collect()
    }

    async fn remove_volume(&self, name: &str) -> EngineResult<()> {
        let call = self.call(Method::DELETE, &format!("/volumes/{}", segment(name)));
        absent(self.http.json(call, PATIENCE).await).map(drop)
    }

    async fn put_files(&self, id: &str, folder: &str, archive: &Secret) -> EngineResult<()> {
        let path = format!("/containers/{}/archive{}", segment(id), query(&[("path", folder)]));
        let call = self.call(Method::PUT, &path).archive(archive.reveal());
        self.http.json(call, PATIENCE).await.map(drop)
    }

    async fn start_filled(&self, id: &str, filling: Filling<'_>) -> EngineResult<()> {
        filled::start(self, id, filling).await
    }

    async fn remove_with_volumes(&self, id: &str) -> EngineResult<()> {
        let path = format!("/containers/{}{}", segment(id), query(&[("v", "1")]));
        absent(self.http.json(self.call(Method::DELETE, &path), PATIENCE).await).map(drop)
    }
    async fn volume(&self, name: &str) -> EngineResult<Option<Volume>> {
        let answer = self.get(&format!("/volumes/{}", segment(name))).await;
        absent(answer)?.as_ref().map(answer::volume).transpose()
    }

    async fn make_volume(&self, body: &Value) -> EngineResult<Volume> {
        answer::volume(&self.post("/volumes/create", Some(body)).await?)
    }

    async fn networks(&self) -> EngineResult<Vec<Network>> {
        let answer = self.get("/networks").await?;
        Ok(answer.as_array().into_iter().flatten().map(answer::network).collect())
    }

    async fn network(&self, id: &str) -> EngineResult<Option<Network>> {
        let answer = self.get(&format!("/networks/{}", segment(id))).await;
        Ok(absent(answer)?.as_ref().map(answer::network))
    }

    async fn create_network(&self, body: &Value) -> EngineResult<()> {
        self.post("/networks/create", Some(body)).await.map(drop)
    }

    async fn remove_network(&self, id: &str) -> EngineResult<()> {
        let call = self.call(Method::DELETE, &format!("/networks/{}", segment(id)));
        self.http.json(call, PATIENCE).await.map(drop)
    }
}
