//! Calls that name what nobody has, on every route.

use futures_util::future::join_all;

use super::tally::Tally;
use super::target::Target;
use crate::random_ids::Routes;
use crate::support::client::Client;

const AT_ONCE: usize = 8;

/// Nobody is let in, and nothing is found.
pub const EXPECTED: &[&str] =
    &["200", "400", "401", "403", "404", "405", "429", "503", "not in the room", "over"];

/// Without credentials, with a token that is none, and with a user's.
pub async fn attack(target: &Target, user: &Client) -> Tally {
    let routes = Routes::of(user).await;
    let flows = (0..AT_ONCE).map(async |stranger| {
        let client = target.client();
        let client = match stranger % 3 {
            0 => client,
            1 => client.with_token("a.b.c"),
            _ => client.with_token(user.token()),
        };
        let mut tally = Tally::default();
        for number in stranger.. {
            if target.is_over() {
                break;
            }
            let answer = target.unless_over(routes.call(&client, number)).await;
            tally.add(match answer {
                Some(Some(answer)) if answer.status == 500 && routes.name(number).contains("heartbeat") => {
                    "not in the room".to_owned()
                }
                Some(Some(answer)) => answer.status.to_string(),
                Some(None) => "no answer".to_owned(),
                None => "over".to_owned(),
            });
        }
        tally
    });
    Tally::sum(join_all(flows).await)
}
