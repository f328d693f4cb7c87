/** The catalogue: every failure a person can meet, with its HTTP status and what to do about it. */

interface Entry {
  /** HTTP status when it answers a request. */
  readonly status: number;
  /** A short title: the same for every occurrence. */
  readonly title: string;
  /** What to do about it. */
  readonly advice: string;
}

export const CATALOGUE = {
  // --- the request path
  NOT_FOUND: {
    status: 404,
    title: 'There is nothing here',
    advice: 'Check the address, hostname and path; `berth ls` shows what is deployed.',
  },
  NOT_READY: {
    status: 503,
    title: 'This deployment is not ready',
    advice: 'It is still being built, or it failed: `berth inspect` tells which.',
  },
  QUEUE_FULL: {
    status: 429,
    title: 'Too many requests are waiting',
    advice: 'Try again shortly, or raise scale.max or limits.maxConcurrentReqs.',
  },
  ASLEEP: {
    status: 503,
    title: 'The deployment sleeps, and this request may not wake it',
    advice:
      'A request that fits the `wake` rules of its configuration wakes it; monitors ask /.well-known/berth/health.',
  },
  INSIDE_ONLY: {
    status: 403,
    title: 'Only an instance itself may say that it is busy',
    advice:
      'Send it from inside the instance to the address in BERTH_BUSY_URL, or answer with the header x-berth-busy.',
  },
  BUSY_INVALID: {
    status: 400,
    title: 'That is no time for being busy',
    advice: 'Give seconds (600), or a number with s, m or h (10m); 0 ends it.',
  },
  QUOTA_INSTANCES: {
    status: 429,
    title: 'The team runs as many instances as its plan allows',
    advice:
      'Try again when one has come to rest, or ask the operator for another plan (`berth teams`).',
  },
  QUOTA_REQUESTS: {
    status: 429,
    title: 'The team has as many requests at once as its plan allows',
    advice: 'Try again shortly, or ask the operator for another plan (`berth teams`).',
  },
  TOO_MANY_CONNECTIONS: {
    status: 429,
    title: 'Too many connections of one client',
    advice: 'Keep connections open and use them again, or use HTTP/2; then try again shortly.',
  },
  BOOT_TIMEOUT: {
    status: 504,
    title: 'The app did not start in time',
    advice: 'Look at `berth logs`: the app has to listen on a port within the boot time.',
  },
  BOOT_FAILED: {
    status: 502,
    title: 'The app stopped while starting',
    advice: 'Look at the last lines of `berth logs`; the exit code is in the message.',
  },
  NO_PORT: {
    status: 502,
    title: 'The app does not listen on a reachable port',
    advice: 'Listen on 0.0.0.0 (or ::) and the port in PORT, or on any other port.',
  },
  OUT_OF_MEMORY: {
    status: 502,
    title: 'The app was stopped for using too much memory',
    advice: 'Choose a slot with more memory: `berth slots`.',
  },
  INSTANCE_DIED: {
    status: 502,
    title: 'The instance stopped while it answered',
    advice: 'Look at `berth logs`; the detail says why the request was not sent again.',
  },
  BAD_RESPONSE: {
    status: 502,
    title: 'The answer of the app is not valid HTTP',
    advice: 'The detail says what the parser met: mend what the app writes, or its `protocol`.',
  },
  DURATION_EXCEEDED: {
    status: 504,
    title: 'The request took longer than limits.duration',
    advice: 'Answer sooner, or raise limits.duration (at most 30 minutes).',
  },
  BAD_REQUEST: {
    status: 400,
    title: 'The request cannot be understood',
    advice: 'Check the form of the request.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'Berth is stopping',
    advice: 'Try again in a moment.',
  },

  // --- the API
  UNAUTHORIZED: {
    status: 401,
    title: 'A token is needed',
    advice:
      'Log in with `berth login`, or set BERTH_TOKEN; on the machine of the server --data leads to its own token.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'This token may not do that',
    advice: '`berth whoami` shows what yours may; an owner of the team can give another.',
  },
  LOGIN_INVALID: {
    status: 403,
    title: 'This login link cannot be used',
    advice:
      'It works once and for a limited time: ask an owner for another (`berth teams invite`).',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many deploys in a short time',
    advice: 'Wait for as long as Retry-After says; `berth deploy` does so by itself.',
  },
  TEAM_NOT_FOUND: {
    status: 404,
    title: 'There is no such team',
    advice: '`berth teams` shows those there are.',
  },
  TEAM_EXISTS: {
    status: 409,
    title: 'There is a team of that name already',
    advice: 'Choose another name; `berth teams` shows those there are.',
  },
  TEAM_IN_USE: {
    status: 409,
    title: 'This team cannot be removed',
    advice: 'Remove its projects first: `berth projects`, `berth projects rm`.',
  },
  PROJECT_NOT_FOUND: {
    status: 404,
    title: 'There is no such project',
    advice: '`berth projects` shows those there are; the first deploy of a name makes one.',
  },
  PROJECT_BUSY: {
    status: 409,
    title: 'The project is being removed',
    advice: 'Try again in a moment; `berth projects` shows whether it is there.',
  },
  PROJECT_TAKEN: {
    status: 409,
    title: 'Another team has a project of that name',
    advice: 'Names are for the whole platform: choose another with --name.',
  },
  TOKEN_NOT_FOUND: {
    status: 404,
    title: 'There is no such token',
    advice: '`berth token ls` shows those there are.',
  },
  TOKEN_EXISTS: {
    status: 409,
    title: 'The team has a token of that name already',
    advice: 'Choose another name, or remove the old one: `berth token rm`.',
  },
  PLAN_NOT_FOUND: {
    status: 404,
    title: 'There is no such plan',
    advice: '`berth plans` shows those there are.',
  },
  PLAN_IN_USE: {
    status: 409,
    title: 'This plan cannot be removed',
    advice: 'Presets stay, and so does a plan that a team is on: `berth teams plan` changes that.',
  },
  INVALID_INPUT: {
    status: 400,
    title: 'The input is not valid',
    advice: 'The list of problems names each place.',
  },
  DEPLOYMENT_NOT_FOUND: {
    status: 404,
    title: 'There is no such deployment',
    advice: '`berth ls` shows what is deployed.',
  },
  DEPLOYMENT_AMBIGUOUS: {
    status: 409,
    title: 'Several deployments fit this name',
    advice: 'Give more of the name, or the whole URL.',
  },
  INTERNAL: {
    status: 500,
    title: 'Something went wrong inside Berth',
    advice: 'The log of `berth serve` has the details under the id of this answer.',
  },

  // --- configuration
  CONFIG_INVALID: {
    status: 400,
    title: 'The configuration is not valid',
    advice: 'Mend the places named; docs/reference/configuration.md lists every key.',
  },
  CONFIG_SYNTAX: {
    status: 400,
    title: 'The form of the configuration file is broken',
    advice: 'Mend the line named.',
  },
  CONFIG_CONFLICT: {
    status: 400,
    title: 'Two configuration files were found',
    advice: 'Keep one of them, or name the one that is meant.',
  },
  STACK_NOT_FOUND: {
    status: 400,
    title: 'There is no stack file here',
    advice: 'Name it with -f, or write a berth.stack.json: docs/stacks.md shows one.',
  },
  STACK_IMPOSSIBLE: {
    status: 409,
    title: 'The stack asks for what cannot be',
    advice: 'Change the stack file where it says so; nothing was done.',
  },
  PLAN_OUTDATED: {
    status: 409,
    title: 'Somebody changed something since the plan was made',
    advice: 'Run `berth apply` again: it makes a new plan from what is there now.',
  },
  SLOT_UNAVAILABLE: {
    status: 400,
    title: 'This machine has not enough for that slot',
    advice: '`berth slots` shows what fits.',
  },

  // --- upload and build
  FOLDER_NOT_FOUND: {
    status: 400,
    title: 'There is no such folder',
    advice: 'Name an existing folder, or use --image REF.',
  },
  NO_DOCKERFILE: {
    status: 400,
    title: 'There is no Dockerfile, and the kind of folder was not recognised',
    advice:
      'Add a Dockerfile. Recognised without one: package.json, index.html, requirements.txt or main.py, go.mod.',
  },
  UPLOAD_PATH: {
    status: 400,
    title: 'A path cannot be uploaded',
    advice:
      'Paths must be relative, stay inside the folder, and be plain UTF-8 names without backslashes or control characters.',
  },
  UPLOAD_SYMLINK: {
    status: 400,
    title: 'A symbolic link leads out of the folder',
    advice: 'Replace the link by a copy, or name it in .berthignore.',
  },
  UPLOAD_FILE_KIND: {
    status: 400,
    title: 'Only files, folders and symbolic links can be uploaded',
    advice: 'Name the socket, pipe or device in .berthignore.',
  },
  UPLOAD_TOO_LARGE: {
    status: 413,
    title: 'The upload is too large',
    advice: 'Name what the app does not need in .berthignore.',
  },
  UPLOAD_MISMATCH: {
    status: 400,
    title: 'What arrived is not what the manifest says',
    advice: 'A file changed while it was read: deploy again.',
  },
  UPLOAD_INCOMPLETE: {
    status: 409,
    title: 'Files of the manifest are missing',
    advice: 'Upload the blobs named, then try again.',
  },
  DOCKERFILE_UNSUPPORTED: {
    status: 400,
    title: 'The builder cannot read this Dockerfile',
    advice:
      'Heredocs need Buildah 1.33 (Podman 4.8) or newer: write the lines as RUN a && b, or COPY a script.',
  },
  DOCKERFILE_INVALID: {
    status: 400,
    title: 'The Dockerfile is not valid',
    advice: 'Mend the line named.',
  },
  BUILD_FAILED: {
    status: 422,
    title: 'The build failed',
    advice: 'The last lines above say which step.',
  },
  BUILD_TIMEOUT: {
    status: 422,
    title: 'The build took too long',
    advice: 'Make it shorter, or raise --build-timeout of berth serve.',
  },
  IMAGE_NOT_FOUND: {
    status: 422,
    title: 'The image cannot be found or pulled',
    advice: 'Check its name, and that its registry can be reached from here.',
  },
  DISK_FULL: {
    status: 507,
    title: 'The disk is full',
    advice:
      'Free space or remove deployments (`berth rm`); `berth usage --disk` shows what takes the room. Serving goes on.',
  },
  DISK_BUDGET: {
    status: 507,
    title: 'Berth has used up its budget of the disk',
    advice:
      'Remove deployments (`berth rm`), or raise --disk-budget of berth serve; `berth usage --disk` shows what takes the room. Serving goes on.',
  },
  HEALTH_FAILED: {
    status: 422,
    title: 'The health path did not answer well',
    advice: 'It must answer 2xx or 3xx: look at `berth logs`.',
  },
  DEPLOY_INTERRUPTED: {
    status: 503,
    title: 'The deploy was interrupted',
    advice: 'Deploy again: what was uploaded and built is still there.',
  },

  // --- certificates
  CERTIFICATE_INVALID: {
    status: 400,
    title: 'The certificate cannot be used',
    advice:
      'Give the chain with the certificate of the hostname first, and the key that belongs to it, both as PEM.',
  },
  CERTIFICATE_NOT_FOUND: {
    status: 404,
    title: 'There is no such certificate',
    advice: '`berth tls ls` shows those there are.',
  },

  // --- secrets
  SECRET_NOT_FOUND: {
    status: 404,
    title: 'There is no such secret',
    advice: '`berth secrets ls` shows their names; `berth secrets add NAME` keeps a new one.',
  },
  SECRET_EXISTS: {
    status: 409,
    title: 'A secret of this name is kept already',
    advice: '`berth secrets rotate NAME` gives it a new value; or choose another name.',
  },
  SECRET_IN_USE: {
    status: 409,
    title: 'The secret is in use',
    advice:
      'Remove what uses it first, or say --force: what is running goes on, but starts no more.',
  },
  SECRET_IN_BUILD: {
    status: 400,
    title: 'A build argument cannot be a secret',
    advice:
      'Build arguments stay in the history of the image. Give the secret to the running app instead (`env`), or fetch what needs it before the build.',
  },
  SECRETS_LOCKED: {
    status: 503,
    title: 'The secrets cannot be opened',
    advice:
      'Put the key file that belongs to them back into the data folder and start Berth anew; `berth doctor` says what is wrong with it.',
  },

  // --- releases
  ENVIRONMENT_NOT_FOUND: {
    status: 404,
    title: 'There is no such environment',
    advice:
      '`berth environments` shows those of a project, and `berth environments add` makes one.',
  },
  RELEASE_NOT_FOUND: {
    status: 404,
    title: 'There is no such release',
    advice: '`berth releases` shows the history of an environment.',
  },
  NOTHING_TO_ROLL_BACK: {
    status: 409,
    title: 'There is no release to go back to',
    advice: '`berth releases` shows which took traffic; `berth rollback vN` goes to any of those.',
  },
  IMAGE_GONE: {
    status: 503,
    title: 'The image is gone',
    advice: 'Deploy its source again, or choose another release: `berth releases`.',
  },
  RELEASE_FAILED: {
    status: 422,
    title: 'The release did not come up',
    advice: 'What ran before serves on. Mend what the last lines say, then release again.',
  },
  RELEASE_IN_PROGRESS: {
    status: 409,
    title: 'Too many releases of this environment wait for each other',
    advice: 'Wait until one has ended; `berth releases` shows how far it is.',
  },
  ENVIRONMENT_PAUSED: {
    status: 409,
    title: 'Automatic deploys of this environment wait',
    advice: 'It was rolled back. `berth promote` or `berth deploy --prod` releases to it again.',
  },
  DEPLOYMENT_IN_USE: {
    status: 409,
    title: 'An environment runs this deployment',
    advice:
      'Release something else there first, or remove the environment: `berth environments rm`.',
  },
  HOSTNAME_TAKEN: {
    status: 409,
    title: 'The hostname leads somewhere else already',
    advice: 'Choose another name; `berth alias ls` and `berth ls` show where names lead.',
  },
  ALIASED: {
    status: 409,
    title: 'An alias leads to it',
    advice:
      'Lead the alias elsewhere (`berth alias set`), remove it (`berth alias rm`), or say --with-aliases: it then goes too.',
  },
  ALIAS_NOT_FOUND: {
    status: 404,
    title: 'There is no such alias',
    advice: '`berth alias ls` lists those there are.',
  },

  // --- backup and restore
  BACKUP_FAILED: {
    status: 500,
    title: 'The backup could not be made',
    advice:
      'The detail says why. Nothing was changed, and no file has the name you gave: try again.',
  },
  BACKUP_INVALID: {
    status: 400,
    title: 'This is no whole backup',
    advice: 'Nothing was written. Copy the file again, or take an older backup.',
  },
  BACKUP_NEWER: {
    status: 400,
    title: 'The backup was made by a newer version of Berth',
    advice: 'Nothing was written. Restore it with that version or a newer one.',
  },
  PASSPHRASE_WRONG: {
    status: 400,
    title: 'The passphrase does not open this backup',
    advice: 'Nothing was written. Try again with the one that was given when it was made.',
  },
  DATA_EXISTS: {
    status: 409,
    title: 'There is data in that folder already',
    advice: 'Nothing was written. Restore into another folder with --data, or move that one away.',
  },
  RESTORE_UNFINISHED: {
    status: 500,
    title: 'A restore into this data folder did not end',
    advice: 'Run `berth restore` with the same file again: it begins anew.',
  },

  // --- host and engine
  ENGINE_UNAVAILABLE: {
    status: 503,
    title: 'The container engine does not answer',
    advice: '`berth doctor` looks at the engine and says what is missing.',
  },
  ENGINE_FAILED: {
    status: 502,
    title: 'The container engine refused',
    advice: 'The message is the engine’s own; `berth doctor` may know more.',
  },
  HOST_UNSUPPORTED: {
    status: 500,
    title: 'This host lacks something Berth needs',
    advice: '`berth doctor` names what is missing and how to install it.',
  },
  ZRAM_IMPOSSIBLE: {
    status: 500,
    title: 'Compressed swap cannot be set up or undone here',
    advice: 'The detail says why; the host is as it was.',
  },
  SERVER_NOT_RUNNING: {
    status: 503,
    title: 'Berth is not running',
    advice: 'Start it with `berth up`.',
  },
  SERVER_RUNNING: {
    status: 409,
    title: 'Berth is already running',
    advice: '`berth status` shows where; `berth down` stops it.',
  },
  ADDRESS_IN_USE: {
    status: 409,
    title: 'The listen address is taken',
    advice: 'Stop what listens there, or choose another with --listen.',
  },
  DATA_FOLDER: {
    status: 500,
    title: 'The data folder cannot be used',
    advice: 'Check that it exists, is writable, and was written by this version or an older one.',
  },
  USAGE: {
    status: 400,
    title: 'The command line is not right',
    advice: '`berth help` lists commands and options.',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** One place in an input that is wrong. */
export interface Problem {
  /** Where: a JSON path such as `limits.duration`, or a file path. */
  readonly at: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ErrorOptions {
  /** What exactly happened this time: a sentence with names and numbers. */
  readonly detail?: string;
  readonly problems?: readonly Problem[];
  /** Last lines of a log that belong to this failure. */
  readonly log?: readonly string[];
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A failure with a code of the catalogue: the only kind of error that Berth shows to people. */
export class BerthError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly advice: string;
  readonly detail: string;
  readonly problems: readonly Problem[];
  readonly log: readonly string[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    const entry: Entry = CATALOGUE[code];
    const detail = options.detail ?? entry.title;
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BerthError';
    this.code = code;
    this.status = entry.status;
    this.title = entry.title;
    this.advice = entry.advice;
    this.detail = detail;
    this.problems = options.problems ?? [];
    this.log = options.log ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Path of the page about a code, on the platform hostnames and in the repository's docs folder. */
export function errorPagePath(code: ErrorCode): string {
  return `/docs/errors/${code}`;
}
