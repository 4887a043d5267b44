//! Which routes a listener has.

use std::{net::SocketAddr, sync::OnceLock};

use actix_cors::Cors;
use actix_web::{
    App, Error,
    dev::{ServiceFactory, ServiceRequest},
    http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, LINK, RETRY_AFTER},
};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::{AppExt, scope, service_config::ServiceConfig};

use super::{
    super::{
        request_id::X_REQUEST_ID,
        routes::{self, health, metrics},
    },
    Addresses,
};

/// Connections of one worker where the system sets no tighter limit.
const MOST_CONNECTIONS: usize = 8_192;

/// What one listener serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scopes {
    pub(super) api: bool,
    pub(super) health: bool,
    pub(super) metrics: bool,
}

/// Each address once, with all that is wanted there. A free port is one of its own for each that wants one.
pub(super) fn merged(options: &Addresses) -> Vec<(Scopes, SocketAddr)> {
    let none = Scopes::default();
    let api = Scopes { api: true, ..none };
    let health = Scopes {
        health: true,
        ..none
    };
    let metrics = Scopes {
        metrics: true,
        ..none
    };
    let wishes = [
        options.api.map(|address| (api, address)),
        Some((health, options.health)),
        options.metrics.map(|address| (metrics, address)),
    ];
    let mut merged: Vec<(Scopes, SocketAddr)> = Vec::new();
    for (scopes, address) in wishes.into_iter().flatten() {
        let same =
            |(_, other): &&mut (Scopes, SocketAddr)| *other == address && address.port() != 0;
        match merged.iter_mut().find(same) {
            Some((shared, _)) => *shared = shared.and(scopes),
            None => merged.push((scopes, address)),
        }
    }
    merged
}

impl Scopes {
    const fn and(self, other: Self) -> Self {
        Self {
            api: self.api || other.api,
            health: self.health || other.health,
            metrics: self.metrics || other.metrics,
        }
    }

    /// The settings that lead here.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            ("api", self.api),
            ("health", self.health),
            ("metrics", self.metrics),
        ];
        all.into_iter().filter(|(_, on)| *on).map(|(name, _)| name)
    }

    /// The first of them.
    pub(super) fn name(self) -> &'static str {
        self.names().next().unwrap_or("api")
    }

    pub(super) const fn is_api_only(self) -> bool {
        self.api && !self.health && !self.metrics
    }

    /// Scrapes are few. The API may use the machine, and a probe must not wait behind a client that is just being served.
    pub(super) fn workers(self) -> usize {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        match self {
            Self { api: true, .. } => processors.max(2),
            Self { health: true, .. } => 2,
            _ => 1,
        }
    }

    /// Connections of one worker; more wait until one of these ends. Each takes two files, and what a flood of one listener
    /// may take leaves enough for the probes.
    pub(super) fn connections(self) -> usize {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let files = files.map_or(usize::MAX, |files| {
            usize::try_from(files).unwrap_or(usize::MAX)
        });
        (files / 8 / self.workers()).clamp(8, MOST_CONNECTIONS)
    }

    /// Mounts the routes.
    pub(super) fn mount<T>(self, app: App<T>) -> App<T>
    where
        T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
    {
        app.into_utoipa_app()
            .configure(|routes| self.routes(routes))
            .into_app()
    }

    fn routes(self, config: &mut ServiceConfig<'_>) {
        if self.api {
            let api = scope(routes::BASE)
                .configure(routes::api)
                .configure(health::probes);
            config.service(api);
        }
        if self.api {
            config.configure(routes::root);
        }
        if self.api || self.health {
            config.configure(health::probes).configure(health::report);
        }
        if self.metrics {
            config.configure(metrics::metrics);
        }
    }
}

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> &'static OpenApi {
    static DOCUMENT: OnceLock<OpenApi> = OnceLock::new();
    let all = Scopes {
        api: true,
        health: true,
        metrics: true,
    };
    DOCUMENT.get_or_init(|| {
        let app = App::new()
            .into_utoipa_app()
            .openapi(routes::openapi::frame());
        let routes = app.configure(|routes| all.routes(routes));
        routes::openapi::finished(routes.split_for_parts().1)
    })
}

/// Who may call the API from a browser's page.
pub(super) fn cors(origins: &[String]) -> Cors {
    let listed = [
        AUTHORIZATION,
        CONTENT_TYPE,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static("last-event-id"),
        X_REQUEST_ID,
    ];
    let shown = [
        X_REQUEST_ID,
        LINK,
        RETRY_AFTER,
        HeaderName::from_static("x-next-cursor"),
    ];
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "DELETE"])
        .allowed_headers(listed)
        .expose_headers(shown)
        .max_age(3600);
    let each = |cors: Cors, origin: &String| match origin.as_str() {
        "*" => cors.allow_any_origin(),
        origin => cors.allowed_origin(origin),
    };
    origins.iter().fold(cors, each)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(api: &str, health: &str, metrics: &str) -> Addresses {
        Addresses {
            api: api.parse().ok(),
            health: health.parse().unwrap(),
            metrics: metrics.parse().ok(),
            rate_limit_per_second: 0,
            cors_origins: Vec::new(),
        }
    }

    #[test]
    fn equal_addresses_share_a_listener_and_free_ports_do_not() {
        let names = |api: &str, health: &str, metrics: &str| -> Vec<String> {
            let merged = merged(&addresses(api, health, metrics));
            merged
                .iter()
                .map(|(scopes, _)| scopes.to_string())
                .collect()
        };
        let (one, two, free) = ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:0");
        assert_eq!(names(one, one, one), ["api+health+metrics"]);
        assert_eq!(names(one, two, one), ["api+metrics", "health"]);
        assert_eq!(names("-", two, "-"), ["health"]);
        assert_eq!(names(free, free, free), ["api", "health", "metrics"]);
    }
}
