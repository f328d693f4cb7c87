/** The pages about error codes: what the catalogue says, with the explanation written by hand. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CATALOGUE, type ErrorCode } from '../src/core/errors.ts';

/** A page that is made from the code; `path` is relative to the root of the repository. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** The folder that every page goes to. */
const FOLDER = 'docs/errors';

/**
 * One page per code of the catalogue, and a list of all. Throws when a code has no explanation in
 * `folder`, or an explanation has no code.
 */
export async function errorPages(folder: string): Promise<readonly Document[]> {
  const codes = Object.keys(CATALOGUE) as ErrorCode[];
  const explained = new Set(
    (await readdir(folder)).filter((name) => name.endsWith('.md')).map((name) => name.slice(0, -3)),
  );
  const missing = codes.filter((code) => !explained.has(code));
  const orphaned = [...explained].filter((code) => !(code in CATALOGUE));
  if (missing.length > 0 || orphaned.length > 0) {
    throw new Error(
      [
        ...missing.map((code) => `${FOLDER}/explanations/${code}.md is missing: write it.`),
        ...orphaned.map((code) => `${FOLDER}/explanations/${code}.md explains no code: remove it.`),
      ].join('\n'),
    );
  }
  const pages = await Promise.all(
    codes.map(async (code) => errorPage(code, await readFile(join(folder, `${code}.md`), 'utf8'))),
  );
  return [errorList(codes), ...pages];
}

function errorPage(code: ErrorCode, explanation: string): Document {
  const { title, status, advice } = CATALOGUE[code];
  const explained = explanation.trim();
  if (explained.length < 80) throw new Error(`${FOLDER}/explanations/${code}.md says too little.`);
  return {
    path: `${FOLDER}/${code}.md`,
    text: [
      `# ${code}`,
      `**${title}.** HTTP status ${status}.`,
      `What to do: ${advice}`,
      explained,
      `<!-- Made by \`npm run docs\` from src/core/errors.ts and ${FOLDER}/explanations/${code}.md: change those. -->\n`,
    ].join('\n\n'),
  };
}

function errorList(codes: readonly ErrorCode[]): Document {
  const rows = codes.map((code) => {
    const { title, status } = CATALOGUE[code];
    return `| [${code}](${code}.md) | ${status} | ${title} |`;
  });
  return {
    path: `${FOLDER}/README.md`,
    text: `# Error codes

Every failure that Berth shows has one of these codes, the same in the CLI, the API (the \`code\` of an RFC 9457
problem), the pages of the router and the logs. The status is that of the HTTP answer, where there is one.

| code | status | meaning |
|---|---|---|
${rows.join('\n')}

<!-- Made by \`npm run docs\` from src/core/errors.ts. -->
`,
  };
}
