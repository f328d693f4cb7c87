/** What counts as proof that an app read nothing of a request. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnread, NOTHING_SENT, type PeerConnection, type Sent } from './unread.ts';

const sent: Sent = { localHost: '10.0.0.1', localPort: 5_000, bytes: 100 };
const row: PeerConnection = {
  peerHost: '10.0.0.1',
  peerPort: 5_000,
  isAccepted: true,
  unreadBytes: 100,
};

describe('isUnread', () => {
  it.each<[string, Sent | undefined, readonly PeerConnection[], boolean]>([
    ['all of it waits', sent, [row], true],
    ['more waits: an earlier body was left unread', sent, [{ ...row, unreadBytes: 130 }], true],
    ['one byte was taken', sent, [{ ...row, unreadBytes: 99 }], false],
    ['all was taken', sent, [{ ...row, unreadBytes: 0 }], false],
    [
      'not accepted, whatever has arrived',
      sent,
      [{ ...row, isAccepted: false, unreadBytes: 3 }],
      true,
    ],
    ['no such connection', sent, [], false],
    ['the same port of somebody else', sent, [{ ...row, peerHost: '10.0.0.9' }], false],
    ['another port', sent, [{ ...row, peerPort: 5_001 }], false],
    ['two that fit', sent, [row, row], false],
    ['nothing was sent', NOTHING_SENT, [], true],
    ['nobody knows what was sent', undefined, [row], false],
  ])('%s', (_name, what, connections, expected) => {
    expect(isUnread(what, connections)).toBe(expected);
  });

  /** A connection as it comes about: bytes go in order, some arrive, the app takes some, earlier requests went before. */
  const history = fc
    .record({
      earlier: fc.nat(2_000),
      bytes: fc.integer({ min: 1, max: 2_000 }),
      arrivedShare: fc.double({ min: 0, max: 1, noNaN: true }),
      takenShare: fc.double({ min: 0, max: 1, noNaN: true }),
      isAccepted: fc.boolean(),
      others: fc.array(
        fc.record({
          peerHost: fc.constantFrom('10.0.0.1', '10.0.0.9'),
          peerPort: fc.integer({ min: 1, max: 4_999 }),
          isAccepted: fc.boolean(),
          unreadBytes: fc.nat(3_000),
        }),
      ),
    })
    .map(({ earlier, bytes, arrivedShare, takenShare, isAccepted, others }) => {
      const arrived = Math.floor((earlier + bytes) * arrivedShare);
      const taken = isAccepted ? Math.floor(arrived * takenShare) : 0;
      return { earlier, bytes, arrived, taken, isAccepted, others };
    });

  it('never calls a request unread of which the app has taken a byte', () => {
    fc.assert(
      fc.property(history, ({ earlier, bytes, arrived, taken, isAccepted, others }) => {
        const connection = { ...row, isAccepted, unreadBytes: arrived - taken };
        const verdict = isUnread({ ...sent, bytes }, [...others, connection]);
        if (taken > earlier) expect(verdict).toBe(false);
      }),
    );
  });

  it('knows every request as unread that has arrived whole and of which nothing was taken', () => {
    fc.assert(
      fc.property(history, ({ earlier, bytes, taken, isAccepted, others }) => {
        const unreadBytes = earlier + bytes - Math.min(taken, earlier);
        const connection = { ...row, isAccepted, unreadBytes };
        expect(isUnread({ ...sent, bytes }, [connection, ...others])).toBe(true);
      }),
    );
  });
});
