import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { formatCount } from '../../figures/readable-numbers.ts';
import { ProxyUnderTest } from '../../reloadable/proxy-under-test.ts';
import { Crowd } from '../crowd/crowd.ts';
import { endedSince, figure, kindsOf, timeFigure } from '../figures.ts';
import { waitUntil, type Scenario } from '../scenario.ts';
import { openOverTime } from '../timeline.ts';

const SESSIONS = 2000;
const GRACE_SECONDS = 5;
const TIMEOUT_MS = 15_000;

/** Drains the proxy, until its grace period ends. */
export const drain: Scenario = {
  name: 'drain',
  title: 'Drain',
  text: 'The proxy is told to end within 5 seconds, under 2,000 sessions with 2,000 messages a second. 1006 is an end without a close frame.',
  async run(stage, peer) {
    const { plain } = await stage.startEndpoint();
    const proxy = await ProxyUnderTest.start(stage, peer, {
      endpoints: [plain],
      graceSeconds: GRACE_SECONDS,
    });
    const crowd = await Crowd.gather({
      protocol: 'ws',
      port: proxy.setup.ports.ws,
      sessions: SESSIONS,
      rate: SESSIONS,
      reopens: false,
    });
    await delay(1000);
    const at = monotonicNow();
    proxy.drain();
    const hasEnded = await waitUntil(() => !proxy.process.running, TIMEOUT_MS);
    const endedMs = hasEnded ? monotonicNow() - at : null;
    await delay(200);
    const log = await crowd.leave();
    const ends = endedSince(log, at);
    const times = ends.map((end) => end.at - at);
    return {
      figures: [
        figure('what clients get', kindsOf(ends)),
        timeFigure('the first after', times.length === 0 ? null : Math.min(...times)),
        timeFigure('the last after', times.length === 0 ? null : Math.max(...times)),
        figure('messages without their reply', formatCount(log.lost)),
        timeFigure('the process has ended after', endedMs),
      ],
      unit: 'open sessions',
      timeline: openOverTime(log, {
        from: at - 500,
        until: at + (GRACE_SECONDS + 1) * 1000,
        zero: at,
        stepMs: 50,
      }),
    };
  },
};
