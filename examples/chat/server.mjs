/** A chat room: everyone who has the page open reads what anyone writes. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { acceptWebSocket } from './websocket.mjs';

const page = await readFile(new URL('index.html', import.meta.url));
const people = new Set();

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(page);
});

server.on('upgrade', (request, socket, head) => {
  socket.unshift(head);
  const person = acceptWebSocket(request, socket, {
    onText: (text) => tellAll(text),
    onClose: () => {
      people.delete(person);
      tellAll(`(someone left, ${people.size} here)`);
    },
  });
  if (!person) return;
  people.add(person);
  tellAll(`(someone came, ${people.size} here)`);
});

function tellAll(text) {
  for (const person of people) person.send(text);
}

server.listen(process.env.PORT ?? 8080);

process.once('SIGTERM', () => {
  server.close();
  // 1012: the service restarts, come again.
  for (const person of people) person.close(1012);
});
