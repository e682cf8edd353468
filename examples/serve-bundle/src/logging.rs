use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::args::{Args, LogFormat};

/// The target of the spans that requests run in, which are for collectors and not for the log.
const SPANS: &str = "spinney_scoring::trace";

/// Sends events to standard error, and spans to a collector if there is one: it is returned to be flushed at the end.
pub(crate) fn set_up(args: &Args) -> anyhow::Result<Option<SdkTracerProvider>> {
    let filter =
        EnvFilter::builder().parse(&args.log).with_context(|| format!("--log {}", args.log))?;
    let filter = filter.add_directive(format!("{SPANS}=off").parse()?);
    let log = fmt::layer().with_writer(std::io::stderr);
    let log: Box<dyn Layer<Registry> + Send + Sync> = match args.log_format {
        LogFormat::Text => log.with_ansi(false).with_filter(filter).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let provider = args.otlp_endpoint.as_deref().map(provider).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("spinney-scoring"));
        layer.with_filter(Targets::new().with_target(SPANS, tracing::Level::INFO))
    });
    // As one list: an absent layer beside a filtered one would make every request a span that nobody asked for.
    let layers = [Some(log), spans.map(Layer::boxed)];
    let layers: Vec<_> = layers.into_iter().flatten().collect();
    tracing_subscriber::registry().with(layers).try_init()?;
    Ok(provider)
}

fn provider(endpoint: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build()?;
    let resource = Resource::builder().with_service_name("spinney-scoring").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
