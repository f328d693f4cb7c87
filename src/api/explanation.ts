/** The explanation of an error code, as the repository has it, for its page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ErrorCode } from '../core/errors.ts';

const FOLDER = join(import.meta.dirname, '../../docs/errors/explanations');

/** As HTML; empty when the program came without its documents. `toHtml` makes text safe. */
export async function explanationOf(
  code: ErrorCode,
  toHtml: (text: string) => string,
): Promise<string> {
  try {
    return explanationHtml(await readFile(join(FOLDER, `${code}.md`), 'utf8'), toHtml);
  } catch {
    return '';
  }
}

/** The little of Markdown that explanations use: paragraphs, lists, and tables, which stay as they are written. */
export function explanationHtml(markdown: string, toHtml: (text: string) => string): string {
  const blocks = markdown.trim().split(/\n{2,}/);
  return blocks.map((block) => blockHtml(block, toHtml)).join('\n');
}

function blockHtml(block: string, toHtml: (text: string) => string): string {
  if (block.startsWith('|')) return `<pre>${toHtml(block)}</pre>`;
  // A list may follow the line that introduces it.
  const list = /(?:^|\n)- /.exec(block);
  if (!list) return `<p>${inline(block, toHtml)}</p>`;
  const before = block.slice(0, list.index);
  const items = block
    .slice(list.index)
    .trim()
    .split(/\n(?=- )/)
    .map((item) => `<li>${inline(item.replace(/^- /, ''), toHtml)}</li>`);
  return `${before === '' ? '' : `<p>${inline(before, toHtml)}</p>`}<ul>${items.join('')}</ul>`;
}

/** Links lead to files that a server does not have: their words stay. */
function inline(text: string, toHtml: (text: string) => string): string {
  return toHtml(text.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1').replace(/\s*\n\s*/g, ' '));
}
