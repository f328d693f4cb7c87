/**
 * What an instance listens on, read from outside through the procfs of its network namespace.
 *
 * `/proc/PID/net/tcp` walks the kernel's whole hash of connections (1.7 ms per file on a host with 262,144 buckets), too
 * much for every millisecond. `/proc/PID/net/sockstat` holds counters of the same namespace and costs 10 µs: the tables are
 * read only when these say that a socket is there which was not there at the last reading.
 */
import { closeSync, openSync, read, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PeerConnection } from '../../core/unread.ts';
import type { ListeningPort } from '../../ports/engine.ts';

const ESTABLISHED = '01';
const LISTEN = '0A';
/** procfs hands out at most one page per read; listeners come first. */
const PAGE_BYTES = 4096;

/** `TCP: inuse N` of sockstat and `TCP6: inuse N` of sockstat6; 0 when there is no such line. */
export function parseInUse(text: string): number {
  return Number(/^TCP6?: inuse (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Lines of `/proc/PID/net/tcp` or `tcp6` → the listeners among them. */
export function parseListeners(text: string): ListeningPort[] {
  const ports: ListeningPort[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line);
    if (!match || match[3] !== LISTEN) continue;
    ports.push({
      port: Number.parseInt(match[2] ?? '', 16),
      loopbackOnly: isLoopback(match[1] ?? ''),
    });
  }
  return ports;
}

/** Lines of `/proc/PID/net/tcp` or `tcp6` → the connections that stand both ways. */
export function parseConnections(text: string): PeerConnection[] {
  const connections: PeerConnection[] = [];
  for (const line of text.split('\n')) {
    // sl, local, remote, state, tx:rx, timer:when, retransmits, user, timeout, inode
    const [, , remote = '', state, queues = '', , , , , inode] = line.trim().split(/\s+/);
    const [address, port] = remote.split(':');
    if (state !== ESTABLISHED || address === undefined || port === undefined) continue;
    connections.push({
      peerHost: hostFrom(address),
      peerPort: Number.parseInt(port, 16),
      isAccepted: inode !== '0',
      unreadBytes: Number.parseInt(queues.split(':')[1] ?? '', 16),
    });
  }
  return connections;
}

/** As Node writes it, for IPv4; a true IPv6 address comes as its bytes, which are like no name that Node gives. */
function hostFrom(address: string): string {
  const bytes = addressBytes(address);
  if (bytes.length === 16 && !isMapped(bytes)) return address;
  return bytes.slice(-4).join('.');
}

/** The address is four-byte words in host order: on little-endian machines 127.0.0.1 is `0100007F`. */
function addressBytes(address: string): readonly number[] {
  const words = address.match(/.{8}/g) ?? [];
  return words.flatMap((word) => {
    const inOrder = [0, 2, 4, 6].map((at) => Number.parseInt(word.slice(at, at + 2), 16));
    return IS_LITTLE_ENDIAN ? inOrder.toReversed() : inOrder;
  });
}

/** IPv4 in the clothes of IPv6. */
function isMapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
}

function isLoopback(address: string): boolean {
  const bytes = addressBytes(address);
  if (bytes.length === 4) return bytes[0] === 127;
  if (isMapped(bytes)) return bytes[12] === 127;
  return bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1;
}

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** One port once, reachable if any of its sockets is. */
export function mergePorts(ports: readonly ListeningPort[]): ListeningPort[] {
  const byPort = new Map<number, ListeningPort>();
  for (const port of ports) {
    if (!byPort.has(port.port) || !port.loopbackOnly) byPort.set(port.port, port);
  }
  return [...byPort.values()];
}

/** Counters of TCP sockets in the network namespace of a process. Throws when it is gone. About 25 µs. */
export function countSockets(pid: number): { readonly tcp: number; readonly tcp6: number } {
  const tcp = parseInUse(readFileSync(`/proc/${pid}/net/sockstat`, 'latin1'));
  let tcp6 = 0;
  try {
    tcp6 = parseInUse(readFileSync(`/proc/${pid}/net/sockstat6`, 'latin1'));
  } catch {
    // A kernel without IPv6 has no such file.
  }
  return { tcp, tcp6 };
}

/** The listeners in one table. The walk of the kernel happens on a thread of the pool, not on ours. */
export async function readListeners(pid: number, table: 'tcp' | 'tcp6'): Promise<ListeningPort[]> {
  const descriptor = openSync(`/proc/${pid}/net/${table}`, 'r');
  try {
    const buffer = Buffer.alloc(PAGE_BYTES);
    let text = '';
    for (;;) {
      const length = await new Promise<number>((resolve, reject) => {
        read(descriptor, buffer, 0, PAGE_BYTES, null, (error, bytes) =>
          error ? reject(error) : resolve(bytes),
        );
      });
      text += buffer.toString('latin1', 0, length);
      const last = text.slice(text.lastIndexOf('\n', text.length - 2) + 1);
      // Listeners stand before connections, so a page that ends with a connection, or is not full, was the last of them.
      if (length < PAGE_BYTES - 200 || !last.includes(` ${LISTEN} `)) return parseListeners(text);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** All connections of the namespace. The kernel's walk, 1.7 ms for each table, happens on threads of the pool. */
export async function readConnections(pid: number): Promise<readonly PeerConnection[]> {
  const tables = await Promise.all([
    readFile(`/proc/${pid}/net/tcp`, 'latin1'),
    // A kernel without IPv6 has no such file.
    readFile(`/proc/${pid}/net/tcp6`, 'latin1').catch(() => ''),
  ]);
  return tables.flatMap(parseConnections);
}
