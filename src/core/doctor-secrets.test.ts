/** A table of key files and what the doctor says of each. */
import { expect, it } from 'vitest';
import { type SecretsFacts, secretsFindings, type SecretsState } from './doctor-secrets.ts';

const keyFile = { path: '/data/secrets.key', mode: 0o600, isOwn: true };
const fine: SecretsFacts = { keyFile, hasMemory: true, hasBash: true };
const open: SecretsState = { state: 'open', values: 3 };

it.each<[string, SecretsFacts, SecretsState | undefined, string]>([
  ['all is well', fine, open, 'ok: opens all 3 values'],
  ['nothing is kept', fine, { state: 'unused', values: 0 }, 'ok: nothing is kept yet'],
  ['no server runs', fine, undefined, 'ok: only a running server'],
  ['there is no file', { hasMemory: true, hasBash: true }, undefined, 'ok: none yet'],
  ['others read it', { ...fine, keyFile: { ...keyFile, mode: 0o640 } }, open, 'problem: mode 640'],
  ['it is not ours', { ...fine, keyFile: { ...keyFile, isOwn: false } }, open, 'problem: belongs'],
  ['it is lost', fine, { state: 'locked', values: 3, because: 'gone' }, 'problem: gone'],
  ['nothing is in memory', { ...fine, hasMemory: false }, open, 'note: no a tmpfs'],
  ['there is no bash', { ...fine, hasBash: false }, open, 'note: no bash'],
])('when %s', (_name, facts, state, expected) => {
  const [level = '', words = ''] = expected.split(': ');
  const found = secretsFindings(facts, state);
  expect(found).toHaveLength(1);
  expect(found[0]?.level).toBe(level);
  expect(found[0]?.what).toContain(words);
});
