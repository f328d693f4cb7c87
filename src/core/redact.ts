/** Takes the values of secrets out of text that is about to be shown. */

/** Shorter values are words of ordinary text; replacing them would say where they are and tear it apart. */
const SHORTEST_CHARS = 8;

/** Secret name → value. */
export type SecretValues = Readonly<Record<string, string>>;

/**
 * A function that puts `[secret NAME]` in the place of every value of 8 characters or more: as it is, as JSON text writes
 * it, as a URL writes it, and line by line where it has several. Undefined when there is nothing to replace.
 */
export function createRedactor(values: SecretValues): ((text: string) => string) | undefined {
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(values)) {
    for (const form of formsOf(value)) if (!names.has(form)) names.set(form, name);
  }
  if (names.size === 0) return undefined;
  // The longest first, because one may hold another.
  const forms = [...names.keys()].toSorted((one, other) => other.length - one.length);
  const pattern = new RegExp(forms.map(escapePattern).join('|'), 'g');
  return (text) => text.replace(pattern, (found) => `[secret ${names.get(found) ?? ''}]`);
}

function formsOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const forms = [value, JSON.stringify(value).slice(1, -1), encoded(value), ...lines];
  return forms.filter((form) => form.length >= SHORTEST_CHARS);
}

/** Half a surrogate pair cannot be in a URL. */
function encoded(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return '';
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
