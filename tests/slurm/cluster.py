"""A real SLURM cluster of one virtual node on this machine, without systemd: munged, slurmctld, slurmd.

What a fresh Debian machine needs: ``apt-get install slurm-wlm munge``, and root.  Everything lies in one folder, apart
from the link /etc/slurm/slurm.conf, which the job steps of Snakemake read, and munge's key.  Each daemon is stopped by
the process id that it wrote.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "munge", "unmunge", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo")
LINK = Path("/etc/slurm/slurm.conf")
MUNGE_KEY = Path("/etc/munge/munge.key")
MUNGE_SOCKET = Path("/run/munge/munge.socket.2")

# proctrack and task plugins that need neither cgroups nor systemd; partial nodes; no accounting
CONF = """\
ClusterName=polyscape
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/spool
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
MinJobAge=600
KillWait=5
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 Port=17001 CPUs=8 RealMemory=64000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why no cluster can be started here; empty when one can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "the daemons of SLURM need root"
    if LINK.exists() and not LINK.is_symlink():
        return f"this machine has a SLURM of its own ({LINK})"
    return ""


@dataclass
class Cluster:
    """The cluster while its daemons run."""

    folder: Path

    def start(self) -> None:
        """Start what does not run yet and wait until the node takes jobs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        configuration = self.folder / "slurm.conf"
        host = socket.gethostname().split(".")[0]
        _make_resolvable(host)
        configuration.write_text(CONF.format(host=host, folder=self.folder))
        LINK.parent.mkdir(exist_ok=True)
        LINK.unlink(missing_ok=True)
        LINK.symlink_to(configuration)
        if not _munge_works():
            self._start_munge()
        subprocess.run(["slurmctld", "-f", configuration], check=True)
        subprocess.run(["slurmd", "-f", configuration, "-N", "node"], check=True)
        _wait(lambda: "idle" in _output("sinfo", "--noheader", "--format=%t"), "the node of the cluster")

    def stop(self) -> None:
        """Cancel what is queued, stop the daemons by their process ids, remove the link."""
        _output("scancel", "--user", "root")
        for name in ("slurmd", "slurmctld", "munged"):
            path = self.folder / f"{name}.pid"
            if path.exists():
                _stop(int(path.read_text()))
        LINK.unlink(missing_ok=True)

    def _start_munge(self) -> None:
        owner = pwd.getpwnam("munge")
        for place in (MUNGE_KEY.parent, MUNGE_SOCKET.parent, self.folder / "munge"):
            place.mkdir(parents=True, exist_ok=True)
            os.chown(place, owner.pw_uid, owner.pw_gid)
        if not MUNGE_KEY.exists():
            MUNGE_KEY.write_bytes(os.urandom(1024))
            MUNGE_KEY.chmod(0o400)
            os.chown(MUNGE_KEY, owner.pw_uid, owner.pw_gid)
        MUNGE_SOCKET.parent.chmod(0o755)
        log, seed, pid = (
            self.folder / "munge" / name for name in ("munged.log", "munged.seed", "munged.pid")
        )
        _reachable(self.folder)
        subprocess.run(
            ["munged", "--force", f"--log-file={log}", f"--seed-file={seed}", f"--pid-file={pid}"],
            check=True,
            user=owner.pw_uid,
            group=owner.pw_gid,
        )
        _wait(_munge_works, "munged")
        shutil.copy(pid, self.folder / "munged.pid")


def _munge_works() -> bool:
    made = subprocess.run(["munge", "-n"], capture_output=True, check=False)
    read = subprocess.run(["unmunge"], input=made.stdout, capture_output=True, check=False)
    return made.returncode == 0 and read.returncode == 0


def _make_resolvable(host: str) -> None:
    try:
        socket.gethostbyname(host)
    except OSError:
        with Path("/etc/hosts").open("a") as hosts:
            hosts.write(f"127.0.0.1 {host}\n")


def _reachable(folder: Path) -> None:
    """Let munge's user pass through the (private) folders of pytest."""
    for place in (folder, *folder.parents):
        if place.stat().st_uid == os.geteuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o011)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _wait(ready: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come up in {seconds} s")
        time.sleep(0.1)


def _stop(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
        _wait(lambda: not Path(f"/proc/{pid}").exists(), f"the end of process {pid}")
    except ProcessLookupError:
        return
