//! The whole road, from a workspace to its end, by somebody who looks what is there and goes on.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use reqwest::Method;

use crate::{
    client::{Client, Tried},
    files::{check_files, check_what_a_kill_left},
    killer::{TIME_SCALE, kill_later, n_kills},
    steps::Round,
    support::program::{Program, programs_of},
    told::Told,
};

/// Nothing of what a killed emulator had started runs when the next can be worked with.
fn assert_none_of(state: &Path, former: &BTreeSet<String>) {
    let running = programs_of(state).into_iter().filter(|id| former.contains(id));
    assert_eq!(running.collect::<Vec<_>>(), [""; 0]);
}

struct Walk {
    n_rounds: usize,
    told: Told,
}

impl Walk {
    /// Looks at what the round that is under way and the one before it were told, and goes on with it. What is lost does not come
    /// back: the rounds before are looked at in the end.
    async fn go_on(&mut self, client: &Client) -> Tried<()> {
        for number in self.n_rounds.saturating_sub(1)..=self.n_rounds {
            self.told.check(client, &Round::workspace(client, number)).await?;
        }
        Round { client, told: &mut self.told, number: self.n_rounds }.walk().await?;
        self.n_rounds += 1;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_road_is_walked_while_the_emulator_is_killed_at_random_moments() {
    let n_kills = n_kills(100);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mut random = fastrand::Rng::with_seed(20_261_124);
    let mut walk = Walk { n_rounds: 0, told: Told::default() };
    let (mut n_programs, mut former) = (0, BTreeSet::new());
    for _ in 0..n_kills {
        let program = Program::start_by(&state, TIME_SCALE);
        assert_none_of(&state, &former);
        let n_asked = Arc::new(AtomicUsize::new(0));
        let later = Duration::from_micros(random.u64(0..20_000));
        let killed = kill_later(program, Arc::clone(&n_asked), random.usize(1..120), later);
        let client = Client::new(&state, &n_asked).await;
        while walk.go_on(&client).await.is_ok() {}
        killed.await.unwrap();
        former = programs_of(&state).into_iter().collect();
        n_programs += former.len();
        check_what_a_kill_left(&state);
    }
    // Some were killed while commands and deployments ran.
    assert!(n_programs > n_kills / 5, "{n_programs}");

    let program = Program::start_by(&state, TIME_SCALE);
    assert_none_of(&state, &former);
    let client = Client::new(&state, &Arc::default()).await;
    walk.go_on(&client).await.unwrap();
    let Walk { n_rounds, told } = walk;
    told.check(&client, "").await.unwrap();
    told.check_blobs(&client).await.unwrap();
    for number in 0..n_rounds {
        let workspace = Round::workspace(&client, number);
        for kind in ["onlineEndpoints", "batchEndpoints", "computes"] {
            let id = format!("{workspace}/{kind}");
            let left = client.json(client.worker.at(Method::GET, &id)).await.unwrap();
            assert_eq!(left["value"].as_array().unwrap().len(), 0, "{left}");
        }
    }
    program.kill();
    // With nothing under way, nothing is started.
    let program = Program::start_by(&state, TIME_SCALE);
    assert_eq!(programs_of(&state), [""; 0]);
    check_files(&state);
    drop(program);
    println!("{n_kills} kills, {n_programs} programs that ran then, {n_rounds} rounds");
}
