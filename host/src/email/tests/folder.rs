//! The mail folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::super::MailFolder;
use super::{acme, message, sender};
use crate::capability::email::{MailError, Mailer as _, Message};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_message_is_one_private_file_that_a_second_attempt_replaces() {
    let directory = tempfile::tempdir().unwrap();
    let folder = MailFolder::open(&directory.path().join("mail"), sender()).unwrap();
    folder.send(&acme(), message("m-1")).await.unwrap();
    folder.send(&acme(), Message { text: "again".into(), ..message("m-1") }).await.unwrap();
    let files = files(&folder.path().join("acme"));
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].file_name().unwrap(), "2025-11-22T17-00-00.123Z-m-1.eml");
    assert!(fs::read_to_string(&files[0]).unwrap().contains("again"));
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn p9_the_messages_to_somebody_are_removed_and_those_to_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let folder = MailFolder::open(directory.path(), sender()).unwrap();
    let named = |id: &str, text: &str| Message { text: text.into(), to: "owner@acme.example".into(), ..message(id) };
    folder.send(&acme(), message("addressed")).await.unwrap();
    folder.send(&acme(), named("mentions", "Held: ADA@acme.example. Ada has added you")).await.unwrap();
    let similar = Message { to: "nada@acme.example".into(), ..message("similar") };
    folder.send(&acme(), similar).await.unwrap();
    let names = ["ada@acme.example".to_owned(), "ada".to_owned()];
    assert_eq!(folder.erase(&"other".parse().unwrap(), &names).await, Ok(0), "of another organization");
    assert_eq!(folder.erase(&acme(), &names).await, Ok(1));
    let left = files(&directory.path().join("acme"));
    assert!(left.len() == 2 && left.iter().all(|file| !file.to_str().unwrap().ends_with("-addressed.eml")), "{left:?}");
}

#[tokio::test]
async fn one_organization_can_not_replace_another_s_message() {
    let directory = tempfile::tempdir().unwrap();
    let folder = MailFolder::open(directory.path(), sender()).unwrap();
    folder.send(&acme(), message("m-1")).await.unwrap();
    folder.send(&"other".parse().unwrap(), Message { text: "theirs".into(), ..message("m-1") }).await.unwrap();
    let ours = fs::read_to_string(&files(&directory.path().join("acme"))[0]).unwrap();
    assert!(ours.contains("Hello Ada") && !ours.contains("theirs"));
}

#[tokio::test]
async fn the_same_message_sent_many_times_at_once_is_one_whole_file() {
    let directory = tempfile::tempdir().unwrap();
    let folder = MailFolder::open(directory.path(), sender()).unwrap();
    let text = "line\n".repeat(10_000);
    let sends = (0..16).map(|_| {
        let (folder, message) = (folder.clone(), Message { text: text.clone(), ..message("m-1") });
        tokio::spawn(async move { folder.send(&acme(), message).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    let files = files(&directory.path().join("acme"));
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(fs::read_to_string(&files[0]).unwrap().matches("line\r\n").count(), 10_000);
}

#[tokio::test]
async fn a_folder_that_can_not_be_written_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let folder = MailFolder::open(directory.path(), sender()).unwrap();
    fs::write(directory.path().join("acme"), "in the way").unwrap();
    assert!(matches!(folder.send(&acme(), message("m-1")).await, Err(MailError::Unavailable(_))));
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_removed_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let acme = directory.path().join("acme");
    fs::create_dir(&acme).unwrap();
    let file = |name: &str, age: u64| {
        let file = fs::File::create(acme.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    };
    file(".1-0.tmp", 7200);
    file(".2-0.tmp", 0);
    file("old.eml", 7200);
    MailFolder::open(directory.path(), sender()).unwrap();
    assert_eq!(files(&acme), [acme.join(".2-0.tmp"), acme.join("old.eml")]);
}

#[tokio::test]
async fn a_message_stays_in_the_folder_for_its_time_and_old_ones_go_a_part_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let folder = MailFolder::open(directory.path(), sender()).unwrap();
    for number in 0..5 {
        folder.send(&acme(), message(&format!("old-{number}"))).await.unwrap();
    }
    let of_acme = directory.path().join("acme");
    let now = SystemTime::now();
    for file in files(&of_acme) {
        fs::File::open(file).unwrap().set_modified(now - Duration::from_secs(8 * 86_400)).unwrap();
    }
    folder.send(&acme(), message("new")).await.unwrap();
    // Other files stay: an email of another program, and a folder with the name of a message.
    let other = of_acme.join("case.eml");
    fs::write(&other, "not ours").unwrap();
    fs::File::open(&other).unwrap().set_modified(now - Duration::from_secs(8 * 86_400)).unwrap();
    fs::create_dir(of_acme.join("2020-01-01T00-00-00.000Z-x.eml")).unwrap();
    let before = now - Duration::from_secs(7 * 86_400);
    assert!(MailFolder::delete_older(directory.path(), before, 3).unwrap(), "there are more");
    assert_eq!(files(&of_acme).len(), 5);
    assert!(!MailFolder::delete_older(directory.path(), before, 3).unwrap());
    let left: Vec<_> = files(&of_acme).iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().any(|name| name.to_str().unwrap().ends_with("-new.eml")), "{left:?}");
    assert!(!MailFolder::delete_older(&directory.path().join("nowhere"), before, 3).unwrap());
}
