//! PostgreSQL's start-up: TLS as asked for, and the log-in, up to where statements would begin.

use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::backend::{ErrorResponseBody, Header, Message};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::reach::{Connection, Endpoint, connect, silence};
use super::tls::{Tls, handshake};
use super::{Part, Verdict};

/// Most bytes of one answer before statements: parameters, errors, notices.
const ANSWER_MAX: usize = 64 * 1024;

/// Whether TLS is asked for.
#[derive(Debug, Clone)]
pub enum TlsMode {
    Never,
    /// Where the server has it; what is checked stands beside.
    Offered(Tls),
    Required(Tls),
}

/// Where to log in, and as whom.
pub struct PostgresLogin {
    pub endpoint: Endpoint,
    pub tls: TlsMode,
    pub user: String,
    pub password: Option<String>,
    pub database: String,
}

/// Without the password.
impl fmt::Debug for PostgresLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, user, database, .. } = self;
        write!(f, "PostgresLogin({user} at {endpoint:?}, {database})")
    }
}

/// Why it is not logged in.
#[derive(Debug)]
struct Refused {
    verdict: Verdict,
    seen: String,
    remedy: String,
}

impl Refused {
    fn new(verdict: Verdict, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict, seen: seen.into(), remedy: remedy.into() }
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        let remedy = "what listens there ended the connection: is it PostgreSQL? its log says why";
        Self::new(Verdict::Wrong, error.to_string(), remedy)
    }
}

/// What a server tells of itself while somebody logs in.
#[derive(Debug, Default)]
struct Server {
    version: String,
    is_standby: bool,
}

/// Resolves, connects, speaks TLS and logs in.
pub async fn postgres(login: &PostgresLogin, patience: Duration) -> Part {
    let Endpoint { host, port } = &login.endpoint;
    let (user, database) = (&login.user, &login.database);
    let mut part = Part::new(format!("PostgreSQL {user}@{host}:{port}/{database}"));
    let to = match host.starts_with('/') {
        true => Endpoint { host: format!("{host}/.s.PGSQL.{port}"), port: *port },
        false => login.endpoint.clone(),
    };
    let Some(stream) = connect(&mut part, &to, patience).await else {
        part.not_tried(&["log in", "writes"]);
        return part;
    };
    let Some(stream) = encrypted(&mut part, stream, login, patience).await else {
        part.not_tried(&["log in", "writes"]);
        return part;
    };
    let started = timeout(patience, start(stream, login)).await.unwrap_or_else(|_| {
        let remedy = "what listens there is not PostgreSQL, or it is at its limit: its log";
        Err(Refused::new(Verdict::Wrong, silence(patience), remedy))
    });
    match started {
        Ok(Server { version, is_standby }) => {
            part.ok("log in", format!("as {user}, PostgreSQL {version}"));
            if is_standby {
                let remedy = "name the primary in the settings, or have the standby take over";
                part.add("writes", Verdict::Wrong, "this is a standby", remedy);
            } else {
                part.ok("writes", "it is no standby");
            }
        }
        Err(Refused { verdict, seen, remedy }) => {
            part.add("log in", verdict, seen, remedy);
            part.not_tried(&["writes"]);
        }
    }
    part
}

/// Asks for TLS as the settings say.
async fn encrypted(
    part: &mut Part,
    mut stream: Connection,
    login: &PostgresLogin,
    patience: Duration,
) -> Option<Connection> {
    let (tls, is_required) = match &login.tls {
        TlsMode::Never => return Some(stream),
        // PostgreSQL does not speak TLS on sockets.
        _ if login.endpoint.host.starts_with('/') => return Some(stream),
        TlsMode::Offered(tls) => (tls, false),
        TlsMode::Required(tls) => (tls, true),
    };
    let asked = timeout(patience, async {
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        stream.write_all(&request).await?;
        stream.read_u8().await
    });
    let not_postgres = "what listens there is not PostgreSQL: another port";
    match asked.await {
        Ok(Ok(b'S')) => handshake(part, stream, tls, patience).await,
        Ok(Ok(b'N')) if is_required => {
            let remedy = "turn ssl on in the server, or set database.ssl_mode to prefer where \
                          nobody else listens";
            part.add("tls", Verdict::Tls, "the server has none", remedy);
            None
        }
        Ok(Ok(b'N')) => {
            part.ok("tls", "the server has none, and the settings do without");
            Some(stream)
        }
        Ok(Ok(other)) => {
            part.add("tls", Verdict::Wrong, format!("it answers byte {other}"), not_postgres);
            None
        }
        Ok(Err(error)) => {
            part.add("tls", Verdict::Wrong, error.to_string(), not_postgres);
            None
        }
        Err(_) => {
            part.add("tls", Verdict::Wrong, silence(patience), not_postgres);
            None
        }
    }
}

async fn start(mut stream: Connection, login: &PostgresLogin) -> Result<Server, Refused> {
    let mut out = BytesMut::new();
    let parameters = [
        ("user", login.user.as_str()),
        ("database", login.database.as_str()),
        ("application_name", "gx ops doctor"),
    ];
    frontend::startup_message(parameters, &mut out)?;
    stream.write_all(&out).await?;
    authenticate(&mut stream, login).await?;
    let mut server = Server::default();
    loop {
        match read(&mut stream).await? {
            Message::ParameterStatus(one) => match (one.name()?, one.value()?) {
                ("server_version", version) => server.version = version.to_owned(),
                ("in_hot_standby", is) => server.is_standby = is == "on",
                _ => {}
            },
            Message::ErrorResponse(body) => return Err(refused(&body)?),
            Message::ReadyForQuery(_) => break,
            _ => {}
        }
    }
    out.clear();
    frontend::terminate(&mut out);
    // It is done; whether the other side hears of it is no matter.
    let _ = stream.write_all(&out).await;
    Ok(server)
}

async fn authenticate(stream: &mut Connection, login: &PostgresLogin) -> Result<(), Refused> {
    let password = || {
        let remedy = "set database.password or database.password_file";
        login.password.as_deref().ok_or_else(|| {
            Refused::new(Verdict::Authentication, "the server asks for a password", remedy)
        })
    };
    let mut out = BytesMut::new();
    let mut scram = None;
    loop {
        out.clear();
        match read(stream).await? {
            Message::AuthenticationOk => return Ok(()),
            Message::AuthenticationCleartextPassword => {
                frontend::password_message(password()?.as_bytes(), &mut out)?;
            }
            Message::AuthenticationMd5Password(body) => {
                let (user, password) = (login.user.as_bytes(), password()?.as_bytes());
                let hash = md5_hash(user, password, body.salt());
                frontend::password_message(hash.as_bytes(), &mut out)?;
            }
            Message::AuthenticationSasl(_) => {
                let binding = sasl::ChannelBinding::unsupported();
                let begun = sasl::ScramSha256::new(password()?.as_bytes(), binding);
                frontend::sasl_initial_response(sasl::SCRAM_SHA_256, begun.message(), &mut out)?;
                scram = Some(begun);
            }
            Message::AuthenticationSaslContinue(body) => {
                let scram = scram.as_mut().ok_or_else(unexpected)?;
                scram.update(body.data())?;
                frontend::sasl_response(scram.message(), &mut out)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let scram = scram.as_mut().ok_or_else(unexpected)?;
                scram.finish(body.data()).map_err(|_| {
                    let seen = "the server does not know the password itself";
                    Refused::new(Verdict::Authentication, seen, "this is another server")
                })?;
                continue;
            }
            Message::ErrorResponse(body) => return Err(refused(&body)?),
            _ => return Err(unexpected()),
        }
        stream.write_all(&out).await?;
    }
}

fn unexpected() -> Refused {
    let seen = "it asks for a way to log in that is not spoken here";
    let remedy = "use scram-sha-256 for this role in pg_hba.conf";
    Refused::new(Verdict::Authentication, seen, remedy)
}

/// One message of the server.
async fn read(stream: &mut Connection) -> Result<Message, Refused> {
    let mut bytes = vec![0; 5];
    stream.read_exact(&mut bytes).await?;
    let length = Header::parse(&bytes)?.and_then(|header| usize::try_from(header.len()).ok());
    let length = length.filter(|length| (4..=ANSWER_MAX).contains(length)).ok_or_else(|| {
        let seen = "its answer is none of PostgreSQL's";
        Refused::new(Verdict::Wrong, seen, "something else listens there: another port")
    })?;
    bytes.resize(length.saturating_add(1), 0);
    stream.read_exact(bytes.get_mut(5..).unwrap_or_default()).await?;
    let message = Message::parse(&mut BytesMut::from(bytes.as_slice()))?;
    message.ok_or_else(unexpected)
}

/// What an error of the server means.
fn refused(body: &ErrorResponseBody) -> Result<Refused, Refused> {
    let (mut code, mut message) = (String::new(), String::new());
    let mut fields = body.fields();
    while let Some(field) = fields.next()? {
        let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = text,
            b'M' => message = text,
            _ => {}
        }
    }
    Ok(meaning(&code, &message))
}

fn meaning(code: &str, message: &str) -> Refused {
    let seen = format!("{code}: {message}");
    let (verdict, remedy) = match code {
        "28P01" => (
            Verdict::Authentication,
            "the password in the settings is not the role's: gx ops secrets check tells which \
             copies differ",
        ),
        code if code.starts_with("28") => (
            Verdict::Authentication,
            "pg_hba.conf of the server lets this role, from here, not in; or there is no such role",
        ),
        "3D000" => (Verdict::Wrong, "there is no such database: its name, or the wrong server"),
        "42501" => (Verdict::Authentication, "grant the role CONNECT on the database"),
        "53300" => {
            (Verdict::Wrong, "all connections are taken: who holds them, or fewer a process")
        }
        "57P03" => (Verdict::Wrong, "the server is starting or stopping: wait, and read its log"),
        _ => (Verdict::Wrong, "the server's log has more"),
    };
    Refused::new(verdict, seen, remedy)
}
