//! Answers that are lost, wrong or late, and crashes in between.

use std::net::SocketAddr;

use halsonav_adapter::{Adapter, Outbound, Reconciled};
use halsonav_domain::{Kind, Outcome};
use halsonav_neighbours::faults::Fault;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};

use crate::support::{again, build, config, id, letter, letters, open, world, world_where};

/// One fault at the moment of handing in; a vendor that prints whatever comes.
async fn check(fault: Fault, expect: Option<Kind>) {
    let world = world_where(false).await;
    world.vendor.faults().push(fault.clone());
    let outcomes = world.send(letters(1..4)).await;
    for outcome in outcomes {
        match (&outcome, expect) {
            (Outcome::Done(_), None) => {}
            (Outcome::Failed(problem), Some(kind)) if problem.kind == kind => {}
            _ => panic!("{fault:?}: expected {expect:?}, got {outcome:?}"),
        }
    }
    let there = if expect.is_none() { 3 } else { 0 };
    assert_eq!(world.pickup().printed, there, "{fault:?}");
    world
        .sent(letters(1..4).into_iter().map(again).collect())
        .await;
    world.pickup();
    assert_eq!(world.vendor.letters().len(), 3, "{fault:?}");
    assert!(world.vendor.printed_twice().is_empty(), "{fault:?}");
    assert!(
        world.lies("in").is_empty(),
        "{fault:?}: nothing is left behind"
    );
}

#[tokio::test]
async fn every_fault_at_the_rename_leaves_one_letter() {
    check(Fault::LoseAnswer, None).await;
    check(Fault::WrongAnswer, None).await;
    check(Fault::DropRequest, Some(Kind::Unavailable)).await;
    check(Fault::Technical, Some(Kind::Unavailable)).await;
    check(Fault::Garbage, Some(Kind::Unavailable)).await;
    check(Fault::Logical, Some(Kind::Denied)).await;
}

#[tokio::test]
async fn another_cut_of_the_batch_after_a_crash_prints_nothing_twice() {
    let world = world_where(false).await;
    world.sent(letters(1..6)).await;
    world.pickup();
    world.sent(letters(6..9)).await;
    let retry: Vec<_> = letters(3..12).into_iter().map(again).collect();
    world.sent(retry).await;
    world.pickup();
    assert_eq!(world.vendor.letters().len(), 11);
    assert!(world.vendor.printed_twice().is_empty());
}

#[tokio::test]
async fn the_vendor_takes_a_letter_once_although_we_bring_it_twice() {
    let world = world().await;
    world.sent(letters(1..3)).await;
    world.pickup();
    // Two first attempts: the hub never does so, and still nothing happens.
    world.sent(letters(2..4)).await;
    let pickup = world.pickup();
    assert_eq!((pickup.printed, pickup.duplicates), (1, 1));
    assert_eq!(world.vendor.letters().len(), 3);
}

/// A rename that was sent before the connection broke can come as long as there is something to
/// rename: to be sure that a letter is absent, it must be withdrawn.
#[tokio::test]
async fn reconciling_withdraws_what_is_under_way() {
    let world = world().await;
    world.sent(vec![letter(1)]).await;
    let incoming = world.vendor.shop().folders().incoming();
    let job = world.lies("in").remove(0);
    let part = format!("{job}.part");
    std::fs::rename(incoming.join(&job), incoming.join(&part)).unwrap();
    std::fs::write(incoming.join("0123.zip.part"), "PK").unwrap();
    let other = world.print.reconcile("letter", &letter(2)).await;
    assert!(matches!(other, Reconciled::Absent));
    assert!(world.lies("in").contains(&part), "somebody else's stays");
    let ours = world.print.reconcile("letter", &letter(1)).await;
    assert!(matches!(ours, Reconciled::Absent), "{ours:?}");
    assert!(!world.lies("in").contains(&part));
}

#[tokio::test]
async fn a_job_that_the_vendor_is_working_on_is_there() {
    let world = world().await;
    world.sent(vec![letter(1)]).await;
    let incoming = world.vendor.shop().folders().incoming();
    let job = world.lies("in").remove(0);
    std::fs::rename(incoming.join(&job), incoming.join(format!("{job}.taken"))).unwrap();
    let found = world.print.reconcile("letter", &letter(1)).await;
    assert!(
        matches!(found, Reconciled::Settled(Outcome::Done(_))),
        "{found:?}"
    );
}

#[tokio::test]
async fn an_unreadable_job_or_receipt_is_not_taken_for_absence() {
    let world = world().await;
    let folders = world.vendor.shop().folders();
    let job = "0123456789abcdef0123456789abcdef.zip";
    std::fs::write(folders.incoming().join(job), "something else").unwrap();
    let found = world.print.reconcile("letter", &letter(1)).await;
    assert!(matches!(found, Reconciled::Later(_)), "{found:?}");
    std::fs::remove_file(folders.incoming().join(job)).unwrap();
    std::fs::write(folders.receipt(&id(1)), "{}").unwrap();
    let found = world.print.reconcile("letter", &letter(1)).await;
    assert!(matches!(found, Reconciled::Later(_)), "{found:?}");
}

#[tokio::test]
async fn a_vendor_that_comes_back_is_found_again_and_remembers() {
    let world = world().await;
    world.sent(vec![letter(1)]).await;
    world.pickup();
    let crate::support::World {
        folder,
        clock,
        vendor,
        ..
    } = world;
    let key = vendor.host_key();
    drop(vendor);
    let vendor = open(&folder, &clock, true).await;
    assert_eq!(vendor.host_key(), key);
    assert_eq!(vendor.letters().len(), 1);
    let print = build(config(folder.path(), vendor.addr(), &key));
    print.deliver("letter", vec![again(letter(1))]).await;
    vendor.pickup(halsonav_domain::Clock::now(&*clock)).unwrap();
    assert_eq!(vendor.letters().len(), 1);
}

#[tokio::test]
async fn a_connection_that_died_is_opened_anew() {
    let world = world().await;
    world.sent(vec![letter(1)]).await;
    world.vendor.faults().push(Fault::DropRequest);
    world.send(vec![letter(2)]).await;
    world.sent(vec![letter(3)]).await;
    assert_eq!(world.pickup().printed, 2);
}

/// Lets so many bytes of the vendor's through, then breaks the connection.
async fn breaking_after(bytes: u64, vendor: SocketAddr) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut hub, _) = socket.accept().await.unwrap();
        let mut vendor = TcpStream::connect(vendor).await.unwrap();
        let (mut from_hub, mut to_hub) = hub.split();
        let (from_vendor, mut to_vendor) = vendor.split();
        let mut some = from_vendor.take(bytes);
        tokio::select! {
            _ = tokio::io::copy(&mut from_hub, &mut to_vendor) => {}
            _ = tokio::io::copy(&mut some, &mut to_hub) => {}
        }
    });
    address
}

#[tokio::test]
async fn a_connection_that_breaks_while_it_is_made_denies_nothing() {
    let world = world().await;
    let mut there = 0;
    for bytes in (20..4_000).step_by(20) {
        let address = breaking_after(bytes, world.vendor.addr()).await;
        let config = config(world.folder.path(), address, &world.vendor.host_key());
        match build(config).check().await {
            Ok(()) => there += 1,
            Err(problem) => assert_eq!(
                (problem.kind, problem.code.as_str()),
                (Kind::Unavailable, "HUB-PRINT-901"),
                "after {bytes} bytes"
            ),
        }
    }
    assert!((1..190).contains(&there), "{there} got through");
}

#[tokio::test]
async fn a_strange_server_and_a_strange_customer_get_nothing() {
    let world = world().await;
    let strange = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let config_of = |key: &str| config(world.folder.path(), world.vendor.addr(), key);
    let problem = build(config_of(strange)).check().await.unwrap_err();
    assert_eq!(
        (problem.kind, problem.code.as_str()),
        (Kind::Denied, "HUB-PRINT-903")
    );

    let mut other = config_of(&world.vendor.host_key_line());
    build(other.clone()).check().await.unwrap();
    halsonav_neighbours::vendor::key_pair(&world.folder.path().join("other")).unwrap();
    other.key = world.folder.path().join("other");
    let problem = build(other).check().await.unwrap_err();
    assert_eq!(
        (problem.kind, problem.code.as_str()),
        (Kind::Denied, "HUB-PRINT-904")
    );
}
