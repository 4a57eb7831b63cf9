use std::os::unix::fs::PermissionsExt;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::*;

const LIMITS: Limits = Limits { bytes: 1000, full: 2 };

fn text(number: usize) -> String {
    json!({"number": number, "padding": "x".repeat(80)}).to_string()
}

fn record(number: usize) -> impl FnOnce(&mut Vec<u8>) {
    move |line| line.extend(text(number).bytes())
}

fn read(directory: &Path) -> Vec<Value> {
    let mut lines = Vec::new();
    for mut file in files::open_all(directory).unwrap() {
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    lines
}

fn numbers(directory: &Path) -> Vec<u64> {
    read(directory).iter().filter_map(|record| record["number"].as_u64()).collect()
}

/// What the records of losses say: too fast, not written.
fn losses(directory: &Path) -> Vec<(u64, u64)> {
    let lost = |record: &Value| {
        let data = &record["additionalEventData"];
        Some((data["tooFast"].as_u64()?, data["notWritten"].as_u64()?))
    };
    read(directory).iter().filter_map(lost).collect()
}

#[test]
fn records_are_read_back_in_their_order_and_only_by_their_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let mut log = Log::open(&path, LIMITS).unwrap();
    (0..5).for_each(|number| log.append(record(number)));
    log.end();
    let mut log = Log::open(&path, LIMITS).unwrap();
    log.append(record(5));
    log.flush();
    assert_eq!(numbers(&path), [0, 1, 2, 3, 4, 5]);
    assert_eq!(losses(&path), []);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&files::current(&path))), (0o700, 0o600));
}

#[test]
fn full_files_are_set_aside_and_the_oldest_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::open(directory.path(), LIMITS).unwrap();
    for number in 0..50 {
        log.append(record(number));
        log.flush();
    }
    let full = files::all_full(directory.path()).unwrap();
    assert_eq!(full.len(), 2);
    assert!(full.values().all(|path| fs::metadata(path).unwrap().len() <= 1000));
    // Whole, and without a gap up to the newest.
    let kept = numbers(directory.path());
    assert!(kept.len() > 18, "{kept:?}");
    assert_eq!(kept, (50 - kept.len() as u64..50).collect::<Vec<_>>());
}

#[test]
fn a_record_without_its_end_is_counted_as_lost_and_no_other_is() {
    let directory = tempfile::tempdir().unwrap();
    // Longer than what is read at a time to find its start.
    let cut = format!("{{\"number\": 7, \"padding\": \"{}", "x".repeat(200_000));
    fs::write(files::current(directory.path()), format!("{}\n{cut}", text(1))).unwrap();
    let mut log = Log::open(directory.path(), Limits { bytes: 1 << 20, full: 2 }).unwrap();
    log.append(record(2));
    log.end();
    assert_eq!(numbers(directory.path()), [1, 2]);
    assert_eq!(losses(directory.path()), [(0, 1)]);
}

#[test]
fn a_record_that_lacks_only_the_line_feed_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(files::current(directory.path()), text(1)).unwrap();
    let mut log = Log::open(directory.path(), LIMITS).unwrap();
    log.append(record(2));
    log.end();
    assert_eq!(numbers(directory.path()), [1, 2]);
    assert_eq!(losses(directory.path()), []);
}

#[test]
fn a_file_that_somebody_removed_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::open(directory.path(), LIMITS).unwrap();
    log.append(record(1));
    log.flush();
    fs::remove_file(files::current(directory.path())).unwrap();
    log.append(record(2));
    log.flush();
    assert_eq!(numbers(directory.path()), [2]);
}

#[test]
fn more_than_can_be_written_is_counted_in_a_record() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::open(directory.path(), LIMITS).unwrap();
    log.append(record(1));
    log.overrun(3);
    log.flush();
    log.append(record(2));
    log.flush();
    assert_eq!(losses(directory.path()), [(3, 0)]);
}

#[test]
fn a_full_disk_cuts_no_record_and_loses_none_silently() {
    // A mount namespace belongs to a thread.
    let tried = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        let directory = tempfile::tempdir().unwrap();
        mount(none, directory.path(), Some("tmpfs"), MsFlags::empty(), Some("size=16k")).unwrap();
        let mut log = Log::open(directory.path(), Limits { bytes: 1 << 20, full: 2 }).unwrap();
        (0..400).for_each(|number| log.append(record(number)));
        log.flush();
        let kept = numbers(directory.path());
        assert_eq!(kept, (0..kept.len() as u64).collect::<Vec<_>>());
        assert!((100..400).contains(&kept.len()), "{}", kept.len());
        // No room for any of these either.
        log.append(record(400));
        log.flush();
        assert_eq!(numbers(directory.path()), kept);

        let options = Some("size=1m");
        mount(none, directory.path(), Some("tmpfs"), MsFlags::MS_REMOUNT, options).unwrap();
        log.append(record(401));
        log.flush();
        let kept = numbers(directory.path()).len() as u64;
        assert_eq!(losses(directory.path()), [(0, 402 - kept)]);
        drop(log);
        nix::mount::umount(directory.path()).unwrap();
    });
    tried.join().unwrap();
}
