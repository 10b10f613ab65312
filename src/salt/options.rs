//! The options of Salt's states, one table: how each may be written there, and what it is here.

use super::ports;
use super::values::{derived, list, lower_keys, printed, python, repacked, table, text};
use super::volumes;
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// How an option may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it is; a list of tables with one key each is a table.
    Plain,
    /// A list, or a text with commas.
    List,
    /// A table, a list of tables, or `KEY=VALUE` in a list or with commas.
    Table,
    /// The same with `:`.
    Colons,
    /// The same, and what is here is the list.
    ColonList,
    /// Variables: truth values are Python's.
    Variables,
    /// Tables with keys of the Engine's, `Name`, or a list as above.
    Capitalised,
    /// A health check: a bare number is nanoseconds.
    Health,
    /// Networks, some of them with what the container has there.
    Networks,
}

/// Names in Salt, our name, and its form.
#[rustfmt::skip]
const OPTIONS: &[(&[&str], &str, Form)] = &[
    (&["blkio_weight_device"], "blkio_weight_device", Form::Capitalised),
    (&["cap_add"], "cap_add", Form::List),
    (&["cap_drop"], "cap_drop", Form::List),
    (&["cmd", "command"], "command", Form::Plain),
    (&["cpuset", "cpuset_cpus"], "cpuset", Form::Plain),
    (&["device_read_bps"], "device_read_bps", Form::Capitalised),
    (&["device_read_iops"], "device_read_iops", Form::Capitalised),
    (&["device_write_bps"], "device_write_bps", Form::Capitalised),
    (&["device_write_iops"], "device_write_iops", Form::Capitalised),
    (&["devices"], "devices", Form::List),
    (&["dns"], "dns", Form::List),
    (&["dns_opt", "dns_option"], "dns_options", Form::List),
    (&["dns_search"], "dns_search", Form::List),
    (&["env", "environment"], "env", Form::Variables),
    (&["extra_hosts"], "extra_hosts", Form::Colons),
    (&["group_add"], "group_add", Form::List),
    (&["healthcheck"], "healthcheck", Form::Health),
    (&["interactive", "stdin_open"], "stdin_open", Form::Plain),
    (&["ipc", "ipc_mode"], "ipc", Form::Plain),
    (&["label", "labels"], "labels", Form::Variables),
    (&["links"], "links", Form::ColonList),
    (&["log_config"], "log_config", Form::Capitalised),
    (&["log_opt"], "log_options", Form::Table),
    (&["mem_limit", "memory"], "memory", Form::Plain),
    (&["memory_swap", "memswap_limit"], "memory_swap", Form::Plain),
    (&["networks"], "networks", Form::Networks),
    (&["pid_mode"], "pid", Form::Plain),
    (&["publish_all", "publish_all_ports"], "publish_all_ports", Form::Plain),
    (&["restart", "restart_policy"], "restart", Form::Plain),
    (&["security_opt", "security_opts"], "security_opt", Form::List),
    (&["storage_opt"], "storage_opt", Form::Table),
    (&["sysctl", "sysctls"], "sysctls", Form::Table),
    (&["tmpfs"], "tmpfs", Form::Plain),
    (&["ulimit", "ulimits"], "ulimits", Form::List),
    (&["user_ns_mode", "userns_mode"], "userns_mode", Form::Plain),
    (&["volumes_from"], "volumes_from", Form::List),
    (&["workdir", "working_dir"], "working_dir", Form::Plain),
    // Of networks and volumes.
    (&["aux_addresses"], "aux_addresses", Form::Table),
    (&["driver_opts", "options"], "driver_opts", Form::Table),
    (&["ipam_opts"], "ipam_opts", Form::Table),
    (&["iprange"], "ip_range", Form::Plain),
];

/// Puts the options of a container, network or volume under our names, in the forms that are read here.
/// An option under a name that Salt does not have is left as it is.
pub(super) fn options(args: &mut BTreeMap<String, Arg>) {
    ports::ports(args);
    volumes::volumes(args);
    for (key, arg) in std::mem::take(args) {
        let known = OPTIONS.iter().find(|(names, _, _)| names.contains(&key.as_str()));
        let (name, arg) = match known {
            Some((_, name, form)) => ((*name).to_owned(), formed(*form, arg)),
            None => (key, arg),
        };
        match args.entry(name.clone()) {
            std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(arg)),
            // Both names of one option: that they differ is found where the options are read.
            std::collections::btree_map::Entry::Occupied(_) => {
                let other = known.and_then(|(names, ours, _)| names.iter().find(|salts| *salts != ours));
                args.insert(other.map_or(name, |salts| (*salts).to_owned()), arg);
            }
        }
    }
}

fn formed(form: Form, arg: Arg) -> Arg {
    match form {
        Form::Plain => repacked(arg),
        Form::List => list(&arg),
        Form::Table => table(&arg, '='),
        Form::Colons => table(&arg, ':'),
        Form::ColonList => joined(&table(&arg, ':')),
        Form::Variables => printed_truths(&table(&arg, '=')),
        Form::Capitalised => lower_keys(&paired(repacked(arg))),
        Form::Health => health(&lower_keys(&repacked(arg))),
        Form::Networks => networks(&arg),
    }
}

/// `db:database` of a table.
fn joined(arg: &Arg) -> Arg {
    let ArgValue::Table(entries) = &arg.value else { return arg.clone() };
    let lines =
        entries.iter().filter_map(|(key, value)| Some(text(value, format!("{key}:{}", printed(value)?))));
    derived(arg, ArgValue::Array(lines.collect()))
}

/// Texts with commas as a list; a policy of one word stays a text.
fn paired(arg: Arg) -> Arg {
    match &arg.value {
        ArgValue::Text(text) if text.as_clear().is_some_and(|text| text.contains(',')) => list(&arg),
        _ => arg,
    }
}

fn printed_truths(arg: &Arg) -> Arg {
    let ArgValue::Table(entries) = &arg.value else { return arg.clone() };
    let entries = entries.iter().map(|(key, value)| {
        let value = match &value.value {
            ArgValue::Boolean(truth) => text(value, python(*truth)),
            _ => value.clone(),
        };
        (key.clone(), value)
    });
    derived(arg, ArgValue::Table(entries.collect()))
}

/// Times are handed to the Engine, which counts nanoseconds.
fn health(arg: &Arg) -> Arg {
    const TIMES: [&str; 4] = ["interval", "start_interval", "start_period", "timeout"];
    let ArgValue::Table(fields) = &arg.value else { return arg.clone() };
    let fields = fields.iter().map(|(name, value)| {
        let value = match &value.value {
            ArgValue::Integer(count) if TIMES.contains(&name.as_str()) && *count > 0 => {
                text(value, time(*count))
            }
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    derived(arg, ArgValue::Table(fields.collect()))
}

/// Nanoseconds with the largest unit that is exact.
fn time(nanoseconds: i64) -> String {
    [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")]
        .into_iter()
        .find(|(unit, _)| nanoseconds % unit == 0)
        .map_or_else(|| format!("{nanoseconds}ns"), |(unit, word)| format!("{}{word}", nanoseconds / unit))
}

/// Names, or a table where one of them says what the container has there.
fn networks(arg: &Arg) -> Arg {
    let items = super::values::listed(&match &arg.value {
        ArgValue::Table(_) => derived(arg, ArgValue::Array(vec![arg.clone()])),
        _ => arg.clone(),
    });
    if !items.iter().any(|item| matches!(item.value, ArgValue::Table(_))) {
        return derived(arg, ArgValue::Array(items));
    }
    let mut whole = BTreeMap::new();
    for item in items {
        match &item.value {
            ArgValue::Table(table) => {
                for (name, fields) in table {
                    whole.insert(name.clone(), endpoint(fields));
                }
            }
            _ => {
                if let Some(name) = printed(&item) {
                    whole.insert(name, derived(&item, ArgValue::Table(BTreeMap::new())));
                }
            }
        }
    }
    derived(arg, ArgValue::Table(whole))
}

fn endpoint(fields: &Arg) -> Arg {
    let packed = repacked(fields.clone());
    let ArgValue::Table(table) = &packed.value else {
        return match packed.value {
            ArgValue::Unset => derived(&packed, ArgValue::Table(BTreeMap::new())),
            _ => packed,
        };
    };
    let entries = table.iter().map(|(name, value)| {
        let value = match name.as_str() {
            "links" => joined(&super::values::table(value, ':')),
            "aliases" | "link_local_ips" => list(value),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    derived(&packed, ArgValue::Table(entries.collect()))
}
