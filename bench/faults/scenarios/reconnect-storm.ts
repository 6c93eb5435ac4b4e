import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { ProxyUnderTest } from '../../reloadable/proxy-under-test.ts';
import { Crowd } from '../crowd/crowd.ts';
import { figure, kindsOf, timeFigure } from '../figures.ts';
import { waitUntil, type Scenario } from '../scenario.ts';
import { openOverTime, percentileOf } from '../timeline.ts';

const SESSIONS = 5000;
const TIMEOUT_MS = 20_000;

/** Makes all clients reconnect at once. */
export const reconnectStorm: Scenario = {
  name: 'reconnect-storm',
  title: 'Reconnect storm of 5,000',
  text: '5,000 clients drop their connections at the same moment and come back at once.',
  async run(stage, peer) {
    const { plain } = await stage.startEndpoint();
    const proxy = await ProxyUnderTest.start(stage, peer, { endpoints: [plain] });
    const crowd = await Crowd.gather({
      protocol: 'ws',
      port: proxy.setup.ports.ws,
      sessions: SESSIONS,
      rate: 100,
      reopens: true,
    });
    await delay(1000);
    const at = monotonicNow();
    crowd.storm();
    await waitUntil(() => crowd.open < SESSIONS, 2000, 1);
    const isBack = await waitUntil(() => crowd.open === SESSIONS, TIMEOUT_MS, 5);
    const backMs = isBack ? monotonicNow() - at : null;
    await delay(Math.max(0, at + 3100 - monotonicNow()));
    const log = await crowd.leave();
    const times = log.opens.filter((one) => one.at >= at).map(({ tookMs }) => tookMs);
    const quantile = (percentile: number): number | null =>
      times.length === 0 ? null : percentileOf(times, percentile);
    return {
      figures: [
        timeFigure('handshake p50', quantile(50)),
        timeFigure('handshake p99', quantile(99)),
        figure('refused or failed', kindsOf(log.failures.filter((one) => one.at >= at))),
        timeFigure('all are back after', backMs),
      ],
      unit: 'open sessions',
      timeline: openOverTime(log, { from: at - 200, until: at + 3000, zero: at, stepMs: 25 }),
    };
  },
};
