//! What a supervisor is told: a socket of this test stands where systemd's would.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use gx_workbench::child::Child;

use crate::place::{GX, Place};

/// How long anything here may take at most.
const PATIENCE: Duration = Duration::from_secs(30);

struct Supervisor(UnixDatagram);

impl Supervisor {
    /// Listens until one of the lines that it is told is `line`; returns those before it.
    fn hears(&self, line: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut heard = Vec::new();
        loop {
            assert!(Instant::now() < deadline, "{line} is not among {heard:?}");
            let mut message = [0; 4096];
            let Ok(length) = self.0.recv(&mut message) else { continue };
            let text = String::from_utf8(message[..length].to_vec()).unwrap();
            for told in text.lines() {
                if told == line {
                    return heard;
                }
                heard.push(told.to_owned());
            }
        }
    }
}

#[test]
fn a_supervisor_is_told_that_it_listens_lives_and_ends() {
    let place = Place::new();
    let path = place.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let supervisor = Supervisor(socket);
    let path = path.to_string_lossy();
    let environment = [
        ("NOTIFY_SOCKET", path.as_ref()),
        ("WATCHDOG_USEC", "60000"),
        ("GX_AUTH__ARGON2_MEMORY_KIB", "64"),
        ("LOG_LEVEL", "error"),
    ];
    let child = Child::start(GX, &place.data(), &environment).unwrap();
    // The ports come first, as the platform may have to wait for long before it can serve.
    assert_eq!(supervisor.hears("READY=1"), Vec::<String>::new());
    supervisor.hears("STATUS=serving");
    for _ in 0..3 {
        supervisor.hears("WATCHDOG=1");
    }
    assert!(child.stop().unwrap().success());
    supervisor.hears("STOPPING=1");
}
