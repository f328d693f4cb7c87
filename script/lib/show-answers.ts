/** Asks a deployment twice and shows both answers with their times: the first wakes it, the second finds it awake. */
import { request } from 'node:http';
import { styleText } from 'node:util';

interface Answer {
  readonly status: number;
  /** `x-berth-start`: how the instance came to be ready. */
  readonly start: string;
  /** `Server-Timing`: where the time went. */
  readonly timing: string;
  readonly body: string;
  /** From sending the request to the first byte of the answer. */
  readonly firstByteMs: number;
}

/** Names below .localhost are this machine, whether its resolver knows that or not. */
function ask(url: URL, path: string, host = url.host): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isLocal = /(^|\.)localhost$/.test(url.hostname);
    const startedAt = performance.now();
    const asked = request(
      {
        host: isLocal ? '127.0.0.1' : url.hostname,
        port: url.port || 80,
        path,
        headers: { host, accept: 'text/plain, */*' },
        agent: false,
      },
      (response) => {
        const firstByteMs = performance.now() - startedAt;
        const header = (name: string) => [response.headers[name] ?? ''].flat().join(', ');
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            start: header('x-berth-start'),
            timing: header('server-timing'),
            body: body.trim(),
            firstByteMs,
          }),
        );
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

function show(name: string, answer: Answer): void {
  const time = styleText('bold', `${answer.firstByteMs.toFixed(1)} ms`);
  console.log(`  ${name}  ${time}  ${answer.status}, x-berth-start: ${answer.start}`);
  console.log(styleText('dim', `          ${answer.timing}`));
}

async function main(): Promise<number> {
  const url = new URL(process.argv[2] ?? '');
  // What this process loads for its first request is not to count as the deployment's time.
  await ask(url, '/.well-known/berth/health', `127.0.0.1:${url.port || 80}`).catch(() => undefined);
  const first = await ask(url, url.pathname);
  const second = await ask(url, url.pathname);
  console.log(`\n${styleText('bold', process.argv[2] ?? '')}`);
  console.log(`  ${first.body.split('\n')[0]}\n`);
  show('first ', first);
  show('second', second);
  const isGood = first.status === 200 && second.status === 200;
  if (!isGood) console.error(`\nThe deployment did not answer with 200:\n${first.body}`);
  return isGood ? 0 : 1;
}

process.exitCode = await main();
