//! What can be said of a script, a command line or a configuration without telling it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// What a script or a command line does carelessly, by name and without quoting it.
pub(super) fn careless(text: &str) -> Vec<String> {
    let mut habits = Vec::new();
    let mut add = |habit: &str| {
        if !habits.iter().any(|one| one == habit) {
            habits.push(habit.to_owned());
        }
    };
    let is_code = |line: &&str| !line.starts_with('#');
    for line in text.lines().map(str::trim_start).filter(is_code) {
        let lower = line.to_ascii_lowercase();
        let bare: String = lower.chars().filter(|c| !"\"'".contains(*c)).collect();
        let unchecked = says(&bare, "stricthostkeychecking", &["no", "off"]);
        let forgotten = says(&bare, "userknownhostsfile", &["/dev/null"]);
        if unchecked || forgotten {
            add("hostKeysUnchecked");
        }
        let words: Vec<&str> =
            line.split_whitespace().map(|word| word.trim_matches(['"', '\'', ';', '('])).collect();
        if shows_password(&words) {
            add("passwordOnCommandLine");
        }
        if words.iter().any(|word| assigns_password(word)) {
            add("passwordInScript");
        }
    }
    habits.sort();
    habits
}

/// Whether a setting has one of the values somewhere in a line.
fn says(line: &str, name: &str, values: &[&str]) -> bool {
    let mut after = line.split(name).skip(1).map(|rest| rest.trim_start_matches(['=', ' ']));
    after.any(|rest| begins(rest, values))
}

/// Whether a text begins with one of the words, as a whole word.
fn begins(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let rest = text.strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

/// Whether a program is given a password where every user of the machine can read it, be it by
/// the name of a variable: the shell puts its value there.
fn shows_password(words: &[&str]) -> bool {
    let has = |name: &str| words.iter().any(|word| word.rsplit('/').next() == Some(name));
    let pairs = words.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
    let mut pairs = pairs.chain(words.last().map(|last| (*last, "")));
    pairs.any(|(word, next)| match word {
        "-a" | "--pass" => has("redis-cli") && !next.is_empty(),
        "-u" | "--user" => has("curl") && next.contains(':'),
        "--password" | "--passwd" => !next.is_empty() && !next.starts_with('-'),
        _ if word.starts_with("-p") && !word.starts_with("--") => has("sshpass"),
        _ => word.starts_with("--password=") || word.starts_with("--passwd="),
    })
}

/// Whether a word sets something secret to a value that stands there.
fn assigns_password(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else { return false };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let value = value.trim_matches(['"', '\'']);
    let lower = name.to_ascii_lowercase();
    let is_file = ["_file", "_path", "_dir"].iter().any(|end| lower.ends_with(end));
    !name.is_empty()
        && name.chars().all(is_name)
        && ["pass", "pwd", "secret", "token"].iter().any(|word| lower.contains(word))
        && !is_file
        && value.len() >= 6
        && !value.starts_with(['$', '`', '/', '<'])
}

/// The switches for TLS in a file in YAML, by the file and their path in lower case.
pub(super) fn tls_switches(file: &str, text: &str) -> BTreeMap<String, bool> {
    let mut switches = BTreeMap::new();
    let is_yaml = file.ends_with(".yaml") || file.ends_with(".yml");
    let about = text.to_ascii_lowercase();
    if is_yaml && about.contains("tls") && text.len() <= 1 << 20 {
        let read: Result<Json, _> = serde_saphyr::from_str(text);
        if let Ok(json) = read {
            walk(&json, file, "", &mut switches);
        }
    }
    switches
}

fn walk(json: &Json, file: &str, path: &str, switches: &mut BTreeMap<String, bool>) {
    let Json::Object(fields) = json else { return };
    for (name, value) in fields {
        let name = name.to_ascii_lowercase();
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        match value {
            Json::Bool(on) if path.split('.').any(|step| step.contains("tls")) => {
                switches.insert(format!("{file}:{path}"), *on);
            }
            _ => walk(value, file, &path, switches),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn careless_habits_are_named() {
        for (text, habit) in [
            ("ssh -o StrictHostKeyChecking=no host", "hostKeysUnchecked"),
            ("scp -o 'UserKnownHostsFile /dev/null' a b:", "hostKeysUnchecked"),
            ("sshpass -p \"$PW\" ssh host", "passwordOnCommandLine"),
            ("redis-cli -h redis -a \"$REDIS_PASSWORD\" BGSAVE", "passwordOnCommandLine"),
            ("curl -s -u admin:x http://couchdb:5984", "passwordOnCommandLine"),
            ("tool --password=x", "passwordOnCommandLine"),
            ("export PGPASSWORD='correcthorse'", "passwordInScript"),
        ] {
            assert_eq!(careless(text), [habit], "{text}");
        }
    }

    #[test]
    fn what_only_looks_so_is_not_named() {
        for text in [
            "ssh -o StrictHostKeyChecking=accept-new host",
            "# never: StrictHostKeyChecking=no",
            "export PGPASSWORD=\"$DATABASE_PASSWORD\"",
            "PASSWORD_FILE=/run/secrets/password",
            "tool --password-file /run/secrets/password",
            "docker login --password-stdin",
            "mkdir -p /var/backup",
            "tar -a -cf x.tar.gz y",
        ] {
            assert!(careless(text).is_empty(), "{text}: {:?}", careless(text));
        }
    }

    #[test]
    fn switches_for_tls_are_read_by_their_paths() {
        let text = "General:\n  ListenPort: 7050\n  TLS:\n    Enabled: true\n  Debug: true\n";
        let expected = BTreeMap::from([("orderer.yaml:general.tls.enabled".to_owned(), true)]);
        assert_eq!(tls_switches("orderer.yaml", text), expected);
        assert!(tls_switches("orderer.txt", text).is_empty());
        assert!(tls_switches("broken.yaml", "tls: [").is_empty());
    }
}
