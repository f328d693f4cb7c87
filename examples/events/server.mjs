/** Server-sent events: one a second for as long as the client stays; `/events?count=3` ends after three. */
import { createServer } from 'node:http';

const page = `<!doctype html><meta charset="utf-8"><title>Events</title><h1>Events</h1><pre id="out"></pre>
<script>new EventSource('/events').onmessage = (event) => { document.getElementById('out').append(event.data + '\\n') }</script>
`;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname !== '/events') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(page);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const count = Number(url.searchParams.get('count') ?? Number.POSITIVE_INFINITY);
  let sent = 0;
  const tick = () => {
    sent += 1;
    response.write(`id: ${sent}\ndata: ${new Date().toISOString()}\n\n`);
    if (sent >= count) response.end();
  };
  const timer = setInterval(tick, 1000);
  response.once('close', () => clearInterval(timer));
  tick();
});

server.listen(process.env.PORT ?? 8080);
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
