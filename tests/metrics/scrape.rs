//! One answer of `/metrics`, taken apart.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::client::get;

/// The samples by what stands before their value, without the namespace.
pub(crate) struct Scrape {
    pub(crate) text: String,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// Takes a text apart; fails if a series stands in it twice, or a family is not after the one before it.
    pub(crate) fn of(text: String) -> Self {
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.strip_prefix("botticelli_").unwrap_or(series);
            let before = samples.insert(name.to_owned(), value.parse().unwrap());
            assert_eq!(before, None, "{series} stands there twice");
        }
        let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let families: Vec<&str> = families.collect();
        assert!(families.is_sorted(), "{families:?}");
        Self { text, samples }
    }

    /// Asks a server.
    pub(crate) fn from(address: SocketAddr) -> Self {
        let reply = get(address, "/metrics");
        assert_eq!(reply.status, 200, "{reply:?}");
        Self::of(reply.body)
    }

    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        self.samples.get(series).copied()
    }

    /// The series of a family, with whatever labels.
    pub(crate) fn family(&self, name: &str) -> Vec<(&str, f64)> {
        let start = format!("{name}{{");
        let all = self.samples.iter();
        let all = all.filter(|(series, _)| *series == name || series.starts_with(&start));
        all.map(|(series, value)| (series.as_str(), *value))
            .collect()
    }

    /// The sum over all labels that contain this.
    pub(crate) fn sum(&self, name: &str, part: &str) -> f64 {
        let all = self.family(name).into_iter();
        all.filter(|(series, _)| series.contains(part))
            .map(|(_, value)| value)
            .sum()
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }
}
