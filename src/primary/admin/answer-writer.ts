import type { ServerResponse } from 'node:http';
import type { Answer, AnswerClient, EncodedPage } from './admin-answer.ts';

/**
 * Writes an answer. A long page may not be complete yet. It is sent in chunks at the client's pace, or to
 * HTTP/1.0 until the connection closes. A stream only begins here.
 *
 * @throws PageDroppedError if the page ends early. The caller must cut the answer
 */
export async function writeAnswer(
  answer: Answer,
  response: ServerResponse,
  client: AnswerClient,
): Promise<void> {
  const { status, type, body, headers } = answer;
  const isWhole = typeof body === 'string' || Buffer.isBuffer(body);
  const length = isWhole ? Buffer.byteLength(body) : 'page' in body ? body.page.length(body.encoding) : null;
  response.writeHead(status, {
    'Content-Type': type,
    // Omit it for 304, which would need the length of the 200 (RFC 9110 section 8.6).
    ...(length !== null && status !== 304 && { 'Content-Length': length }),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  let last: string | Buffer | undefined;
  if (isWhole) {
    last = body;
  } else if (response.req.method !== 'HEAD') {
    if ('begin' in body) {
      body.begin(response, client);
      return;
    }
    last = await writePage(body, response, client);
  }
  if (response.destroyed) return;
  // Call this before `end`: the connection may be idle afterwards.
  client.answered();
  response.end(last);
}

/**
 * Writes a page while it is being rendered. Returns early if the client disconnects.
 *
 * @returns the last chunk, to be written by `end`. A client that has all bytes of a Content-Length may send
 * its next request at once, and the answer must be over by then
 */
async function writePage(
  { page, encoding }: EncodedPage,
  response: ServerResponse,
  client: AnswerClient,
): Promise<Buffer | undefined> {
  const reading = page.read(encoding);
  const close = (): void => reading.close();
  if (response.destroyed) close();
  response.once('close', close);
  try {
    let last: Buffer | undefined;
    for await (const chunk of reading.chunks) {
      if (response.destroyed) return undefined;
      const before = last;
      last = chunk;
      if (before === undefined || response.write(before)) continue;
      client.answered();
      await drainOf(response);
      client.taken();
    }
    return last;
  } catch (error) {
    if (!response.destroyed) throw error;
    return undefined;
  } finally {
    response.off('close', close);
    close();
  }
}

/** Resolves when the client has taken the written bytes, or has disconnected. */
function drainOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
    if (response.destroyed) settle();
  });
}
