//! Looks at an Engine with a client that is not ours (bollard): what it says does not pass through the code
//! under test, neither the connection nor the reading of answers.

use crate::testbed::{Api, eventually};
use bollard::errors::Error;
use bollard::query_parameters::ListContainersOptions;
use bollard::{BollardRequest, Docker};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UnixStream;

/// Seconds that one call may take.
const TIMEOUT: u64 = 120;

/// The Engine at a socket, over connections that stay open between calls.
pub(crate) fn at(socket: &Path) -> Docker {
    let pool = Arc::new(Pool { socket: socket.to_owned(), idle: Mutex::default() });
    let transport = move |request: BollardRequest| {
        let pool = Arc::clone(&pool);
        async move { pool.send(request).await }
    };
    Docker::connect_with_custom_transport(
        transport,
        Some("http://engine"),
        TIMEOUT,
        bollard::API_DEFAULT_VERSION,
    )
    .expect("nothing is asked yet")
}

struct Pool<B> {
    socket: PathBuf,
    idle: Mutex<Vec<SendRequest<B>>>,
}

impl<B> Pool<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    async fn send(&self, mut request: Request<B>) -> Result<Response<Incoming>, Error> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
        request.headers_mut().insert(HOST, HeaderValue::from_static("engine"));
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            // One whose answer is still being read is not ready.
            let ready = idle.iter().position(SendRequest::is_ready);
            ready.map(|at| idle.swap_remove(at))
        };
        let mut sender = match idle {
            Some(sender) => sender,
            None => self.open().await?,
        };
        let response = sender.send_request(request).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        Ok(response)
    }

    async fn open(&self) -> Result<SendRequest<B>, Error> {
        let stream = TokioIo::new(UnixStream::connect(&self.socket).await?);
        let (sender, connection) = http1::handshake(stream).await?;
        drop(tokio::spawn(connection));
        Ok(sender)
    }
}

impl Api {
    /// A container, as `docker inspect` shows it; `None` where there is none of this name.
    #[track_caller]
    pub(crate) fn find_container(&self, name: &str) -> Option<Value> {
        found(self.ask(async |docker| docker.inspect_container(name, None).await))
    }

    /// A container that must be there.
    #[track_caller]
    pub(crate) fn container(&self, name: &str) -> Value {
        self.find_container(name).unwrap_or_else(|| panic!("there is no container {name}"))
    }

    /// The containers, stopped ones too, that this filter lets through, as `docker ps` has it.
    #[track_caller]
    pub(crate) fn containers(&self, filter: Option<(&str, String)>) -> Vec<Value> {
        let filter = filter.map(|(kind, text)| HashMap::from([(kind.to_owned(), vec![text])]));
        let options = || ListContainersOptions { all: true, filters: filter.clone(), ..Default::default() };
        self.list(async |docker| docker.list_containers(Some(options())).await)
    }

    /// An image by any of its names, or its id.
    #[track_caller]
    pub(crate) fn find_image(&self, name: &str) -> Option<Value> {
        found(self.ask(async |docker| docker.inspect_image(name).await))
    }

    /// All images.
    #[track_caller]
    pub(crate) fn images(&self) -> Vec<Value> {
        let options = None::<bollard::query_parameters::ListImagesOptions>;
        self.list(async |docker| docker.list_images(options.clone()).await)
    }

    /// All networks.
    #[track_caller]
    pub(crate) fn networks(&self) -> Vec<Value> {
        self.list(async |docker| docker.list_networks(None).await)
    }

    /// All volumes.
    #[track_caller]
    pub(crate) fn volumes(&self) -> Vec<Value> {
        let options = None::<bollard::query_parameters::ListVolumesOptions>;
        let listed = self.ask(async |docker| docker.list_volumes(options.clone()).await);
        let listed = listed.unwrap_or_else(|error| panic!("the volumes: {error}"));
        listed["Volumes"].as_array().cloned().unwrap_or_default()
    }

    /// A list. With containerd's store one is "not found" while an image on it is just going.
    #[track_caller]
    fn list<T: Serialize>(&self, question: impl AsyncFn(Docker) -> Result<T, Error> + Sync) -> Vec<Value> {
        let mut list = Vec::new();
        let answered = eventually(|| match found(self.ask(&question)) {
            Some(Value::Array(all)) => {
                list = all;
                true
            }
            Some(other) => panic!("{other} is no list"),
            None => false,
        });
        assert!(answered, "a list that is not found");
        list
    }

    /// Asks in a thread of its own, since a test may run in a runtime.
    fn ask<T: Serialize>(
        &self,
        question: impl AsyncFn(Docker) -> Result<T, Error> + Sync,
    ) -> Result<Value, Error> {
        let asking = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let answer = runtime.expect("a runtime").block_on(question(at(self.socket())))?;
            Ok(serde_json::to_value(answer).expect("JSON"))
        };
        let mut answer = std::thread::scope(|scope| scope.spawn(asking).join()).expect("an answer");
        // Podman says `stopped` until it has cleaned up after a container, which bollard does not know.
        for _ in 0..100 {
            match &answer {
                Err(Error::JsonDataError { message, .. }) if message.contains("`stopped`") => {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    answer = std::thread::scope(|scope| scope.spawn(asking).join()).expect("an answer");
                }
                _ => break,
            }
        }
        answer
    }
}

/// `None` for what is not there; anything else that is wrong ends the test.
#[track_caller]
fn found(answer: Result<Value, Error>) -> Option<Value> {
    match answer {
        Ok(found) => Some(found),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => None,
        // Podman, of a list on which an image is just going.
        Err(Error::DockerResponseServerError { status_code: 500, message })
            if message.contains("image not known") =>
        {
            None
        }
        Err(error) => panic!("the Engine does not answer: {error}"),
    }
}
