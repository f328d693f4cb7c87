/** P12: what waking costs when the pages of a sleeper were given up, and what it still holds. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readCgroup, readMemory } from '../src/engines/podman/cgroup.ts';
import { firstByte } from './first-byte.ts';
import { atMost, type Measure } from './measure.ts';
import { type Deployed, Server } from './server.ts';
import { describeMs, summarise } from './statistics.ts';
import { addZram, removeZram } from '../src/system/zram.ts';

const run = promisify(execFile);
const ROUNDS = 30;
/**
 * Less than a frozen Node hello holds (11 MiB when it was woken from swap before, 19 the first time), more than a reclaimed
 * one does (7 to 9.7): each rest ends with its pages given up, none goes further.
 */
const BUDGET_MIB = 10;
const MIB = 1024 * 1024;

/** Memory of the host that the one instance of a deployment holds, in MiB, swapped pages at their compressed size. */
async function heldMiB(target: Deployed): Promise<number> {
  const filter = `label=berth.deployment=${target.id}`;
  const { stdout } = await run('podman', [
    'ps',
    '--no-trunc',
    '--filter',
    filter,
    '--format',
    '{{.ID}} {{.Pid}}',
  ]);
  const [id = '', pid = ''] = stdout.trim().split(' ');
  const cgroup = readCgroup(Number(pid), id);
  const held = cgroup && (await readMemory(cgroup.memory));
  if (!held) throw new Error(`${target.id} has no instance`);
  return (held.residentBytes + held.swappedBytes * (await compressedShare())) / MIB;
}

async function compressedShare(): Promise<number> {
  const { stdout } = await run('zramctl', [
    '--bytes',
    '--noheadings',
    '--raw',
    '--output',
    'DATA,TOTAL',
  ]);
  const figures = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const sum = (index: number) => figures.reduce((total, line) => total + (line[index] ?? 0), 0);
  return sum(0) > 0 ? sum(1) / sum(0) : 0;
}

export const reclaimed: Measure = {
  name: 'P12',
  title: 'frozen and reclaimed to compressed memory',
  async run(say) {
    const zram = await addZram(1024 * MIB);
    const server = await Server.start(['--memory-budget', String(BUDGET_MIB)]);
    try {
      const limits = { timeout: 1_000, duration: 1_800_000 };
      const target = await server.deploy({ limits });
      // The same app, never at rest: what it holds with every page in memory.
      const awake = await server.deploy({ limits, idle: 'run' });
      const wokenMs: number[] = [];
      const warmMs: number[] = [];
      const running: number[] = [];
      const asleep: number[] = [];
      let furtherDown = 0;
      while (asleep.length < ROUNDS) {
        let state = '';
        await server.until([target], (states) => {
          state = states.join();
          return state === 'reclaimed' || state === 'parked';
        });
        if (state === 'parked') {
          furtherDown += 1;
          if (furtherDown > ROUNDS)
            throw new Error('it went further down than reclaimed each time');
          await firstByte(target);
          continue;
        }
        asleep.push(await heldMiB(target));
        const woken = await firstByte(target);
        if (woken.start !== 'thawed') throw new Error(`woken by ${woken.start ?? 'nothing'}`);
        wokenMs.push(woken.ms);
        warmMs.push((await firstByte(target)).ms);
        await firstByte(awake);
        running.push(await heldMiB(awake));
      }
      const [woken, warm, held, heldAwake] = [wokenMs, warmMs, asleep, running].map(summarise);
      if (!woken || !warm || !held || !heldAwake) throw new Error('nothing was measured');
      say(`reclaimed, through the router: ${describeMs(woken)}; ${furtherDown} discarded`);
      say(`warm, through the router:      ${describeMs(warm)}`);
      say(`held: ${held.p50.toFixed(1)} MiB asleep, ${heldAwake.p50.toFixed(1)} MiB running`);
      const detail = {
        woken,
        warm,
        furtherDown,
        heldMiB: held,
        runningMiB: heldAwake,
        device: zram.device,
      };
      return [
        atMost(5, {
          name: 'P12',
          what: 'frozen and reclaimed, wake to first byte, p50',
          unit: 'ms',
          value: woken.p50,
          detail,
        }),
        atMost(0.35, {
          name: 'P12',
          what: 'memory held asleep ÷ running, p50',
          unit: 'ratio',
          value: held.p50 / heldAwake.p50,
          detail: {},
        }),
      ];
    } finally {
      await server.close();
      await removeZram(zram);
    }
  },
};
