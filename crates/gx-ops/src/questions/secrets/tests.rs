//! Which copies of credentials are told to differ, without one being told.

use super::*;
use crate::rules::fixture::read;

/// Two Secrets and an address, of which one was changed without the others.
const DIFFERENT: &str = "
secrets:
- namespace: backend-mainnet
  name: postgres-credentials
  data: {password: {hidden: {hash: 's:one', length: 32, class: alphanumeric}}}
- namespace: backend-mainnet
  name: backend-secrets
  data:
    DATABASE_URL: {dsn: {scheme: postgresql, user: gx, host: postgres, wellFormed: true,
      password: {hash: 's:two', length: 32, class: alphanumeric}, whole: {hash: 's:x', length: 90}}}
    REDIS_PASSWORD: {hidden: {hash: 's:one', length: 32, class: alphanumeric}}
- namespace: backend-testnet
  name: postgres-credentials
  data: {password: {hidden: {hash: 's:two', length: 32, class: line}}}
configMaps: []
workloads:
- kind: Deployment
  namespace: backend-mainnet
  name: svc
  replicas: 1
  template:
    spec:
      containers:
      - name: main
        env: [{name: A, from: {kind: Secret, name: backend-secrets, key: DATABASE_URL}}]
";

#[test]
fn the_incident_is_one_line() {
    let answer = check(&read(DIFFERENT).unwrap().snapshot);
    let one = answer
        .credentials
        .iter()
        .find(|one| one.service == "postgres" && one.environment == "mainnet")
        .unwrap();
    assert_eq!(
        one.faults,
        ["2 copies, 2 values: Secret backend-mainnet/backend-secrets DATABASE_URL ≠ \
          Secret backend-mainnet/postgres-credentials password"]
    );
    assert_eq!(one.copies[0].used_by[0].to_string(), "Deployment backend-mainnet/svc");
    assert!(one.copies[1].used_by.is_empty());
    assert!(!answer.is_clean());
    let text = render(&answer, &Look::default());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // No hash is shown either: whoever has the salt could try words.
    let json = serde_json::to_string(&answer).unwrap();
    assert!(!json.contains("s:one") && !text.contains("s:one"));
}

#[test]
fn what_environments_and_services_share_is_named() {
    let answer = check(&read(DIFFERENT).unwrap().snapshot);
    assert_eq!(answer.shared.len(), 2, "{:?}", answer.shared);
    assert!(answer.shared.iter().any(|one| one.contains("redis of mainnet")));
    assert!(answer.shared.iter().any(|one| one.contains("postgres of testnet")));
}

#[test]
fn characters_that_an_address_cannot_hold_are_a_fault() {
    let answer = check(&read(DIFFERENT).unwrap().snapshot);
    let test = answer.credentials.iter().find(|one| one.environment == "testnet").unwrap();
    assert!(test.faults[0].contains("percent-encoded"), "{:?}", test.faults);
}

#[test]
fn hashes_of_two_salts_are_not_called_different() {
    let text = DIFFERENT.replace("'s:two'", "'t:two'");
    let answer = check(&read(&text).unwrap().snapshot);
    let one = answer.credentials.iter().find(|one| one.service == "postgres").unwrap();
    assert!(one.faults[0].contains("cannot be told"), "{:?}", one.faults);
    assert!(one.copies.iter().all(|copy| copy.value.is_none()));
}

#[test]
fn equal_copies_are_clean() {
    let text = DIFFERENT.split("- namespace: backend-testnet").next().unwrap();
    let text = text.replace("'s:two'", "'s:one'").replace("REDIS_PASSWORD", "OTHER");
    let answer = check(&read(&text).unwrap().snapshot);
    assert!(answer.is_clean(), "{:?}", answer.credentials);
    assert!(answer.not_known.iter().any(|one| one.starts_with("config_maps")));
}
