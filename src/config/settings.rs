//! What reading results in: one struct per concern. Secrets are never shown by `Debug`.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;

use super::{alerts::AlertSettings, keys::KeyNumbers};
use crate::domain::{
    bot::{Bot, WebhookKind},
    breaker::BreakerRules,
    need::Outside,
    reach::{AllowedHost, Reach},
    restart::RestartPolicy,
};

/// Everything that `run` needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server file.
    pub file: PathBuf,
    /// `[server]`.
    pub server: ServerSettings,
    /// `[http]`.
    pub http: HttpSettings,
    /// `[auth]`.
    pub auth: AuthSettings,
    /// `[discord]`.
    pub discord: DiscordSettings,
    /// `[breaker]`.
    pub breaker: BreakerRules,
    /// `[supervision]`.
    pub supervision: RestartPolicy,
    /// `[history] retention_days` (30).
    pub retention: Duration,
    /// `[metrics]`.
    pub metrics: MetricsSettings,
    /// `[health] interval_seconds` (10).
    pub health_interval: Duration,
    /// `[alerts]`.
    pub alerts: AlertSettings,
    /// `[outbound]`.
    pub outbound: OutboundSettings,
    /// `[outbound.webhooks]`, in the order of their names.
    pub webhooks: Vec<PostWebhook>,
    /// `[[actors]]`, in the order of the file.
    pub bots: Vec<Arc<Bot>>,
}

/// `[server]`.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// How often memory is reconciled with the store (60 s); slots fire on exact timers.
    pub check_interval: Duration,
    /// So many failed runs in a row set the hold `failures` (5).
    pub max_consecutive_failures: u32,
    /// Runs in flight in this process (8).
    pub max_parallel_tasks: usize,
    /// How long running work may drain on a stop (30 s).
    pub shutdown_grace: Duration,
    /// How many results are kept in memory while the store is away (100,000).
    pub results_in_memory: usize,
    /// What a problem that belongs to one bot leads to.
    pub on_invalid_bot: OnInvalidBot,
    /// Where state is kept; may contain a password.
    pub database_url: SecretString,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            check_interval: Duration::from_secs(60),
            max_consecutive_failures: 5,
            max_parallel_tasks: 8,
            shutdown_grace: Duration::from_secs(30),
            results_in_memory: 100_000,
            on_invalid_bot: OnInvalidBot::Refuse,
            database_url: "sqlite://data/actor_server.db".into(),
        }
    }
}

/// `[server] on_invalid_bot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInvalidBot {
    /// The whole configuration is refused.
    #[default]
    Refuse,
    /// That bot is held, the others run.
    Quarantine,
}

/// `[http]`: where to listen; equal addresses share one listener.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The control API (127.0.0.1:3000); `None` when switched off by `ENABLE_API`.
    pub api: Option<SocketAddr>,
    /// Probes (127.0.0.1:8080).
    pub health: SocketAddr,
    /// Prometheus (127.0.0.1:9090); `None` when switched off by `ENABLE_METRICS`.
    pub metrics: Option<SocketAddr>,
    /// Requests per second of one client address on the API listener; 0 is no limit (the default).
    pub rate_limit_per_second: u32,
    /// Origins that browsers may call the API from; `*` is any.
    pub cors_origins: Vec<String>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            api: Some(([127, 0, 0, 1], 3000).into()),
            health: ([127, 0, 0, 1], 8080).into(),
            metrics: Some(([127, 0, 0, 1], 9090).into()),
            rate_limit_per_second: 0,
            cors_origins: Vec::new(),
        }
    }
}

/// `[auth]`: who may call the control API.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Whether routes that only read need no token (true).
    pub public_reads: bool,
    /// `algorithm_keys`, and `API_JWT_SECRET` as an HS256 key without a `kid`.
    pub keys: Vec<KeySettings>,
    /// The `iss` that tokens must have.
    pub issuer: Option<String>,
    /// The `aud` that tokens must have.
    pub audience: Option<String>,
    /// The longest time from `iat` to `exp` (30 days).
    pub max_lifetime: Duration,
    /// How far clocks may differ (30 s).
    pub leeway: Duration,
    /// The HMAC key of incoming events.
    pub events_secret: Option<SecretString>,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            public_reads: true,
            keys: Vec::new(),
            issuer: None,
            audience: None,
            max_lifetime: Duration::from_secs(2_592_000),
            leeway: Duration::from_secs(30),
            events_secret: None,
        }
    }
}

/// A key that tokens are checked with.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// The `kid` of tokens made with it.
    pub kid: Option<String>,
    /// Belongs to the key: what a token says of its algorithm counts for nothing.
    pub algorithm: Algorithm,
    /// The key itself, or where it is.
    pub material: KeyMaterial,
    /// What the file holds: one key, or of a set those for the algorithm; nothing for a secret.
    pub public: Vec<PublicKey>,
}

/// A public key that was read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The `kid` of tokens made with its private half.
    pub kid: Option<String>,
    /// The key.
    pub numbers: KeyNumbers,
}

/// Where a key comes from.
#[derive(Clone, Debug)]
pub enum KeyMaterial {
    /// The HMAC secret, at least 32 bytes.
    Secret(SecretString),
    /// A public key in PEM; the path is relative to the working directory.
    PemFile(PathBuf),
    /// A JSON web key set; the path is relative to the working directory.
    JwksFile(PathBuf),
}

/// A JWT algorithm, by its name in RFC 7518 or RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// Whether signing and checking use one shared secret.
    #[must_use]
    pub const fn is_hmac(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

/// `[discord]`.
#[derive(Clone, Debug)]
pub struct DiscordSettings {
    /// The origin of the REST API (`https://discord.com`): a proxy or a test server may stand in.
    pub api_url: String,
    /// The bot token, without the `Bot ` prefix.
    pub token: Option<SecretString>,
}

impl Default for DiscordSettings {
    fn default() -> Self {
        Self {
            api_url: "https://discord.com".into(),
            token: None,
        }
    }
}

/// `[metrics]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    /// The first word of every name (`botticelli`).
    pub namespace: String,
    /// Further bots share the label `_other` (200); so many at most that an answer stays below its bound.
    pub max_actor_labels: usize,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self {
            namespace: "botticelli".into(),
            max_actor_labels: 200,
        }
    }
}

/// `[outbound.webhooks.NAME]`: where bots may post to by a webhook.
#[derive(Clone, Debug)]
pub struct PostWebhook {
    /// What bots and posts call it.
    pub name: String,
    /// What it speaks.
    pub kind: WebhookKind,
    /// Whoever knows it can post there.
    pub url: SecretString,
    /// What posts are signed with; only a signed one has one.
    pub secret: Option<SecretString>,
}

/// `[outbound]`: what skills may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboundSettings {
    /// Hosts that HTTP skills may call though their address is internal.
    pub allow_hosts: Vec<String>,
    /// Whether nobody else may be called.
    pub only_allowed_hosts: bool,
    /// Programs that the command skill may start, by absolute path.
    pub allow_commands: Vec<PathBuf>,
}

impl OutboundSettings {
    /// What skills may have of the world.
    #[must_use]
    pub fn outside(&self) -> Outside {
        let hosts = self.allow_hosts.iter();
        let reach = Reach {
            allowed: hosts
                .filter_map(|text| AllowedHost::parse(text).ok())
                .collect(),
            only_allowed: self.only_allowed_hosts,
        };
        Outside {
            reach,
            programs: self.allow_commands.clone(),
        }
    }
}
