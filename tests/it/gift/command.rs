//! `liveloom gifts …`

use std::process::Output;

use rstest::rstest;
use serde_json::Value;

use super::{Party, SETTLED};
use crate::support::fake_payment::Mood;
use crate::support::gift_ledgers::{agree, gifts, told};
use crate::support::server::{Backend, binary};
use crate::support::wait::wait_until;

impl Party {
    fn run(&self, arguments: &[&str]) -> Output {
        let overlay = self.server.config().with_file_name("overlay.yaml");
        let mut command = binary(&["gifts"]);
        command.args(arguments).arg("--config").arg(self.server.config()).arg("-e").arg(overlay);
        command.env("USER", "root").output().unwrap()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    #[track_caller]
    fn listed(&self, arguments: &[&str]) -> Vec<Value> {
        let arguments: Vec<&str> = ["list", "--json"].iter().chain(arguments).copied().collect();
        serde_json::from_str(&self.done(&arguments)).unwrap()
    }
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_lists_resolves_refunds_and_exports(#[case] backend: Backend) {
    let mut party = Party::begin(backend, 2).await;
    let hang = Mood::Status { status: 500, charges: true };
    party.payer.script(41, std::iter::repeat_n(hang, 10_000));
    party.payer.script(42, std::iter::repeat_n(Mood::Status { status: 500, charges: false }, 10_000));
    let mut ids = Vec::new();
    for (amount, (user_id, guest)) in [(7, &party.guests[0]), (41, &party.guests[0]), (42, &party.guests[1])]
    {
        let key = format!("k{amount}");
        let answer = guest.post("/client/gift/send", party.gift(amount, &key)).await;
        ids.push(told(user_id, &key, &answer).unwrap().biz_id);
    }
    if backend == Backend::Embedded {
        // The file belongs to one process.
        assert!(party.refused(&["list"]).contains("in use by another liveloom process"));
        party.server.kill();
    }
    let [paid, charged, lost] = ids.as_slice() else { panic!("{ids:?}") };
    assert_eq!(party.listed(&[]).len(), 3);
    let waiting = party.listed(&["--waiting"]);
    assert_eq!((waiting.len(), &waiting[0]["biz_id"]), (2, &lost.as_str().into()), "the newest first");
    assert_eq!(party.listed(&["--status", "paid"])[0]["biz_id"], paid.as_str());
    assert_eq!(party.listed(&["--user-id", "guest-1"]).len(), 1);
    assert_eq!(party.listed(&["--live-id", "none"]).len(), 0);
    assert_eq!(party.listed(&["--since", "2999-01-01"]).len(), 0);
    assert_eq!(party.listed(&["--limit", "1"]).len(), 1);
    assert_eq!(party.listed(&["--flagged"]).len(), 0);

    assert!(party.done(&["resolve", charged, "paid", "--reason", "seen in the bank"]).contains("is paid"));
    assert!(party.done(&["resolve", lost, "refused"]).contains("is refused"));
    assert!(party.refused(&["resolve", charged, "refused"]).contains("refund"));
    assert!(party.refused(&["resolve", "unheard-of", "paid"]).contains("no such gift"));
    assert!(party.refused(&["refund", lost, "--reason", "x"]).contains("not paid"));
    assert!(party.refused(&["refund", paid]).contains("--reason"));
    party.done(&["refund", paid, "--reason", "a mistake, \"they\" said", "--operator", "alice"]);
    assert!(party.refused(&["refund", paid, "--reason", "again"]).contains("refunded before"));

    let table = party.done(&["list"]);
    assert!(table.contains("refunded by alice: a mistake") && table.lines().count() == 4, "{table}");
    let csv = party.done(&["export"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let of = |record: &csv::StringRecord, name: &str| {
        record[head.iter().position(|column| column == name).unwrap()].to_owned()
    };
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let exported: Vec<_> =
        records.iter().map(|record| (of(record, "biz_id"), of(record, "status"))).collect();
    let expected = [(paid, "paid"), (charged, "paid"), (lost, "refused")];
    assert_eq!(exported, expected.map(|(id, status)| (id.clone(), status.to_owned())));
    assert_eq!(of(&records[0], "refund_reason"), "a mistake, \"they\" said");
    assert_eq!(of(&records[0], "refunded_by"), "alice");
    let empty = party.done(&["export", "--to", "2020-01-01"]);
    assert_eq!(csv.lines().next(), empty.lines().next(), "the columns are named all the same");
    assert_eq!(empty.lines().count(), 1);

    // What the operator ended stays so, whatever is asked meanwhile.
    if backend == Backend::Embedded {
        party.server.start().await;
    }
    wait_until("all are ended", SETTLED, async || {
        gifts(party.server.database()).await.iter().all(|gift| gift.status != 0)
    })
    .await;
    agree(party.server.database(), &party.payer, &[]).await;
}
