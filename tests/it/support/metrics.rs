//! Reading metrics in Prometheus' text format.

use prometheus::Registry;
use telemetry::exporter::encode;

/// The sum of what a page shows of `name` with all of these labels; None when it shows nothing.
pub fn sum(page: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let lines =
        page.lines().filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.starts_with(['{', ' ']));
    let has = |text: &str, (label, value): &(&str, &str)| {
        let pair = format!("{label}=\"{value}\"");
        [format!("{{{pair}"), format!(",{pair}")].iter().any(|pair| text.contains(pair))
    };
    let wanted = lines.filter(|text| labels.iter().all(|label| has(text, label)));
    wanted.filter_map(|text| text.rsplit(' ').next()?.parse::<f64>().ok()).reduce(|one, other| one + other)
}

/// As [`sum`], of what `registry` would show now.
pub fn told(registry: &Registry, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let page = String::from_utf8(encode(registry).unwrap()).unwrap();
    sum(&page, name, labels)
}

/// What the exporter at `addr` shows.
pub async fn page(addr: &str) -> String {
    reqwest::get(format!("http://{addr}/metrics")).await.unwrap().text().await.unwrap()
}

#[test]
fn values_of_a_page_are_found_by_name_and_labels() {
    let page = "# TYPE a gauge\na{b=\"c\",d=\"e\"} 2\na{b=\"c\",d=\"f\"} 3\nab 5\na_sum{b=\"c\"} 7\n";
    assert_eq!(sum(page, "a", &[("b", "c")]), Some(5.0));
    assert_eq!(sum(page, "a", &[("b", "c"), ("d", "f")]), Some(3.0));
    assert_eq!(sum(page, "ab", &[]), Some(5.0));
    assert_eq!((sum(page, "a", &[("d", "c")]), sum(page, "b", &[])), (None, None));
}
