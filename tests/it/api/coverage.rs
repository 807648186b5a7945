//! The check that the cases have asked every route of the document for every answer that it can give.

use std::collections::{BTreeMap, BTreeSet};

use super::openapi::{Document, Operation};
use super::{Api, Verdict};

const NO_MESSAGES: &str = "nobody publishes messages over HTTP";

/// Statuses that a route need not show, and why.
const EXCEPTIONS: &[(&str, &str, u16, &str)] = &[
    (
        "GET",
        "/client/live/room/heartbeat/{live_id}",
        404,
        "who is in no such room gets the 500 that the SDKs know",
    ),
    ("GET", "/client/gift/config/{type}", 404, "a kind without gift types has an empty list"),
    ("GET", "/server/gift/config/{id}", 404, "a kind without gift types has an empty list"),
    ("GET", "/admin/gift/config/{id}", 404, "a kind without gift types has an empty list"),
    ("DELETE", "/client/live/room/{live_id}/moderation/messages/{epoch}/{offset}", 200, NO_MESSAGES),
    ("DELETE", "/server/live/{live_id}/moderation/messages/{epoch}/{offset}", 200, NO_MESSAGES),
    ("DELETE", "/admin/live/{live_id}/moderation/messages/{epoch}/{offset}", 200, NO_MESSAGES),
    ("POST", "/manager/gift/test", 404, "a server on its embedded database is its own payment service"),
];

/// Panics with all gaps at once: a 2xx case for every operation, and every 400, 401, 403 and 404 that it
/// declares or must have: 401 with credentials, 404 with an id in the path, 400 with other input.
pub async fn nothing_is_left_out(api: Api) -> Verdict {
    let document = api.document().await;
    let seen = seen_statuses(&api, &document);
    let mut gaps = Vec::new();
    for operation in document.operations.iter().filter(|operation| is_within_reach(&api, operation)) {
        let none = BTreeSet::new();
        let statuses = seen.get(&key(operation)).unwrap_or(&none);
        if !statuses.iter().any(|status| (200..300).contains(status)) && !excepted(operation, 200) {
            gaps.push(format!("{} {} lacks a 2xx case", operation.method, operation.path));
        }
        for status in wanted(operation).difference(statuses) {
            if !excepted(operation, *status) {
                gaps.push(format!("{} {} lacks a {status} case", operation.method, operation.path));
            }
        }
        for status in undeclared(operation, statuses) {
            gaps.push(format!(
                "{} {} answers {status} without declaring it",
                operation.method, operation.path
            ));
        }
    }
    assert!(gaps.is_empty(), "{} gaps:\n{}", gaps.len(), gaps.join("\n"));
    Ok(())
}

/// Whether enough is known of the target to get every answer of the route.
fn is_within_reach(api: &Api, operation: &Operation) -> bool {
    match operation.path.as_str() {
        "/manager/login" => api.target.admin.is_some(),
        path if path.starts_with("/hooks/") => api.backend.is_some(),
        // Something must have been recorded and saved.
        path if path.ends_with("/demonstrate/record/{live_id}/{item_id}") => api.backend.is_some(),
        path if path.contains("/gift/") => api.target.payer.is_some(),
        path if path.contains("/censor/") => api.review.is_some(),
        _ => true,
    }
}

fn key(operation: &Operation) -> (String, String) {
    (operation.method.clone(), operation.path.clone())
}

fn seen_statuses(api: &Api, document: &Document) -> BTreeMap<(String, String), BTreeSet<u16>> {
    let mut seen: BTreeMap<_, BTreeSet<u16>> = BTreeMap::new();
    for entry in api.ledger.entries() {
        if let Some(operation) = document.find(&entry.method, &entry.path) {
            seen.entry(key(operation)).or_default().insert(entry.status);
        }
    }
    seen
}

fn wanted(operation: &Operation) -> BTreeSet<u16> {
    let declared = operation.responses.iter().copied().filter(|status| [400, 401, 403, 404].contains(status));
    let ruled = [(operation.has_input(), 400), (operation.secured, 401), (operation.has_path_id(), 404)];
    declared.chain(ruled.into_iter().filter_map(|(applies, status)| applies.then_some(status))).collect()
}

fn excepted(operation: &Operation, status: u16) -> bool {
    EXCEPTIONS.iter().any(|(method, path, which, _)| {
        operation.method == *method && operation.path == *path && status == *which
    })
}

/// 403 depends on who asks, so that no rule can tell where it belongs: where it was seen, it is declared.
fn undeclared(operation: &Operation, statuses: &BTreeSet<u16>) -> Vec<u16> {
    let own = statuses.iter().copied().filter(|status| [200, 401, 403, 404].contains(status));
    own.filter(|status| !operation.responses.contains(status)).collect()
}
