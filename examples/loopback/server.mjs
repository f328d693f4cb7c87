/** Listens where nobody outside the container can reach it: a usual mistake, and Berth says so. */
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('Only I can read this\n'));
server.listen(process.env.PORT ?? 8080, '127.0.0.1');
process.once('SIGTERM', () => server.close());
