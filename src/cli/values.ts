/** What option values mean: variables, times and numbers, each refused with USAGE when it is not one. */
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { type AliasPlace, parseAlias } from '../core/alias.ts';
import { ENVIRONMENT_NAME_RULE, isEnvironmentName } from '../core/environment.ts';
import { BOUNDS, parseSlot } from '../core/limits.ts';
import {
  type BoundUnit,
  TRAFFIC_BOUND_KEYS,
  TRAFFIC_BOUNDS,
  type TrafficBounds,
} from '../core/traffic-bounds.ts';

/** `K=V`, or `K` for the value it has in the environment; collects into what earlier options gave. */
export function variable(environment: Readonly<Record<string, string | undefined>>) {
  return (text: string, earlier: Readonly<Record<string, string>> = {}) => {
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new InvalidArgumentError(
        `${name === '' ? 'The name' : name} is not the name of a variable.`,
      );
    }
    const value = equals === -1 ? environment[name] : text.slice(equals + 1);
    if (value === undefined)
      throw new InvalidArgumentError(`${name} is not set here; write ${name}=VALUE.`);
    return { ...earlier, [name]: value };
  };
}

/** `deploy,read` → two words; may be repeated. */
export function words(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, ...text.split(',').filter((word) => word !== '')];
}

/** A whole number within bounds. */
export function integer(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `10m`, `2h`, `1d` → ms. */
export function span(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (unit === undefined) throw new InvalidArgumentError('Write it like 90s, 10m, 2h or 1d.');
  return Number(match?.[1]) * unit;
}

/** As `span`, or `never` for a time that does not end. */
export function lifetime(text: string): number {
  return text === 'never' ? Number.POSITIVE_INFINITY : span(text);
}

const UNIT_BYTES: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** `500M`, `50G`, `1.5T`, `50GB` or `50GiB` → bytes; decimal unless it says `i`. */
export function byteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT])(i?)B?$/i.exec(text);
  const unit = (match?.[2] ?? '').toUpperCase();
  const bytes = UNIT_BYTES[unit];
  if (bytes === undefined) throw new InvalidArgumentError('Write it like 500M, 50G or 1.5T.');
  const size = match?.[3] ? 1024 ** ('KMGT'.indexOf(unit) + 1) : bytes;
  return Math.round(Number(match?.[1]) * size);
}

/** A time: how long ago (`10m`), or a date and time as ISO 8601 → ms since the epoch. */
export function since(now: () => number) {
  return (text: string): number => {
    if (/^\d+(?:\.\d+)?[a-z]+$/.test(text)) return now() - span(text);
    const at = Date.parse(text);
    if (Number.isNaN(at)) {
      throw new InvalidArgumentError('Write it like 10m, 2h, or 2026-11-21T09:00:00Z.');
    }
    return at;
  };
}

/** `host:port`, `:port` or `port` → `host:port`, on 127.0.0.1 unless named. */
export function listenAddress(text: string): string {
  const match = /^(?:(\[[0-9a-f:.]+\]|[^:[\]]*):)?(\d{1,5})$/i.exec(text);
  if (!match || Number(match[2]) > 65_535) {
    throw new InvalidArgumentError('Write it as HOST:PORT, for example 127.0.0.1:8080.');
  }
  return `${match[1] || '127.0.0.1'}:${Number(match[2])}`;
}

export type { AliasPlace } from '../core/alias.ts';

/** `www.example.com/api` → hostname and path. */
export function aliasPlace(text: string): AliasPlace {
  const place = parseAlias(text);
  if (typeof place === 'string') throw new InvalidArgumentError(`${text} ${place}.`);
  return place;
}

/** An address of an ACME directory. */
export function directoryUrl(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:') {
    throw new InvalidArgumentError('Write it as https://HOST/PATH.');
  }
  return text;
}

/** `c.125-m512`; whether it fits the machine is the server's to say. */
export function slotName(text: string): string {
  if (!parseSlot(text)) {
    throw new InvalidArgumentError('Write it as c<cores>-m<MiB>, for example c.125-m512.');
  }
  return text;
}

/** A project's name is part of hostnames: a DNS label. */
export function projectName(text: string): string {
  if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text) || text.length > BOUNDS.projectNameChars) {
    throw new InvalidArgumentError(
      `It may have lower-case letters, digits and inner hyphens, at most ${BOUNDS.projectNameChars}.`,
    );
  }
  return text;
}

/** `10.0.0.0/8,::1` → addresses and CIDR ranges. */
export function addressRanges(text: string): readonly string[] {
  const ranges = text.split(',').map((range) => range.trim());
  for (const range of ranges) {
    const [address = '', bits, ...more] = range.split('/');
    const most = { 4: 32, 6: 128 }[isIP(address)];
    const isGood = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (most ?? 0));
    if (most === undefined || !isGood || more.length > 0) {
      throw new InvalidArgumentError(
        `${range} is no address and no range: write 10.0.0.0/8 or ::1, with commas between them.`,
      );
    }
  }
  return ranges;
}

/** The name of an environment: `production`, `preview/cart`, `qa`. */
export function environmentName(text: string): string {
  if (isEnvironmentName(text)) return text;
  throw new InvalidArgumentError(`It ${ENVIRONMENT_NAME_RULE}.`);
}

/** `waiting=500`, `headers-timeout=5s`, `header-size=64KiB`; collects into what earlier options gave. */
export function trafficBound(
  text: string,
  earlier: Partial<TrafficBounds> = {},
): Partial<TrafficBounds> {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(0, equals));
  const key = TRAFFIC_BOUND_KEYS.find((candidate) => TRAFFIC_BOUNDS[candidate].name === name);
  if (key === undefined) {
    const names = TRAFFIC_BOUND_KEYS.map((known) => TRAFFIC_BOUNDS[known].name).join(', ');
    throw new InvalidArgumentError(`Write it as NAME=VALUE with one of these names: ${names}.`);
  }
  const { unit, least, most } = TRAFFIC_BOUNDS[key];
  const value = boundValue(text.slice(equals + 1), unit);
  if (value < least || value > most) {
    const [from, to] = [least, most].map((figure) => formatBound(figure, unit));
    throw new InvalidArgumentError(`${name} may be from ${from} to ${to}.`);
  }
  return { ...earlier, [key]: value };
}

function boundValue(text: string, unit: BoundUnit): number {
  if (unit === 'ms') return span(text);
  if (/^\d+$/.test(text)) return Number(text);
  if (unit === 'bytes') return byteSize(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

/** A bound as `trafficBound` reads it: `64KiB`, `15s`, `200`. */
export function formatBound(value: number, unit: BoundUnit): string {
  if (unit === 'count') return String(value);
  const steps = unit === 'ms' ? SPAN_STEPS : SIZE_STEPS;
  const [name, size] = steps.find(([, step]) => value >= step && value % step === 0) ?? ['', 1];
  return `${value / size}${name}`;
}

const SPAN_STEPS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;
const SIZE_STEPS = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const;
