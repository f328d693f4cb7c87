/** `docker start` of a created container until the first byte, on a Docker daemon that this run starts for itself. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { answered, freePort } from './bare.ts';
import { type Summary, summarise } from './statistics.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('app/server.mjs', import.meta.url));

/**
 * Host network and no bridge, so that the daemon changes nothing on this machine: that favours Docker, which then has
 * no network to set up.
 */
export async function dockerStart(rounds: number, say: (line: string) => void): Promise<Summary> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-docker.'));
  const socket = `unix://${folder}/docker.sock`;
  const daemon = spawn(
    'dockerd',
    [
      ...['--host', socket, '--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`],
      ...[
        '--pidfile',
        `${folder}/pid`,
        '--bridge',
        'none',
        '--iptables=false',
        '--ip-forward=false',
      ],
    ],
    { stdio: 'ignore' },
  );
  const docker = async (...words: readonly string[]) =>
    (await run('docker', ['--host', socket, ...words])).stdout.trim();
  try {
    for (let tries = 0; ; tries += 1) {
      const isUp = await docker('info').then(
        () => true,
        () => false,
      );
      if (isUp) break;
      if (tries > 100) throw new Error('dockerd did not start');
      await sleep(100);
    }
    await run('podman', [
      'save',
      '--output',
      `${folder}/base.tar`,
      'docker.io/library/node:24-slim',
    ]);
    await docker('load', '--input', `${folder}/base.tar`);
    const samples: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const port = await freePort();
      const id = await docker(
        ...[
          'create',
          '--network',
          'host',
          '--env',
          `PORT=${port}`,
          '--volume',
          `${PROGRAM}:/server.mjs:ro`,
        ],
        ...['docker.io/library/node:24-slim', 'node', '/server.mjs'],
      );
      const began = performance.now();
      const starting = docker('start', id);
      await answered({ host: '127.0.0.1', port, authority: '127.0.0.1' });
      samples.push(performance.now() - began);
      await starting;
      await docker('rm', '--force', id);
    }
    return summarise(samples);
  } catch (error) {
    say(`docker could not be measured: ${String(error)}`);
    throw error;
  } finally {
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
    // The daemon leaves the network namespace of the host mounted there.
    await run('umount', [`${folder}/exec/netns/default`]).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}
