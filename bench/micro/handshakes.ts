import { ResponseHeadReader } from '../../src/wire/http/response-head.ts';
import { acceptKey } from '../../src/wire/upgrade/accept-key.ts';
import { checkUpgradeResponse } from '../../src/wire/upgrade/upgrade-response.ts';
import type { MicroCase } from './micro-case.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Runs the codec work of one opening handshake. */
export default function cases(): MicroCase[] {
  const accept = acceptKey(KEY);
  const answer = Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nUpgrade: websocket\r\n' +
      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: chat.v2\r\n\r\n`,
  );
  return [
    { name: 'accept value of a key', run: () => acceptKey(KEY) },
    {
      name: 'read and check a 101',
      run: () => {
        const head = new ResponseHeadReader(true).push(answer, 0, answer.length);
        if (typeof head === 'string') throw new Error(head);
        return checkUpgradeResponse(head, accept, ['chat.v2']);
      },
    },
  ];
}
