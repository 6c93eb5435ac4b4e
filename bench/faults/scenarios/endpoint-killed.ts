import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { ProxyUnderTest } from '../../reloadable/proxy-under-test.ts';
import { Crowd } from '../crowd/crowd.ts';
import { endedSince, figure, kindsOf, timeFigure } from '../figures.ts';
import { waitUntil, type Scenario } from '../scenario.ts';
import { openOverTime, percentileOf } from '../timeline.ts';

const SESSIONS = 1000;
const BACK_MS = 10_000;

/** Kills one of two endpoints. */
export const endpointKilled: Scenario = {
  name: 'endpoint-killed',
  title: 'Endpoint killed',
  text: 'One of two endpoints under 1,000 sessions is killed; clients that notice come back after 10 ms and more. 1006 is an end without a close frame.',
  async run(stage, peer) {
    const [killed, other] = [await stage.startEndpoint(), await stage.startEndpoint()];
    const proxy = await ProxyUnderTest.start(stage, peer, { endpoints: [killed.plain, other.plain] });
    const crowd = await Crowd.gather({
      protocol: 'ws',
      port: proxy.setup.ports.ws,
      sessions: SESSIONS,
      rate: SESSIONS,
      reopens: true,
    });
    await delay(1000);
    const at = monotonicNow();
    killed.process.kill();
    await waitUntil(() => crowd.open < SESSIONS, 2000, 1);
    const isBack = await waitUntil(() => crowd.open === SESSIONS, BACK_MS, 5);
    const backMs = isBack ? monotonicNow() - at : null;
    await delay(at + 2200 - monotonicNow());
    const log = await crowd.leave();
    const ends = endedSince(log, at);
    const times = ends.map((end) => end.at - at);
    const quantile = (percentile: number): number | null =>
      times.length === 0 ? null : percentileOf(times, percentile);
    return {
      figures: [
        figure('what clients get', kindsOf(ends)),
        timeFigure('half of them know after', quantile(50)),
        timeFigure('99% after', quantile(99)),
        timeFigure('all after', quantile(100)),
        figure('failed attempts to come back', kindsOf(log.failures)),
        timeFigure('all are back after', backMs),
      ],
      unit: 'open sessions',
      timeline: openOverTime(log, { from: at - 200, until: at + 2000, zero: at, stepMs: 20 }),
    };
  },
};
