//! The command line: what can be asked for, in clap's words. Each command is carried out in a file of its name.

pub(crate) mod account;
pub(crate) mod advise;
pub(crate) mod attach;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod drops;
pub(crate) mod env;
pub(crate) mod exec;
pub(crate) mod image;
pub(crate) mod keeper;
pub(crate) mod key;
pub(crate) mod notification;
pub(crate) mod output;
pub(crate) mod policy;
pub(crate) mod run;
pub(crate) mod service;
pub(crate) mod status;
pub(crate) mod terminate;
pub(crate) mod up;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::state_dir;

const FIRST_STEPS: &str = "\
First steps:
  sudo linkway up                              start the daemon, in a terminal of its own
  eval \"$(sudo linkway env)\"                   point the AWS CLI and SDKs of this shell at it
  aws ec2 create-vpc --cidr-block 10.0.0.0/16  make a VPC; subnets, groups, endpoints: just as on AWS
  sudo linkway run --subnet subnet-… -- bash   run a command as an instance in a subnet
  sudo linkway status                          see what is there, and what was dropped and why";

/// AWS PrivateLink for Linux hosts that you own.
///
/// Linkway keeps VPCs, subnets, security groups, interface endpoints and endpoint services, answers AWS's own
/// API for them, and moves their packets: a workload in a private subnet reaches a service through an
/// endpoint's private address, only where security groups allow it.
#[derive(Debug, Parser)]
#[command(name = "linkway", version, after_help = FIRST_STEPS, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The daemon's state directory, which is how commands find it.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "LINKWAY_STATE_DIR",
        default_value = state_dir::DEFAULT,
        hide_env_values = true
    )]
    pub(crate) state_dir: PathBuf,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the daemon: control plane and packet path, until SIGTERM or Ctrl-C.
    ///
    /// It prints one line, `ready http://ADDRESS`, once the API answers. When it stops, packets still flow: the
    /// packet path stays as it is. `linkway down` removes that.
    Up(up::Up),
    /// Stop the daemon and its instances, and remove the packet path from this machine.
    ///
    /// Works without a running daemon too. The state stays where it is, unless --delete-state is given: the
    /// next `linkway up` brings back every VPC and endpoint, but no instance.
    Down(down::Down),
    /// Print the environment that points the AWS CLI and SDKs at the daemon, for eval.
    Env(env::Env),
    /// Make and list accounts.
    #[command(subcommand)]
    Account(account::Account),
    /// Make, list and delete access keys: what API calls are signed with.
    #[command(subcommand)]
    Key(key::Key),
    /// Say where AWS services are served: who answers behind interface endpoints to them.
    #[command(subcommand)]
    Service(service::Service),
    /// Make, list and remove images: what instances that the API launches begin as.
    #[command(subcommand)]
    Image(image::Image),
    /// Say where connection notifications are delivered: webhooks in place of SNS topics.
    #[command(subcommand)]
    Notification(notification::Notification),
    /// Run a command as an instance: with a network interface in a subnet and a namespace of its own.
    ///
    /// In the foreground the exit status is the command's, and the instance ends with it.
    Run(run::Run),
    /// Run a command inside an instance that is running.
    Exec(exec::Exec),
    /// End instances: SIGTERM, and SIGKILL for what is still there ten seconds later.
    Terminate(terminate::Terminate),
    /// Give a network interface to a network namespace that exists: a container's, say.
    Attach(attach::Attach),
    /// Take an attached network interface out of its namespace again, and delete it.
    Detach(attach::Detach),
    /// Show what is here, whether it is healthy, and what was dropped and why.
    Status(status::Status),
    /// Check the kernel, the privileges and the tools that Linkway needs, and say how to get what is missing.
    Doctor(doctor::Doctor),
    /// Show dropped packets: the reason, the rule, the interface, the packet.
    Drops(drops::Drops),
    /// Check endpoint policies, try them, and learn them from what was asked.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Say what is wrong or weak in endpoints as they are set up, each with its remedy.
    ///
    /// Exit status 1 if there is an error, 0 if there are warnings only or nothing to remark.
    Advise(advise::Advise),
    /// Print the certificate of the CA that instances trust.
    Ca,
    /// Print a shell's completions for this command.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The first process of an instance.
    #[command(hide = true)]
    InstanceInit(run::InstanceInit),
    /// A process that looks after databases and instances.
    #[command(hide = true, subcommand)]
    Keeper(keeper::Keeper),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound_and_every_argument_has_help() {
        Cli::command().debug_assert();
        fn check(command: &clap::Command) {
            for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{}: {}", command.get_name(), argument.get_id());
            }
            for sub in command.get_subcommands().filter(|c| !c.is_hide_set()) {
                assert!(sub.get_about().is_some(), "{}", sub.get_name());
                check(sub);
            }
        }
        check(&Cli::command());
    }

    #[test]
    fn run_takes_the_rest_as_the_command() {
        let cli = Cli::try_parse_from([
            "linkway",
            "run",
            "--subnet",
            "subnet-1a2b3c4d",
            "--security-group",
            "sg-1a2b3c4d",
            "--security-group",
            "sg-2a2b3c4d",
            "--detach",
            "--",
            "nginx",
            "--state-dir",
            "x",
        ])
        .unwrap();
        let Command::Run(run) = cli.command else { panic!("not run") };
        assert_eq!(run.command, ["nginx", "--state-dir", "x"]);
        assert_eq!(run.groups.len(), 2);
        assert!(run.detach);
        assert_ne!(cli.state_dir, PathBuf::from("x"));
    }

    #[test]
    fn a_service_needs_a_backend() {
        let set = |rest: &[&str]| {
            let base = ["linkway", "service", "set", "com.amazonaws.us-east-1.s3"];
            Cli::try_parse_from(base.iter().chain(rest)).map(|_| ())
        };
        assert!(set(&[]).is_err());
        assert!(set(&["--backend", "aws", "--tls", "passthrough", "--unknown-keys", "unverified"]).is_ok());
        assert!(set(&["--backend", "aws", "--tls", "off"]).is_err());
    }

    #[test]
    fn attach_wants_one_namespace() {
        let attach = |rest: &[&str]| {
            let base = ["linkway", "attach", "--subnet", "subnet-1a2b3c4d"];
            Cli::try_parse_from(base.iter().chain(rest)).map(|_| ())
        };
        assert!(attach(&[]).is_err());
        assert!(attach(&["--pid", "1", "--netns", "/run/netns/a"]).is_err());
        assert!(attach(&["--pid", "1"]).is_ok());
    }

    #[test]
    fn names_must_be_fit_for_namespaces_and_devices() {
        let up = |name: &str| Cli::try_parse_from(["linkway", "up", "--name", name]).map(|_| ());
        assert!(up("linkway-demo").is_ok());
        for bad in ["", "a/b", "..", "-a", "Linkway", "a name", "a-name-that-is-longer-than-thirty-two"] {
            assert!(up(bad).is_err(), "{bad}");
        }
    }
}
