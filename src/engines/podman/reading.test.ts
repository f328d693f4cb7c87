/** What the driver reads from the kernel, with texts of hosts that are not this one. */
import { describe, expect, test } from 'vitest';
import { resolveCgroup } from './cgroup.ts';
import { createGate } from './gate.ts';
import { withRuntime } from './host-config.ts';
import { withoutBuildArguments } from './image.ts';
import { fullImageName } from './names.ts';
import { minds, parseStat } from './process.ts';
import { mergePorts, parseConnections, parseInUse, parseListeners } from './sockets.ts';

const ID = 'e136b536321c40f764961ca5ebd411b03ed8c8096778cab085c84774c0e227cc';

describe('where the control files of a container are', () => {
  const own = `/berth/libpod-${ID}`;

  test('cgroup v1, also where controllers share a mount', () => {
    const text = `9:name=systemd:${own}\n8:pids:${own}\n6:freezer:${own}\n4:memory:${own}\n2:cpu,cpuacct:${own}\n`;
    expect(resolveCgroup(text, ID)).toEqual({
      freezer: { version: 1, folder: `/sys/fs/cgroup/freezer${own}` },
      cpu: { version: 1, folder: `/sys/fs/cgroup/cpu,cpuacct${own}` },
      memory: { version: 1, folder: `/sys/fs/cgroup/memory${own}` },
    });
  });

  test('hybrid: v1 controllers win over the v2 tree beside them', () => {
    const text = `3:freezer:${own}\n2:memory:${own}\n1:cpu:${own}\n0::${own}\n`;
    expect(resolveCgroup(text, ID)?.freezer).toEqual({
      version: 1,
      folder: `/sys/fs/cgroup/freezer${own}`,
    });
  });

  test('hybrid with a controller moved to v2', () => {
    const text = `2:freezer:${own}\n1:cpu:${own}\n0::${own}\n`;
    expect(resolveCgroup(text, ID)?.memory).toEqual({
      version: 2,
      folder: `/sys/fs/cgroup/unified${own}`,
    });
  });

  test('cgroup v2', () => {
    const controller = { version: 2, folder: `/sys/fs/cgroup${own}` };
    expect(resolveCgroup(`0::${own}\n`, ID)).toEqual({
      freezer: controller,
      cpu: controller,
      memory: controller,
    });
  });

  test('v2 with systemd beside it as a named v1 hierarchy', () => {
    expect(resolveCgroup(`1:name=systemd:/x\n0::${own}\n`, ID)?.cpu.folder).toBe(
      `/sys/fs/cgroup${own}`,
    );
  });

  test('a process that is not (or no longer) the container’s has none: the root is never written', () => {
    expect(resolveCgroup('0::/\n', ID)).toBeUndefined();
    expect(resolveCgroup(`6:freezer:/\n4:memory:${own}\n1:cpu:${own}\n`, ID)).toBeUndefined();
    expect(resolveCgroup('0::/user.slice/session-1.scope\n', ID)).toBeUndefined();
    expect(resolveCgroup('', ID)).toBeUndefined();
  });
});

describe('what a network namespace listens on', () => {
  const HEAD =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const line = (local: string, state: string) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n`;

  test.each([
    ['every address', '00000000:1F90', 8080, false],
    ['127.0.0.1', '0100007F:0BB8', 3000, true],
    ['another one of 127/8', '0200007F:0BB8', 3000, true],
    ['an address of its own', '0200590A:0050', 80, false],
    ['::', '00000000000000000000000000000000:1F90', 8080, false],
    ['::1', '00000000000000000000000001000000:1F90', 8080, true],
    ['::ffff:127.0.0.1', '0000000000000000FFFF00000100007F:1F90', 8080, true],
    ['::ffff:10.89.0.2', '0000000000000000FFFF00000200590A:1F90', 8080, false],
  ])('%s', (_name, local, port, loopbackOnly) => {
    expect(parseListeners(HEAD + line(local, '0A'))).toEqual([{ port, loopbackOnly }]);
  });

  test('connections are no listeners', () => {
    expect(
      parseListeners(HEAD + line('00000000:1F90', '01') + line('00000000:1F91', '06')),
    ).toEqual([]);
    expect(parseListeners('')).toEqual([]);
  });

  test('connections that stand, with what waits in them and whether anybody has accepted them', () => {
    const row = (remote: string, state: string, rx: string, inode: number) =>
      `  12: 0200590A:1F90 ${remote} ${state} 00000000:${rx} 00:00000000 00000000  1000        0 ${inode} 1 0 20 4 30 10 -1\n`;
    const mapped = '0000000000000000FFFF00000100590A:C350';
    const text =
      HEAD +
      row('00000000:0000', '0A', '00000001', 77) +
      row('0100590A:C350', '01', '0000001F', 78) +
      row(mapped, '01', '00000000', 0) +
      row('0100590A:C351', '08', '00000020', 79) +
      row('0100590A:C352', '06', '00000000', 0) +
      row('000080FE00000000FF005450B6AD1DFE:C353', '01', '00000001', 80);
    expect(parseConnections(text)).toEqual([
      { peerHost: '10.89.0.1', peerPort: 50_000, isAccepted: true, unreadBytes: 31 },
      { peerHost: '10.89.0.1', peerPort: 50_000, isAccepted: false, unreadBytes: 0 },
      {
        peerHost: '000080FE00000000FF005450B6AD1DFE',
        peerPort: 50_003,
        isAccepted: true,
        unreadBytes: 1,
      },
    ]);
    expect(parseConnections('')).toEqual([]);
  });

  test('a port on loopback and elsewhere is reachable, and told once', () => {
    const ports = [
      { port: 1, loopbackOnly: true },
      { port: 1, loopbackOnly: false },
      { port: 2, loopbackOnly: true },
    ];
    expect(mergePorts(ports)).toEqual([
      { port: 1, loopbackOnly: false },
      { port: 2, loopbackOnly: true },
    ]);
    expect(mergePorts(ports.toReversed())).toContainEqual({ port: 1, loopbackOnly: false });
  });

  test('counters of sockets', () => {
    expect(
      parseInUse('sockets: used 7\nTCP: inuse 3 orphan 0 tw 0 alloc 9 mem 1\nUDP: inuse 5 mem 0\n'),
    ).toBe(3);
    expect(parseInUse('TCP6: inuse 2\nUDP6: inuse 0\n')).toBe(2);
    expect(parseInUse('')).toBe(0);
  });
});

test('a process with a strange name is read all the same', () => {
  const rest = Array.from({ length: 18 }, (_, index) => index).join(' ');
  expect(parseStat(`42 (a) b (c) S ${rest} 4711 0\n`)).toEqual({ state: 'S', startTicks: 4711 });
  expect(parseStat('')).toBeUndefined();
});

test.each([
  ['node', 'docker.io/library/node:latest'],
  ['node:24-slim', 'docker.io/library/node:24-slim'],
  ['grafana/grafana', 'docker.io/grafana/grafana:latest'],
  ['docker.io/node', 'docker.io/library/node:latest'],
  ['docker.io/library/node:1', 'docker.io/library/node:1'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest'],
  ['quay.io/a/b:1', 'quay.io/a/b:1'],
  [`a/b@sha256:${ID}`, `docker.io/a/b@sha256:${ID}`],
  [`sha256:${ID}`, `sha256:${ID}`],
  [ID, ID],
])('the image %s is %s', (reference, full) => {
  expect(fullImageName(reference)).toBe(full);
});

test.each([
  ['/bin/sh -c #(nop) CMD ["node"]', '/bin/sh -c #(nop) CMD ["node"]'],
  ['|2 A=1 TOKEN=x y /bin/sh -c make', '/bin/sh -c make'],
  ['|1 TOKEN=/bin/sh -c x /bin/sh -c make', '/bin/sh -c make'],
  ['|1 TOKEN=x /bin/bash -c make', 'RUN …'],
])('of the step %s people are shown %s', (createdBy, shown) => {
  expect(withoutBuildArguments(createdBy)).toBe(shown);
});

test('a gate lets so many through at once, in order, and goes on after failures', async () => {
  const gate = createGate(2);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const call = (number: number) => async () => {
    order.push(number);
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    if (number % 2 === 0) throw new Error('even');
    return number;
  };
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map((number) => gate.run(call(number))));
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(order).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test.each([
  ['', '\n[engine.runtimes]\nrunc = ["/q/runc","/r/runc"]\n'],
  [
    '[engine.runtimes]\n#runc = []\n[network]\n',
    '[engine.runtimes]\nrunc = ["/q/runc","/r/runc"]\n#runc = []\n[network]\n',
  ],
  ['[engine.runtimes]\nrunc = ["/x"]\n', undefined],
])('our runc is named in containers.conf, where the host names none: %j', (text, expected) => {
  expect(withRuntime(text, 'runc', '/q/runc', '/r/runc')).toBe(expected);
});

test.each([
  [
    'caught',
    'SigBlk:\t0000000000000000\nSigIgn:\t0000000001001000\nSigCgt:\t0000000108004602\n',
    true,
  ],
  [
    'blocked, to be waited for',
    'SigBlk:\t0000000000004000\nSigIgn:\t0\nSigCgt:\t0000000000000000\n',
    true,
  ],
  [
    'left to its default',
    'SigBlk:\t0000000000000000\nSigIgn:\t0\nSigCgt:\t0000000108000602\n',
    false,
  ],
  [
    'ignored',
    'SigBlk:\t0000000000000000\nSigIgn:\t0000000000004000\nSigCgt:\t0000000000000000\n',
    false,
  ],
])('SIGTERM %s: whether the first process of a container minds it', (_how, status, expected) => {
  expect(minds(status, 15)).toBe(expected);
});
