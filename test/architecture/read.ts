/** Reads source files as the architecture test needs them: what they import, and which words they use. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** One import, re-export, dynamic import or import type. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Whether it vanishes when types are erased. */
  readonly isTypeOnly: boolean;
  readonly line: number;
}

/** One use of a word: an identifier, `object.property`, or a keyword of the ban list. */
export interface Word {
  readonly word: string;
  readonly line: number;
}

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly words: readonly Word[];
}

/** Every TypeScript file that fits one of the patterns, relative to `root`. */
export function readSources(root: string, patterns: readonly string[]): readonly SourceFile[] {
  return globSync([...patterns], { cwd: root })
    .filter((path) => !path.endsWith('.d.ts'))
    .sort()
    .map((path) => readSource(path, readFileSync(join(root, path), 'utf8')));
}

/** One file; `path` is only a name. */
export function readSource(path: string, text: string): SourceFile {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const words: Word[] = [];
  const lineOf = (node: ts.Node) =>
    file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;

  const visit = (node: ts.Node): void => {
    const found = importIn(node);
    if (found) imports.push({ ...found, line: lineOf(node) });
    for (const word of wordsIn(node)) words.push({ word, line: lineOf(node) });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, text, imports, words };
}

function importIn(node: ts.Node): Omit<Import, 'line'> | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return {
      specifier: node.moduleSpecifier.text,
      isTypeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
    };
  }
  if (
    ts.isExportDeclaration(node) &&
    node.moduleSpecifier &&
    ts.isStringLiteral(node.moduleSpecifier)
  ) {
    return { specifier: node.moduleSpecifier.text, isTypeOnly: node.isTypeOnly };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const target = node.arguments[0];
    // A computed target cannot be judged, so it is forbidden under its own text.
    return {
      specifier: target && ts.isStringLiteralLike(target) ? target.text : (target?.getText() ?? ''),
      isTypeOnly: false,
    };
  }
  if (
    ts.isImportTypeNode(node) &&
    ts.isLiteralTypeNode(node.argument) &&
    ts.isStringLiteral(node.argument.literal)
  ) {
    return { specifier: node.argument.literal.text, isTypeOnly: true };
  }
  return undefined;
}

function wordsIn(node: ts.Node): readonly string[] {
  if (ts.isAwaitExpression(node)) return ['await'];
  if (ts.isForOfStatement(node) && node.awaitModifier) return ['await'];
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return ['async'];
  if (ts.isNewExpression(node) && (node.arguments?.length ?? 0) === 0) {
    return [`new ${node.expression.getText()}()`];
  }
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    return [`${node.expression.text}.${node.name.text}`];
  }
  return ts.isIdentifier(node) && !isOnlyAName(node) ? [node.text] : [];
}

/** Whether an identifier names a member or a key, and so says nothing about the global of the same name. */
function isOnlyAName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
    parent.name === node
  );
}
