//! Where the bot API is, who asks, and how long an answer may take.

use std::time::Duration;

use reqwest::{
    Client, ClientBuilder, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};

use crate::outbound::Outbound;

/// Discord's rule for API clients: `DiscordBot (url, version)`.
const USER_AGENT: &str = concat!(
    "DiscordBot (https://crates.io/crates/actor-server, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// How to reach the bot API.
#[derive(Clone, Debug)]
pub struct DiscordOptions {
    /// The origin of the REST API: `https://discord.com`, a proxy, or a test server.
    pub api_url: String,
    /// The bot token, without the `Bot ` prefix.
    pub token: SecretString,
    /// The longest wait for a connection (5 s).
    pub connect_timeout: Duration,
    /// The longest wait for a whole answer (30 s).
    pub timeout: Duration,
    /// How long Discord is trusted to recognise a nonce (60 s; it says "the past few minutes").
    pub nonce_window: Duration,
    /// By which way attachments are fetched.
    pub outbound: Outbound,
}

impl DiscordOptions {
    /// The usual times, and no way to fetch attachments.
    #[must_use]
    pub fn new(api_url: impl Into<String>, token: SecretString) -> Self {
        Self {
            api_url: api_url.into(),
            token,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            nonce_window: Duration::from_secs(60),
            outbound: Outbound::default(),
        }
    }
}

/// The address to send to, with `/` as its path.
pub(super) fn origin(api_url: &str) -> Result<Url, String> {
    let wrong = || {
        format!(
            "`{}` is no origin; write it like https://discord.com",
            shown(api_url)
        )
    };
    let url = Url::parse(api_url).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let open = url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && bare && open {
        Ok(url)
    } else {
        Err(wrong())
    }
}

/// An address as it may be shown: what stands before an `@` may be a password.
fn shown(api_url: &str) -> String {
    let tail = api_url.rsplit('@').next().unwrap_or_default();
    let prefix = if tail.len() == api_url.len() {
        ""
    } else {
        "***@"
    };
    format!("{prefix}{}", tail.escape_debug())
}

/// An HTTP client that authorizes itself, follows no redirect, and gives up in time.
pub(super) fn client(options: &DiscordOptions, origin: &Url) -> Result<ClientBuilder, String> {
    let mut token = HeaderValue::try_from(format!("Bot {}", options.token.expose_secret()))
        .map_err(|_| "the Discord token contains characters that no header may carry".to_owned())?;
    token.set_sensitive(true);
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(HeaderMap::from_iter([(AUTHORIZATION, token)]))
        .redirect(redirect::Policy::none())
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout);
    // A proxy of the environment cannot reach this machine's own addresses.
    let local = matches!(origin.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    Ok(if local { builder.no_proxy() } else { builder })
}
