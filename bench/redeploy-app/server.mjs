/** What is changed and deployed again: one line of it says which change it is. */
import { createServer } from 'node:http';

const CHANGE = 'none';
createServer((_request, response) => response.end(`${CHANGE}\n`)).listen(process.env.PORT ?? 8080);
process.once('SIGTERM', () => process.exit(0));
