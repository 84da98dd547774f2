//! Databases, restarts and kills of one cluster.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use gx_pg::{Cluster, Options};

fn folder_of(cluster: &Cluster) -> String {
    let data = cluster.sql("postgres", "SHOW data_directory").unwrap();
    Path::new(&data).parent().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn what_was_committed_outlives_a_stop_and_a_kill_on_the_same_port() {
    let mut cluster = Cluster::start(Options::default()).unwrap();
    let url = cluster.url("money");
    cluster.create_database("money").unwrap();
    cluster.sql("money", "CREATE TABLE t (n int)").unwrap();

    cluster.sql("money", "INSERT INTO t VALUES (1)").unwrap();
    cluster.stop().unwrap();
    assert!(!cluster.is_running());
    assert!(cluster.sql("money", "SELECT 1").is_err());
    cluster.restart().unwrap();

    cluster.sql("money", "INSERT INTO t VALUES (2)").unwrap();
    cluster.kill().unwrap();
    assert!(!cluster.is_running());
    cluster.restart().unwrap();
    cluster.restart().unwrap();

    assert!(cluster.is_running());
    assert_eq!(cluster.url("money"), url);
    assert_eq!(cluster.sql("money", "SELECT n FROM t ORDER BY n").unwrap(), "1\n2");
}

#[test]
fn a_dropped_cluster_leaves_nothing_behind() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let folder = folder_of(&cluster);
    assert!(Path::new(&folder).exists());
    drop(cluster);
    assert!(!Path::new(&folder).exists());
}

#[test]
fn settings_reach_the_server() {
    let options = Options::durable().with("application_name", "it's set");
    let cluster = Cluster::start(options).unwrap();
    let show = |name: &str| cluster.sql("postgres", &format!("SHOW {name}")).unwrap();
    assert_eq!(show("fsync"), "on");
    assert_eq!(show("synchronous_commit"), "on");
    assert_eq!(show("shared_buffers"), "2GB");
    assert_eq!(show("max_wal_size"), "8GB");
    assert_eq!(show("server_encoding"), "UTF8");
    assert_eq!(show("lc_collate"), "C");
}

#[test]
fn a_wrong_password_is_refused() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let mut psql = cluster.server().client("psql", "postgres");
    let output = psql.env("PGPASSWORD", "wrong").args(["-X", "-c", "SELECT 1"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("password authentication failed"), "{text}");
}

#[test]
fn databases_of_the_shared_server_are_apart_and_go_away() {
    let server = gx_pg::shared().unwrap();
    let (one, two) = (server.fresh_database().unwrap(), server.fresh_database().unwrap());
    assert_ne!(one.url(), two.url());
    one.sql("CREATE TABLE t AS SELECT 7 AS n").unwrap();
    assert!(two.sql("SELECT * FROM t").is_err());

    let copy = format!("{}_copy", one.name());
    server.create_database_from(&copy, one.name()).unwrap();
    assert_eq!(server.sql(&copy, "SELECT n FROM t").unwrap(), "7");
    server.drop_database(&copy).unwrap();

    let names = [one.name().to_owned(), two.name().to_owned(), copy];
    drop((one, two));
    let left = server.sql("postgres", "SELECT datname FROM pg_database").unwrap();
    for name in names {
        assert!(!left.contains(&name), "{name} is still there:\n{left}");
    }
}

#[test]
fn a_restart_waits_until_its_port_is_free_again() {
    let mut cluster = Cluster::start(Options::default()).unwrap();
    let log = Path::new(&folder_of(&cluster)).join("log");
    cluster.stop().unwrap();
    let other = TcpListener::bind(("127.0.0.1", cluster.port())).unwrap();
    let releases = std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !std::fs::read_to_string(&log).unwrap().contains("Address already in use") {
            assert!(Instant::now() < deadline, "PostgreSQL did not find its port taken");
            std::thread::yield_now();
        }
        drop(other);
    });
    cluster.restart().unwrap();
    releases.join().unwrap();
    assert_eq!(cluster.sql("postgres", "SELECT 1").unwrap(), "1");
}
