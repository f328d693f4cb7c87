/** `berth serve`: runs the server in this process until it is told to stop. */
import { resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { CleanupRules } from '../core/gc.ts';
import type { Context } from './context.ts';
import type { ServerOptions } from './server-options.ts';
import { readGiven } from './read-given.ts';
import { dataFolder } from './server-address.ts';
import type { ServeOptions, TlsServeOptions, World } from './world.ts';

export async function run({ world }: Context, options: ServerOptions): Promise<void> {
  const tls = await tlsOptions(world, options);
  await world.serve({
    data: dataFolder(world, options),
    listen: options.listen,
    domain: options.domain,
    engine: options.engine,
    ...(options.memoryBudget === undefined ? {} : { memoryBudgetMiB: options.memoryBudget }),
    ...(options.buildTimeout === undefined ? {} : { buildTimeoutMs: options.buildTimeout }),
    ...(options.diskBudget === undefined ? {} : { diskBudgetBytes: options.diskBudget }),
    cleanup: cleanupRules(options),
    ...deployRate(options),
    ...(options.storage === undefined ? {} : { storage: resolve(world.folder, options.storage) }),
    ...(tls === undefined ? {} : { tls }),
    ...(options.accessLog === 'off' ? { hasAccessLog: false } : {}),
    ...(options.trustedProxies === undefined ? {} : { trustedProxies: options.trustedProxies }),
    ...(options.bound === undefined ? {} : { trafficBounds: options.bound }),
    ...(options.openMetrics ? { hasOpenMetrics: true } : {}),
  });
}

/** Ten minutes' worth may come at once. */
function deployRate({ deploysPerMinute: count }: ServerOptions): Pick<ServeOptions, 'deployRate'> {
  return count === undefined ? {} : { deployRate: { burst: count * 10, everyMs: 60_000 / count } };
}

/** Only what was said: the server knows the rest. */
function cleanupRules(options: ServerOptions): Partial<CleanupRules> {
  const { previewTtl, keepReleases, keepProduction, failedTtl, cacheTtl } = options;
  return {
    ...(previewTtl !== undefined && { previewTtlMs: previewTtl }),
    ...(keepReleases !== undefined && { keepReleases }),
    ...(keepProduction !== undefined && { keepProductionMs: keepProduction }),
    ...(failedTtl !== undefined && { failedTtlMs: failedTtl }),
    ...(cacheTtl !== undefined && { cacheTtlMs: cacheTtl }),
  };
}

/** Throws USAGE for options that would do nothing. */
async function tlsOptions(
  world: World,
  options: ServerOptions,
): Promise<TlsServeOptions | undefined> {
  const { listenTls, httpsRedirect, hsts, acmeEmail, acmeDirectory, acmeCa } = options;
  const needs = (isThere: boolean, option: string, need: string) => {
    if (!isThere) throw new BerthError('USAGE', { detail: `${option} needs ${need}.` });
  };
  if (listenTls === undefined) {
    needs(!httpsRedirect, '--https-redirect', '--listen-tls');
    needs(hsts === undefined, '--hsts', '--listen-tls');
    needs(acmeEmail === undefined, '--acme-email', '--listen-tls');
  }
  if (acmeEmail === undefined) {
    needs(acmeDirectory === undefined, '--acme-directory', '--acme-email');
    needs(acmeCa === undefined, '--acme-ca', '--acme-email');
  }
  if (listenTls === undefined) return undefined;
  const trusted = acmeCa === undefined ? undefined : await readGiven(world, acmeCa);
  return {
    listen: listenTls,
    ...(httpsRedirect ? { redirects: true } : {}),
    ...(hsts === undefined ? {} : { hstsSeconds: Math.floor(hsts / 1_000) }),
    ...(acmeEmail === undefined
      ? {}
      : {
          acme: {
            email: acmeEmail,
            ...(acmeDirectory === undefined ? {} : { directory: acmeDirectory }),
            ...(trusted === undefined ? {} : { trusted }),
          },
        }),
  };
}
