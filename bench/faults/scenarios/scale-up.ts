import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { formatCount } from '../../figures/readable-numbers.ts';
import { ProxyUnderTest } from '../../reloadable/proxy-under-test.ts';
import { sessionsAt, statusOf } from '../ask.ts';
import { Crowd } from '../crowd/crowd.ts';
import { endedSince, figure, kindsOf, p99Figure, timeFigure } from '../figures.ts';
import { waitUntil, type Scenario } from '../scenario.ts';

const SESSIONS = 2000;
const PER_SECOND = 500;
/** Max load of the busiest endpoint, as a multiple of its share, for the load to count as even. */
const MAX_IMBALANCE = 1.1;
const BEFORE_MS = 1500;
const TIMEOUT_MS = 10_000;
/** Time to watch peers that cannot rebalance. */
const OBSERVATION_MS = 3000;

/** Doubles the number of endpoints. */
export const scaleUp: Scenario = {
  name: 'scale-up',
  title: 'Scale-up from two endpoints to four',
  text:
    'Two endpoints are added under 2,000 sessions by a reload, then the cluster is rebalanced at 500 sessions a ' +
    'second, where the proxy can: even is when no endpoint has 10% more than its share.',
  async run(stage, peer) {
    const all: number[] = [];
    for (let count = 0; count < 4; count++) all.push((await stage.startEndpoint()).plain);
    const proxy = await ProxyUnderTest.start(stage, peer, { endpoints: all.slice(0, 2) });
    const { ws } = proxy.setup.ports;
    const crowd = await Crowd.gather({
      protocol: 'ws',
      port: ws,
      sessions: SESSIONS,
      rate: SESSIONS,
      reopens: true,
    });
    await delay(BEFORE_MS);
    const at = monotonicNow();
    proxy.reload({ endpoints: all, extraRoute: true });
    await waitUntil(async () => (await statusOf(ws, '/ping')) === 200, TIMEOUT_MS);
    await peer.rebalance?.(proxy.setup, PER_SECOND);
    const timeline: (readonly [number, number])[] = [];
    const isEven = await waitUntil(
      async () => {
        const counts = await Promise.all(all.map(sessionsAt));
        const [fresh, total] = [counts[2]! + counts[3]!, counts.reduce((sum, count) => sum + count, 0)];
        timeline.push([Number(((monotonicNow() - at) / 1000).toFixed(3)), (fresh / total) * 100]);
        return total >= SESSIONS * 0.99 && Math.max(...counts) <= (MAX_IMBALANCE * total) / all.length;
      },
      peer.rebalance === null ? OBSERVATION_MS : TIMEOUT_MS,
      50,
    );
    const evenMs = isEven ? monotonicNow() - at : null;
    const until = monotonicNow();
    const isBack = await waitUntil(() => crowd.open === SESSIONS, TIMEOUT_MS);
    const log = await crowd.leave();
    const ends = endedSince(log, at);
    return {
      figures: [
        timeFigure('even after', evenMs),
        figure('on the new endpoints in the end', `${Math.round(timeline.at(-1)?.[1] ?? 0)}%`),
        figure('sessions moved', kindsOf(ends)),
        figure('all are back', isBack ? 'yes' : `no, ${formatCount(crowd.open)} of ${formatCount(SESSIONS)}`),
        p99Figure('p99 before', log.waits, at - BEFORE_MS + 500, at),
        p99Figure('p99 meanwhile', log.waits, at, until),
      ],
      unit: 'sessions on the new endpoints, %',
      timeline: timeline.map(([second, share]) => [second, Number(share.toFixed(1))]),
    };
  },
};
