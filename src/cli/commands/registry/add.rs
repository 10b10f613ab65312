//! `pillarbox registry add HOST[/PREFIX]`.

use super::super::seal::{readers, twice};
use super::lifetime::Lifetime;
use super::{existing, named, scope};
use crate::cli::{Context, Exit};
use crate::inventory::pillar_files;
use crate::name::{HelperName, KeyPath};
use crate::pillar::document::{Choice, Written, choose_file};
use crate::pillar::seal::Kind;
use crate::pillar::{Origin, Value};
use crate::problem::{Code, Problem, Result, escaped, quoted};
use crate::registry::{
    ANONYMOUS, EMAIL, EXPIRES, HELPER, IDENTITY_TOKEN, PASSWORD, Scope, TABLE, TOKEN_USER, USERNAME,
    fields as known_fields, placeholder,
};
use crate::secret::Secret;
use crate::session::Vault;
use crate::store;
use std::path::PathBuf;

/// Options of an entry that holds a secret.
const SECRET_OPTIONS: [&str; 5] =
    ["username", "password_stdin", "password_file", "identity_token_stdin", "email"];

/// Add a credential, or replace it: asks for the secret on a terminal
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  pillarbox registry add registry.example.com -u deploy\n  \
                        printf %s \"$TOKEN\" | pillarbox registry add ghcr.io/acme -u acme-bot --password-stdin\n  \
                        pillarbox registry add europe-docker.pkg.dev -u _json_key --password-file key.json\n  \
                        pillarbox registry add ghcr.io/acme/public --anonymous\n  \
                        pillarbox registry add 123456789012.dkr.ecr.eu-west-1.amazonaws.com --helper ecr-login")]
pub(super) struct RegistryAddArgs {
    /// HOST, or HOST/PREFIX for images below it
    #[arg(value_name = "HOST[/PREFIX]")]
    registry: String,
    /// User name; `<token>` where the secret is an identity token
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    /// Read the password from standard input, less one final newline (LF or CRLF)
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from this file, every byte: a service account's JSON, a PEM (a pipe is fine)
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    password_file: Option<PathBuf>,
    /// Read an identity token from standard input: in the place of user and password
    #[arg(long, conflicts_with_all = ["username", "password_stdin", "password_file"])]
    identity_token_stdin: bool,
    /// Ask without a credential, whatever a shorter entry says
    #[arg(long, conflicts_with_all = SECRET_OPTIONS)]
    anonymous: bool,
    /// Ask the program docker-credential-NAME each time, and store nothing
    #[arg(long, value_name = "NAME",
          conflicts_with_all = SECRET_OPTIONS.into_iter().chain(["anonymous"]))]
    helper: Option<String>,
    /// Stored beside the user name, for docker's format; not used
    #[arg(long)]
    email: Option<String>,
    /// File below pillar/, for another box [default: registries/HOST]
    #[arg(long = "in", value_name = "FILE")]
    file: Option<String>,
}

/// What an entry is to hold.
pub(super) enum Entry {
    Basic(String, Secret),
    Token(Secret),
    Helper(HelperName),
    Anonymous,
}

impl Entry {
    fn has_secret(&self) -> bool {
        self.secret().is_some()
    }

    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Basic(_, secret) | Self::Token(secret) => Some(secret),
            Self::Helper(_) | Self::Anonymous => None,
        }
    }

    fn lifetime(&self, scope: &Scope) -> Option<Lifetime> {
        let user = if let Self::Basic(user, _) = self { Some(user.as_str()) } else { None };
        Lifetime::of(scope.host(), user, self.secret()?)
    }
}

/// Where Docker Hub has its pages.
const HUB_SITE: &str = "hub.docker.com";

pub(super) fn run(args: &RegistryAddArgs, ctx: &Context) -> Result<Exit> {
    let scope = scope(&args.registry)?;
    if scope.host().as_str() == HUB_SITE {
        let user = args.username.as_deref().map_or_else(|| "USER".to_owned(), quoted);
        return Err(Problem::usage(format!("{HUB_SITE} is the web site of Docker Hub and no registry"))
            .hint(format!("the registry is docker.io: pillarbox registry add docker.io -u {user}"))
            .into());
    }
    let file = named(args.file.as_deref())?;
    if ctx.terminal.stdin && !args.anonymous && args.helper.is_none() && args.password_file.is_none() {
        // What is wrong with the place is said before anybody types.
        let workspace = ctx.session.workspace()?;
        place(&Vault::load(&ctx.session, &workspace)?, &scope, file.as_deref())?;
    }
    let entry = read(args, ctx, &scope)?;
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let (origin, is_there) = place(&vault, &scope, file.as_deref())?;
    let lifetime = entry.lifetime(&scope);
    let expires = lifetime.as_ref().map(Lifetime::toml);
    write(&mut vault, &origin, &entry, args.email.as_deref(), expires.as_deref())?;
    let readers =
        if entry.has_secret() { format!(" for {}", readers(&vault, &origin.file)?) } else { String::new() };
    let reached = reaches_a_host(&vault, &origin.file);
    vault.commit()?;
    let done = if is_there { "replaced" } else { "added" };
    let what = match &entry {
        Entry::Basic(user, _) => format!("the credential of {} at {scope}", escaped(user)),
        Entry::Token(_) => format!("the identity token of {scope}"),
        Entry::Helper(helper) => format!("the helper {helper} for {scope}"),
        Entry::Anonymous => format!("the anonymous rule for {scope}"),
    };
    ctx.out.say(format_args!("{done} {what} in pillar/{}{readers}", escaped(&origin.file)));
    if let Some(lifetime) = lifetime {
        lifetime.tell(ctx, &scope);
    }
    if let Some(why) = entry.secret().and_then(placeholder) {
        ctx.out.warn(format_args!("the secret for {scope} may be none: {why}"));
    }
    if !reached {
        ctx.out.warn(format_args!(
            "no host gets pillar/{}: name it under `pillar` of a group or host in pillarbox.toml, say \
             \"registries/*\"",
            escaped(&origin.file)
        ));
    }
    Ok(Exit::Done)
}

/// Where the entry goes, and whether it replaces one.
fn place(vault: &Vault<'_>, scope: &Scope, file: Option<&str>) -> Result<(Origin, bool)> {
    if let Some(origin) = existing(vault, scope, file, "add")? {
        vault.governing(&origin.file)?;
        return Ok((origin, true));
    }
    let parts = vec![TABLE.to_owned(), scope.to_string()];
    let Some(key) = KeyPath::from_parts(parts) else {
        return Err(Problem::failed("the name of the registry is empty").into());
    };
    let file = match file {
        Some(file) => file.to_owned(),
        None => match choose_file(vault.documents(), &key)? {
            Choice::File(file) => file,
            Choice::Ask(_) => format!("registries/{}.toml", scope.host().file_stem()),
        },
    };
    vault.governing(&file)?;
    Ok((Origin { file, key }, false))
}

fn read(args: &RegistryAddArgs, ctx: &Context, scope: &Scope) -> Result<Entry> {
    if args.anonymous {
        return Ok(Entry::Anonymous);
    }
    if let Some(helper) = &args.helper {
        let usage = |problem| Problem { code: Code::Usage, ..problem };
        return HelperName::parse(helper).map(Entry::Helper).map_err(|problems| problems.map(usage));
    }
    let from_stdin = args.password_stdin || args.identity_token_stdin;
    let is_given = from_stdin || args.password_file.is_some();
    if !is_given && !ctx.terminal.stdin {
        let user = args.username.as_deref().map_or_else(|| "USER".to_owned(), quoted);
        return Err(Problem::new(Code::Declined, "there is no terminal to ask for a password on")
            .hint(format!(
                "pillarbox registry add {} -u {user} --password-stdin < FILE",
                quoted(&scope.to_string())
            ))
            .into());
    }
    let username = match &args.username {
        Some(user) => Some(user.clone()),
        None if args.identity_token_stdin => None,
        None if is_given => {
            return Err(Problem::usage("a password needs a user name")
                .hint(format!(
                    "pillarbox registry add {} -u USER --password-stdin < FILE",
                    quoted(&scope.to_string())
                ))
                .into());
        }
        None => Some(ctx.console.prompt_line("user name")?),
    };
    if let Some(user) = &username
        && (user.is_empty() || user.contains(':') || user.contains(char::is_control))
    {
        return Err(Problem::usage(
            "a user name is not empty and has no `:` or control character (RFC 7617)",
        )
        .into());
    }
    let username = username.filter(|user| user != TOKEN_USER);
    let what = if username.is_some() { "password" } else { "identity token" };
    let secret = match &args.password_file {
        Some(path) => store::read_secret(&ctx.session.absolute(path))?,
        None if from_stdin => ctx.console.stdin_secret()?,
        None => twice(ctx, what)?,
    };
    check(&secret, what)?;
    if args.password_file.is_some() && ends_its_only_line(&secret) {
        ctx.out.warn(
            "the line end at the end of the file is part of the password; without it: --password-stdin < FILE",
        );
    }
    Ok(match username {
        Some(user) => Entry::Basic(user, secret),
        None => Entry::Token(secret),
    })
}

/// Keys of service accounts and PEM texts have lines. Every other control character comes from a terminal or
/// a binary file, and what reads it differs: clients cut NUL bytes off.
fn check(secret: &Secret, what: &str) -> Result<()> {
    let is_token = what != PASSWORD;
    let wrong = match secret.reveal_text() {
        None => "it is not UTF-8 text",
        Some("") => "it is empty",
        Some(text) if text.contains('\0') => "it has a NUL byte, which clients cut off",
        Some(text) if is_token && text.contains(['\n', '\r']) => "it has more than one line",
        Some(text) if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
            "it has a control character other than tabs and line ends"
        }
        Some(_) => return Ok(()),
    };
    Err(Problem::failed(format!("this is not a valid {what}")).cause(wrong).into())
}

fn ends_its_only_line(secret: &Secret) -> bool {
    let text = secret.reveal_text().unwrap_or_default();
    text.strip_suffix('\n').is_some_and(|line| !line.trim_end_matches('\r').contains(['\n', '\r']))
}

/// Writes an entry over what stands there.
///
/// # Errors
/// Where it cannot be posted, or its place cannot hold an entry. `expires` is a date and time of TOML.
pub(super) fn write(
    vault: &mut Vault<'_>,
    origin: &Origin,
    entry: &Entry,
    email: Option<&str>,
    expires: Option<&str>,
) -> Result<()> {
    let (fields, secret): (Vec<(&str, Written<'_>)>, _) = match entry {
        Entry::Basic(user, secret) => (vec![(USERNAME, Written::Plain(user))], Some((PASSWORD, secret))),
        Entry::Token(secret) => (Vec::new(), Some((IDENTITY_TOKEN, secret))),
        Entry::Helper(helper) => (vec![(HELPER, Written::Plain(helper.as_str()))], None),
        Entry::Anonymous => (vec![(ANONYMOUS, Written::Toml("true"))], None),
    };
    let mut fields = fields;
    fields.extend(email.map(|email| (EMAIL, Written::Plain(email))));
    fields.extend(expires.map(|expires| (EXPIRES, Written::Toml(expires))));
    let stays = |field: &str| {
        fields.iter().any(|(name, _)| *name == field)
            || secret.is_some_and(|(name, _)| name == field)
            || (field == EMAIL && entry.has_secret())
    };
    vault.edit(&origin.file, |document| {
        for (field, value) in &fields {
            let key = origin.key.child(*field);
            // It may have been given a value of another type by hand.
            let wrong = document.get(&key).is_some_and(|node| match value {
                Written::Plain(_) => !matches!(node.value, Value::String(_)),
                Written::Toml(_) => false,
            });
            if wrong {
                document.unset(&key)?;
            }
            document.set(&key, *value)?;
        }
        Ok(())
    })?;
    if let Some((field, secret)) = secret {
        let place = Origin { file: origin.file.clone(), key: origin.key.child(field) };
        vault.post(&place, secret, Kind::Text, None)?;
    }
    vault.edit(&origin.file, |document| {
        for field in known_fields().filter(|field| !stays(field)) {
            let key = origin.key.child(field);
            if document.get(&key).is_some() {
                document.unset(&key)?;
            }
        }
        Ok(())
    })
}

/// Whether any host of the inventory gets a file; without hosts there is nothing to say.
fn reaches_a_host(vault: &Vault<'_>, file: &str) -> bool {
    let all: Vec<String> = vault.documents().map(|document| document.file().to_owned()).collect();
    let inventory = vault.inventory();
    inventory.hosts.is_empty()
        || inventory.hosts.values().any(|host| {
            pillar_files(inventory, host, &all).map_or(true, |files| files.iter().any(|found| found == file))
        })
}
