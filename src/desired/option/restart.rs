//! Restart policy. Not written means `no`, as the Engine itself takes it: so a policy that is no
//! longer declared is taken off in place.

use super::Body;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::problem::{Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};

const FIELD: &str = "/HostConfig/RestartPolicy";

/// `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3`, or `{ name, retries }`.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let (name, retries) = match &arg.value {
        ArgValue::Boolean(false) => ("no".to_owned(), None),
        ArgValue::Table(_) => {
            let known = ["name", "retries", "Name", "MaximumRetryCount"];
            let fields = read::fields(option, arg, &known)?;
            let name = fields.get("name").or_else(|| fields.get("Name"));
            let retries = fields.get("retries").or_else(|| fields.get("MaximumRetryCount"));
            let name = name.ok_or_else(|| read::wrong(option, arg, "has no `name`"))?;
            let retries =
                retries.map(|arg| read::integer("restart.retries", arg, 0, 1_000_000)).transpose()?;
            (read::text(option, name)?, retries)
        }
        _ => {
            let text = read::text(option, arg)?;
            match text.split_once(':') {
                Some((name, count)) => {
                    let count = count.parse().ok().filter(|count| (0..=1_000_000).contains(count));
                    let wrong =
                        || read::wrong(option, arg, "must be a number of tries, like \"on-failure:3\"");
                    (name.to_owned(), Some(count.ok_or_else(wrong)?))
                }
                None => (text, None),
            }
        }
    };
    let name = if name.is_empty() { "no" } else { name.as_str() };
    if !["no", "always", "unless-stopped", "on-failure"].contains(&name) {
        let why = format!("is `{}`, which is not a restart policy", escaped(name));
        let hint = "there are \"no\", \"always\", \"unless-stopped\", \"on-failure\" and \"on-failure:3\"";
        return Err(read::wrong(option, arg, &why).hint(hint).into());
    }
    if name != "on-failure" && retries.is_some_and(|retries| retries > 0) {
        return Err(read::wrong(option, arg, "can count tries with `on-failure` only").into());
    }
    Ok(match retries.filter(|retries| *retries > 0) {
        Some(retries) => json!(format!("{name}:{retries}")),
        None => json!(name),
    })
}

/// `RestartPolicy` of the Engine; none written is `no`.
pub(crate) fn policy(canonical: Option<&Value>) -> Value {
    let text = canonical.and_then(Value::as_str).unwrap_or("no");
    let (name, retries) = text.split_once(':').unwrap_or((text, "0"));
    json!({ "Name": name, "MaximumRetryCount": retries.parse::<i64>().unwrap_or(0) })
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    body.set(FIELD, policy(Some(canonical)));
}

/// For a policy that is not written, `canonical` is null.
pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    let wanted = policy(Some(canonical));
    let found = inspect.compare(FIELD);
    let name = found.and_then(|found| found["Name"].as_str()).filter(|name| !name.is_empty()).unwrap_or("no");
    let retries = found.and_then(|found| found["MaximumRetryCount"].as_i64()).unwrap_or(0);
    wanted["Name"] != name || (name == "on-failure" && wanted["MaximumRetryCount"] != retries)
}
