//! A project as people have it, with the programs that they have in it: haproxy before two web servers, a worker, redis,
//! a migration, and PostgreSQL with a volume and a sealed password. It is deployed, upgraded under load, rolled back, and
//! its balancer gets another configuration.

use crate::env::{Output, repository};
use crate::testbed::{EngineEnv, eventually};
use std::fs;
use std::path::PathBuf;

const PASSWORD: &str = "canary~?>'\\ÄÖÜ$x";

/// The services, on a port of the test.
const FILE: &str = r#"
x-app: &app
  image: APP:${TAG}
  environment: {VERSION: "${TAG}", PGHOST: database, PGUSER: shop, PGDATABASE: postgres, CACHE: cache}
  secrets: [database-password]
  restart: always
  stop_grace_period: 3s
services:
  balancer:
    image: BALANCER:1
    ports: ["PORT:80"]
    configs: [{source: balancer, target: /etc/haproxy.cfg}]
    depends_on: [web]
    restart: always
    stop_grace_period: 1s
  web:
    <<: *app
    command: [/bin/start, web]
    deploy: {replicas: 2}
    depends_on: {migrate: {condition: service_completed_successfully}, cache: {condition: service_started}}
    healthcheck: {test: [CMD, wget, -qO-, "http://127.0.0.1/"], interval: 500ms, retries: 20}
    x-pillarbox: {update: {drain: 3s, monitor: 1s}}
  worker:
    <<: *app
    command: [/bin/start, worker]
    depends_on: {migrate: {condition: service_completed_successfully}, cache: {condition: service_started}}
    x-pillarbox: {update: {monitor: 1s}}
  migrate:
    <<: *app
    command: [/bin/start, migrate]
    restart: "no"
    depends_on: {database: {condition: service_healthy}}
  database:
    image: DATABASE:1
    volumes: ["data:/data"]
    secrets: [database-password]
    healthcheck: {test: [CMD, psql, -h, /tmp, -U, shop, -c, select 1, postgres], interval: 500ms, retries: 60}
    restart: always
    stop_signal: SIGINT
  cache:
    image: CACHE:1
    command: [redis-server, --save, "", --bind, 0.0.0.0, --protected-mode, "no"]
    healthcheck: {test: [CMD, redis-cli, ping], interval: 500ms, retries: 20}
    restart: always
volumes:
  data:
configs:
  balancer: {file: ./haproxy.cfg}
secrets:
  database-password: {environment: DATABASE_PASSWORD}
"#;

/// What the application does: a web server that takes orders, a worker that writes them down, a migration.
const APP: &str = r#"
export PGPASSWORD="$(cat /run/secrets/database-password)"
case $1 in
web) trap 'kill $!; sleep 0.3; exit 0' TERM; httpd -f -p 80 -h /www & wait $! ;;
worker)
  trap 'exit 0' TERM
  while :; do
    order=$(redis-cli -h $CACHE blpop orders 1 | while read -r line; do last=$line; echo $last >/tmp/last; done; cat /tmp/last 2>/dev/null; rm -f /tmp/last)
    [ -z "$order" ] || psql -qc "insert into orders (what) values ('$order')"
  done ;;
migrate) psql -qc 'create table if not exists orders (id serial primary key, what text not null)' && echo migrated to $VERSION ;;
esac
"#;

/// The first start makes the database; a user who is not root runs it.
const DATABASE: &str = r#"
if [ ! -s /data/PG_VERSION ]; then
  busybox chown 70 /data
  busybox su -s /bin/sh postgres -c 'initdb -N -D /data -U shop --locale=C -E UTF8 --auth-local=trust --auth-host=scram-sha-256 --pwfile=/run/secrets/database-password' || exit 1
  echo 'host all all all scram-sha-256' >>/data/pg_hba.conf
fi
exec busybox su -s /bin/sh postgres -c 'exec postgres -D /data -k /tmp -c listen_addresses=0.0.0.0'
"#;

/// Programs of PostgreSQL, whatever its version here is; the folder of them, and that of its other files.
fn postgres() -> (PathBuf, String) {
    let found = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = found.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists()).max();
    let folder = newest.expect("PostgreSQL is missing: run scripts/testbed needs");
    let version = folder.file_name().expect("a version").to_string_lossy().into_owned();
    (folder.join("bin"), version)
}

struct Project {
    bed: EngineEnv,
    port: u16,
}

impl Project {
    fn new() -> Option<Self> {
        let bed = EngineEnv::initialised(&[])?;
        bed.add_registry();
        let (programs, version) = postgres();
        let program = |name: &str| programs.join(name).display().to_string();
        let of_root = |name: &str| {
            let found = ["/usr/sbin", "/usr/bin"].map(|folder| format!("{folder}/{name}"));
            let found = found.into_iter().find(|path| fs::exists(path).unwrap_or_default());
            found.unwrap_or_else(|| panic!("{name} is missing: run scripts/testbed needs"))
        };
        let balancer = bed.push_programs(
            &["--program", &of_root("haproxy")],
            "exec haproxy -db -f /etc/haproxy.cfg",
            "balancer",
            "1",
        );
        let redis = ["--program", &of_root("redis-server"), "--program", &of_root("redis-cli")];
        let cache = bed.push_programs(&redis, "exec redis-server", "cache", "1");
        bed.env.write("image/passwd", "root:x:0:0::/:/bin/sh\npostgres:x:70:70::/data:/bin/sh\n");
        let passwd = format!("{}:/etc/passwd", bed.env.workspace().join("image/passwd").display());
        let shared = format!("/usr/share/postgresql/{version}:/usr/share/postgresql/{version}");
        let library = |name: &str| format!("/usr/lib/postgresql/{version}/lib/{name}.so:/lib/{name}.so");
        let database = [
            "--program",
            &program("postgres"),
            "--program",
            &program("initdb"),
            "--program",
            &program("psql"),
            "--file",
            &shared,
            "--file",
            &library("plpgsql"),
            "--file",
            &library("dict_snowball"),
            "--file",
            &passwd,
        ];
        let database = bed.push_programs(&database, DATABASE, "database", "1");
        let answer = |name: &str, script: &str| {
            let text = format!("#!/bin/sh\necho Content-Type: text/plain; echo\n{script}\n");
            bed.env.write(&format!("image/{name}"), text);
            let path = bed.env.workspace().join(format!("image/{name}"));
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(&path, mode).expect("its mode");
            format!("{}:/www/cgi-bin/{name}", path.display())
        };
        let order =
            answer("order", "redis-cli -h $CACHE rpush orders one >/dev/null && echo taken by $VERSION");
        let count = answer("count", "psql -Atqc 'select count(*) from orders'");
        let app = [
            "--program",
            &program("psql"),
            "--program",
            &of_root("redis-cli"),
            "--file",
            &order,
            "--file",
            &count,
        ];
        let app = ["1.0.0", "1.1.0"].map(|tag| bed.push_programs(&app, APP, "app", tag));
        let port = bed.port();
        let file = FILE
            .replace("APP:", &format!("{}:", app[0]))
            .replace("BALANCER:", &format!("{balancer}:"))
            .replace("DATABASE:1", &format!("{database}:1"))
            .replace("CACHE:1", &format!("{cache}:1"))
            .replace("PORT", &port.to_string());
        bed.env.write("compose.yaml", file);
        let page = fs::read_to_string(repository().join("docs/services.md")).expect("the page");
        let config = page.split("```haproxy\n").nth(1).and_then(|rest| rest.split("```").next());
        bed.env.write("haproxy.cfg", config.expect("the configuration").replace("api:80", "web:80"));
        let name = &bed.name;
        let inventory = bed.env.read("pillarbox.toml");
        let host = format!("groups = [\"all\"]\ncompose = [\"{name}\"]\n[compose.{name}]");
        bed.env.write("pillarbox.toml", inventory.replace("groups = [\"all\"]", &host));
        let project = Self { bed, port };
        project.run(&["set", &project.variable("TAG"), "1.0.0", "--in", "apps"]).ok();
        let seal = ["seal", &project.variable("DATABASE_PASSWORD"), "--in", "apps"];
        project.bed.env.run_with_input(&seal, format!("{PASSWORD}\n")).ok();
        Some(project)
    }

    fn variable(&self, name: &str) -> String {
        format!("vars.{}.{name}", self.bed.name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.bed.env.run(arguments)
    }

    fn service(&self, name: &str) -> String {
        format!("{}.{name}", self.bed.name)
    }

    /// Sends an order, and waits until it is in the database.
    #[track_caller]
    fn order(&self, version: &str) {
        let asked = |path: &str| self.bed.http_at(self.port, path);
        let mut before = asked("/cgi-bin/count");
        assert!(
            eventually(|| {
                before = asked("/cgi-bin/count");
                before.is_ok()
            }),
            "{before:?}"
        );
        let before: u32 = before.expect("a number").parse().expect("a number");
        assert_eq!(asked("/cgi-bin/order"), Ok(format!("taken by {version}")));
        let written = (before + 1).to_string();
        assert!(
            eventually(|| asked("/cgi-bin/count") == Ok(written.clone())),
            "{:?}",
            asked("/cgi-bin/count")
        );
    }

    /// Its containers that run, with their ids.
    fn running(&self) -> Vec<(String, String)> {
        let all = self.bed.containers().into_iter().filter(|one| one["State"] == "running");
        let mut all: Vec<(String, String)> = all
            .map(|one| {
                let name = one["Names"][0].as_str().unwrap_or_default();
                let name = name.trim_start_matches('/').trim_start_matches(&self.bed.name);
                (name.trim_start_matches('-').to_owned(), one["Id"].as_str().unwrap_or_default().to_owned())
            })
            .collect();
        all.sort();
        all
    }

    fn rests(&self) {
        drop(self.run(&["plan", "--detailed-exitcode"]).ok().says("no changes"));
    }
}

#[test]
fn a_project_with_a_balancer_a_cache_a_worker_a_migration_and_a_database_is_run_for_a_day() {
    let Some(project) = Project::new() else { return };
    drop(project.run(&["apply", "-y"]).ok().lacks("canary"));
    project.rests();
    project.order("1.0.0");
    let names = |running: &[(String, String)]| -> Vec<String> {
        running.iter().map(|(name, _)| name.clone()).collect()
    };
    let before = project.running();
    assert_eq!(names(&before), ["balancer-1", "cache-1", "database-1", "web-1", "web-2", "worker-1"]);

    // A new version of the application: the migration first, and not one request fails.
    project.run(&["set", &project.variable("TAG"), "1.1.0"]).ok();
    let (said, asked, failed) = project.bed.while_asked(project.port, || project.run(&["apply", "-y"]));
    drop(said.ok().lacks("canary"));
    assert!(failed.is_empty() && asked > 100, "{asked} asked, {failed:?}");
    project.rests();
    project.order("1.1.0");
    let after = project.running();
    let kept: Vec<&str> = before.iter().filter(|one| after.contains(one)).map(|one| one.0.as_str()).collect();
    assert_eq!(kept, ["balancer-1", "cache-1", "database-1"]);

    // Another configuration of the balancer is seen, and is all that changes.
    let config = project.bed.env.read("haproxy.cfg");
    project.bed.env.write("haproxy.cfg", config.replace("maxconn 1000", "maxconn 2000"));
    drop(project.run(&["plan"]).ok().says("-    maxconn 1000").says("+    maxconn 2000"));
    drop(project.run(&["apply", "-y"]).ok());
    project.order("1.1.0");
    let configured = project.running();
    let kept = after.iter().filter(|one| configured.contains(one)).map(|one| one.0.as_str());
    assert_eq!(kept.collect::<Vec<_>>(), ["cache-1", "database-1", "web-1", "web-2", "worker-1"]);

    // What was written stays while the database is started again, and the web servers go back.
    drop(project.run(&["restart", &project.service("database"), "-y"]).ok());
    drop(project.run(&["rollback", &project.service("web"), "--once", "-y"]).ok());
    project.order("1.0.0");
    let exec = ["exec", &project.service("database"), "-T", "--", "psql", "-h", "/tmp", "-U", "shop", "-Atc"];
    let count = [exec.as_slice(), &["select count(*) from orders", "postgres"]].concat();
    assert_eq!(project.run(&count).ok().stdout().trim(), "4");
    drop(project.run(&["plan", "--json"]).ok().lacks("canary"));
}
