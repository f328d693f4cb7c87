/** How every part of the client asks: what is shared between its files. */

/** The data of an answer, or the error it is. */
export type Ask = <Data>(
  asked: Promise<{ data?: Data; error?: unknown; response: Response }>,
) => Promise<{ data: Data; response: Response }>;
