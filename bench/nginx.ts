/** nginx as the reverse proxy that others would put in front of an app: one process, keep-alive on both sides. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answered, freePort } from './bare.ts';
import type { Target } from './first-byte.ts';

export interface Nginx {
  readonly target: Target;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A line of the access log for each request goes to /dev/null, as the other side's does. */
export async function startNginx(upstream: string, authority: string): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-nginx.'));
  const port = await freePort();
  const configuration = join(folder, 'nginx.conf');
  await writeFile(
    configuration,
    `daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log /dev/null combined;
  keepalive_requests 1000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream app { server ${upstream}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', configuration], { stdio: 'ignore' });
  const target = { host: '127.0.0.1', port, authority };
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (child.pid === undefined)
      await once(child, 'error').then(([error]) => Promise.reject(error as Error));
    await answered(target);
    return { target, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
