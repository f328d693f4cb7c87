/** Where the program begins: hands the real world to the command line, and the server to `berth serve`. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { isRunning, signalProcess, startInBackground } from './system/background.ts';
import { systemClock } from './system/clock.ts';
import { run } from './cli/run.ts';

// The launcher sets it for this process; what we start is not to write into our cache.
const compileCache = process.env.NODE_COMPILE_CACHE;
delete process.env.NODE_COMPILE_CACHE;

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

// A reader that has seen enough (`berth ls | head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

// The first signal ends things in order; a second one of somebody who cannot wait ends them at once.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  });
}

// `berth down --instances`: the server is to leave nothing running.
let removeInstances = false;
process.on('SIGUSR2', () => {
  removeInstances = true;
  interrupted.abort();
});

const exitCode = await run(
  {
    stdout: process.stdout,
    stderr: process.stderr,
    canAsk: process.stdin.isTTY && process.stderr.isTTY,
    readInput: () => buffer(process.stdin),
    env: process.env,
    folder: process.cwd(),
    version,
    isRoot: process.getuid?.() === 0,
    homeFolder: homedir(),
    clock: systemClock,
    interrupted: interrupted.signal,
    background: {
      start: (args, logFile) =>
        startInBackground(
          process.execPath,
          // The launcher's flags are meant for the server above all.
          [...process.execArgv, import.meta.filename, ...args],
          logFile,
          {
            ...process.env,
            ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
          },
        ),
      isServer: (processId) => isRunning(processId, 'serve'),
      signal: signalProcess,
    },
    trustCertificate: async (certificate, fileName) => {
      const { trustCertificate } = await import('./system/trust-store.ts');
      return trustCertificate(certificate, fileName);
    },
    readHost: async (questions) => {
      const { readHost } = await import('./system/host.ts');
      return readHost(questions);
    },
    setUpZram: async (noteFile, bytes) => {
      const { setUpZram } = await import('./system/zram.ts');
      return (await setUpZram(noteFile, bytes)).device;
    },
    undoZram: async (noteFile) => {
      const { undoZram } = await import('./system/zram.ts');
      return undoZram(noteFile);
    },
    writeOutput: async (bytes) => {
      if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
    },
    restore: async (options) => {
      const { restoreBackup } = await import('./restore.ts');
      return restoreBackup(options);
    },
    serve: async (options) => {
      const { startServer } = await import('./server.ts');
      const server = await startServer(options);
      await new Promise<void>((resolve) => {
        if (interrupted.signal.aborted) resolve();
        interrupted.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await server.close({ removeInstances });
    },
  },
  process.argv.slice(2),
);
// What was under way when somebody pressed ctrl-C must not keep the process; otherwise stdout is left to drain.
if (interrupted.signal.aborted) process.exit(exitCode);
process.exitCode = exitCode;
