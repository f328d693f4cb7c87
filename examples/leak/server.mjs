/** `POST /leak` takes memory until the instance is ended for it; everything else says how much is in use. */
import { createServer } from 'node:http';

const kept = [];

function leak() {
  // Filled, because memory that was never written takes no room.
  kept.push(Buffer.alloc(4 * 1024 * 1024, 1));
  setImmediate(leak);
}

const server = createServer((request, response) => {
  // No answer: the request lasts as long as the instance.
  if (request.method === 'POST' && request.url === '/leak') return leak();
  response.end(`${Math.round(process.memoryUsage().rss / 1024 / 1024)} MiB in use\n`);
});
server.listen(process.env.PORT ?? 8080);
process.once('SIGTERM', () => server.close());
