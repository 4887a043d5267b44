//! How the health of parts becomes the health of the whole.

/// How well a component is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    Healthy,
    /// At work, but something needs a look.
    Degraded(String),
    /// Not at work.
    Unhealthy(String),
}

/// How well, without the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Healthy,
    /// At work, but something needs a look.
    Degraded,
    /// Not at work.
    Unhealthy,
}

impl Level {
    /// In the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl Health {
    /// Without the reason.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Healthy => Level::Healthy,
            Self::Degraded(_) => Level::Degraded,
            Self::Unhealthy(_) => Level::Unhealthy,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Healthy => None,
            Self::Degraded(reason) | Self::Unhealthy(reason) => Some(reason),
        }
    }

    /// The health of a whole with these parts: the worst part decides, and is named.
    #[must_use]
    pub fn fold<'a>(parts: impl IntoIterator<Item = (&'a str, &'a Self)>) -> Self {
        let worst = |whole: Self, (name, part): (&str, &Self)| match (&whole, part) {
            (Self::Unhealthy(_), _) | (_, Self::Healthy) => whole,
            (_, Self::Unhealthy(reason)) => Self::Unhealthy(format!("{name}: {reason}")),
            (Self::Healthy, Self::Degraded(reason)) => Self::Degraded(format!("{name}: {reason}")),
            (Self::Degraded(_), Self::Degraded(_)) => whole,
        };
        parts.into_iter().fold(Self::Healthy, worst)
    }
}

#[cfg(test)]
mod tests {
    use super::Health::{self, Degraded, Healthy, Unhealthy};

    #[test]
    fn the_worst_part_decides_and_is_named() {
        let (slow, gone) = (Degraded("slow".into()), Unhealthy("gone".into()));
        assert_eq!(Health::fold([("a", &Healthy), ("b", &Healthy)]), Healthy);
        assert_eq!(
            Health::fold([("a", &Healthy), ("b", &slow)]),
            Degraded("b: slow".into())
        );
        assert_eq!(
            Health::fold([("a", &gone), ("b", &slow)]),
            Unhealthy("a: gone".into())
        );
        assert_eq!(
            Health::fold([("b", &slow), ("a", &gone)]),
            Unhealthy("a: gone".into())
        );
    }
}
