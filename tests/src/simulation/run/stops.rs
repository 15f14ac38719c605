//! An operator stops lanes now and then, and starts them again.

use halsonav::rehearsal::Rehearsal;
use halsonav_storage::LaneStop;

use super::World;
use crate::simulation::neighbours;

/// One in so many hours looked at a lane that runs is stopped …
const STOPS: usize = 40;
/// … and one that is stopped starts.
const STARTS: usize = 4;

impl World {
    /// While nothing is in anybody's hands, so that from now on nothing may leave.
    pub(super) async fn stop_and_start(&mut self) {
        if !self.plan.faults {
            return;
        }
        for lane in neighbours::names() {
            let stopped = self.truth.is_stopped(lane);
            let question = format!("lane {lane} at {}", self.now);
            let often = if stopped { STARTS } else { STOPS };
            if self.truth.dice(&question, often) == 0 {
                self.turn_lane(lane, !stopped).await;
            }
        }
    }

    /// Every lane that somebody has stopped runs again.
    pub(super) async fn start_all(&mut self) {
        for lane in neighbours::names() {
            if self.truth.is_stopped(lane) {
                self.turn_lane(lane, false).await;
            }
        }
    }

    async fn turn_lane(&mut self, lane: &'static str, stops: bool) {
        let stop = LaneStop {
            adapter: lane.to_owned(),
            at: self.now,
            until: None,
            by: "operator".to_owned(),
            why: "by chance".to_owned(),
        };
        if !stops {
            self.truth.stopped(lane, false);
        }
        let write = async move |hub: &mut Rehearsal| {
            hub.storage().write(move |tx| match stops {
                true => tx.stop_lane(&stop),
                false => tx.start_lane(&stop.adapter, &stop.by, stop.at),
            })
        };
        match self.with(write).await {
            Some(Ok(_)) if stops => {
                self.truth.stopped(lane, true);
                self.stops += 1;
            }
            Some(Ok(_)) => {}
            other => {
                let breach =
                    format!("the lane {lane} can be neither stopped nor started: {other:?}");
                self.truth.breach(breach);
            }
        }
    }
}
