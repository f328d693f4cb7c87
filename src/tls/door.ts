/** The door of the TLS listener: the certificate by the name a client gives, and proofs for ACME servers that knock. */
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Reporter } from '../ports/reporter.ts';
import type { Certificates } from './certificates.ts';
import type { Challenges } from './challenges.ts';
import { contextOf, type Pair } from './pair.ts';

/** RFC 8737: the protocol of a handshake that only wants to see a proof, as it stands in a ClientHello, its length first. */
const PROOF_PROTOCOL = 'acme-tls/1';
const KNOCK = Buffer.from(`\n${PROOF_PROTOCOL}`, 'latin1');
/** Type, version and length of a TLS record. */
const RECORD_HEAD_BYTES = 5;
const HANDSHAKE = 22;
/** A record may have 2^14 bytes. */
const MOST_BYTES = 16_384 + RECORD_HEAD_BYTES;
/** For the first bytes of a handshake while proofs are asked for. */
const KNOCK_MS = 10_000;

/** How to make a TLS server that asks here for its certificates. */
export interface DoorOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca: string[];
  readonly minVersion: 'TLSv1.2';
  readonly SNICallback: (
    hostname: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ) => void;
}

export interface Door {
  readonly options: DoorOptions;
  /** Lets the server show proofs, and keeps the certificate for clients that name no host fresh. */
  guard(server: Server): void;
}

/** Makes the default certificate if need be, and with it the authority. */
export async function openDoor(
  certificates: Certificates,
  challenges: Challenges,
  reporter: Reporter,
): Promise<Door> {
  let shown: Pair = await certificates.defaultPair();

  async function refresh(server: Server): Promise<void> {
    const pair = await certificates.defaultPair();
    if (pair === shown) return;
    shown = pair;
    server.setSecureContext({
      cert: pair.certificate,
      key: pair.key,
      ca: [],
      minVersion: 'TLSv1.2',
    });
  }

  const failed = (error: unknown) =>
    reporter.report('error', 'certificate.failed', { because: String(error) });

  return {
    options: {
      cert: shown.certificate,
      key: shown.key,
      ca: [],
      minVersion: 'TLSv1.2',
      SNICallback: (hostname, done) => {
        certificates.secureContextFor(hostname).then(
          (context) => done(null, context),
          (error: unknown) => {
            failed(error);
            done(error instanceof Error ? error : new Error(String(error)));
          },
        );
      },
    },
    guard(server) {
      const proving = provingServer(challenges, shown);
      const accept = server.listeners('connection') as ((socket: Socket) => void)[];
      server.removeAllListeners('connection');
      server.on('connection', (socket: Socket) => {
        refresh(server).catch(failed);
        const pass = () => {
          for (const listener of accept) listener.call(server, socket);
        };
        if (challenges.isExpectingHandshake) {
          firstRecord(socket, (record) => {
            if (record.includes(KNOCK)) proving.emit('connection', socket);
            else pass();
          });
        } else pass();
      });
    },
  };
}

/** Never listens: it is given the connections that ask for a proof, and ends them when they have seen it. */
function provingServer(challenges: Challenges, otherwise: Pair): Server {
  const nothing = contextOf(otherwise);
  const server = createServer(
    {
      cert: otherwise.certificate,
      key: otherwise.key,
      ca: [],
      minVersion: 'TLSv1.2',
      handshakeTimeout: KNOCK_MS,
      ALPNProtocols: [PROOF_PROTOCOL],
      SNICallback: (hostname, done) => done(null, challenges.contextFor(hostname) ?? nothing),
    },
    (socket: TLSSocket) => {
      socket.on('error', () => {});
      socket.end();
    },
  );
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/**
 * Calls back with the first TLS record, which is then read again by whoever takes the socket. Node's hooks for the
 * choice of a certificate do not tell which protocols a client offers, so it is looked at here, and only here.
 */
function firstRecord(socket: Socket, done: (record: Buffer) => void): void {
  let seen = Buffer.alloc(0);
  const leave = () => {
    socket.off('readable', look);
    socket.off('error', give);
    socket.off('close', leave);
    socket.setTimeout(0);
    socket.off('timeout', give);
  };
  const give = () => {
    leave();
    socket.destroy();
  };
  const look = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
      seen = Buffer.concat([seen, chunk as Buffer]);
    }
    if (!isWhole(seen)) return;
    leave();
    socket.unshift(seen);
    done(seen);
  };
  socket.on('readable', look);
  socket.on('error', give);
  socket.on('close', leave);
  socket.setTimeout(KNOCK_MS);
  socket.on('timeout', give);
}

/** Whether a record is there from its first byte to its last, or the bytes are no handshake at all. */
function isWhole(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  if (bytes[0] !== HANDSHAKE || bytes.length > MOST_BYTES) return true;
  if (bytes.length < RECORD_HEAD_BYTES) return false;
  return bytes.length >= RECORD_HEAD_BYTES + bytes.readUInt16BE(3);
}
