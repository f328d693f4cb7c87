/** `berth doctor`: what is missing or odd on this host, and what to do; works without a server. */
import { join } from 'node:path';
import { type Finding, findings } from '../core/doctor.ts';
import { diskFinding } from '../core/doctor-disk.ts';
import { secretsFindings, type SecretsState } from '../core/doctor-secrets.ts';
import { BerthError } from '../core/errors.ts';
import type { HostFacts } from '../core/host.ts';
import { planZram } from '../core/zram.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { dataFolder, runningServer } from './server-address.ts';

/** Podman's own default for root; the server may have been told another with --storage. */
const STORAGE = '/var/lib/containers/storage';
const LISTEN = '127.0.0.1:8080';

interface DoctorOptions extends GlobalOptions {
  readonly fix?: 'zram';
  readonly undo?: 'zram';
  readonly size?: number;
}

export async function run(context: Context, options: DoctorOptions): Promise<void> {
  const { world, output } = context;
  const data = dataFolder(world, options);
  const zramNote = join(data, 'zram.json');
  if (options.undo) {
    await undo(context, zramNote);
    return;
  }
  const step = output.step('Looking at this host');
  const server = await runningServer(world, data);
  const facts = await world.readHost({
    dataFolder: data,
    storageFolder: world.isRoot
      ? STORAGE
      : join(world.homeFolder, '.local/share/containers/storage'),
    listen: server?.listen ?? LISTEN,
    isBerthListening: server !== undefined,
  });
  step.drop();
  if (options.fix) {
    await fix(context, zramNote, facts, options.size);
    return;
  }

  const found = [
    ...findings(facts),
    ...(server ? await diskFindings(context, options) : []),
    ...(facts.secrets
      ? secretsFindings(facts.secrets, server && (await secretsState(context, options)))
      : []),
  ];
  const problems = found.filter((finding) => finding.level === 'problem');
  if (output.isJson) output.json(found);
  else {
    const widest = Math.max(...found.map((finding) => finding.about.length));
    for (const finding of found) {
      output.print(`${mark(finding)} ${finding.about.padEnd(widest)}  ${finding.what}`);
      if (finding.do) {
        output.print(`  ${''.padEnd(widest)}  ${output.style('dim', `→ ${finding.do}`)}`);
      }
    }
  }
  if (problems.length > 0) {
    throw new BerthError('HOST_UNSUPPORTED', {
      detail: `${count(problems.length, 'problem')} to mend: ${problems.map((problem) => problem.about).join(', ')}`,
    });
  }

  function mark(finding: Finding): string {
    if (finding.level === 'problem') return output.style('red', '✗');
    if (finding.level === 'note') return output.style('yellow', '!');
    return output.style('green', '✓');
  }
}

/** What the server has measured; nothing when it does not say it to us. */
async function diskFindings(context: Context, options: GlobalOptions): Promise<readonly Finding[]> {
  try {
    return [diskFinding(await (await connect(context, options)).diskUsage())];
  } catch (error) {
    if (error instanceof BerthError) return [];
    throw error;
  }
}

/** What the server says of the key file; undefined when it does not say it to us. */
async function secretsState(
  context: Context,
  options: GlobalOptions,
): Promise<SecretsState | undefined> {
  try {
    return await (await connect(context, options)).secretsKey();
  } catch (error) {
    if (error instanceof BerthError) return undefined;
    throw error;
  }
}

async function fix(
  { world, output }: Context,
  noteFile: string,
  facts: HostFacts,
  mebibytes: number | undefined,
): Promise<void> {
  const plan = planZram(facts, mebibytes === undefined ? undefined : mebibytes * 1024 ** 2);
  if (plan.kind === 'refused') throw new BerthError('ZRAM_IMPOSSIBLE', { detail: plan.because });
  const device = await world.setUpZram(noteFile, plan.bytes);
  if (output.isJson) {
    output.json({ device, bytes: plan.bytes });
    return;
  }
  const size = Math.round(plan.bytes / 1024 ** 2);
  output.print(`${device}: ${size} MiB of compressed swap, until this host is started anew.`);
  output.print('To undo it: berth doctor --undo zram');
}

async function undo({ world, output }: Context, noteFile: string): Promise<void> {
  const device = await world.undoZram(noteFile);
  if (output.isJson) output.json({ device: device ?? null });
  else if (device === undefined) output.print('Berth has set up no zram here: nothing to undo.');
  else output.print(`${device} is gone; what was in it is in memory again.`);
}
