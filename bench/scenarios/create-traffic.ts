import type { DriveContext, Traffic } from '../driver/sessions/traffic.ts';
import { isWebSocket } from '../options/target.ts';
import { ConnectTraffic } from './connect.ts';
import { EchoTraffic } from './echo.ts';
import { FanOutTraffic } from './fan-out.ts';
import { IdleTraffic } from './idle.ts';
import { MessagePool } from './message-pool.ts';
import { createReplay } from './replay/replay-traffic.ts';
import { UploadTraffic } from './upload.ts';

/** Creates the traffic of the plan's scenario for one thread. */
export function createTraffic(context: DriveContext): Traffic {
  switch (context.plan.scenario) {
    case 'echo':
      return new EchoTraffic(context, poolFor(context, false));
    case 'upload':
      return new UploadTraffic(context, poolFor(context, true));
    case 'fan-out':
      return new FanOutTraffic(context);
    case 'connect':
      return new ConnectTraffic(context);
    case 'idle':
      return new IdleTraffic(context);
    case 'replay':
      return createReplay(context);
  }
}

function poolFor({ plan, random, dialler }: DriveContext, pings: boolean): MessagePool {
  const { sizes, inFlight, text, target } = plan;
  const framing = isWebSocket(target.protocol) ? (text ? 'text' : 'binary') : 'none';
  const allocate = (size: number): Buffer => dialler.allocate(size);
  return new MessagePool({ sizes, inFlight, framing, pings, allocate }, () => random.int32());
}
