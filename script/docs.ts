/** `npm run docs`: writes every reference page that is made from the code, or with `--check` compares them. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { documents as apiDocuments } from '../src/api/documents.ts';
import { documents as cliDocuments } from '../src/cli/documents.ts';
import { documents as configDocuments } from '../src/config/documents.ts';
import { type Document, errorPages } from './error-pages.ts';

const root = join(import.meta.dirname, '..');

/** Folders whose every file is made here: one that no document accounts for is left over. */
const OWNED = ['docs/reference', 'docs/errors'];

async function documents(): Promise<readonly Document[]> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return [
    ...(await apiDocuments(version)),
    ...cliDocuments(),
    ...configDocuments(),
    ...(await errorPages(join(root, 'docs/errors/explanations'))),
  ];
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
  const made = await documents();
  const stale: Document[] = [];
  for (const document of made)
    if ((await current(document.path)) !== document.text) stale.push(document);
  const extra = await leftOver(new Set(made.map((document) => document.path)));

  if (isCheck) {
    for (const document of stale) console.error(`${document.path} is not what the code says.`);
    for (const path of extra) console.error(`${path} is made by nothing any more.`);
    if (stale.length + extra.length === 0) return 0;
    console.error('Run `npm run docs` and commit the result.');
    return 1;
  }

  for (const document of stale) {
    await mkdir(dirname(join(root, document.path)), { recursive: true });
    await writeFile(join(root, document.path), document.text);
    console.log(`wrote ${document.path}`);
  }
  for (const path of extra) {
    await rm(join(root, path));
    console.log(`removed ${path}`);
  }
  console.log(`${made.length} documents, ${stale.length} written, ${extra.length} removed`);
  return 0;
}

process.exitCode = await main();
