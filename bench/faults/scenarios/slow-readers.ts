import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { formatBytes } from '../../figures/readable-numbers.ts';
import { ProxyUnderTest } from '../../reloadable/proxy-under-test.ts';
import { Crowd } from '../crowd/crowd.ts';
import { endedSince, figure, kindsOf, p99Figure } from '../figures.ts';
import type { Scenario } from '../scenario.ts';

const READERS = 200;
const OTHERS = 100;
const BEFORE_MS = 2000;
const AFTER_MS = 6000;
const STEP_MS = 250;

/** Sends clients more than they read. */
export const slowReaders: Scenario = {
  name: 'slow-readers',
  title: 'Slow readers',
  text:
    '200 clients do not read the endless data of an endpoint; 100 others continue with 1,000 ' +
    'messages a second. Memory is the memory of the process, without kernel buffers.',
  async run(stage, peer) {
    const { plain } = await stage.startEndpoint();
    const proxy = await ProxyUnderTest.start(stage, peer, { endpoints: [plain] });
    const { ws } = proxy.setup.ports;
    const crowd = await Crowd.gather({
      protocol: 'ws',
      port: ws,
      sessions: OTHERS,
      rate: 1000,
      reopens: true,
    });
    await delay(BEFORE_MS);
    const before = proxy.memory();
    const at = monotonicNow();
    const sockets = Array.from({ length: READERS }, () => stall(ws));
    const timeline: (readonly [number, number])[] = [];
    while (monotonicNow() < at + AFTER_MS) {
      timeline.push([(monotonicNow() - at) / 1000, (proxy.memory() - before) / 1e6]);
      await delay(STEP_MS);
    }
    const grown = timeline.map(([, megabytes]) => megabytes * 1e6);
    const cut = sockets.filter(({ destroyed }) => destroyed).length;
    for (const socket of sockets) socket.destroy();
    const log = await crowd.leave();
    return {
      figures: [
        figure('memory for each of them, at most', formatBytes(Math.max(0, ...grown) / READERS)),
        figure('in the end', formatBytes(Math.max(0, grown.at(-1) ?? 0) / READERS)),
        figure('of them cut', String(cut)),
        figure('others dropped', kindsOf(endedSince(log, at))),
        p99Figure('p99 of the others before', log.waits, at - BEFORE_MS + 500, at),
        p99Figure('p99 of the others meanwhile', log.waits, at, at + AFTER_MS - 500),
      ],
      unit: 'memory above that before, MB',
      timeline: timeline.map(([second, value]) => [Number(second.toFixed(3)), Number(value.toFixed(2))]),
    };
  },
};

/** Opens a client that requests the flood and never reads. */
function stall(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(
    'GET /flood HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  return socket;
}
