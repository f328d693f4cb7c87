/** `berth doctor`: what is missing or odd on this host, and what to do; works without a server. */
import { join } from 'node:path';
import { type Finding, findings } from '../core/doctor.ts';
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { dataFolder, runningServer } from './server-address.ts';

/** Podman's own default for root; the server may have been told another with --storage. */
const STORAGE = '/var/lib/containers/storage';
const LISTEN = '127.0.0.1:8080';

export async function run({ world, output }: Context, options: GlobalOptions): Promise<void> {
  const data = dataFolder(world, options);
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

  const found = findings(facts);
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
