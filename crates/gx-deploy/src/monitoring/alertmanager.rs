//! Alertmanager: who is told, who is spared, and the dead man's switch.

use super::alert::Severity;
use super::yaml::{Node, labels, list, map, text, texts, word};

/// Where alerts go. Secrets are files that Alertmanager reads; none stands in the configuration.
#[derive(Debug, Clone)]
pub struct Receivers {
    /// Takes what somebody has to come for now.
    pub pager_url: String,
    /// Sent to it as a bearer token.
    pub pager_token_file: String,
    /// Hears every few minutes that alerts get through, and calls when it does not.
    pub heartbeat_url: String,
    pub heartbeat_token_file: String,
    pub mail_to: String,
    pub mail_from: String,
    /// host:port of the mail server; it has to offer STARTTLS.
    pub mail_server: String,
    pub mail_user: String,
    pub mail_password_file: String,
}

impl Default for Receivers {
    /// Receivers of nobody: everybody has to name their own.
    fn default() -> Self {
        let secret = |name: &str| format!("/etc/alertmanager/secrets/{name}");
        Self {
            pager_url: "https://pager.example.org/alerts".to_owned(),
            pager_token_file: secret("pager-token"),
            heartbeat_url: "https://heartbeat.example.org/gx".to_owned(),
            heartbeat_token_file: secret("heartbeat-token"),
            mail_to: "operations@example.org".to_owned(),
            mail_from: "alerts@example.org".to_owned(),
            mail_server: "mail.example.org:587".to_owned(),
            mail_user: "alerts@example.org".to_owned(),
            mail_password_file: secret("mail-password"),
        }
    }
}

/// How fast alerts go out. Tests are less patient than people.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long alerts of one group are gathered.
    pub gather: &'static str,
    /// After which time a group that goes on is told of again.
    pub again: &'static str,
    pub heartbeat: &'static str,
}

impl Default for Pace {
    fn default() -> Self {
        Self { gather: "30s", again: "4h", heartbeat: "2m" }
    }
}

/// Which alert says all that others say as well: (the one that stays, those that it silences, the
/// labels in which they agree).
const INHIBITIONS: &[(&str, &str, &[&str])] = &[
    ("CertificateEndsIn3Days", "CertificateEndsIn14Days|CertificateEndsIn30Days", CERTIFICATE),
    ("CertificateEndsIn14Days", "CertificateEndsIn30Days", CERTIFICATE),
    ("ErrorBudgetBurningFast", "ErrorBudgetBurningSlow", &["api"]),
    ("LatencyVeryHigh", "LatencyHigh", &["api"]),
    ("SubmissionStuck", "SubmissionSlow|QueueGrowing", &[]),
    ("DiskFull", "DiskFilling|DiskFullInADay", &["instance", "mountpoint"]),
    ("OrdererQuorumAtRisk", "OrdererDown", &[]),
    ("OrganizationWithoutPeer", "PeerDown", &[]),
    ("PostgresDown", "DatabaseAway|NotReplicating|ReplicaLagging", &[]),
    (
        "DatabaseAway",
        "WorkerWithoutLeader|ProjectorStopped|ProjectorStuck|SubmissionStuck|LeaseFlapping|\
         ErrorBudgetBurningFast|ErrorBudgetBurningSlow|LatencyHigh|LatencyVeryHigh|\
         DatabasePoolSaturated",
        &[],
    ),
    ("ServiceDown", "TargetDown|WorkerWithoutLeader|ProbeFailing", &[]),
    ("RedisDown", "RedisAway", &[]),
    ("ProjectorStopped", "ProjectorLagging", &[]),
    ("ProjectorStuck", "ProjectorLagging", &[]),
    ("RaftWithoutLeader", "SubmissionLaneStuck|SubmissionStuck|SubmissionSlow", &[]),
    ("ClusterNodeNotReady", "ReplicasMissing|StatefulReplicasMissing|TargetDown", &[]),
];

const CERTIFICATE: &[&str] = &["instance", "role", "name"];

fn matchers<const N: usize>(items: [String; N]) -> Node {
    list(items.into_iter().map(text))
}

fn route(receiver: &str, matches: String) -> Node {
    map([("receiver", word(receiver)), ("matchers", matchers([matches]))])
}

fn webhook(url: &str, token_file: &str, resolved: bool) -> Node {
    let authorization = labels([("type", "Bearer"), ("credentials_file", token_file)]);
    map([
        ("url", text(url)),
        ("send_resolved", word(resolved)),
        ("http_config", map([("authorization", authorization)])),
    ])
}

/// The configuration of Alertmanager.
pub fn configuration(receivers: &Receivers, pace: Pace) -> String {
    let Receivers { pager_url, pager_token_file, heartbeat_url, heartbeat_token_file, .. } =
        receivers;
    let watchdog = route("heartbeat", "alertname = Watchdog".to_owned())
        .with("group_wait", word("0s"))
        .with("group_interval", word(pace.heartbeat))
        .with("repeat_interval", word(pace.heartbeat));
    let of = |severity: Severity| format!("severity = {}", severity.as_str());
    let routes = [
        watchdog,
        route("pager", of(Severity::Critical)).with("continue", word(true)),
        route("mail", "severity =~ \"critical|warning\"".to_owned()),
        route("nobody", of(Severity::Info)),
    ];
    let root = map([("receiver", word("mail"))])
        .with("group_by", texts(["alertname", "namespace"]))
        .with("group_wait", word(pace.gather))
        .with("group_interval", word("5m"))
        .with("repeat_interval", word(pace.again))
        .with("routes", list(routes));
    let inhibitions = INHIBITIONS.iter().map(|(source, targets, equal)| {
        map([
            ("source_matchers", matchers([format!("alertname = {source}")])),
            ("target_matchers", matchers([format!("alertname =~ \"{targets}\"")])),
            ("equal", texts(equal.iter().copied())),
        ])
    });
    let named = |name: &str, kind: &str, how: Node| {
        Node::Map(vec![("name".to_owned(), word(name)), (kind.to_owned(), list([how]))])
    };
    let receivers_of = [
        named("pager", "webhook_configs", webhook(pager_url, pager_token_file, true)),
        named("heartbeat", "webhook_configs", webhook(heartbeat_url, heartbeat_token_file, false)),
        named("mail", "email_configs", mail(receivers)),
        map([("name", word("nobody"))]),
    ];
    map([("route", root), ("inhibit_rules", list(inhibitions)), ("receivers", list(receivers_of))])
        .document(
            "Alertmanager: routes, inhibition, receivers. Secrets are files; addresses at\n\
             example.org are yours to replace. The heartbeat goes to something outside that calls\n\
             when it stops: it is how a dead monitoring is noticed.",
        )
}

fn mail(receivers: &Receivers) -> Node {
    let Receivers { mail_to, mail_from, mail_server, mail_user, mail_password_file, .. } =
        receivers;
    map([
        ("to", text(mail_to)),
        ("from", text(mail_from)),
        ("smarthost", text(mail_server)),
        ("auth_username", text(mail_user)),
        ("auth_password_file", text(mail_password_file)),
        ("require_tls", word(true)),
        ("send_resolved", word(true)),
    ])
}
