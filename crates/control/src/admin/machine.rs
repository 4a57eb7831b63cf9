//! Instances that `RunInstances` makes: what the daemon tells of their lives.

use linkway_model::InstanceId;
use linkway_model::instance::{Instance, InstanceState, Process, StateCause};
use linkway_model::launch::{Launch, ShutdownBehavior};
use linkway_store::Transaction;

use super::instance::release_interfaces;
use crate::lookup::not_found;
use crate::{Control, Error};

impl Control {
    /// A boot of an instance has its first process. Returns whether it shall go on: not if the instance is to be
    /// stopped or terminated, or booted anew; its process is known in any case, so that it can be ended.
    pub fn instance_started(&self, id: &InstanceId, boot: u32, process: Process) -> Result<bool, Error> {
        self.change_machine(id, |instance, launch, _| {
            instance.process = Some(process);
            launch.booted = Some(boot);
            let wanted = boot == launch.boot && instance.state.wants_process();
            if wanted {
                instance.state = InstanceState::Running;
            }
            wanted
        })
    }

    /// A boot of an instance has ended, or there was none; `status` says how its first process ended, for people.
    ///
    /// An instance that was to be ended has then stopped or is terminated. One that ended by itself does as its
    /// shutdown behaviour says, if the boot was its current one; otherwise it is being rebooted.
    pub fn instance_ended(&self, id: &InstanceId, boot: u32, status: &str) -> Result<(), Error> {
        self.change_machine(id, |instance, launch, now| {
            if launch.booted.is_some_and(|booted| booted != boot) {
                return;
            }
            instance.process = None;
            launch.booted = None;
            let next = match instance.state {
                InstanceState::Pending | InstanceState::Running if boot == launch.boot => {
                    instance.cause = Some(StateCause::Instance);
                    instance.reason = status.to_owned();
                    match launch.shutdown_behavior {
                        ShutdownBehavior::Stop => InstanceState::Stopped,
                        ShutdownBehavior::Terminate => InstanceState::Terminated,
                    }
                }
                InstanceState::Stopping => InstanceState::Stopped,
                InstanceState::ShuttingDown => InstanceState::Terminated,
                unchanged => unchanged,
            };
            come_to_rest(instance, next, now);
        })
    }

    /// A boot of an instance could not be started, and is not tried again: the instance is terminated if it never
    /// ran, as on AWS, and stopped if it did.
    pub fn instance_failed(&self, id: &InstanceId, boot: u32, reason: &str) -> Result<(), Error> {
        self.change_machine(id, |instance, launch, now| {
            if boot != launch.boot {
                return;
            }
            instance.process = None;
            launch.booted = None;
            if instance.state.wants_process() {
                instance.cause = Some(StateCause::Failure);
                instance.reason = reason.to_owned();
            }
            let never_ran = boot == 1;
            let next = match instance.state {
                InstanceState::Pending | InstanceState::Running if never_ran => InstanceState::Terminated,
                InstanceState::Pending | InstanceState::Running | InstanceState::Stopping => {
                    InstanceState::Stopped
                }
                InstanceState::ShuttingDown => InstanceState::Terminated,
                unchanged => unchanged,
            };
            come_to_rest(instance, next, now);
        })
    }

    /// An instance's process is gone, and the instance did not end by itself: the machine went down. It is booted
    /// again if it is to run, and has ended otherwise.
    pub fn instance_lost(&self, id: &InstanceId) -> Result<(), Error> {
        self.change_machine(id, |instance, launch, now| {
            instance.process = None;
            launch.booted = None;
            match instance.state {
                InstanceState::Running => launch.boot += 1,
                InstanceState::Stopping => come_to_rest(instance, InstanceState::Stopped, now),
                InstanceState::ShuttingDown => come_to_rest(instance, InstanceState::Terminated, now),
                InstanceState::Pending | InstanceState::Stopped | InstanceState::Terminated => {}
            }
        })
    }

    /// Change an instance that `RunInstances` made. If it is terminated by that, its interfaces go, or become free.
    fn change_machine<R>(
        &self,
        id: &InstanceId,
        change: impl FnOnce(&mut Instance, &mut Launch, linkway_model::Timestamp) -> R,
    ) -> Result<R, Error> {
        let now = self.now();
        self.write(None, |tx| {
            let known = tx.get::<Instance>(id).ok_or_else(|| not_found::<Instance>(id.as_str()))?;
            let mut instance = Instance::clone(known);
            let mut launch = instance.launch.take().ok_or_else(|| not_found::<Instance>(id.as_str()))?;
            let answer = change(&mut instance, &mut launch, now);
            instance.launch = Some(launch);
            put(tx, instance);
            Ok(answer)
        })
    }
}

/// Put an instance that nothing of runs, or that goes on, into the state that follows.
fn come_to_rest(instance: &mut Instance, next: InstanceState, now: linkway_model::Timestamp) {
    instance.state = next;
    if next == InstanceState::Terminated {
        instance.ended = instance.ended.or(Some(now));
    }
}

fn put(tx: &mut Transaction, instance: Instance) {
    if instance.state == InstanceState::Terminated {
        release_interfaces(tx, &instance.id);
    }
    tx.put(instance);
}
