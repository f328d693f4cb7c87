/** The same answer is read the same way however its bytes arrive, and what could be read in two ways is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader, NotHttpError } from './answer-reader.ts';

interface Told {
  information: [status: number, headers: readonly string[]][];
  head: [status: number, message: string, headers: readonly string[]] | undefined;
  body: string;
  trailers: readonly string[];
  isOver: boolean;
  mayStay: boolean;
  keepAliveSeconds: number | undefined;
}

/** Reads text in pieces that end at the given places; `isClosed`: and then the app closes. */
function read(
  text: string,
  {
    cuts = [],
    isToHead = false,
    isClosed = false,
  }: {
    readonly cuts?: readonly number[];
    readonly isToHead?: boolean;
    readonly isClosed?: boolean;
  } = {},
): Told {
  const told: Told = {
    information: [],
    head: undefined,
    body: '',
    trailers: [],
    isOver: false,
    mayStay: false,
    keepAliveSeconds: undefined,
  };
  const reader = new AnswerReader(
    {
      onInformation: (...said) => told.information.push(said),
      onHead: (...said) => {
        told.head = said;
      },
      onBody: (bytes) => {
        told.body += bytes.toString('latin1');
        return true;
      },
    },
    isToHead,
    1_000,
  );
  const bytes = Buffer.from(text, 'latin1');
  const places = [...new Set([0, ...cuts, bytes.length])].toSorted((one, other) => one - other);
  for (const [index, place] of places.entries()) {
    reader.read(bytes.subarray(place, places[index + 1] ?? place));
  }
  if (isClosed) reader.end();
  return {
    ...told,
    trailers: reader.trailers,
    isOver: reader.isOver,
    mayStay: reader.mayStay,
    keepAliveSeconds: reader.keepAliveSeconds,
  };
}

const OK = 'HTTP/1.1 200 OK\r\n';

/** Well-formed answers of every kind of body. */
const ANSWERS = [
  `${OK}content-length: 5\r\nX-One: a: b\r\nx-one:\r\nx-two:  \tpadded\t \r\n\r\nhello`,
  `${OK}Content-Length: 0\r\n\r\n`,
  'HTTP/1.1 204\r\n\r\n',
  `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n00a;why="so"\r\n0123456789\r\n0\r\n\r\n`,
  `${OK}Transfer-Encoding: Chunked\r\ntrailer: x-sum\r\n\r\n1\r\n\r\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n`,
  'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 \xe9\r\ncontent-length: 2\r\n\r\nno',
];

describe('an answer', () => {
  it('is told as it was sent', () => {
    expect(read(ANSWERS[0] ?? '')).toEqual({
      information: [],
      head: [200, 'OK', ['content-length', '5', 'X-One', 'a: b', 'x-one', '', 'x-two', 'padded']],
      body: 'hello',
      trailers: [],
      isOver: true,
      mayStay: true,
      keepAliveSeconds: undefined,
    });
    expect(read(ANSWERS[3] ?? '').body).toBe('hello0123456789');
    expect(read(ANSWERS[4] ?? '')).toMatchObject({
      body: '\r',
      trailers: ['x-sum', '1', 'x-more', '2'],
      isOver: true,
    });
    expect(read(ANSWERS[5] ?? '')).toMatchObject({
      information: [[103, ['link', '</a>']]],
      head: [404, '\xe9', ['content-length', '2']],
      body: 'no',
    });
  });

  it('is the same however its bytes arrive', () => {
    const pieces = fc.record({
      text: fc.constantFrom(...ANSWERS),
      cuts: fc.array(fc.nat(120), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(pieces, ({ text, cuts }) => {
        const inside = cuts.filter((cut) => cut < text.length);
        expect(read(text, { cuts: inside })).toEqual(read(text));
      }),
    );
  });

  it('without a length ends with its connection, which then is of no more use', () => {
    const text = `${OK}\r\nall there is`;
    expect(read(text)).toMatchObject({ body: 'all there is', isOver: false });
    expect(read(text, { isClosed: true })).toMatchObject({ isOver: true, mayStay: false });
    expect(read(`${OK}transfer-encoding: gzip\r\n\r\nab`, { isClosed: true })).toMatchObject({
      body: 'ab',
      isOver: true,
    });
  });

  it('is not whole when its connection ends before', () => {
    for (const text of ANSWERS) {
      for (const missing of [1, 2, 3]) {
        const cut = text.slice(0, -missing);
        expect(read(cut, { isClosed: true })).toMatchObject({ isOver: false, mayStay: false });
      }
    }
  });

  it('to HEAD, 204 and 304 has no body, whatever it announces', () => {
    expect(read(`${OK}content-length: 5\r\n\r\n`, { isToHead: true })).toMatchObject({
      isOver: true,
      mayStay: true,
    });
    for (const status of [204, 304]) {
      const head = `HTTP/1.1 ${status} x\r\n`;
      expect(read(`${head}\r\n`)).toMatchObject({ isOver: true, mayStay: true });
      // A body may follow all the same.
      expect(read(`${head}content-length: 5\r\n\r\n`)).toMatchObject({
        isOver: true,
        mayStay: false,
      });
    }
  });

  it.each([
    [`${OK}content-length: 0\r\nconnection: close\r\n\r\n`, false],
    [`${OK}content-length: 0\r\nConnection: x-mine , Close\r\n\r\n`, false],
    [`${OK}content-length: 0\r\nconnection: closed\r\n\r\n`, true],
    ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: Keep-Alive\r\n\r\n', true],
    [`${OK}content-length: 1\r\n\r\nab`, false],
    [`${OK}content-length: 0\r\n\r\n${OK}content-length: 0\r\n\r\n`, false],
  ])('says whether its connection may stay: %#', (text, mayStay) => {
    expect(read(text)).toMatchObject({ isOver: true, mayStay });
  });

  it('says for how long its connection may rest', () => {
    const text = `${OK}content-length: 0\r\nkeep-alive: max=5, timeout=7\r\n\r\n`;
    expect(read(text).keepAliveSeconds).toBe(7);
  });
});

describe('what is no answer', () => {
  it.each([
    'SSH-2.0-OpenSSH_9.2\r\n',
    'H\nTTP',
    'HTTP/1.1 200 OK\ncontent-length: 0\n\n',
    'HTTP/1.2 200 OK\r\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 +20 OK\r\n\r\n',
    'HTTP/1.1\t200 OK\r\n\r\n',
    'HTTP/1.1 200 O\x00K\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    `${OK}no colon\r\n\r\n`,
    `${OK}: no name\r\n\r\n`,
    `${OK}x bad: a\r\n\r\n`,
    `${OK}x-bad : a\r\n\r\n`,
    `${OK} x-folded: a\r\n\r\n`,
    `${OK}x-bad: a\r\n folded\r\n\r\n`,
    `${OK}x-bad: a\rb\r\n\r\n`,
    `${OK}x-bad: a\nb: c\r\n\r\n`,
    `${OK}x-bad: \x7f\r\n\r\n`,
    `${OK}content-length: 1\r\ncontent-length: 1\r\n\r\n`,
    `${OK}content-length: 1, 1\r\n\r\n`,
    `${OK}content-length: -1\r\n\r\n`,
    `${OK}content-length: +1\r\n\r\n`,
    `${OK}content-length: 0x1\r\n\r\n`,
    `${OK}content-length: \r\n\r\n`,
    `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\nzz\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n0x5\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n-5\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n5 \r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n5\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n5;a=\x00\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n2\r\nabc\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n2\r\nab\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n0\r\nx-bad : a\r\n\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n0\r\nx: a\n\r\n`,
    `${OK}transfer-encoding: chunked\r\n\r\n${'0'.repeat(5_000)}`,
    `${OK}x-long: ${'x'.repeat(2_000)}\r\n\r\n`,
    `${OK}x-long: ${'x'.repeat(2_000)}`,
    `${OK}transfer-encoding: chunked\r\n\r\n0\r\nx-long: ${'x'.repeat(2_000)}`,
  ])('is refused, all at once and byte by byte: %#', (text) => {
    const cuts = [...text].map((_, index) => index);
    expect(() => read(text)).toThrow(NotHttpError);
    expect(() => read(text, { cuts })).toThrow(NotHttpError);
  });
});
