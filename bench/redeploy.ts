/** P7: one changed source line until the new URL answers, against `podman build` alone of the same change. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { firstByte } from './first-byte.ts';
import { atMost, type Measure } from './measure.ts';
import { Server } from './server.ts';
import { describeMs, summarise } from './statistics.ts';

const run = promisify(execFile);
const APP = fileURLToPath(new URL('redeploy-app', import.meta.url));
const ROUNDS = Number(process.env.BERTH_BENCH_P7 ?? 15);
const CONFIGURATION = { name: 'bench-redeploy', limits: { timeout: 1_000, duration: 1_800_000 } };

const TERMS = [
  'both: the same storage, the same runtime, the Docker format, four of six steps cached, no tag',
  'podman: podman build alone, as an idle shell starts it',
  'berth: the command from its launcher on, upload, a build at lower priority (nice 10, ionice best effort 7) whose RUN steps',
  'have a quota of all cores but one and half of the memory, boot, check of the port, freeze, and the first answer',
].join('; ');

/** A copy of the app, of which one line is changed again and again. */
class Source {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Source> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-bench-app.'));
    await cp(APP, folder, { recursive: true });
    return new Source(folder);
  }

  /** Its answer from then on. */
  async change(to: string): Promise<void> {
    const text = await readFile(join(APP, 'server.mjs'), 'utf8');
    await writeFile(join(this.folder, 'server.mjs'), text.replace("'none'", `'${to}'`));
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** Builds with nothing around it; the time in ms, and the image. */
async function buildAlone({
  folder,
}: Source): Promise<{ readonly ms: number; readonly id: string }> {
  const { stdout } = await run('podman', ['info', '--format', '{{.Host.OCIRuntime.Name}}']);
  const idFile = `${folder}.id`;
  const words = ['--cgroup-manager=cgroupfs', `--runtime=${await runtime(stdout.trim())}`, 'build'];
  const options = ['--format=docker', '--layers', `--iidfile=${idFile}`, folder];
  const began = performance.now();
  await run('podman', [...words, ...options]);
  const ms = performance.now() - began;
  const id = (await readFile(idFile, 'utf8')).trim();
  await rm(idFile, { force: true });
  return { ms, id };
}

/** crun does not know hosts with both kinds of cgroups: there it is runc, as for Berth. */
async function runtime(usual: string): Promise<string> {
  const controllers = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => '');
  return controllers === '' ? 'runc' : usual;
}

/** From the start of the command to the first byte of the new URL, in ms. */
async function redeploy(
  server: Server,
  { folder }: Source,
): Promise<{ readonly deployMs: number; readonly ms: number; readonly id: string }> {
  const began = performance.now();
  const target = await server.deployFolder(folder);
  const deployMs = performance.now() - began;
  const { status } = await firstByte(target);
  const ms = performance.now() - began;
  if (status !== 200) throw new Error(`the new URL answered ${status}`);
  await server.until([target], (states) => states.join() === 'frozen');
  return { deployMs, ms, id: target.id };
}

export const redeployed: Measure = {
  name: 'P7',
  title: `${ROUNDS} times one changed source line with cached layers: deployed, and only built`,
  async run(say) {
    const server = await Server.start([], true);
    const ours = await Source.make();
    const theirs = await Source.make();
    await writeFile(join(ours.folder, 'berth.json'), JSON.stringify(CONFIGURATION));
    const images: string[] = [];
    try {
      const total: number[] = [];
      const deploys: number[] = [];
      const builds: number[] = [];
      // The first round fills the caches and is not counted.
      for (let round = 0; round <= ROUNDS; round += 1) {
        const sides = [
          async () => {
            await ours.change(`berth-${process.pid}-${round}`);
            const { ms, deployMs } = await redeploy(server, ours);
            if (round > 0) total.push(ms);
            if (round > 0) deploys.push(deployMs);
          },
          async () => {
            await theirs.change(`podman-${process.pid}-${round}`);
            const { ms, id } = await buildAlone(theirs);
            images.push(id);
            if (round > 0) builds.push(ms);
          },
        ];
        for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side();
      }
      const inside = (await server.logged('build.ended')).slice(1).map(({ ms }) => Number(ms));
      const [all, deploy, alone, within] = [total, deploys, builds, inside].map(summarise);
      if (!all || !deploy || !alone || !within) throw new Error('nothing was measured');
      say(`berth, new URL answers:  ${describeMs(all)}`);
      say(`  thereof the command:   ${describeMs(deploy)}`);
      say(`  thereof its build:     ${describeMs(within)}`);
      say(`podman build alone:      ${describeMs(alone)}`);
      say(TERMS);
      return [
        atMost(1.5, {
          name: 'P7',
          what: 'changed line to answering URL ÷ podman build alone, p50',
          unit: 'ratio',
          value: all.p50 / alone.p50,
          detail: { all, deploy, within, alone, terms: TERMS },
        }),
      ];
    } finally {
      await server.close();
      // Newest first: none is the base of another.
      for (const id of images.toReversed()) await run('podman', ['rmi', id]).catch(() => undefined);
      await ours.remove();
      await theirs.remove();
    }
  },
};
