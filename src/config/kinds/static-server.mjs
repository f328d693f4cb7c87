/**
 * Serves the files of one folder over HTTP: what a static site without a Dockerfile runs in its container.
 * `node static-server.mjs FOLDER`, port from PORT. Needs nothing but Node.
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';

const TYPES = {
  '.avif': 'image/avif',
  '.bmp': 'image/bmp',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
  '.otf': 'font/otf',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
  '.webm': 'video/webm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml; charset=utf-8',
  '.zip': 'application/zip',
};

const root = await realpath(resolve(process.argv[2] ?? '.'));

/** The file of a URL path: inside the folder also after following links, and not hidden; or a folder to redirect to; or nothing. */
async function find(pathname) {
  const names = pathname.split('/').filter((name) => name !== '');
  const isHidden = (name, index) =>
    name.startsWith('.') && !(index === 0 && name === '.well-known');
  if (names.some(isHidden) || pathname.includes('\0')) return undefined;
  const real = await realpath(join(root, ...names)).catch(() => undefined);
  if (real === undefined || (real !== root && !real.startsWith(root + sep))) return undefined;
  const status = await stat(real);
  if (status.isFile()) return pathname.endsWith('/') ? undefined : { path: real, status };
  if (!status.isDirectory()) return undefined;
  const index = await find(`${pathname}/index.html`);
  if (index === undefined || pathname.endsWith('/')) return index;
  return { folder: true };
}

/** `bytes=a-b` of one range as [first, last]; undefined when there is none, null when it cannot be served. */
function range(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return first <= last ? [first, last] : null;
}

function plain(response, status, text, headers = {}) {
  const body = `${text}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function send(request, response, file, code) {
  const { size, mtimeMs } = file.status;
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  const headers = {
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=0, must-revalidate',
    'content-type': TYPES[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    etag,
    'x-content-type-options': 'nosniff',
  };
  const known = request.headers['if-none-match'];
  if (code === 200 && known?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const part = code === 200 ? range(request.headers.range, size) : undefined;
  if (part === null) {
    plain(response, 416, 'There is no such range', { 'content-range': `bytes */${size}` });
    return;
  }
  const [start, end] = part ?? [0, size - 1];
  response.writeHead(part ? 206 : code, {
    ...headers,
    'content-length': size === 0 ? 0 : end - start + 1,
    ...(part ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
  });
  if (request.method === 'HEAD' || size === 0) response.end();
  else pipeline(createReadStream(file.path, { start, end }), response, () => {});
}

async function answer(request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    plain(response, 405, 'Only GET and HEAD are answered here', { allow: 'GET, HEAD' });
    return;
  }
  const [path, query] = request.url.split(/\?(.*)/s, 2);
  let pathname;
  try {
    pathname = decodeURIComponent(path);
  } catch {
    plain(response, 400, 'This address cannot be read');
    return;
  }
  const file = await find(pathname);
  if (file?.folder) {
    // One slash only: two would make it the address of another host.
    const location = `/${path.replace(/^\/+/, '')}/${query === undefined ? '' : `?${query}`}`;
    plain(response, 308, location, { location });
    return;
  }
  if (file !== undefined) {
    send(request, response, file, 200);
    return;
  }
  const page = await find('/404.html');
  if (page?.path) send(request, response, page, 404);
  else plain(response, 404, 'There is nothing here');
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => {
    if (response.headersSent) response.destroy();
    else plain(response, 500, 'This could not be read');
  });
});
server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`serving ${root} on port ${server.address().port}`);
});
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
