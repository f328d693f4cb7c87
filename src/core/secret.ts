/** Secrets in variables: how a variable names one, what names may be, and how a text that begins with `@` is written. */

/** 1 to 100 characters; letters, digits, `_`, `.`, `-`, the first a letter or digit. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

export const SECRET_NAME_RULE =
  '1 to 100 letters, digits, "_", "." or "-", the first a letter or digit';

export function isSecretName(name: string): boolean {
  return NAME.test(name);
}

/** What a variable of a configuration or an environment stands for. */
export type Variable =
  | { readonly kind: 'plain'; readonly value: string }
  | { readonly kind: 'secret'; readonly name: string };

/**
 * | kept as | means |
 * |---|---|
 * | `@name` | the value of the secret `name` |
 * | `@@text` | `@text` |
 * | anything else | itself |
 */
export function readVariable(kept: string): Variable {
  if (!kept.startsWith('@')) return { kind: 'plain', value: kept };
  if (kept.startsWith('@@')) return { kind: 'plain', value: kept.slice(1) };
  return { kind: 'secret', name: kept.slice(1) };
}

/** The form in which a plain value is kept: what `readVariable` reads as itself. */
export function plainVariable(value: string): string {
  return value.startsWith('@') ? `@${value}` : value;
}

/** The secrets that variables name, each once, sorted. */
export function secretNamesOf(variables: Readonly<Record<string, string>>): readonly string[] {
  const names = new Set<string>();
  for (const kept of Object.values(variables)) {
    const variable = readVariable(kept);
    if (variable.kind === 'secret') names.add(variable.name);
  }
  return [...names].sort();
}

/** Variables with their plain values, and apart from them those that are secret. */
export interface SplitVariables {
  readonly plain: Readonly<Record<string, string>>;
  /** Name of the variable → name of the secret. */
  readonly secret: Readonly<Record<string, string>>;
}

export function splitVariables(variables: Readonly<Record<string, string>>): SplitVariables {
  const plain: Record<string, string> = {};
  const secret: Record<string, string> = {};
  for (const [name, kept] of Object.entries(variables)) {
    const variable = readVariable(kept);
    if (variable.kind === 'plain') plain[name] = variable.value;
    else secret[name] = variable.name;
  }
  return { plain, secret };
}
