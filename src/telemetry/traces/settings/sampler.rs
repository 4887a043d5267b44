//! Which traces are recorded. A caller's decision counts, unless the sampler's name has no `parentbased_`.

use opentelemetry_sdk::trace::Sampler;

use super::Reader;

const NAMES: &str = "`always_on`, `always_off`, `traceidratio`, `parentbased_always_on`, `parentbased_always_off` or `parentbased_traceidratio`";

impl Reader<'_> {
    pub(super) fn sampler(&mut self) -> Sampler {
        let named = self.get("OTEL_TRACES_SAMPLER");
        let named = named.as_deref().unwrap_or("parentbased_always_on");
        let (parent, plain) = match named.strip_prefix("parentbased_") {
            Some(plain) => (true, plain),
            None => (false, named),
        };
        let sampler = match plain {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => Sampler::TraceIdRatioBased(self.ratio()),
            _ => {
                let what = format!("is `{}`; use {NAMES}", named.escape_debug());
                self.wrong("OTEL_TRACES_SAMPLER", what);
                Sampler::AlwaysOn
            }
        };
        if parent {
            Sampler::ParentBased(Box::new(sampler))
        } else {
            sampler
        }
    }

    fn ratio(&mut self) -> f64 {
        let name = "OTEL_TRACES_SAMPLER_ARG";
        let Some(value) = self.get(name) else {
            return 1.0;
        };
        let ratio = value.parse().ok().filter(|it| (0.0..=1.0).contains(it));
        ratio.unwrap_or_else(|| {
            let value = value.escape_debug();
            self.wrong(
                name,
                format!("is `{value}`; use a share from 0 to 1, such as 0.1"),
            );
            1.0
        })
    }
}
