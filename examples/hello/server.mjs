/** The least that can be deployed: an HTTP server on a random port. */
import { createServer } from 'node:http';

const greeting = process.env.GREETING ?? 'Hello';
const answerAfterMs = Number(process.env.ANSWER_AFTER_MS ?? 0);

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  setTimeout(() => response.end(`${greeting} from Berth\n`), answerAfterMs);
});

// Port 0 lets the system choose: Berth finds out which one it was.
server.listen(0, () => console.log(`listening on port ${server.address().port}`));

// The first process of a container gets no default for SIGTERM.
process.once('SIGTERM', () => server.close());
