/** The task of a crowd's thread: its clients open sessions, send on a schedule, and record events. */
import { RandomPool } from '../../../src/core/random-pool.ts';
import { createDialler } from '../../driver/dialling/create-dialler.ts';
import { monotonicNow } from '../../driver/measuring/clock.ts';
import { LivePage } from '../../driver/measuring/live-page.ts';
import { ThreadSessions } from '../../driver/sessions/thread-sessions.ts';
import { MessagePool } from '../../scenarios/message-pool.ts';
import type { CrowdLog, CrowdTask, FromCrowd, ToCrowd } from './protocol.ts';
import { CrowdTraffic } from './traffic.ts';
import { TimelineRecorder } from './timeline-recorder.ts';

const SETTLE_MS = 2000;
const POLL_MS = 5;

export default async function crowd({ plan, page, port, reopens }: CrowdTask): Promise<CrowdLog> {
  const recorder = new TimelineRecorder();
  const random = new RandomPool();
  const livePage = new LivePage(1, page);
  const dialler = createDialler(plan, plan.target.host);
  const context = { plan, recorder, random, page: livePage, thread: 0, runId: '', dialler, recorded: null };
  const { sizes, inFlight } = plan;
  const allocate = (size: number): Buffer => dialler.allocate(size);
  const pool = new MessagePool({ sizes, inFlight, framing: 'binary', pings: false, allocate }, () =>
    random.int32(),
  );
  const traffic = new CrowdTraffic(context, pool, recorder, reopens);
  const threadSessions = new ThreadSessions({ ...context, count: plan.connections, traffic });
  const stopped = new Promise<void>((settle) => {
    port.on('message', (message: ToCrowd) => {
      if (message.type === 'storm') traffic.storm();
      else settle();
    });
  });
  try {
    await Promise.race([threadSessions.openAll(), stopped]);
    traffic.begin(threadSessions, monotonicNow(), Infinity);
    const ready: FromCrowd = { type: 'ready' };
    port.postMessage(ready);
    await stopped;
    traffic.end(monotonicNow());
    const patience = monotonicNow() + SETTLE_MS;
    while (!traffic.settled && monotonicNow() < patience) {
      await new Promise((settle) => setTimeout(settle, POLL_MS));
    }
    traffic.giveUp();
    const { opens, ends, failures } = traffic;
    // Copied before this thread closes the sessions itself.
    const log = { opens: [...opens], ends: [...ends], failures: [...failures] };
    await threadSessions.closeAll();
    return { ...log, waits: Float64Array.from(recorder.waits), lost: recorder.lost };
  } finally {
    dialler.close();
    port.close();
  }
}
