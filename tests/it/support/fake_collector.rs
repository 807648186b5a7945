//! An OpenTelemetry collector that keeps the spans it is sent (OTLP over HTTP, in protobuf). A post that
//! is none is a fault, and a fault fails the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span as Wire;
use prost::Message;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::fake::{Mood, assert_no_faults};

/// A span; ids are hexadecimal.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub trace_id: String,
    pub id: String,
    pub parent: String,
    /// OTLP's: 1 internal, 2 server, 3 client, 5 consumer.
    pub kind: i32,
    pub attributes: BTreeMap<String, String>,
    pub is_error: bool,
    /// What the service says of itself.
    pub resource: BTreeMap<String, String>,
}

#[derive(Default)]
struct State {
    mood: Mood,
    spans: Vec<Span>,
    faults: Vec<String>,
}

/// The collector. Dropping it fails the test when a post was faulty.
pub struct Collector {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl Collector {
    pub async fn start() -> Self {
        let (server, state) = (MockServer::start().await, Arc::<Mutex<State>>::default());
        Mock::given(any()).respond_with(Service(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    /// Settings of a server that sends it all spans.
    pub fn yaml(&self) -> String {
        format!("traces: {{endpoint: '{}/', service_name: of-the-tests}}", self.server.uri())
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        self.state().spans.clone()
    }

    /// The spans of a trace.
    pub fn trace(&self, trace_id: &str) -> Vec<Span> {
        self.state().spans.iter().filter(|span| span.trace_id == trace_id).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        assert_no_faults("the collector", &self.state().faults.clone());
    }
}

struct Service(Arc<Mutex<State>>);

impl Respond for Service {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        match read(request) {
            Ok(spans) => state.spans.extend(spans),
            Err(fault) => state.faults.push(fault),
        }
        state.mood.clone().answer(request, || {
            ResponseTemplate::new(200).insert_header("content-type", "application/x-protobuf")
        })
    }
}

fn read(request: &Request) -> Result<Vec<Span>, String> {
    let kind = request.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    let head = (request.method.as_str(), request.url.path(), kind);
    if head != ("POST", "/v1/traces", Some("application/x-protobuf")) {
        return Err(format!("{head:?}"));
    }
    let posted =
        ExportTraceServiceRequest::decode(request.body.as_slice()).map_err(|error| error.to_string())?;
    let mut spans = Vec::new();
    for of_service in posted.resource_spans {
        let resource = texts(of_service.resource.unwrap_or_default().attributes);
        let wires = of_service.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(wires.map(|wire| span(wire, resource.clone())));
    }
    Ok(spans)
}

fn span(wire: Wire, resource: BTreeMap<String, String>) -> Span {
    assert!(wire.start_time_unix_nano > 0 && wire.end_time_unix_nano >= wire.start_time_unix_nano);
    Span {
        name: wire.name,
        trace_id: base16ct::lower::encode_string(&wire.trace_id),
        id: base16ct::lower::encode_string(&wire.span_id),
        parent: base16ct::lower::encode_string(&wire.parent_span_id),
        kind: wire.kind,
        attributes: texts(wire.attributes),
        is_error: wire.status.is_some_and(|status| status.code == 2),
        resource,
    }
}

fn texts(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: any_value::Value| match value {
        any_value::Value::StringValue(text) => text,
        any_value::Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = pairs.into_iter().map(|pair| (pair.key, pair.value.and_then(|value| value.value).map(text)));
    pairs.map(|(key, value)| (key, value.unwrap_or_default())).collect()
}
