/** Where the time of each kind of start goes: wait, boot, port and app, as `Server-Timing` says it. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { addZram, removeZram } from '../src/system/zram.ts';
import { atMost, type Measure } from './measure.ts';
import { type Deployed, Server } from './server.ts';
import { median } from './statistics.ts';

const ROUNDS = 10;
const LIMITS = { timeout: 1_000, duration: 1_800_000 };
const PHASES = ['wait', 'boot', 'port', 'app'] as const;
const MIB = 1024 * 1024;

interface Started {
  readonly start: string;
  /** In ms; what is not in the header is 0. */
  readonly phases: Readonly<Record<(typeof PHASES)[number], number>>;
  /** What the client saw, in ms. */
  readonly totalMs: number;
}

async function start({ host, port, authority }: Deployed): Promise<Started> {
  const began = performance.now();
  const asked = request({ host, port, agent: false, headers: { host: authority } }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const totalMs = performance.now() - began;
  await once(answer.resume(), 'end');
  if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode ?? 0}`);
  const timing = String(answer.headers['server-timing']);
  const phase = (name: string) =>
    Number(new RegExp(`\\b${name};dur=([\\d.]+)`).exec(timing)?.[1] ?? 0);
  return {
    start: String(answer.headers['x-berth-start']),
    phases: { wait: phase('wait'), boot: phase('boot'), port: phase('port'), app: phase('app') },
    totalMs,
  };
}

interface Kind {
  readonly name: string;
  /** `x-berth-start` of the answers. */
  readonly start: string;
  /** States of the deployment's instances before, sorted and joined; undefined: whatever they are. */
  readonly rest: string | undefined;
}

async function measureKind(server: Server, target: Deployed, kind: Kind): Promise<Started[]> {
  const found: Started[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (kind.rest !== undefined)
      await server.until([target], (states) => states.join() === kind.rest);
    const one = await start(target);
    if (one.start !== kind.start) throw new Error(`${kind.name} started ${one.start}`);
    found.push(one);
  }
  return found;
}

export const starts: Measure = {
  name: 'STARTS',
  title: 'the phases of every kind of start',
  async run(say) {
    let beyond = 0;
    const detail: Record<string, unknown> = {};
    const show = (name: string, found: readonly Started[]) => {
      const parts = PHASES.map(
        (phase) => [phase, median(found.map(({ phases }) => phases[phase]))] as const,
      );
      const total = median(found.map(({ totalMs }) => totalMs));
      const words = parts.map(([phase, ms]) => `${phase} ${ms.toFixed(1)}`).join(', ');
      say(
        `${name.padEnd(9)} ${words}; the client saw ${total.toFixed(1)} ms (medians of ${ROUNDS})`,
      );
      detail[name] = { ...Object.fromEntries(parts), total };
      for (const { phases, totalMs } of found) {
        const sum = phases.wait + phases.app;
        // Rounding to tenths of a millisecond, twice.
        if (sum > totalMs + 0.2) beyond += 1;
      }
    };

    const server = await Server.start();
    try {
      const sleeper = await server.deploy({ limits: LIMITS });
      show(
        'thawed',
        await measureKind(server, sleeper, { name: 'thawed', start: 'thawed', rest: 'frozen' }),
      );
      show(
        'warm',
        await measureKind(server, sleeper, { name: 'warm', start: 'warm', rest: undefined }),
      );
      const stopped = await server.deploy({ limits: LIMITS, idle: 'stop' });
      show(
        'parked',
        await measureKind(server, stopped, { name: 'parked', start: 'parked', rest: 'parked' }),
      );
    } finally {
      await server.close();
    }

    // Room for nothing: what rests is its image alone.
    const poor = await Server.start(['--memory-budget', '1']);
    try {
      const gone = await poor.deploy({ limits: LIMITS });
      show('cold', await measureKind(poor, gone, { name: 'cold', start: 'cold', rest: '' }));
    } finally {
      await poor.close();
    }

    const zram = await addZram(1024 * MIB).catch((error: unknown) => {
      say(
        `reclaimed could not be measured: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    if (zram !== undefined) {
      const tight = await Server.start(['--memory-budget', '8']);
      try {
        const target = await tight.deploy({ limits: LIMITS });
        const kind = { name: 'reclaimed', start: 'thawed', rest: 'reclaimed' };
        show('reclaimed', await measureKind(tight, target, kind));
      } finally {
        await tight.close();
        await removeZram(zram);
      }
    }
    return [
      atMost(0, {
        name: 'starts',
        what: 'starts whose phases are longer than what the client saw',
        unit: 'count',
        value: beyond,
        detail,
      }),
    ];
  },
};
