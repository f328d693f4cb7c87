/** What both sides of every comparison run: an HTTP server that answers at once, or after `?sleep=` milliseconds. */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const query = new URL(request.url, 'http://app').searchParams;
  // A POST is counted where its effect would be: before the answer.
  if (request.method === 'POST') console.log(`served ${query.get('id')}`);
  const sleep = Number(query.get('sleep') ?? 0);
  if (sleep > 0) setTimeout(() => response.end('hello\n'), sleep);
  else response.end('hello\n');
});
server.listen(Number(process.env.PORT));
process.once('SIGTERM', () => process.exit(0));
