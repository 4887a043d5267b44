//! What the operator wrote, read as a whole: every problem is collected with its place, nothing is used before all is good.
//!
//! A setting comes from a flag, else from the environment, else from a file, else from its default. Which skills there
//! are, and what their settings may be, is asked of a [`SkillCatalogue`]; nothing here knows a skill, a store or a platform.

mod actors;
mod alerts;
mod auth;
mod bot_file;
pub mod check;
mod connections;
mod item;
mod keys;
mod load;
mod nearest;
mod policy;
mod problem;
mod schedule;
mod sections;
mod settings;
mod shared;
mod source;
mod table;
mod targets;
mod urls;
mod variables;
mod webhooks;

pub use self::{
    alerts::{
        AlertSettings, DiscordAlertSettings, HealthchecksSettings, PagerDutySettings, SharedKeys,
        WebhookSettings,
    },
    keys::KeyNumbers,
    load::{LoadInput, Loaded, SkillCatalogue, health_address, load},
    nearest::nearest,
    problem::{FilePlace, Place, Problem, Problems},
    settings::{
        Algorithm, AuthSettings, DiscordSettings, HttpSettings, KeyMaterial, KeySettings,
        MetricsSettings, OnInvalidBot, OutboundSettings, PostWebhook, PublicKey, ServerSettings,
        Settings,
    },
    variables::Lookup,
};
