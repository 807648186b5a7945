//! Who calls: what headers may say of it, and what they may not.

use std::net::Ipv6Addr;

use config::Secret;
use serde_json::json;

use super::world::unique;
use super::{Api, Verdict, cases};

cases![
    a_header_never_makes_a_caller_of_this_machine,
    a_proxy_may_write_addresses_with_ports,
    limits_count_a_whole_ipv6_network,
    a_host_is_believed_of_trusted_proxies_only,
];

/// Every way to say that a call is passed on.
const FORWARDING: [(&str, &str); 6] = [
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-For", "::1"),
    ("X-Real-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1"),
    ("X-Forwarded-Host", "localhost"),
    ("Via", "1.1 proxy"),
];

fn loopback() -> Vec<ipnet::IpNet> {
    ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a network")).into()
}

async fn a_header_never_makes_a_caller_of_this_machine(api: Api) -> Verdict {
    for trusted in [Vec::new(), loopback()] {
        let own = api
            .own_server(|config| {
                config.auth.server.enable = false;
                config.httpq.trusted_proxies = trusted;
                config.hooks.secret = Secret::new("hook secret");
            })
            .await?;
        let api = own.api();
        let token = format!("/server/auth/token?app_id=suite&user_id={}", unique("u"));
        api.get(&token).send().await.ok();
        let hook =
            || api.post("/hooks/publish_done").body("application/x-www-form-urlencoded", "name=x&clientid=1");
        assert_ne!(hook().send().await.status, 403, "a media server of this machine");
        for (name, value) in FORWARDING {
            api.get(&token).header(name, value).send().await.unauthorized();
            let register = api.post("/server/user/register").json(&json!({"user_id": unique("u")}));
            register.header(name, value).send().await.unauthorized();
            hook().header(name, value).send().await.forbidden();
            let known = hook().header(name, value).header("X-Hook-Secret", "hook secret").send().await;
            assert_ne!(known.status, 403, "{name}: {known:?}");
        }
        own.stop().await;
    }
    Ok(())
}

async fn a_proxy_may_write_addresses_with_ports(api: Api) -> Verdict {
    let own = api.own_server(|config| config.httpq.trusted_proxies = loopback()).await?;
    let api = own.api();
    let operator = api.operator().await;
    let written = [
        ("192.0.2.7:5678", "192.0.2.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::2]", "2001:db8::2"),
        ("198.51.100.9, 127.0.0.1", "198.51.100.9"),
        ("198.51.100.9, 169.254.1.1", "127.0.0.1"),
    ];
    for (forwarded, seen) in written {
        let call = api.post("/admin/censor/config").by(&operator).json(&json!({}));
        call.header("X-Forwarded-For", forwarded).send().await.ok();
        let notes = api.get(format!("/admin/operations?user_id={}", operator.id)).by(&operator).send().await;
        assert_eq!(notes.ok()["list"][0]["ip"], seen, "{forwarded}");
    }
    own.stop().await;
    Ok(())
}

async fn limits_count_a_whole_ipv6_network(api: Api) -> Verdict {
    let own = api
        .own_server(|config| {
            config.httpq.trusted_proxies = loopback();
            config.limits.login_per_s = 1;
        })
        .await?;
    let api = own.api();
    let log_in = async |network: u16, host: u16| {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host).to_string();
        let call = api.post("/manager/login").json(&json!({})).header("X-Forwarded-For", address);
        call.once().send().await.status
    };
    let mut limited = false;
    for host in 0..100 {
        limited |= log_in(1, host).await == 429;
        if limited {
            break;
        }
    }
    assert!(limited, "100 attempts from one /64 in a row");
    assert_eq!(log_in(2, 0).await, 400, "another network is not held back");
    own.stop().await;
    Ok(())
}

async fn a_host_is_believed_of_trusted_proxies_only(api: Api) -> Verdict {
    for (trusted, is_believed) in [(Vec::new(), false), (loopback(), true)] {
        let own = api.own_server(|config| config.httpq.trusted_proxies = trusted).await?;
        let api = own.api();
        let user = api.user().await;
        let call = api.get("/client/app/config").by(&user).header("X-Forwarded-Host", "evil.example");
        let answer = call.header("Forwarded", "host=evil.example").send().await;
        let url = answer.ok()["realtime_url"].as_str().expect("a URL");
        let own_url = format!("ws://{}/realtime", api.target.host());
        assert_eq!(url, if is_believed { "ws://evil.example/realtime" } else { own_url.as_str() });
        own.stop().await;
    }
    Ok(())
}
