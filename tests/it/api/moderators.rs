//! Moderators of rooms: what they may, and what only the anchor may.

use super::lists::assert_page;
use super::moderation::{ALL, Desk, Desks};
use super::world::User;
use super::{Api, Verdict, cases};

cases![
    moderators_are_appointed_listed_and_dismissed,
    moderators_moderate,
    moderators_do_not_appoint,
    a_moderator_does_not_act_on_another,
    who_is_banned_moderates_no_more,
];

async fn helper(api: &Api, desks: &Desks) -> User {
    let helper = api.user().await;
    desks.call(Desk::Anchor, "PUT", &format!("/moderators/{}", helper.id)).send().await.done();
    helper
}

fn path(desks: &Desks, rest: &str) -> String {
    format!("/client/live/room/{}/moderation{rest}", desks.live_id)
}

async fn moderators_are_appointed_listed_and_dismissed(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    for desk in ALL {
        let helper = api.user().await;
        let one = format!("/moderators/{}", helper.id);
        for _ in 0..2 {
            desks.call(desk, "PUT", &one).send().await.done();
        }
        let page = desks.call(desk, "GET", "/moderators").send().await.ok().clone();
        assert_page(&page, 1, 1, 1, true);
        let row = &page["list"][0];
        let (by, role) = desks.signature(desk);
        assert_eq!((row["user"]["user_id"].as_str(), row["by"].as_str()), (Some(&*helper.id), Some(by)));
        assert_eq!(row["role"], role);
        let viewer = api.user().await;
        assert_eq!(api.get(path(&desks, "/moderators")).by(&viewer).send().await.ok(), &page);
        desks.call(desk, "GET", "/moderators?page_size=0").send().await.bad_in("page_size");
        for _ in 0..2 {
            desks.call(desk, "DELETE", &one).send().await.done();
        }
        assert_page(desks.call(desk, "GET", "/moderators").send().await.ok(), 0, 0, 0, true);
    }
    Ok(())
}

async fn moderators_moderate(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let (helper, guest) = (helper(&api, &desks).await, api.user().await);
    let calls = [
        ("PUT", String::new()),
        ("PUT", format!("/mutes/{}", guest.id)),
        ("GET", "/mutes".to_owned()),
        ("DELETE", format!("/mutes/{}", guest.id)),
        ("POST", format!("/kick/{}", guest.id)),
        ("PUT", format!("/bans/{}", guest.id)),
        ("GET", "/bans".to_owned()),
        ("DELETE", format!("/bans/{}", guest.id)),
    ];
    for (method, rest) in &calls {
        api.call(method, path(&desks, rest)).by(&helper).send().await.ok();
    }
    let message = path(&desks, "/messages/0123456789abcdef/1");
    api.delete(&message).by(&helper).send().await.not_found();
    let mute = path(&desks, &format!("/mutes/{}", guest.id));
    api.put(&mute).by(&helper).send().await.done();
    let page = desks.call(Desk::Backend, "GET", "/mutes").send().await.ok().clone();
    assert_eq!((&page["list"][0]["by"], &page["list"][0]["role"]), (&helper.id.into(), &"moderator".into()));

    // In the room where they were appointed, and as long as they are moderators.
    let elsewhere = api.live_room(&api.user().await).await;
    let helper = self::helper(&api, &desks).await;
    api.put(format!("/client/live/room/{elsewhere}/moderation")).by(&helper).send().await.forbidden();
    desks.call(Desk::Anchor, "DELETE", &format!("/moderators/{}", helper.id)).send().await.done();
    for (method, rest) in &calls {
        api.call(method, path(&desks, rest)).by(&helper).send().await.forbidden();
    }
    api.delete(&message).by(&helper).send().await.forbidden();
    Ok(())
}

async fn moderators_do_not_appoint(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let (one, two) = (helper(&api, &desks).await, api.user().await);
    let new = path(&desks, &format!("/moderators/{}", two.id));
    api.put(&new).by(&one).send().await.forbidden();
    let own = path(&desks, &format!("/moderators/{}", one.id));
    api.delete(&own).by(&one).send().await.forbidden();
    Ok(())
}

async fn a_moderator_does_not_act_on_another(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let one = helper(&api, &desks).await;
    for (method, kind) in
        [("PUT", "mutes"), ("DELETE", "mutes"), ("PUT", "bans"), ("DELETE", "bans"), ("POST", "kick")]
    {
        let two = helper(&api, &desks).await;
        for (target, status) in [(&two, 403), (&one, 403), (&desks.anchor, 400)] {
            let answer =
                api.call(method, path(&desks, &format!("/{kind}/{}", target.id))).by(&one).send().await;
            answer.refused(status, i64::from(status));
        }
        desks.call(Desk::Anchor, method, &format!("/{kind}/{}", two.id)).send().await.ok();
    }
    Ok(())
}

async fn who_is_banned_moderates_no_more(api: Api) -> Verdict {
    let desks = Desks::new(&api).await;
    let helper = helper(&api, &desks).await;
    let ban = format!("/bans/{}", helper.id);
    desks.call(Desk::Admin, "PUT", &ban).send().await.done();
    assert_page(desks.call(Desk::Anchor, "GET", "/moderators").send().await.ok(), 0, 0, 0, true);
    api.get(path(&desks, "/mutes")).by(&helper).send().await.forbidden();
    for desk in ALL {
        let answer = desks.call(desk, "PUT", &format!("/moderators/{}", helper.id)).send().await;
        assert!(answer.bad().message().contains("banned"), "{answer:?}");
    }
    desks.call(Desk::Admin, "DELETE", &ban).send().await.done();
    api.get(path(&desks, "/mutes")).by(&helper).send().await.forbidden();
    Ok(())
}
