//! Answers that are lost on the way: a command is still given once.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Person, Town};

/// Stands between client and server, and drops answers to payments.
#[derive(Debug)]
struct Proxy {
    url: String,
    /// How many answers are dropped still.
    drops: Arc<AtomicUsize>,
}

impl Proxy {
    /// It ends with the test's process.
    fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let drops = Arc::new(AtomicUsize::new(0));
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let left = Arc::clone(&drops);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (server, left) = (server.clone(), Arc::clone(&left));
                // A client that goes away is the point.
                std::thread::spawn(move || carry(client.ok()?, &server, &left).ok());
            }
        });
        Self { url, drops }
    }

    fn drop_next(&self, count: usize) {
        self.drops.store(count, Ordering::SeqCst);
    }
}

/// Carries one request and its answer; each has a connection of its own.
fn carry(mut client: TcpStream, server: &str, drops: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut head, mut length) = (format!("{first}connection: close\r\n"), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        head.push_str(&line);
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(head.as_bytes())?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let less = |left: usize| left.checked_sub(1);
    let is_payment = first.starts_with("POST /api/v1/transfers HTTP");
    if is_payment && drops.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
        return Ok(());
    }
    client.write_all(&answer)
}

#[test]
fn a_lost_answer_pays_once() {
    let town = Town::new();
    let proxy = Proxy::before(&town.platform.url);
    let (ada, _) = town.resident("ada", "DE");
    let (bob, bobs) = town.resident("bob", "DE");
    assert_eq!(ada.run(&["logout"]).status, Some(0));
    let ada = Person { server: Some(&proxy.url), ..ada };
    ada.login();

    proxy.drop_next(2);
    ada.settled(&["send", &bobs, "10", "--yes"], "commandId");
    assert_eq!(proxy.drops.load(Ordering::SeqCst), 0, "both answers were lost");
    assert_eq!(bob.balance(), "510.00");

    // Without any answer the key is told, and the command can be repeated by hand.
    proxy.drop_next(usize::MAX);
    let send = ["send", &bobs, "7", "--yes"];
    let lost = ada.run(&send);
    lost.ended(3, &["cannot be reached", "not known whether", "--idempotency-key gx-"]);
    proxy.drop_next(0);
    let key = lost.err.split("--idempotency-key ").nth(1).unwrap().split_whitespace().next();
    let again = [&send[..], &["--idempotency-key", key.unwrap()]].concat();
    let first = ada.settled(&again, "commandId");
    assert_eq!(ada.settled(&again, "commandId"), first);
    assert_eq!(bob.balance(), "517.00");
    let other = ["send", &bobs, "8", "--yes", "--idempotency-key", key.unwrap()];
    ada.run(&other).refused("idempotency_key_reused");
    assert_eq!(bob.balance(), "517.00");
}
