//! Logs of an Engine in memory that is lost, and whose containers come and go.

use super::*;
use crate::engine::Engine as _;
use crate::name::{Owner, WorkspaceName};
use crate::observe::replicas;
use crate::testing::fake::{Behaviour, Fake};
use serde_json::json;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::sleep;

fn owner() -> Owner {
    Owner::from(WorkspaceName::parse("shop").expect("a name"))
}

fn host() -> HostName {
    HostName::parse("web1").expect("a name")
}

/// A container of `api`, under this name and of this generation.
fn start(engine: &Fake, name: &str, generation: u64) {
    let labels = json!({
        "io.pillarbox.workspace": "shop", "io.pillarbox.service": "api",
        "io.pillarbox.instance": format!("api.g{generation}"), "io.pillarbox.generation": generation.to_string(),
        "io.pillarbox.spec": "v1:sha256:00", "io.pillarbox.image": "r.example.com/api@sha256:00",
    });
    engine.add_container(name, json!({ "Image": "r.example.com/api:1", "Labels": labels }), true);
}

fn engine() -> Fake {
    let engine = Fake::new();
    engine.publish("r.example.com/api:1", "one", Behaviour::default());
    engine.preload("r.example.com/api:1");
    start(&engine, "api", 1);
    engine
}

/// What is told while something happens, and what is told of it.
async fn told(engine: &Fake, follow: bool, happens: impl Future<Output = ()>) -> (Vec<String>, Result<()>) {
    let (owner, dialled) = (owner(), engine.clone());
    let wanted = Wanted {
        part: LogPart { follow, ..LogPart::default() },
        joins: &|one| one.service == "api",
        owner: &owner,
    };
    let dial: Dial<'_, Fake> = Rc::new(move || {
        let engine = dialled.clone();
        async move {
            match engine.now().await {
                Ok(_) => Ok(Rc::new(engine)),
                Err(error) => Err(error.problem("host web1 does not answer").into()),
            }
        }
        .boxed_local()
    });
    let found = replicas(engine, &host(), &owner).await.expect("read");
    let source = Source { host: host(), engine: Rc::new(engine.clone()), replicas: found, dial };
    let said = RefCell::new(Vec::new());
    let mut tell = |news: News<'_>| {
        let text = match news {
            News::Line(at, line) => format!("{at}: {}", String::from_utf8_lossy(&line.text)),
            News::Stream(host, replica) => format!("stream {host}/{}", replica.title()),
            News::Unreadable(problem) => format!("unreadable: {}", problem.what),
            News::Lost(host, _) => format!("lost {host}"),
            News::Back(host) => format!("back {host}"),
            News::Pause => return ControlFlow::Continue(()),
        };
        said.borrow_mut().push(text);
        ControlFlow::Continue(())
    };
    let ended = tokio::select! {
        ended = read(vec![source], &wanted, &mut tell) => ended,
        () = happens => Ok(()),
    };
    (said.into_inner(), ended)
}

const MOMENT: Duration = Duration::from_millis(500);

#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_followed_ends() {
    let engine = engine();
    engine.write("api", "one");
    engine.write("api", "two");
    let (said, ended) = told(&engine, false, std::future::pending()).await;
    assert_eq!(said, ["stream web1/api", "0: one", "0: two"]);
    ended.expect("read");
}

#[tokio::test(start_paused = true)]
async fn no_line_is_lost_or_told_twice_over_a_lost_host() {
    let engine = engine();
    engine.write("api", "one");
    // Two at the same moment.
    engine.write("api", "two");
    let (said, _) = told(&engine, true, async {
        sleep(MOMENT).await;
        engine.hang_up();
        sleep(MOMENT).await;
        engine.write("api", "three");
        sleep(Duration::from_secs(5)).await;
        engine.heal();
        sleep(Duration::from_secs(20)).await;
        engine.write("api", "four");
        sleep(MOMENT).await;
    })
    .await;
    assert_eq!(
        said,
        ["stream web1/api", "0: one", "0: two", "lost web1", "back web1", "0: three", "0: four"]
    );
}

#[tokio::test(start_paused = true)]
async fn containers_that_start_later_join_and_one_that_starts_again_goes_on() {
    let engine = engine();
    let (said, _) = told(&engine, true, async {
        sleep(MOMENT).await;
        engine.write("api", "old");
        start(&engine, "api.g2", 2);
        engine.write("api.g2", "new");
        sleep(MOMENT).await;
        engine.stop_container("api");
        sleep(MOMENT).await;
        engine.start("api").await.expect("started");
        engine.write("api", "again");
        sleep(Duration::from_secs(2)).await;
    })
    .await;
    assert_eq!(said, ["stream web1/api", "0: old", "stream web1/api.g2", "1: new", "0: again"]);
}
