/** What is released over and over: says which release it is, writes down what is posted, gives back what a WebSocket sends. */
import { createServer } from 'node:http';
import { acceptWebSocket } from './websocket.mjs';

const { VERSION = 'none' } = process.env;
const server = createServer((request, response) => {
  const id = new URL(request.url, 'http://app').searchParams.get('id');
  // Counted where its effect would be: before the answer.
  if (request.method === 'POST') console.log(`served ${id}`);
  response.end(`${VERSION} ${id}`);
});
server.on('upgrade', (request, socket, head) => {
  socket.unshift(head);
  const peer = acceptWebSocket(request, socket, {
    onText: (text) => peer.send(`${VERSION} ${text}`),
    onClose: () => {},
  });
});
server.listen(process.env.PORT ?? 8080);
process.once('SIGTERM', () => server.close());
