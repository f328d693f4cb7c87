/** The options that `up` and `serve` share. */
import { type Command, Option } from 'commander';
import type { TrafficBounds } from '../core/traffic-bounds.ts';
import type { GlobalOptions } from './program.ts';
import {
  addressRanges,
  byteSize,
  directoryUrl,
  integer,
  lifetime,
  listenAddress,
  span,
  trafficBound,
} from './values.ts';

/** As they are parsed: times in ms, sizes in bytes. */
export interface ServerOptions extends GlobalOptions {
  readonly listen: string;
  readonly domain: string;
  readonly engine: 'podman' | 'memory';
  readonly memoryBudget?: number;
  readonly buildTimeout?: number;
  readonly storage?: string;
  readonly diskBudget?: number;
  readonly deploysPerMinute?: number;
  readonly previewTtl?: number;
  readonly keepReleases?: number;
  readonly keepProduction?: number;
  readonly failedTtl?: number;
  readonly cacheTtl?: number;
  readonly accessLog: 'on' | 'off';
  readonly trustedProxies?: readonly string[];
  readonly bound?: Partial<TrafficBounds>;
  readonly openMetrics?: boolean;
  readonly listenTls?: string;
  readonly httpsRedirect?: boolean;
  readonly hsts?: number;
  readonly acmeEmail?: string;
  readonly acmeDirectory?: string;
  readonly acmeCa?: string;
}

/** Adds them to a command. */
export function serverOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--listen <host:port>', 'address to listen on; port 0 takes a free one')
        .default('127.0.0.1:8080')
        .argParser(listenAddress),
    )
    .option('--domain <name>', 'what hostnames of deployments end in', 'localhost')
    .option(
      '--memory-budget <MiB>',
      'memory that instances at rest may hold; otherwise a share of the host’s',
      integer(0, 16_777_216),
    )
    .option('--build-timeout <time>', 'longest build, for example 15m', span)
    .option(
      '--disk-budget <size>',
      'what images, build cache, logs and uploads may take, for example 50G; otherwise 80 % of the disk',
      byteSize,
    )
    .option(
      '--preview-ttl <time>',
      'how long a deployment that no environment or alias names lives after its last request (7d); `never` ends it',
      lifetime,
    )
    .option(
      '--keep-releases <count>',
      'releases of each environment that can be rolled back to (20)',
      integer(1, 10_000),
    )
    .option(
      '--keep-production <time>',
      'and whatever took traffic in production within this time (30d)',
      lifetime,
    )
    .option('--failed-ttl <time>', 'how long a failed deploy is kept (3d)', lifetime)
    .option(
      '--cache-ttl <time>',
      'how long layers that speed up builds are kept after their last use (7d)',
      lifetime,
    )
    .option(
      '--deploys-per-minute <count>',
      'of one team, and of one token; ten minutes’ worth at once (10)',
      integer(1, 100_000),
    )
    .option('--storage <folder>', 'where Podman keeps images; otherwise where it usually does')
    .addOption(
      new Option('--access-log <on|off>', 'a line of the log for each request')
        .choices(['on', 'off'])
        .default('on'),
    )
    .option(
      '--trusted-proxies <ranges>',
      'proxies in front of Berth whose x-forwarded-*, forwarded and x-request-id are kept: 10.0.0.0/8,::1; otherwise they are replaced',
      addressRanges,
    )
    .option(
      '--bound <name=value>',
      'what clients may send, and how long things may last: headers-timeout=5s, waiting=500, and more below; may be repeated',
      trafficBound,
    )
    .option('--open-metrics', 'answer GET /metrics without a token')
    .option('--listen-tls <host:port>', 'address for https; otherwise there is none', listenAddress)
    .option('--https-redirect', 'send plain requests for deployments to https')
    .option('--hsts <time>', 'tell browsers to use https only, for so long: 180d', span)
    .option(
      '--acme-email <address>',
      'get certificates automatically, and agree to the terms of who issues them; the address hears of problems',
    )
    .option(
      '--acme-directory <url>',
      'ACME directory to get them from; otherwise Let’s Encrypt',
      directoryUrl,
    )
    .option('--acme-ca <file>', 'PEM: who vouches for the address of a directory of one’s own')
    .addOption(
      new Option(
        '--engine <name>',
        'what runs containers; `memory` only pretends, for trying things out',
      )
        .choices(['podman', 'memory'])
        .default('podman'),
    );
}
