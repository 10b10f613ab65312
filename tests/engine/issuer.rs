//! A token server for the real registry, as small as it can be: who gets which token is decided here, and
//! what it was asked is remembered. Protocol: distribution's `spec/auth/token` (GET, Basic) and
//! `spec/auth/oauth` (POST, `password` and `refresh_token`).

mod http;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{fields, read};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the registry knows it by.
pub(crate) const SERVICE: &str = "test-registry";
pub(crate) const NAME: &str = "test-issuer";

/// What a request was answered with besides a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 401 in the registry's own form, with these words.
    Unauthorized(String),
    /// 400 as RFC 6749 has it.
    InvalidGrant,
    /// 429 with these words.
    TooMany(String),
}

/// A request that it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `basic`, `password`, `refresh_token` or `anonymous`.
    pub(crate) by: String,
    /// Who, as far as it is known.
    pub(crate) user: String,
    /// `repository:team/web:pull`.
    pub(crate) scopes: Vec<String>,
    /// Whether there was a token for it.
    pub(crate) answered: bool,
}

/// What it knows and what it has seen.
#[derive(Default)]
pub(crate) struct Records {
    /// Password and the prefixes of repositories that they may pull, by user.
    users: BTreeMap<String, (String, Vec<String>)>,
    /// User by refresh token.
    refresh: BTreeMap<String, String>,
    /// Prefixes that need no token.
    public: Vec<String>,
    /// Every request is refused so.
    refusal: Option<Refusal>,
    /// … after so many more.
    grace: usize,
    /// Seconds from now to the end of a token.
    lifetime: i64,
    /// Refused passwords are repeated in the answer.
    echo: bool,
    issued: u32,
    asked: Vec<Asked>,
    /// Every token that it gave away.
    tokens: Vec<String>,
}

/// A running issuer.
pub(crate) struct Issuer {
    address: String,
    records: Arc<Mutex<Records>>,
}

impl Issuer {
    /// Starts on a port of this address; puts the certificate for the registry into the folder.
    pub(crate) fn start(address: &str, folder: &Path) -> Self {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=issuer", "-keyout", "issuer-key.pem", "-out", "issuer.pem"])
            .current_dir(folder)
            .output()
            .expect("start openssl");
        assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
        let pem = |name: &str| {
            let text = std::fs::read_to_string(folder.join(name)).expect("a PEM file");
            text.lines().filter(|line| !line.starts_with("-----")).collect::<String>()
        };
        let key = STANDARD.decode(pem("issuer-key.pem")).expect("base64");
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).expect("a key");
        let signer = Arc::new(Signer { key, random, certificate: pem("issuer.pem") });
        let listener = TcpListener::bind((address, 0)).expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let records = Arc::new(Mutex::new(Records { lifetime: 300, ..Records::default() }));
        let shared = Arc::clone(&records);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (records, signer) = (Arc::clone(&shared), Arc::clone(&signer));
                std::thread::spawn(move || serve(stream.expect("a connection"), &records, &signer));
            }
        });
        Self { address, records }
    }

    /// What the registry sends its clients to.
    pub(crate) fn realm(&self) -> String {
        format!("http://{}/token", self.address)
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().expect("its records")
    }

    /// A user who may pull what begins with one of these.
    pub(crate) fn user(&self, name: &str, password: &str, prefixes: &[&str]) {
        let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        self.records().users.insert(name.to_owned(), (password.to_owned(), prefixes));
    }

    /// Everybody may pull what begins with this.
    pub(crate) fn public(&self, prefix: &str) {
        self.records().public.push(prefix.to_owned());
    }

    /// A refresh token of a user, as a login gives it away.
    pub(crate) fn refresh_token(&self, user: &str) -> String {
        self.records().refresh_token(user)
    }

    /// After so many more requests every one is refused; `None`: never.
    pub(crate) fn refuses(&self, after: usize, refusal: Option<Refusal>) {
        let mut records = self.records();
        (records.grace, records.refusal) = (after, refusal);
    }

    /// Tokens end so many seconds from when they are given; the registry forgives 60.
    pub(crate) fn lifetime(&self, seconds: i64) {
        self.records().lifetime = seconds;
    }

    /// Repeats what it refuses.
    pub(crate) fn echoes(&self) {
        self.records().echo = true;
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.records().asked)
    }

    /// Tokens that it gave away, bearer and refresh.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.records().tokens.clone()
    }
}

/// Who asks.
enum Who {
    Anonymous,
    User(String),
    /// Wrong user or password, or a refresh token that there is not; and what was sent.
    Wrong(String),
}

impl Records {
    fn refresh_token(&mut self, user: &str) -> String {
        self.issued += 1;
        let token = format!("refresh~{}~{user}~?>", self.issued);
        self.refresh.insert(token.clone(), user.to_owned());
        self.tokens.push(token.clone());
        token
    }

    fn password(&self, user: &str, password: &str) -> Who {
        match self.users.get(user) {
            Some((right, _)) if right == password => Who::User(user.to_owned()),
            _ => Who::Wrong(password.to_owned()),
        }
    }

    /// What of a scope a user may do.
    fn access(&self, who: &Who, scope: &str) -> Option<Value> {
        let mut parts = scope.splitn(3, ':');
        let (kind, name, actions) = (parts.next()?, parts.next()?, parts.next()?);
        let own = match who {
            Who::User(user) => self.users.get(user).map(|(_, prefixes)| prefixes.as_slice()),
            _ => None,
        };
        let may = self.public.iter().chain(own.unwrap_or_default()).any(|prefix| name.starts_with(prefix));
        let actions: Vec<&str> = actions.split(',').filter(|action| *action == "pull").collect();
        (kind == "repository" && may && !actions.is_empty())
            .then(|| json!({ "type": kind, "name": name, "actions": actions }))
    }
}

struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    certificate: String,
}

impl Signer {
    /// A JWT (RFC 7515) whose certificate comes along, so that the registry needs its root alone.
    fn token(&self, user: &str, access: &[Value], lifetime: i64, id: u32) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let now = i64::try_from(now).expect("before the end of time");
        let head = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.certificate] });
        let claims = json!({
            "iss": NAME, "sub": user, "aud": SERVICE, "jti": id.to_string(), "access": access,
            "nbf": now - 3600, "iat": now - 3600, "exp": now + lifetime,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&head), encode(&claims));
        let signature = self.key.sign(&self.random, signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn serve(mut stream: TcpStream, records: &Mutex<Records>, signer: &Signer) {
    let Some((method, target, authorization, body)) = read(&mut stream) else { return };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (status, answer) = match path {
        "/token" => {
            let fields = fields(if method == "POST" { &body } else { query });
            answer(&method, &fields, authorization.as_deref(), &mut records.lock().expect("records"), signer)
        }
        _ => (404, json!({})),
    };
    let text = answer.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
}

fn answer(
    method: &str,
    fields: &[(String, String)],
    authorization: Option<&str>,
    records: &mut Records,
    signer: &Signer,
) -> (u16, Value) {
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let scopes: Vec<String> =
        fields.iter().filter(|(key, _)| key == "scope").map(|(_, value)| value.clone()).collect();
    let (by, who) = match (method, field("grant_type"), authorization) {
        ("POST", Some("refresh_token"), _) => {
            let token = field("refresh_token").unwrap_or_default();
            let user = records.refresh.get(token).cloned();
            ("refresh_token", user.map_or_else(|| Who::Wrong(token.to_owned()), Who::User))
        }
        ("POST", Some("password"), _) => {
            let (user, password) = (field("username").unwrap_or_default(), field("password"));
            ("password", records.password(user, password.unwrap_or_default()))
        }
        ("GET", _, Some(basic)) => {
            let pair = basic.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok());
            let pair = String::from_utf8(pair.unwrap_or_default()).unwrap_or_default();
            let (user, password) = pair.split_once(':').unwrap_or_default();
            ("basic", records.password(user, password))
        }
        ("GET", _, None) => ("anonymous", Who::Anonymous),
        _ => return (400, json!({ "error": "invalid_request" })),
    };
    let user = match &who {
        Who::User(user) => user.clone(),
        _ => String::new(),
    };
    let mut asked = Asked { by: by.to_owned(), user: user.clone(), scopes, answered: false };
    let refused = |words: &str| {
        (401, json!({ "errors": [{ "code": "UNAUTHORIZED", "message": words, "detail": null }] }))
    };
    if let Some(refusal) = records.refusal.clone() {
        if records.grace == 0 {
            records.asked.push(asked);
            return match refusal {
                Refusal::Unauthorized(words) => refused(&words),
                Refusal::InvalidGrant => (400, json!({ "error": "invalid_grant" })),
                Refusal::TooMany(words) => {
                    (429, json!({ "errors": [{ "code": "TOOMANYREQUESTS", "message": words }] }))
                }
            };
        }
        records.grace -= 1;
    }
    if let Who::Wrong(sent) = &who {
        records.asked.push(asked);
        return match records.echo {
            true => refused(&format!("incorrect username or password: {sent}")),
            false => refused("incorrect username or password"),
        };
    }
    asked.answered = true;
    let access: Vec<Value> = asked.scopes.iter().filter_map(|scope| records.access(&who, scope)).collect();
    records.asked.push(asked);
    records.issued += 1;
    let token = signer.token(&user, &access, records.lifetime, records.issued);
    records.tokens.push(token.clone());
    let mut answer = json!({ "token": token, "access_token": token, "expires_in": records.lifetime.max(60) });
    let offline = field("offline_token") == Some("true") || field("access_type") == Some("offline");
    if offline && !user.is_empty() {
        answer["refresh_token"] = records.refresh_token(&user).into();
    }
    (200, answer)
}
