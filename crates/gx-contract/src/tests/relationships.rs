//! Relationships: who asks, who answers, when again; and the trust score that follows from them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::host::Host;
use super::notation::{account, query};
use super::phrases::relationship;
use super::script::{check, go_on};
use crate::Refusal;
use crate::identity::RelationshipKind;

/// Three users.
const USERS: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    open carol.IN 30";

const DAY: i64 = 24 * 60 * 60 * 1000;

fn check_with_users(table: &str) -> Host {
    check(&format!("{USERS}\n{table}"))
}

/// `subject` and `object` are related as the kind says.
fn related(subject: &str, kind: &str, object: &str) -> String {
    format!(
        "user:{subject} RequestRelationship {subject} {object} {kind} => RelationshipRequested
        user:{object} ConfirmRelationship {kind}:{subject}:{object} => RelationshipConfirmed\n"
    )
}

fn score(host: &Host, user: &str) -> u64 {
    let args = json!({"userId": account(user)});
    let told = host.ask(query("IdentityContract:GetUser", &args)).unwrap();
    told["trustScore"].as_u64().unwrap()
}

#[test]
fn one_side_asks_and_the_other_answers_once() {
    check_with_users(
        "user:alice.IN RequestRelationship alice.IN bob.FR FRIEND_OF => \
            RelationshipRequested type=FRIEND_OF subjectId=alice.IN objectId=bob.FR
        user:alice.IN ConfirmRelationship FRIEND_OF:alice.IN:bob.FR => not_party
        user:carol.IN ConfirmRelationship FRIEND_OF:alice.IN:bob.FR => not_party
        user:carol.IN RejectRelationship FRIEND_OF:alice.IN:bob.FR => not_party
        user:bob.FR EndRelationship FRIEND_OF:alice.IN:bob.FR => relationship_not_confirmed
        user:bob.FR ConfirmRelationship FRIEND_OF:alice.IN:bob.FR => RelationshipConfirmed \
            type=FRIEND_OF trust.0.userId=alice.IN trust.0.trustScore=11 \
            trust.1.userId=bob.FR trust.1.trustScore=11
        + user:bob.FR ConfirmRelationship FRIEND_OF:alice.IN:bob.FR => relationship_not_pending
        user:bob.FR RejectRelationship FRIEND_OF:alice.IN:bob.FR => relationship_not_pending
        user:bob.FR ConfirmRelationship SIBLING_OF:alice.IN:bob.FR => relationship_not_found",
    );
}

/// A freeze stops what the account initiates and payments to it, nothing else.
#[test]
fn a_frozen_user_may_be_asked_but_cannot_answer() {
    check_with_users(
        "admin:root FreezeWallet bob.FR COURT_ORDER => WalletFrozen
        user:alice.IN RequestRelationship alice.IN bob.FR FRIEND_OF => RelationshipRequested
        user:bob.FR ConfirmRelationship FRIEND_OF:alice.IN:bob.FR => account_frozen",
    );
}

#[test]
fn only_users_are_related_and_nobody_to_themselves() {
    check_with_users(
        "user:alice.IN RequestRelationship alice.IN alice.IN FRIEND_OF => same_account
        user:alice.IN RequestRelationship alice.IN nobody.IN FRIEND_OF => account_not_found
        user:alice.IN RequestRelationship alice.IN SYSTEM_LOAN_POOL FRIEND_OF => not_a_user
        user:alice.IN RequestRelationship alice.IN treasury_IN FRIEND_OF => not_a_user
        user:carol.IN RequestRelationship alice.IN bob.FR FRIEND_OF => not_own_account
        admin:root RequestRelationship alice.IN bob.FR FRIEND_OF => actor_not_allowed",
    );
}

/// Whoever asks second asks for what is there already.
#[test]
fn a_symmetric_relationship_is_one_whichever_side_asks() {
    for kind in RelationshipKind::ALL {
        let (a, b) = (account("alice.IN"), account("bob.FR"));
        assert_eq!(kind.id_between(a, b) == kind.id_between(b, a), kind.is_symmetric());
        let kind = serde_json::to_value(kind).unwrap();
        let kind = kind.as_str().unwrap();
        let second = match kind {
            "FATHER_OF" | "MOTHER_OF" | "CHILD_OF" | "DIRECTOR_OF" => "RelationshipRequested",
            _ => "relationship_exists",
        };
        check_with_users(&format!(
            "user:alice.IN RequestRelationship alice.IN bob.FR {kind} => RelationshipRequested
            user:alice.IN RequestRelationship alice.IN bob.FR {kind} => relationship_exists
            user:bob.FR RequestRelationship bob.FR alice.IN {kind} => {second}"
        ));
    }
}

#[test]
fn what_was_rejected_may_be_asked_for_again_after_seven_days() {
    let (before, after) = (1000 + 7 * DAY - 1, 1000 + 7 * DAY);
    check_with_users(&format!(
        "at 1000
        user:alice.IN RequestRelationship alice.IN bob.FR FRIEND_OF => RelationshipRequested
        user:bob.FR RejectRelationship FRIEND_OF:alice.IN:bob.FR => \
            RelationshipRejected subjectId=alice.IN askableFrom={after}
        user:alice.IN RequestRelationship alice.IN bob.FR FRIEND_OF => relationship_rejected
        at {before}
        user:bob.FR RequestRelationship bob.FR alice.IN FRIEND_OF => relationship_rejected
        at {after}
        user:bob.FR RequestRelationship bob.FR alice.IN FRIEND_OF => \
            RelationshipRequested subjectId=bob.FR
        user:bob.FR ConfirmRelationship FRIEND_OF:alice.IN:bob.FR => not_party
        user:alice.IN ConfirmRelationship FRIEND_OF:alice.IN:bob.FR => RelationshipConfirmed"
    ));
}

#[test]
fn a_pause_puts_off_when_it_may_be_asked_for_again() {
    check_with_users(
        "user:alice.IN RequestRelationship alice.IN bob.FR FRIEND_OF => RelationshipRequested
        user:bob.FR RejectRelationship FRIEND_OF:alice.IN:bob.FR => RelationshipRejected
        admin:root PauseSystem \"ten letters\" => SystemPaused
        at 5d
        admin:root ResumeSystem => SystemResumed
        at 11d+86399999
        user:alice.IN RequestRelationship alice.IN bob.FR FRIEND_OF => relationship_rejected
        at 12d
        user:alice.IN RequestRelationship alice.IN bob.FR FRIEND_OF => RelationshipRequested",
    );
}

#[test]
fn either_side_ends_a_relationship_and_it_may_be_asked_for_again_at_once() {
    check_with_users(&format!(
        "{}user:carol.IN EndRelationship FRIEND_OF:alice.IN:bob.FR => not_party
        user:alice.IN EndRelationship FRIEND_OF:alice.IN:bob.FR => RelationshipEnded \
            endedBy=alice.IN trust.0.trustScore=10 trust.1.trustScore=10
        user:bob.FR EndRelationship FRIEND_OF:alice.IN:bob.FR => relationship_not_confirmed
        {}user:bob.FR EndRelationship FRIEND_OF:alice.IN:bob.FR => RelationshipEnded",
        related("alice.IN", "FRIEND_OF", "bob.FR"),
        related("bob.FR", "FRIEND_OF", "alice.IN"),
    ));
}

#[test]
fn nobody_has_two_confirmed_spouses() {
    check_with_users(&format!(
        "user:carol.IN RequestRelationship carol.IN bob.FR SPOUSE_OF => RelationshipRequested
        {}user:bob.FR ConfirmRelationship SPOUSE_OF:carol.IN:bob.FR => spouse_exists
        user:bob.FR RequestRelationship bob.FR carol.IN SPOUSE_OF => relationship_exists
        user:bob.FR EndRelationship SPOUSE_OF:bob.FR:alice.IN => RelationshipEnded
        user:bob.FR ConfirmRelationship SPOUSE_OF:bob.FR:carol.IN => RelationshipConfirmed",
        related("alice.IN", "SPOUSE_OF", "bob.FR"),
    ));
}

/// Who is whose father is not their child as well, whoever says it in which order.
#[test]
fn two_people_are_family_in_one_way() {
    check_with_users(&format!(
        "user:bob.FR RequestRelationship bob.FR alice.IN FATHER_OF => RelationshipRequested
        {}user:alice.IN ConfirmRelationship FATHER_OF:bob.FR:alice.IN => family_already
        user:bob.FR RequestRelationship bob.FR alice.IN CHILD_OF => family_already
        user:alice.IN RequestRelationship alice.IN bob.FR MOTHER_OF => family_already
        user:bob.FR RequestRelationship bob.FR alice.IN SPOUSE_OF => family_already
        user:bob.FR RequestRelationship bob.FR alice.IN SIBLING_OF => family_already
        user:alice.IN RequestRelationship alice.IN bob.FR FATHER_OF => relationship_exists
        {}user:bob.FR EndRelationship FATHER_OF:alice.IN:bob.FR => RelationshipEnded
        user:alice.IN ConfirmRelationship FATHER_OF:bob.FR:alice.IN => RelationshipConfirmed",
        related("alice.IN", "FATHER_OF", "bob.FR"),
        related("alice.IN", "FRIEND_OF", "bob.FR"),
    ));
}

/// However it is told: by the parents, or by the child.
#[test]
fn a_person_has_one_father_and_one_mother() {
    check_with_users(&format!(
        "open dave.IN 30
        open erin.IN 30
        {}user:carol.IN RequestRelationship carol.IN alice.IN FATHER_OF => RelationshipRequested
        user:alice.IN ConfirmRelationship FATHER_OF:carol.IN:alice.IN => parent_exists
        {}user:alice.IN RequestRelationship alice.IN dave.IN CHILD_OF => RelationshipRequested
        user:dave.IN ConfirmRelationship CHILD_OF:alice.IN:dave.IN => parent_exists
        user:bob.FR EndRelationship FATHER_OF:bob.FR:alice.IN => RelationshipEnded
        user:dave.IN ConfirmRelationship CHILD_OF:alice.IN:dave.IN => RelationshipConfirmed
        user:alice.IN ConfirmRelationship FATHER_OF:carol.IN:alice.IN => parent_exists
        user:alice.IN RequestRelationship alice.IN bob.FR CHILD_OF => RelationshipRequested
        user:bob.FR ConfirmRelationship CHILD_OF:alice.IN:bob.FR => parent_exists
        user:alice.IN EndRelationship CHILD_OF:alice.IN:dave.IN => RelationshipEnded
        user:bob.FR ConfirmRelationship CHILD_OF:alice.IN:bob.FR => RelationshipConfirmed",
        related("bob.FR", "FATHER_OF", "alice.IN"),
        related("erin.IN", "MOTHER_OF", "alice.IN"),
    ));
}

/// Points that a first relation of each kind gives to its subject and to its object.
#[test]
fn points_go_to_the_side_that_the_relation_describes() {
    for (kind, subject, object) in [
        ("FATHER_OF", 0, 30),
        ("MOTHER_OF", 0, 30),
        ("SPOUSE_OF", 25, 25),
        ("SIBLING_OF", 15, 15),
        ("CHILD_OF", 0, 10),
        ("FRIEND_OF", 1, 1),
        ("BUSINESS_PARTNER_OF", 5, 5),
        ("DIRECTOR_OF", 0, 3),
        ("WORKPLACE_ASSOCIATE_OF", 2, 2),
    ] {
        let host = check_with_users(&related("alice.IN", kind, "bob.FR"));
        assert_eq!(score(&host, "alice.IN"), 10 + subject, "{kind}");
        assert_eq!(score(&host, "bob.FR"), 10 + object, "{kind}");
    }
}

#[test]
fn each_kind_of_family_counts_once_and_is_at_most_80() {
    let mut host = check(USERS);
    for (at, (kind, expected)) in [
        ("FATHER_OF", 40),
        ("MOTHER_OF", 40),
        ("SPOUSE_OF", 65),
        ("SIBLING_OF", 80),
        ("SIBLING_OF", 80),
        ("CHILD_OF", 90),
        ("CHILD_OF", 90),
        ("FRIEND_OF", 91),
    ]
    .into_iter()
    .enumerate()
    {
        let other = format!("r{at}.IN");
        let table = format!("open {other} 30\n{}", related(&other, kind, "alice.IN"));
        host = go_on(host, &table);
        assert_eq!(score(&host, "alice.IN"), expected, "{kind}");
    }
    host = go_on(host, "user:r0.IN EndRelationship FATHER_OF:r0.IN:alice.IN => RelationshipEnded");
    assert_eq!(score(&host, "alice.IN"), 91, "the other parent is left");
    host = go_on(host, "user:r1.IN EndRelationship MOTHER_OF:r1.IN:alice.IN => RelationshipEnded");
    assert_eq!(score(&host, "alice.IN"), 61);
    host.finish();
}

#[test]
fn friends_and_business_count_up_to_ten_each() {
    let mut host = check(USERS);
    for (kind, count, expected) in
        [("FRIEND_OF", 12, 20), ("BUSINESS_PARTNER_OF", 1, 25), ("DIRECTOR_OF", 2, 30)]
    {
        for at in 0..count {
            let other = format!("{}{at}.IN", kind.chars().next().unwrap());
            let table = format!("open {other} 30\n{}", related(&other, kind, "alice.IN"));
            host = go_on(host, &table);
        }
        assert_eq!(score(&host, "alice.IN"), expected, "{count} times {kind}");
    }
    host =
        go_on(host, "user:alice.IN EndRelationship FRIEND_OF:F0.IN:alice.IN => RelationshipEnded");
    assert_eq!(score(&host, "alice.IN"), 30, "eleven friends count as ten");
}

#[test]
fn counts_and_relations_between_two_users_are_told() {
    const NAME: &str = "IdentityContract:GetRelationships";
    let host = check_with_users(&format!(
        "at 5000\n{}user:bob.FR RequestRelationship bob.FR alice.IN DIRECTOR_OF => \
            RelationshipRequested",
        related("alice.IN", "FRIEND_OF", "bob.FR")
    ));
    let ask = |args: Value| host.ask(query(NAME, &args)).unwrap();
    let (alice, bob) = (account("alice.IN"), account("bob.FR"));
    let told = ask(json!({"userId": alice, "otherId": bob}));
    assert_eq!((&told["counts"]["friends"], &told["trustScore"]), (&json!(1), &json!(11)));
    let listed = |word: &str, kind: &str, subject, object, state: &str| {
        json!({"relationshipId": relationship(word), "type": kind, "subjectId": subject,
               "objectId": object, "state": state, "since": 5000})
    };
    let friends = listed("FRIEND_OF:alice.IN:bob.FR", "FRIEND_OF", alice, bob, "CONFIRMED");
    let director =
        listed("DIRECTOR_OF:bob.FR:alice.IN", "DIRECTOR_OF", bob, alice, "PENDING_CONFIRMATION");
    assert_eq!(told["relationships"], json!([friends, director]));
    assert_eq!(ask(json!({"userId": bob}))["relationships"], json!([]));
    let nobody = json!({"userId": account("nobody.IN")});
    let refused = host.ask(query(NAME, &nobody)).unwrap_err();
    assert_eq!(refused.code, Refusal::AccountNotFound);
}

proptest! {
    #![proptest_config(super::many(24))]

    /// A score is what the confirmed relations of this moment give, whatever happened before.
    #[test]
    fn a_score_follows_from_what_is_confirmed_now(
        steps in prop::collection::vec((0..4_u8, 0..4_u8, 0..9_usize, 0..4_u8), 1..60)
    ) {
        let people = ["a.IN", "b.IN", "c.IN", "d.IN"];
        let mut host = check(&format!(
            "world IN=60000000 FR=40000000\n{}",
            people.map(|person| format!("open {person} 30")).join("\n")
        ));
        let mut confirmed: Vec<(usize, usize, usize)> = Vec::new();
        for (subject, object, kind, act) in steps {
            let (subject, object) = (usize::from(subject), usize::from(object));
            let name = serde_json::to_value(RelationshipKind::ALL[kind]).unwrap();
            let (who, whom, name) = (people[subject], people[object], name.as_str().unwrap());
            let id = format!("{name}:{who}:{whom}");
            let words = match act {
                0 | 1 => format!("user:{who} RequestRelationship {who} {whom} {name}"),
                2 => format!("user:{whom} ConfirmRelationship {id}"),
                _ => format!("user:{who} EndRelationship {id}"),
            };
            let event = ["RelationshipRequested", "RelationshipRequested",
                "RelationshipConfirmed", "RelationshipEnded"][usize::from(act)];
            let (next, applied) = super::script::try_line(host, &words);
            host = next;
            if applied.as_deref() == Some(event) {
                let symmetric = RelationshipKind::ALL[kind].is_symmetric();
                let sides = if symmetric && object < subject { (object, subject) }
                    else { (subject, object) };
                match act {
                    2 => confirmed.push((sides.0, sides.1, kind)),
                    3 => confirmed.retain(|known| *known != (sides.0, sides.1, kind)),
                    _ => {}
                }
            }
        }
        for (at, person) in people.iter().enumerate() {
            let count = |kinds: &[usize]| confirmed.iter().filter(|(subject, object, kind)| {
                let symmetric = RelationshipKind::ALL[*kind].is_symmetric();
                kinds.contains(kind) && (*object == at || (symmetric && *subject == at))
            }).count();
            prop_assert!(count(&[2]) <= 1, "one spouse");
            let once = |kinds: &[usize], points| if count(kinds) > 0 { points } else { 0 };
            let family = once(&[0, 1], 30) + once(&[2], 25) + once(&[3], 15) + once(&[4], 10);
            let business = 5 * count(&[6]) + 3 * count(&[7]) + 2 * count(&[8]);
            let expected = 10 + family + count(&[5]).min(10) + business.min(10);
            prop_assert_eq!(score(&host, person), expected.min(100) as u64);
        }
        host.finish();
    }
}
