/** `berth gc`: removes what may go, after saying what it is and why. */
import type { GcLine } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import { bytesInWords } from '../core/words.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export interface GcOptions extends GlobalOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export async function run(context: Context, options: GcOptions): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  if (options.dryRun || !options.yes) {
    const plan = await client.gcPlan();
    const going = plan.lines.filter(({ verdict }) => verdict === 'remove');
    if (options.dryRun && output.isJson) {
      output.json(plan);
      return;
    }
    const wouldFree = `${count(going.length, 'thing')} to remove: ${bytesInWords(plan.freeableBytes)}`;
    if (options.dryRun) {
      const kept = plan.lines.filter(({ verdict }) => verdict === 'keep');
      print(context, [...going, ...kept.toSorted((one, other) => compare(one.kind, other.kind))]);
      output.note(`${wouldFree}. ${count(kept.length, 'thing')} kept.`);
      return;
    }
    if (going.length === 0) {
      if (output.isJson) output.json({ lines: [], freedBytes: 0, diskFreedBytes: 0 });
      output.note('Nothing is to be removed.');
      return;
    }
    if (!world.canAsk) {
      throw new BerthError('USAGE', {
        detail: 'Nobody can be asked here: say --yes to remove, or --dry-run to look.',
      });
    }
    print(context, going);
    const { confirm, isCancel } = await import('@clack/prompts');
    const answer = await confirm({ message: `${wouldFree}. Go on?`, initialValue: false });
    if (isCancel(answer) || !answer) {
      output.note('Nothing was removed.');
      return;
    }
  }
  const step = output.step('Cleaning up');
  const report = await client.gc();
  const gone = report.lines.filter(({ outcome }) => outcome === 'removed').length;
  step.done(
    `Removed ${count(gone, 'thing')}: ${bytesInWords(report.freedBytes)}; the disk has ${bytesInWords(report.diskFreedBytes)} more free`,
  );
  if (output.isJson) output.json(report);
  else if (report.lines.length > 0) print(context, report.lines);
}

function print({ output }: Context, lines: readonly GcLine[]): void {
  if (lines.length === 0) return;
  printTable(
    output,
    ['', 'WHAT', 'NAME', 'FREES', 'BECAUSE'],
    lines.map((line) => [
      line.outcome ?? line.verdict,
      line.kind,
      shortId(line),
      line.bytes > 0 ? bytesInWords(line.bytes) : '',
      line.because,
    ]),
  );
}

/** As `podman images` shows ids. */
function shortId({ kind, id }: GcLine): string {
  return kind === 'image' || kind === 'layer' ? id.replace(/^sha256:/, '').slice(0, 12) : id;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
