/** The store of a Debian machine takes a certificate in, and gives it up again by the commands that people are told. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foreignPair } from '../tls/fixtures/world.ts';
import { type TrustStoreFolders, trustCertificate } from './trust-store.ts';

let folder: string;
let folders: TrustStoreFolders;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-trust-'));
  const [local, certs, hooks] = ['local', 'certs', 'hooks'].map((name) => join(folder, name));
  for (const path of [local, certs, hooks]) await mkdir(path ?? '');
  folders = {
    local: local ?? '',
    // A store of its own: what this machine trusts is not touched.
    options: [
      '--localcertsdir',
      local ?? '',
      '--etccertsdir',
      certs ?? '',
      '--hooksdir',
      hooks ?? '',
    ],
  };
});
afterEach(() => rm(folder, { recursive: true }));

const bundle = () => readFile(join(folder, 'certs/ca-certificates.crt'), 'utf8');

test('a certificate is in the bundle after it was put there, and no more after it was taken out', async () => {
  const { certificate } = (await foreignPair(['a.test'])).authority;
  const path = await trustCertificate(certificate, 'berth-0123.crt', folders);
  expect(path).toBe(join(folders.local, 'berth-0123.crt'));
  expect(await bundle()).toContain(certificate.trim());
  await rm(path);
  execFileSync('update-ca-certificates', [...folders.options], { stdio: 'ignore' });
  expect(await bundle()).not.toContain(certificate.trim());
});

test('a store that cannot be changed is said, and nothing is left in it', async () => {
  const { certificate } = (await foreignPair(['a.test'])).authority;
  await expect(
    trustCertificate(certificate, 'a.crt', { ...folders, local: join(folder, 'nowhere') }),
  ).rejects.toMatchObject({ code: 'HOST_UNSUPPORTED' });
  const options = [...folders.options, '--etccertsdir', join(folder, 'gone')];
  await expect(
    trustCertificate(certificate, 'a.crt', { ...folders, options }),
  ).rejects.toMatchObject({ code: 'HOST_UNSUPPORTED' });
  expect(await readdir(folders.local)).toEqual([]);
});
