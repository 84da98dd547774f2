//! A start while the database is away: processes wait, say so, and go on when it is back.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gx_pg::{Cluster, Options};
use serde_json::Value;

use crate::place::Place;

/// How long anything here may take at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// A role in a process of its own, killed in the end.
#[derive(Debug)]
struct Role {
    process: Child,
    port: u16,
}

impl Role {
    fn start(place: &Place, command: &[&str], port_key: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = place.command(&[command, &["--data", "data"]].concat());
        process.env(port_key, port.to_string()).env("LOG_LEVEL", "warn");
        process.stdout(Stdio::null()).stderr(Stdio::piped());
        Self { process: process.spawn().unwrap(), port }
    }

    /// Status and body of an answer, when somebody listens.
    fn get(&self, path: &str) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: gx\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        Some((status, serde_json::from_str(body).unwrap()))
    }

    /// Asks until an answer is as it should be.
    fn until(&mut self, path: &str, is_right: impl Fn(u16, &Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path);
            if let Some((status, body)) = &answer
                && is_right(*status, body)
            {
                return body.clone();
            }
            assert!(self.process.try_wait().unwrap().is_none(), "{self:?} has ended");
            assert!(Instant::now() < deadline, "{path} answers {answer:?}");
            std::thread::yield_now();
        }
    }

    /// Asks the process to stop, and returns its status and its words on standard error.
    fn stop(mut self) -> (Option<i32>, String) {
        let id = i32::try_from(self.process.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let status = self.process.wait().unwrap();
        let mut words = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut words).unwrap();
        (status.code(), words)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_waiting(status: u16, body: &Value) -> bool {
    status == 503 && body["checks"]["database"]["error"] == "unavailable"
}

#[test]
fn roles_wait_for_the_database_and_are_ready_within_a_second_of_its_return() {
    let mut cluster = Cluster::start(Options::default()).unwrap();
    cluster.create_database("gx").unwrap();
    let url = cluster.url("gx");
    let place = Place::with(vec![("DATABASE_URL".to_owned(), url.clone())]);
    assert_eq!(place.run(&["migrate", "--data", "data"]).status, Some(0));
    cluster.stop().unwrap();

    let serve = ["serve", "--service", "identity"];
    let mut serving = Role::start(&place, &serve, "GX_HTTP__PORTS__IDENTITY");
    let mut working = Role::start(&place, &["submitter", "--projector"], "GX_HTTP__SUBMITTER_PORT");
    let mut impatient = Role::start(&place, &["projector"], "GX_HTTP__PROJECTOR_PORT");
    for role in [&mut serving, &mut working] {
        let body = role.until("/readyz", is_waiting);
        let message = body["checks"]["database"]["message"].as_str().unwrap();
        assert_eq!(message.matches("Connection refused").count(), 1, "{message}");
        assert_eq!(role.get("/livez").unwrap().0, 200);
        let (status, problem) = role.get("/api/v1/users/profile").unwrap();
        assert_eq!((status, &problem["code"]), (503, &"starting".into()), "{problem}");
    }
    // A process that waits can be stopped like any other. Until it answers it may not listen to
    // signals either: its program may still be loading.
    impatient.until("/readyz", is_waiting);
    let (status, words) = impatient.stop();
    assert_eq!((status, words.contains("error:")), (Some(0), false), "{words}");

    cluster.restart().unwrap();
    let back = Instant::now();
    let is_ready = |status, _: &Value| status == 200;
    working.until("/readyz", is_ready);
    serving.until("/readyz", is_ready);
    assert!(back.elapsed() < Duration::from_secs(1), "{:?}", back.elapsed());
    // What is no service has the routes for operators and no other.
    assert_eq!(working.get("/api/v1/users/profile").unwrap().0, 404);
    assert_eq!(working.get("/version").unwrap().0, 200);
    assert_eq!(serving.get("/api/v1/users/profile").unwrap().0, 401);
    assert_eq!(serving.stop().0, Some(0));
    assert_eq!(working.stop().0, Some(0));
}

#[test]
fn a_platform_that_waits_says_for_what_and_keeps_the_password() {
    let place = Place::new();
    std::fs::write(place.path().join("password"), "hunter2-hunter2\n").unwrap();
    let settings = "[database]\nengine = \"postgres\"\nhost = \"127.0.0.1\"\nport = 1\n\
                    password_file = \"password\"\n";
    std::fs::write(place.path().join("gx.toml"), settings).unwrap();
    let mut up = Role::start(&place, &["up"], "GX_HTTP__PORT");
    let body = up.until("/readyz", is_waiting);
    assert!(!body.to_string().contains("hunter2"), "{body}");
    let (status, words) = up.stop();
    assert_eq!(status, Some(0), "{words}");
    assert!(words.contains("waiting for the database"), "{words}");
    assert!(!words.contains("hunter2"), "{words}");
}

#[test]
fn what_does_not_mend_itself_ends_a_start() {
    let cluster = Cluster::start(Options::default()).unwrap();
    cluster.create_database("gx").unwrap();
    let serve = ["serve", "--service", "identity", "--data", "data"];
    let url = cluster.url("gx");
    let (login, address) = url.rsplit_once('@').unwrap();
    let (user, _) = login.rsplit_once(':').unwrap();
    for (url, part) in [
        (format!("{user}:wrong@{address}"), "password authentication failed"),
        (cluster.url("other"), "database \"other\" does not exist"),
        (url.clone(), "schema version 0"),
    ] {
        let place = Place::with(vec![
            ("DATABASE_URL".to_owned(), url),
            ("GX_HTTP__PORTS__IDENTITY".to_owned(), "0".to_owned()),
        ]);
        place.run(&serve).failed(&[part]);
    }
}
