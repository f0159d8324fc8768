//! How a metric is written: its description, and its values with their labels. What there is to be told is in `text`.

use std::fmt;

use prometheus_client::{
    encoding::{
        CounterValueEncoder, DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue,
        GaugeValueEncoder, MetricEncoder, NoLabelSet,
    },
    metrics::MetricType,
    registry::Unit,
};

use crate::scoreboard::Histogram;

/// Upper bounds of the histograms in microseconds: those of the scoreboard that begin with 1, 2 or 5, from 100 µs to 100 s.
const BOUNDS: [u64; 19] = {
    let mut bounds = [0; 19];
    let (mut at, mut unit) = (0, 100);
    while at < bounds.len() {
        bounds[at] = [1, 2, 5][at % 3] * unit;
        at += 1;
        if at.is_multiple_of(3) {
            unit *= 10;
        }
    }
    bounds
};

/// Names with their values.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Of these.
pub(super) fn labels<const N: usize>(labels: [(&'static str, &str); N]) -> Labels {
    labels.map(|(name, value)| (name, value.to_owned())).into()
}

/// A value, which is written as a fraction only where it is one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    /// So many of so many.
    Share(u64, u64),
    Whole(u64),
}

impl Number {
    /// Microseconds, told as seconds.
    pub(super) fn micros(time_us: u64) -> Self {
        Self::Share(time_us, 1_000_000)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl EncodeCounterValue for Number {
    fn encode(&self, encoder: &mut CounterValueEncoder<'_>) -> fmt::Result {
        match *self {
            Self::Share(part, whole) => EncodeCounterValue::encode(&fraction(part, whole), encoder),
            Self::Whole(number) => EncodeCounterValue::encode(&number, encoder),
        }
    }
}

impl EncodeGaugeValue for Number {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match *self {
            Self::Share(part, whole) => EncodeGaugeValue::encode(&fraction(part, whole), encoder),
            Self::Whole(number) => EncodeGaugeValue::encode(&number, encoder),
        }
    }
}

/// Where metrics are written to.
pub(super) struct Exposition<'e>(pub(super) DescriptorEncoder<'e>);

impl Exposition<'_> {
    /// What only grows; `_total` is added to the name, behind the unit.
    pub(super) fn counter(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: impl IntoIterator<Item = (Labels, Number)>,
    ) -> fmt::Result {
        let kind = MetricType::Counter;
        self.family(name, help, unit, kind, values, |encoder, number| {
            encoder.encode_counter::<NoLabelSet, _, f64>(&number, None)
        })
    }

    /// A counter without labels.
    pub(super) fn count(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        count: u64,
    ) -> fmt::Result {
        self.counter(name, help, unit, [(Labels::new(), count.into())])
    }

    /// What goes up and down.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: impl IntoIterator<Item = (Labels, Number)>,
    ) -> fmt::Result {
        let kind = MetricType::Gauge;
        self.family(name, help, unit, kind, values, |encoder, number| {
            encoder.encode_gauge(&number)
        })
    }

    /// A gauge without labels.
    pub(super) fn level(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        level: u64,
    ) -> fmt::Result {
        self.gauge(name, help, unit, [(Labels::new(), level.into())])
    }

    /// What is the same as long as the program runs.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: &Labels) -> fmt::Result {
        let kind = MetricType::Info;
        let mut encoder = self.0.encode_descriptor(name, help, None, kind)?;
        encoder.encode_info(labels)
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        kind: MetricType,
        values: impl IntoIterator<Item = (Labels, Number)>,
        write: impl Fn(&mut MetricEncoder<'_>, Number) -> fmt::Result,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, number) in values {
            match labels.is_empty() {
                true => write(&mut encoder, number)?,
                false => write(&mut encoder.encode_family(&labels)?, number)?,
            }
        }
        Ok(())
    }

    /// With the bounds that are told.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        histogram: &Histogram,
    ) -> fmt::Result {
        let seconds = |time_us: u64| time_us as f64 / 1e6;
        let mut before = 0;
        let marks = histogram
            .cumulative()
            .filter(|(bound, _)| BOUNDS.contains(bound));
        let mut buckets: Vec<(f64, u64)> = marks
            .map(|(bound, sum)| {
                let inside = sum - before;
                before = sum;
                (seconds(bound), inside)
            })
            .collect();
        let count = histogram.count();
        buckets.push((f64::INFINITY, count - before));
        let unit = Unit::Seconds;
        let mut encoder =
            self.0
                .encode_descriptor(name, help, Some(&unit), MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(seconds(histogram.sum_us()), count, &buckets, None)
    }
}
