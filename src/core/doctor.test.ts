/** A table of hosts and what the doctor says of each. */
import { describe, expect, it } from 'vitest';
import { findings } from './doctor.ts';
import { chooseRuntime, type HostFacts } from './host.ts';

const GIB = 1024 ** 3;
const CRUN = { name: 'crun', version: '1.8.1' } as const;
const RUNC = { name: 'runc', version: '1.1.5' } as const;

const healthy: HostFacts = {
  distribution: 'Debian GNU/Linux 13 (trixie)',
  kernel: '6.12.0',
  architecture: 'x64',
  isRoot: true,
  cores: 4,
  memoryBytes: 16 * GIB,
  availableMemoryBytes: 12 * GIB,
  swap: { bytes: 4 * GIB, isZram: true },
  cgroup: 'v2',
  controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
  podmanVersion: '5.4.2',
  runtimes: [CRUN],
  conmonVersion: '2.1.12',
  netavarkVersion: '1.14.0',
  hasNameServer: true,
  iptablesVersion: '1.8.11',
  openFiles: { soft: 1024, hard: 524_288 },
  processes: { soft: 60_000, hard: 60_000 },
  pidMax: 4_194_304,
  isForwardingPackets: true,
  disks: [{ what: 'data', path: '/var/lib/berth', freeBytes: 200 * GIB, totalBytes: 400 * GIB }],
  listen: { address: '127.0.0.1:8080', state: 'free' },
};

const { podmanVersion: _podman, ...withoutPodman } = healthy;
const { conmonVersion: _conmon, ...withoutConmon } = healthy;
const { netavarkVersion: _netavark, ...withoutNetavark } = healthy;
const { iptablesVersion: _iptables, ...withoutIptables } = healthy;

function unhappy(facts: HostFacts): readonly string[] {
  return findings(facts)
    .filter((finding) => finding.level !== 'ok')
    .map((finding) => `${finding.level} ${finding.about}`);
}

describe('findings', () => {
  it('has nothing to say against a healthy host', () => {
    expect(unhappy(healthy)).toEqual([]);
  });

  const hybrid = ['cpu', 'memory', 'pids', 'freezer', 'unified'];
  it.each<[string, HostFacts, readonly string[]]>([
    ['Podman is missing', withoutPodman, ['problem podman']],
    ['Podman is too old', { ...healthy, podmanVersion: '3.4.4' }, ['problem podman']],
    ['Podman cannot read heredocs', { ...healthy, podmanVersion: '4.3.1' }, ['note podman']],
    ['Podman 4.10 is newer than 4.8', { ...healthy, podmanVersion: '4.10.0' }, []],
    ['conmon is missing', withoutConmon, ['problem conmon']],
    ['there is no runtime', { ...healthy, runtimes: [] }, ['problem runtime']],
    ['crun could be had', { ...healthy, runtimes: [RUNC] }, ['note runtime']],
    [
      'crun alone on a hybrid host',
      { ...healthy, cgroup: 'hybrid', controllers: hybrid },
      ['problem runtime'],
    ],
    [
      'runc on a hybrid host',
      { ...healthy, cgroup: 'hybrid', controllers: hybrid, runtimes: [CRUN, RUNC] },
      [],
    ],
    [
      'v1 without a freezer',
      { ...healthy, cgroup: 'v1', controllers: ['cpu', 'memory', 'pids'], runtimes: [RUNC] },
      ['problem cgroups'],
    ],
    ['no memory controller', { ...healthy, controllers: ['cpu', 'pids'] }, ['problem cgroups']],
    ['netavark is missing', withoutNetavark, ['problem network']],
    ['names cannot be resolved', { ...healthy, hasNameServer: false }, ['problem network']],
    ['iptables is missing', withoutIptables, ['problem network']],
    ['packets are not forwarded', { ...healthy, isForwardingPackets: false }, ['note network']],
    ['a person who is not root', { ...healthy, isRoot: false }, ['problem user']],
    ['few open files', { ...healthy, openFiles: { soft: 1024, hard: 1024 } }, ['note limits']],
    ['few processes', { ...healthy, pidMax: 4_096 }, ['note limits']],
    ['little memory', { ...healthy, availableMemoryBytes: GIB / 4 }, ['note memory']],
    ['no swap at all', { ...healthy, swap: { bytes: 0, isZram: false } }, []],
    [
      'a disk that fills',
      {
        ...healthy,
        disks: [{ what: 'images', path: '/x', freeBytes: 30 * GIB, totalBytes: 400 * GIB }],
      },
      ['note disk'],
    ],
    [
      'a full disk',
      {
        ...healthy,
        disks: [{ what: 'images', path: '/x', freeBytes: GIB / 2, totalBytes: 400 * GIB }],
      },
      ['problem disk'],
    ],
    [
      'a taken port',
      { ...healthy, listen: { address: '127.0.0.1:8080', state: 'taken' } },
      ['problem listen'],
    ],
    [
      'Berth itself on the port',
      { ...healthy, listen: { address: '127.0.0.1:8080', state: 'berth' } },
      [],
    ],
  ])('%s', (_name, facts, expected) => {
    expect(unhappy(facts)).toEqual(expected);
  });

  it('says what to do about every problem', () => {
    const bare: HostFacts = {
      ...withoutPodman,
      isRoot: false,
      runtimes: [],
      controllers: [],
      hasNameServer: false,
      isForwardingPackets: false,
      listen: { address: '127.0.0.1:8080', state: 'taken' },
      disks: [{ what: 'data', path: '/', freeBytes: 0, totalBytes: GIB }],
    };
    for (const finding of findings(bare)) {
      if (finding.level !== 'ok') expect(finding).toHaveProperty('do');
    }
  });
});

describe('chooseRuntime', () => {
  it.each([
    ['v2', [RUNC, CRUN], 'crun'],
    ['v2', [RUNC], 'runc'],
    ['v2', [], 'none: crun'],
    ['hybrid', [RUNC, CRUN], 'runc'],
    ['hybrid', [CRUN], 'none: runc'],
    ['v1', [RUNC, CRUN], 'runc'],
    ['v1', [], 'none: runc'],
  ] as const)('on %s with %j takes %s', (cgroup, runtimes, expected) => {
    const choice = chooseRuntime({ cgroup, runtimes });
    expect(choice.kind === 'chosen' ? choice.runtime.name : `none: ${choice.wanted}`).toBe(
      expected,
    );
  });
});
