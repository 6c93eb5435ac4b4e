import type { Channel } from '../../transport/channel.ts';
import { NO_EDITS } from '../../wire/http/header-edits.ts';
import type { ChannelWriter } from '../buffers/channel-writer.ts';
import type { EngineRefusal } from '../contract/engine.ts';
import type { HeaderList } from '../contract/http-reply.ts';
import { finalHead } from './reply/reply-head.ts';

export const LATE_HEAD: EngineRefusal = {
  status: 408,
  reason: 'head_timeout',
  detail: 'the request head did not arrive in time',
};
export const CUT_HEAD: EngineRefusal = {
  status: 400,
  reason: 'bad_header',
  detail: 'the request ended in the middle of its head',
};
export const UNKNOWN_EXPECTATION: EngineRefusal = {
  status: 417,
  reason: 'expectation',
  detail: 'the only supported expectation is 100-continue',
};

const PLAIN_TEXT: HeaderList = [['Content-Type', 'text/plain; charset=utf-8']];

/**
 * Answers 400 instead of a reply that was aborted before it began. The client may have closed only its
 * sending side, and still wait for an answer.
 */
export function sendBadRequest(
  writer: ChannelWriter,
  channel: Channel,
  requestId: string,
  detail: string,
): void {
  const bytes = Buffer.from(`${detail}\n`, 'latin1');
  const ownLines = `Content-Length: ${bytes.length}\r\nConnection: close\r\n`;
  writer.write(channel, finalHead({ status: 400, ownLines, requestId }, PLAIN_TEXT, NO_EDITS), bytes, '');
}
