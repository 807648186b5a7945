//! Passwords of operators: hashed, and as the Go server left them.

use common::failure::{Failure, Kind};
use liveloom::auth::password::is_legacy;
use liveloom::auth::{PasswordCheck, PasswordError, Passwords};
use rstest::rstest;

#[tokio::test]
async fn a_password_is_hashed_with_argon2id_and_a_fresh_salt() {
    let passwords = Passwords::default();
    let first = passwords.hash("correct horse").await.unwrap();
    let second = passwords.hash("correct horse").await.unwrap();
    assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
    assert_ne!(first, second);
    assert!(!is_legacy(&first));
    assert_eq!(passwords.verify("correct horse", Some(&first)).await.unwrap(), PasswordCheck::Right);
    assert_eq!(passwords.verify("Correct horse", Some(&first)).await.unwrap(), PasswordCheck::Wrong);
}

/// Made by the reference implementation: `echo -n password | argon2 somesalt -id -t 2 -k 19456 -p 1`.
#[tokio::test]
async fn a_hash_of_the_reference_implementation_is_read() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$PL01amPyeUuxG7H0vIr5X+qHkZvWnHmGBGXFYvh8z2E";
    assert_eq!(Passwords::default().verify("password", Some(hash)).await.unwrap(), PasswordCheck::Right);
}

#[rstest]
#[case("123456", Some("123456"), PasswordCheck::RightLegacy)]
#[case("12345", Some("123456"), PasswordCheck::Wrong)]
#[case("1234567", Some("123456"), PasswordCheck::Wrong)]
#[case::row_without_password("", Some(""), PasswordCheck::Wrong)]
#[case::row_without_password("x", Some(""), PasswordCheck::Wrong)]
#[case::no_operator("x", None, PasswordCheck::Wrong)]
#[tokio::test]
async fn a_plaintext_row_is_compared(
    #[case] password: &str,
    #[case] stored: Option<&str>,
    #[case] expected: PasswordCheck,
) {
    assert_eq!(Passwords::default().verify(password, stored).await.unwrap(), expected);
}

#[tokio::test]
async fn a_hash_is_no_password() {
    let passwords = Passwords::default();
    let hash = passwords.hash("secret").await.unwrap();
    assert_eq!(passwords.verify(&hash, Some(&hash)).await.unwrap(), PasswordCheck::Wrong);
}

#[rstest]
#[case::cut_off("$argon2id$v=19$m=8")]
#[case::no_hash("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ")]
#[case::no_number("$argon2id$v=19$m=x,t=2,p=1$c29tZXNhbHQ$c29tZWhhc2hzb21laGFzaA")]
#[case::bare("$argon2")]
#[tokio::test]
async fn a_broken_hash_is_an_internal_error(#[case] stored: &str) {
    let error = Passwords::default().verify("x", Some(stored)).await.unwrap_err();
    assert!(matches!(error, PasswordError::Hash(_)));
    assert_eq!(error.kind(), Kind::Internal);
}

#[tokio::test]
async fn lengths_are_bounded() {
    let passwords = Passwords::default();
    for password in [String::new(), "x".repeat(1025)] {
        assert_eq!(passwords.hash(&password).await.unwrap_err().kind(), Kind::Invalid);
        assert_eq!(passwords.verify(&password, Some(&password)).await.unwrap(), PasswordCheck::Wrong);
    }
}

#[tokio::test]
async fn many_at_a_time_all_get_their_answer() {
    let passwords = Passwords::default();
    let hash = passwords.hash("secret").await.unwrap();
    let checks =
        (0..12).map(|n| {
            let (passwords, hash) = (passwords.clone(), hash.clone());
            async move {
                passwords.verify(if n % 2 == 0 { "secret" } else { "wrong" }, Some(&hash)).await.unwrap()
            }
        });
    let answers = futures_util::future::join_all(checks).await;
    assert_eq!(answers.iter().filter(|answer| **answer == PasswordCheck::Right).count(), 6);
}
