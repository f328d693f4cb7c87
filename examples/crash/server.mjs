/** Ends while starting unless it is configured: `berth deploy examples/crash --env DATABASE_URL=anything` mends it. */
import { createServer } from 'node:http';

if (!process.env.DATABASE_URL) {
  console.error('DATABASE_URL is not set');
  process.exit(1);
}

const server = createServer((_request, response) => response.end('Configured\n'));
server.listen(process.env.PORT ?? 8080);
process.once('SIGTERM', () => server.close());
