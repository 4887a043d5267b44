//! What a scrape shows, read as a scraper would.

use actor_server::actors::gauges;

use super::server::Server;

/// What a scrape shows.
pub(crate) fn page(server: &Server) -> String {
    gauges::render(&server.stand.env)
}

/// The value of one series, as it is written but for the namespace.
pub(crate) fn value(server: &Server, series: &str) -> Option<f64> {
    let start = format!("botticelli_{series} ");
    let text = page(server);
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.map(|value| value.parse().unwrap())
}

/// The sum over all series of a family whose labels contain this.
pub(crate) fn sum(server: &Server, family: &str, part: &str) -> f64 {
    let start = format!("botticelli_{family}{{");
    let text = page(server);
    let lines = text
        .lines()
        .filter(|line| line.starts_with(&start) && line.contains(part));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}
