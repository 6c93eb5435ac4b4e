import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { formatBytes } from '../../figures/readable-numbers.ts';
import { ProxyUnderTest } from '../../reloadable/proxy-under-test.ts';
import { statusOf } from '../ask.ts';
import { Crowd } from '../crowd/crowd.ts';
import { endedSince, figure, kindsOf, p99Figure, timeFigure } from '../figures.ts';
import { waitUntil, type Scenario } from '../scenario.ts';
import { p99OverTime } from '../timeline.ts';

const BEFORE_MS = 3000;
const AFTER_MS = 5000;
const SESSIONS = 5000;

/** Changes the configuration under load. */
export const reload: Scenario = {
  name: 'reload',
  title: 'Reload under 5,000 sessions',
  text: 'A route is added to the configuration while 5,000 clients send 5,000 messages a second.',
  async run(stage, peer) {
    const { plain } = await stage.startEndpoint();
    const proxy = await ProxyUnderTest.start(stage, peer, { endpoints: [plain] });
    const { ws } = proxy.setup.ports;
    const crowd = await Crowd.gather({
      protocol: 'ws',
      port: ws,
      sessions: SESSIONS,
      rate: SESSIONS,
      reopens: true,
    });
    await delay(BEFORE_MS);
    const memory = proxy.memory();
    const at = monotonicNow();
    proxy.reload({ extraRoute: true });
    const isNew = await waitUntil(async () => (await statusOf(ws, '/ping')) === 200, AFTER_MS);
    const inForceMs = isNew ? monotonicNow() - at : null;
    await delay(at + AFTER_MS - monotonicNow());
    const memoryAfter = proxy.memory();
    const log = await crowd.leave();
    const ends = endedSince(log, at);
    return {
      figures: [
        figure('sessions dropped', kindsOf(ends)),
        timeFigure('in force for new connections after', inForceMs),
        p99Figure('p99 before', log.waits, at - BEFORE_MS + 500, at),
        p99Figure('p99 in the first second', log.waits, at, at + 1000),
        p99Figure('p99 later', log.waits, at + 1000, at + AFTER_MS - 500),
        figure('memory before', formatBytes(memory)),
        figure('memory after', formatBytes(memoryAfter)),
      ],
      unit: 'p99 of latency, ms',
      timeline: p99OverTime(log.waits, {
        from: at - 2000,
        until: at + AFTER_MS - 500,
        zero: at,
        stepMs: 250,
      }),
    };
  },
};
