//! Refresh tokens: two tabs, answers lost on the way, and theft, for users and for admins alike.

use gx_server::Workers;
use serde_json::json;

use crate::client::Reply;
use crate::server::{PASSWORD, Server};

/// Where somebody logs in, refreshes and reads what only a session shows.
#[derive(Debug, Clone, Copy)]
struct Paths {
    login: &'static str,
    refresh: &'static str,
    profile: &'static str,
}

const USER: Paths = Paths {
    login: "/api/v1/auth/login",
    refresh: "/api/v1/auth/refresh",
    profile: "/api/v1/users/profile",
};
const ADMIN: Paths = Paths {
    login: "/api/v1/admin/auth/login",
    refresh: "/api/v1/admin/auth/refresh",
    profile: "/api/v1/admin/auth/profile",
};

/// A server on each SQL engine, with settings.
async fn for_each_engine(settings: &[(&str, &str)], test: impl AsyncFn(&Server)) {
    test(&Server::start_with(settings, Workers::NONE).await).await;
    let database = gx_pg::shared().unwrap().fresh_database().unwrap();
    let environment = [("DATABASE_URL", &*database.url())];
    test(&Server::start_in(&environment, settings, Workers::NONE).await).await;
}

/// The first tokens of a user and of an admin.
async fn sessions(server: &Server) -> [(Paths, Reply); 2] {
    let ada = server.register("ada", "DE").await;
    let user = json!({ "email": ada.email, "password": PASSWORD });
    let admin = json!({ "username": "superowner", "password": server.first_password });
    [
        (USER, server.client.post(USER.login, user, 200).await),
        (ADMIN, server.client.post(ADMIN.login, admin, 200).await),
    ]
}

async fn refresh(server: &Server, paths: Paths, token: &str, expect: u16) -> Reply {
    // A connection of its own, as another tab has.
    let client = server.client.with_token("");
    let body = json!({ "refreshToken": token }).to_string();
    let reply = client.send("POST", paths.refresh, &[], Some(&body)).await;
    assert_eq!(reply.status, expect, "{paths:?}: {}", reply.text);
    reply
}

async fn profile(server: &Server, paths: Paths, session: &Reply, expect: u16) {
    let client = server.client.with_token(session.str("accessToken"));
    client.get(paths.profile, expect).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_that_refresh_at_once_all_stay_logged_in() {
    for_each_engine(&[], async |server| {
        for (paths, first) in sessions(server).await {
            let token = first.str("refreshToken");
            let (a, b, c, d) = tokio::join!(
                refresh(server, paths, token, 200),
                refresh(server, paths, token, 200),
                refresh(server, paths, token, 200),
                refresh(server, paths, token, 200),
            );
            let next = a.str("refreshToken");
            assert_ne!(next, token);
            for tab in [&a, &b, &c, &d] {
                assert_eq!(tab.str("refreshToken"), next, "{paths:?}");
                profile(server, paths, tab, 200).await;
            }
            let later = refresh(server, paths, next, 200).await;
            profile(server, paths, &later, 200).await;
            profile(server, paths, &first, 200).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_can_be_asked_for_again() {
    for_each_engine(&[], async |server| {
        for (paths, first) in sessions(server).await {
            let lost = refresh(server, paths, first.str("refreshToken"), 200).await;
            let again = refresh(server, paths, first.str("refreshToken"), 200).await;
            assert_eq!(again.str("refreshToken"), lost.str("refreshToken"));
            // A tab that comes late is not given a token that was replaced meanwhile.
            let newest = refresh(server, paths, again.str("refreshToken"), 200).await;
            let late = refresh(server, paths, first.str("refreshToken"), 200).await;
            assert_eq!(late.str("refreshToken"), newest.str("refreshToken"));
            profile(server, paths, &late, 200).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_grace_a_second_use_ends_the_session() {
    for_each_engine(&[("auth.refresh_grace_seconds", "0")], async |server| {
        for (paths, first) in sessions(server).await {
            let second = refresh(server, paths, first.str("refreshToken"), 200).await;
            profile(server, paths, &second, 200).await;
            let stolen = refresh(server, paths, first.str("refreshToken"), 401).await;
            assert_eq!(stolen.str("code"), "refresh_token_reused");
            // The thief's and the owner's tokens are of no use any more.
            profile(server, paths, &second, 401).await;
            let ended = refresh(server, paths, second.str("refreshToken"), 401).await;
            assert_eq!(ended.str("code"), "refresh_token_invalid");
        }
        // Another session of the same person is not touched.
        let other = server.log_in("ada@example.org").await;
        other.get(USER.profile, 200).await;
    })
    .await;
}

#[tokio::test]
async fn who_refreshes_without_end_is_asked_to_wait_and_keeps_the_session() {
    let server = Server::start_with(&[], Workers::NONE).await;
    for (paths, first) in sessions(&server).await {
        let mut last = refresh(&server, paths, first.str("refreshToken"), 200).await;
        for _ in 0..16 {
            last = refresh(&server, paths, last.str("refreshToken"), 200).await;
        }
        let busy = refresh(&server, paths, first.str("refreshToken"), 409).await;
        assert_eq!((busy.str("code"), busy.header("retry-after")), ("refresh_in_progress", "1"));
        profile(&server, paths, &last, 200).await;
        refresh(&server, paths, last.str("refreshToken"), 200).await;
    }
}

#[tokio::test]
async fn tokens_are_refreshed_where_they_come_from_and_nowhere_else() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let [(_, user), (_, admin)] = sessions(&server).await;
    let reply = refresh(&server, ADMIN, user.str("refreshToken"), 401).await;
    assert_eq!(reply.str("code"), "refresh_token_invalid");
    refresh(&server, USER, admin.str("refreshToken"), 401).await;
    refresh(&server, USER, "unknown", 401).await;
    // None of them is used up by that.
    refresh(&server, USER, user.str("refreshToken"), 200).await;
    refresh(&server, ADMIN, admin.str("refreshToken"), 200).await;
}

#[tokio::test]
async fn who_is_shut_out_for_a_while_keeps_a_good_token() {
    let settings = [("auth.refresh_grace_seconds", "0")];
    let server = Server::start_with(&settings, Workers::ALL).await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let body = json!({ "email": ada.person.email, "password": PASSWORD });
    let session = server.client.post(USER.login, body, 200).await;
    let freeze = format!("/api/v1/admin/users/{}/freeze", ada.person.id);
    admin.settle(&freeze, json!({ "reason": "COURT_ORDER", "notes": "case 7" })).await;
    let reply = refresh(&server, USER, session.str("refreshToken"), 403).await;
    assert_eq!(reply.str("code"), "account_frozen");
    admin.settle(&freeze.replace("freeze", "unfreeze"), json!({})).await;
    refresh(&server, USER, session.str("refreshToken"), 200).await;
}
