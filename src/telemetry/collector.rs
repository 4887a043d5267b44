//! Reads how much of the machine this process uses, every five seconds, on a thread of its own.
//!
//! A source that fails or panics leaves its last value and costs nobody else anything: the log says so once, and the next
//! round asks again.

use std::{
    fs,
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use rustix::{
    fs::statvfs,
    time::{ClockId, clock_gettime},
};
use tokio::time::Instant as Monotonic;

use super::metrics::SystemMetrics;

/// How often is looked.
pub const EVERY: Duration = Duration::from_secs(5);

/// Where readings come from.
pub struct Sources {
    /// Resident memory, in bytes.
    pub memory: Source<i64>,
    /// Processor time since the process started.
    pub processor: Source<Duration>,
    /// Free space, in bytes.
    pub disk: Source<i64>,
}

/// One reading.
pub type Source<T> = Box<dyn FnMut() -> io::Result<T> + Send>;

impl Sources {
    /// This machine; free space is that of the file system with this path, which need not exist yet.
    #[must_use]
    pub fn of_this_process(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self {
            memory: Box::new(|| resident(Path::new("/proc/self/status"))),
            processor: Box::new(|| Ok(processor_time())),
            disk: Box::new(move || free(&path)),
        }
    }
}

/// The collector at work; its thread ends when this is dropped.
pub struct Collector {
    _stop: Sender<()>,
}

impl Collector {
    /// Takes the first readings before it returns.
    #[must_use]
    pub fn start(metrics: SystemMetrics, sources: Sources, every: Duration) -> Self {
        let (stop, stopped) = channel();
        let mut rounds = Rounds::new(metrics, sources);
        rounds.read();
        let work = move || rounds.go_on(&stopped, every);
        if let Err(error) = thread::Builder::new().name("collector".into()).spawn(work) {
            tracing::error!(%error, "memory, processor and disk are read only once: there is no thread for it");
        }
        Self { _stop: stop }
    }
}

struct Rounds {
    metrics: SystemMetrics,
    sources: Sources,
    /// When the processor time was read last, and what it was.
    before: Option<(Monotonic, Duration)>,
    memory: Trouble,
    processor: Trouble,
    disk: Trouble,
}

impl Rounds {
    fn new(metrics: SystemMetrics, sources: Sources) -> Self {
        Self {
            metrics,
            sources,
            before: None,
            memory: Trouble::with("memory"),
            processor: Trouble::with("processor"),
            disk: Trouble::with("disk"),
        }
    }

    fn go_on(mut self, stopped: &Receiver<()>, every: Duration) {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            self.read();
        }
    }

    fn read(&mut self) {
        if let Some(bytes) = self.memory.ask(&mut self.sources.memory) {
            self.metrics.memory.set(bytes);
        }
        if let Some(bytes) = self.disk.ask(&mut self.sources.disk) {
            self.metrics.disk.set(bytes);
        }
        if let Some(used) = self.processor.ask(&mut self.sources.processor) {
            let now = Monotonic::now();
            if let Some((then, before)) = self.before.replace((now, used)) {
                self.metrics
                    .cpu
                    .set(percent(used.saturating_sub(before), now - then));
            }
        }
    }
}

fn percent(used: Duration, passed: Duration) -> f64 {
    let share = used.as_secs_f64() / passed.as_secs_f64().max(0.001);
    // Nobody reads more than two digits behind the point.
    (share * 10_000.0).round() / 100.0
}

/// One kind of reading, and whether it failed last time.
pub struct Trouble {
    what: &'static str,
    is_there: bool,
}

impl Trouble {
    /// With readings of this kind.
    #[must_use]
    pub const fn with(what: &'static str) -> Self {
        let is_there = false;
        Self { what, is_there }
    }

    fn ask<T>(&mut self, source: &mut Source<T>) -> Option<T> {
        let read = catch_unwind(AssertUnwindSafe(source));
        let read = read.unwrap_or_else(|_| Err(io::Error::other("it panicked")));
        self.heard(read.map_err(|error| error.to_string()))
    }

    /// A reading, if it is one; the log hears when they begin to fail, and when they are back.
    pub fn heard<T>(&mut self, read: Result<T, String>) -> Option<T> {
        let (what, before) = (
            self.what,
            std::mem::replace(&mut self.is_there, read.is_err()),
        );
        match (read, before) {
            (Ok(value), false) => Some(value),
            (Ok(value), true) => {
                tracing::info!(what, "readings for the metrics are back");
                Some(value)
            }
            (Err(_), true) => None,
            (Err(error), false) => {
                tracing::warn!(
                    what,
                    error,
                    "a reading for the metrics failed; its last value stays until one succeeds"
                );
                None
            }
        }
    }
}

/// `VmRSS` of a process, which the kernel gives in KiB.
fn resident(status: &Path) -> io::Result<i64> {
    let text = fs::read_to_string(status)?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok());
    let missing = || io::Error::new(ErrorKind::InvalidData, "there is no `VmRSS` in kB");
    kib.map(|kib| kib.saturating_mul(1024)).ok_or_else(missing)
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What is left for this user where the path is, or will be.
fn free(path: &Path) -> io::Result<i64> {
    let mut places = path.ancestors().map(PathBuf::from);
    let there = places.find(|place| place.exists());
    let about = statvfs(there.unwrap_or_else(|| "/".into()))?;
    let bytes = about.f_bavail.saturating_mul(about.f_frsize);
    Ok(i64::try_from(bytes).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    fn value(metrics: &Metrics, name: &str) -> f64 {
        let (text, name) = (
            metrics.render(&Default::default()),
            format!("botticelli_{name} "),
        );
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap().parse().unwrap()
    }

    #[test]
    fn this_process_uses_memory_and_there_is_room_on_its_disk() {
        let metrics = Metrics::default();
        let path = Path::new("not/there/yet.db");
        let _collector = Collector::start(
            metrics.system.clone(),
            Sources::of_this_process(path),
            EVERY,
        );
        assert!(value(&metrics, "memory_usage_bytes") > 1e6);
        assert!(value(&metrics, "disk_free_bytes") > 1e3);
        assert!(processor_time() > Duration::ZERO);
    }

    #[test]
    fn a_source_that_fails_or_panics_leaves_its_last_value_and_the_others_go_on() {
        let metrics = Metrics::default();
        let mut rounds = 0;
        let mut processor = Duration::ZERO;
        let sources = Sources {
            memory: Box::new(move || {
                rounds += 1;
                match rounds {
                    1 => Ok(7),
                    2 => resident(Path::new("/there/is/no/proc")),
                    3 => panic!("the kernel speaks another language"),
                    _ => Ok(9),
                }
            }),
            processor: Box::new(move || {
                processor += Duration::from_secs(1);
                Ok(processor)
            }),
            disk: Box::new(|| Err(io::Error::other("no disk"))),
        };
        let mut rounds = Rounds::new(metrics.system.clone(), sources);
        let mut seen = Vec::new();
        for _ in 0..4 {
            rounds.read();
            seen.push(value(&metrics, "memory_usage_bytes"));
        }
        assert_eq!(seen, [7.0, 7.0, 7.0, 9.0]);
        assert!(value(&metrics, "cpu_usage_percent") > 100.0);
        assert!(rounds.disk.is_there && !rounds.memory.is_there);
    }

    #[test]
    fn half_a_core_is_fifty_percent() {
        let seconds = Duration::from_secs;
        assert_eq!(percent(seconds(1), seconds(2)), 50.0);
        assert!(percent(seconds(1), Duration::ZERO).is_finite());
    }

    #[test]
    fn a_file_that_is_not_what_it_should_be_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("status");
        for text in ["", "VmRSS:\n", "VmRSS: much kB\n", "VmRSS: 5\n"] {
            fs::write(&path, text).unwrap();
            assert!(resident(&path).is_err(), "{text}");
        }
        fs::write(&path, "Name:\tx\nVmRSS:\t    20 kB\n").unwrap();
        assert_eq!(resident(&path).unwrap(), 20 * 1024);
    }
}
