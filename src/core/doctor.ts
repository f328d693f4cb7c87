/** What is missing or odd on a host, from its facts: pure, so that every case can stand in a table of tests. */
import { buildReserveBytes } from './disk.ts';
import { chooseRuntime, type HostDisk, type HostFacts } from './host.ts';
import { planZram } from './zram.ts';

/** `problem`: Berth cannot work like this. `note`: it works, and something may surprise. */
export interface Finding {
  readonly level: 'ok' | 'note' | 'problem';
  /** What was looked at, in a word or two. */
  readonly about: string;
  readonly what: string;
  /** What to do about it; absent when there is nothing to do. */
  readonly do?: string;
}

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Berth holds a few descriptors per request and per instance. */
const FEW_OPEN_FILES = 4_096;
const OLDEST_PODMAN = [4, 3];
const HEREDOC_PODMAN = [4, 8];
const OLDEST_NETAVARK = [1, 4];

/** Every finding in the order in which to mend them; problems are not sorted to the front. */
export function findings(facts: HostFacts): readonly Finding[] {
  return [
    host(facts),
    user(facts),
    ...podman(facts),
    runtime(facts),
    ...cgroup(facts),
    ...network(facts),
    ...limits(facts),
    memory(facts),
    ...facts.disks.map(disk),
    listen(facts),
  ];
}

function host(facts: HostFacts): Finding {
  const what = `${facts.distribution}, Linux ${facts.kernel} on ${facts.architecture}, ${facts.cores} cores`;
  return { level: 'ok', about: 'host', what };
}

function user(facts: HostFacts): Finding {
  if (facts.isRoot) return { level: 'ok', about: 'user', what: 'root' };
  return {
    level: 'problem',
    about: 'user',
    what: 'not root: CPU quotas, freezing and parking need cgroups that only root may write here',
    do: 'Run Berth as root (sudo ./berth up).',
  };
}

function podman(facts: HostFacts): readonly Finding[] {
  const about = 'podman';
  if (facts.podmanVersion === undefined) {
    return [missing(about, 'Podman, the container engine, is not installed', 'podman')];
  }
  const found: Finding[] = [];
  if (isOlder(facts.podmanVersion, OLDEST_PODMAN)) {
    found.push({
      level: 'problem',
      about,
      what: `Podman ${facts.podmanVersion} is older than ${OLDEST_PODMAN.join('.')}`,
      do: 'Install a newer Podman: Debian 12 has 4.3.',
    });
  } else if (isOlder(facts.podmanVersion, HEREDOC_PODMAN)) {
    found.push({
      level: 'note',
      about,
      what: `Podman ${facts.podmanVersion}; its builder cannot read heredocs (RUN <<EOF) in a Dockerfile`,
      do: 'Write such lines as RUN a && b, or install Podman 4.8 or newer.',
    });
  } else {
    found.push({ level: 'ok', about, what: `Podman ${facts.podmanVersion}` });
  }
  if (facts.conmonVersion === undefined) {
    found.push(
      missing('conmon', 'conmon, which keeps containers running, is not installed', 'conmon'),
    );
  }
  return found;
}

function runtime(facts: HostFacts): Finding {
  const about = 'runtime';
  const choice = chooseRuntime(facts);
  if (choice.kind === 'none') return missing(about, choice.because, choice.wanted);
  const what = `${choice.runtime.name} ${choice.runtime.version} (${choice.because})`;
  if (facts.cgroup === 'v2' && choice.runtime.name === 'runc') {
    return {
      level: 'note',
      about,
      what,
      do: 'crun starts containers quicker here: apt-get install crun',
    };
  }
  return { level: 'ok', about, what };
}

function cgroup(facts: HostFacts): readonly Finding[] {
  const about = 'cgroups';
  const wanted =
    facts.cgroup === 'v2' ? ['cpu', 'memory', 'pids'] : ['cpu', 'memory', 'pids', 'freezer'];
  const lacking = wanted.filter((name) => !facts.controllers.includes(name));
  if (lacking.length > 0) {
    return [
      {
        level: 'problem',
        about,
        what: `the kernel offers no ${lacking.join(', ')} controller`,
        do: 'Enable it on the kernel command line (for memory: cgroup_enable=memory), then reboot.',
      },
    ];
  }
  const names = {
    v2: 'version 2',
    hybrid: 'version 1 with a version 2 mount beside it',
    v1: 'version 1',
  };
  return [{ level: 'ok', about, what: names[facts.cgroup] }];
}

function network(facts: HostFacts): readonly Finding[] {
  const about = 'network';
  const found: Finding[] = [];
  if (facts.netavarkVersion === undefined) {
    found.push(
      missing(
        about,
        'netavark, which gives containers their network, is not installed',
        'netavark',
      ),
    );
  } else if (isOlder(facts.netavarkVersion, OLDEST_NETAVARK)) {
    found.push({
      level: 'note',
      about,
      what: `netavark ${facts.netavarkVersion} is older than what Berth is tested with (${OLDEST_NETAVARK.join('.')})`,
    });
  }
  if (!facts.hasNameServer) {
    found.push(
      missing(
        about,
        'aardvark-dns is not installed: instances cannot resolve names',
        'aardvark-dns',
      ),
    );
  }
  if (facts.iptablesVersion === undefined) {
    found.push(
      missing(about, 'iptables is not installed: netavark cannot set up networks', 'iptables'),
    );
  }
  if (!facts.isForwardingPackets) {
    found.push({
      level: 'note',
      about,
      what: 'net.ipv4.ip_forward is 0: instances can be reached, and cannot reach other hosts',
      do: 'sysctl -w net.ipv4.ip_forward=1 (Podman does so when it makes a network).',
    });
  }
  if (found.length > 0) return found;
  return [
    {
      level: 'ok',
      about,
      what: `netavark ${facts.netavarkVersion}, iptables ${facts.iptablesVersion}`,
    },
  ];
}

function limits(facts: HostFacts): readonly Finding[] {
  const about = 'limits';
  const found: Finding[] = [];
  if (facts.openFiles.hard < FEW_OPEN_FILES) {
    found.push({
      level: 'note',
      about,
      what: `at most ${facts.openFiles.hard} open files: about ${Math.floor(facts.openFiles.hard / 2)} requests at once`,
      do: 'Raise the hard limit (ulimit -Hn) to 65536 or more for the user that runs Berth.',
    });
  }
  if (facts.pidMax < 32_768) {
    found.push({
      level: 'note',
      about,
      what: `kernel.pid_max is ${facts.pidMax}: about ${Math.floor(facts.pidMax / 8)} sleeping instances`,
      do: 'sysctl -w kernel.pid_max=4194304',
    });
  }
  if (found.length > 0) return found;
  const files =
    facts.openFiles.hard === Number.POSITIVE_INFINITY ? 'any number of' : facts.openFiles.hard;
  return [{ level: 'ok', about, what: `${files} open files, pids up to ${facts.pidMax}` }];
}

function memory(facts: HostFacts): Finding {
  const about = 'memory';
  const what = `${size(facts.availableMemoryBytes)} of ${size(facts.memoryBytes)} available`;
  if (facts.availableMemoryBytes < 512 * MIB) {
    return {
      level: 'note',
      about,
      what,
      do: 'Give Berth a small --memory-budget, or free memory.',
    };
  }
  if (facts.swap.isZram)
    return { level: 'ok', about, what: `${what}, ${size(facts.swap.bytes)} of zram` };
  if (facts.swap.bytes > 0)
    return { level: 'ok', about, what: `${what}, ${size(facts.swap.bytes)} of swap` };
  const plan = planZram({ ...facts, isRoot: true });
  const bytes = plan.kind === 'possible' ? size(plan.bytes) : '';
  return {
    level: 'ok',
    about,
    what: `${what}, no swap`,
    do:
      `With zram as swap, sleeping instances hold about a third of their memory. It is a change to the host, and your choice: ` +
      `berth doctor --fix zram adds a device of ${bytes} (until the host is started anew), berth doctor --undo zram takes it away.`,
  };
}

function disk(facts: HostDisk): Finding {
  const about = 'disk';
  const what = `${size(facts.freeBytes)} of ${size(facts.totalBytes)} free for ${facts.what} (${facts.path})`;
  const reserve = buildReserveBytes(facts.totalBytes);
  if (facts.freeBytes < reserve) {
    const advice =
      'Builds are refused: berth gc cleans up, berth usage --disk shows what takes the room, berth rm removes deployments.';
    return { level: 'problem', about, what, do: advice };
  }
  if (facts.freeBytes < 2 * reserve) {
    return { level: 'note', about, what, do: 'Images are large: free space before it runs out.' };
  }
  return { level: 'ok', about, what };
}

function listen(facts: HostFacts): Finding {
  const about = 'listen';
  const { address, state } = facts.listen;
  if (state === 'taken') {
    return {
      level: 'problem',
      about,
      what: `something else listens on ${address}`,
      do: `Stop it (ss -ltnp shows what it is), or choose another address with --listen.`,
    };
  }
  return {
    level: 'ok',
    about,
    what: state === 'berth' ? `Berth listens on ${address}` : `${address} is free`,
  };
}

function missing(about: string, what: string, debianPackage: string): Finding {
  return {
    level: 'problem',
    about,
    what,
    do: `apt-get install --no-install-recommends ${debianPackage}`,
  };
}

/** True when `version` comes before `wanted`, by its first two numbers. */
function isOlder(version: string, wanted: readonly number[]): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [wantedMajor = 0, wantedMinor = 0] = wanted;
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
}
