/** What is wrong with a request, in words: for each issue of a schema the end of a sentence that begins with the place. */
import type { Problem } from '../core/errors.ts';

/** An issue as the validator of Fastify hands it on: the words of zod, and what they were made of. */
export interface InputIssue {
  readonly instancePath: string;
  readonly message?: string;
  readonly keyword?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Texts that zod makes itself; all others were written for people. */
const OWN_WORDS = /^(?:Invalid |Too (?:small|big)|Unrecognized |No matching )/;
/** Texts of ours that are whole ends of sentences; the others (those of the configuration) name what is expected. */
const WHOLE = /^(?:is|has|have|needs|may|must|names) /;

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  datetime: 'a time such as 2026-11-21T09:00:00Z',
  date: 'a date such as 2026-11-21',
  email: 'an address such as ann@example.com',
  stringbool: 'true or false',
};

/** `{ at: 'scale.min', message: 'has to be a number' }`. */
export function inputProblem({ instancePath, message, keyword, params }: InputIssue): Problem {
  const at = instancePath.slice(1).replaceAll('/', '.');
  const isOurs = message !== undefined && message !== '' && !OWN_WORDS.test(message);
  // Which keys are too many, or cannot be one, says more than what the object has to be.
  if (isOurs && keyword !== 'unrecognized_keys' && keyword !== 'invalid_key') {
    return { at, message: WHOLE.test(message) ? message : `has to be ${message}` };
  }
  return { at, message: wordsOf(keyword ?? '', params ?? {}, message ?? '') };
}

/** `scale.min in the body has to be a number.`; `part` is Fastify's word for the part of the request. */
export function inputSentence({ at, message }: Problem, part: string | undefined): string {
  const whole = PARTS[part ?? ''] ?? 'the request';
  return at === '' ? `${capital(whole)} ${message}.` : `${at} in ${whole} ${message}.`;
}

const PARTS: Readonly<Record<string, string>> = {
  body: 'the body',
  querystring: 'the query',
  params: 'the path',
  headers: 'the headers',
};

function wordsOf(code: string, params: NonNullable<InputIssue['params']>, message: string): string {
  switch (code) {
    case 'invalid_type': {
      const wanted = EXPECTED[String(params['expected'])] ?? 'something else';
      return message.endsWith('received undefined')
        ? `is missing: it has to be ${wanted}`
        : `has to be ${wanted}`;
    }
    case 'too_small':
      return sizeOf(params, params['minimum'], 'at least');
    case 'too_big':
      return sizeOf(params, params['maximum'], 'at most');
    case 'invalid_format': {
      const format = FORMATS[String(params['format'])];
      return format === undefined
        ? 'does not have the form that it must have'
        : `has to be ${format}`;
    }
    case 'invalid_value': {
      const expected = FORMATS[String(params['expected'])];
      if (expected !== undefined) return `has to be ${expected}`;
      return `has to be ${listed(params['values'], 'or')}`;
    }
    case 'unrecognized_keys':
      return `has what is not known here: ${listed(params['keys'], 'and')}`;
    case 'not_multiple_of':
      return `has to be a multiple of ${String(params['divisor'])}`;
    case 'invalid_key':
      return `is not ${firstOf(params['issues'])}`;
    case 'invalid_union':
      return unionWords(params);
    default:
      return 'is not valid';
  }
}

/** `has to be at least 1`, `has at most 40 characters`. */
function sizeOf(
  { origin }: Readonly<Record<string, unknown>>,
  bound: unknown,
  which: 'at least' | 'at most',
): string {
  const number = Number(bound);
  const many = (noun: string) => `${which} ${number} ${noun}${number === 1 ? '' : 's'}`;
  if (origin === 'string') {
    return number === 1 && which === 'at least'
      ? 'must not be empty'
      : `has to have ${many('character')}`;
  }
  if (origin === 'array' || origin === 'set') {
    return which === 'at least' && number === 1
      ? 'must not be empty'
      : `has to have ${many('item')}`;
  }
  return `has to be ${which} ${number}`;
}

/** What the first of the forms that was tried says, where there is a way to tell which one was meant. */
function unionWords({ discriminator }: Readonly<Record<string, unknown>>): string {
  return typeof discriminator === 'string'
    ? 'is none of those that are known here'
    : 'has none of the forms that it may have';
}

/** What is expected of a key, in our words. */
function firstOf(issues: unknown): string {
  const [first] = (Array.isArray(issues) ? issues : []) as readonly { readonly message?: string }[];
  const { message = '' } = first ?? {};
  return message === '' || OWN_WORDS.test(message) ? 'a name that may stand there' : message;
}

function listed(values: unknown, word: string): string {
  const all = (Array.isArray(values) ? values : []).map(String);
  const last = all.at(-1) ?? 'something else';
  return all.length < 2 ? last : `${all.slice(0, -1).join(', ')} ${word} ${last}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
