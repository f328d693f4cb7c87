/** Ends of frames are found wherever the network cuts the bytes. */
import type { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { closeFrame, FrameTracker } from './websocket-frames.ts';

/** Both are exported, and its types do not say so. */
const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: {
    readonly isServer: boolean;
  }) => EventEmitter & { write(bytes: Buffer): void };
  readonly Sender: { frame(data: Buffer, options: object): Buffer[] };
};

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];

const frame = fc
  .record({
    bytes: fc.oneof(fc.constantFrom(...SIZES), fc.nat(300)),
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    fin: fc.boolean(),
    mask: fc.boolean(),
    rsv1: fc.boolean(),
  })
  .map(({ bytes, ...options }) =>
    // Payloads full of what looks like heads of Close frames.
    Buffer.concat(Sender.frame(Buffer.alloc(bytes, 0x88), { ...options, readOnly: true })),
  );

describe('a frame tracker', () => {
  it('stops at every end of a frame and nowhere else, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }),
        (frames, cuts) => {
          const all = Buffer.concat(frames);
          let end = 0;
          const ends = frames.map((one) => (end += one.length));
          const tracker = new FrameTracker();
          const found: number[] = [];
          for (let at = 0, turn = 0; at < all.length; turn += 1) {
            const chunk = all.subarray(at, at + cuts[turn % cuts.length]!);
            for (let from = 0; from < chunk.length; ) {
              from += tracker.take(chunk.subarray(from), true);
              if (tracker.isBetween) found.push(at + from);
            }
            at += chunk.length;
          }
          expect(found).toEqual(ends);
          expect(tracker.hasClosed).toBe(false);
        },
      ),
    );
  });

  it('takes everything at once unless it is to stop, and then knows as much', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.nat(20), (frames, missing) => {
        const all = Buffer.concat(frames);
        const tracker = new FrameTracker();
        expect(tracker.take(all)).toBe(all.length);
        expect(tracker.isBetween).toBe(true);
        const half = all.subarray(0, Math.max(0, all.length - missing));
        const other = new FrameTracker();
        other.take(half);
        let end = 0;
        const isEnd =
          half.length === 0 || frames.some((one) => (end += one.length) === half.length);
        expect(other.isBetween).toBe(isEnd);
      }),
    );
  });

  it('sees a Close frame as soon as it begins', () => {
    const tracker = new FrameTracker();
    tracker.take(Buffer.from([0x81, 0x01, 0x88]));
    expect(tracker.hasClosed).toBe(false);
    tracker.take(Buffer.from([0x88]));
    expect(tracker.hasClosed).toBe(true);
    expect(tracker.isBetween).toBe(false);
  });
});

describe('a Close frame', () => {
  it.each([true, false])('is read by others as what it is (masked: %s)', async (isMasked) => {
    const receiver = new Receiver({ isServer: isMasked });
    const read = new Promise((resolve, reject) => {
      receiver.on('conclude', (code: number, reason: Buffer) => resolve([code, reason.toString()]));
      receiver.on('error', reject);
    });
    receiver.write(closeFrame(1012, 'gone – but back soon', isMasked));
    expect(await read).toEqual([1012, 'gone – but back soon']);
  });
});
