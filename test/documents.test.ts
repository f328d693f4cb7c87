/** What the hand-written documents point at is there: links, and paths of the repository. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
/** The explanations of error codes are read where they end up: in their pages. */
const documents = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], {
  cwd: root,
  exclude: ['docs/errors/explanations/*'],
});

/** Every relative link and every backticked path of the repository in a text that leads nowhere. */
function brokenIn(path: string, text: string): readonly string[] {
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(
    ([, target]) => join(dirname(path), target ?? ''),
  );
  const paths = [...text.matchAll(/`((?:src|test|script|docs|examples|sim|bench)\/[^`\s]*)`/g)]
    .map(([, target]) => target ?? '')
    // A name in capitals is a placeholder: `docs/errors/explanations/CODE.md`.
    .filter((target) => !/\b(?:NAME|CODE)\b|[*…]/.test(target));
  return [...links, ...paths].filter((target) => !existsSync(join(root, target)));
}

test('every link and every path in the documents leads somewhere', () => {
  expect(documents).toContain('ARCHITECTURE.md');
  const broken = documents.flatMap((path) =>
    brokenIn(path, readFileSync(join(root, path), 'utf8')).map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('a broken link and a path that is gone are found', () => {
  const text =
    'See [this](nowhere.md#part), [that](https://example.org), `src/gone.ts` and `src/core/errors.ts`.';
  expect(brokenIn('docs/checklists/x.md', text)).toEqual([
    'docs/checklists/nowhere.md',
    'src/gone.ts',
  ]);
});
