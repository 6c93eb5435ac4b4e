/** The most urgent facts for an operator. */
import type { LiveFrame } from '../../protocol/admin/live.ts';
import type { DrainScope } from '../../protocol/to-worker.ts';
import { count, daysUntil, duration, plural } from './format.ts';

export interface Notice {
  readonly key: string;
  readonly tone: 'bad' | 'warn' | 'quiet';
  readonly text: string;
  /** The progress of a drain, 0 to 1. */
  readonly progress?: number;
  /** The scope of the undrain that ends this drain. */
  readonly scope?: DrainScope;
}

/** Certificates that expire in fewer days cause a notice. */
export const MIN_CERTIFICATE_DAYS = 21;
const MAX_NOTICES = 12;

/** Returns the notices of a frame, worst first. */
export function noticesOf(frame: LiveFrame): readonly Notice[] {
  const notices = [
    ...processNotices(frame),
    ...workerNotices(frame),
    ...clusterNotices(frame),
    ...certificateNotices(frame),
    ...drainNotices(frame),
  ];
  return notices.slice(0, MAX_NOTICES);
}

/** Describes the scope of a drain. */
export function scopeText(scope: DrainScope): string {
  switch (scope.kind) {
    case 'all':
      return 'the whole process';
    case 'listener':
    case 'cluster':
      return `${scope.kind} ${scope.name}`;
    case 'endpoint':
      return `endpoint ${scope.name} of cluster ${scope.cluster}`;
  }
}

function processNotices(frame: LiveFrame): Notice[] {
  const notices: Notice[] = [];
  if (frame.state === 'ready' && frame.notReady !== null && frame.notReady !== 'draining') {
    notices.push({ key: 'ready', tone: 'bad', text: `Not ready for traffic: ${frame.notReady}` });
  }
  if (!frame.lastReloadSucceeded) {
    const text = `The last reload failed: generation ${frame.generation} of ${frame.lastReloadSuccessAt} stays in use. The log has the errors.`;
    notices.push({ key: 'reload', tone: 'bad', text });
  }
  if (frame.needsRestart.length > 0) {
    const text = `Changed in the file, and waiting for a restart: ${frame.needsRestart.join(', ')}`;
    notices.push({ key: 'restart', tone: 'warn', text });
  }
  return notices;
}

function workerNotices({ workers }: LiveFrame): Notice[] {
  const stuck = workers.filter(({ state }) => state === 'stuck').map(({ name }) => name);
  const waiting = workers.filter(({ state }) => state === 'waiting').map(({ name }) => name);
  return [
    ...(stuck.length === 0
      ? []
      : [{ key: 'stuck', tone: 'bad', text: `Stuck: ${stuck.join(', ')}` } satisfies Notice]),
    ...(waiting.length === 0
      ? []
      : [
          {
            key: 'waiting',
            tone: 'bad',
            text: `Failed, and not started again yet: ${waiting.join(', ')}`,
          } satisfies Notice,
        ]),
  ];
}

function clusterNotices({ clusters }: LiveFrame): Notice[] {
  return clusters.flatMap(({ name, panic, endpointsUp, endpointCount }): Notice[] => {
    if (endpointCount > 0 && endpointsUp === 0)
      return [{ key: `cluster ${name}`, tone: 'bad', text: `Cluster ${name} has no endpoint that is up` }];
    if (!panic) return [];
    const text = `Cluster ${name} is in panic: too few endpoints are up, so all of them are used`;
    return [{ key: `cluster ${name}`, tone: 'bad', text }];
  });
}

function certificateNotices({ listeners, at }: LiveFrame): Notice[] {
  // Listeners may have certificates of one name with different expiry times. The earliest counts.
  const ends = new Map<string, string>();
  for (const { name, notAfter } of listeners.flatMap(({ certificates }) => certificates)) {
    const known = ends.get(name);
    if (known === undefined || notAfter < known) ends.set(name, notAfter);
  }
  return [...ends].flatMap(([name, notAfter]): Notice[] => {
    const days = daysUntil(notAfter, at);
    if (days === null || days >= MIN_CERTIFICATE_DAYS) return [];
    const key = `certificate ${name}`;
    return days < 0
      ? [{ key, tone: 'bad', text: `The certificate ${name} has ended: ${notAfter}` }]
      : [{ key, tone: 'warn', text: `The certificate ${name} ends in ${plural(days, 'day')}` }];
  });
}

function drainNotices({ drains }: LiveFrame): Notice[] {
  return drains.map(({ scope, total, remaining, seconds }) => ({
    key: `drain ${Object.values(scope).join(' ')}`,
    tone: 'warn',
    text: `Draining ${scopeText(scope)}: ${count(remaining)} of ${count(total)} left, for ${duration(seconds)}`,
    progress: total === 0 ? 1 : Math.min(1, Math.max(0, 1 - remaining / total)),
    scope,
  }));
}
