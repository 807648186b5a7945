//! One span of a trace: something that took a while, as part of something larger.
//!
//! Without `traces.endpoint` there are none, and each of these functions costs one look. Names and
//! attributes follow OpenTelemetry's semantic conventions.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};

use super::context;

/// Makes spans, once traces have begun.
pub(super) static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// `traces.sample_ratio`, once traces have begun.
pub(super) static SAMPLE_RATIO: OnceLock<f64> = OnceLock::new();

/// The headers that name a span (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The span that others belong to; None where nothing is traced.
pub type Parent = Option<Arc<SpanContext>>;

/// A span, which ends when this is dropped; or none.
#[derive(Debug)]
pub struct Span(Option<Box<SdkSpan>>);

impl Span {
    /// A request that came in, as part of its caller's trace when its headers name one. Whether that is kept is
    /// up to a caller who `decides`; a stranger could have everything kept, or nothing.
    pub fn server<'h>(
        header: impl Fn(&'static str) -> Option<&'h str>,
        decides: impl FnOnce() -> bool,
    ) -> Self {
        let caller = || Carrier { parent: header(TRACEPARENT), state: header(TRACESTATE) };
        Self::begin(SpanKind::Server, "request", || {
            let said = TraceContextPropagator::new().extract(&caller());
            if decides() { said } else { decided_here(&said) }
        })
    }

    /// Work of the server's own, such as a run of a job.
    pub fn internal(name: impl Into<Cow<'static, str>>) -> Self {
        Self::begin(SpanKind::Internal, name, Context::new)
    }

    /// What is done later because of the span that `traceparent` names, as part of its trace.
    pub fn consumer(name: impl Into<Cow<'static, str>>, traceparent: Option<&str>) -> Self {
        let cause = Carrier { parent: traceparent, state: None };
        Self::begin(SpanKind::Consumer, name, || TraceContextPropagator::new().extract(&cause))
    }

    /// A call of another service, as part of what this task does; none where that is not traced.
    pub fn client(name: impl Into<Cow<'static, str>>) -> Self {
        if TRACER.get().is_none() {
            return Self(None);
        }
        match context::parent() {
            Some(parent) if parent.is_sampled() => {
                let parent = SpanContext::clone(&parent);
                Self::begin(SpanKind::Client, name, || Context::new().with_remote_span_context(parent))
            }
            _ => Self(None),
        }
    }

    fn begin(kind: SpanKind, name: impl Into<Cow<'static, str>>, parent: impl FnOnce() -> Context) -> Self {
        let Some(tracer) = TRACER.get() else { return Self(None) };
        let builder = SpanBuilder::from_name(name).with_kind(kind);
        Self(Some(Box::new(tracer.build_with_context(builder, &parent()))))
    }

    /// Whether anybody will see it.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.0.as_ref().is_some_and(|span| span.is_recording())
    }

    /// Says more about it.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// Gives it a better name.
    pub fn rename(&mut self, name: String) {
        if let Some(span) = &mut self.0 {
            span.update_name(name);
        }
    }

    /// It failed.
    pub fn fail(&mut self) {
        if let Some(span) = &mut self.0 {
            span.set_status(Status::error(""));
        }
    }

    /// What the spans within it belong to.
    #[must_use]
    pub fn as_parent(&self) -> Parent {
        self.0.as_ref().map(|span| Arc::new(span.span_context().clone()))
    }

    /// Names it, or else what this task does, to the receiver of a call.
    pub fn name_to(&self, headers: &mut dyn Injector) {
        if TRACER.get().is_none() {
            return;
        }
        if let Some(present) = self.as_parent().or_else(context::parent) {
            let present = Context::new().with_remote_span_context(SpanContext::clone(&present));
            TraceContextPropagator::new().inject_context(&present, headers);
        }
    }
}

/// A caller's trace, of which we keep as many as of our own.
fn decided_here(said: &Context) -> Context {
    let span = said.span();
    let named = span.span_context();
    if !named.is_valid() {
        return Context::new();
    }
    // Not by the trace's id, which the caller has chosen.
    let is_kept = rand::random::<f64>() < SAMPLE_RATIO.get().copied().unwrap_or_default();
    let flags = named.trace_flags().with_sampled(is_kept);
    let state = named.trace_state().clone();
    let decided = SpanContext::new(named.trace_id(), named.span_id(), flags, true, state);
    Context::new().with_remote_span_context(decided)
}

/// What names the span of which this task's work is a part, to be stored beside what it causes.
#[must_use]
pub fn traceparent() -> Option<String> {
    let parent = context::parent()?;
    let flags = parent.trace_flags().to_u8();
    Some(format!("00-{}-{}-{flags:02x}", parent.trace_id(), parent.span_id()))
}

/// What names a span elsewhere.
struct Carrier<'a> {
    parent: Option<&'a str>,
    state: Option<&'a str>,
}

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => self.parent,
            TRACESTATE => self.state,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}
