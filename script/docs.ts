/** `npm run docs`: writes every reference page that is made from the code, or with `--check` compares them. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorPages } from './error-pages.ts';

/** A page that is made from the code. */
export interface Page {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly content: string;
}

const root = join(import.meta.dirname, '..');

/** Folders whose every file is made here: one that no page accounts for is left over. */
const OWNED = ['docs/reference', 'docs/errors'];

async function pages(): Promise<readonly Page[]> {
  return [...(await errorPages(join(root, 'docs/errors/explanations')))];
}

async function current(path: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

async function leftOver(wanted: ReadonlySet<string>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of OWNED) {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      if (entry.isFile() && !wanted.has(path)) found.push(path);
    }
  }
  return found;
}

async function main(): Promise<number> {
  const isCheck = process.argv.includes('--check');
  const made = await pages();
  const stale: Page[] = [];
  for (const page of made) if ((await current(page.path)) !== page.content) stale.push(page);
  const extra = await leftOver(new Set(made.map((page) => page.path)));

  if (isCheck) {
    for (const page of stale) console.error(`${page.path} is not what the code says.`);
    for (const path of extra) console.error(`${path} is made by nothing any more.`);
    if (stale.length + extra.length === 0) return 0;
    console.error('Run `npm run docs` and commit the result.');
    return 1;
  }

  for (const page of stale) {
    await mkdir(dirname(join(root, page.path)), { recursive: true });
    await writeFile(join(root, page.path), page.content);
    console.log(`wrote ${page.path}`);
  }
  for (const path of extra) {
    await rm(join(root, path));
    console.log(`removed ${path}`);
  }
  console.log(`${made.length} pages, ${stale.length} written, ${extra.length} removed`);
  return 0;
}

process.exitCode = await main();
