//! What the script tells of etcd.

use super::{HostError, Sections};
use crate::facts::*;

/// The etcd that a host has seen.
pub(super) fn etcd(sections: &Sections<'_>, host: &str) -> Result<Etcd, HostError> {
    let health = sections.list("etcd_health", |fields| match fields {
        [endpoint, healthy, took] => {
            Some(((*endpoint).to_owned(), *healthy == "yes", milliseconds(took)))
        }
        _ => None,
    })?;
    let health = health.get().cloned().unwrap_or_default();
    let members = sections.list("etcd_members", |fields| match fields {
        [id, _status, name, peers, learner] => {
            let peer_urls: Vec<String> = peers.split(',').map(str::to_owned).collect();
            // Clients are answered beside the port of the peers, on the same host.
            let place = |url: &str| url.rsplit_once(':').map(|(host, _)| host.to_owned());
            let own = peer_urls.first().and_then(|url| place(url));
            let seen = health.iter().find(|(endpoint, _, _)| place(endpoint) == own);
            let unknown = || Known::missing("its health was not asked");
            Some(EtcdMember {
                id: (*id).to_owned(),
                name: (*name).to_owned(),
                peer_urls,
                is_learner: *learner == "true",
                healthy: seen.map_or_else(unknown, |(_, healthy, _)| Known::Known(*healthy)),
                latency_ms: seen.and_then(|(_, _, took)| *took),
                ..EtcdMember::default()
            })
        }
        _ => None,
    })?;
    let snapshots = sections.list("etcd_snapshots", |fields| match fields {
        [name, place, size, created] => Some(EtcdSnapshot {
            name: (*name).to_owned(),
            at: created.parse().ok()?,
            bytes: size.parse().ok()?,
            place: (*place).to_owned(),
            is_off_host: !place.starts_with("file://"),
        }),
        _ => None,
    })?;
    let encrypts_secrets = sections.one("encryption", |fields| match fields {
        ["Enabled"] => Some(true),
        ["Disabled"] => Some(false),
        _ => None,
    })?;
    let joined = sections.one("etcd_joined", |fields| match fields {
        [name, at] => Some(((*name).to_owned(), at.parse().ok().map(Time::from_seconds))),
        _ => None,
    })?;
    let (own_name, joined) = joined.get().cloned().unwrap_or_default();
    Ok(Etcd { seen_from: host.to_owned(), members, snapshots, encrypts_secrets, own_name, joined })
}

/// A time as Go writes it, such as `1.08s` or `175.2ms`.
fn milliseconds(text: &str) -> Option<u32> {
    let (number, factor) = if let Some(number) = text.strip_suffix("ms") {
        (number, 1)
    } else if let Some(number) = text.strip_suffix("µs").or(text.strip_suffix("us")) {
        return number.parse::<f64>().is_ok().then_some(1);
    } else {
        (text.strip_suffix('s')?, 1000)
    };
    let thousandths = parse_quantity(number).ok()?.checked_mul(factor)?;
    u32::try_from(thousandths.div_ceil(1000)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::SCRIPT;

    /// What a function of the script prints, after others were put before it.
    fn run(name: &str, before: &str, input: &str) -> String {
        let begin = SCRIPT.find(&format!("\n{name}() {{")).unwrap();
        let function = SCRIPT[begin..].split_inclusive("\n}\n").next().unwrap();
        let script = format!("{before}\n{function}\n{input}{name}");
        let output = std::process::Command::new("sh").args(["-uc", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn members_are_read_from_the_gateway_when_there_is_no_client() {
        let answer = r#"{"header":{"cluster_id":"3","member_id":"7"},"members":[
            {"ID":"7","name":"alfa-1","peerURLs":["https://192.0.2.11:2380"],
             "clientURLs":["https://192.0.2.11:2379"]},
            {"ID":"9","peerURLs":["https://192.0.2.12:2380"],"isLearner":true}]}"#;
        // etcd writes it without spaces.
        let answer: String = answer.split_whitespace().collect();
        let told = run("json_members", &format!("client() {{ printf '%s' '{answer}'; }}"), "");
        let expected = "7\tstarted\talfa-1\thttps://192.0.2.11:2380\tfalse\t\
                        https://192.0.2.11:2379\n\
                        9\tunstarted\t\thttps://192.0.2.12:2380\ttrue\t\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn settings_are_told_and_tokens_are_not() {
        let input = "printf '%s\\n' 'token Kq7secret' 'cluster-cidr 10.42.0.0/16' \
                     'disable traefik' 'disable $(x)' \
                     'kube-apiserver-arg encryption-provider-config=/etc/e.json' \
                     'kube-apiserver-arg oidc-client-secret=Kq7secret' | ";
        let expected = "cluster-cidr\t10.42.0.0/16\ndisable\ttraefik\n\
                        encryption-provider-config\t/etc/e.json\n";
        assert_eq!(run("settings", "", input), expected);
    }
}
