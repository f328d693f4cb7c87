/** From what a berth.json says to the configuration of a deployment, and back. */
import { BerthError, type Problem } from '../core/errors.ts';
import {
  BOUNDS,
  DEFAULT_LIMITS,
  DEFAULT_SCALE,
  DEFAULT_SLOT,
  formatSlot,
  parseSlot,
} from '../core/limits.ts';
import type { Configuration, Scale, Slot } from '../core/model.ts';
import {
  isSecretName,
  plainVariable,
  readVariable,
  SECRET_NAME_RULE,
  splitVariables,
} from '../core/secret.ts';
import type { WakeRules } from '../core/wake.ts';
import { normalisePath } from './fields.ts';
import type { JsonPath, Locate } from './place.ts';
import { problemAt } from './place.ts';
import type { ConfigFile } from './keys.ts';

/** What was given for one deploy besides the file: it wins over the file. */
export interface Given {
  /** `--env NAME=value`; may also give the values that the file only names. */
  readonly env?: Readonly<Record<string, string>>;
  /** `--build-env NAME=value`. */
  readonly buildEnv?: Readonly<Record<string, string>>;
  /** From the dotenv file, in which `@name` names a secret too: the file's own `env` wins over it. */
  readonly dotenv?: Readonly<Record<string, string>>;
  /** Names the places of problems, when there is a file. */
  readonly locate?: Locate;
  readonly fileName?: string;
}

/**
 * The configuration of a deployment, every default filled in. A variable that names a secret stays `@name`.
 * Throws CONFIG_INVALID when a variable has a name but no value, or when no secret can have the name it gives, and
 * SECRET_IN_BUILD when a build argument names a secret.
 */
export function toConfiguration(file: ConfigFile, given: Given = {}): Configuration {
  const problems: Problem[] = [];
  const report = (path: JsonPath, message: string): void => {
    problems.push(problemAt(given.fileName, given.locate, path, message));
  };
  const env = {
    ...kept(given.dotenv ?? {}, (name, message) => report(['dotenv', name], message)),
    ...variables(file.env, given.env, ['env'], '--env', report),
  };
  const buildEnv = variables(
    file.build?.env,
    given.buildEnv,
    ['build', 'env'],
    '--build-env',
    report,
  );
  refuseSecrets(buildEnv, given);
  if (problems.length > 0) {
    throw new BerthError('CONFIG_INVALID', {
      detail: problems.map((problem) => problem.message).join('\n'),
      problems,
    });
  }
  const port = file.port ?? file.service?.port;
  return {
    slot: (file.slot === undefined ? undefined : parseSlot(file.slot)) ?? DEFAULT_SLOT,
    limits: {
      maxConcurrentReqs: file.limits?.maxConcurrentReqs ?? DEFAULT_LIMITS.maxConcurrentReqs,
      durationMs: file.limits?.duration ?? DEFAULT_LIMITS.durationMs,
      timeoutMs: file.limits?.timeout ?? DEFAULT_LIMITS.timeoutMs,
    },
    scale: toScale(file.scale),
    idle: file.idle ?? 'freeze',
    env,
    buildEnv: splitVariables(buildEnv).plain,
    ...(file.build?.dockerfile === undefined
      ? {}
      : { dockerfile: normalisePath(file.build.dockerfile) }),
    ...(port === undefined ? {} : { port }),
    ...(file.protocol === undefined || file.protocol === 'http1'
      ? {}
      : { protocol: file.protocol }),
    ...(file.healthPath === undefined ? {} : { healthPath: file.healthPath }),
    ...wakeRules(file.wake),
    ...(file.command === undefined ? {} : { command: file.command }),
  };
}

/**
 * Variables as they are kept, of those that somebody wrote: `@name`, `@@text` and `\@text` as in a berth.json. Throws
 * CONFIG_INVALID for a name that no secret can have.
 */
export function toVariables(
  written: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const problems: Problem[] = [];
  const variables = kept(written, (name, message) => problems.push({ at: name, message }));
  if (problems.length === 0) return variables;
  const detail = problems.map(({ message }) => message).join('\n');
  throw new BerthError('CONFIG_INVALID', { detail, problems });
}

/** The same configuration in the form of a berth.json, complete: `toConfiguration` gives it back. */
export function describeConfiguration(configuration: Configuration): ConfigFile {
  const {
    slot,
    limits,
    scale,
    idle,
    env,
    buildEnv,
    dockerfile,
    port,
    protocol,
    healthPath,
    command,
    wake,
  } = configuration;
  return {
    slot: formatSlot(slot),
    limits: {
      maxConcurrentReqs: limits.maxConcurrentReqs,
      duration: limits.durationMs,
      timeout: limits.timeoutMs,
    },
    scale: { min: scale.min, max: scale.max },
    idle,
    env: spelled(env),
    build: {
      env: spelled(mapped(buildEnv, plainVariable)),
      ...(dockerfile === undefined ? {} : { dockerfile }),
    },
    ...(port === undefined ? {} : { port }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(healthPath === undefined ? {} : { healthPath }),
    ...(command === undefined ? {} : { command: [...command] }),
    ...(wake === undefined ? {} : { wake: written(wake) }),
  };
}

/** Throws SLOT_UNAVAILABLE when a slot is outside the bounds, or larger than the host. */
export function checkSlot(
  slot: Slot,
  host: { readonly cpus: number; readonly memoryMiB: number },
): void {
  const wrong: string[] = [];
  if (slot.cpus > host.cpus) {
    wrong.push(`${slot.cpus} CPU cores are more than the ${host.cpus} of this machine`);
  }
  if (slot.memoryMiB > host.memoryMiB) {
    wrong.push(
      `${slot.memoryMiB} MiB of memory are more than the ${Math.floor(host.memoryMiB)} MiB of this machine`,
    );
  }
  if (!(slot.cpus >= BOUNDS.slotCpus.min)) {
    wrong.push(`the smallest CPU share is c${BOUNDS.slotCpus.min}`);
  }
  if (!(slot.memoryMiB >= BOUNDS.slotMemoryMiB.min)) {
    wrong.push(`the smallest memory is m${BOUNDS.slotMemoryMiB.min}`);
  }
  if (wrong.length > 0) {
    throw new BerthError('SLOT_UNAVAILABLE', {
      detail: `slot ${formatSlot(slot)}: ${wrong.join('; ')}`,
      problems: wrong.map((message) => ({ at: 'slot', message: `slot: ${message}` })),
    });
  }
}

/** A rule that is not there is not part of the deployment's identity, nor is an object without rules. */
function wakeRules(file: ConfigFile['wake']): Pick<Configuration, 'wake'> {
  const wake: WakeRules = Object.fromEntries(
    Object.entries(file ?? {}).filter(([, list]) => list !== undefined),
  );
  return Object.keys(wake).length === 0 ? {} : { wake };
}

function written(wake: WakeRules): NonNullable<ConfigFile['wake']> {
  return Object.fromEntries(Object.entries(wake).map(([rule, list]) => [rule, [...list]]));
}

/** One machine is one region: the largest wish counts. */
function toScale(scale: ConfigFile['scale']): Scale {
  if (scale === undefined) return DEFAULT_SCALE;
  const wishes = Object.values(scale).every((value) => typeof value === 'object')
    ? Object.values(scale as Record<string, { min: number; max: number | 'auto' }>)
    : [scale as { min?: number; max?: number | 'auto' }];
  if (wishes.length === 0) return DEFAULT_SCALE;
  const min = Math.max(...wishes.map((wish) => wish.min ?? DEFAULT_SCALE.min));
  const max = Math.max(
    ...wishes.map((wish) => (typeof wish.max === 'number' ? wish.max : DEFAULT_SCALE.max)),
  );
  return { min, max: Math.max(min, max) };
}

function variables(
  own: NonNullable<ConfigFile['env']> | undefined,
  given: Readonly<Record<string, string>> = {},
  at: JsonPath,
  option: string,
  report: (path: JsonPath, message: string) => void,
): Record<string, string> {
  const said: Record<string, string> = {};
  if (Array.isArray(own)) {
    own.forEach((name, index) => {
      if (!Object.hasOwn(given, name)) {
        report([...at, index], `${name} has a name but no value: give it with ${option} ${name}=…`);
      }
    });
  } else {
    // What is given on the command line stands in for whatever the file says.
    for (const [name, value] of Object.entries(own ?? {})) {
      if (!Object.hasOwn(given, name)) said[name] = value;
    }
  }
  return kept({ ...said, ...given }, (name, message) => report([...at, name], message));
}

/**
 * | written | kept as |
 * |---|---|
 * | `@name`, `@@text` | the same: a secret, and the plain `@text` |
 * | `\@text` | the plain `@text`, as it was written in 2018 |
 * | `\\@text` | the plain `\@text` |
 * | anything else | itself |
 */
function kept(
  written: Readonly<Record<string, string>>,
  report: (name: string, message: string) => void,
): Record<string, string> {
  return mapped(written, (value, name) => {
    if (/^\\+@/.test(value)) return plainVariable(value.slice(1));
    const variable = readVariable(value);
    if (variable.kind === 'secret' && !isSecretName(variable.name)) {
      report(
        name,
        `${name} names no secret with "${value}" (a name is ${SECRET_NAME_RULE}): write "@${value}" if the "@" is part of it`,
      );
    }
    return value;
  });
}

/** `toVariables` backwards: what gives these when it is written so. */
export function spelled(variables: Readonly<Record<string, string>>): Record<string, string> {
  return mapped(variables, (value) => (/^\\+@/.test(value) ? `\\${value}` : value));
}

/** Throws SECRET_IN_BUILD. */
function refuseSecrets(buildEnv: Readonly<Record<string, string>>, given: Given): void {
  const { secret } = splitVariables(buildEnv);
  const problems = Object.entries(secret).map(([name, of]) =>
    problemAt(
      given.fileName,
      given.locate,
      ['build', 'env', name],
      `${name} names the secret "${of}", and a build argument stays readable in the image; for a plain "@${of}" write "@@${of}"`,
    ),
  );
  if (problems.length === 0) return;
  const detail = problems.map(({ message }) => message).join('\n');
  throw new BerthError('SECRET_IN_BUILD', { detail, problems });
}

function mapped(
  values: Readonly<Record<string, string>>,
  map: (value: string, name: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, map(value, name)]),
  );
}
