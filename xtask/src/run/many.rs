//! Many runs at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};

/// Does `work` for each number below `count`, as many at a time as there are processors. Gives the results in order.
///
/// # Errors
/// The first error of any. What has begun by then is finished.
pub fn side_by_side<T: Send>(count: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new((0..count).map(|_| None).collect::<Vec<Option<T>>>());
    let go = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            let result = work(index).inspect_err(|_| next.store(count, Ordering::Relaxed))?;
            if let Ok(mut results) = results.lock() {
                results[index] = Some(result);
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(go)).collect();
        running.into_iter().try_for_each(|worker| {
            worker.join().map_err(|_| anyhow!("a run ended in a panic of the emulator"))?
        })
    })?;
    let results = results.into_inner().ok().context("a run ended in a panic of the emulator")?;
    results.into_iter().collect::<Option<_>>().context("a run left no result")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_an_error_ends_the_work() {
        assert_eq!(
            side_by_side(50, |index| Ok(index * 2)).unwrap(),
            (0..50).map(|i| i * 2).collect::<Vec<_>>()
        );
        let error = side_by_side(50, |index| if index == 7 { Err(anyhow!("seven")) } else { Ok(()) });
        assert_eq!(error.unwrap_err().to_string(), "seven");
    }
}
