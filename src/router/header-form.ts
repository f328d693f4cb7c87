/** Which characters the parts of a message may have: anything else could end a line, and say something that nobody said. */

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 5.5, as Latin-1. */
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const NO_TARGET = /[^\x21-\xff]/;

/** The name of a header, or a method. */
export function isHeaderName(text: string): boolean {
  return TOKEN.test(text);
}

/** The value of a header, or the words behind a status. */
export function isHeaderValue(text: string): boolean {
  return !NO_VALUE.test(text);
}

/** What stands between method and version. */
export function isTarget(text: string): boolean {
  return text !== '' && !NO_TARGET.test(text);
}
