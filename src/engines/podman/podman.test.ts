/** The Podman driver on the real Podman of this host: the contract, and what only Podman has. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineEvent, InstanceSpec } from '../../ports/engine.ts';
import { systemClock } from '../../system/clock.ts';
import { systemRandom } from '../../system/random.ts';
import { engineContract } from '../engine.contract.ts';
import { openPodmanEngine } from './engine.ts';
import { openPodmanGround, podman, type PodmanGround } from './fixture.ts';
import { containerName, networkName } from './names.ts';
import { readStat } from './process.ts';

engineContract('podman', () => openPodmanGround());

async function until<Value>(
  what: string,
  look: () => Promise<Value | undefined | false>,
): Promise<Value> {
  const end = systemClock.now() + 30_000;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (systemClock.now() > end) throw new Error(`${what}: not within 30 s`);
    await systemClock.sleep(5);
  }
}

describe('Podman', () => {
  let ground: PodmanGround;
  beforeAll(async () => {
    ground = await openPodmanGround();
  });
  afterAll(async () => {
    await ground?.close();
  });

  const run = async (spec: InstanceSpec): Promise<{ id: string; host: string; port: number }> => {
    const { engine } = ground;
    await engine.create(spec);
    const { host } = await engine.start(spec.id);
    const port = await until(`${spec.id} listens`, async () => {
      const look = await engine.look(spec.id);
      if (look.kind === 'exited') throw new Error(`ended with ${look.exit.code}`);
      return look.ports[0]?.port;
    });
    return { id: spec.id, host: host!, port };
  };
  /** What a program prints when it runs as an instance, line by line. */
  const output = async (spec: InstanceSpec): Promise<string[]> => {
    const { engine } = ground;
    await engine.create(spec);
    await engine.start(spec.id);
    await until(`${spec.id} ends`, async () => (await engine.look(spec.id)).kind === 'exited');
    await engine.remove(spec.id);
    const text = await readFile(spec.logFile, 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\S+ (stdout|stderr) [FP] /, ''));
  };
  const inspect = async (id: string, format: string) =>
    podman('container', 'inspect', '--format', format, containerName(id));

  test('what a frozen instance had not read it never reads when it is killed, and does when it is asked to end', async () => {
    const { engine } = ground;
    const source = `
      const server = require('http').createServer((request, response) => {
        console.log('read ' + request.url);
        response.end();
      });
      server.listen(process.env.PORT);
      process.on('SIGTERM', () => setTimeout(() => process.exit(0), 200));
    `;
    const send = async (graceMs: number) => {
      const spec = ground.script(source);
      const { id, host, port } = await run(spec);
      await engine.freeze(id);
      const socket = connect({ host, port });
      socket.on('error', () => {});
      socket.write('POST /once HTTP/1.1\r\nhost: app\r\ncontent-length: 0\r\n\r\n');
      await until('the request waits', async () =>
        (await engine.connections?.(id))?.some(({ unreadBytes }) => unreadBytes > 0),
      );
      // As the router does: what it gives to another instance it takes back here, as far as TCP lets it.
      socket.resetAndDestroy();
      await engine.stop(id, graceMs);
      await engine.remove(id);
      return (await readFile(spec.logFile, 'utf8').catch(() => '')).includes('read /once');
    };
    expect(await send(0)).toBe(false);
    // A reset takes nothing back: this is why it must not run again.
    expect(await send(5_000)).toBe(true);
  });

  test('people see with their own podman what is so: parked, running, ended with its code', async () => {
    const { engine } = ground;
    const spec = ground.spec('hello');
    await engine.create(spec);
    await engine.park(spec.id);
    expect(await inspect(spec.id, '{{.State.Status}} {{.OCIRuntime}}')).toBe(
      `initialized ${ground.options.runtime}`,
    );
    await engine.start(spec.id);
    expect(await inspect(spec.id, '{{.State.Status}}')).toBe('running');
    await until('it listens', async () => {
      const look = await engine.look(spec.id);
      return look.kind === 'listening' && look.ports.length > 0;
    });
    expect(await engine.stop(spec.id, 5_000)).toEqual({ code: 0, outOfMemory: false });
    expect(await inspect(spec.id, '{{.State.Status}} {{.State.ExitCode}}')).toMatch(
      /^(exited|stopped) 0$/,
    );
    await engine.remove(spec.id);
  });

  test('starting one that was parked, ended and parked again runs it', async () => {
    const { engine } = ground;
    const spec = ground.spec('hello');
    await engine.create(spec);
    await engine.park(spec.id);
    await engine.stop(spec.id, 0);
    await engine.park(spec.id);
    await engine.start(spec.id);
    await until('it listens', async () => {
      const look = await engine.look(spec.id);
      return look.kind === 'listening' && look.ports.length > 0;
    });
    await engine.stop(spec.id, 5_000);
    expect(await engine.park(spec.id)).toMatchObject({ state: 'parked', host: expect.any(String) });
    await engine.remove(spec.id);
  });

  test('an app that ends in its first millisecond runs once', async () => {
    const spec = ground.script('', { command: ['/bin/sh', '-c', 'echo ran; exit 9'] });
    expect(await output(spec)).toEqual(['ran']);
  });

  test('an app that would never hear of SIGTERM is not waited for; one behind a shell hears of it', async () => {
    const { engine } = ground;
    const deaf = ground.script('', { command: ['/bin/sleep', '600'] });
    await engine.create(deaf);
    await engine.start(deaf.id);
    await until(
      'it is executed',
      async () => (await inspect(deaf.id, '{{.State.Status}}')) === 'running',
    );
    const began = systemClock.now();
    expect(await engine.stop(deaf.id, 20_000)).toEqual({ code: 137, outOfMemory: false });
    expect(systemClock.now() - began).toBeLessThan(10_000);
    const spec = ground.script('', {
      command: [
        '/bin/sh',
        '-c',
        `node -e "process.on('SIGTERM', () => { console.log('heard'); process.exit(0) });
          require('http').createServer().listen(8080)"; echo the shell goes on`,
      ],
    });
    const { id } = await run(spec);
    expect((await engine.stop(id, 20_000)).code).toBe(0);
    const text = await readFile(spec.logFile, 'utf8');
    expect(text).toMatch(/heard[^]*the shell goes on/);
    for (const each of [deaf.id, id]) await engine.remove(each);
  });

  test('instances of one project reach each other; those of another project cannot be reached', async () => {
    const target = await run(ground.spec('hello', { project: 'one' }));
    const source = (project: string) =>
      ground.script(
        `require('http').get({ host: '${target.host}', port: ${target.port}, timeout: 1500 })
          .on('response', () => { console.log('reached'); process.exit(0) })
          .on('timeout', () => { console.log('silence'); process.exit(1) })
          .on('error', (error) => { console.log(error.code); process.exit(1) })`,
        { project },
      );
    expect(await output(source('one'))).toEqual(['reached']);
    expect(await output(source('two'))).not.toEqual(['reached']);
    await ground.engine.remove(target.id);
  });

  test('a bridge keeps its hardware address when instances join, so that those there before are not cut off', async () => {
    const { engine } = ground;
    const project = `steady${systemRandom.id(4)}`;
    const name = networkName(ground.ledgerId, project);
    const addressOf = async () => {
      const bridge = await podman('network', 'inspect', name, '--format', '{{.NetworkInterface}}');
      return (await readFile(`/sys/class/net/${bridge}/address`, 'utf8')).trim();
    };
    const first = ground.spec('hello', { project });
    await engine.create(first);
    await engine.park(first.id);
    const address = await addressOf();
    // Each port that joins has an even chance to be lower than the lowest.
    const others = Array.from({ length: 6 }, () => ground.spec('hello', { project }));
    for (const spec of others) {
      await engine.create(spec);
      await engine.park(spec.id);
      expect(await addressOf()).toBe(address);
    }
    for (const { id } of [first, ...others]) await engine.remove(id);
    await engine.removeNetwork(project);
  });

  test('a network stays while it is in use, goes when it is empty, and is made again when needed', async () => {
    const { engine, ledgerId } = ground;
    const project = 'net';
    const name = networkName(ledgerId, project);
    const exists = () =>
      podman('network', 'exists', name).then(
        () => true,
        () => false,
      );
    const spec = ground.spec('silent', { project });
    await Promise.all([engine.create(spec), engine.create(ground.spec('silent', { project }))]);
    expect(await exists()).toBe(true);
    await engine.removeNetwork(project);
    expect(await exists()).toBe(true);
    for (const { id } of await engine.list()) await engine.remove(id);
    await engine.removeNetwork(project);
    expect(await exists()).toBe(false);
    await engine.create(spec);
    expect(await exists()).toBe(true);
    await engine.remove(spec.id);
  });

  test('a project has a thousand addresses, and two that begin at once do not get the same', async () => {
    const { engine, ledgerId } = ground;
    const projects = ['wide', 'beside', 'besides'];
    const specs = projects.map((project) => ground.spec('silent', { project }));
    await Promise.all(specs.map((spec) => engine.create(spec)));
    const format = '{{range .Subnets}}{{.Subnet}}{{end}}';
    const subnets = await Promise.all(
      projects.map((project) =>
        podman('network', 'inspect', networkName(ledgerId, project), '--format', format),
      ),
    );
    for (const subnet of subnets) expect(subnet.trim()).toMatch(/\/22$/);
    expect(new Set(subnets).size).toBe(projects.length);
    for (const spec of specs) await engine.remove(spec.id);
    for (const project of projects) await engine.removeNetwork(project);
  });

  test('what another Berth or a person made is neither seen nor touched, even under our names', async () => {
    const { engine } = ground;
    const other = await openPodmanGround();
    try {
      const spec = other.spec('silent');
      await other.engine.create(spec);
      await other.engine.start(spec.id);
      expect((await engine.list()).map(({ id }) => id)).not.toContain(spec.id);
      await engine.stop(spec.id, 0);
      await engine.remove(spec.id);
      await expect(engine.freeze(spec.id)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      await expect(engine.create(spec)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      expect((await other.engine.list())[0]).toMatchObject({ id: spec.id, state: 'running' });
      const name = networkName(ground.ledgerId, 'foreign');
      await podman('network', 'create', name);
      await engine.removeNetwork('foreign');
      await podman('network', 'rm', name);
      await engine.removeImage(spec.imageId);
      await engine.image(spec.imageId);
    } finally {
      await other.close();
    }
  });

  test('an instance has little power: few capabilities, no new ones, and limits of its own', async () => {
    const lines = await output(
      ground.script(
        `const { readFileSync, readdirSync } = require('fs');
        const status = readFileSync('/proc/self/status', 'utf8');
        console.log(/CapEff:\\s*(\\S+)/.exec(status)[1], /CapBnd:\\s*(\\S+)/.exec(status)[1]);
        console.log(/NoNewPrivs:\\s*(\\S+)/.exec(status)[1], /Seccomp:\\s*(\\S+)/.exec(status)[1]);
        const first = (...files) => files.flatMap((file) => { try { return [readFileSync(file, 'utf8').trim()] } catch { return [] } })[0];
        console.log(first('/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max'));
        console.log(first('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes', '/sys/fs/cgroup/memory.swap.max') !== 'max');
        console.log(first('/sys/fs/cgroup/pids/pids.max', '/sys/fs/cgroup/pids.max'));
        console.log(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').trim());
        console.log(Object.keys(process.env).filter((name) => /proxy|TOKEN|^NODE_/i.test(name)).join() || 'clean');`,
        { slot: { cpus: 0.25, memoryMiB: 96 } },
      ),
    );
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE.
    const capabilities = (0b100_1111_1011).toString(16).padStart(16, '0');
    expect(lines).toEqual([
      `${capabilities} ${capabilities}`,
      '1 2',
      String(96 * 1024 * 1024),
      'true',
      '1024',
      '0',
      'clean',
    ]);
  });

  test('a boot has all the CPU until the quota is applied, which a new engine knows too', async () => {
    const { id } = await run(ground.spec('hello', { slot: { cpus: 0.125, memoryMiB: 128 } }));
    const containerId = await inspect(id, '{{.Id}}');
    const quota = async () => {
      const folder = `berth/libpod-${containerId}`;
      const version1 = await readFile(
        `/sys/fs/cgroup/cpu/${folder}/cpu.cfs_quota_us`,
        'utf8',
      ).catch(() => undefined);
      return (version1 ?? (await readFile(`/sys/fs/cgroup/${folder}/cpu.max`, 'utf8')))
        .trim()
        .split(' ')[0];
    };
    expect(['-1', 'max']).toContain(await quota());
    const next = await openPodmanEngine(ground.options);
    await next.limitCpu(id);
    expect(await quota()).toBe('12500');
    await next.remove(id);
    await next.close();
    await ground.engine.list();
  });

  test('what an app writes is in its log file in k8s form, and stays when the container goes', async () => {
    const spec = ground.spec('failing');
    const { engine } = ground;
    await engine.create(spec);
    await engine.start(spec.id);
    await until('it ends', async () => (await engine.look(spec.id)).kind === 'exited');
    await engine.remove(spec.id);
    const lines = (await readFile(spec.logFile, 'utf8')).trim().split('\n').toSorted();
    expect(lines.map((line) => line.replace(/^\d{4}-\S+T\S+ /, '')).toSorted()).toEqual([
      'stderr F err',
      'stdout F out',
    ]);
  });

  test('a port that is chosen at random, several ports, and IPv6 are all seen', async () => {
    const spec = ground.script(
      `const { createServer } = require('net');
      createServer().listen(0, '0.0.0.0', () => createServer().listen(9001, '::', () =>
        createServer().listen(9002, '::1', () => createServer().listen(9002, '127.0.0.1', () => console.log('ready')))))`,
    );
    const { engine } = ground;
    await engine.create(spec);
    await engine.start(spec.id);
    const ports = await until('three ports', async () => {
      const look = await engine.look(spec.id);
      return look.kind === 'listening' && look.ports.length === 3 && look.ports;
    });
    const byPort = new Map(ports.map(({ port, loopbackOnly }) => [port, loopbackOnly]));
    expect(byPort.get(9001)).toBe(false);
    expect(byPort.get(9002)).toBe(true);
    await engine.remove(spec.id);
  });

  test('connections that an app makes before it listens do not hide its port', async () => {
    const target = await run(ground.spec('hello'));
    const spec = ground.script(
      `const { connect } = require('net');
      const sockets = Array.from({ length: 40 }, () => connect(${target.port}, '${target.host}'));
      sockets[39].on('connect', () => setTimeout(() => require('http').createServer().listen(8123), 200));`,
    );
    await ground.engine.create(spec);
    await ground.engine.start(spec.id);
    const port = await until('it listens', async () => {
      const look = await ground.engine.look(spec.id);
      return look.kind === 'listening' && look.ports[0]?.port;
    });
    expect(port).toBe(8123);
    for (const { id } of [target, spec]) await ground.engine.remove(id);
  });

  test('an image that cannot be pulled is IMAGE_NOT_FOUND with the reason', async () => {
    await expect(ground.engine.image('registry.invalid/never/made:1')).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      detail: expect.stringContaining('registry.invalid'),
    });
  });

  test('a short name is found without search registries', async () => {
    expect((await ground.engine.image('node:24-slim')).id).toBe(
      (await ground.engine.image('docker.io/library/node:24-slim')).id,
    );
  });
});

describe('the service of Podman', () => {
  const recordOf = async (ground: PodmanGround) =>
    JSON.parse(await readFile(join(ground.dataFolder, 'podman', 'service.json'), 'utf8')) as {
      pid: number;
    };
  /** A child of ours stays a zombie until it is reaped. */
  const isThere = (pid: number) => !['Z', undefined].includes(readStat(pid)?.state);

  test('killed in mid-life it comes back, calls succeed, instances go on, and watchers are told to look again', async () => {
    const ground = await openPodmanGround();
    try {
      const { engine } = ground;
      const spec = ground.spec('silent');
      await engine.create(spec);
      await engine.start(spec.id);
      const events: EngineEvent[] = [];
      const calledOff = new AbortController();
      const watching = engine.watch((event) => events.push(event), calledOff.signal);
      await until('the first resync', () => Promise.resolve(events.length > 0));

      const { pid } = await recordOf(ground);
      const inFlight = Array.from({ length: 5 }, () => engine.list());
      process.kill(pid, 'SIGKILL');
      for (const list of await Promise.all(inFlight)) expect(list).toHaveLength(1);
      expect(await engine.list()).toMatchObject([{ id: spec.id, state: 'running' }]);
      expect((await recordOf(ground)).pid).not.toBe(pid);
      await until('the second resync', () => Promise.resolve(events.length > 1));
      expect(events.every(({ kind }) => kind === 'resync')).toBe(true);
      await engine.stop(spec.id, 0);
      await until('the event', () => Promise.resolve(events.some(({ kind }) => kind === 'exited')));
      calledOff.abort();
      await watching;
    } finally {
      await ground.close();
    }
  });

  test('it outlives a Berth that is killed, is taken over by the next one, and ends when that one closes', async () => {
    const ground = await openPodmanGround();
    try {
      const left = await recordOf(ground);
      // What is left when a process with an open engine is killed.
      const program = `import { openPodmanEngine } from ${JSON.stringify(join(import.meta.dirname, 'engine.ts'))};
        import { systemClock } from ${JSON.stringify(join(import.meta.dirname, '../../system/clock.ts'))};
        await openPodmanEngine({ ...JSON.parse(process.argv[1]), clock: systemClock });
        process.kill(process.pid, 'SIGKILL');`;
      const host = { cgroupVersion: 1, maxOpenFiles: 1024, maxProcesses: 1024 };
      const options = JSON.stringify({ ...ground.options, host, clock: undefined });
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, options], {
        stdio: 'inherit',
      });
      await new Promise((resolve) => child.on('exit', resolve));
      expect((await recordOf(ground)).pid).toBe(left.pid);
      expect(isThere(left.pid)).toBe(true);

      const next = await openPodmanEngine(ground.options);
      expect((await recordOf(ground)).pid).toBe(left.pid);
      await next.close();
      expect(isThere(left.pid)).toBe(false);
      expect(existsSync(join(ground.dataFolder, 'podman', 'podman.sock'))).toBe(false);
    } finally {
      await ground.close();
    }
  });

  test('a service that was started otherwise is replaced', async () => {
    const ground = await openPodmanGround();
    const before = await recordOf(ground);
    process.env.http_proxy = `http://${systemRandom.id(8)}.invalid`;
    try {
      const next = await openPodmanEngine(ground.options);
      expect((await recordOf(ground)).pid).not.toBe(before.pid);
      expect(isThere(before.pid)).toBe(false);
      await next.close();
    } finally {
      delete process.env.http_proxy;
      await ground.close();
    }
  });

  test('Podman that cannot start is ENGINE_UNAVAILABLE in its own words', async () => {
    const ground = await openPodmanGround();
    await ground.engine.close();
    await expect(
      openPodmanEngine({ ...ground.options, storageRoot: '/proc/nowhere' }),
    ).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE', detail: expect.stringMatching(/proc/) });
    await ground.close().catch(() => undefined);
    expect(existsSync(ground.dataFolder)).toBe(false);
  });
});
