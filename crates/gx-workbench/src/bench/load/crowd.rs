//! The server that is asked, and those who ask it: users of whom few come often, and an admin.

use std::sync::Arc;

use anyhow::{Context, Result};
use gx_server::{FIRST_ADMIN, Listening, Platform, Services, Starting};
use gx_types::CommandId;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::fill::Filled;
use super::people::{PASSWORD, email, user_id};
use crate::client::{Ask, Base, Client};
use crate::load::Draw;

/// Users with a session.
const CALLERS: usize = 1_000;
/// Those who log in at once.
const AT_ONCE: usize = 16;
const ADMIN_PASSWORD: &str = "Blue7horse-cart";

/// The services in this process, on a port of their own.
pub(super) struct Server {
    base: Base,
    first_password: Option<String>,
    stop: oneshot::Sender<()>,
    served: Listening,
}

/// Serves all services of the platform.
pub(super) async fn serve(platform: &Platform) -> Result<Server> {
    let app = platform.app(gx_cli::roles::BUILD, &Starting::once()).await?;
    let first = app.ensure_first_admin().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = Base::new(listener.local_addr()?);
    let (stop, stopped) = oneshot::channel();
    let stopped = async move { stopped.await.unwrap_or_default() };
    let (config, starting) = (platform.config(), Starting::once());
    let served = Listening::open(config, &starting, listener, Services::All, stopped);
    served.ready(&app);
    Ok(Server { base, first_password: first.map(|first| first.password), stop, served })
}

impl Server {
    pub(super) fn client(&self) -> Client {
        Client::new(self.base.clone())
    }

    pub(super) async fn stop(self) {
        // Without a receiver the server has ended already.
        let _ = self.stop.send(());
        self.served.ended().await;
    }
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) user_id: String,
    /// As it stands in a path.
    pub(super) ledger_id: String,
    pub(super) token: String,
}

/// Everybody who asks, and what they ask about.
#[derive(Debug)]
pub(super) struct Crowd {
    /// Those who come most often first.
    pub(super) callers: Vec<Caller>,
    pub(super) admin: String,
    pub(super) commands: Vec<CommandId>,
    pub(super) blocks: u64,
    pub(super) draw: Draw,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    access_token: String,
}

impl Crowd {
    /// Draws the users and logs them in.
    pub(super) async fn gather(server: &Server, filled: &Filled, seed: u64) -> Result<Self> {
        let mut draw = Draw::new(seed ^ u64::MAX);
        let users = filled.accounts.len();
        let mut numbers = Vec::new();
        let wanted = CALLERS.min(users / 4);
        while numbers.len() < wanted {
            let number = draw.zipf(users);
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        let admin = log_in_admin(server).await?;
        let numbers = Arc::new(numbers);
        let mut running = JoinSet::new();
        for first in 0..AT_ONCE {
            let (numbers, client) = (numbers.clone(), server.client());
            running.spawn(async move { log_in(client, &numbers, first).await });
        }
        let mut tokens = Vec::new();
        while let Some(some) = running.join_next().await {
            tokens.extend(some??);
        }
        tokens.sort_unstable_by_key(|(place, _)| *place);
        let callers = tokens.into_iter().filter_map(|(place, token)| {
            let number = *numbers.get(place)?;
            let ledger_id = filled.accounts.get(number)?.to_string().replace(' ', "%20");
            Some(Caller { user_id: user_id(number), ledger_id, token })
        });
        let (callers, commands) = (callers.collect(), filled.commands.clone());
        Ok(Self { callers, admin, commands, blocks: filled.blocks, draw })
    }
}

/// Logs every sixteenth user in; the token of each with their place.
async fn log_in(
    mut client: Client,
    numbers: &[usize],
    first: usize,
) -> Result<Vec<(usize, String)>> {
    let mut tokens = Vec::new();
    for (place, number) in numbers.iter().enumerate().skip(first).step_by(AT_ONCE) {
        let body = json!({ "email": email(*number), "password": PASSWORD });
        let answer = client.send(Ask::post("/api/v1/auth/login", &body)).await?;
        let session: Session = answer.expect(StatusCode::OK)?;
        tokens.push((place, session.access_token));
    }
    Ok(tokens)
}

/// The first admin, with a password of their own.
async fn log_in_admin(server: &Server) -> Result<String> {
    let password = server.first_password.clone().context("the database is not new")?;
    let mut client = server.client();
    let body = json!({ "username": FIRST_ADMIN, "password": password });
    let answer = client.send(Ask::post("/api/v1/admin/auth/login", &body)).await?;
    let Session { access_token } = answer.expect(StatusCode::OK)?;
    let body = json!({ "currentPassword": password, "newPassword": ADMIN_PASSWORD });
    let ask = Ask::post("/api/v1/admin/auth/password/change", &body);
    let answer = client.send(ask.token(&access_token).key("load-password")).await?;
    answer.expect::<serde_json::Value>(StatusCode::OK)?;
    Ok(access_token)
}
