/** The answers of `GET /live`. */
import { networkOf } from '../../../wire/ip-address.ts';
import { JSON_TYPE, jsonAnswer, type AdminRequest, type Answer } from '../admin-answer.ts';
import type { AdminRefusals } from '../admin-refusals.ts';
import { encodingFor } from '../pages/accepted-encoding.ts';
import type { LiveFeed } from './live-feed.ts';
import { liveStream } from './live-stream.ts';

const EVENT_STREAM = 'text/event-stream';
/** The answer depends on these headers. */
const VARY = 'Accept, Accept-Encoding';

/**
 * Answers with a stream of frames. Answers with one frame as JSON for the parameter `once`, and for clients
 * that accept JSON but no stream.
 */
export async function answerLive(
  request: AdminRequest,
  query: string,
  feed: LiveFeed,
  refusals: AdminRefusals,
): Promise<Answer> {
  const { accept = '*/*', 'accept-encoding': acceptEncoding = '' } = request.headers;
  const takes = mediaRanges(accept);
  const isOnce = new URLSearchParams(query).has('once');
  if (!isOnce && takes.some((range) => [EVENT_STREAM, 'text/*', '*/*'].includes(range))) {
    const address = networkOf(request.socket.remoteAddress ?? '');
    // A HEAD request does not count as a reader.
    const full = request.method === 'HEAD' ? null : feed.refusal(address);
    if (full !== null) {
      return refusals.refuse(request, 'live_full', 503, `/live is full: ${full}`, {
        'Retry-After': '5',
      });
    }
    const encoding = encodingFor(acceptEncoding, null);
    return {
      status: 200,
      type: EVENT_STREAM,
      body: liveStream(feed, encoding, address),
      headers: {
        Vary: VARY,
        // nginx would buffer frames until its buffer is full.
        'X-Accel-Buffering': 'no',
        ...(encoding !== null && { 'Content-Encoding': encoding }),
      },
    };
  }
  if (isOnce || takes.some((range) => [JSON_TYPE, 'application/*'].includes(range))) {
    const { text } = await feed.frame();
    return { status: 200, type: JSON_TYPE, body: `${text}\n`, headers: { Vary: VARY } };
  }
  return jsonAnswer(406, `/live is ${EVENT_STREAM} or ${JSON_TYPE}: accept one of them`);
}

/** Returns the media ranges of an Accept header, except those with weight 0 (RFC 9110 section 12.5.1). */
function mediaRanges(accept: string): string[] {
  return accept.split(',').flatMap((part) => {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return parameters.some((parameter) => /^q *= *0(?:\.0*)?$/.test(parameter)) ? [] : [range];
  });
}
