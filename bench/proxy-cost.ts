/** P5 and P6: what the router costs for a request to an instance that is awake, in CPU and in latency. */
import { readFile } from 'node:fs/promises';
import type { Target } from './first-byte.ts';
import { type Flood, flood, floodHttp2, paced } from './load.ts';
import { atMost, type Measure } from './measure.ts';
import { startNginx } from './nginx.ts';
import { type Deployed, Server } from './server.ts';
import { median, summarise } from './statistics.ts';

const ROUNDS = 5;
const FLOOD = { connections: 16, seconds: 4 };
/** As many requests at once. */
const FLOOD_HTTP2 = { connections: 4, streams: 4, seconds: 4 };
const PACED_ROUNDS = 7;
/** One instance that may use a whole core, so that the app is not what limits either side. */
const APP = {
  slot: 'c1-m512',
  scale: { min: 0, max: 1 },
  limits: { maxConcurrentReqs: 256, timeout: 1_800_000, duration: 1_800_000 },
};
/** Ticks of /proc/PID/stat per second, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process with all its threads so far, in ms. */
async function cpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0] = fields.slice(11, 13);
  return ((user + system) * 1_000) / TICKS_PER_SECOND;
}

interface Side {
  readonly pid: number;
  readonly target: Target;
  readonly load: (target: Target) => Promise<Flood>;
  readonly microseconds: number[];
  readonly floods: Flood[];
}

async function measureSide(side: Side): Promise<void> {
  const before = await cpuMs(side.pid);
  const result = await side.load(side.target);
  const ms = (await cpuMs(side.pid)) - before;
  side.floods.push(result);
  side.microseconds.push((ms * 1_000) / result.requests);
}

const overHttp1 = (target: Target) => flood(target, FLOOD);
const overHttp2 = (target: Target) => floodHttp2(target, FLOOD_HTTP2);

const side = (pid: number, target: Target, load = overHttp1): Side => ({
  ...{ pid, target, load },
  ...{ microseconds: [], floods: [] },
});

function describeSide({ microseconds, floods }: Side): string {
  const each = microseconds.map((us) => us.toFixed(1)).join(', ');
  const perSecond = median(floods.map((one) => one.perSecond));
  return `${median(microseconds).toFixed(1)} µs per request (${each}), ${Math.round(perSecond)} requests/s`;
}

/** An app that is awake, and where it is reached without any proxy. */
async function awake(server: Server): Promise<{ target: Deployed; direct: Target }> {
  const target = await server.deploy(APP);
  await flood(target, { connections: 4, seconds: 1 });
  const [address = ''] = await server.addresses(target.id);
  const [host = '', port] = address.split(':');
  return { target, direct: { host, port: Number(port), authority: target.authority } };
}

export const proxyCpu: Measure = {
  name: 'P5',
  title: 'CPU per warm request through the router, against nginx as reverse proxy',
  async run(say) {
    const logging = await Server.start();
    const silent = await Server.start(['--access-log', 'off']).catch(async (error: unknown) => {
      await logging.close();
      throw error;
    });
    try {
      const { target, direct } = await awake(logging);
      const other = await awake(silent);
      const nginx = await startNginx(`${direct.host}:${direct.port}`, target.authority);
      try {
        const sides = {
          router: side(logging.pid, target),
          'router without access log': side(silent.pid, other.target),
          // Has no bar: nginx speaks HTTP/2 only with TLS here.
          'router over HTTP/2': side(logging.pid, target, overHttp2),
          nginx: side(nginx.pid, nginx.target),
        };
        for (const one of Object.values(sides)) await one.load(one.target);
        for (let round = 0; round < ROUNDS; round += 1) {
          for (const one of Object.values(sides)) await measureSide(one);
        }
        for (const [name, one] of Object.entries(sides)) say(`${name}: ${describeSide(one)}`);
        const errors = Object.values(sides).flatMap(({ floods }) =>
          floods.map((one) => one.errors),
        );
        const detail = {
          ...sides,
          load: `wrk, ${FLOOD.connections} connections; h2load, ${FLOOD_HTTP2.connections} connections of ${FLOOD_HTTP2.streams} streams`,
        };
        const cost = (one: Side) => median(one.microseconds);
        return [
          atMost(2.5, {
            name: 'P5',
            what: 'CPU per warm request, router ÷ nginx, both with an access log',
            unit: 'ratio',
            value: cost(sides.router) / cost(sides.nginx),
            detail,
          }),
          atMost(2.5, {
            name: 'P5',
            what: 'the same, router without its access log',
            unit: 'ratio',
            value: cost(sides['router without access log']) / cost(sides.nginx),
            detail: {},
          }),
          atMost(0, {
            name: 'P5',
            what: 'errors under this load',
            unit: 'count',
            value: errors.reduce((sum, count) => sum + count, 0),
            detail: {},
          }),
        ];
      } finally {
        await nginx.stop();
      }
    } finally {
      await Promise.all([logging.close(), silent.close()]);
    }
  },
};

export const proxyLatency: Measure = {
  name: 'P6',
  title: 'latency that the router adds at half of its load',
  async run(say) {
    const server = await Server.start();
    try {
      const { target, direct } = await awake(server);
      const full = await flood(target, FLOOD);
      const pace = { perSecond: Math.floor(full.perSecond / 2), connections: 32, seconds: 4 };
      say(`half load: ${pace.perSecond} requests/s on ${pace.connections} connections`);
      const added: { p50: number; p99: number }[] = [];
      const routedMs: number[] = [];
      const directMs: number[] = [];
      let errors = 0;
      for (let round = 0; round < PACED_ROUNDS; round += 1) {
        const [plain, routed] = [await paced(direct, pace), await paced(target, pace)];
        errors += plain.errors + routed.errors;
        const [without, through] = [summarise(plain.ms), summarise(routed.ms)];
        say(
          `p99 direct ${without.p99.toFixed(2)}, through the router ${through.p99.toFixed(2)} ms; p50 ${without.p50.toFixed(2)}, ${through.p50.toFixed(2)} ms`,
        );
        added.push({ p50: through.p50 - without.p50, p99: through.p99 - without.p99 });
        directMs.push(without.p99);
        routedMs.push(through.p99);
      }
      const p50 = median(added.map((one) => one.p50));
      const detail = {
        ...pace,
        added,
        directP99Ms: directMs,
        routedP99Ms: routedMs,
        addedP50Ms: p50,
      };
      return [
        atMost(1, {
          name: 'P6',
          what: `p99 added over direct at half load, median of ${PACED_ROUNDS} rounds`,
          unit: 'ms',
          value: median(added.map((one) => one.p99)),
          detail,
        }),
        atMost(0, { name: 'P6', what: 'errors', unit: 'count', value: errors, detail: {} }),
      ];
    } finally {
      await server.close();
    }
  },
};
