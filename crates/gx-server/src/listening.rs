//! A listener of a process, from the beginning of its start to the end of its last request.

use std::sync::{Arc, OnceLock};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::api::guard;
use crate::app::App;
use crate::build::Build;
use crate::config::Config;
use crate::http::front::{Entrance, Front};
use crate::http::server;
use crate::platform::Platform;
use crate::routes::routes;
use crate::service::Services;
use crate::starting::Starting;
use crate::system;

/// A listener that answers from the beginning of the start on.
#[derive(Debug)]
pub struct Listening {
    entrance: Entrance,
    services: Services,
    app: Arc<OnceLock<App>>,
    serving: JoinHandle<()>,
}

impl Listening {
    /// Serves a set of services until `shutdown` is ready, then ends in good order.
    pub fn open(
        config: &Config,
        starting: &Starting,
        listener: TcpListener,
        services: Services,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let entrance = Entrance::new(starting.router());
        let app = Arc::new(OnceLock::<App>::new());
        let (front, http) = (Front::new(entrance.clone(), config), config.http.clone());
        let to_stop = Arc::clone(&app);
        let shutdown = async move {
            shutdown.await;
            // Streams would hold the process for the whole grace time otherwise.
            if let Some(app) = to_stop.get() {
                app.stop_streams();
            }
        };
        let serving =
            tokio::spawn(async move { server::serve(front, &http, listener, shutdown).await });
        Self { entrance, services, app, serving }
    }

    /// From now on the services themselves answer.
    pub fn ready(&self, app: &App) {
        self.entrance.open(guard::router(app, routes(), self.services));
        let _ = self.app.set(app.clone());
    }

    /// From now on operators are answered for a process that serves no service.
    pub fn working(&self, platform: &Platform, build: Build) {
        self.entrance.open(system::of_worker(platform.process(build)));
    }

    /// Returns when no request is running any more.
    pub async fn ended(self) {
        // A panic in a handler was answered and logged where it happened.
        let _ = self.serving.await;
    }
}
