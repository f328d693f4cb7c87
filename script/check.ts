/** `npm run check`: every check of the project in order, one line each; the same that continuous integration runs. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { totalsLine, totalsOf, type VitestReport } from './totals.ts';

const root = join(import.meta.dirname, '..');
const report = join(root, 'test-results', 'vitest.json');

interface Step {
  readonly name: string;
  /** Run by the shell in the root folder, with `node_modules/.bin` on the path. */
  readonly command: string;
  /** What to run to mend it, when a command can. */
  readonly mend?: string;
  /** Shown while it runs, because it takes minutes. */
  readonly isLong?: boolean;
}

/** The steps in order: cheap and telling ones first. Commands of package.json stand only there. */
async function steps(): Promise<readonly Step[]> {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<'types' | 'lint' | 'test', string>;
  };
  const node = JSON.stringify(process.execPath);
  return [
    { name: 'types', command: scripts.types },
    { name: 'lint', command: scripts.lint },
    { name: 'format', command: 'biome format .', mend: 'npm run format' },
    { name: 'unused', command: 'knip --no-progress' },
    { name: 'docs', command: `${node} script/docs.ts --check`, mend: 'npm run docs' },
    {
      name: 'tests',
      command: `${scripts.test} --reporter=default --reporter=json --outputFile.json=${JSON.stringify(report)}`,
      isLong: true,
    },
  ];
}

/** Runs a command to its end; the exit code, or 1 when a signal ended it. */
function run(step: Step): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const path = [
      join(root, 'node_modules', '.bin'),
      dirname(process.execPath),
      process.env.PATH ?? '',
    ];
    const child = spawn('sh', ['-c', `${step.command} 2>&1`], {
      cwd: root,
      env: { ...process.env, PATH: path.join(delimiter) },
      stdio: ['ignore', step.isLong ? 'inherit' : 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }),
    );
  });
}

/** What Vitest reported, if it came to that. */
async function reported(): Promise<VitestReport | undefined> {
  try {
    return JSON.parse(await readFile(report, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function main(): Promise<number> {
  const all = await steps();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  const unknown = positionals.filter((name) => !all.some((step) => step.name === name));
  if (values.help || unknown.length > 0) {
    if (unknown.length > 0) console.error(`There is no step ${unknown.join(', ')}.`);
    console.error(`npm run check -- [STEP …]\nSteps: ${all.map((step) => step.name).join(' ')}`);
    return values.help ? 0 : 2;
  }

  const chosen = all.filter((step) => positionals.length === 0 || positionals.includes(step.name));
  const failed: string[] = [];
  await mkdir(dirname(report), { recursive: true });
  await rm(report, { force: true });

  for (const step of chosen) {
    const started = performance.now();
    const { code, output } = await run(step);
    const took = seconds(performance.now() - started);
    if (code === 0) {
      console.log(`✓ ${step.name.padEnd(8)} ${took}`);
      continue;
    }
    failed.push(step.name);
    if (output) console.log(output.trimEnd());
    console.log(`✗ ${step.name.padEnd(8)} ${took}  exit code ${code}`);
    if (step.mend) console.log(`  ${step.mend} mends it.`);
  }

  if (chosen.some((step) => step.name === 'tests')) {
    const totals = totalsOf(await reported());
    if (totals.failed > 0 && !failed.includes('tests')) failed.push('tests');
    console.log(totalsLine(totals));
  }
  if (failed.length > 0) console.log(`Not right: ${failed.join(', ')}.`);
  return failed.length > 0 ? 1 : 0;
}

process.exitCode = await main();
