//! Small projects of Compose from a grammar: a seed gives the same project each time.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Forms that are refused by themselves, each with its key.
pub(crate) type Refused = BTreeSet<(&'static str, &'static str)>;

/// Numbers from a seed (SplitMix64).
struct Seeded<'a> {
    state: u64,
    refused: &'a Refused,
    /// Forms that are refused are taken too.
    wild: bool,
}

impl<'a> Seeded<'a> {
    fn new(seed: u64, refused: &'a Refused) -> Self {
        let state = seed.wrapping_mul(0xd134_2543_de82_ef95).rotate_left(29);
        Self { state, refused, wild: seed.is_multiple_of(6) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).expect("a small number")).expect("below it")
    }

    /// One of them, for a key.
    fn one(&mut self, key: &'static str, of: &[&'static str]) -> &'static str {
        for _ in 0..20 {
            let one = of[self.below(of.len())];
            if self.wild || !self.refused.contains(&(key, one)) {
                return one;
            }
        }
        let fine = of.iter().find(|one| !self.refused.contains(&(key, **one)));
        fine.or(of.first()).copied().expect("a form")
    }

    /// Some of them, at least one.
    fn some(&mut self, key: &'static str, of: &[&'static str]) -> Vec<&'static str> {
        let mut chosen = vec![self.one(key, of)];
        for _ in 0..self.below(3) {
            let more = self.one(key, of);
            if !chosen.contains(&more) {
                chosen.push(more);
            }
        }
        chosen
    }
}

/// A project: its files by name, those of them that Compose is given, and its variables.
pub(crate) struct Generated {
    pub(crate) files: Vec<(String, String)>,
    pub(crate) named: Vec<String>,
    pub(crate) profiles: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
}

/// Variables that every project has; `U` and `W` are not set.
const VARIABLES: [(&str, &str); 6] =
    [("V", "val"), ("E", ""), ("N", "5"), ("P", "8080"), ("T", "true"), ("D", "a $V b")];

/// The value of one of them.
pub(super) fn variable(name: &str) -> &'static str {
    VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).unwrap_or_default()
}

const SCALARS: [&str; 61] = [
    "text",
    "\"text\"",
    "'te''xt'",
    "\"a \\\"b\\\" \\n c\"",
    "1",
    "1.10",
    "1.0",
    "0x1F",
    "0o17",
    "017",
    "08",
    "1e3",
    "1_000",
    "0b11",
    "+5",
    "-5",
    ".5",
    "TRUE",
    "true",
    "False",
    "yes",
    "on",
    "Off",
    "22:22",
    "12:30",
    "1:30:00",
    "\"1.10\"",
    "'017'",
    "\"\"",
    "''",
    "~",
    "null",
    "\"null\"",
    "1.2.3",
    "v1.0",
    "a: b",
    "2024-01-01",
    "\"2024-01-01\"",
    "'a # b'",
    "a#b",
    "a # b",
    "ünïcödé",
    "\"\\u00fc\"",
    "1.5e+10",
    "123456789012",
    "12345678901234567890",
    "0.0001",
    "0.00001",
    "1000000.0",
    "100000.5",
    "-0.0",
    ".inf",
    "|\n%block\n%lines\n",
    ">-\n%folded\n%text\n",
    "[]",
    "{}",
    "!!str 017",
    "*no",
    "- a",
    "? b",
    "@x",
];

const FILLED: [&str; 44] = [
    "$V",
    "${V}",
    "${U:-d}",
    "${E:-d}",
    "${U-d}",
    "${E-d}",
    "${V:+a}",
    "${E:+a}",
    "${U:+a}",
    "${E+a}",
    "${U+a}",
    "${E?m}",
    "${U:-${W:-deep}}",
    "${U:-${V}x$V}",
    "${U:-{json}}",
    "${U:-http://h:80/a?c}",
    "${U-a:-b}",
    "${U:-a:?b}",
    "$$V",
    "$${V}",
    "$$$V",
    "5$",
    "a $ b",
    "$1",
    "$(c)",
    "$é",
    "${V}_x",
    "$V.x",
    "$V-x",
    "$V/x",
    "${U:- sp }",
    "pre-${V}-post",
    "${N}",
    "${T}",
    "${P}:80",
    "${U:?m}",
    "${V:=d}",
    "${}",
    "${",
    "${V/x/y}",
    "${V!}",
    "${U:-}",
    "${D}",
    "a${E}b",
];

const COMMANDS: [&str; 22] = [
    "serve --port 80",
    "\"serve  'a b' \\\"c\\\"\"",
    "[a, \"b c\"]",
    "[]",
    "\"\"",
    "null",
    "~",
    "[a, 1]",
    "1",
    "\"a \\\\b\"",
    "echo $$HOME",
    "[echo, \"$$HOME\"]",
    "a 'b",
    "\"a  b   c\"",
    "'a \"b c\" d'",
    "[\"\"]",
    "true",
    "|\n%line one\n%line two\n",
    ">\n%folded one\n%two\n",
    "sh -c \"echo hi\"",
    "[sh, -c, \"a | b\"]",
    "a\\ b",
];

const PORTS: [&str; 39] = [
    "\"80\"",
    "80",
    "\"8080:80\"",
    "8080:80",
    "\"127.0.0.1:8080:80\"",
    "\"8080:80/udp\"",
    "\"80/udp\"",
    "\"3000-3005\"",
    "\"8000-8002:80-82\"",
    "\"8000-8010:80\"",
    "\"[::1]:8080:80\"",
    "\":80:80\"",
    "\"::1:80:80\"",
    "\"80:http\"",
    "http",
    "0o120:80",
    "\"127.0.0.1::80\"",
    "\"127.0.0.1:8000-8002:80-82\"",
    "{target: 80}",
    "{target: 80, published: 8080}",
    "{target: 80, published: \"8080\", protocol: udp}",
    "{target: 80, published: \"8080-8090\"}",
    "{target: 80, host_ip: 127.0.0.1, published: \"80\", mode: host}",
    "{target: 80, name: web, app_protocol: http}",
    "{published: 80}",
    "{target: \"80\"}",
    "\"8080:80/sctp\"",
    "\"8080:80/foo\"",
    "\"70000:80\"",
    "\"0:80\"",
    "\"${P}:80\"",
    "\"${U:-81}:80\"",
    "{target: 81, x-a: b}",
    "22:22",
    "\"8000-8001:80-82\"",
    "9000-9001:9000-9001",
    "\"localhost:80:80\"",
    "\"80:80:80:80\"",
    "{target: 80, mode: ingress, published: \"\"}",
];

const VOLUMES: [&str; 51] = [
    "{type: bind, source: /e, target: /e2, bind: {selinux: z}}",
    "{type: bind, source: /e, target: /e3, read_only: true, bind: {selinux: Z, propagation: rprivate}}",
    "{type: bind, source: /e, target: /e4, bind: {recursive: enabled}}",
    "{type: bind, source: /e, target: /e5, bind: {recursive: disabled}}",
    "{type: bind, source: /e, target: /e6, read_only: true, bind: {recursive: foo}}",
    "{type: bind, source: /e, target: /e7, bind: {propagation: rslave, create_host_path: true}}",
    "{type: bind, source: /e, target: /e8, bind: {create_host_path: \"false\"}}",
    "{type: volume, source: data, target: /e9, volume: {labels: {a: b}}}",
    "{type: image, source: \"other:1\", target: /i}",
    "{type: bind, source: /e, target: /e10, consistency: cached}",
    "{type: bind, source: /e, target: /e11, bind: {foo: bar}}",
    "data:/data",
    "\"data:/data:ro\"",
    "data:/data:rw",
    "/srv/a:/a",
    "\"/srv/a:/a:ro\"",
    "./conf:/conf",
    "../up:/up",
    ".:/app",
    "./conf:/conf:ro,z",
    "/anon",
    "data:/d:nocopy",
    "./x:/x:rslave",
    "/a/:/b/",
    "./a/../b:/c",
    "data:/a/b/",
    "missing:/m",
    "d/e:/d",
    "cache:/cache:Z",
    "{type: volume, source: data, target: /v}",
    "{type: volume, target: /anon2}",
    "{type: bind, source: ./b, target: /b}",
    "{type: bind, source: /b, target: /b2, read_only: true}",
    "{type: tmpfs, target: /tmp}",
    "{type: tmpfs, target: /t2, tmpfs: {size: 10m}}",
    "{type: tmpfs, target: /t3, tmpfs: {mode: 01777}}",
    "{type: tmpfs, target: /t4, tmpfs: {mode: \"1777\"}}",
    "{type: bind, source: /c, target: /c2, bind: {propagation: rslave}}",
    "{type: volume, source: data, target: /v3, volume: {nocopy: true}}",
    "{type: volume, source: data, target: /v4, volume: {subpath: a}}",
    "{type: bind, source: ./d, target: /d2, bind: {create_host_path: true}}",
    "{type: foo, source: a, target: /f}",
    "{source: data, target: /w}",
    "\"${V}:/val\"",
    "\"./${V}:/val2\"",
    "\"${U:-data}:/val3\"",
    "{type: volume, source: data, target: /v5, x-a: b}",
    "data",
    "\"data:rel\"",
    "{type: bind, source: data, target: /b5}",
    "/srv/sock:/srv/sock",
];

const NETWORKS: [&str; 18] = [
    "{back: {gw_priority: 5}}",
    "{back: {interface_name: eth7}}",
    "{back: {ipv6_address: \"fd00::5\"}}",
    "[back]",
    "[back, default]",
    "{back: }",
    "{back: {aliases: [a, b]}}",
    "{back: {ipv4_address: 10.1.0.5}}",
    "[missing]",
    "{default: , back: {aliases: [x]}}",
    "{back: {mac_address: \"02:42:ac:11:00:05\"}}",
    "{back: {driver_opts: {a: b}}}",
    "{other: {aliases: [back]}}",
    "[outer]",
    "{back: {priority: 5}}",
    "{back: {link_local_ips: [169.254.8.8]}}",
    "[named]",
    "{back: {x-a: b}}",
];

const HEALTH: [&str; 23] = [
    "{test: curl -f http://127.0.0.1/}",
    "{test: [CMD, \"true\"]}",
    "{test: [CMD-SHELL, \"a || b\"]}",
    "{test: NONE}",
    "{test: [NONE]}",
    "{disable: true}",
    "{disable: \"true\"}",
    "{test: a, interval: 1m30s, timeout: 5s, retries: 3, start_period: 1s}",
    "{test: a, timeout: 5}",
    "{test: a, timeout: \"5\"}",
    "{test: a, timeout: \"0\"}",
    "{test: a, retries: \"${N}\"}",
    "{test: [echo, a]}",
    "{interval: 10s}",
    "{test: a, interval: 500ms}",
    "{test: a, interval: 1h}",
    "{test: a, interval: 1d}",
    "{test: a, start_interval: 2s, start_period: 10s}",
    "{test: a, retries: 0}",
    "{test: a, foo: b}",
    "{}",
    "{test: a, retries: \"3\"}",
    "{test: \"echo $$A\"}",
];

const DEPLOY: [&str; 21] = [
    "{replicas: 2}",
    "{replicas: \"${N}\"}",
    "{resources: {limits: {memory: 64M}}}",
    "{resources: {limits: {cpus: \"0.5\"}}}",
    "{resources: {limits: {cpus: 1.5, pids: 100}}}",
    "{resources: {reservations: {memory: 32m}}}",
    "{resources: {reservations: {devices: [{capabilities: [gpu], count: all}]}}}",
    "{resources: {reservations: {devices: [{capabilities: [gpu], driver: nvidia, count: 2}]}}}",
    "{resources: {reservations: {devices: [{capabilities: [gpu], device_ids: [\"0\"]}]}}}",
    "{restart_policy: {condition: on-failure, max_attempts: 3}}",
    "{restart_policy: {condition: none}}",
    "{restart_policy: {condition: any}}",
    "{restart_policy: {condition: on-failure}}",
    "{update_config: {parallelism: 2, order: start-first}}",
    "{mode: replicated}",
    "{labels: {a: b}}",
    "{placement: {constraints: [node.role == manager]}}",
    "null",
    "{foo: bar}",
    "{resources: {limits: {memory: 64M}, reservations: {cpus: \"0.1\"}}}",
    "{endpoint_mode: vip, replicas: 1}",
];

/// Values by key that stand on one line.
const PLAIN: [(&str, &[&str]); 72] = [
    ("cpu_rt_period", &["400000", "\"400000\"", "\"1400us\""]),
    ("cpu_rt_runtime", &["95000", "\"400ms\""]),
    ("cpu_count", &["2"]),
    ("cpu_percent", &["50", "50.5"]),
    ("isolation", &["default"]),
    ("mac_address", &["\"02:42:ac:11:00:05\"", "02-42-AC-11-00-05", "nothing"]),
    ("container_name", &["own-name", "x", "\"${V}-own\"", "\"a b\""]),
    ("external_links", &["[a]", "[\"a:b\"]"]),
    ("build", &[".", "{context: .}", "{context: ./dir, args: {A: \"1\"}}", "{foo: bar}"]),
    ("label_file", &["app.env", "[app.env, raw.env]", "none.env"]),
    ("pre_stop", &["[{command: [a, b]}]", "[{command: a b}]", "[{command: [a], user: root}]", "[]"]),
    ("post_start", &["[{command: [a]}]"]),
    ("develop", &["{watch: [{path: ., action: rebuild}]}", "null"]),
    ("credential_spec", &["{file: a.json}"]),
    ("provider", &["{type: other}"]),
    ("use_api_socket", &["true", "false"]),
    ("models", &["[llm]"]),
    (
        "restart",
        &[
            "always",
            "\"no\"",
            "no",
            "unless-stopped",
            "on-failure",
            "on-failure:3",
            "\"on-failure:3\"",
            "true",
            "${U:-always}",
        ],
    ),
    ("user", &["root", "\"1000\"", "1000", "1000:1000", "\"1000:1000\"", "\"${N}\""]),
    ("working_dir", &["/app", "\"/a b\"", "${U:-/x}"]),
    ("hostname", &["web", "web.example.com", "\"${V}\""]),
    ("domainname", &["example.com"]),
    ("init", &["true", "\"true\"", "yes", "false", "1", "null", "maybe", "\"${T}\""]),
    ("read_only", &["true", "\"on\"", "y", "no"]),
    ("privileged", &["true", "${T}", "${U:-false}", "\"${E}\""]),
    ("tty", &["true", "false", "\"yes\""]),
    ("stdin_open", &["true", "n"]),
    ("stop_signal", &["SIGQUIT", "SIGUSR1", "INT"]),
    ("stop_grace_period", &["30s", "1m30s", "90", "\"90\"", "1d", "1m", "\"10s\""]),
    (
        "labels",
        &[
            "{a: b}",
            "[a=b, c]",
            "{a: 1, b: null}",
            "{a: 1.10}",
            "{\"com.example.a\": \"x y\"}",
            "[\"a=b=c\"]",
            "{a: \"$V\"}",
            "null",
            "{a: yes}",
            "{}",
            "[]",
        ],
    ),
    (
        "sysctls",
        &[
            "{net.core.somaxconn: 1024}",
            "[net.core.somaxconn=1024]",
            "{net.ipv4.ip_forward: \"1\"}",
            "[\"net.ipv4.tcp_syncookies=0\"]",
        ],
    ),
    (
        "extra_hosts",
        &[
            "[\"a:1.2.3.4\"]",
            "[\"a=1.2.3.4\", \"b:::1\"]",
            "{a: 1.2.3.4}",
            "[\"a:host-gateway\"]",
            "{a: [1.2.3.4, 5.6.7.8]}",
            "[\"a=[::1]\"]",
        ],
    ),
    ("tmpfs", &["/run", "[/run, \"/tmp:size=1m\"]", "\"/run:mode=1777\"", "[]"]),
    ("dns", &["1.1.1.1", "[1.1.1.1, 8.8.8.8]", "\"${U:-9.9.9.9}\""]),
    ("dns_search", &["example.com", "[a.example.com, b.example.com]"]),
    ("dns_opt", &["[ndots:2]", "[\"timeout:1\", use-vc]"]),
    ("cap_add", &["[NET_ADMIN]", "[ALL]", "[CAP_SYS_TIME, NET_ADMIN]"]),
    ("cap_drop", &["[ALL]", "[NET_RAW, MKNOD]"]),
    (
        "security_opt",
        &[
            "[\"no-new-privileges:true\"]",
            "[label=disable]",
            "[apparmor=unconfined]",
            "[\"no-new-privileges\"]",
        ],
    ),
    ("group_add", &["[\"10\"]", "[10, staff]", "[mail]"]),
    ("mem_limit", &["64M", "1g", "1.5g", "67108864", "\"64 mb\"", "64MiB", "1gb", "1Gi", "\"\"", "0", "64m"]),
    ("mem_reservation", &["32m", "33554432"]),
    ("memswap_limit", &["128m", "-1", "\"-1\"", "1g"]),
    ("mem_swappiness", &["0", "60", "\"10\""]),
    ("shm_size", &["64m", "67108864", "\"1g\""]),
    ("cpus", &["0.5", "\"0.5\"", "2", "1.25", "\"${U:-0.75}\""]),
    ("cpu_shares", &["512", "\"512\""]),
    ("cpu_quota", &["50000", "\"50000\""]),
    ("cpu_period", &["100000"]),
    ("cpuset", &["\"0\"", "0-1", "\"0,1\""]),
    ("pids_limit", &["100", "-1", "0", "\"50\""]),
    ("oom_score_adj", &["500", "-500", "\"10\""]),
    ("oom_kill_disable", &["true", "false"]),
    (
        "ulimits",
        &[
            "{nofile: 1024}",
            "{nofile: {soft: 512, hard: 1024}}",
            "{nproc: 65535, nofile: {soft: 1, hard: 2}}",
            "{nofile: \"1024\"}",
            "{core: -1}",
        ],
    ),
    (
        "logging",
        &[
            "{driver: json-file}",
            "{driver: json-file, options: {max-size: 10m, max-file: 3}}",
            "{driver: none}",
            "{options: {max-size: \"1m\"}}",
            "null",
        ],
    ),
    (
        "devices",
        &[
            "[\"/dev/null:/dev/n\"]",
            "[/dev/zero]",
            "[\"/dev/null:/dev/n:rw\"]",
            "[{source: /dev/null, target: /dev/x, permissions: r}]",
        ],
    ),
    ("expose", &["[\"80\"]", "[80, \"443/tcp\"]", "[\"9000-9002\"]", "[\"53/udp\"]"]),
    ("platform", &["linux/amd64", "\"linux/arm64\""]),
    ("pull_policy", &["missing", "never", "if_not_present", "always", "daily", "every_12h", "foo"]),
    ("pid", &["host", "\"service:base\""]),
    ("ipc", &["host", "shareable", "private", "\"service:base\""]),
    ("uts", &["host"]),
    ("userns_mode", &["host"]),
    ("cgroup", &["host", "private"]),
    ("cgroup_parent", &["/a"]),
    ("runtime", &["runc"]),
    ("storage_opt", &["{size: 10G}"]),
    ("annotations", &["{a: b}", "[a=b]"]),
    (
        "blkio_config",
        &[
            "{weight: 300}",
            "{device_read_bps: [{path: /dev/null, rate: 1mb}]}",
            "{device_write_iops: [{path: /dev/null, rate: 100}]}",
            "{weight_device: [{path: /dev/null, weight: 200}]}",
        ],
    ),
    ("gpus", &["all", "[{count: 1}]", "[{driver: nvidia, count: all}]", "[{device_ids: [\"0\"]}]"]),
    ("attach", &["false", "true"]),
    ("device_cgroup_rules", &["[\"c 42:* rmw\"]", "[\"c 1:3 mr\", \"b 8:0 r\"]"]),
];

const ENV_LINES: [&str; 42] = [
    "B=${A}-of-a",
    "C_D=${R}",
    "A=x",
    "A: x",
    "A = x",
    "export A=x",
    "   A=x",
    "UNKNOWN_ALONE",
    "V",
    "a.b=1",
    "a-b=1",
    "1a=1",
    "A=un $V ${V}",
    "A='sq $V \\n'",
    "A=\"dq $V \\n \\t \\\" \\\\\"",
    "A=v # c",
    "A=v# c",
    "A=#x",
    "A= #x",
    "A=\"q # in\" # c",
    "A=it's",
    "A=`c`",
    "A=$(c)",
    "A=a\\nb",
    "A=${LATER}\nLATER=1",
    "A=1\nB=${A}2",
    "A=\"two\nlines\"",
    "A=",
    "# only\nA=1",
    "A=${U:-d}",
    "A=a=b=c",
    "A=\"\"",
    "A=''",
    "A=  sp  ",
    "A=x\r",
    "A=\"x\" ",
    "A=\"unterminated",
    "A=é",
    "A B=1",
    "A=x;y",
    "A=\\$V",
    "A='x'y",
];

const DEPENDS: [&str; 7] = [
    "[base]",
    "{base: {condition: service_started}}",
    "{base: {condition: service_healthy, restart: true}}",
    "{base: {condition: service_started, required: false}}",
    "[nothing]",
    "{base: {condition: foo}}",
    "{base: {condition: service_completed_successfully}}",
];

const ENV_FILES: [&str; 9] = [
    "[{path: raw.env, format: raw}, app.env]",
    "app.env",
    "[app.env]",
    "[{path: app.env}]",
    "[{path: none.env, required: false}]",
    "[app.env, {path: raw.env, format: raw}]",
    "none.env",
    "./app.env",
    "[{path: app.env, format: foo}]",
];

const EXTENDS: [&str; 4] =
    ["base", "{service: base}", "{file: sub/base.yaml, service: thing}", "{service: nothing}"];

const SECRETS: [&str; 6] = [
    "[pass]",
    "[{source: pass}]",
    "[{source: pass, target: other}]",
    "[{source: pass, uid: \"1\", gid: \"2\", mode: 0440}]",
    "[{source: pass, mode: \"0400\"}]",
    "[nothing]",
];

const CONFIGS: [&str; 8] = [
    "[conf]",
    "[{source: conf}]",
    "[{source: conf, target: /etc/c}]",
    "[{source: of_variable, target: /etc/e, uid: \"1\", gid: \"2\", mode: 0440}]",
    "[{source: of_file, mode: \"0400\"}]",
    "[conf, {source: of_variable, target: etc/relative}]",
    "[nothing]",
    "[{source: of_file, target: /etc/x, x-a: b}]",
];

/// Keys at the top of the first file.
const TOP: [&str; 9] = [
    "version: \"3.8\"",
    "name: other",
    "name: \"${V}\"",
    "x-top: {a: [1, \"$V\"]}",
    "include: [more.yaml]",
    "include: [{path: [more.yaml]}]",
    "include: [none.yaml]",
    "models: {llm: {model: ai/small}}",
    "foo: bar",
];

const BACK: [&str; 10] = [
    "",
    "{driver: bridge}",
    "{internal: true}",
    "{labels: {a: b}}",
    "{driver_opts: {a: 1}}",
    "{ipam: {config: [{subnet: 10.1.0.0/24}]}}",
    "{enable_ipv6: true}",
    "{attachable: \"true\"}",
    "{labels: [a=b]}",
    "{foo: bar}",
];

const DATA: [&str; 9] = [
    "",
    "{driver: local}",
    "{labels: {a: b}}",
    "{driver_opts: {type: nfs, o: \"addr=1\"}}",
    "{external: true}",
    "{name: real-data}",
    "{name: \"${V}-data\"}",
    "{x-a: b}",
    "{foo: bar}",
];

/// Keys of a service that stand on one line beside those of `PLAIN`.
const ON_ONE_LINE: [(&str, &[&str]); 16] = [
    ("configs", &CONFIGS),
    ("command", &COMMANDS),
    ("entrypoint", &COMMANDS),
    ("networks", &NETWORKS),
    ("healthcheck", &HEALTH),
    ("deploy", &DEPLOY),
    ("depends_on", &DEPENDS),
    ("env_file", &ENV_FILES),
    ("profiles", &["[dev]", "[]", "[other]"]),
    ("extends", &EXTENDS),
    ("secrets", &SECRETS),
    ("links", &["[base]", "[\"base:db\"]", "[base, \"base:db\"]", "[nothing]"]),
    ("network_mode", &["host", "none", "bridge", "\"service:base\"", "\"container:x\"", "back"]),
    ("scale", &["2", "1", "\"2\"", "0"]),
    ("volumes_from", &["[base]", "[\"base:ro\"]", "[nothing]"]),
    ("x-any", &["{a: [1, \"$V\"]}"]),
];

/// Keys whose value is a list of these.
const LISTED: [(&str, &[&str]); 2] = [("ports", &PORTS), ("volumes", &VOLUMES)];

impl Generated {
    fn of(text: &str, app: &str) -> Self {
        let files = [
            ("compose.yaml", text),
            ("app.env", app),
            ("raw.env", "R=\"a\" $V # b\n"),
            ("conf.txt", "a = $V\nb = ${V}\n"),
            ("more.yaml", "services:\n  included:\n    image: included:1\n    environment: {V: \"$V\"}\n"),
            (
                "sub/base.yaml",
                "services:\n  thing:\n    image: thing:1\n    environment: {FROM: base, A: base}\n    labels: [from=base]\n    ports: [\"81:81\"]\n    volumes: [\"./sub:/sub\"]\n",
            ),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let variables = VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { files: files.into(), named: vec!["compose.yaml".to_owned()], profiles: Vec::new(), variables }
    }

    /// A project with this in one service.
    pub(crate) fn single(below_image: &str) -> Self {
        let mut text =
            format!("services:\n  base:\n    image: base:1\n  web:\n    image: web:1\n    {below_image}\n");
        rest("", "", &mut text);
        let mut project = Self::of(&text, "A=x\n");
        project.files.push(("quoted.env".to_owned(), "A=\"a\"b\n".to_owned()));
        project
    }

    /// Each form by itself, with its key.
    pub(crate) fn singles() -> Vec<((&'static str, &'static str), Self)> {
        let within = |line: &str| {
            let mut text =
                format!("services:\n  base:\n    image: base:1\n  web:\n    image: web:1\n{line}\n");
            rest("", "", &mut text);
            Self::of(&text, "A=x\n")
        };
        let mut all = Vec::new();
        for (key, forms) in PLAIN.into_iter().chain(ON_ONE_LINE) {
            let line = |form: &str| format!("    {key}: {}", indented(form, "      "));
            all.extend(forms.iter().map(|form| ((key, *form), within(&line(form)))));
            all.push(((key, ""), within(&line(""))));
        }
        for (key, forms) in LISTED {
            all.extend(
                forms.iter().map(|form| ((key, *form), within(&format!("    {key}:\n      - {form}")))),
            );
        }
        for form in SCALARS.iter().chain(&FILLED) {
            let line = format!("    environment:\n      A: {}", indented(form, "        "));
            all.push((("environment", *form), within(&line)));
        }
        for form in FILLED {
            all.push((("quoted", form), within(&format!("    environment:\n      A: \"{form}\""))));
        }
        for form in ENV_LINES {
            let mut one = within("    env_file: app.env");
            one.files[1].1 = format!("{form}\n");
            all.push((("app.env", form), one));
        }
        for form in TOP {
            let mut one = within("    init: true");
            one.files[0].1 = format!("{form}\n{}", one.files[0].1);
            all.push((("top", form), one));
        }
        for (key, forms) in [("back", BACK.as_slice()), ("data", DATA.as_slice())] {
            for form in forms {
                let mut text =
                    "services:\n  web:\n    image: web:1\n    networks: [back]\n    volumes: [\"data:/d\"]\n"
                        .to_owned();
                let (back, data) = if key == "back" { (*form, "") } else { ("", *form) };
                rest(back, data, &mut text);
                all.push(((key, *form), Self::of(&text, "A=x\n")));
            }
        }
        all
    }

    /// A project of one to three services in one to three files.
    pub(crate) fn new(seed: u64, refused: &Refused) -> Self {
        let mut seeded = Seeded::new(seed, refused);
        let seeded = &mut seeded;
        let services: &[&str] = &["base", "web", "worker"];
        let count = 1 + seeded.below(3);
        let mut text = String::new();
        if seeded.below(4) == 0 {
            let _ = writeln!(text, "{}", seeded.one("top", &TOP));
        }
        let common = seeded.below(4) == 0;
        if common {
            text.push_str("x-common: &common\n  restart: always\n  environment: &env {SHARED: one, OTHER: \"2\"}\n  labels: {team: shop}\n");
        }
        text.push_str("services:\n");
        let images = [
            "registry.example.com/app:1",
            "app:${U:-2}",
            "\"app:1.0\"",
            "registry.example.com:5000/a/b:v1",
            "app",
        ];
        for name in &services[..count] {
            let _ = writeln!(text, "  {name}:\n    image: {}", seeded.one("image", &images));
            if common && seeded.below(2) == 0 {
                text.push_str("    <<: *common\n");
            }
            service(name, &mut text, seeded, None, common);
        }
        let (back, data) = (seeded.one("back", &BACK), seeded.one("data", &DATA));
        rest(back, data, &mut text);
        let lines = seeded.some("app.env", &ENV_LINES).join("\n");
        let mut project = Self::of(&text, &format!("{lines}\n"));
        for more in 1..=seeded.below(3) {
            let mut text = String::from("services:\n");
            for name in &services[..count] {
                if seeded.below(3) > 0 {
                    let _ = writeln!(text, "  {name}:\n    x-file: {more}");
                    service(name, &mut text, seeded, Some(more), false);
                }
            }
            let _ = writeln!(text, "  more{more}:\n    image: more:1");
            let path = format!("over{more}.yaml");
            project.named.push(path.clone());
            project.files.push((path, text));
        }
        if seeded.below(2) == 0 {
            project.profiles.push("dev".to_owned());
        }
        project
    }

    /// Whether a service of it has profiles.
    pub(crate) fn is_partly_off(&self) -> bool {
        self.files.iter().any(|(_, text)| text.contains("profiles:"))
    }

    /// How many files of Compose it has.
    pub(crate) fn compose_files(&self) -> usize {
        self.files.iter().filter(|(path, _)| path.ends_with(".yaml")).count()
    }

    /// Everything of it, for a failure.
    pub(crate) fn shown(&self) -> String {
        let files = self.files.iter().map(|(path, text)| format!("--- {path}\n{text}"));
        files.collect::<Vec<_>>().join("\n")
    }
}

/// A block text is indented below its key.
fn indented(value: &str, margin: &str) -> String {
    value.trim_end_matches('\n').replace('%', margin)
}

fn service(name: &str, text: &mut String, seeded: &mut Seeded, over: Option<usize>, common: bool) {
    let mut written: Vec<&str> = Vec::new();
    let most = if over.is_some() { 3 } else { 6 };
    for _ in 0..=seeded.below(most) {
        let tag = match (over.is_some(), seeded.below(20)) {
            (true, 0) => "!reset ",
            (true, 1) => "!override ",
            _ => "",
        };
        let kind = seeded.below(10);
        let (key, forms): (&'static str, &[&'static str]) = match kind {
            0..=3 => PLAIN[seeded.below(PLAIN.len())],
            4..=6 => ON_ONE_LINE[seeded.below(ON_ONE_LINE.len())],
            7 | 8 => LISTED[seeded.below(LISTED.len())],
            _ => ("environment", &SCALARS),
        };
        let names_base =
            ["depends_on", "links", "volumes_from", "extends", "network_mode", "pid", "ipc"].contains(&key);
        if written.contains(&key) || (name == "base" && (names_base || key == "profiles")) {
            continue;
        }
        // These exclude each other.
        if (key == "network_mode" && written.iter().any(|key| ["networks", "ports", "links"].contains(key)))
            || (["networks", "ports", "links"].contains(&key) && written.contains(&"network_mode"))
        {
            continue;
        }
        written.push(key);
        match kind {
            7 | 8 => {
                let _ = writeln!(text, "    {key}: {tag}");
                for item in seeded.some(key, forms) {
                    let _ = writeln!(text, "      - {item}");
                }
            }
            9 => environment(text, seeded, common),
            _ => drop(writeln!(text, "    {key}: {tag}{}", indented(seeded.one(key, forms), "      "))),
        }
    }
}

fn environment(text: &mut String, seeded: &mut Seeded, common: bool) {
    let names = ["A", "B", "C_D", "e.f", "V", "SHARED", "x-a", "UNKNOWN"];
    text.push_str("    environment:\n");
    if seeded.below(2) == 0 {
        if common && seeded.below(2) == 0 {
            text.push_str("      <<: *env\n");
        }
        for name in seeded.some("names", &names) {
            let value = match seeded.below(3) {
                0 => format!("\"{}\"", seeded.one("quoted", &FILLED)),
                1 => seeded.one("environment", &FILLED).to_owned(),
                _ => indented(seeded.one("environment", &SCALARS), "          "),
            };
            let _ = writeln!(text, "      {name}: {value}");
        }
        return;
    }
    for name in seeded.some("names", &names) {
        let value = match seeded.below(2) {
            0 => seeded.one("quoted", &FILLED),
            _ => seeded.one("listed", &["x", "a b", "1.10", "", "a=b", "'q'", "a # b"]),
        };
        match seeded.below(4) {
            0 => drop(writeln!(text, "      - {name}")),
            1 => drop(writeln!(text, "      - \"{name}={value}\"")),
            2 => drop(writeln!(text, "      - '{name}={}'", value.replace('\'', "''"))),
            _ => drop(writeln!(text, "      - {name}={value}")),
        }
    }
}

/// The top level beside services.
fn rest(back: &str, data: &str, text: &mut String) {
    let _ = writeln!(
        text,
        "networks:\n  back: {back}\n  other:\n  named: {{name: own-name}}\n  outer: {{external: true}}\n  unused: {{driver: bridge}}"
    );
    let _ = writeln!(
        text,
        "volumes:\n  data: {data}\n  cache:\n  val:\nsecrets:\n  pass: {{environment: V}}\n\
         configs:\n  conf: {{content: \"a $$V ${{V}}\"}}\n  of_variable: {{environment: D}}\n  of_file: {{file: ./conf.txt}}"
    );
}
