/** Who may import whom, and which words of the platform stand where: the rules that the architecture test reads. */

/** One part of the program: a folder of src, or one file at its top. */
export interface Part {
  readonly name: string;
  /** What else of ours it may import, each with its reason. An edge that nothing uses fails the test. */
  readonly may: Readonly<Record<string, string>>;
  /** npm packages it may import. One that nothing uses fails the test. `*`: any. */
  readonly packages: readonly string[];
  /** Whether it may import Node's own modules. */
  readonly node: boolean;
  /** Said when something forbidden is imported. */
  readonly because: string;
}

const SAME_RULE =
  'parts never import each other: what they share is a port or a function of core, so that each can be read, tested and replaced alone';
const DRIVER_RULE = 'a driver is deleted by deleting its folder';

const WORDS = 'the words of the model, errors with codes, pure decisions';
const NEEDS = 'capabilities are handed in behind a port';

export const PARTS: readonly Part[] = [
  {
    name: 'core',
    may: {},
    packages: [],
    node: false,
    because: 'core decides and is pure, so that it can be proved and simulated',
  },
  {
    name: 'ports',
    may: { core: 'interfaces speak the words of the model' },
    packages: [],
    node: false,
    because: 'a port is an interface: whoever implements it must not come along',
  },
  {
    name: 'config',
    may: { core: 'bounds, defaults and errors stand there once' },
    packages: ['zod', 'jsonc-parser', 'yaml', 'ignore', '@balena/dockerignore', 'dockerfile-ast'],
    node: true,
    because: 'reading a configuration must work without a server, in the CLI',
  },
  {
    name: 'access',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: true,
    because: SAME_RULE,
  },
  {
    name: 'router',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: true,
    because: SAME_RULE,
  },
  {
    name: 'aliases',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: false,
    because: SAME_RULE,
  },
  {
    name: 'releases',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: false,
    because: SAME_RULE,
  },
  {
    name: 'scheduler',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: false,
    because: SAME_RULE,
  },
  {
    name: 'deploys',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: true,
    because: SAME_RULE,
  },
  {
    name: 'cleanup',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: true,
    because: `${SAME_RULE}; what it removes it asks the others to remove`,
  },
  {
    name: 'backup',
    may: { core: WORDS, ports: NEEDS },
    // Archives are never written by hand.
    packages: ['tar-stream'],
    node: true,
    because: SAME_RULE,
  },
  {
    name: 'logs',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: true,
    because: SAME_RULE,
  },
  {
    name: 'metrics',
    may: { core: WORDS, ports: NEEDS },
    // The text format is Prometheus's own.
    packages: ['prom-client'],
    node: true,
    because: `${SAME_RULE}; figures hear of the others through the reporter and the access record`,
  },
  {
    name: 'tls',
    may: { core: WORDS, ports: NEEDS },
    // Wire formats are never written by hand: DER, X.509 and ACME are these.
    packages: ['@peculiar/asn1-schema', '@peculiar/asn1-x509', '@peculiar/x509', 'acme-client'],
    node: true,
    because: SAME_RULE,
  },
  {
    name: 'secrets',
    may: { core: WORDS, ports: NEEDS },
    packages: [],
    node: true,
    because: SAME_RULE,
  },
  {
    name: 'engines',
    may: { core: WORDS, ports: 'the port it implements' },
    packages: ['undici'],
    node: true,
    because: DRIVER_RULE,
  },
  {
    name: 'stores',
    may: { core: WORDS, ports: 'the port it implements' },
    packages: ['kysely', 'better-sqlite3'],
    node: true,
    because: DRIVER_RULE,
  },
  {
    name: 'system',
    may: { core: WORDS, ports: 'the ports it implements' },
    packages: [],
    node: true,
    because: DRIVER_RULE,
  },
  {
    name: 'api',
    may: {
      core: WORDS,
      ports: NEEDS,
      config: 'the schema that validates a file validates a request',
      access: 'its public functions',
      aliases: 'its public functions',
      backup: 'its public functions',
      cleanup: 'its public functions',
      deploys: 'its public functions',
      releases: 'its public functions',
      secrets: 'its public functions',
      tls: 'its public functions',
    },
    packages: [
      'fastify',
      'fastify-type-provider-zod',
      '@fastify/swagger',
      'zod',
      // For `npm run docs` alone.
      'openapi-typescript',
    ],
    node: true,
    because: 'the API is an edge of the program: it asks the parts and decides nothing',
  },
  {
    name: 'client',
    may: { core: 'the words of the model' },
    packages: ['openapi-fetch', 'eventsource-parser'],
    node: false,
    because: 'the client must be usable in a browser',
  },
  {
    name: 'cli',
    may: {
      backup: 'a backup is checked where it is written to a file',
      client: 'what the CLI can do, anyone can do through the API',
      config: 'the configuration and the ignore files are read where the folder is',
      core: WORDS,
      ports: 'time is handed in',
    },
    packages: ['commander', '@clack/prompts'],
    node: true,
    because:
      'what the CLI can do, anyone can do through the API: it has no way of its own into the server',
  },
  {
    name: 'wiring',
    may: {
      core: 'wiring',
      engines: 'wiring',
      ports: 'wiring',
      router: 'the form of a line of the access log',
      system: 'wiring',
      tls: 'what is said of ACME',
    },
    packages: ['pino'],
    node: true,
    because: 'parts of the wiring that more than the server needs, or that stand alone',
  },
  {
    name: 'server.ts',
    may: {
      access: 'wiring',
      releases: 'wiring',
      backup: 'wiring',
      cleanup: 'wiring',
      aliases: 'wiring',
      api: 'wiring',
      config: 'wiring',
      core: 'wiring',
      deploys: 'wiring',
      logs: 'wiring',
      metrics: 'wiring',
      router: 'wiring',
      scheduler: 'wiring',
      secrets: 'wiring',
      stores: 'wiring',
      system: 'wiring',
      tls: 'wiring',
      wiring: 'its own parts that stand alone',
    },
    packages: [],
    node: true,
    because: 'the server is wired here and knows nothing of the command line',
  },
  {
    name: 'restore.ts',
    may: {
      backup: 'wiring',
      wiring: 'the engine is opened as a server opens it',
      stores: 'wiring',
      system: 'wiring',
    },
    packages: [],
    node: true,
    because: 'a restore is wired here: it works without a server',
  },
  {
    name: 'main.ts',
    may: {
      cli: 'it parses the command line',
      'server.ts': 'and starts the server when told so',
      'restore.ts': 'or fills its folder',
      system: 'real time',
    },
    packages: [],
    node: true,
    because: 'it only chooses between the CLI and the server',
  },
  {
    name: 'sim',
    may: {
      core: WORDS,
      ports: NEEDS,
      scheduler: 'the real part in a false world',
      engines: 'the memory engine',
      router: 'the real part in a false world',
      releases: 'what they tell routes and fleet',
      stores: 'the memory store',
    },
    packages: [],
    node: true,
    because: 'a world from a seed has the real parts and memory drivers, nothing of the real world',
  },
];

/** A word that stands for time, chance, waiting or the outside world. */
export interface Ban {
  /** An identifier, or `object.property`. `async` and `await` are the keywords; `new Date()` means without arguments. */
  readonly word: string;
  readonly instead: string;
}

/** Not in src/core, not even in a type. */
export const IMPURE: readonly Ban[] = [
  { word: 'Date', instead: 'take `now` in ms as an argument' },
  { word: 'Math.random', instead: 'take the drawn value or a Random as an argument' },
  { word: 'async', instead: 'return the decision as a value; the part that asked waits' },
  { word: 'await', instead: 'take what was awaited as an argument' },
  { word: 'Promise', instead: 'return the decision as a value; the part that asked waits' },
  { word: 'performance', instead: 'take `now` in ms as an argument' },
  { word: 'process', instead: 'take what you need of it as an argument' },
  { word: 'console', instead: 'return `because`: who asked logs it' },
  { word: 'setTimeout', instead: 'return when to look again' },
  { word: 'setInterval', instead: 'return when to look again' },
  { word: 'setImmediate', instead: 'return what is to be done next' },
  { word: 'queueMicrotask', instead: 'return what is to be done next' },
  { word: 'fetch', instead: 'take what was fetched as an argument' },
  { word: 'crypto', instead: 'take the hash or the id as an argument' },
  { word: 'globalThis', instead: 'take what you need of it as an argument' },
];

/** Nowhere in src and sim but in the files of `AT_HOME`. */
export const TIME_AND_CHANCE: readonly Ban[] = [
  { word: 'setTimeout', instead: 'clock.sleep(ms, signal)' },
  { word: 'setInterval', instead: 'a loop with clock.sleep(ms, signal)' },
  { word: 'AbortSignal.timeout', instead: 'an AbortController and clock.sleep(ms, signal)' },
  { word: 'Date.now', instead: 'clock.now()' },
  { word: 'new Date()', instead: 'new Date(clock.now())' },
  { word: 'performance.now', instead: 'clock.now()' },
  { word: 'Math.random', instead: 'random.fraction()' },
  { word: 'randomBytes', instead: 'random.id(length)' },
  { word: 'randomUUID', instead: 'random.id(length)' },
  { word: 'randomInt', instead: 'random.fraction()' },
];

/** Where real time and chance live. */
export const AT_HOME: readonly string[] = ['src/system/clock.ts', 'src/system/random.ts'];
