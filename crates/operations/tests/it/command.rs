//! Commands of the operator.

use std::time::{Duration, Instant};

use job::JobError;
use operations::config::Command;

use crate::house::House;

async fn house(argv: &[&str]) -> House {
    let mut house = House::empty().await;
    let command = Command {
        argv: argv.iter().map(|&it| it.to_owned()).collect(),
        timeout: Duration::from_secs(20),
        ..Command::default()
    };
    house.config.command.insert("media".into(), command);
    house.config.validate().unwrap();
    house
}

const JOB: &str = "operations.command.media";

fn is_alive(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie is dead; its parent (the init of this machine) has only not looked yet.
    !state.is_empty() && !state.contains(") Z ")
}

/// Check 54.
#[tokio::test]
async fn one_that_hangs_is_ended_with_all_it_started_and_the_next_run_goes() {
    let mut house = house(&["true"]).await;
    let pids = house.file("pids", "");
    let text = format!(
        "trap '' TERM\nsleep 600 & echo $! >> {0}\necho $$ >> {0}\nwait",
        pids.display()
    );
    let script = house.script("hangs", &text);
    let command = house.config.command.get_mut("media").unwrap();
    command.argv = vec![script];
    command.timeout = Duration::from_millis(500);
    let began = Instant::now();
    let said = house.job(JOB).await.unwrap_err().to_string();
    assert!(said.contains("took too long"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(10));
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2);
    let gone = async {
        while pids.lines().any(is_alive) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap();
    assert_eq!(house.told().await, [("command".to_owned(), "media".to_owned())]);
    house.config.command.get_mut("media").unwrap().argv = vec!["true".into()];
    assert_eq!(house.job(JOB).await.unwrap().get("ran"), 1);
}

/// Check 54.
#[tokio::test]
async fn of_two_that_overlap_the_second_is_skipped() {
    let house = house(&["sleep", "1"]).await;
    let (first, second) = tokio::join!(house.job(JOB), house.job(JOB));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.get("ran") + second.get("ran"), 1);
    assert_eq!(first.get("skipped") + second.get("skipped"), 1);
    assert_eq!(house.job(JOB).await.unwrap().get("ran"), 1, "the next one goes");
}

#[tokio::test]
async fn arguments_are_no_shell_and_output_is_bounded() {
    let mut house = house(&["echo", "$(id); `id` > /tmp/x && \"a b\""]).await;
    house.config.command.get_mut("media").unwrap().expect = Some("$(id); `id` > /tmp/x && \"a b\"".into());
    house.job(JOB).await.unwrap();
    let much = house.script("much", "yes | head -c 5000000; echo last words >&2; exit 3");
    house.config.command.get_mut("media").unwrap().argv = vec![much.clone()];
    let said = house.job(JOB).await.unwrap_err().to_string();
    assert!(said.contains("ended with 3") && said.len() < 1000, "{said}");
    let program = operations::process::Program {
        argv: vec![much],
        ..Default::default()
    };
    let ran = operations::process::run(&program, None, Duration::from_secs(20), &house.stop).await;
    assert!(ran.unwrap().output.len() <= 64 * 1024 + 3);
}

#[tokio::test]
async fn a_program_that_is_not_there_and_words_that_are_not_said_are_told() {
    let mut house = house(&["/nonexistent/tootctl"]).await;
    let said = house.job(JOB).await.unwrap_err().to_string();
    assert!(said.contains("cannot start /nonexistent/tootctl"), "{said}");
    let command = house.config.command.get_mut("media").unwrap();
    command.argv = vec!["echo".into(), "Removed 0 files".into()];
    command.expect = Some("Removed 1".into());
    assert!(house.job(JOB).await.unwrap_err().to_string().contains("did not say"));
}

#[tokio::test]
async fn it_ends_when_the_daemon_stops() {
    let house = house(&["sleep", "600"]).await;
    let stop = house.stop.clone();
    let stopper = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(house.job(JOB), stopper);
    assert!(matches!(ended, Err(JobError::Stopped)));
}
