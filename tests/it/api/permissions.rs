//! Who may call what: every route that wants credentials, asked by everybody.
//!
//! Calls that must be refused are made on one scene, which must look the same afterwards. A call that
//! must not be refused is made on a scene of its own, since it changes it; how it then ends is the matter
//! of other cases, here it only must not be 401 or 403.

mod moderation;
mod scene;
mod table;

use std::collections::BTreeSet;

use super::{Api, Verdict, cases};
use scene::Scene;

cases![
    those_who_may_not_are_refused,
    users_who_may_are_let_in,
    backends_who_may_are_let_in,
    those_who_may_moderate_are_let_in,
    those_who_may_administer_are_let_in,
];

/// In whose name a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Without credentials.
    Nobody,
    /// A user who is in no room.
    Stranger,
    /// A user who is in the room, on a seat, and has sent a gift.
    Viewer,
    /// The anchor of the room.
    Anchor,
    /// The anchor of another room, who has a PK with the anchor.
    OtherAnchor,
    /// An administrator.
    Admin,
    /// A business backend.
    Backend,
}

impl Caller {
    const ALL: [Self; 7] = [
        Self::Nobody,
        Self::Stranger,
        Self::Viewer,
        Self::Anchor,
        Self::OtherAnchor,
        Self::Admin,
        Self::Backend,
    ];

    /// Whether they hold a client token.
    fn is_user(self) -> bool {
        matches!(self, Self::Stranger | Self::Viewer | Self::Anchor | Self::OtherAnchor)
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
struct Row {
    method: &'static str,
    /// The route as the document has it, with a query where it needs one; the names in braces stand for
    /// ids of the scene.
    target: &'static str,
    /// The body, with the same names; empty for none.
    body: &'static str,
    /// Who may.
    may: &'static [Caller],
}

impl Row {
    fn path(&self) -> &'static str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn is_administration(&self) -> bool {
        self.path().starts_with("/admin/") && !self.is_moderation()
    }

    fn is_moderation(&self) -> bool {
        ["/moderation", "/bans", "/banned_words"].iter().any(|part| self.path().contains(part))
    }

    /// The status of a refusal: one who is known, but may not, gets another than one who is not. Whoever has a
    /// good token is known wherever tokens count, of a user or of an administrator.
    fn refusal(&self, caller: Caller) -> u16 {
        let has_token = |caller: &Caller| caller.is_user() || *caller == Caller::Admin;
        let is_known = self.may.iter().any(has_token) && has_token(&caller);
        if is_known { 403 } else { 401 }
    }
}

async fn those_who_may_not_are_refused(api: Api) -> Verdict {
    nothing_is_left_out(&api).await;
    let rows: Vec<Row> = table::rows().collect();
    refused_calls_change_nothing(&api, &rows).await
}

async fn users_who_may_are_let_in(api: Api) -> Verdict {
    let theirs = |row: &Row| !row.is_moderation() && row.may.iter().any(|caller| caller.is_user());
    let rows: Vec<Row> = table::rows().filter(theirs).collect();
    let_in(&api, &rows).await
}

async fn backends_who_may_are_let_in(api: Api) -> Verdict {
    let theirs = |row: &Row| !row.is_moderation() && row.may.contains(&Caller::Backend);
    let rows: Vec<Row> = table::rows().filter(theirs).collect();
    let_in(&api, &rows).await
}

async fn those_who_may_administer_are_let_in(api: Api) -> Verdict {
    let rows: Vec<Row> = table::rows().filter(Row::is_administration).collect();
    let_in(&api, &rows).await
}

async fn those_who_may_moderate_are_let_in(api: Api) -> Verdict {
    let rows: Vec<Row> = table::rows().filter(Row::is_moderation).collect();
    let_in(&api, &rows).await
}

async fn let_in(api: &Api, rows: &[Row]) -> Verdict {
    for row in rows {
        for caller in row.may {
            let scene = Scene::new(api, row).await?;
            let answer = scene.call(row, *caller).send().await;
            assert!(![401, 403].contains(&answer.status), "{caller:?} may: {answer:?}");
        }
    }
    Ok(())
}

/// The document names no route with credentials that the table lacks, and the other way round.
async fn nothing_is_left_out(api: &Api) {
    let document = api.document().await;
    let secured = document.operations.iter().filter(|operation| operation.secured);
    let documented: BTreeSet<_> =
        secured.map(|operation| (operation.method.clone(), shape(&operation.path))).collect();
    let listed = table::rows().map(|row| {
        // A value may stand where the document has a parameter.
        let known = document.find(row.method, row.path()).map_or(row.path(), |operation| &operation.path);
        (row.method.to_owned(), shape(known))
    });
    let listed: BTreeSet<_> = listed.collect();
    let missing: Vec<_> = documented.symmetric_difference(&listed).collect();
    assert!(missing.is_empty(), "only in the document or only in the table: {missing:#?}");
}

/// A path in which the names of ids do not matter.
fn shape(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

async fn refused_calls_change_nothing(api: &Api, rows: &[Row]) -> Verdict {
    let scene = Scene::whole(api).await?;
    let before = scene.look().await;
    for row in rows {
        for caller in Caller::ALL {
            if row.may.contains(&caller) {
                continue;
            }
            let answer = scene.call(row, caller).send().await;
            let refusal = row.refusal(caller);
            assert_eq!(answer.status, refusal, "{caller:?} may not: {answer:?}");
            let is_said = refusal == 401 || !["", "Forbidden"].contains(&answer.message());
            assert!(is_said, "a refusal says why: {answer:?}");
        }
    }
    assert_eq!(scene.look().await, before, "refused calls have changed something");
    Ok(())
}
