import { copyFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { ProxyUnderTest } from '../../reloadable/proxy-under-test.ts';
import { makeCertificate } from '../../rig/certificate.ts';
import { fingerprintAt } from '../ask.ts';
import { Crowd } from '../crowd/crowd.ts';
import { endedSince, figure, kindsOf, p99Figure, timeFigure } from '../figures.ts';
import { waitUntil, type Scenario } from '../scenario.ts';
import { p99OverTime } from '../timeline.ts';

const SESSIONS = 1000;
const BEFORE_MS = 2500;
const AFTER_MS = 4000;

/** Replaces the certificate in the same files. */
export const certificateRenewal: Scenario = {
  name: 'certificate-renewal',
  title: 'Certificate renewed',
  text: 'The files of the certificate are replaced under 1,000 TLS sessions with 1,000 messages a second, and read again.',
  async run(stage, peer) {
    const { plain } = await stage.startEndpoint();
    const proxy = await ProxyUnderTest.start(stage, peer, { endpoints: [plain] });
    const { wss } = proxy.setup.ports;
    const crowd = await Crowd.gather({
      protocol: 'wss',
      port: wss,
      sessions: SESSIONS,
      rate: SESSIONS,
      reopens: true,
    });
    const old = await fingerprintAt(wss);
    const renewed = makeCertificate(stage.newDirectory());
    await delay(BEFORE_MS);
    for (const name of ['cert', 'key', 'both'] as const) copyFileSync(renewed[name], stage.certificate[name]);
    const at = monotonicNow();
    proxy.reload({});
    const isNew = await waitUntil(async () => ![old, ''].includes(await fingerprintAt(wss)), AFTER_MS);
    const newMs = isNew ? monotonicNow() - at : null;
    await delay(at + AFTER_MS - monotonicNow());
    const log = await crowd.leave();
    return {
      figures: [
        timeFigure('new connections get it after', newMs),
        figure('sessions dropped', kindsOf(endedSince(log, at))),
        p99Figure('p99 before', log.waits, at - BEFORE_MS + 500, at),
        p99Figure('p99 in the first second', log.waits, at, at + 1000),
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
