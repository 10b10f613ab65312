//! `pillarbox gate list`: from clear values alone, no private key.

use crate::cli::output::table::Table;
use crate::cli::{Context, Exit};
use crate::cli::{NewHostsArgs, on_engines};
use crate::name::{Digest, ImageRef};
use crate::pillar::document::Document;
use crate::pillar::gate::TABLE;
use crate::pillar::{Node, Value};
use crate::problem::{Problems, Result, escaped, quoted};
use crate::session::{Pipeline, Vault, declared};
use serde_json::json;

/// List the gates, and values that hosts have of their own; needs no private key
#[derive(clap::Args, Debug)]
pub(super) struct GateListArgs {
    /// Only gates of these names
    app: Vec<String>,
    /// Ask the registries, through the hosts, whether the tags still stand for the digests
    #[arg(long)]
    check: bool,
    /// Do not ask (with --check)
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
}

/// A gate as one file says it; the rest may stand in others.
struct GateRow {
    app: String,
    file: String,
    host: Option<String>,
    line: u32,
    image: Option<String>,
    version: Option<String>,
    digest: Option<String>,
    allow: Option<String>,
    hold: Option<String>,
    lets_go: bool,
}

/// A tag and what its registry says of it now.
struct Checked {
    host: String,
    app: String,
    image: ImageRef,
    now: Option<Digest>,
}

impl Checked {
    fn moved(&self) -> bool {
        self.now.is_some() && self.now != self.image.digest
    }
}

pub(super) fn run(args: &GateListArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let wanted = |app: &str| args.app.is_empty() || args.app.iter().any(|name| name == app);
    let mut rows = Vec::new();
    for document in vault.documents() {
        let gates = document.tree()?.at([TABLE]).and_then(Node::as_table);
        let gates = gates.into_iter().flatten().filter(|(app, _)| wanted(app));
        rows.extend(gates.map(|(app, node)| row(app, document, node)));
    }
    rows.sort_by(|a, b| (&a.app, &a.host, &a.file).cmp(&(&b.app, &b.host, &b.file)));
    let (checked, wrong) = if args.check { check(args, &vault)? } else { Default::default() };
    if ctx.out.json {
        let mut object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "gates": rows.iter().map(json_of).collect::<Vec<_>>(),
        });
        if args.check {
            object["checked"] = checked.iter().map(checked_json).collect();
        }
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        print(ctx, &rows);
        for one in &checked {
            say(ctx, one);
        }
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

fn row(app: &str, document: &Document, node: &Node) -> GateRow {
    let field = |name: &str| node.at([name]).map(|node| &node.value);
    let text = |name: &str| match field(name) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let host = document.file().strip_prefix("hosts/").and_then(|file| file.strip_suffix(".toml"));
    GateRow {
        app: app.to_owned(),
        file: document.file().to_owned(),
        host: host.map(str::to_owned),
        line: node.place.line,
        image: text("image"),
        version: text("version"),
        digest: text("digest"),
        allow: text("allow"),
        hold: match field("hold") {
            Some(Value::Boolean(true)) => Some(String::new()),
            _ => text("hold"),
        },
        lets_go: field("hold") == Some(&Value::Boolean(false)),
    }
}

fn print(ctx: &Context, rows: &[GateRow]) {
    if rows.is_empty() {
        ctx.out.say("no gates yet; to make one: pillarbox gate set APP VERSION --image REGISTRY/NAME");
    }
    let cells: Vec<[String; 4]> = rows.iter().map(cells).collect();
    let table = Table::new(&cells, &[DIGEST], ctx.out.width()).uncut();
    for row in &cells {
        ctx.out.data(table.line(row));
    }
}

/// The first to go on a narrow terminal.
const DIGEST: usize = 2;

/// Name, version, digest and the rest.
fn cells(row: &GateRow) -> [String; 4] {
    let name = match &row.host {
        Some(host) => format!("{} on {}", escaped(&row.app), escaped(host)),
        None => escaped(&row.app),
    };
    let shown = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), escaped);
    let digest = row.digest.as_deref().and_then(|text| Digest::parse(text).ok());
    let digest = digest.map_or_else(|| "-".to_owned(), |digest| digest.short().to_owned());
    let held = row.hold.as_deref().map(|why| match why {
        "" => "held".to_owned(),
        why => format!("held: {}", escaped(why)),
    });
    let allow = row.allow.as_deref().map(|allow| format!("allow {}", escaped(allow)));
    let place = format!("pillar/{}:{}", escaped(&row.file), row.line);
    let lets_go = row.lets_go.then(|| "not held".to_owned());
    let rest: Vec<String> = [Some(place), allow, held, lets_go].into_iter().flatten().collect();
    [name, shown(&row.version), digest, rest.join(", ")]
}

fn json_of(row: &GateRow) -> serde_json::Value {
    json!({
        "app": row.app,
        "file": format!("pillar/{}", row.file),
        "line": row.line,
        "host": row.host,
        "image": row.image,
        "version": row.version,
        "digest": row.digest,
        "allow": row.allow,
        "held": if row.lets_go { Some(false) } else { row.hold.as_ref().map(|_| true) },
        "hold": row.hold.as_deref().filter(|why| !why.is_empty()),
    })
}

/// Asks for every tag that a gate pins.
fn check(args: &GateListArgs, vault: &Vault<'_>) -> Result<(Vec<Checked>, Vec<crate::problem::Problem>)> {
    let declared = declared(vault, &[])?;
    let answers = on_engines(async |interrupt| {
        let wanted = |app: &str, image: &ImageRef| {
            let named = args.app.is_empty() || args.app.iter().any(|name| name == app);
            named && image.digest.is_some() && image.tag.is_some()
        };
        Pipeline::new(vault, args.new_hosts.beside(args.yes), interrupt).tags(declared, &wanted).await
    })?;
    let mut wrong = answers.problems();
    let mut checked = Vec::new();
    for one in answers.ready {
        match one.answer {
            Ok(now) => {
                checked.push(Checked { host: one.host.to_string(), app: one.app, image: one.image, now });
            }
            Err(problems) => wrong.extend(problems.into_vec()),
        }
    }
    Ok((checked, wrong))
}

fn say(ctx: &Context, one: &Checked) {
    let Checked { host, app, image, now } = one;
    let tag = image.tag.as_deref().unwrap_or_default();
    let (app, was) = (escaped(app), image.digest.as_ref().map(Digest::short).unwrap_or_default());
    match now {
        Some(now) if one.moved() => {
            ctx.out.warn(format_args!(
                "{app} on {host}: the tag {tag} was moved, from {was} to {}; hosts stay at {was} until \
                 the gate says so: pillarbox gate set {} {}",
                now.short(),
                quoted(&app),
                quoted(tag)
            ));
        }
        Some(_) => ctx.out.say(format_args!("{app} on {host}: {tag} still stands for {was}")),
        None => ctx.out.say(format_args!("{app} on {host}: its Engine cannot ask a registry")),
    }
}

fn checked_json(one: &Checked) -> serde_json::Value {
    json!({
        "host": one.host,
        "app": one.app,
        "image": one.image.to_string(),
        "now": one.now.as_ref().map(Digest::as_str),
        "moved": one.now.as_ref().map(|_| one.moved()),
    })
}
