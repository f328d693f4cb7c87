/** Judges source files by the tables: each finding is a sentence with place, rule and reason. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { SourceFile } from './read.ts';
import type { Ban, Part } from './table.ts';

/** Tests, contract suites and their fixtures may import anything: they are where parts meet. */
export function isTest(path: string): boolean {
  return /\.(?:test|contract|arbitrary)\.ts$|\/fixtures?(?:\/|\.ts$)/.test(path);
}

/** `src/router/proxy.ts` → `router`, `src/server.ts` → `server.ts`, `sim/world.ts` → `sim`. */
function partOf(path: string): string {
  const [top, next] = path.split('/');
  return top === 'src' ? (next ?? '') : (top ?? '');
}

/** `src/engines/podman/start.ts` → `engines/podman`: a driver, which must not know its neighbours. */
function driverOf(path: string): string | undefined {
  const [, part, driver, rest] = path.split('/');
  return (part === 'engines' || part === 'stores') && rest !== undefined
    ? `${part}/${driver}`
    : undefined;
}

/** `@scope/name/inside` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Forbidden imports, and rows of the table that nothing uses. */
export function judgeImports(
  files: readonly SourceFile[],
  parts: readonly Part[],
): readonly string[] {
  const findings: string[] = [];
  const used = new Set<string>();
  const byName = new Map(parts.map((part) => [part.name, part]));

  for (const file of files) {
    if (isTest(file.path)) continue;
    const name = partOf(file.path);
    const part = byName.get(name);
    used.add(name);
    if (!part) {
      findings.push(
        `${file.path}: \`${name}\` is no part: add a row to test/architecture/table.ts`,
      );
      continue;
    }
    for (const { specifier, line } of file.imports) {
      const forbidden = (what: string, why = part.because) =>
        findings.push(
          `${file.path}:${line}: ${name} must not import ${what} (${specifier}): ${why}`,
        );

      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(file.path), specifier);
        const other = partOf(target);
        if (isTest(target)) forbidden('a test');
        else if (other === name) {
          const [mine, theirs] = [driverOf(file.path), driverOf(target)];
          if (mine && theirs && mine !== theirs) forbidden(theirs);
        } else if (other in part.may) used.add(`${name} → ${other}`);
        else forbidden(other);
      } else if (isBuiltin(specifier)) {
        if (!part.node) forbidden("Node's modules");
      } else if (part.packages.includes(packageOf(specifier))) {
        used.add(`${name} → ${packageOf(specifier)}`);
      } else forbidden(packageOf(specifier));
    }
  }

  for (const part of parts) {
    if (!used.has(part.name)) {
      findings.push(`the table has a row for ${part.name}, which has no file: remove it`);
      continue;
    }
    for (const other of [...Object.keys(part.may), ...part.packages]) {
      const edge = `${part.name} → ${other}`;
      if (!used.has(edge)) findings.push(`the table allows ${edge}, which nothing uses: remove it`);
    }
  }
  return findings;
}

/** Uses of banned words. */
export function judgeWords(
  files: readonly SourceFile[],
  bans: readonly Ban[],
  where: string,
): readonly string[] {
  const instead = new Map(bans.map((ban) => [ban.word, ban.instead]));
  return files.flatMap((file) =>
    file.words
      .filter(({ word }) => instead.has(word))
      .map(
        ({ word, line }) =>
          `${file.path}:${line}: no \`${word}\` ${where}; instead: ${instead.get(word)}`,
      ),
  );
}

/** Files that do not begin with a doc comment of at least one sentence. */
export function judgeFirstLines(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => {
      const comment = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(file.text)?.[1] ?? '';
      const text = comment.replace(/^\s*\* ?/gm, '').trim();
      return !/^\S+ \S+ [^]*?[.?!:](?:\s|$)/.test(text);
    })
    .map(
      (file) =>
        `${file.path}:1: begin with a doc comment: one sentence that says what the file is for`,
    );
}
